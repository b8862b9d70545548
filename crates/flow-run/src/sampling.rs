//! Samples of the model of a run: requests in the words of the command line.

use std::ops::Range;

use flow_model::{Against, Classes, Guidance, ModelError, SamplePlan, SampleRequest, Samples};

use crate::error::{RunError, usage};
use crate::model::Model;
use crate::request::Request;
use crate::shards;

impl Model {
    /// Draws samples.
    ///
    /// # Errors
    /// For a request that the model cannot meet, times of states that do not increase from 0 to 1,
    /// when the solver fails, and when a process that shares the work has ended.
    pub fn sample(&self, request: &Request) -> Result<Samples, RunError> {
        let mut all = Samples::none(self.signature(), request.times.len());
        self.sample_each(request, |part| -> Result<(), RunError> {
            all.append(part);
            Ok(())
        })?;
        Ok(all)
    }

    /// Draws samples batch by batch, in their order, and holds no more than a batch.
    ///
    /// # Errors
    /// As for [`sample`](Self::sample), and what `take` returns.
    pub fn sample_each<E: From<RunError>>(
        &self,
        request: &Request,
        mut take: impl FnMut(Samples) -> Result<(), E>,
    ) -> Result<(), E> {
        check_times(&request.times)?;
        let (sampler, asked) = (request.way.sampler(), self.request(request));
        if 1 < self.group.size() {
            let draw = |range| {
                let drawn = self.bare.sample_batch(&asked, &*sampler, range);
                drawn.map_err(|error| refused(error, request))
            };
            let known = |range: Range<usize>| {
                let classes = self.labels(request, range.clone())?;
                let lengths = self.bare.lengths_of(&asked, range);
                Ok(Samples { classes, lengths, ..Samples::default() })
            };
            return shards::each(&*self.group, request, draw, known, take);
        }
        let take = |samples| take(samples).map_err(Stopped::Taken);
        let done = self.bare.sample_each(&asked, &*sampler, take);
        done.map_err(|stopped| match stopped {
            Stopped::Drawing(error) => refused(error, request).into(),
            Stopped::Taken(error) => error,
        })
    }

    /// A request along the flow itself: see [`Request::within`]. A model that has learned no
    /// velocity keeps its own sampler, between whose steps paths are lines.
    #[must_use]
    pub fn along_flow(&self, request: Request, tolerance: f64) -> Request {
        if self.config().learned_velocity { request.within(tolerance) } else { request }
    }

    /// The class of each sample.
    ///
    /// # Errors
    /// When the model has no such class.
    pub fn labels(
        &self,
        request: &Request,
        range: Range<usize>,
    ) -> Result<Option<Vec<usize>>, RunError> {
        self.classes_of(&classes(request, self.classes()), range)
            .map_err(|error| refused(error, request))
    }

    /// Carries rows along the flow from one time to others, on the model's own clock: 0 is the
    /// start of its paths and 1 their end. The rows are `request.given.starts`; the states at each
    /// of the other times are among those of the answer.
    ///
    /// # Errors
    /// For a request that the model cannot meet, samplers other than the flow itself, and when the
    /// solver fails.
    pub fn push(&self, request: &Request, times: &[f64]) -> Result<Samples, RunError> {
        let SamplePlan::Solver(method, stepping) = &request.way else {
            return Err(usage!(
                "rows are carried by a solver of the flow, such as --solver dopri5 or --solver rk4 \
                 --steps 20, and not by {}",
                request.label()
            ));
        };
        let asked = self.request(request);
        self.bare.push(&asked, times, *method, stepping).map_err(|error| refused(error, request))
    }

    fn request(&self, request: &Request) -> SampleRequest<'_> {
        let against = match &self.guide {
            Some(guide) => Some(Against::Model(guide)),
            None => self.is_told().then_some(Against::Unconditional),
        };
        let guidance =
            |against| Guidance { scale: request.guidance, interval: request.interval, against };
        let mut asked = SampleRequest::new(request.n, request.seed);
        asked.batch = request.batch;
        asked.classes = classes(request, self.classes());
        let in_turn = |rows: &Option<Vec<f32>>, size: usize| {
            let rows = rows.as_ref()?;
            Some(rows.iter().copied().cycle().take(request.n * size).collect())
        };
        asked.starts = in_turn(&request.given.starts, self.signature().size());
        asked.vectors = in_turn(&request.given.vectors, self.vector());
        asked.latents.clone_from(&request.given.latents);
        let lengths = request.given.lengths.as_ref();
        asked.lengths =
            lengths.map(|lengths| lengths.iter().copied().cycle().take(request.n).collect());
        asked.contexts =
            in_turn(&request.given.contexts, self.signature().context.iter().product());
        let is_baked = self.config().strengths.is_some();
        asked.guidance = against.filter(|_| is_baked || request.is_guided()).map(guidance);
        asked.along = request.schedule.map(|schedule| schedule.build());
        asked.keep.clone_from(&request.times);
        if let Some(grid) = request.way.grid() {
            asked.grid = grid.clone();
        }
        asked
    }
}

/// Refuses times of states that no path has, or that do not follow one another.
fn check_times(times: &[f64]) -> Result<(), RunError> {
    if let Some(t) = times.iter().find(|t| !(0.0..=1.0).contains(*t)) {
        return Err(usage!("paths run from 0 to 1, and the states at the time {t} are asked for"));
    }
    match times.windows(2).find(|pair| pair[1] < pair[0]) {
        Some(pair) => {
            Err(usage!("the states at {} are asked for behind those at {}", pair[1], pair[0]))
        }
        None => Ok(()),
    }
}

/// Why drawing batch by batch stopped.
enum Stopped<E> {
    Drawing(ModelError),
    Taken(E),
}

impl<E> From<ModelError> for Stopped<E> {
    fn from(error: ModelError) -> Self {
        Self::Drawing(error)
    }
}

/// A class that is asked for by name; else those that are given, of a model that knows any.
fn classes(request: &Request, known: usize) -> Classes {
    match (request.class, request.given.classes.as_ref().filter(|_| 0 < known)) {
        (Some(class), _) => Classes::All(class),
        (None, Some(each)) => Classes::Each(each.iter().copied().cycle().take(request.n).collect()),
        (None, None) => Classes::InTurn,
    }
}

/// Names the options of the command line, where the model's own words say what to do in Rust.
fn refused(error: ModelError, request: &Request) -> RunError {
    match error {
        ModelError::NoSuchClass { class, last, names } => {
            usage!("--class is {class}, the model has the classes 0 to {last}{names}")
        }
        ModelError::NoClasses => usage!("--class is given, but the model knows no classes"),
        ModelError::Missing { what: "start", .. } => usage!(
            "paths of this model start from data: `flow push RUN FILE --out FILE` carries the rows \
             of a file"
        ),
        ModelError::NotLearnedWithout => usage!(
            "guidance needs path.label_drop above 0 or --guide-with: this model never learned to \
             do without the class; draw with --guidance 1"
        ),
        source @ ModelError::NotFinite { .. } => {
            RunError::NotFinite { way: request.label(), source }
        }
        error => error.into(),
    }
}
