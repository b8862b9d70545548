//! Recipes: what to train, as typed in TOML. Each section is a file.

pub mod check;
mod combinations;
mod data;
mod eval;
mod following;
mod identity;
mod kept;
mod latent;
mod moments;
mod path;
mod reflow;
mod seed;
mod set;
mod train;

use flow_model::{NetworkSection, Registry, SampleConfig};
use flow_path::CouplingConfig;
use flow_path::config::plain;
use flow_train::{AdamW, Ema, Pairs};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::error::{RunError, usage};
use check::{not_negative, positive};
pub use data::{Data, Layout, Scaling};
pub(crate) use data::{RECORDS, is_records};
pub use eval::{Eval, FEWEST_SAMPLES};
use following::Named;
pub use identity::flat;
pub use latent::Latent;
pub use moments::Moments;
pub use path::{Normal, Path, Shift, Source, Toy};
pub use reflow::Reflow;
pub use train::Train;

/// A recipe: data, network, path, training, sampling and scores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Its name, which folders of runs end in.
    pub name: String,
    /// What it is, in a line.
    pub about: String,
    /// Seed of the weights, the data order and all noise.
    #[serde(default, with = "seed")]
    pub seed: u64,
    /// What to learn from.
    pub data: Data,
    /// What learns.
    pub network: NetworkSection,
    /// A latent that velocities depend on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latent: Option<Latent>,
    /// The run whose flow makes the pairs, in place of noise and data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reflow: Option<Reflow>,
    /// What is regressed.
    #[serde(default)]
    pub path: Path,
    /// How long and how fast to learn.
    pub train: Train,
    /// How a step follows from a gradient.
    #[serde(default)]
    pub optimizer: AdamW,
    /// The moving average of the weights.
    #[serde(default)]
    pub ema: Ema,
    /// How to sample.
    #[serde(default)]
    pub sample: SampleConfig,
    /// What to score.
    #[serde(default)]
    pub eval: Eval,
}

impl Recipe {
    /// Reads TOML, after `key=value` changes; its network is one of the registry. Errors name the
    /// text by its `origin`.
    ///
    /// # Errors
    /// When it is no TOML, no recipe, or one that cannot work.
    pub fn parse(
        registry: &Registry,
        text: &str,
        changes: &[String],
        origin: &str,
    ) -> Result<Self, RunError> {
        let own: Table = text.parse().map_err(|error: toml::de::Error| {
            let before = error.span().map_or("", |span| &text[..span.start]);
            let line = 1 + before.matches('\n').count();
            let message = error.message().trim().replace('\n', ", ");
            usage!("{origin} is no valid TOML, correct line {line}: {message}")
        })?;
        let mut table = own.clone();
        if !changes.is_empty() {
            table = with_defaults(table, registry);
            set::apply(&mut table, changes)?;
        }
        let mut recipe: Self =
            Value::Table(table).try_into().map_err(|error: toml::de::Error| {
                usage!(
                    "{origin} is no valid recipe: {}",
                    plain(error.to_string().trim()).replace('\n', ", ")
                )
            })?;
        recipe.network = recipe
            .network
            .known_to(registry)
            .map_err(|error| usage!("{origin} is no valid recipe: {error}"))?;
        Named::of(&own, changes)?.fill(&mut recipe)?;
        recipe.check()?;
        Ok(recipe)
    }

    /// Refuses values that cannot work.
    fn check(&self) -> Result<(), RunError> {
        let Self { data, latent, reflow, path, train, optimizer, ema, sample, eval, .. } = self;
        positive(&[
            ("optimizer.epsilon", optimizer.epsilon.into()),
            ("ema.half_life", ema.half_life),
            ("ema.ramp", ema.ramp),
        ])?;
        not_negative(&[("optimizer.weight_decay", optimizer.weight_decay.into())])?;
        for (key, beta) in [("beta1", optimizer.beta1), ("beta2", optimizer.beta2)] {
            if !(0.0..1.0).contains(&beta) {
                return Err(usage!("optimizer.{key} is {beta}, it must lie in [0, 1)"));
            }
        }
        check::name("name", &self.name)?;
        if path.within_classes && !data.conditional {
            return Err(usage!("path.within_classes is true, but data.conditional is false"));
        }
        data.check(reflow.is_some())?;
        if data.is_given_starts() {
            self.check_data_to_data()?;
        }
        if data.upsample.is_some() && (reflow.is_some() || latent.is_some()) {
            return Err(usage!(
                "data.upsample goes neither with reflow nor with a latent, leave one of them out"
            ));
        }
        if let Some(latent) = latent {
            latent.check()?;
        }
        match (reflow, &path.coupling) {
            (Some(reflow), _) => reflow.check(self)?,
            (None, CouplingConfig::Paired(_)) if !data.pairs => {
                return Err(usage!(
                    "path.coupling is paired, but these data are no pairs: name the run that makes \
                     some, reflow.run=RUN and reflow.pairs=N, or the file of the rows that paths \
                     start from, data.from=FILE and data.pairs=true, or choose another coupling"
                ));
            }
            (None, _) => {}
        }
        path.check()?;
        train.check()?;
        sample.check().map_err(|error| usage!("{error}"))?;
        self.check_sampling(sample)?;
        if !path.learns_without_class() && data.conditional && sample.is_guided() {
            return Err(usage!(
                "sample.guidance is {}, but path.label_drop is 0, so that the model never learns \
                 to do without the class: guidance needs path.label_drop above 0 or --guide-with; \
                 set path.label_drop=0.1, or sample.guidance=1",
                sample.guidance
            ));
        }
        self.check_map()?;
        self.check_lines()?;
        self.check_baked()?;
        eval.check()
    }

    /// Whether the coupling makes the starts that a condition meets others than samples start from,
    /// so that a conditional model is biased; but for starts that are data with that condition.
    #[must_use]
    pub fn coupling_biases(&self) -> bool {
        let Self { data, path, .. } = self;
        path.coupling.looks_at_values()
            && ((data.conditional && !path.within_classes)
                || (!data.given.is_empty() && !path.coupling.needs_vectors()))
    }

    /// Whether rows of a table that lack some of what is learned are learned from: by `data.holes`,
    /// for the velocity of paths that start from noise. A flow map would be asked where nothing is
    /// known, a coupling would compare zeros with noise, and a latent would read them.
    #[must_use]
    pub fn learns_holes(&self) -> bool {
        let Self { data, latent, path, train, reflow, .. } = self;
        let plain = latent.is_none() && reflow.is_none() && train.guidance.is_none();
        data.is_table()
            && data.holes
            && plain
            && !data.is_given_starts()
            && !path.coupling.looks_at_values()
            && self.pairs().is_none()
    }

    /// The law of the two times of a flow map; nothing for losses of one time.
    #[must_use]
    pub fn pairs(&self) -> Option<Pairs> {
        self.train.loss().pairs()
    }

    /// Steps of the run.
    #[must_use]
    pub fn steps(&self) -> usize {
        (self.train.images / self.train.batch as f64).ceil() as usize
    }

    /// Steps between checkpoints.
    #[must_use]
    pub fn checkpoint_steps(&self) -> usize {
        ((self.train.checkpoint_every / self.train.batch as f64).ceil() as usize).max(1)
    }

    /// Steps after which there is a checkpoint besides, by `train.checkpoints`.
    #[must_use]
    pub fn moments(&self) -> Vec<usize> {
        self.train.checkpoints.steps(self.steps())
    }

    /// All values, defaults included, as TOML.
    ///
    /// # Panics
    /// Never: a recipe is made of numbers, text and tables.
    #[must_use]
    pub fn resolved(&self) -> String {
        toml::to_string(self).expect("a recipe is made of numbers, text and tables")
    }
}

/// A recipe with the values that it leaves out, so that each can be changed by its key and keeps
/// its type.
fn with_defaults(table: Table, registry: &Registry) -> Table {
    let whole = Value::Table(table.clone()).try_into::<Recipe>().ok().and_then(|mut recipe| {
        recipe.network = recipe.network.known_to(registry).ok()?;
        Table::try_from(recipe).ok()
    });
    // What is wrong with it is said once the changes are made.
    whole.unwrap_or(table)
}

#[cfg(test)]
mod numbers;

#[cfg(test)]
mod tests {
    use flow_path::SinkhornPlan;

    use super::*;
    use crate::recipes::RECIPES;

    fn debug(changes: &[&str]) -> Result<Recipe, RunError> {
        let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
        Recipe::named(&Registry::default(), "debug", &changes)
    }

    fn read(text: &str, name: &str) -> Result<Recipe, RunError> {
        Recipe::parse(&Registry::default(), text, &[], name)
    }

    #[test]
    fn every_recipe_parses_under_its_own_name() {
        for (name, text) in RECIPES {
            let recipe = read(text, name).unwrap();
            assert_eq!(recipe.name, *name);
        }
    }

    #[test]
    fn whole_numbers_of_tables_are_spread_unless_it_is_denied() {
        let spread = |name: &str, changes: &[&str]| {
            let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
            let recipe = Recipe::named(&Registry::default(), name, &changes).unwrap();
            // What is written down says so, whatever a later program takes for the default.
            assert_eq!(read(&recipe.resolved(), name).unwrap(), recipe);
            recipe.data.dequantise
        };
        assert!(spread("table", &[]) && spread("posterior", &["seed=3"]));
        assert!(!spread("table", &["data.dequantise=false"]));
        assert!(!spread("table", &["data.from=a.csv"]) && !spread("digits", &["seed=3"]));
        assert!(spread("digits", &["data.dequantise=true"]));
    }

    #[test]
    fn a_resolved_recipe_is_the_same_recipe() {
        for (name, text) in RECIPES {
            let recipe = read(text, name).unwrap();
            assert_eq!(read(&recipe.resolved(), name).unwrap(), recipe);
        }
    }

    #[test]
    fn values_can_be_changed() {
        let recipe = debug(&["train.images=2e5", "train.batch=1e2", "sample.solver=rk4"]).unwrap();
        assert_eq!(recipe.steps(), 2000);
        assert_eq!(recipe.sample.solver, "rk4");
    }

    #[test]
    fn none_takes_the_bound_of_the_gradient_out_of_a_recipe() {
        let recipe = debug(&["train.clip=1", "train.clip=none"]).unwrap();
        assert_eq!(recipe.train.clip, None);
        assert_eq!(read(&recipe.resolved(), "debug").unwrap(), recipe);
        let error = debug(&["train.clip=never"]).unwrap_err().to_string();
        assert!(error.contains("`none`"), "{error}");
    }

    #[test]
    fn checkpoints_by_fractions_are_kept_in_the_recipe_as_numbers() {
        let recipe = debug(&["train.checkpoints=log"]).unwrap();
        assert_eq!(recipe.moments(), [1, 2, 4, 10, 20, 40, 100, 200]);
        assert_eq!(read(&recipe.resolved(), "debug").unwrap(), recipe);
    }

    #[test]
    fn every_seed_of_64_bits_is_kept() {
        for seed in [0, 1 << 53, (1 << 63) - 1, 1 << 63, u64::MAX] {
            let recipe = debug(&[&format!("seed={seed}")]).unwrap();
            assert_eq!(recipe.seed, seed);
            assert_eq!(read(&recipe.resolved(), "debug").unwrap(), recipe);
        }
        for seed in ["-1", "18446744073709551616", "1.5", "many"] {
            let error = debug(&[&format!("seed={seed}")]).unwrap_err().to_string();
            assert!(error.contains("seed") && error.contains("18446744073709551615"), "{error}");
        }
    }

    #[test]
    fn a_key_that_the_recipe_leaves_out_has_its_default_and_type() {
        let left_out = ["path.coupling.kind=sinkhorn", "path.coupling.epsilon=1"];
        let recipe = debug(&left_out).unwrap();
        let plan = SinkhornPlan { epsilon: 1.0, replace: false };
        assert_eq!(recipe.path.coupling, CouplingConfig::Sinkhorn(plan));
        assert_eq!(debug(&["eval.error_n=1e3"]).unwrap().eval.error_n, 1000);
        assert!(debug(&["path.schedule.sigma_min=0.25"]).is_ok());
    }

    #[test]
    fn a_preset_gives_the_sizes_of_a_network_and_what_stands_beside_it_comes_first() {
        let dit = |changes: &[&str]| {
            let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
            let recipe = Recipe::named(&Registry::default(), "digits-dit", &changes)?;
            let table = recipe.network.table().clone();
            assert!(!table.contains_key("preset") && table["kind"].as_str() == Some("dit"));
            let keys = ["hidden", "depth", "heads", "patch"];
            Ok::<_, RunError>(keys.map(|key| table[key].as_integer().unwrap()))
        };
        // The sizes of table 1 of the paper, over those of the recipe.
        let small = dit(&["network.preset=S"]).unwrap();
        assert_eq!(small, [384, 12, 6, 2]);
        assert_eq!(dit(&["network.patch=4", "network.preset=B"]).unwrap(), [768, 12, 12, 4]);
        assert_eq!(dit(&["network.preset=L"]).unwrap(), [1024, 24, 16, 2]);
        let whole = "network={kind=\"dit\", preset=\"XL\", patch=2, depth=3}";
        assert_eq!(dit(&[whole]).unwrap(), [1152, 3, 16, 2]);
        let unknown = dit(&["network.preset=M"]).unwrap_err().to_string();
        assert!(unknown.contains("use one of S, B, L, XL"), "{unknown}");
        let none = debug(&["network.preset=S"]).unwrap_err().to_string();
        assert!(none.contains("mlp: network.preset is given"), "{none}");
    }

    #[test]
    fn losses_that_take_differences_refuse_rounded_products() {
        let of = |objective: &str| {
            let changes = [format!("train.objective={objective}"), "train.precision=bf16".into()];
            Recipe::named(&Registry::default(), "two-moons", &changes)
        };
        for objective in ["meanflow", "lsd"] {
            let error = of(objective).unwrap_err().to_string();
            assert!(error.contains(objective) && error.contains("train.precision"), "{error}");
        }
        for objective in ["regression", "shortcut"] {
            let recipe = of(objective).unwrap();
            assert_eq!(recipe.train.precision, flow_nn::Precision::Bf16);
            assert_eq!(read(&recipe.resolved(), "two-moons").unwrap(), recipe);
        }
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
            ("train.precision=f16", "bf16"),
            ("optimizer.beta2=1", "optimizer.beta2"),
            ("data.dequantise=true", "data.dequantise"),
            ("sample.solver=rk5", "rk5"),
            ("eval.n=1", "eval.n"),
            ("eval.steps.midpoint=[2, 0]", "eval.steps.midpoint"),
            ("eval.steps.rk5=[2]", "eval.steps"),
            ("eval.error_n=1", "eval.error_n"),
            ("network.fourier.wavelength=0", "network.fourier.wavelength"),
            ("network.kind=cnn", "cnn"),
            ("train", "="),
        ] {
            let error = debug(&[change]).unwrap_err().to_string();
            assert!(error.contains(named) && !error.contains('\n'), "{change}: {error}");
        }
    }
}
