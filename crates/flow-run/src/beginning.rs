//! The weights that a training begins with, those of an earlier run or of a model file.

use std::fs;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::tensor::Device;
use flow_datasets::counted;
use flow_model::{ModelConfig, NetworkSection, Registry, begin};
use flow_nn::{Network as _, Signature};
use flow_train::{Checkpoint, Ensemble, Identity};
use sha2::{Digest, Sha256};
use toml::Value;

use crate::error::{RunError, sentence, usage};
use crate::listener::Listener;
use crate::model::Model;
use crate::network;
use crate::recipe::{Recipe, flat};
use crate::run::Run;

/// A trained model whose weights a training begins with, as it is now.
///
/// Its network has the section of the recipe's: another width has no place for the weights, and
/// other heads of attention make something else of them. What the model is told may be less, for
/// what it is not told has parameters of its own: a velocity begins a flow map of two times.
#[derive(Debug)]
pub struct Beginning {
    path: PathBuf,
    /// The run and its newest checkpoint; nothing for a model file.
    run: Option<(Run, Checkpoint)>,
    /// By which a later start sees whether it is still the same.
    pub identity: Identity,
}

impl Beginning {
    /// That of a recipe, if it has one.
    ///
    /// # Errors
    /// When it is no run and no model, or its network is not that of the recipe.
    pub fn open(recipe: &Recipe) -> Result<Option<Self>, RunError> {
        let Some(path) = recipe.train.weights.as_ref().map(PathBuf::from) else { return Ok(None) };
        let registry = recipe.network.registry();
        let section = section(registry, &path)?;
        check_section(&path, &section, &network::section(recipe)?)?;
        let (run, identity) = if Run::is_one(&path) {
            let run = Run::open(registry, &path)?;
            let checkpoint = run.checkpoint()?;
            let weights = sha256(&checkpoint)?;
            let identity =
                [("step", checkpoint.step.into()), ("weights", serde_json::Value::from(weights))];
            (Some((run, checkpoint)), Identity::new(identity))
        } else {
            (None, Identity::new([("weights", flow_model::Model::sha256(&path)?)]))
        };
        Ok(Some(Self { path, run, identity }))
    }

    /// Fills the networks of a recipe with the averaged weights of the model; `told` hears which
    /// parameters it lacks, and of a model that has learned something else.
    ///
    /// # Errors
    /// When the model cannot be read, or has a parameter that has no place.
    pub fn fill(
        &self,
        recipe: &Recipe,
        networks: Ensemble,
        device: &Device,
        told: &dyn Listener,
    ) -> Result<Ensemble, RunError> {
        let path = self.path.display();
        let model = match &self.run {
            Some((run, checkpoint)) => Model::of(run, checkpoint, device)?,
            None => Model::of_file(recipe.network.registry(), &self.path, device)?,
        };
        let (before, after) = (model.network().signature(), networks.network.signature().clone());
        self.check_told(before, &after)?;
        let mut kept = Vec::new();
        let network = self.filled(networks.network, model.network(), &mut kept)?;
        let posterior = match (networks.posterior, &model.posterior) {
            (Some(posterior), Some(with)) => Some(self.filled(posterior, with, &mut kept)?),
            (Some(posterior), None) => {
                told.say(&format!("{path} has no posterior, so that this one begins anew"));
                Some(posterior)
            }
            (None, _) => None,
        };
        told.say(&format!("the training begins with the weights of {path}"));
        if before.shape != after.shape {
            told.say(&format!(
                "{path} was trained on rows of shape {:?}, and these have {:?}",
                before.shape, after.shape
            ));
        }
        if !kept.is_empty() {
            let names = kept.join(", ");
            told.say(&format!("{path} lacks these, which begin as if it were not there: {names}"));
        }
        let [then, now] = [
            (model.config().prediction, model.config().schedule),
            (recipe.path.prediction, recipe.path.schedule),
        ];
        if then != now {
            told.say(&format!(
                "warning: {path} predicts {} along {} and this recipe {} along {}: what it has \
                 learned is something else, and the loss begins high",
                then.0, then.1, now.0, now.1
            ));
        }
        Ok(Ensemble { network, posterior })
    }

    /// Refuses a model whose network is told more than that of the recipe, or something else.
    fn check_told(&self, before: &Signature, after: &Signature) -> Result<(), RunError> {
        let path = self.path.display();
        for (what, before, after, remedy) in [
            ("class", before.classes, after.classes, "data.conditional=true tells them"),
            ("number", before.vector, after.vector, "give the same columns"),
            ("latent number", before.latent, after.latent, "set latent.dim to it"),
        ] {
            if before != 0 && before != after {
                let now = if after == 0 { "nothing".to_owned() } else { counted(after, what) };
                return Err(usage!(
                    "train.weights is {path}, whose network is told {}, and that of this recipe \
                     {now}: {remedy}, or begin with another model",
                    counted(before, what)
                ));
            }
        }
        if before.two_times && !after.two_times {
            return Err(usage!(
                "train.weights is {path}, a flow map of two times, and this recipe trains a \
                 velocity of one: begin with a velocity, or choose the objective of a flow map"
            ));
        }
        Ok(())
    }

    /// One of the networks, and the modules of it that the model lacks.
    fn filled<M: Module>(
        &self,
        module: M,
        with: &impl Module,
        kept: &mut Vec<String>,
    ) -> Result<M, RunError> {
        let (module, names) = begin(module, with).map_err(|error| {
            usage!(
                "train.weights is {}, and {error}: begin with a model of such rows, conditions and \
                 times (a flow map has two times, a velocity one)",
                self.path.display()
            )
        })?;
        kept.extend(names.iter().map(|name| name.rsplit_once('.').map_or(&**name, |n| n.0).into()));
        kept.dedup();
        Ok(module)
    }
}

/// The changes of a recipe that make its training begin with a model: its path, and its network.
///
/// # Errors
/// When there is no model, or its network is not one of the registry.
pub fn beginning_with(registry: &Registry, path: &Path) -> Result<[String; 2], RunError> {
    let section = section(registry, path)?;
    let whole = std::path::absolute(path)
        .map_err(RunError::io(format!("cannot find the folder of {}", path.display())))?;
    let Some(whole) = whole.to_str() else {
        return Err(usage!("{} is no UTF-8, rename the file", path.display()));
    };
    let network = Value::Table(section.table().clone());
    Ok([format!("train.weights={}", Value::from(whole)), format!("network={network}")])
}

/// The section of the network of a run or of a model file.
fn section(registry: &Registry, path: &Path) -> Result<NetworkSection, RunError> {
    if Run::is_one(path) {
        return network::section(&Run::open(registry, path)?.recipe);
    }
    if !path.exists() {
        return Err(usage!("there is no run and no model {} to begin with", path.display()));
    }
    if path.is_dir() && !path.join("model.toml").is_file() {
        return Err(usage!(
            "{} is no run (it has no recipe.toml) and no model (it has no model.toml) to begin \
             with",
            path.display()
        ));
    }
    if let Some(run) = path.parent().filter(|folder| path.is_file() && Run::is_one(folder))
        && path.extension().is_some_and(|ending| ending == "toml")
    {
        let (file, run) = (path.display(), run.display());
        return Err(usage!("{file} is a file of a run: begin with the run itself, {run}"));
    }
    let config = ModelConfig::read(path)?;
    NetworkSection::new(&config.network, registry)
        .map_err(|error| usage!("{}: {}", path.display(), sentence(&error)))
}

/// Refuses another network than that of the model, by the first key in which they differ.
fn check_section(path: &Path, then: &NetworkSection, now: &NetworkSection) -> Result<(), RunError> {
    let [old, new] = [then, now].map(|section| flat(section.table()));
    let value = |all: &[(String, Value)], key: &str| {
        all.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone())
    };
    let keys = if then.kind() == now.kind() {
        old.iter().chain(&new).map(|(key, _)| key.as_str()).collect()
    } else {
        vec!["kind"]
    };
    let differs = |key: &&str| value(&old, key) != value(&new, key);
    let Some(key) = keys.into_iter().find(differs) else { return Ok(()) };
    let said = |all: &[(String, Value)]| {
        value(all, key).map_or("left out".to_owned(), |value| value.to_string())
    };
    // Of the key of a network's times, which some losses of flow maps ask to be slow.
    let remedy = if key == now.registry().time_scale_key(now.kind()).join(".") {
        format!("train those that you begin with by network.{key} of this recipe, or train anew")
    } else {
        "leave the key as it is there, or train anew".to_owned()
    };
    Err(usage!(
        "train.weights is {}, whose network.{key} is {}, and that of this recipe is {}: weights fit \
         the network that they were trained in, so {remedy}",
        path.display(),
        said(&old),
        said(&new)
    ))
}

/// SHA-256 of the weights of a checkpoint and their average.
pub(crate) fn sha256(checkpoint: &Checkpoint) -> Result<String, RunError> {
    let file = checkpoint.path.join("model.bpk");
    let cannot = RunError::io(format!("cannot read {}", file.display()));
    Ok(format!("{:x}", Sha256::digest(fs::read(&file).map_err(cannot)?)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use flow_datasets::Files;
    use flow_nn::{Network, Signature};
    use flow_train::{BatchSource, Interrupter, Networks, Objective, Regression};

    use super::*;
    use crate::listener::{Meter, Silent};
    use crate::{Data, Start, Training, batches, sources};

    fn recipe(changes: &[String]) -> Recipe {
        Recipe::named(&Registry::default(), "debug", changes).unwrap()
    }

    fn opened(changes: &[String]) -> Result<Training, RunError> {
        Training::open(Start::New(recipe(changes)), &Files::default(), &Silent)
    }

    /// Trains `debug` with some changes.
    fn trained(folder: &Path, changes: &[String]) -> Run {
        let (training, device) = (opened(changes).unwrap(), Device::flex());
        let told: Arc<dyn Listener> = Arc::new(Silent);
        let networks = training.networks(&device, &Silent).unwrap();
        let begun = training.begin(Some(folder), &device, "flex", &Silent).unwrap();
        begun.train(networks, &device, &told, &Interrupter::new()).unwrap();
        begun.run
    }

    /// The loss of the first step of a run, as its log has it.
    fn first_loss(run: &Run) -> f64 {
        let log = fs::read_to_string(run.folder.join("metrics.jsonl")).unwrap();
        let lines = log.lines().map(|line| serde_json::from_str(line).unwrap());
        let line = lines.into_iter().find(|line: &serde_json::Value| line["kind"] == "train");
        line.unwrap()["loss"].as_f64().unwrap()
    }

    #[test]
    fn the_loss_of_the_first_step_is_that_of_the_model() {
        let folder = tempfile::tempdir().unwrap();
        let device = Device::flex();
        let first = trained(&folder.path().join("first"), &[]);
        let model = Model::load(&first, &device).unwrap();
        let file = folder.path().join("first.flow");
        model.save(&file).unwrap();

        let short = ["train.images=512".to_owned(), "seed=3".to_owned()];
        let data = Data::open(&recipe(&short), &Files::default(), &Silent).unwrap();
        let rows = sources(&recipe(&short), &data, None, &device).unwrap();
        let [batches, _] = batches(&recipe(&short), &data, rows, 0).unwrap();
        let batch = batches.batch(0, &device).unwrap();
        let expected = Regression.loss(Networks::of(model.network()), batch).total;
        let expected = expected.into_scalar::<f64>();
        // From the run, and from the model that was saved of it.
        for (name, path) in [("again", &first.folder), ("saved", &file)] {
            let from = beginning_with(&Registry::default(), path).unwrap();
            let run = trained(&folder.path().join(name), &[&short[..], &from].concat());
            let loss = first_loss(&run);
            assert!((loss - expected).abs() < 1e-5 * expected, "{loss} is not {expected}");
        }
        // The control: random weights have another.
        let loss = first_loss(&trained(&folder.path().join("anew"), &short));
        assert!(1.2 * expected < loss, "{loss} and {expected}");
    }

    #[test]
    fn a_velocity_begins_a_flow_map_and_what_it_lacks_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let short = ["train.images=512".to_owned()];
        let first = trained(&folder.path().join("first"), &short);
        let model = Model::load(&first, &Device::flex()).unwrap();
        let map = |change: &str| {
            let from = beginning_with(&Registry::default(), &first.folder).unwrap();
            opened(&[&["train.objective=shortcut".into(), change.into()], &from[..]].concat())
        };
        let told = Heard::default();
        let networks = map("seed=5").unwrap().networks(&Device::flex(), &told).unwrap();
        let two = Signature { two_times: true, ..model.signature().clone() };
        assert_eq!(*networks.network.signature(), two);
        let heard = told.0.into_inner().unwrap().join("\n");
        assert!(heard.contains("begins with the weights of") && heard.contains("duration.inner"));
        // All that the velocity has is there with its numbers.
        let (_, kept) = begin(networks.network.clone(), model.network()).unwrap();
        assert_eq!(kept.len(), 4, "{kept:?}");
        let again = begin(model.network().clone(), &networks.network).unwrap_err().to_string();
        assert!(again.contains("the network has no duration."), "{again}");
    }

    #[derive(Default)]
    struct Heard(std::sync::Mutex<Vec<String>>);

    impl Listener for Heard {
        fn say(&self, text: &str) {
            self.0.lock().unwrap().push(text.into());
        }

        fn meter(&self, _: usize, _: usize, _: &'static str) -> Box<dyn Meter> {
            Box::new(Silent)
        }
    }

    #[test]
    fn networks_that_have_no_place_for_the_weights_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let first = trained(&folder.path().join("first"), &["train.images=512".to_owned()]);
        let from = beginning_with(&Registry::default(), &first.folder).unwrap();
        let refused = |change: &str| {
            let changes = [&from[..], &[change.to_owned()]].concat();
            let networks = opened(&changes).and_then(|t| t.networks(&Device::flex(), &Silent));
            networks.unwrap_err().to_string()
        };
        let wider = refused("network.hidden=48");
        assert!(wider.contains("network.hidden is 32, and that of this recipe is 48"), "{wider}");
        // The same shapes, and another function.
        let slower = refused("network.fourier.wavelength=8.0");
        assert!(slower.contains("network.fourier.wavelength is 16.0"), "{slower}");
        let told = |before, after| {
            let beginning =
                Beginning { path: "m.flow".into(), run: None, identity: Identity::new([("a", 1)]) };
            beginning.check_told(&before, &after).unwrap_err().to_string()
        };
        let points = || Signature::of([2]);
        assert_eq!(
            told(Signature { classes: 10, ..points() }, points()),
            "train.weights is m.flow, whose network is told 10 classes, and that of this recipe \
             nothing: data.conditional=true tells them, or begin with another model"
        );
        let columns =
            told(Signature { vector: 3, ..points() }, Signature { vector: 1, ..points() });
        assert!(columns.contains("told 3 numbers, and that of this recipe 1 number:"), "{columns}");
        let map = told(Signature { two_times: true, ..points() }, points());
        assert!(map.contains("a flow map of two times"), "{map}");
        let line = refused("data.set=two-modes-1d");
        assert!(line.contains("layers.0.weight has the shape"), "{line}");
        let none = beginning_with(&Registry::default(), &folder.path().join("none")).unwrap_err();
        assert!(none.to_string().contains("no run and no model"), "{none}");
        let empty = beginning_with(&Registry::default(), folder.path()).unwrap_err().to_string();
        assert!(empty.contains("no run (it has no recipe.toml)"), "{empty}");
    }
}
