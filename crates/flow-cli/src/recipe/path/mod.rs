//! What is regressed: the section `path`.

mod coupling;
mod default;
mod schedule;
mod times;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::check::{finite, fractions, positive};
use super::named::named;
use crate::exit::usage;
pub(crate) use coupling::Coupling;
pub(crate) use schedule::Schedule;
pub(crate) use times::Times;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Path {
    #[serde(deserialize_with = "named")]
    pub(crate) schedule: Schedule,
    #[serde(deserialize_with = "named")]
    pub(crate) between: Between,
    #[serde(deserialize_with = "named")]
    pub(crate) prediction: Prediction,
    #[serde(deserialize_with = "named")]
    pub(crate) weight: Weight,
    #[serde(deserialize_with = "named")]
    pub(crate) times: Times,
    pub(crate) shift: Shift,
    #[serde(deserialize_with = "named")]
    pub(crate) source: Source,
    #[serde(deserialize_with = "named")]
    pub(crate) coupling: Coupling,
    pub(crate) within_classes: bool,
    pub(crate) label_drop: f64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Between {
    #[default]
    Line,
    Tube {
        #[serde(default = "default::tenth")]
        sigma: f64,
    },
    Bridge {
        #[serde(default = "default::one")]
        sigma: f64,
    },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Prediction {
    #[default]
    Velocity,
    Data,
    Noise,
    Score,
    V,
    Displacement,
    Edm {
        #[serde(default = "default::half")]
        sigma_data: f64,
    },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Weight {
    #[default]
    Unit,
    Variance,
    Diffusion,
    Likelihood,
    FlowMatching,
    VCosine,
    NoiseCosine,
    Edm {
        #[serde(default = "default::edm_mean")]
        mean: f64,
        #[serde(default = "default::edm_std")]
        std: f64,
        #[serde(default = "default::half")]
        sigma_data: f64,
    },
    LogitNormal {
        #[serde(default)]
        mean: f64,
        #[serde(default = "default::one")]
        std: f64,
    },
    Sigmoid {
        #[serde(default)]
        bias: f64,
    },
}

/// Law of `x_0`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Source {
    #[default]
    Normal,
    /// A toy whose density is known.
    Toy { set: String },
}

/// Factor of a time shift; 1 is none.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Shift(pub(crate) f64);

impl Shift {
    /// Whether times stay where they are.
    #[expect(clippy::float_cmp, reason = "exactly 1 means no shift")]
    pub(crate) fn is_none(self) -> bool {
        self.0 == 1.0
    }
}

impl Default for Shift {
    fn default() -> Self {
        Self(1.0)
    }
}

impl Path {
    /// Refuses values that cannot work.
    pub(super) fn check(&self) -> Result<()> {
        fractions(&[("path.label_drop", self.label_drop)])?;
        positive(&[("path.shift", self.shift.0)])?;
        self.schedule.check("path.schedule")?;
        self.times.check()?;
        self.coupling.check()?;
        self.check_between()?;
        if let Prediction::Edm { sigma_data } = self.prediction {
            positive(&[("path.prediction.sigma_data", sigma_data)])?;
        }
        match self.weight {
            Weight::Edm { mean, std, sigma_data } => {
                finite(&[("path.weight.mean", mean)])?;
                positive(&[("path.weight.std", std), ("path.weight.sigma_data", sigma_data)])
            }
            Weight::LogitNormal { mean, std } => {
                finite(&[("path.weight.mean", mean)])?;
                positive(&[("path.weight.std", std)])
            }
            Weight::Sigmoid { bias } => finite(&[("path.weight.bias", bias)]),
            _ => Ok(()),
        }
    }

    /// Tubes and bridges have a velocity of their own, along straight lines.
    fn check_between(&self) -> Result<()> {
        let (name, sigma) = match self.between {
            Between::Line => return Ok(()),
            Between::Tube { sigma } => ("tube", sigma),
            Between::Bridge { sigma } => ("bridge", sigma),
        };
        positive(&[("path.between.sigma", sigma)])?;
        let plain = Self { between: self.between, ..Self::default() };
        for (key, same) in [
            ("schedule", self.schedule == plain.schedule),
            ("prediction", self.prediction == plain.prediction),
            ("weight", self.weight == plain.weight),
        ] {
            if !same {
                return Err(usage!(
                    "path.between is {name}, whose velocity along straight lines is learned, \
                     leave path.{key} out"
                ));
            }
        }
        Ok(())
    }

    /// Whether the class is hidden from some rows, as guidance away from no class needs.
    pub(crate) fn learns_without_class(&self) -> bool {
        0.0 < self.label_drop
    }

    /// Whether independent Gaussian noise and data are mixed by the schedule alone: then
    /// predictions of noise are scores, and fields of known data have closed forms.
    pub(crate) fn is_affine(&self) -> bool {
        self.between == Between::Line
            && self.source == Source::Normal
            && matches!(self.coupling, Coupling::Independent | Coupling::Paired)
    }
}
