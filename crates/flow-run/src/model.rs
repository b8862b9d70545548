//! The model of a run: what it samples with, what taught it, and what guides it.

use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use flow_model::Registry;
use flow_nn::{Condition, DynPosterior, Footprint, Signature};
use flow_path::Source;
use flow_train::{Alone, Checkpoint, Ensemble, Group};

use crate::array::ArrayRows;
use crate::description::{description, shape_of, sources};
use crate::environment::Shape;
use crate::error::{RunError, usage};
use crate::files::{MODELS, ending};
use crate::network;
use crate::run::Run;
use crate::snapshots::Snapshots;
use crate::table::TableRows;
use crate::toys::target;
use crate::upsampling::Upsampling;

/// A trained model with what only its run knows.
#[derive(Debug)]
pub struct Model {
    pub(crate) bare: flow_model::Model,
    /// What taught the latent; samples never ask it.
    pub posterior: Option<DynPosterior>,
    /// What the velocity network takes.
    pub footprint: Footprint,
    /// A weaker model that guidance moves away from, in place of this one without its class.
    pub(crate) guide: Option<Box<Model>>,
    /// Processes that share its samples.
    pub(crate) group: Arc<dyn Group>,
}

impl Deref for Model {
    type Target = flow_model::Model;

    fn deref(&self) -> &flow_model::Model {
        &self.bare
    }
}

impl Model {
    /// Loads the averaged network of a run's newest checkpoint; of a run of a model of its own,
    /// that model.
    ///
    /// # Errors
    /// When there is no checkpoint, or it cannot be read.
    pub fn load(run: &Run, device: &Device) -> Result<Self, RunError> {
        if let Some(file) = &run.file {
            file.config()?;
            return Self::of_file(run.recipe.network.registry(), &file.path, device);
        }
        let mut checkpoint = run.checkpoint()?;
        loop {
            match Self::of(run, &checkpoint, device) {
                // A training that goes on removed it meanwhile: then there is a newer one.
                Err(_) if !checkpoint.path.exists() => checkpoint = run.checkpoint()?,
                done => return done,
            }
        }
    }

    /// Loads the averaged network of a checkpoint of a run.
    ///
    /// # Errors
    /// When it cannot be read, or is that of another recipe.
    pub fn of(run: &Run, checkpoint: &Checkpoint, device: &Device) -> Result<Self, RunError> {
        let data = match run.rows()? {
            Some(rows) => rows,
            None => shape_of(&run.recipe)?,
        };
        let rows = data.rows()?;
        let table = TableRows::of(&rows)?;
        let vector = TableRows::given_of(&rows)?.map_or(0, |given| given.told_width());
        let Shape { shape, classes, class_names, .. } = data;
        let signature = network::signature(&run.recipe, &shape, classes, vector)?;
        let lengths = ArrayRows::of(&rows)?.map_or(Vec::new(), |array| array.lengths);
        let signature = Signature { lengths: !lengths.is_empty(), ..signature };
        let [footprint, _] = network::footprints(&run.recipe, &signature)?;
        let empty = network::build_empty(&run.recipe, &signature, device)?;
        let Ensemble { network, posterior } = checkpoint.average(empty)?;
        let names = if signature.classes == 0 { Vec::new() } else { class_names };
        let mut config = description(&run.recipe, signature, names, checkpoint.step)?;
        config.holes = table.map_or(0, |table| table.holes.len());
        (config.rows, config.lengths) = (rows, lengths);
        if let Some(upsampling) = Upsampling::of(&run.recipe, &shape)? {
            config.rows.extend(upsampling.kept());
        }
        let registry = sources(run.recipe.network.registry().clone(), &run.recipe.path.source)?;
        let model = flow_model::Model::new(&registry, config, network, device)
            .map_err(|error| usage!("{error}"))?;
        Ok(Self { bare: model, posterior, footprint, guide: None, group: Arc::new(Alone) })
    }

    /// Opens a model that `flow export` wrote, with networks of the registry.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn of_file(registry: &Registry, path: &Path, device: &Device) -> Result<Self, RunError> {
        if !path.exists() {
            return Err(usage!("there is no run and no model {}", path.display()));
        }
        let mut registry = registry.clone();
        for toy in flow_datasets::TOYS {
            if let Some(target) = target(toy) {
                registry = registry.with_source(format!("toy,set={toy}"), Source::Known(target));
            }
        }
        let model = flow_model::Model::open_with(&registry, path, device)?;
        let config = model.config();
        let footprint = registry
            .footprint(&config.network, &config.signature)
            .map_err(|error| usage!("{error}"))?;
        Ok(Self { bare: model, posterior: None, footprint, guide: None, group: Arc::new(Alone) })
    }

    /// Whether it is told a class or numbers.
    #[must_use]
    pub fn is_told(&self) -> bool {
        0 < self.classes() || 0 < self.vector()
    }

    /// How its rows become those of a table, for a model of one.
    ///
    /// # Errors
    /// When what it has kept of the table is damaged.
    pub fn table(&self) -> Result<Option<TableRows>, RunError> {
        Ok(TableRows::of(&self.config().rows)?)
    }

    /// By how much it enlarges the image that it is told, for a model of that kind.
    ///
    /// # Errors
    /// When what it has kept of it is damaged.
    pub fn upsampling(&self) -> Result<Option<Upsampling>, RunError> {
        Upsampling::kept_in(&self.config().rows)
    }

    /// What its rows look like in a file, for a model of an array.
    ///
    /// # Errors
    /// When what it has kept of the array is damaged.
    pub fn array(&self) -> Result<Option<ArrayRows>, RunError> {
        ArrayRows::of(&self.config().rows)
    }

    /// When its snapshots were seen, for a model of data to data.
    ///
    /// # Errors
    /// When what it has kept of them is damaged.
    pub fn snapshots(&self) -> Result<Option<Snapshots>, RunError> {
        Snapshots::of(&self.config().rows)
    }

    /// Number of classes of a conditional model, else 0.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.signature().classes
    }

    /// Numbers in its latent, 0 for none.
    #[must_use]
    pub fn latent(&self) -> usize {
        self.signature().latent
    }

    /// Lets guidance move away from a weaker model of the same rows, of whatever network.
    ///
    /// # Errors
    /// When its rows or classes are others.
    pub fn guided_by(self, weaker: Self) -> Result<Self, RunError> {
        self.bare.check_guide(&weaker).map_err(|error| usage!("--guide-with: {error}"))?;
        Ok(Self { guide: Some(Box::new(weaker)), ..self })
    }

    /// The same model, whose samples the processes of a group share: all of them ask for the same,
    /// each draws some batches, and the first gets all samples, with the bits of one process. The
    /// others get none.
    #[must_use]
    pub fn shared_by(self, group: Arc<dyn Group>) -> Self {
        Self { group, ..self }
    }

    /// The processes that share its samples.
    #[must_use]
    pub fn group(&self) -> &Arc<dyn Group> {
        &self.group
    }

    /// The velocity at host points `[n, dim]` of a model of points, with a latent for each,
    /// `[n, latent]`, if it has any; nothing if the model has learned none or is told more, if
    /// there are no whole points or other latents, and where a number or a velocity is not finite.
    #[must_use]
    pub fn velocity(&self, points: &[f32], t: f64, latents: &[f32]) -> Option<Vec<f32>> {
        let &[dim] = self.shape() else { return None };
        if !self.config().learned_velocity {
            return None;
        }
        let n = points.len().checked_div(dim)?;
        let condition = match self.latent() {
            0 => Condition::none(),
            size if n.checked_mul(size) != Some(latents.len()) => return None,
            size => {
                let latents = TensorData::new(latents.to_vec(), [n, size]);
                Condition::none().with_latent(Tensor::from_data(latents, self.device()))
            }
        };
        self.bare.velocity(points, t, condition).ok()
    }
}

/// Writes a model, unless something else than a model is there.
///
/// # Errors
/// When it is, or cannot be written.
pub fn save_model(model: &flow_model::Model, out: &Path) -> Result<(), RunError> {
    refuse_others(out, "model.toml", " or a file that ends in .flow")?;
    Ok(model.save(out)?)
}

/// Writes a model as a folder for PyTorch, unless something else than such a folder is there.
///
/// # Errors
/// When it is, or has the name of a file, for a kind of network that PyTorch is not told, and when
/// it cannot be written.
pub fn save_torch(model: &flow_model::Model, out: &Path) -> Result<(), RunError> {
    if MODELS.contains(&ending(out)) {
        return Err(usage!(
            "--format pytorch writes a folder, {} has the name of a file: leave its ending out",
            out.display()
        ));
    }
    refuse_others(out, "network.py", "")?;
    Ok(model.save_torch(out)?)
}

/// Refuses a folder that holds something, but not the file that marks it as one of ours.
fn refuse_others(out: &Path, mark: &str, instead: &str) -> Result<(), RunError> {
    let empty = out.read_dir().is_ok_and(|mut entries| entries.next().is_none());
    if out.is_dir() && !empty && !out.join(mark).is_file() {
        return Err(usage!(
            "{} is a folder of other things, name a new one{instead}",
            out.display()
        ));
    }
    Ok(())
}
