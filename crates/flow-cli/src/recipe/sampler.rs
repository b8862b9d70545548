//! Ways from noise to data and their times: the keys `sample.sampler` and `sample.grid`.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Sampler {
    #[default]
    Ode,
    Ddim {
        #[serde(default)]
        eta: f64,
    },
    Ancestral,
    Churn {
        #[serde(default = "half")]
        fraction: f64,
    },
    Edm,
    /// Defaults: Karras et al. (2022), table 5, ImageNet 64x64.
    KarrasChurn {
        #[serde(default = "churn_amount")]
        amount: f64,
        #[serde(default = "churn_min")]
        min: f64,
        #[serde(default = "churn_max")]
        max: f64,
        #[serde(default = "churn_std")]
        noise_std: f64,
    },
    Sde {
        #[serde(default)]
        diffusion: Diffusion,
        #[serde(default = "one")]
        scale: f64,
        #[serde(default)]
        last: LastStep,
    },
    #[serde(rename = "dpm-solver++")]
    DpmSolver {
        #[serde(default = "two")]
        order: usize,
        #[serde(default)]
        eta: f64,
    },
    Unipc {
        #[serde(default = "two")]
        order: usize,
        #[serde(default)]
        last: UniPcEnd,
    },
    Straight {
        #[serde(default)]
        space: Space,
        #[serde(default)]
        rule: Rule,
    },
}

/// The squared diffusion coefficient of `sde`, times `scale`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Diffusion {
    Zero,
    Constant,
    #[default]
    Sigma,
    Linear,
    Ddpm,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LastStep {
    #[default]
    Denoise,
    Plain,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum UniPcEnd {
    #[default]
    Full,
    Lower,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Space {
    Data,
    Noise,
    #[default]
    Displacement,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Rule {
    Euler,
    #[default]
    Midpoint,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Grid {
    #[default]
    Uniform,
    LogSnr {
        #[serde(default = "log_snr_min")]
        min: f64,
        #[serde(default = "log_snr_max")]
        max: f64,
    },
    Karras {
        #[serde(default = "karras_rho")]
        rho: f64,
        #[serde(default = "karras_min")]
        min: f64,
        #[serde(default = "karras_max")]
        max: f64,
    },
    Given {
        times: Vec<f64>,
    },
}

impl Sampler {
    /// Whether it draws noise after the start.
    pub(crate) fn is_random(&self) -> bool {
        match *self {
            Self::Ddim { eta } | Self::DpmSolver { eta, .. } => eta != 0.0,
            Self::Churn { fraction } => fraction != 0.0,
            Self::KarrasChurn { amount, .. } => amount != 0.0,
            Self::Sde { diffusion, scale, .. } => diffusion != Diffusion::Zero && scale != 0.0,
            Self::Ancestral => true,
            Self::Ode | Self::Edm | Self::Unipc { .. } | Self::Straight { .. } => false,
        }
    }
}

fn one() -> f64 {
    1.0
}

fn half() -> f64 {
    0.5
}

fn two() -> usize {
    2
}

fn churn_amount() -> f64 {
    40.0
}

fn churn_min() -> f64 {
    0.05
}

fn churn_max() -> f64 {
    50.0
}

fn churn_std() -> f64 {
    1.003
}

fn log_snr_min() -> f64 {
    -10.0
}

fn log_snr_max() -> f64 {
    10.0
}

fn karras_rho() -> f64 {
    7.0
}

fn karras_min() -> f64 {
    0.002
}

fn karras_max() -> f64 {
    80.0
}
