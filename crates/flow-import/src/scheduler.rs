//! Along which diffusion a network of diffusers was trained, and what it gives: the configuration
//! of its scheduler.
//!
//! With the rates `beta_k` of the `N = 1000` steps, `alpha^2` after step `k` is the product of
//! `1 - beta_i` over `i <= k`. Rates from `beta_start` to `beta_end` in equal steps are, in
//! continuous time, the diffusion that preserves the variance with the rates `N beta_start` and
//! `N beta_end` (Song et al. 2021, arXiv:2011.13456, appendix B). Those of `squaredcos_cap_v2` are
//! the ratios of the cosine of Nichol & Dhariwal (2021), arXiv:2102.09672, equation 17, themselves.

use std::path::{Path, PathBuf};

use flow_model::ModelConfig;
use flow_path::{NicholDhariwal, Prediction, ScheduleConfig, VariancePreserving};
use serde::Deserialize;
use serde_json::Value;

use crate::error::ImportError;
use crate::known::{Others, json};

/// Steps of the clock that the networks of diffusers count by.
const STEPS: usize = 1000;

/// Where a folder of diffusers has the configuration of the scheduler.
const FILES: [&str; 2] = ["scheduler/scheduler_config.json", "scheduler_config.json"];

/// The keys that may stand beside those of a network.
const KEYS: [&str; 7] = [
    "prediction_type",
    "beta_schedule",
    "beta_start",
    "beta_end",
    "num_train_timesteps",
    "trained_betas",
    "rescale_betas_zero_snr",
];

/// The keys of a scheduler that training depends on; the others say how it samples.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Scheduler {
    prediction_type: String,
    beta_schedule: String,
    beta_start: f64,
    beta_end: f64,
    num_train_timesteps: usize,
    trained_betas: Option<Value>,
    rescale_betas_zero_snr: bool,
    #[serde(skip)]
    from: String,
}

impl Default for Scheduler {
    /// What diffusers takes where nobody says anything, and most networks are trained by.
    fn default() -> Self {
        Self {
            prediction_type: "epsilon".into(),
            beta_schedule: "linear".into(),
            beta_start: 1e-4,
            beta_end: 0.02,
            num_train_timesteps: STEPS,
            trained_betas: None,
            rescale_betas_zero_snr: false,
            from: String::new(),
        }
    }
}

impl Scheduler {
    /// That of a folder; else what the keys beside those of the network say, which are taken out;
    /// else the usual one.
    pub(crate) fn find(config: &Path, beside: &mut Others) -> Result<Self, ImportError> {
        let said: Others = KEYS
            .iter()
            .filter_map(|key| beside.remove_entry(*key))
            .filter(|(_, value)| !value.is_null())
            .collect();
        let file: Option<PathBuf> =
            FILES.iter().map(|file| config.join(file)).find(|file| file.is_file());
        let Some(file) = file else {
            // The number of steps alone tells nothing of them.
            let tells = said.keys().any(|key| key != "num_train_timesteps");
            let from = if tells { config.display().to_string() } else { String::new() };
            return Self::read(said, config, from);
        };
        let all: Others = json(&file)?;
        if !all.contains_key("beta_schedule") {
            let reason = "it has no beta_schedule, as the scheduler of a diffusion has".into();
            return Err(ImportError::Config { path: file, reason });
        }
        let known = |(key, value): &(String, Value)| KEYS.contains(&&**key) && !value.is_null();
        Self::read(all.into_iter().filter(known).collect(), &file, file.display().to_string())
    }

    fn read(keys: Others, path: &Path, from: String) -> Result<Self, ImportError> {
        let read: Result<Self, _> = serde_json::from_value(keys.into_iter().collect());
        let broken = |reason| ImportError::Config { path: path.into(), reason };
        Ok(Self { from, ..read.map_err(|error| broken(error.to_string()))? })
    }

    /// Writes what the network gives, and along which schedule, into its description.
    pub(crate) fn describe(
        &self,
        family: &'static str,
        config: &mut ModelConfig,
    ) -> Result<(), ImportError> {
        let refuse =
            |key, value: String, need| Err(ImportError::Unsupported { family, key, value, need });
        if self.num_train_timesteps != STEPS {
            return refuse("num_train_timesteps", self.num_train_timesteps.to_string(), "1000");
        }
        if self.trained_betas.is_some() {
            return refuse("trained_betas", "[..]".into(), "null");
        }
        if self.rescale_betas_zero_snr {
            return refuse("rescale_betas_zero_snr", "true".into(), "false");
        }
        config.prediction = match self.prediction_type.as_str() {
            "epsilon" => Prediction::Noise,
            "sample" => Prediction::Data,
            "v_prediction" => Prediction::V,
            other => {
                let need = "epsilon, sample or v_prediction";
                return refuse("prediction_type", other.into(), need);
            }
        };
        let steps = STEPS as f64;
        config.schedule = match self.beta_schedule.as_str() {
            "linear" => {
                for (key, rate) in [("beta_start", self.beta_start), ("beta_end", self.beta_end)] {
                    if !(0.0 < rate && rate < 1.0) {
                        return refuse(key, rate.to_string(), "between 0 and 1");
                    }
                }
                ScheduleConfig::Vp(VariancePreserving {
                    beta_min: steps * self.beta_start,
                    beta_max: steps * self.beta_end,
                })
            }
            "squaredcos_cap_v2" => ScheduleConfig::NicholDhariwal(NicholDhariwal::default()),
            other => {
                let need = "linear or squaredcos_cap_v2";
                return refuse("beta_schedule", other.into(), need);
            }
        };
        Ok(())
    }

    /// What was read and where, or that it was assumed.
    pub(crate) fn note(&self) -> String {
        let Self { prediction_type, beta_schedule, beta_start, beta_end, from, .. } = self;
        let rates = match beta_schedule.as_str() {
            "linear" => format!("linear from {beta_start} to {beta_end}"),
            other => other.to_owned(),
        };
        let said = format!("it gives {prediction_type}, along rates that are {rates}");
        if from.is_empty() {
            format!(
                "nothing says how it was trained: {said} is assumed; name its folder with --config \
                 to have the file of its scheduler read, or write prediction_type and \
                 beta_schedule into the file of its configuration"
            )
        } else {
            format!("{said}, as {from} says")
        }
    }
}

#[cfg(test)]
mod tests {
    use flow_nn::Signature;
    use flow_path::Schedule;
    use toml::Table;

    use super::*;

    /// The product of `1 - beta` up to a step, as diffusers computes it.
    fn product(beta: impl Fn(usize) -> f64, step: usize) -> f64 {
        (0..=step).map(|k| 1.0 - beta(k)).product()
    }

    fn described(text: &str) -> Result<ModelConfig, String> {
        let keys: Others = serde_json::from_str(text).unwrap();
        let scheduler = Scheduler::read(keys, Path::new("a.json"), String::new()).unwrap();
        let mut config = ModelConfig::new(Signature::of([2]), Table::new());
        scheduler.describe("diffusers-dit", &mut config).map_err(|error| error.to_string())?;
        Ok(config)
    }

    /// At our time `(999 - k) / 1000`, to the error of one step of a thousand.
    fn check(text: &str, beta: impl Fn(usize) -> f64) {
        let schedule = described(text).unwrap().schedule.build();
        for step in [0, 10, 250, 500, 900] {
            let alpha = schedule.at((999 - step) as f64 / 1000.0).alpha;
            let expected = product(&beta, step).sqrt();
            assert!((alpha - expected).abs() < 2e-3, "{text}, step {step}: {alpha} {expected}");
        }
    }

    #[test]
    fn the_schedules_are_those_of_the_rates() {
        let linear = |from: f64, to: f64| move |k| from + (to - from) * k as f64 / 999.0;
        check("{}", linear(1e-4, 0.02));
        check(r#"{"beta_start": 0.0015, "beta_end": 0.0195}"#, linear(0.0015, 0.0195));
        let cosine = |k: f64| ((k / 1000.0 + 0.008) / 1.008 * std::f64::consts::FRAC_PI_2).cos();
        check(r#"{"beta_schedule": "squaredcos_cap_v2"}"#, |k| {
            (1.0 - (cosine(k as f64 + 1.0) / cosine(k as f64)).powi(2)).min(0.999)
        });
    }

    #[test]
    fn what_a_network_gives_is_read_and_what_ours_cannot_be_is_refused() {
        let v = described(r#"{"prediction_type": "v_prediction"}"#).unwrap();
        assert_eq!(v.prediction, Prediction::V);
        let data = described(r#"{"prediction_type": "sample"}"#).unwrap();
        assert_eq!(data.prediction, Prediction::Data);
        for (text, named) in [
            (r#"{"prediction_type": "flow_prediction"}"#, "prediction_type = flow_prediction"),
            (r#"{"beta_schedule": "scaled_linear"}"#, "beta_schedule = scaled_linear"),
            (r#"{"beta_end": 1.5}"#, "beta_end = 1.5"),
            (r#"{"num_train_timesteps": 4000}"#, "num_train_timesteps = 4000"),
            (r#"{"trained_betas": [0.1]}"#, "trained_betas"),
            (r#"{"rescale_betas_zero_snr": true}"#, "rescale_betas_zero_snr = true"),
        ] {
            let error = described(text).unwrap_err();
            assert!(error.contains(named) && error.contains("it must be"), "{error}");
        }
    }
}
