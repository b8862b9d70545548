//! What is regressed, from the section `path` of a recipe.

use std::sync::Arc;

use flow_path::stream::{Purpose, Streams};
use flow_path::{
    BetweenConfig, ClassAware, Coupling, Schedule, Shifted, Source, TimeSampler, TimeShift,
};
use flow_train::FlowMatching;

use crate::error::{RunError, usage};
use crate::recipe;
use crate::toys::target;

/// The regression of a recipe.
pub(crate) fn matching(path: &recipe::Path) -> Result<FlowMatching, RunError> {
    let schedule = path.schedule.build();
    let matching = FlowMatching {
        between: match path.between {
            BetweenConfig::Line(_) => None,
            other => Some(other.build(&schedule)),
        },
        prediction: path.prediction,
        weight: path.weight,
        times: times(path, &schedule)?,
        source: source(&path.source)?,
        coupling: coupling(path),
        label_drop: path.label_drop,
        condition_drop: path.label_drop,
        part_drop: Vec::new(),
        schedule,
    };
    let (_, weights) = matching.draw_times(TRIED, &mut Streams::new(0).rng(0, Purpose::Time));
    match weights.into_iter().flatten().find(|weight| !weight.is_finite()) {
        None => Ok(matching),
        Some(weight) => Err(usage!(
            "path.weight is {}, which weighs a time that path.times {} draws by {weight}: choose \
             values nearer to their defaults",
            path.weight,
            path.times
        )),
    }
}

/// Times that a law and a weight are tried with.
const TRIED: usize = 1000;

/// The law of `x_0` of a recipe.
pub(crate) fn source(source: &recipe::Source) -> Result<Source, RunError> {
    let recipe::Source::Toy(toy) = source else { return Ok(Source::Normal) };
    target(&toy.set).map(Source::Known).ok_or_else(|| {
        let known = |toy: &&str| target(toy).is_some();
        let known: Vec<&str> = flow_datasets::TOYS.iter().copied().filter(known).collect();
        usage!(
            "path.source.set is `{}`, the density of a source must be known, use one of {}",
            toy.set,
            known.join(", ")
        )
    })
}

fn times(
    path: &recipe::Path,
    schedule: &Arc<dyn Schedule>,
) -> Result<Arc<dyn TimeSampler>, RunError> {
    let law = path.times.build(schedule);
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
            "path.times is {} with path.shift {}, which draws the time {t}: choose values nearer to \
             their defaults",
            path.times,
            path.shift.0
        )),
    }
}

fn coupling(path: &recipe::Path) -> Arc<dyn Coupling> {
    let coupling = path.coupling.build();
    if path.within_classes { Arc::new(ClassAware { within: coupling }) } else { coupling }
}

#[cfg(test)]
mod tests {
    use flow_path::{Given, TimesConfig, UShaped};
    use rand_distr::{Distribution, StandardNormal};

    use super::*;
    use flow_model::Registry;

    use crate::Recipe;

    fn digits(changes: &[&str]) -> Recipe {
        let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
        Recipe::named(&Registry::default(), "digits", &changes).unwrap()
    }

    /// Mean of the noise that data near -2 and near 2, the classes 0 and 1, are paired with.
    fn noise_means(recipe: &Recipe, batches: u64, rows: usize) -> [f64; 2] {
        let coupling = coupling(&recipe.path);
        let labels: Vec<usize> = (0..rows).map(|row| row % 2).collect();
        let given = Given { labels: Some(&labels), vectors: None };
        let mut sums = [0.0; 2];
        for batch in 0..batches {
            let mut rng = Streams::new(1).rng(batch, Purpose::Noise);
            let mut normal = || -> f32 { StandardNormal.sample(&mut rng) };
            let noise: Vec<f32> = (0..rows).map(|_| normal()).collect();
            let data: Vec<f32> =
                labels.iter().map(|&label| 4.0 * label as f32 - 2.0 + 0.5 * normal()).collect();
            let mut rng = Streams::new(1).rng(batch, Purpose::Coupling);
            let pairing = coupling.pair(&noise, &data, given, 1, &mut rng).unwrap();
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
        path.times = TimesConfig::UShaped(UShaped { sharpness: 800.0 });
        match times(&path, &path.schedule.build()) {
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
