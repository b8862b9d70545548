//! Log-densities of rows under a model.

use std::ops::Range;

use flow_kernels::on_pool;
use flow_nn::Condition;
use flow_sample::{
    Divergence, ExactTrace, Hutchinson, Interruptible, Likelihood, Predictor, Probe, latents,
    log_mean_exp,
};

use crate::error::ModelError;
use crate::finite::check_finite;
use crate::model::{Model, size};
use crate::request::Classes;

/// The method for the divergence of the velocity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trace {
    /// Exact, from all unit vectors.
    Exact,
    /// Estimated from this many random probes, which stay fixed for the solve (Hutchinson).
    Probes(usize),
}

impl Trace {
    fn probes(self) -> usize {
        match self {
            Self::Exact => 1,
            Self::Probes(probes) => probes,
        }
    }
}

/// Numbers of all probes of a batch, 1 GiB of them.
const MOST_NUMBERS: usize = 1 << 28;

/// Most latents of a row: each is a solve, and no one waits for more.
const MOST_LATENTS: usize = 1_000_000;

/// Rows to ask for their density, row-major, with what is known of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    /// `[n, ..]`, rows of the model's shape.
    pub values: Vec<f32>,
    /// The class of each, for models that know any.
    pub classes: Option<Vec<usize>>,
    /// A condition vector for each, row-major, for models that read one.
    pub vectors: Option<Vec<f32>>,
    /// A conditioning row for each, row-major, for models that read one.
    pub contexts: Option<Vec<f32>>,
}

/// How densities are found.
#[derive(Clone, Debug)]
pub struct DensityRequest {
    /// Solver and tolerance.
    pub likelihood: Likelihood,
    /// How the divergence is found.
    pub trace: Trace,
    /// Law of the probes.
    pub probe: Probe,
    /// Seed of the probes; row `i` of a seed has the same ones whatever the batch.
    pub seed: u64,
    /// Rows that are solved together.
    pub batch: usize,
    /// Draws of the latent over which the density of a row is averaged, for models with a latent.
    pub latents: usize,
}

/// Log-densities and what they cost.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Densities {
    /// `log p(x)` of each row, in nats.
    pub nats: Vec<f64>,
    /// Standard error over the probes of each row; empty if exact, with one probe or averaged over
    /// latents.
    pub probe_error: Vec<f64>,
    /// Latents that each density is averaged over, of a model with a latent.
    pub latents: Option<usize>,
    /// Network evaluations for each row, mean over batches.
    pub nfe: f64,
    /// Times of the density and of the prior.
    pub span: (f64, f64),
}

impl Model {
    /// Log-densities of `n` rows, which `rows` makes a batch at a time; none of no rows.
    ///
    /// # Errors
    /// When a row is not made of finite numbers or not told what the model reads, `rows` makes
    /// other numbers of rows than it is asked for, a solve fails, a density is not a number, or
    /// rows are sequences that may end early; for no probe, no latent or no row at once, and for
    /// more probes or latents than anybody waits for.
    pub fn log_prob(
        &self,
        n: usize,
        rows: impl Fn(Range<usize>) -> Rows,
        request: &DensityRequest,
    ) -> Result<Densities, ModelError> {
        self.log_prob_while(n, rows, request, &|| true)
    }

    /// The same for as long as `go_on` returns true, which is called before each evaluation of the
    /// network, perhaps from another thread.
    ///
    /// # Errors
    /// As for [`log_prob`](Self::log_prob), and [`ModelError::Stopped`] when `go_on` returned
    /// false.
    pub fn log_prob_while(
        &self,
        n: usize,
        rows: impl Fn(Range<usize>) -> Rows,
        request: &DensityRequest,
        go_on: &(dyn Fn() -> bool + Sync),
    ) -> Result<Densities, ModelError> {
        if self.signature().lengths {
            return Err(ModelError::LengthsHaveNoDensity);
        }
        if !self.config().learned_velocity {
            return Err(ModelError::NoVelocity);
        }
        for (key, zero) in [
            ("latents", 0 < self.signature().latent && request.latents == 0),
            ("probes", request.trace == Trace::Probes(0)),
            ("batch", request.batch == 0),
        ] {
            if zero {
                let reason = "is 0, give at least 1".into();
                return Err(ModelError::Setting { key: key.into(), reason });
            }
        }
        let latents = (0 < self.signature().latent).then_some(request.latents);
        let draws = latents.unwrap_or(1);
        let at_once = request.batch.min(n).saturating_mul(self.signature().size()).max(1);
        for (key, value, most) in [
            ("latents", draws, MOST_LATENTS),
            ("probes", request.trace.probes(), (MOST_NUMBERS / at_once).max(1)),
        ] {
            if most < value {
                let reason = format!("is {value}, give at most {most} for so many rows");
                return Err(ModelError::Setting { key: key.into(), reason });
            }
        }
        let mut densities = Densities { latents, ..Densities::default() };
        for start in (0..n).step_by(request.batch) {
            if !go_on() {
                return Err(ModelError::Stopped);
            }
            let range = start..start.saturating_add(request.batch).min(n);
            let batch = rows(range.clone());
            self.check_rows(&batch, range.clone())?;
            if let Some(at) = batch.values.iter().position(|value| !value.is_finite()) {
                let sample = range.start + at / self.signature().size();
                return Err(ModelError::NoDensity { sample, value: batch.values[at] });
            }
            let mut given = Vec::with_capacity(draws);
            for draw in 0..draws {
                let first = draw.saturating_mul(n);
                let part = Part { range: range.clone(), rows: &batch, draw: first };
                given.push(on_pool(&self.device, || {
                    let predictor = self.predictor(self.condition_of_rows(&part, request));
                    let predictor = Interruptible::new(predictor, go_on);
                    let nats = self.batch_of(&predictor, part, request, &mut densities);
                    if predictor.is_stopped() { Err(ModelError::Stopped) } else { nats }
                })?);
            }
            // p(x) = E_z p(x | z); the logarithm of the mean over draws errs low.
            densities.nats.extend((0..range.len()).map(|row| {
                let logs: Vec<f64> = given.iter().map(|nats| nats[row]).collect();
                log_mean_exp(&logs)
            }));
        }
        if 1 < draws {
            densities.probe_error.clear();
        }
        densities.nfe /= n.max(1) as f64;
        Ok(densities)
    }

    /// Refuses rows that are not those of the range, or are told other numbers than the model
    /// reads; what it does not read is left out.
    fn check_rows(&self, rows: &Rows, range: Range<usize>) -> Result<(), ModelError> {
        let (signature, n) = (self.signature(), range.len());
        Self::check_part("row", Some(rows.values.len()), signature.size(), n)?;
        for (what, told, size) in [
            ("condition vector", &rows.vectors, self.vector()),
            ("conditioning row", &rows.contexts, size(&signature.context)),
        ] {
            if 0 < size {
                Self::check_part(what, told.as_ref().map(Vec::len), size, n)?;
                check_finite(what, told.as_deref().unwrap_or_default(), size, range.start)?;
            }
        }
        match &rows.classes {
            Some(classes) if 0 < signature.classes => {
                Self::check_part("class", Some(classes.len()), 1, n)?;
                self.classes_of(&Classes::Each(classes.clone()), 0..n).map(drop)
            }
            _ => Ok(()),
        }
    }

    /// What is known of some rows, and their latents of one draw.
    fn condition_of_rows(&self, part: &Part<'_>, request: &DensityRequest) -> Condition {
        let Part { range, rows, draw } = part;
        let n = range.len().max(1);
        let mut condition = rows
            .classes
            .as_ref()
            .map_or_else(Condition::none, |classes| Condition::classes(classes, &self.device));
        if let Some(vectors) = &rows.vectors {
            condition = condition.with_vector(self.tensor(vectors, vectors.len() / n));
        }
        if let Some(contexts) = &rows.contexts {
            condition = condition.with_context(self.tensor(contexts, contexts.len() / n));
        }
        match self.signature().latent {
            0 => condition,
            size => {
                let range = range.start + draw..range.end + draw;
                condition.with_latent(latents(request.seed, range, size, &self.device))
            }
        }
    }

    fn batch_of(
        &self,
        predictor: &dyn Predictor,
        Part { range, rows, .. }: Part<'_>,
        request: &DensityRequest,
        densities: &mut Densities,
    ) -> Result<Vec<f64>, ModelError> {
        let (n, size) = (range.len(), self.signature().size());
        let x1 = self.tensor(&rows.values, size);
        let divergence: Box<dyn Divergence> = match request.trace {
            // Copies of the batch fill a pass, and no more than a batch of rows.
            Trace::Exact => Box::new(ExactTrace { chunk: request.batch / n }),
            Trace::Probes(probes) => {
                let (law, seed) = (request.probe, request.seed);
                Box::new(Hutchinson::draw(law, probes, seed, range, size, &self.device))
            }
        };
        let likelihood = request.likelihood.clone().with_source(self.source.clone());
        let found = likelihood.log_prob(predictor, x1, &*divergence)?;
        densities.probe_error.extend(found.std_error.into_iter().flatten());
        densities.nfe += (found.nfe * n) as f64;
        let (start, end) = predictor.span();
        densities.span = (end, start);
        Ok(found.nats)
    }
}

/// Some rows, to be seen under one draw of the latent.
struct Part<'a> {
    range: Range<usize>,
    rows: &'a Rows,
    /// Index of the draw's first row in the stream of latents.
    draw: usize,
}
