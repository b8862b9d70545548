//! Loss weights as functions of the log signal-to-noise ratio.

use std::f64::consts::PI;

use crate::config::{Check, finite, positive};
use crate::{Coefficients, PathError, Prediction, choices};

/// A weighting `w(lambda)` of the noise-prediction error over log signal-to-noise ratios.
///
/// Every recipe (a schedule, a law of time, a prediction and a factor on its squared error)
/// minimises `int w(lambda) E|noise_error|^2 dlambda` for one `w`, whatever its schedule; recipes
/// of equal `w` differ only in the variance of their gradients.
///
/// # Reference
/// Kingma & Gao (2023), "Understanding Diffusion Objectives as the ELBO with Simple Data
/// Augmentation", arXiv:2303.00848; Gao et al. (2024), "Diffusion Meets Flow Matching".
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Weighting {
    /// `w = 1`: the evidence lower bound, up to the factor 1/2.
    Likelihood,
    /// Flow matching on the linear schedule with uniform time: `e^{-lambda/2} / 2`.
    FlowMatching,
    /// v-prediction on the cosine schedule with uniform time: `e^{-lambda/2} / pi`.
    VCosine,
    /// Noise prediction on the cosine schedule with uniform time: `1 / (2 pi cosh(lambda/2))`.
    NoiseCosine,
    /// EDM's: `N(lambda; -2 mean, 4 std^2) (e^{-lambda} + sigma_data^2) / sigma_data^2`.
    Edm {
        /// Mean of the log noise level.
        mean: f64,
        /// Standard deviation of the log noise level.
        std: f64,
        /// Standard deviation of the data.
        sigma_data: f64,
    },
    /// Flow matching on the linear schedule with logit-normal time:
    /// `N(lambda; 2 mean, 4 std^2) (1 + e^{-lambda/2})^2`.
    LogitNormal {
        /// Mean of the logit of `t`.
        mean: f64,
        /// Standard deviation of the logit of `t`.
        std: f64,
    },
    /// Sigmoid weighting `1 / (1 + e^{lambda - bias})` of Kingma & Gao (2023).
    Sigmoid {
        /// The log signal-to-noise ratio at which the weight is one half.
        bias: f64,
    },
}

choices! {
    impl Weighting {
        /// the evidence lower bound
        "likelihood" => Likelihood,
        /// that of the linear schedule at uniform times
        "flow-matching" => FlowMatching,
        /// that of v on the cosine schedule
        "v-cosine" => VCosine,
        /// that of noise on the cosine schedule
        "noise-cosine" => NoiseCosine,
        /// that of EDM
        "edm" => Edm { mean = -1.2, std = 1.2, sigma_data = 0.5 },
        /// that of flow matching at logit-normal times
        "logit-normal" => LogitNormal { mean = 0.0, std = 1.0 },
        /// a sigmoid of the log signal-to-noise ratio
        "sigmoid" => Sigmoid { bias = 0.0 },
    }
}

impl Check for Weighting {
    fn check(&self) -> Result<(), PathError> {
        match *self {
            Self::Edm { mean, std, sigma_data } => {
                finite("mean", mean)?;
                positive("std", std)?;
                positive("sigma_data", sigma_data)
            }
            Self::LogitNormal { mean, std } => {
                finite("mean", mean)?;
                positive("std", std)
            }
            Self::Sigmoid { bias } => finite("bias", bias),
            _ => Ok(()),
        }
    }
}

impl Weighting {
    /// `w(lambda)`; NaN gives NaN, and an infinite ratio the limit, which may be infinite or NaN.
    #[must_use]
    pub fn at(self, log_snr: f64) -> f64 {
        let noise_level = (-0.5 * log_snr).exp();
        match self {
            Self::Likelihood => 1.0,
            Self::FlowMatching => 0.5 * noise_level,
            Self::VCosine => noise_level / PI,
            Self::NoiseCosine => 1.0 / (2.0 * PI * (0.5 * log_snr).cosh()),
            Self::Edm { mean, std, sigma_data } => {
                let relative = noise_level / sigma_data;
                normal_density(log_snr, -2.0 * mean, 2.0 * std) * (relative * relative + 1.0)
            }
            Self::LogitNormal { mean, std } => {
                normal_density(log_snr, 2.0 * mean, 2.0 * std) * (1.0 + noise_level).powi(2)
            }
            Self::Sigmoid { bias } => 1.0 / (1.0 + (log_snr - bias).exp()),
        }
    }
}

/// A factor on the squared error of a prediction, as a function of time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum LossWeight {
    /// One: the squared error as it is.
    #[default]
    Unit,
    /// `sigma^2`: score matching of Song & Ermon (2019), "Generative Modeling by Estimating
    /// Gradients of the Data Distribution", arXiv:1907.05600; on the score it equals noise
    /// matching.
    Variance,
    /// `g^2 = 2 sigma D / alpha`: on the score a bound of the likelihood, ScoreFlow of Song,
    /// Durkan, Murray & Ermon (2021), "Maximum Likelihood Training of Score-Based Diffusion
    /// Models", arXiv:2101.09258.
    Diffusion,
    /// Whatever makes the loss that of a weighting over log signal-to-noise ratios.
    LogSnr(Weighting),
}

choices! {
    impl LossWeight {
        /// the squared error as it is
        "unit" => Unit,
        /// sigma^2: with the score, score matching
        "variance" => Variance,
        /// g^2: with the score, ScoreFlow
        "diffusion" => Diffusion,
        _ => LogSnr(Weighting),
    }
}

impl Check for LossWeight {
    fn check(&self) -> Result<(), PathError> {
        if let Self::LogSnr(weighting) = self { weighting.check() } else { Ok(()) }
    }
}

impl LossWeight {
    /// The factor on the squared error of `prediction`, where times are drawn with `density`.
    ///
    /// Finite where the log signal-to-noise ratio is, for a positive density: laws of time do not
    /// draw the ends, at which it may be infinite or NaN.
    #[must_use]
    pub fn at(self, prediction: Prediction, c: &Coefficients, density: f64) -> f64 {
        match self {
            Self::Unit => 1.0,
            Self::Variance => c.sigma * c.sigma,
            Self::Diffusion => c.noising_sde().diffusion_squared,
            Self::LogSnr(weighting) => {
                let to_noise = prediction.error_factor(Prediction::Noise, c);
                weighting.at(c.log_snr()) * c.d_log_snr() * to_noise / density
            }
        }
    }

    /// The weighting `w(lambda)` that a recipe amounts to: the inverse of [`LossWeight::LogSnr`].
    #[must_use]
    pub fn implied_weighting(self, prediction: Prediction, c: &Coefficients, density: f64) -> f64 {
        let from_noise = Prediction::Noise.error_factor(prediction, c);
        self.at(prediction, c, density) * density * from_noise / c.d_log_snr()
    }
}

fn normal_density(x: f64, mean: f64, std: f64) -> f64 {
    (-0.5 * ((x - mean) / std).powi(2)).exp() / (std * (2.0 * PI).sqrt())
}
