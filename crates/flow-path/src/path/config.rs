//! Paths between the points of a pair, by name.

use std::sync::Arc;

use super::{AffinePath, PairTube, ProbabilityPath, SchrodingerBridge};
use crate::{Schedule, choices, without_values};

/// The one point of the schedule, `alpha x_1 + sigma x_0`: see [`AffinePath`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Line;

without_values!(Line);

choices! {
    /// Where `x_t` lies, given both ends of its path, by name.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub enum BetweenConfig {
        /// the point of the schedule
        "line" => Line(Line),
        /// around the straight line
        "tube" => Tube(PairTube),
        /// on a Brownian bridge
        "bridge" => Bridge(SchrodingerBridge),
    }
}

impl Default for BetweenConfig {
    fn default() -> Self {
        Self::Line(Line)
    }
}

impl BetweenConfig {
    /// The path that is chosen. Tubes and bridges do not use the schedule.
    #[must_use]
    pub fn build<const D: usize>(
        &self,
        schedule: &Arc<dyn Schedule>,
    ) -> Arc<dyn ProbabilityPath<D>> {
        match *self {
            Self::Line(Line) => Arc::new(AffinePath::new(Arc::clone(schedule))),
            Self::Tube(tube) => Arc::new(tube),
            Self::Bridge(bridge) => Arc::new(bridge),
        }
    }
}
