//! Values that a recipe leaves out and that follow from other keys, filled in once all changes are
//! made.

use flow_model::SampleConfig;
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

    /// Fills in what follows: pairs within classes, whole numbers of tables as cells, the sampler
    /// of a loss of flow maps, and a network that is smooth enough for losses that differentiate
    /// it.
    ///
    /// # Errors
    /// When the network is named and is not smooth enough.
    pub(super) fn fill(&self, recipe: &mut Recipe) -> Result<(), RunError> {
        if at(&self.all, &["path", "within_classes"]).is_none() {
            let Recipe { data, path, .. } = recipe;
            path.within_classes = data.conditional && path.coupling.looks_at_values();
        }
        if at(&self.all, &["data", "dequantise"]).is_none() {
            let Recipe { data, reflow, .. } = recipe;
            data.dequantise = data.is_table() && !data.is_given_starts() && reflow.is_none();
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
        if !sample.jumps() {
            return;
        }
        let usual = SampleConfig { steps: SampleConfig::JUMPS, ..SampleConfig::default() };
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

    /// A loss that differentiates the network by its times takes a slow one, unless the recipe
    /// names another that will do.
    fn smooth(&self, recipe: &mut Recipe) -> Result<(), RunError> {
        if !recipe.train.objective.build().differentiates() {
            return Ok(());
        }
        let keys = recipe.network.registry().time_scale_key(recipe.network.kind());
        if keys.is_empty() {
            return Ok(());
        }
        let radians = at(recipe.network.table(), keys).and_then(number);
        // Sections leave out the usual scale, which is far too large.
        if radians.is_some_and(|radians| radians <= f64::from(LARGEST_TIME_SCALE)) {
            return Ok(());
        }
        let named = [&["network"][..], keys].concat();
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
            [section, key] => {
                let band = at(recipe.network.table(), &[section]).and_then(Value::as_table);
                let mut slow = band.cloned().unwrap_or_default();
                slow.insert(key.into(), f64::from(SMOOTH_TIME_SCALE).into());
                recipe.network.with(section, slow)
            }
            _ => recipe.network.with(keys[0], i64::from(SMOOTH_TIME_SCALE)),
        };
        recipe.network = slower.map_err(|error| usage!("{error}"))?;
        Ok(())
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

#[cfg(test)]
mod tests {
    use flow_model::Registry;

    use super::*;
    use crate::recipes::RECIPES;

    fn read(text: &str, changes: &[&str]) -> Result<Recipe, RunError> {
        let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
        Recipe::parse(&Registry::default(), text, &changes, "recipe")
    }

    fn named(name: &str, changes: &[&str]) -> Result<Recipe, RunError> {
        read(RECIPES.iter().find(|(known, _)| *known == name).unwrap().1, changes)
    }

    fn way(recipe: &Recipe) -> (String, usize) {
        (recipe.sample.sampler.to_string(), recipe.sample.steps)
    }

    #[test]
    fn a_loss_of_jumps_takes_its_sampler_and_one_step_along() {
        let jump = "train.objective=shortcut";
        for (recipe, changes, sampler, steps) in [
            ("two-moons", &[jump][..], "flow-map", 1),
            ("two-moons", &[jump, "sample.steps=4"], "flow-map", 4),
            ("two-moons", &[jump, "sample.sampler=flow-map"], "flow-map", 1),
            ("two-moons", &[jump, "sample.sampler=ode"], "ode", 20),
            ("two-moons", &[jump, "sample={solver=\"euler\"}"], "flow-map", 1),
            ("two-moons", &["train.objective.kind=splitting"], "flow-map", 1),
            // This one names a sampler and a grid for its velocity.
            ("checkerboard", &[jump], "flow-map", 1),
            ("two-moons", &[], "ode", 20),
            ("eight-gaussians-shortcut", &["train.objective=lsd"], "flow-map", 1),
            ("eight-gaussians-shortcut", &["sample.sampler=ode"], "ode", 1),
        ] {
            let found = named(recipe, changes).unwrap();
            assert_eq!(way(&found), (sampler.to_owned(), steps), "{recipe} {changes:?}");
            let again = read(&found.resolved(), &[]).unwrap();
            assert_eq!(again, found, "{recipe} {changes:?}");
        }
    }

    #[test]
    fn steps_that_stand_beside_a_loss_of_jumps_are_jumps() {
        let (_, text) = RECIPES.iter().find(|(name, _)| *name == "digits-shortcut").unwrap();
        let text = text.replace("sampler = \"flow-map\"\n", "");
        let four = text.replace("steps = 1\n", "steps = 4\n");
        assert!(!text.contains("sampler") && text != four, "the recipe reads otherwise now");
        assert_eq!(way(&read(&text, &[]).unwrap()), ("flow-map".to_owned(), 1));
        assert_eq!(way(&read(&four, &[]).unwrap()), ("flow-map".to_owned(), 4));
        assert_eq!(way(&read(&four, &["seed=3"]).unwrap()), ("flow-map".to_owned(), 4));
    }

    /// The radians of the fastest time of a recipe's network, if its section names them.
    fn radians(recipe: &Recipe) -> Option<f64> {
        let keys = recipe.network.registry().time_scale_key(recipe.network.kind());
        number(at(recipe.network.table(), keys)?)
    }

    #[test]
    fn losses_that_differentiate_the_network_by_its_times_get_a_smooth_one() {
        for (recipe, changes, want) in [
            ("two-moons", &["train.objective=meanflow"][..], Some(6.0)),
            ("two-moons", &["train.objective=lsd"], Some(6.0)),
            ("digits", &["train.objective=meanflow"], Some(6.0)),
            ("digits-dit", &["train.objective=meanflow"], Some(6.0)),
            ("two-moons", &["train.objective=lsd", "network.kind=dit"], Some(6.0)),
            ("two-moons", &["train.objective=meanflow", "network.time_scale=20"], Some(20.0)),
            ("eight-gaussians-meanflow", &[], Some(6.0)),
            // Sections leave out the usual thousand, which other losses keep.
            ("two-moons", &["train.objective=shortcut"], None),
            ("two-moons", &["train.objective=consistency"], None),
        ] {
            let found = named(recipe, changes).unwrap();
            assert_eq!(radians(&found), want, "{recipe} {changes:?}");
            assert_eq!(read(&found.resolved(), &[]).unwrap(), found, "{recipe} {changes:?}");
        }
        for (changes, key) in [
            (&["network.time_scale=1000"][..], "network.time_scale"),
            (&["network.time_scale=21"], "network.time_scale"),
            (&["network.kind=dit", "network.time.highest=1000"], "network.time.highest"),
        ] {
            let changes = [&["train.objective=meanflow"][..], changes].concat();
            let error = named("two-moons", &changes).unwrap_err().to_string();
            let remedy = format!("set {key}=6");
            assert!(error.contains(&remedy) && error.contains("at most 20"), "{error}");
            // The remedy works.
            let remedied = format!("{key}=6");
            let changes = [&changes[..], &[remedied.as_str()]].concat();
            assert_eq!(radians(&named("two-moons", &changes).unwrap()), Some(6.0));
        }
    }

    #[test]
    fn the_lowest_frequency_of_a_band_stays_where_it_is_named() {
        let changes = ["train.objective=meanflow", "network.time.lowest=0.5"];
        let recipe = named("digits-dit", &changes).unwrap();
        let time = recipe.network.table()["time"].to_string();
        assert!(time.contains("lowest = 0.5") && time.contains("highest = 6.0"), "{time}");
    }
}
