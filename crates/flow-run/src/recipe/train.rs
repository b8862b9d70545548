//! Length, rate and batches of training: the section `train`.

use std::sync::Arc;

use flow_nn::{Precision, Strengths};
use flow_path::TimesConfig;
use flow_train::{Decay, DrawBy, Jump, Keep, Objective, ObjectiveConfig, OtherPairs};
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};
use toml::Value;

use super::check::{fractions, not_negative, positive};
use super::moments::Moments;
use super::path::{representable, within_domain};
use crate::error::{RunError, usage};

/// How long and how fast to learn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Train {
    /// What a step minimises; losses of flow maps give the network a second time.
    #[serde(default, skip_serializing_if = "is_regression")]
    pub objective: ObjectiveConfig,
    /// Where the jumps of a flow map start and arrive, if not where its loss has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jumps: Option<Jump>,
    /// Law of the times of these jumps, if not that of all times, `path.times`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jump_times: Option<TimesConfig>,
    /// Strengths of guidance to bake in, one or the ends of a range: then a guided step costs one
    /// evaluation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guidance: Option<Strengths>,
    /// A run or a model whose weights it begins with, in place of random ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<String>,
    /// Images seen in all.
    pub images: f64,
    /// Images in a step.
    pub batch: usize,
    /// Equal parts of a batch, whose gradients are added one after another, or shared by processes.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub parts: usize,
    /// What is drawn and paired at once: the batch, whose rows are dealt out to the parts, or each
    /// part by itself.
    #[serde(default, skip_serializing_if = "is_by_batch")]
    pub draw: DrawBy,
    /// Whether a backward pass computes the blocks of the network again in place of keeping what is
    /// inside of them: less memory, more time, the same weights.
    #[serde(default, skip_serializing_if = "is_off")]
    pub recompute: bool,
    /// What the operands of large products are rounded to in training.
    #[serde(default, skip_serializing_if = "is_single")]
    pub precision: Precision,
    /// The largest learning rate.
    pub learning_rate: f64,
    /// Images over which it rises to that.
    #[serde(default)]
    pub warmup_images: f64,
    /// How it falls afterwards.
    #[serde(default)]
    pub decay: Decay,
    /// Fraction of the largest at which it ends.
    #[serde(default)]
    pub floor: f64,
    /// Largest norm of a gradient; longer ones are shortened to it.
    #[serde(default, deserialize_with = "number_or_none")]
    pub clip: Option<f64>,
    /// Images between checkpoints.
    pub checkpoint_every: f64,
    /// Checkpoints besides those.
    #[serde(default, skip_serializing_if = "Moments::is_empty")]
    pub checkpoints: Moments,
    /// Which checkpoint is the model: the last, or the best on the validation batches.
    #[serde(default, skip_serializing_if = "is_last")]
    pub keep: Keep,
    /// Batches of a validation.
    #[serde(default = "validation_batches")]
    pub validation_batches: usize,
}

/// Whether a recipe may leave the objective out, as those did that were made before there were
/// others.
fn is_regression(objective: &ObjectiveConfig) -> bool {
    *objective == ObjectiveConfig::default()
}

fn one() -> usize {
    1
}

/// Whether a recipe may leave the parts out, as those did that were made before there were any.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_one(parts: &usize) -> bool {
    *parts == 1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_by_batch(draw: &DrawBy) -> bool {
    *draw == DrawBy::Batch
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_off(recompute: &bool) -> bool {
    !recompute
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_single(precision: &Precision) -> bool {
    *precision == Precision::F32
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_last(keep: &Keep) -> bool {
    *keep == Keep::Last
}

/// Whole numbers above 2^53 are not all `f64`.
const MOST_IMAGES: f64 = 9_007_199_254_740_992.0;

fn validation_batches() -> usize {
    4
}

/// A number, or the word `none` for a key that a change takes out of a recipe.
fn number_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Float(number) => Ok(Some(number)),
        Value::Integer(number) => Ok(Some(number as f64)),
        Value::String(word) if word == "none" => Ok(None),
        other => Err(D::Error::custom(format!("{other} is neither a number nor `none`"))),
    }
}

impl Train {
    /// The loss, with the law of its jumps.
    #[must_use]
    pub fn loss(&self) -> Arc<dyn Objective> {
        let objective = self.objective.build();
        match (self.jumps, self.jump_times) {
            (None, None) => objective,
            (jump, times) => Arc::new(OtherPairs { objective, jump, times }),
        }
    }

    /// Refuses values that cannot work.
    pub(crate) fn check(&self) -> Result<(), RunError> {
        positive(&[
            ("train.images", self.images),
            ("train.batch", self.batch as f64),
            ("train.learning_rate", self.learning_rate),
            ("train.checkpoint_every", self.checkpoint_every),
            ("train.clip", self.clip.unwrap_or(1.0)),
        ])?;
        representable("train.objective", &self.objective)?;
        within_domain("train.objective", &self.objective)?;
        if let Some(jumps) = &self.jumps {
            within_domain("train.jumps", jumps)?;
        }
        if let Some(times) = &self.jump_times {
            representable("train.jump_times", times)?;
            within_domain("train.jump_times", times)?;
        }
        if let Some(strengths) = self.guidance
            && !strengths.are_valid()
        {
            return Err(usage!(
                "train.guidance is {strengths}: give a strength from 1 on, or two with the smaller \
                 one first, as in train.guidance=[1,4]"
            ));
        }
        not_negative(&[("train.warmup_images", self.warmup_images)])?;
        if MOST_IMAGES < self.images {
            return Err(usage!(
                "train.images is {:e}, it must be at most {MOST_IMAGES:e}: more are not told apart",
                self.images
            ));
        }
        if self.validation_batches == 0 {
            return Err(usage!("train.validation_batches is 0, a validation needs at least 1"));
        }
        fractions(&[("train.floor", self.floor)])?;
        let Self { batch, parts, .. } = *self;
        if parts == 0 || !batch.is_multiple_of(parts) {
            return Err(usage!(
                "train.parts is {parts}, it must divide train.batch, {batch}, without a rest"
            ));
        }
        if self.images < self.batch as f64 {
            return Err(usage!(
                "train.images is {}, less than one batch of {}, raise it or lower train.batch",
                self.images,
                self.batch
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use flow_model::Registry;
    use flow_path::LogitNormal;
    use flow_train::Pairs;

    use super::*;
    use crate::Recipe;

    fn debug(changes: &[&str]) -> Result<Recipe, RunError> {
        let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
        Recipe::named(&Registry::default(), "debug", &changes)
    }

    #[test]
    fn a_loss_of_jumps_takes_another_law_of_them() {
        let law = "train.jump_times=logit-normal,mean=0.5";
        let recipe = debug(&["train.objective=meanflow", "train.jumps=onward", law]).unwrap();
        let times = Some(TimesConfig::LogitNormal(LogitNormal { mean: 0.5, std: 1.0 }));
        assert_eq!(recipe.pairs(), Some(Pairs { share: 0.25, jump: Jump::Onward, times }));
        let again = Recipe::parse(&Registry::default(), &recipe.resolved(), &[], "resolved");
        assert_eq!(again.unwrap(), recipe);
        // What a recipe leaves out stays out of what is written down.
        let usual = debug(&["train.objective=meanflow"]).unwrap();
        let written: toml::Table = usual.resolved().parse().unwrap();
        assert!(["jumps", "jump_times"].iter().all(|key| written["train"].get(key).is_none()));
        assert_eq!(usual.pairs(), usual.train.objective.build().pairs());
    }

    #[test]
    fn laws_of_jumps_that_would_teach_nothing_are_refused_with_a_remedy() {
        for (changes, words) in [
            (["train.objective=regression", "train.jumps=drawn"], "has no jumps: leave them out"),
            (["train.objective=splitting", "train.jumps=to-end"], "train.jumps is to-end, but"),
            (["train.objective=shortcut", "train.jumps=drawn"], "train.jumps is drawn, but"),
            (["train.objective=shortcut", "train.jump_times=uniform"], "train.jump_times does no"),
            (["train.objective=lsd", "train.jump_times=logit-normal,std=0"], "jump_times.std is 0"),
            (["train.objective=meanflow", "train.jumps=far"], "far"),
        ] {
            let error = debug(&changes).unwrap_err().to_string();
            assert!(error.contains(words) && !error.contains('\n'), "{changes:?}: {error}");
        }
    }

    #[test]
    fn a_loss_along_straight_lines_is_refused_where_there_are_none() {
        let along = |name: &str, change: &str| {
            let changes = ["train.objective=consistency-fm", change].map(String::from);
            Recipe::named(&Registry::default(), name, &changes)
        };
        let recipe = along("debug", "train.objective.segments=3").unwrap();
        assert_eq!((recipe.pairs(), recipe.train.loss().teaches_itself()), (None, true));
        for (name, change, words) in [
            ("debug", "path.schedule=cosine", "path.schedule must be linear"),
            ("debug", "path.between=tube", "path.between must be line"),
            ("debug", "path.prediction=noise", "path.prediction must be velocity"),
            ("debug", "train.guidance=2", "train.guidance has nothing to guide"),
            ("debug", "train.jumps=drawn", "has no jumps"),
            ("vrfm-1d", "seed=1", "the section latent has a loss of its own"),
        ] {
            let error = along(name, change).unwrap_err().to_string();
            assert!(error.contains(words), "{change}: {error}");
        }
    }
}
