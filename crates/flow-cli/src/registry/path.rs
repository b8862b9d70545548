//! What is regressed, from the names of a recipe.

use std::sync::Arc;

use flow_path::{
    Cosine, ExactOt, Independent, Linear, LogitNormal, Prediction, Schedule, Stratified,
    TimeSampler, Uniform, VarianceExploding, VariancePreserving,
};
use flow_train::FlowMatching;

use crate::recipe;

/// The schedule of a recipe.
pub(crate) fn schedule(schedule: recipe::Schedule) -> Arc<dyn Schedule> {
    match schedule {
        recipe::Schedule::Linear { sigma_min } => Arc::new(Linear { sigma_min }),
        recipe::Schedule::Vp { beta_min, beta_max } => {
            Arc::new(VariancePreserving { beta_min, beta_max })
        }
        recipe::Schedule::Ve { sigma_min, sigma_max } => {
            Arc::new(VarianceExploding { sigma_min, sigma_max, ..VarianceExploding::default() })
        }
        recipe::Schedule::Cosine => Arc::new(Cosine::default()),
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
    }
}

/// The regression of a recipe.
pub(crate) fn matching(path: &recipe::Path) -> FlowMatching {
    let times: Arc<dyn TimeSampler> = match path.times {
        recipe::Times::Uniform => Arc::new(Uniform),
        recipe::Times::LogitNormal { mean, std } => Arc::new(LogitNormal { mean, std }),
        recipe::Times::Stratified => Arc::new(Stratified),
    };
    FlowMatching {
        schedule: schedule(path.schedule),
        prediction: prediction(path.prediction),
        times,
        coupling: match path.coupling {
            recipe::Coupling::Independent => Arc::new(Independent),
            recipe::Coupling::Ot => Arc::new(ExactOt),
        },
        label_drop: path.label_drop,
    }
}
