//! What is regressed, from the names of a recipe.

use std::sync::Arc;

use anyhow::Result;
use flow_path::stream::{Purpose, Streams};
use flow_path::{
    Beta, ClassAware, CosMap, Coupling, Draw, EdmLogNormal, Entropic, Epsilon, ExactOt,
    Independent, LogitNormal, LossWeight, Mode, PairTube, Paired, PartialOt, Prediction, Schedule,
    SchrodingerBridge, Shifted, Sinkhorn, Source, Stratified, TimeSampler, TimeShift, UShaped,
    Uniform, Weighting,
};
use flow_train::{Between, FlowMatching};

use crate::exit::usage;
use crate::recipe::{self, named};

/// The schedule of a recipe.
pub(crate) fn schedule(schedule: recipe::Schedule) -> Arc<dyn Schedule> {
    match schedule {
        recipe::Schedule::Linear(schedule) => Arc::new(schedule),
        recipe::Schedule::Vp(schedule) => Arc::new(schedule),
        recipe::Schedule::Ve(schedule) => Arc::new(schedule),
        recipe::Schedule::Cosine(schedule) => Arc::new(schedule),
        recipe::Schedule::NicholDhariwal(schedule) => Arc::new(schedule),
        recipe::Schedule::Polynomial(schedule) => Arc::new(schedule),
    }
}

/// What the network of a recipe predicts.
pub(crate) fn prediction(prediction: recipe::Prediction) -> Prediction {
    match prediction {
        recipe::Prediction::Velocity => Prediction::Velocity,
        recipe::Prediction::Data => Prediction::Data,
        recipe::Prediction::Noise => Prediction::Noise,
        recipe::Prediction::Score => Prediction::Score,
        recipe::Prediction::V => Prediction::V,
        recipe::Prediction::Displacement => Prediction::Displacement,
        recipe::Prediction::Edm { sigma_data } => Prediction::Edm { sigma_data },
    }
}

/// The regression of a recipe.
pub(crate) fn matching(path: &recipe::Path) -> Result<FlowMatching> {
    let schedule = schedule(path.schedule);
    let matching = FlowMatching {
        between: match path.between {
            recipe::Between::Line => Between::Line,
            recipe::Between::Tube { sigma } => Between::Tube(PairTube { sigma }),
            recipe::Between::Bridge { sigma } => Between::Bridge(SchrodingerBridge { sigma }),
        },
        prediction: prediction(path.prediction),
        weight: weight(path.weight),
        times: times(path, &schedule)?,
        source: source(&path.source)?,
        coupling: coupling(path)?,
        label_drop: path.label_drop,
        schedule,
    };
    let (_, weights) = matching.draw_times(TRIED, &mut Streams::new(0).rng(0, Purpose::Time));
    match weights.into_iter().flatten().find(|weight| !weight.is_finite()) {
        None => Ok(matching),
        Some(weight) => Err(usage!(
            "path.weight is {}, which weighs a time that path.times {} draws by {weight}: choose \
             values nearer to their defaults",
            named::shown(&path.weight),
            named::shown(&path.times)
        )),
    }
}

/// Times that a law and a weight are tried with.
const TRIED: usize = 1000;

/// The law of `x_0` of a recipe.
pub(crate) fn source(source: &recipe::Source) -> Result<Source> {
    let recipe::Source::Toy { set } = source else { return Ok(Source::Normal) };
    super::target(set).map(Source::Known).ok_or_else(|| {
        let known = |toy: &&str| super::target(toy).is_some();
        let known: Vec<&str> = flow_datasets::TOYS.iter().copied().filter(known).collect();
        usage!(
            "path.source.set is `{set}`, the density of a source must be known, use one of {}",
            known.join(", ")
        )
    })
}

fn weight(weight: recipe::Weight) -> LossWeight {
    let weighting = match weight {
        recipe::Weight::Unit => return LossWeight::Unit,
        recipe::Weight::Variance => return LossWeight::Variance,
        recipe::Weight::Diffusion => return LossWeight::Diffusion,
        recipe::Weight::Likelihood => Weighting::Likelihood,
        recipe::Weight::FlowMatching => Weighting::FlowMatching,
        recipe::Weight::VCosine => Weighting::VCosine,
        recipe::Weight::NoiseCosine => Weighting::NoiseCosine,
        recipe::Weight::Edm { mean, std, sigma_data } => Weighting::Edm { mean, std, sigma_data },
        recipe::Weight::LogitNormal { mean, std } => Weighting::LogitNormal { mean, std },
        recipe::Weight::Sigmoid { bias } => Weighting::Sigmoid { bias },
    };
    LossWeight::LogSnr(weighting)
}

fn times(path: &recipe::Path, schedule: &Arc<dyn Schedule>) -> Result<Arc<dyn TimeSampler>> {
    let law: Arc<dyn TimeSampler> = match path.times {
        recipe::Times::Uniform => Arc::new(Uniform),
        recipe::Times::Stratified => Arc::new(Stratified),
        recipe::Times::LogitNormal { mean, std } => Arc::new(LogitNormal { mean, std }),
        recipe::Times::Mode { scale } => Arc::new(Mode { scale }),
        recipe::Times::Cosmap => Arc::new(CosMap),
        recipe::Times::UShaped { sharpness } => Arc::new(UShaped { sharpness }),
        recipe::Times::Beta { data, noise } => Arc::new(Beta::new(data, noise)?),
        recipe::Times::Edm { mean, std } => {
            Arc::new(EdmLogNormal { mean, std, schedule: Arc::clone(schedule) })
        }
    };
    let law = if path.shift.is_none() {
        law
    } else {
        Arc::new(Shifted { law, shift: TimeShift::new(path.shift.0)? })
    };
    // Some laws leave the unit interval at extreme values, which would end the training with a loss
    // of NaN.
    let tried = law.sample(TRIED, &mut Streams::new(0).rng(0, Purpose::Time));
    match tried.iter().find(|t| !(0.0..=1.0).contains(t)) {
        None => Ok(law),
        Some(t) => Err(usage!(
            "path.times is {} with path.shift {}, which draws the time {t}: choose values nearer \
             to their defaults",
            named::shown(&path.times),
            path.shift.0
        )),
    }
}

fn of_mean_cost(epsilon: f64) -> Entropic {
    Entropic { epsilon: Epsilon::OfMeanCost(epsilon), ..Entropic::default() }
}

fn coupling(path: &recipe::Path) -> Result<Arc<dyn Coupling>> {
    let coupling: Arc<dyn Coupling> = match path.coupling {
        recipe::Coupling::Independent => Arc::new(Independent),
        recipe::Coupling::Paired => Arc::new(Paired),
        recipe::Coupling::Ot => Arc::new(ExactOt),
        recipe::Coupling::Sinkhorn { epsilon, replace } => Arc::new(Sinkhorn {
            draw: if replace { Draw::WithReplacement } else { Draw::Permutation },
            ..Sinkhorn::new(of_mean_cost(epsilon))
        }),
        recipe::Coupling::Unbalanced { epsilon, relaxation } => {
            let relaxation = Some(relaxation);
            Arc::new(Sinkhorn::new(Entropic { relaxation, ..of_mean_cost(epsilon) }))
        }
        recipe::Coupling::Partial { fraction } => Arc::new(PartialOt::new(fraction)?),
        recipe::Coupling::Schrodinger { sigma } => Arc::new(Sinkhorn::schrodinger(sigma)),
    };
    let within = path.within_classes;
    Ok(if within { Arc::new(ClassAware { within: coupling }) } else { coupling })
}

#[cfg(test)]
mod tests {
    use rand_distr::{Distribution, StandardNormal};

    use super::*;
    use crate::recipe::Recipe;
    use crate::registry::RECIPES;

    fn digits(changes: &[&str]) -> Recipe {
        let (_, text) = RECIPES.iter().find(|(name, _)| *name == "digits").unwrap();
        let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
        Recipe::parse(text, &changes, "digits").unwrap()
    }

    /// Mean of the noise that data near -2 and near 2, the classes 0 and 1, are paired with.
    fn noise_means(recipe: &Recipe, batches: u64, rows: usize) -> [f64; 2] {
        let coupling = coupling(&recipe.path).unwrap();
        let labels: Vec<usize> = (0..rows).map(|row| row % 2).collect();
        let mut sums = [0.0; 2];
        for batch in 0..batches {
            let mut rng = Streams::new(1).rng(batch, Purpose::Noise);
            let mut normal = || -> f32 { StandardNormal.sample(&mut rng) };
            let noise: Vec<f32> = (0..rows).map(|_| normal()).collect();
            let data: Vec<f32> =
                labels.iter().map(|&label| 4.0 * label as f32 - 2.0 + 0.5 * normal()).collect();
            let mut rng = Streams::new(1).rng(batch, Purpose::Coupling);
            let pairing = coupling.pair(&noise, &data, Some(&labels), 1, &mut rng).unwrap();
            for (&label, &row) in labels.iter().zip(pairing.noise_rows()) {
                sums[label] += f64::from(noise[row]);
            }
        }
        sums.map(|sum| sum / (batches as usize * rows / 2) as f64)
    }

    #[test]
    fn with_classes_the_noise_of_a_class_stays_that_of_sampling() {
        // The mean of N normal numbers has the standard error 1 / sqrt(N).
        let (batches, rows) = (40, 64);
        let within = 4.0 / f64::from(40 * 64 / 2).sqrt();
        for kind in ["independent", "ot", "sinkhorn", "partial", "unbalanced", "schrodinger"] {
            let recipe = digits(&[&format!("path.coupling.kind={kind}")]);
            assert_eq!(recipe.path.within_classes, kind != "independent", "{kind}");
            // Couplings that give rows unequal weight draw some twice, within their class.
            let slack = if ["partial", "unbalanced"].contains(&kind) { 2.0 } else { 1.0 };
            let means = noise_means(&recipe, batches, rows);
            assert!(means.iter().all(|mean| mean.abs() < slack * within), "{kind}: {means:?}");
        }
        // Across classes, as may be asked for, it is half of a normal distribution: mean sqrt(2 /
        // pi).
        let across = digits(&["path.coupling=ot", "path.within_classes=false"]);
        assert!(!across.path.within_classes);
        let means = noise_means(&across, batches, rows);
        assert!((means[0] + 0.798).abs() < 0.05 && (means[1] - 0.798).abs() < 0.05, "{means:?}");
    }

    #[test]
    fn a_law_that_draws_no_times_is_named() {
        let mut path = digits(&[]).path;
        path.times = recipe::Times::UShaped { sharpness: 800.0 };
        match times(&path, &schedule(path.schedule)) {
            // Where the law is finite at any sharpness there is nothing to refuse.
            Ok(law) => {
                let tried = law.sample(100, &mut Streams::new(3).rng(0, Purpose::Time));
                assert!(tried.iter().all(|t| (0.0..=1.0).contains(&t)));
            }
            Err(error) => {
                let error = error.to_string();
                assert!(error.starts_with("path.times is u-shaped,sharpness=800"), "{error}");
            }
        }
    }
}
