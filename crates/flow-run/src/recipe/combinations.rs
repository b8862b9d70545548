//! Which parts of a recipe go together: each check refuses what has no meaning beside another part.

use flow_model::SampleConfig;
use flow_nn::Precision;
use flow_path::{BetweenConfig, CouplingConfig, LossWeight, Prediction, ScheduleConfig};
use flow_train::{Jump, ObjectiveConfig};

use super::{Path, Recipe};
use crate::error::{RunError, usage};

impl Recipe {
    /// Refuses to begin with a recipe that was not told what it is for: parameters given what, or
    /// from where to where.
    pub(crate) fn check_purpose(&self) -> Result<(), RunError> {
        let Self { data, name, .. } = self;
        match name.as_str() {
            "posterior" if data.is_table() && data.given.is_empty() => Err(usage!(
                "the recipe posterior learns parameters given an observation: name the columns \
                 that are observed, --given x1,x2, or their file, --given FILE; `flow train table` \
                 learns all columns together"
            )),
            "populations" if !data.is_given_starts() => Err(usage!(
                "the recipe populations leads from data to data: name the file of the rows that \
                 paths start from, --from FILE, or the column of times, --time COLUMN; `flow train \
                 FILE` starts from noise"
            )),
            _ => Ok(()),
        }
    }

    /// Refuses what has no meaning where paths start from data and not from noise.
    pub(super) fn check_data_to_data(&self) -> Result<(), RunError> {
        let Self { data, reflow, path, .. } = self;
        let refuse = |key: &str, remedy: &str| {
            let told = if data.time.is_some() { "data.time" } else { "data.from" };
            Err(usage!("{told} is given, so that paths start from data: {key} {remedy}"))
        };
        let plain = Path::default();
        if reflow.is_some() {
            return refuse("the section reflow", "makes pairs of its own, leave it out");
        }
        if path.source != plain.source {
            return refuse("path.source", "is the law of another start, leave it out");
        }
        if path.prediction != plain.prediction || path.schedule != plain.schedule {
            return refuse("path.prediction and path.schedule", "must be velocity and linear");
        }
        if self.train.objective != ObjectiveConfig::default() {
            return refuse("train.objective", "must be regression");
        }
        if data.pairs != matches!(path.coupling, CouplingConfig::Paired(_)) {
            return refuse("path.coupling", "is paired if data.pairs is true, and only then");
        }
        Ok(())
    }

    /// Refuses a flow map of what is none, and jumps of a network that knows one time.
    pub(super) fn check_map(&self) -> Result<(), RunError> {
        let Self { latent, reflow, path, train, eval, .. } = self;
        let Some(pairs) = self.pairs() else {
            if !eval.jumps.is_empty() {
                return Err(usage!(
                    "eval.jumps are given, but train.objective {} teaches no jumps: leave them \
                     out, or choose a loss of flow maps, such as shortcut",
                    train.objective
                ));
            }
            if train.jumps.is_some() || train.jump_times.is_some() {
                return Err(usage!(
                    "train.jumps or train.jump_times is given, but train.objective {} has no \
                     jumps: leave them out, or choose a loss of flow maps, such as meanflow",
                    train.objective
                ));
            }
            return Ok(());
        };
        let refuse = |key: &str, remedy: &str| {
            Err(usage!(
                "train.objective is {}, a loss of flow maps: {key} {remedy}",
                train.objective
            ))
        };
        if pairs.share <= 0.0 {
            return refuse("its share", "is 0, so that no row jumps, give more or use regression");
        }
        if !train.objective.build().learns_from(pairs.jump) {
            return refuse(
                "train.jumps",
                &format!(
                    "is {}, but its targets ask for jumps that this law never draws, so that they \
                     would teach nothing: leave it out",
                    pairs.jump
                ),
            );
        }
        if train.jump_times.is_some() && !pairs.jump.draws_times() {
            let remedy =
                format!("does nothing, its jumps ({}) draw no times: leave it out", pairs.jump);
            return refuse("train.jump_times", &remedy);
        }
        if pairs.jump == Jump::Whole && reflow.is_none() {
            return refuse(
                "it",
                "learns from pairs that a teacher made, and with noise and data drawn apart sends \
                 every start to the mean of the data: name the teacher, path.coupling=paired, \
                 reflow.run=RUN and reflow.pairs=N",
            );
        }
        if latent.is_some() {
            return refuse("the section latent", "has a loss of its own, leave it out");
        }
        if path.prediction != Prediction::Velocity {
            return refuse("path.prediction", "must be velocity, which a map is the mean of");
        }
        if path.weight != LossWeight::Unit {
            return refuse("path.weight", "must be unit: it weighs one time, and a jump has two");
        }
        if train.objective.build().differentiates() && train.precision != Precision::F32 {
            return refuse(
                "train.precision",
                "must be f32: it takes differences of the network, which are smaller than what \
                 others round",
            );
        }
        Ok(())
    }

    /// Refuses a loss that goes on along straight lines of a velocity where there are none.
    pub(super) fn check_lines(&self) -> Result<(), RunError> {
        let Self { latent, path, train, .. } = self;
        if !matches!(train.objective, ObjectiveConfig::ConsistencyFlow(_)) {
            return Ok(());
        }
        let refuse = |key: &str, remedy: &str| {
            let name = train.objective.name();
            Err(usage!(
                "train.objective is {name}, which looks along straight lines: {key} {remedy}"
            ))
        };
        if !matches!(path.schedule, ScheduleConfig::Linear(_)) {
            return refuse("path.schedule", "must be linear");
        }
        if path.between != BetweenConfig::default() {
            return refuse("path.between", "must be line");
        }
        if path.prediction != Prediction::Velocity {
            return refuse("path.prediction", "must be velocity");
        }
        if latent.is_some() {
            return refuse("the section latent", "has a loss of its own, leave it out");
        }
        if train.guidance.is_some() {
            return refuse(
                "train.guidance",
                "has nothing to guide, for steps to the ends of segments are no velocities: leave \
                 it out, and guide the samples",
            );
        }
        Ok(())
    }

    /// Refuses to bake in guidance that nothing can be guided by, or that samples do not ask for.
    pub(super) fn check_baked(&self) -> Result<(), RunError> {
        let Self { data, latent, path, train, sample, .. } = self;
        let Some(strengths) = train.guidance else { return Ok(()) };
        let refuse = |key: &str, remedy: &str| {
            Err(usage!("train.guidance is {strengths}, which bakes guidance in: {key} {remedy}"))
        };
        if !data.conditional && data.given.is_empty() && data.upsample.is_none() {
            return refuse("the model", "must be told something, such as data.conditional=true");
        }
        if !path.learns_without_class() {
            return refuse("path.label_drop", "must be above 0, as in path.label_drop=0.1");
        }
        if latent.is_some() {
            return refuse("the section latent", "has a loss of its own, leave it out");
        }
        if self.pairs().is_some_and(|pairs| !pairs.learns_velocity()) {
            return refuse(
                "train.objective",
                &format!("is {}, which learns no velocity to guide", train.objective),
            );
        }
        if !strengths.hold(sample.guidance) {
            return refuse(
                "sample.guidance",
                &format!(
                    "is {}, which is none of them: set sample.guidance={}",
                    sample.guidance, strengths.least
                ),
            );
        }
        let usual = SampleConfig::default().guidance_interval;
        if sample.guidance_interval.iter().zip(usual).any(|(t, usual)| t.total_cmp(&usual).is_ne())
        {
            return refuse("sample.guidance_interval", "does nothing then, leave it out");
        }
        Ok(())
    }

    /// Refuses ways of sampling that mean nothing for what is learned.
    ///
    /// # Errors
    /// With what to use instead.
    pub fn check_sampling(&self, sample: &SampleConfig) -> Result<(), RunError> {
        if self.pairs().is_none() && sample.jumps() {
            return Err(usage!(
                "the sampler is flow-map, but train.objective {} teaches no jumps: use another \
                 sampler, as by sample.sampler=ode, or train with a loss of flow maps, such as \
                 shortcut",
                self.train.objective
            ));
        }
        let jumps_alone = self.pairs().is_some_and(|pairs| !pairs.learns_velocity());
        if jumps_alone && !sample.jumps() {
            return Err(usage!(
                "the sampler is {}, but train.objective {} teaches jumps to the data and no \
                 velocity to follow: use flow-map with 1 step",
                sample.sampler,
                self.train.objective
            ));
        }
        let mixed = match (&self.reflow, &self.latent) {
            _ if self.data.is_given_starts() => "a start that is data",
            (Some(_), _) => "the pairs of reflow",
            (_, Some(_)) => "a latent that may know the noise",
            _ => return self.path.check_sampling(sample),
        };
        if sample.sampler.is_random() {
            return Err(usage!(
                "{} draws noise by the score, which {mixed} does not leave, use ode or another \
                 sampler without noise",
                sample.sampler
            ));
        }
        self.path.check_sampling(sample)
    }
}
