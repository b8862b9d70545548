//! Schedules by name.

use super::{
    Cosine, Linear, NicholDhariwal, Polynomial, Schedule, VarianceExploding, VariancePreserving,
};
use crate::choices;

choices! {
    /// How much data and noise a point holds at each time, by name.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub enum ScheduleConfig as dyn Schedule {
        /// straight lines: conditional optimal transport
        "linear" => Linear(Linear),
        /// the variance-preserving diffusion
        "vp" => Vp(VariancePreserving),
        /// the variance-exploding diffusion
        "ve" => Ve(VarianceExploding),
        /// a rotation at constant speed
        "cosine" => Cosine(Cosine),
        /// the shifted cosine of improved DDPM
        "nichol-dhariwal" => NicholDhariwal(NicholDhariwal),
        /// straight lines at the clock t^degree
        "polynomial" => Polynomial(Polynomial),
    }
}

impl Default for ScheduleConfig {
    fn default() -> Self {
        Self::Linear(Linear::default())
    }
}
