//! Values that a recipe leaves out and that follow from other keys, filled in once all changes are made.

use flow_model::SampleConfig;
use flow_nn::{DitConfig, MlpConfig, NetworkConfig, UNetConfig};
use flow_sample::{FlowMap, SamplerConfig};
use flow_train::{LARGEST_TIME_SCALE, ObjectiveConfig, SMOOTH_TIME_SCALE};
use toml::{Table, Value};

use super::{Recipe, set};
use crate::error::{RunError, usage};

/// The keys that a recipe and the changes to it name, as opposed to those left to their defaults.
pub(super) struct Named {
    /// Those of the recipe with its changes.
    all: Table,
    /// The same, if the recipe itself names a loss of flow maps; else those of the changes alone. A
    /// way of sampling that was named beside a loss of velocities is not meant for jumps.
    beside_loss: Table,
}

impl Named {
    pub(super) fn of(recipe: &Table, changes: &[String]) -> Result<Self, RunError> {
        let changed = |mut table: Table| set::apply(&mut table, changes).map(|()| table);
        let all = changed(recipe.clone())?;
        let beside_loss = if jumps(recipe) { all.clone() } else { changed(Table::new())? };
        Ok(Self { all, beside_loss })
    }

    /// Fills in what follows: pairs within classes, the sampler of a loss of flow maps, and a network
    /// that is smooth enough for losses that differentiate it.
    ///
    /// # Errors
    /// When the network is named and is not smooth enough.
    pub(super) fn fill(&self, recipe: &mut Recipe) -> Result<(), RunError> {
        if at(&self.all, &["path", "within_classes"]).is_none() {
            let Recipe { data, path, .. } = recipe;
            path.within_classes = data.conditional && path.coupling.looks_at_values();
        }
        if recipe.pairs().is_some() {
            self.jump(&mut recipe.sample);
            self.smooth(recipe)?;
        }
        Ok(())
    }

    /// A model that learns jumps is sampled by one of them, unless the recipe says otherwise.
    fn jump(&self, sample: &mut SampleConfig) {
        let named = |key| at(&self.beside_loss, &["sample", key]).is_some();
        if !named("sampler") {
            sample.sampler = SamplerConfig::FlowMap(FlowMap::default());
        }
        if !matches!(sample.sampler, SamplerConfig::FlowMap(_)) {
            return;
        }
        let usual = SampleConfig { steps: 1, ..SampleConfig::default() };
        if !named("steps") {
            sample.steps = usual.steps;
        }
        if !named("grid") {
            sample.grid = usual.grid;
        }
        if !named("shift") {
            sample.shift = usual.shift;
        }
    }

    /// A loss that differentiates the network by its times takes a slow one, unless the recipe names
    /// another that will do.
    fn smooth(&self, recipe: &mut Recipe) -> Result<(), RunError> {
        if !recipe.train.objective.build().differentiates() {
            return Ok(());
        }
        let Some(keys) = fastest(recipe.network.kind()) else { return Ok(()) };
        let radians = at(recipe.network.table(), keys).and_then(number);
        // Sections leave out the usual scale, which is far too large.
        if radians.is_some_and(|radians| radians <= f64::from(LARGEST_TIME_SCALE)) {
            return Ok(());
        }
        let named = [&["network"], keys].concat();
        if let Some(given) = at(&self.all, &named) {
            let key = named.join(".");
            return Err(usage!(
                "train.objective is {}, which differentiates the network by its times: {key} is \
                 {given}, with which that diverges, it must be at most {LARGEST_TIME_SCALE}; leave \
                 it out or set {key}={SMOOTH_TIME_SCALE}",
                recipe.train.objective
            ));
        }
        let slower = match *keys {
            [band, key] => {
                let band = (band, at(recipe.network.table(), &[band]).and_then(Value::as_table));
                let mut slow = band.1.cloned().unwrap_or_default();
                slow.insert(key.into(), f64::from(SMOOTH_TIME_SCALE).into());
                recipe.network.with(band.0, slow)
            }
            _ => recipe.network.with(keys[0], i64::from(SMOOTH_TIME_SCALE)),
        };
        recipe.network = slower.map_err(|error| usage!("{error}"))?;
        Ok(())
    }
}

/// The key of a section `network` that says how many radians a time spans at most, where the kind
/// has one.
fn fastest(kind: &str) -> Option<&'static [&'static str]> {
    match kind {
        MlpConfig::KIND | UNetConfig::KIND => Some(&["time_scale"]),
        DitConfig::KIND => Some(&["time", "highest"]),
        _ => None,
    }
}

/// Whether a recipe names a loss of flow maps.
fn jumps(recipe: &Table) -> bool {
    let objective = at(recipe, &["train", "objective"]).cloned();
    let objective = objective.and_then(|loss| loss.try_into::<ObjectiveConfig>().ok());
    objective.is_some_and(|loss| loss.build().pairs().is_some())
}

/// What stands at a key, in sections within sections.
fn at<'a>(table: &'a Table, keys: &[&str]) -> Option<&'a Value> {
    let (last, sections) = keys.split_last()?;
    let table = sections.iter().try_fold(table, |table, section| table.get(*section)?.as_table());
    table?.get(*last)
}

fn number(value: &Value) -> Option<f64> {
    value.as_float().or_else(|| value.as_integer().map(|number| number as f64))
}
