//! Requests to the model, by way of the queue.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::response::Response;
use flow_api::{Form, Imputing, Refused, Sampling, Scoring};
use serde_json::{Map, Value};

use crate::accept::wanted;
use crate::app::App;
use crate::queue::{Call, Draw, Job, Together, Waits};
use crate::refusal::Refusal;
use crate::typed::reply;
use crate::worker::caught;

/// `POST /v1/sample`.
pub(crate) async fn sample(
    app: &App,
    headers: &HeaderMap,
    object: Map<String, Value>,
) -> Result<Response, Refusal> {
    let form = wanted(headers, &Form::ALL)?;
    let Sampling { request, plan, settings, answer } = Sampling::read(&app.api, object, form)?;
    let together = (!plan.adapts()).then(|| Together {
        settings,
        guided: request.guidance.is_some(),
        keep: request.keep.clone(),
    });
    let samples = app
        .ask(|reply, waits| Job::Draw(Box::new(Draw { request, plan, together, reply, waits })))
        .await?;
    Ok(reply(answer.write(&app.api, &samples)?))
}

/// `POST /v1/log_prob`.
pub(crate) async fn log_prob(
    app: &App,
    headers: &HeaderMap,
    object: Map<String, Value>,
) -> Result<Response, Refusal> {
    let form = wanted(headers, &Form::TABLES)?;
    let scoring = Scoring::read(&app.api, object, form)?;
    let (scoring, model) = (Arc::new(scoring), Arc::clone(app.api.model()));
    let asked = Arc::clone(&scoring);
    let found = call(app, move |waits| asked.compute(&model, &|| waits.still())).await?;
    Ok(reply(scoring.write(&found)?))
}

/// `POST /v1/impute`.
pub(crate) async fn impute(
    app: &App,
    headers: &HeaderMap,
    object: Map<String, Value>,
) -> Result<Response, Refusal> {
    let form = wanted(headers, &Form::TABLES)?;
    let imputing = Arc::new(Imputing::read(&app.api, object, form)?);
    let (asked, api) = (Arc::clone(&imputing), Arc::clone(&app.api));
    let answered = call(app, move |waits| asked.compute(&api, &|| waits.still())).await?;
    Ok(reply(imputing.write(&app.api, &answered)?))
}

/// Lets the network's thread do some work.
async fn call<T: Send + 'static>(
    app: &App,
    work: impl FnOnce(&Waits) -> Result<T, Refused> + Send + 'static,
) -> Result<T, Refusal> {
    app.ask(|reply, waits| {
        let work = move |waits: &Waits| {
            let found = caught(|| work(waits));
            // Sending fails when the client has closed its connection, which is no error.
            let _ = reply.send(found.and_then(|found| Ok(found?)));
        };
        Job::Call(Call { work: Box::new(work), waits })
    })
    .await
}
