//! A training of a recipe: what it begins with, and what it needs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::tensor::Device;
use flow_datasets::Files;
use flow_model::Registry;
use flow_nn::Signature;
use flow_path::{Prediction, ScheduleConfig};
use flow_train::{Alone, Checkpoint, Ensemble, Group};

use crate::batches::{flow_matching, sources};
use crate::beginning::Beginning;
use crate::begun::{Begun, plan};
use crate::data::Data;
use crate::drafts;
use crate::environment::{Models, Shape};
use crate::error::{RunError, usage};
use crate::listener::Listener;
use crate::lock::Lock;
use crate::metrics::rewind;
use crate::network;
use crate::recipe::Recipe;
use crate::recipe::check::not_negative;
use crate::reflow::Teacher;
use crate::run::Run;
use crate::sizes::Sizes;
use crate::together;

/// What a training begins with.
#[derive(Debug)]
pub enum Start {
    /// A recipe, whose run has no folder yet.
    New(Recipe),
    /// A run, with the checkpoint to go on from and the lock on it, if it was taken.
    Again {
        /// The run.
        run: Run,
        /// Its newest checkpoint.
        from: Option<Checkpoint>,
        /// The right to train it.
        lock: Option<Lock>,
    },
}

impl Start {
    /// Goes on with a run, for so many images more than its recipe says. Without `lock` it can be
    /// looked at, as for a dry run, and must not be trained.
    ///
    /// # Errors
    /// When the folder is no run, another process trains it, its checkpoint is of another recipe,
    /// or for images that are no number from 0 on, or too many.
    pub fn again(
        registry: &Registry,
        folder: &Path,
        more_images: f64,
        lock: bool,
        told: &dyn Listener,
    ) -> Result<Self, RunError> {
        let mut run = Run::open(registry, folder)?;
        if run.is_of_model() {
            let folder = folder.display();
            return Err(usage!(
                "{folder} has a model and no training to go on with: begin one with its weights by \
                 `flow train RECIPE --from MODEL`"
            ));
        }
        // Taken before the checkpoints are read, because another owner of the lock may be writing
        // them.
        let lock = if lock { Some(Lock::take(folder, told)?) } else { None };
        not_negative(&[("--more-images", more_images)])?;
        run.recipe.train.images += more_images;
        run.recipe.train.check()?;
        let from = run.checkpoints().to_resume()?;
        Ok(Self::Again { run, from, lock })
    }

    /// What is trained.
    #[must_use]
    pub fn recipe(&self) -> &Recipe {
        match self {
            Self::New(recipe) | Self::Again { run: Run { recipe, .. }, .. } => recipe,
        }
    }

    /// The run and its steps, if nothing is left to train.
    #[must_use]
    pub fn finished(&self) -> Option<(&Run, usize)> {
        match self {
            Self::Again { run, from: Some(from), .. } if run.recipe.steps() <= from.step => {
                Some((run, from.step))
            }
            _ => None,
        }
    }
}

/// A training whose data are open, and of which nothing is written yet.
#[derive(Debug)]
pub struct Training {
    start: Start,
    /// What it learns from.
    pub data: Data,
    teacher: Option<Teacher>,
    beginning: Option<Beginning>,
    group: Arc<dyn Group>,
}

impl Training {
    /// Opens the data of a recipe, its teacher and the weights that it begins with.
    ///
    /// # Errors
    /// When they cannot be opened, do not fit the recipe, or are not those of the run.
    pub fn open(start: Start, files: &Files, told: &dyn Listener) -> Result<Self, RunError> {
        let recipe = start.recipe();
        if let Start::New(recipe) = &start {
            recipe.check_purpose()?;
        }
        let data = Data::open(recipe, files, told)?;
        let teacher = Teacher::open(recipe, &data)?;
        // A checkpoint holds what became of them.
        let is_begun = matches!(start, Start::Again { from: Some(_), .. });
        let beginning = if is_begun { None } else { Beginning::open(recipe)? };
        if let Start::Again { run, .. } = &start {
            run.check_data(&data)?;
            run.check_beginning(beginning.as_ref().map(|beginning| &beginning.identity))?;
            run.check_teacher(teacher.as_ref().map(|teacher| &teacher.identity))?;
        }
        flow_matching(recipe, &data)?;
        if data.ends_early() && recipe.path.coupling.looks_at_values() {
            return Err(usage!(
                "sequences end early, and the coupling {} would pair noise with lengths: choose \
                 path.coupling=independent",
                recipe.path.coupling.name()
            ));
        }
        if recipe.coupling_biases() && !data.has_told_starts() {
            told.say(&format!(
                "warning: the coupling {} pairs starts with data whatever their conditions, so \
                 that a condition meets other starts than samples have, and what the model says of \
                 it is biased: choose path.coupling=conditional{}, or independent",
                recipe.path.coupling.name(),
                if recipe.data.conditional { ", path.within_classes=true" } else { "" }
            ));
        }
        if let Some(warning) = along_ve(&recipe.path) {
            told.say(warning);
        }
        Ok(Self { start, data, teacher, beginning, group: Arc::new(Alone) })
    }

    /// The same training by all processes of a group, each of which has opened it: they share the
    /// parts of each batch, and the first of them writes the run.
    ///
    /// # Errors
    /// When there are fewer parts than processes, or processes have opened something else.
    pub fn shared_by(self, group: Arc<dyn Group>) -> Result<Self, RunError> {
        let (parts, processes) = (self.recipe().train.parts, group.size());
        if parts < processes {
            return Err(usage!(
                "train.parts is {parts}, which leaves nothing to do for some of {processes} \
                 processes: set train.parts={processes} or a multiple of it, or start fewer"
            ));
        }
        together::check_alike(&*group, &self.opened())?;
        Ok(Self { group, ..self })
    }

    /// What was opened, each with a name: it must be the same in all processes.
    fn opened(&self) -> [(&'static str, String); 5] {
        let from = match &self.start {
            Start::Again { from: Some(from), .. } => from.step,
            _ => 0,
        };
        let weights = self.beginning.as_ref().map(|beginning| beginning.identity.fingerprint());
        [
            ("program", env!("CARGO_PKG_VERSION").to_owned()),
            ("recipe", self.recipe().resolved()),
            ("data", format!("{:?}", Shape::of(&self.data))),
            ("checkpoint", format!("step {from}")),
            ("weights", weights.unwrap_or_default()),
        ]
    }

    /// What is trained.
    #[must_use]
    pub fn recipe(&self) -> &Recipe {
        self.start.recipe()
    }

    /// What it takes of the memory.
    ///
    /// # Errors
    /// When the network is for rows of another kind.
    pub fn sizes(&self) -> Result<Sizes, RunError> {
        let data = &self.data;
        Sizes::of(self.recipe(), &data.shape(), data.classes(), data.vector())
    }

    /// Builds its networks, with weights drawn from the seed or those that it begins with; `told`
    /// hears of the latter.
    ///
    /// # Errors
    /// When they do not fit the data, the memory or each other.
    pub fn networks(&self, device: &Device, told: &dyn Listener) -> Result<Ensemble, RunError> {
        let recipe = self.recipe();
        let signature = network::signature(
            recipe,
            &self.data.shape(),
            self.data.classes(),
            self.data.vector(),
        )?;
        let signature = Signature { lengths: self.data.ends_early(), ..signature };
        let networks = network::build(recipe, &signature, device)?;
        match &self.beginning {
            Some(beginning) => beginning.fill(recipe, networks, device, told),
            None => Ok(networks),
        }
    }

    /// Makes the folder of a new run, `out` or the next free one, or opens that of the old one
    /// where its checkpoint left it. The environment of a new run names the device as `called`.
    ///
    /// # Errors
    /// When the teacher's pairs cannot be made, or the folder exists or cannot be written.
    pub fn begin(
        self,
        out: Option<&Path>,
        device: &Device,
        called: &str,
        told: &dyn Listener,
    ) -> Result<Begun, RunError> {
        let Self { start, data, teacher, beginning, group } = self;
        let sources = sources(start.recipe(), &data, teacher.as_ref(), device)?;
        let (run, from, lock) = match start {
            Start::New(recipe) if group.is_first() => {
                drafts::clear(&flow_datasets::default_cache_dir().join(&recipe.data.set));
                let models = Models {
                    teacher: teacher.as_ref().map(|teacher| &teacher.identity),
                    beginning: beginning.as_ref().map(|beginning| &beginning.identity),
                };
                let run = Run::create(recipe, &Shape::of(&data), &models, out, called)?;
                let lock = Lock::take(&run.folder, told)?;
                (run, None, Some(lock))
            }
            // Its folder is named below.
            Start::New(recipe) => (Run { folder: PathBuf::new(), recipe, file: None }, None, None),
            Start::Again { run, from, lock } => {
                if group.is_first() {
                    lengthen(&run, from.as_ref(), told)?;
                    run.tidy();
                    let step = from.as_ref().map_or(0, |checkpoint| checkpoint.step);
                    rewind(&run.folder, step, told)?;
                }
                (run, from, lock)
            }
        };
        let folder = together::path(&*group, &run.folder)?;
        Ok(Begun { run: Run { folder, ..run }, data, sources, from, group, _lock: lock })
    }
}

/// What to say of a prediction that is not of unit size where the noise of `ve` is largest.
fn along_ve(path: &crate::recipe::Path) -> Option<&'static str> {
    match (path.prediction, &path.schedule) {
        // The score is 1 / sigma of the noise: where sigma is 50 nearly nothing of it is left.
        (Prediction::Score, ScheduleConfig::Ve(_)) => Some(
            "warning: a score along ve is too small to be learned where there is much noise, and \
             samples start there: choose path.prediction=noise, from which the score follows",
        ),
        // It is sigma' of the noise, 50 ln 5000 = 426 where sigma is 50.
        (Prediction::Velocity, ScheduleConfig::Ve(_)) => Some(
            "warning: a velocity along ve is hundreds of times larger where there is much noise, \
             which is then all that is learned: choose path.prediction=noise, from which the \
             velocity follows",
        ),
        _ => None,
    }
}

/// Takes note of a recipe that asks for more than the checkpoint was trained by.
fn lengthen(run: &Run, from: Option<&Checkpoint>, told: &dyn Listener) -> Result<(), RunError> {
    if let (Some(before), Some(from)) = (run.lengthen(from)?, from) {
        let rate = |recipe: &Recipe| plan(recipe).learning_rate.at(from.step);
        let mut shorter = run.recipe.clone();
        shorter.train.images = before;
        let [then, now] = [rate(&shorter), rate(&run.recipe)].map(|rate| format!("{rate:.2e}"));
        let moved = if then == now { String::new() } else { format!(" in place of {then}") };
        told.say(&format!(
            "train.images was {before} and is {}: the learning rate goes on along the schedule of \
             the new length, from {now}{moved}",
            run.recipe.train.images
        ));
    }
    Ok(())
}
