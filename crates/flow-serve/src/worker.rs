//! The thread that asks the network.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use axum::http::StatusCode;
use flow_api::Refused;
use flow_model::{Model, SampleRequest, Samples};

use crate::metrics::Metrics;
use crate::queue::{Draw, Next, Queue};
use crate::refusal::Refusal;

/// One thread, whose network calls use all threads of rayon's pool; it ends after this value is
/// gone and all that still waits is done.
pub(crate) struct Worker(Arc<Queue>);

impl Worker {
    pub(crate) fn start(
        queue: &Arc<Queue>,
        model: &Arc<Model>,
        metrics: &Arc<Metrics>,
    ) -> std::io::Result<Self> {
        let (own, model, metrics) = (Arc::clone(queue), Arc::clone(model), Arc::clone(metrics));
        let work = move || {
            while let Some(next) = own.next() {
                let started = Instant::now();
                match next {
                    Next::Draws(draws) => {
                        metrics.batch(draws.len(), draws.iter().map(|draw| draw.request.n).sum());
                        answer(&model, draws);
                    }
                    Next::Call(call) => {
                        // The reply is dropped with the work, which its client takes for a failure.
                        let _ = caught(|| (call.work)(&call.waits));
                    }
                }
                metrics.computed(started.elapsed());
            }
        };
        std::thread::Builder::new().name("network".into()).spawn(work)?;
        Ok(Self(Arc::clone(queue)))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Draws for all, and for each alone where that fails for one of them.
fn answer(model: &Model, draws: Vec<Draw>) {
    match together(model, &draws) {
        Ok(samples) => {
            for (draw, samples) in draws.into_iter().zip(samples) {
                // Sending fails when the client has closed its connection, which is no error.
                let _ = draw.reply.send(Ok(samples));
            }
        }
        Err(refusal) if draws.len() == 1 => {
            for draw in draws {
                let _ = draw.reply.send(Err(refusal.clone()));
            }
        }
        Err(_) => draws.into_iter().for_each(|draw| answer(model, vec![draw])),
    }
}

fn together(model: &Model, draws: &[Draw]) -> Result<Vec<Samples>, Refusal> {
    let Some(first) = draws.first() else { return Ok(Vec::new()) };
    let requests: Vec<SampleRequest<'_>> = draws.iter().map(|draw| draw.request.clone()).collect();
    let go_on = || draws.iter().any(|draw| draw.waits.still());
    let sampler = first.plan.sampler();
    let drawn = caught(|| model.sample_together(&requests, &*sampler, &go_on))?;
    Ok(drawn.map_err(Refused::from)?)
}

/// The result, or the text of a panic.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, Refusal> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| failed(&*panic))
}

/// A panic of the network, which is a fault of the program.
fn failed(panic: &(dyn Any + Send)) -> Refusal {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    let sentence = format!("the server failed at this request and goes on: {text}");
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, sentence)
}
