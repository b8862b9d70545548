//! Recipes: what to train, as typed in TOML.

use anyhow::Result;
use flow_nn::FourierFeatures;
use flow_train::{AdamW, Decay, Ema};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::exit::usage;

/// A recipe: data, network, path, training, sampling and scores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recipe {
    pub(crate) name: String,
    pub(crate) about: String,
    #[serde(default)]
    pub(crate) seed: u64,
    pub(crate) data: Data,
    pub(crate) network: Network,
    #[serde(default)]
    pub(crate) path: Path,
    pub(crate) train: Train,
    #[serde(default)]
    pub(crate) optimizer: AdamW,
    #[serde(default)]
    pub(crate) ema: Ema,
    #[serde(default)]
    pub(crate) sample: Sample,
    #[serde(default)]
    pub(crate) eval: Eval,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Data {
    pub(crate) set: String,
    #[serde(default)]
    pub(crate) conditional: bool,
    #[serde(default)]
    pub(crate) mirror: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Network {
    Mlp {
        hidden: usize,
        depth: usize,
        time_features: usize,
        fourier: FourierFeatures,
    },
    Unet {
        channels: usize,
        multipliers: Vec<usize>,
        blocks: usize,
        attention: Vec<usize>,
        head_channels: usize,
        groups: usize,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Path {
    pub(crate) schedule: Schedule,
    pub(crate) prediction: Prediction,
    pub(crate) times: Times,
    pub(crate) coupling: Coupling,
    pub(crate) label_drop: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Schedule {
    Linear { sigma_min: f64 },
    Vp { beta_min: f64, beta_max: f64 },
    Ve { sigma_min: f64, sigma_max: f64 },
    Cosine,
}

impl Default for Schedule {
    fn default() -> Self {
        Self::Linear { sigma_min: 0.0 }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Prediction {
    #[default]
    Velocity,
    Data,
    Noise,
    Score,
    V,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Times {
    #[default]
    Uniform,
    LogitNormal {
        mean: f64,
        std: f64,
    },
    Stratified,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Coupling {
    #[default]
    Independent,
    Ot,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Train {
    pub(crate) images: f64,
    pub(crate) batch: usize,
    pub(crate) learning_rate: f64,
    #[serde(default)]
    pub(crate) warmup_images: f64,
    #[serde(default)]
    pub(crate) decay: Decay,
    #[serde(default)]
    pub(crate) floor: f64,
    #[serde(default)]
    pub(crate) clip: Option<f64>,
    pub(crate) checkpoint_every: f64,
    #[serde(default = "validation_batches")]
    pub(crate) validation_batches: usize,
}

fn validation_batches() -> usize {
    4
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Sample {
    pub(crate) solver: String,
    pub(crate) steps: usize,
    pub(crate) rtol: f64,
    pub(crate) atol: f64,
    pub(crate) guidance: f64,
}

impl Default for Sample {
    fn default() -> Self {
        Self { solver: "dopri5".into(), steps: 20, rtol: 1e-5, atol: 1e-5, guidance: 1.0 }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Eval {
    pub(crate) n: usize,
    pub(crate) batch: usize,
    pub(crate) midpoint_steps: Vec<usize>,
}

impl Default for Eval {
    fn default() -> Self {
        Self { n: 10_000, batch: 2_000, midpoint_steps: vec![2, 5, 10] }
    }
}

impl Recipe {
    /// Reads TOML, after `key=value` changes.
    pub(crate) fn parse(text: &str, changes: &[String], origin: &str) -> Result<Self> {
        let mut table: Table = text.parse().map_err(|error: toml::de::Error| {
            let before = error.span().map_or("", |span| &text[..span.start]);
            let line = 1 + before.matches('\n').count();
            let message = error.message().trim().replace('\n', ", ");
            usage!("{origin} is no valid TOML, correct line {line}: {message}")
        })?;
        for change in changes {
            apply(&mut table, change)?;
        }
        let recipe: Self = Value::Table(table).try_into().map_err(|error: toml::de::Error| {
            usage!("{origin} is no valid recipe: {}", error.to_string().trim().replace('\n', ", "))
        })?;
        recipe.check()?;
        Ok(recipe)
    }

    /// Refuses values that cannot work.
    fn check(&self) -> Result<()> {
        let Self { train, optimizer, ema, sample, eval, path, .. } = self;
        let positive = [
            ("train.images", train.images),
            ("train.batch", train.batch as f64),
            ("train.learning_rate", train.learning_rate),
            ("train.checkpoint_every", train.checkpoint_every),
            ("train.clip", train.clip.unwrap_or(1.0)),
            ("optimizer.epsilon", optimizer.epsilon.into()),
            ("ema.half_life", ema.half_life),
            ("ema.ramp", ema.ramp),
            ("sample.steps", sample.steps as f64),
            ("sample.rtol", sample.rtol),
            ("sample.atol", sample.atol),
            ("eval.batch", eval.batch as f64),
            ("eval.midpoint_steps", eval.midpoint_steps.iter().min().map_or(1.0, |&n| n as f64)),
            ("network.fourier.wavelength", self.network.wavelength()),
        ];
        for (key, value) in positive {
            if !(value.is_finite() && 0.0 < value) {
                return Err(usage!("{key} is {value}, it must be a positive number"));
            }
        }
        let not_negative = [
            ("train.warmup_images", train.warmup_images),
            ("optimizer.weight_decay", optimizer.weight_decay.into()),
            ("sample.guidance", sample.guidance),
        ];
        for (key, value) in not_negative {
            if !(value.is_finite() && 0.0 <= value) {
                return Err(usage!("{key} is {value}, it must be zero or a positive number"));
            }
        }
        let fractions = [("path.label_drop", path.label_drop), ("train.floor", train.floor)];
        for (key, value) in fractions {
            if !(0.0..=1.0).contains(&value) {
                return Err(usage!("{key} is {value}, it must lie between 0 and 1"));
            }
        }
        for (key, beta) in [("beta1", optimizer.beta1), ("beta2", optimizer.beta2)] {
            if !(0.0..1.0).contains(&beta) {
                return Err(usage!("optimizer.{key} is {beta}, it must lie in [0, 1)"));
            }
        }
        if train.images < train.batch as f64 {
            return Err(usage!(
                "train.images is {}, less than one batch of {}, raise it or lower train.batch",
                train.images,
                train.batch
            ));
        }
        if eval.n < 2 {
            return Err(usage!("eval.n is {}, scores need at least 2 samples", eval.n));
        }
        if let Err(error) = sample.solver.parse::<flow_ode::Method>() {
            return Err(usage!("sample.solver: {error}"));
        }
        path.check()
    }

    /// Steps of the run.
    pub(crate) fn steps(&self) -> usize {
        (self.train.images / self.train.batch as f64).ceil() as usize
    }

    /// Steps between checkpoints.
    pub(crate) fn checkpoint_steps(&self) -> usize {
        ((self.train.checkpoint_every / self.train.batch as f64).ceil() as usize).max(1)
    }

    /// All values, defaults included, as TOML.
    pub(crate) fn resolved(&self) -> String {
        toml::to_string(self).expect("a recipe is made of numbers, text and tables")
    }

    /// What a checkpoint depends on, as text: two recipes that train alike share it.
    pub(crate) fn fingerprint(&self) -> String {
        let Self { seed, data, network, path, train, optimizer, ema, .. } = self;
        format!("{seed} {data:?} {network:?} {path:?} {train:?} {optimizer:?} {ema:?}")
    }
}

impl Network {
    /// Longest wavelength of the Fourier features, 1 where there are none.
    fn wavelength(&self) -> f64 {
        match self {
            Self::Mlp { fourier, .. } if 0 < fourier.octaves => fourier.wavelength,
            _ => 1.0,
        }
    }
}

impl Path {
    fn check(&self) -> Result<()> {
        if let Times::LogitNormal { mean, std } = self.times
            && !(mean.is_finite() && std.is_finite() && 0.0 < std)
        {
            return Err(usage!("path.times needs a finite mean and 0 < std, got {mean} and {std}"));
        }
        match self.schedule {
            Schedule::Linear { sigma_min } if !(0.0..1.0).contains(&sigma_min) => {
                Err(usage!("path.schedule.sigma_min is {sigma_min}, it must lie in [0, 1)"))
            }
            Schedule::Vp { beta_min, beta_max } if !(0.0 < beta_min && beta_min < beta_max) => {
                Err(usage!(
                    "path.schedule needs 0 < beta_min < beta_max, got {beta_min} and {beta_max}"
                ))
            }
            Schedule::Ve { sigma_min, sigma_max }
                if !(0.0 < sigma_min && sigma_min < sigma_max) =>
            {
                Err(usage!(
                    "path.schedule needs 0 < sigma_min < sigma_max, got {sigma_min} and {sigma_max}"
                ))
            }
            _ => Ok(()),
        }
    }
}

/// Changes `a.b.c=value` in a table.
fn apply(table: &mut Table, change: &str) -> Result<()> {
    let Some((key, value)) = change.split_once('=') else {
        return Err(usage!("`--set {change}` has no `=`, write it as key=value"));
    };
    let (key, value) = (key.trim(), value.trim());
    // What is no TOML value is text, so that quotes may be left out.
    let value = format!("value = {value}")
        .parse::<Table>()
        .ok()
        .and_then(|mut parsed| parsed.remove("value"))
        .unwrap_or_else(|| Value::String(value.to_string()));
    let mut parts: Vec<&str> = key.split('.').collect();
    let last = parts.pop().expect("split gives at least one part");
    let mut inner = table;
    for part in parts {
        inner = inner
            .entry(part)
            .or_insert_with(|| Value::Table(Table::new()))
            .as_table_mut()
            .ok_or_else(|| usage!("`--set {change}`: `{part}` is no section of the recipe"))?;
    }
    // 2e6 is a float in TOML; where the recipe has a whole number, take it as one.
    let value = match (inner.get(last), value) {
        (Some(Value::Integer(_)), Value::Float(x)) if x.fract() == 0.0 => Value::Integer(x as i64),
        (Some(Value::Float(_)), Value::Integer(x)) => Value::Float(x as f64),
        (_, value) => value,
    };
    inner.insert(last.to_string(), value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::RECIPES;

    fn debug(changes: &[&str]) -> Result<Recipe> {
        let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
        let (_, text) = RECIPES.iter().find(|(name, _)| *name == "debug").unwrap();
        Recipe::parse(text, &changes, "debug")
    }

    #[test]
    fn every_recipe_parses_under_its_own_name() {
        for (name, text) in RECIPES {
            let recipe = Recipe::parse(text, &[], name).unwrap();
            assert_eq!(recipe.name, *name);
        }
    }

    #[test]
    fn a_resolved_recipe_is_the_same_recipe() {
        for (name, text) in RECIPES {
            let recipe = Recipe::parse(text, &[], name).unwrap();
            assert_eq!(Recipe::parse(&recipe.resolved(), &[], name).unwrap(), recipe);
        }
    }

    #[test]
    fn values_can_be_changed() {
        let recipe = debug(&["train.images=2e5", "train.batch=1e2", "sample.solver=rk4"]).unwrap();
        assert_eq!(recipe.steps(), 2000);
        assert_eq!(recipe.sample.solver, "rk4");
    }

    #[test]
    fn bad_values_are_named() {
        for (change, named) in [
            ("train.imagse=3", "imagse"),
            ("train.batch=0", "train.batch"),
            ("train.learning_rate=-1", "train.learning_rate"),
            ("path.label_drop=2", "path.label_drop"),
            ("path.schedule.sigma_min=1", "sigma_min"),
            ("path.times={ kind = \"logit-normal\", mean = 0.0, std = 0.0 }", "path.times"),
            ("train.warmup_images=-1", "train.warmup_images"),
            ("optimizer.beta2=1", "optimizer.beta2"),
            ("sample.solver=rk5", "rk5"),
            ("eval.n=1", "eval.n"),
            ("eval.midpoint_steps=[2, 0]", "eval.midpoint_steps"),
            ("network.fourier.wavelength=0", "network.fourier.wavelength"),
            ("network.kind=cnn", "cnn"),
            ("train", "="),
        ] {
            let error = debug(&[change]).unwrap_err().to_string();
            assert!(error.contains(named) && !error.contains('\n'), "{change}: {error}");
        }
    }
}
