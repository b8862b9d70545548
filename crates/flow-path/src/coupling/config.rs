//! Couplings by name.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    ConditionalOt, Coupling, Draw, Entropic, Epsilon, ExactOt, Independent, Paired, PartialOt,
    Sinkhorn,
};
use crate::config::{Check, positive};
use crate::{PathError, choices};

choices! {
    /// The coupling of noise and data in a batch, by name.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub enum CouplingConfig {
        /// any noise with any data
        "independent" => Independent(Independent),
        /// row by row, for the pairs of reflow
        "paired" => Paired(Paired),
        /// exact optimal transport within the batch
        "ot" => Ot(ExactOt),
        /// exact among rows of like conditions
        "conditional" => Conditional(ConditionalOt),
        /// entropic optimal transport
        "sinkhorn" => Sinkhorn(SinkhornPlan),
        /// the same with soft marginals
        "unbalanced" => Unbalanced(UnbalancedPlan),
        /// exact for the cheapest fraction
        "partial" => Partial(PartialOt),
        /// the plan of a Schrodinger bridge
        "schrodinger" => Schrodinger(SchrodingerPlan),
    }
}

impl Default for CouplingConfig {
    fn default() -> Self {
        Self::Independent(Independent)
    }
}

impl CouplingConfig {
    /// The coupling that is chosen.
    #[must_use]
    pub fn build(&self) -> Arc<dyn Coupling> {
        match *self {
            Self::Independent(coupling) => Arc::new(coupling),
            Self::Paired(coupling) => Arc::new(coupling),
            Self::Ot(coupling) => Arc::new(coupling),
            Self::Conditional(coupling) => Arc::new(coupling),
            Self::Partial(coupling) => Arc::new(coupling),
            Self::Sinkhorn(plan) => Arc::new(Sinkhorn::from(plan)),
            Self::Unbalanced(plan) => Arc::new(Sinkhorn::from(plan)),
            Self::Schrodinger(plan) => Arc::new(Sinkhorn::from(plan)),
        }
    }

    /// Whether noise and data meet by their values. Then the noise that a class meets, unless it is
    /// paired [within classes](super::ClassAware), is not the noise that samples start from; nor
    /// is the noise that a vector meets, unless [conditions weigh in](super::ConditionalOt).
    #[must_use]
    pub fn looks_at_values(&self) -> bool {
        !matches!(self, Self::Independent(_) | Self::Paired(_))
    }

    /// Whether pairs need the condition vectors of the rows.
    #[must_use]
    pub fn needs_vectors(&self) -> bool {
        matches!(self, Self::Conditional(_))
    }
}

/// Pairs drawn from an entropic plan: the values of a [`Sinkhorn`] that keeps its marginals.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SinkhornPlan {
    /// Strength of the entropy in units of the mean cost, positive.
    pub epsilon: f64,
    /// Whether each row draws its partner by itself, so that noise rows may repeat.
    pub replace: bool,
}

/// Pairs drawn from an entropic plan with soft marginals: the values of a [`Sinkhorn`] that relaxes
/// them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UnbalancedPlan {
    /// Strength of the entropy in units of the mean cost, positive.
    pub epsilon: f64,
    /// What a departure from the marginals costs, positive: see [`Entropic::relaxation`].
    pub relaxation: f64,
}

/// Pairs of a Schrodinger bridge: the value of [`Sinkhorn::schrodinger`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SchrodingerPlan {
    /// Diffusion coefficient of the reference Brownian motion, positive.
    pub sigma: f64,
}

impl Default for SinkhornPlan {
    fn default() -> Self {
        Self { epsilon: 0.05, replace: false }
    }
}

impl Default for UnbalancedPlan {
    fn default() -> Self {
        Self { epsilon: 0.05, relaxation: 1.0 }
    }
}

impl Default for SchrodingerPlan {
    fn default() -> Self {
        Self { sigma: 1.0 }
    }
}

impl From<SinkhornPlan> for Sinkhorn {
    fn from(SinkhornPlan { epsilon, replace }: SinkhornPlan) -> Self {
        let draw = if replace { Draw::WithReplacement } else { Draw::Permutation };
        Self { draw, ..Self::new(of_mean_cost(epsilon)) }
    }
}

impl From<UnbalancedPlan> for Sinkhorn {
    fn from(UnbalancedPlan { epsilon, relaxation }: UnbalancedPlan) -> Self {
        Self::new(Entropic { relaxation: Some(relaxation), ..of_mean_cost(epsilon) })
    }
}

impl From<SchrodingerPlan> for Sinkhorn {
    fn from(SchrodingerPlan { sigma }: SchrodingerPlan) -> Self {
        Self::schrodinger(sigma)
    }
}

fn of_mean_cost(epsilon: f64) -> Entropic {
    Entropic { epsilon: Epsilon::OfMeanCost(epsilon), ..Entropic::default() }
}

impl Check for SinkhornPlan {
    fn check(&self) -> Result<(), PathError> {
        positive("epsilon", self.epsilon)
    }
}

impl Check for UnbalancedPlan {
    fn check(&self) -> Result<(), PathError> {
        positive("epsilon", self.epsilon)?;
        positive("relaxation", self.relaxation)
    }
}

impl Check for SchrodingerPlan {
    fn check(&self) -> Result<(), PathError> {
        positive("sigma", self.sigma)
    }
}
