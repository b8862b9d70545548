//! What is regressed, from the names of a recipe.

use std::sync::Arc;

use anyhow::Result;
use flow_path::{
    Beta, ClassAware, CosMap, Coupling, Draw, EdmLogNormal, Entropic, Epsilon, ExactOt,
    Independent, LogitNormal, LossWeight, Mode, PairTube, Paired, PartialOt, Prediction, Schedule,
    SchrodingerBridge, Shifted, Sinkhorn, Source, Stratified, TimeSampler, TimeShift, UShaped,
    Uniform, Weighting,
};
use flow_train::{Between, FlowMatching};

use crate::exit::usage;
use crate::recipe;

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
    Ok(FlowMatching {
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
    })
}

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
    if path.shift.is_none() {
        return Ok(law);
    }
    Ok(Arc::new(Shifted { law, shift: TimeShift::new(path.shift.0)? }))
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
