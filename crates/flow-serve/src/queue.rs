//! Requests that wait for the network, and which of them are computed together.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use flow_model::{Asked, SampleConfig, SamplePlan, SampleRequest, Samples};
use tokio::sync::oneshot;

use crate::refusal::Refusal;

/// Rows that are drawn together: those of a batch of `flow sample`, so that an adaptive solver,
/// whose steps a batch shares, gives the same numbers.
pub(crate) const BATCH: usize = 500;

/// Whether a client still waits for an answer.
#[derive(Clone, Debug)]
pub(crate) struct Waits {
    here: Arc<AtomicBool>,
    until: Instant,
}

impl Waits {
    pub(crate) fn still(&self) -> bool {
        self.here.load(Ordering::Relaxed) && Instant::now() < self.until
    }
}

/// A client that waits: when it is dropped, so is what it waits for, whether the network's thread
/// is busy or not. So no more waits than there are clients.
pub(crate) struct Client {
    waits: Waits,
    queue: Arc<Queue>,
}

impl Client {
    pub(crate) fn waits(&self) -> Waits {
        self.waits.clone()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.waits.here.store(false, Ordering::Relaxed);
        self.queue.state().forget();
    }
}

/// What requests have in common that can be drawn by one network call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Together {
    pub(crate) settings: (SampleConfig, Asked),
    pub(crate) guided: bool,
    pub(crate) keep: Vec<f64>,
}

/// Samples to draw.
pub(crate) struct Draw {
    pub(crate) request: SampleRequest<'static>,
    pub(crate) plan: SamplePlan,
    /// Nothing for what is drawn alone.
    pub(crate) together: Option<Together>,
    pub(crate) reply: oneshot::Sender<Result<Samples, Refusal>>,
    pub(crate) waits: Waits,
}

/// Anything else that needs the network.
pub(crate) struct Call {
    pub(crate) work: Box<dyn FnOnce(&Waits) + Send>,
    pub(crate) waits: Waits,
}

pub(crate) enum Job {
    Draw(Box<Draw>),
    Call(Call),
}

impl Job {
    fn waits(&self) -> &Waits {
        match self {
            Self::Draw(draw) => &draw.waits,
            Self::Call(call) => &call.waits,
        }
    }
}

/// What is computed next.
pub(crate) enum Next {
    /// Samples that are drawn together.
    Draws(Vec<Draw>),
    /// Something else.
    Call(Call),
}

/// First come, first served, together with all requests that can share the batch of the first.
#[derive(Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    closed: bool,
}

impl State {
    /// Drops what nobody waits for.
    fn forget(&mut self) {
        self.jobs.retain(|job| job.waits().still());
    }
}

impl Queue {
    /// A client that waits until some time at most.
    pub(crate) fn client(self: &Arc<Self>, until: Instant) -> Client {
        let waits = Waits { here: Arc::new(AtomicBool::new(true)), until };
        Client { waits, queue: Arc::clone(self) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn push(&self, job: Job) {
        self.state().jobs.push_back(job);
        self.changed.notify_one();
    }

    pub(crate) fn len(&self) -> usize {
        self.state().jobs.len()
    }

    /// Lets [`next`](Self::next) end when nothing waits any more.
    pub(crate) fn close(&self) {
        self.state().closed = true;
        self.changed.notify_all();
    }

    /// Waits for work; nothing once the queue is closed and empty.
    pub(crate) fn next(&self) -> Option<Next> {
        let mut state = self.state();
        loop {
            state.forget();
            match state.jobs.pop_front() {
                Some(Job::Call(call)) => return Some(Next::Call(call)),
                Some(Job::Draw(first)) => {
                    return Some(Next::Draws(with_others(*first, &mut state)));
                }
                None if state.closed => return None,
                None => {
                    state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }
}

/// A request with all that wait and fit into its batch.
fn with_others(first: Draw, state: &mut State) -> Vec<Draw> {
    let mut rows = first.request.n;
    let mut draws = vec![first];
    if draws[0].together.is_none() {
        return draws;
    }
    for job in std::mem::take(&mut state.jobs) {
        match job {
            Job::Draw(draw)
                if draw.together == draws[0].together && rows + draw.request.n <= BATCH =>
            {
                rows += draw.request.n;
                draws.push(*draw);
            }
            other => state.jobs.push_back(other),
        }
    }
    draws
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Nothing takes jobs here, as while the network's thread is busy.
    #[test]
    fn a_job_leaves_the_queue_with_its_client() {
        let queue = Arc::<Queue>::default();
        let asked = |until: Duration| {
            let client = queue.client(Instant::now() + until);
            queue.push(Job::Call(Call { work: Box::new(|_| {}), waits: client.waits() }));
            client
        };
        let (first, second) = (asked(Duration::from_mins(1)), asked(Duration::from_mins(1)));
        assert_eq!(queue.len(), 2);
        drop(first);
        assert_eq!(queue.len(), 1);
        for _ in 0..1_000 {
            drop(asked(Duration::ZERO));
        }
        assert_eq!(queue.len(), 1);
        drop(second);
        assert_eq!(queue.len(), 0);
    }
}
