//! Laws of the training time by name.

use std::sync::Arc;

use super::{
    Beta, CosMap, LogNormalLevel, LogitNormal, Mode, PowerLaw, Stratified, TimeSampler, UShaped,
    Uniform,
};
use crate::{Schedule, choices};

choices! {
    /// Law of the training times, by name.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub enum TimesConfig {
        /// each time by itself
        "uniform" => Uniform(Uniform),
        /// one time in each of as many intervals as rows
        "stratified" => Stratified(Stratified),
        /// the middle
        "logit-normal" => LogitNormal(LogitNormal),
        /// the middle, with heavy tails
        "mode" ("scale=1.29") => Mode(Mode),
        /// the ratios of the cosine schedule
        "cosmap" => CosMap(CosMap),
        /// both ends
        "u-shaped" ("sharpness=4") => UShaped(UShaped),
        /// either end
        "beta" ("data=2,noise=1") => Beta(Beta),
        /// the data, for posteriors
        "power" ("exponent=1") => Power(PowerLaw),
        /// log-normal noise level
        "edm" => Edm(LogNormalLevel),
    }
}

impl Default for TimesConfig {
    fn default() -> Self {
        Self::Uniform(Uniform)
    }
}

impl TimesConfig {
    /// The law that is chosen, with the schedule that turns noise levels into times.
    #[must_use]
    pub fn build(&self, schedule: &Arc<dyn Schedule>) -> Arc<dyn TimeSampler> {
        match *self {
            Self::Uniform(law) => Arc::new(law),
            Self::Stratified(law) => Arc::new(law),
            Self::LogitNormal(law) => Arc::new(law),
            Self::Mode(law) => Arc::new(law),
            Self::CosMap(law) => Arc::new(law),
            Self::UShaped(law) => Arc::new(law),
            Self::Beta(law) => Arc::new(law),
            Self::Power(law) => Arc::new(law),
            Self::Edm(level) => Arc::new(level.on(Arc::clone(schedule))),
        }
    }
}
