//! Several requests in one network call, as a server draws what waits.

use std::ops::Range;

use flow_kernels::on_pool;
use flow_sample::Sampler;

use crate::error::ModelError;
use crate::model::Model;
use crate::piece::Piece;
use crate::request::{SampleRequest, Samples};

impl Model {
    /// Draws the samples of several requests with the same settings together.
    ///
    /// Each gets the numbers that it would get alone, because a sample follows from its seed and
    /// its number: bit for bit on fixed steps and burn-flex, within roundings on devices that sum
    /// in another order for another number of rows. Adaptive solvers share their steps within a
    /// batch: with one, draw each request alone.
    ///
    /// Guidance, schedule, grid, times to keep and the size of a batch are those of the first
    /// request, and those of the others are not looked at. `go_on` is called before each evaluation
    /// of the network: when it returns false, nothing more is drawn. It may be called from another
    /// thread.
    ///
    /// # Errors
    /// As for [`sample`](Self::sample), for all of them if it happens to one;
    /// [`ModelError::Stopped`] when `go_on` said no.
    pub fn sample_together(
        &self,
        requests: &[SampleRequest<'_>],
        sampler: &dyn Sampler,
        go_on: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<Samples>, ModelError> {
        requests.iter().try_for_each(|request| self.check(request))?;
        let Some(first) = requests.first() else { return Ok(Vec::new()) };
        let empty = Samples::none(self.signature(), first.keep.len());
        let mut all = vec![empty; requests.len()];
        for batch in batches(requests, first.batch.max(1)) {
            if !go_on() {
                return Err(ModelError::Stopped);
            }
            let pieces: Vec<Piece<'_>> = batch
                .iter()
                .map(|(at, range)| Piece { request: &requests[*at], range: range.clone() })
                .collect();
            let drawn = on_pool(&self.device, || self.part(&pieces, sampler, go_on))?;
            let mut start = 0;
            for (at, range) in batch {
                let rows = start..start + range.len();
                start = rows.end;
                add(&mut all[at], &drawn, rows, self.signature().size(), requests[at].n);
            }
        }
        Ok(all)
    }
}

/// The rows of all requests, one after the other, cut into batches: which requests a batch holds,
/// and which of their samples.
fn batches(requests: &[SampleRequest<'_>], size: usize) -> Vec<Vec<(usize, Range<usize>)>> {
    let (mut all, mut batch, mut free) = (Vec::new(), Vec::new(), size);
    for (at, request) in requests.iter().enumerate() {
        let mut start = 0;
        while start < request.n {
            let end = request.n.min(start + free);
            free -= end - start;
            batch.push((at, start..end));
            start = end;
            if free == 0 {
                all.push(std::mem::take(&mut batch));
                free = size;
            }
        }
    }
    if !batch.is_empty() {
        all.push(batch);
    }
    all
}

/// Adds some rows of a batch to what a request of `n` samples has got.
fn add(to: &mut Samples, drawn: &Samples, rows: Range<usize>, size: usize, n: usize) {
    let numbers = rows.start * size..rows.end * size;
    to.rows.extend_from_slice(&drawn.rows[numbers.clone()]);
    for (to, state) in to.states.iter_mut().zip(&drawn.states) {
        to.extend_from_slice(&state[numbers.clone()]);
    }
    for (to, drawn) in [(&mut to.classes, &drawn.classes), (&mut to.lengths, &drawn.lengths)] {
        to.iter_mut().zip(drawn).for_each(|(to, drawn)| to.extend_from_slice(&drawn[rows.clone()]));
    }
    to.nfe += drawn.nfe * rows.len() as f64 / n as f64;
}
