//! State that all requests share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use flow_api::{Api, Limits as Most};
use flow_model::Model;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::error::ServeError;
use crate::metrics::Metrics;
use crate::queue::{Job, Queue, Waits};
use crate::refusal::Refusal;
use crate::settings::{Limits, Settings};
use crate::worker::Worker;

/// The model, its limits, and the thread that asks it.
pub(crate) struct App {
    pub(crate) api: Arc<Api>,
    pub(crate) limits: Limits,
    pub(crate) token: Option<String>,
    pub(crate) metrics: Arc<Metrics>,
    queue: Arc<Queue>,
    /// Places for requests that are read, wait, are computed or answered.
    places: Arc<Semaphore>,
    /// Ends with the last router.
    _worker: Worker,
}

impl App {
    pub(crate) fn new(model: Model, settings: Settings) -> Result<Self, ServeError> {
        let Settings { limits, token } = settings;
        let most = Most { n: limits.n, steps: limits.steps, ..Most::default() };
        let (api, queue) = (Arc::new(Api::new(model, most)?), Arc::<Queue>::default());
        let metrics = Arc::<Metrics>::default();
        let worker = Worker::start(&queue, api.model(), &metrics)
            .map_err(|source| ServeError::Run { source })?;
        let places = Arc::new(Semaphore::new(limits.most_requests() as usize));
        Ok(Self { api, limits, token, metrics, queue, places, _worker: worker })
    }

    /// Requests that wait for the network.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Waits until no request is served any more.
    pub(crate) async fn idle(&self) {
        let _ = self.places.acquire_many(self.limits.most_requests()).await;
    }

    /// A place among the requests that are served, as long as there is one.
    pub(crate) fn place(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        Arc::clone(&self.places).try_acquire_owned().map_err(|_| {
            let sentence = format!(
                "{} requests are waiting already, which is all that this server takes: ask again \
                 in a second",
                self.limits.queue
            );
            Refusal::new(StatusCode::TOO_MANY_REQUESTS, sentence)
        })
    }

    /// Lets the network's thread do a job and waits for its reply, no longer than is allowed and no
    /// longer than the client does: when this is dropped, so is the job.
    pub(crate) async fn ask<T>(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<T, Refusal>>, Waits) -> Job,
    ) -> Result<T, Refusal> {
        let until = Instant::now() + self.limits.time;
        let (reply, answer) = oneshot::channel();
        let client = self.queue.client(until);
        self.queue.push(job(reply, client.waits()));
        match tokio::time::timeout_at(until.into(), answer).await {
            Ok(Ok(answer)) => answer,
            // A job whose time is over is dropped by the other thread as well.
            Err(_) | Ok(Err(_)) if until <= Instant::now() + Duration::from_millis(1) => {
                Err(Refusal::late())
            }
            _ => Err(Refusal::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the server failed at this request and goes on",
            )),
        }
    }
}
