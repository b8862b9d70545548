//! Routes: the handler of each request.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, HOST, HeaderName, HeaderValue};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::held::held;
use crate::refusal::Refusal;
use crate::settings::Limits;
use crate::typed::typed;
use crate::{body, endpoints, page};

/// Paths that are answered, as they are counted.
const PATHS: [&str; 11] = [
    "/",
    "/page.css",
    "/page.js",
    "/server.js",
    "/healthz",
    "/metrics",
    "/openapi.json",
    "/v1/model",
    "/v1/sample",
    "/v1/log_prob",
    "/v1/impute",
];

/// Whether a path holds nothing of the model, so that it is answered without a token.
fn is_open(path: &str) -> bool {
    !path.starts_with("/v1/") && path != "/metrics"
}

pub(crate) fn router(app: Arc<App>) -> Router {
    let on_post = |endpoint: Endpoint| {
        post(move |State(app): State<Arc<App>>, request: Request| async move {
            endpoint.answer(&app, request).await.unwrap_or_else(IntoResponse::into_response)
        })
    };
    Router::new()
        .route("/", get(|| async { page::html() }))
        .route("/page.css", get(|| async { page::css() }))
        .route("/page.js", get(|| async { page::script() }))
        .route("/server.js", get(|| async { page::server() }))
        .route("/openapi.json", get(|| async { page::openapi() }))
        .route("/healthz", get(|| async { json(&json!({ "status": "ok" })) }))
        .route("/metrics", get(metrics))
        .route("/v1/model", get(model))
        .route("/v1/sample", on_post(Endpoint::Sample))
        .route("/v1/log_prob", on_post(Endpoint::LogProb))
        .route("/v1/impute", on_post(Endpoint::Impute))
        .fallback(|request: Request| async move {
            let path = request.uri().path().to_owned();
            let sentence = format!("there is nothing at {path}: see /openapi.json");
            Refusal::new(StatusCode::NOT_FOUND, sentence)
        })
        .method_not_allowed_fallback(|request: Request| async move {
            let (method, path) = (request.method().clone(), request.uri().path().to_owned());
            let sentence = format!("{path} takes no {method}: see /openapi.json");
            Refusal::new(StatusCode::METHOD_NOT_ALLOWED, sentence)
        })
        .layer(from_fn_with_state(Arc::clone(&app), around))
        .with_state(app)
}

/// What is computed for a request.
#[derive(Clone, Copy)]
enum Endpoint {
    Sample,
    LogProb,
    Impute,
}

impl Endpoint {
    async fn answer(self, app: &App, request: Request) -> Result<Response, Refusal> {
        let place = app.place()?;
        let headers: HeaderMap = request.headers().clone();
        let object: Map<String, Value> = body::object(request, &app.limits).await?;
        let answer = match self {
            Self::Sample => endpoints::sample(app, &headers, object).await,
            Self::LogProb => endpoints::log_prob(app, &headers, object).await,
            Self::Impute => endpoints::impute(app, &headers, object).await,
        };
        Ok(held(answer?, place))
    }
}

async fn model(State(app): State<Arc<App>>) -> Response {
    let mut card = app.api.card();
    let Limits { body, queue, time, .. } = app.limits;
    card["limits"]["body"] = json!(body);
    card["limits"]["queue"] = json!(queue);
    card["limits"]["seconds"] = json!(time.as_secs_f64());
    json(&card)
}

/// A value as an answer.
fn json(value: &Value) -> Response {
    typed("application/json", value.to_string().into_bytes())
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    let text = app.metrics.text(app.waiting());
    typed("text/plain; version=0.0.4", text.into_bytes())
}

/// Asks for the token, counts, and says what browsers should know.
async fn around(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let path = request.uri().path();
    let path = PATHS.into_iter().find(|known| *known == path);
    let mut response = match admitted(&app, &request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    };
    for (name, value) in [
        (CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("x-content-type-options"), "nosniff"),
        // The page loads nothing from elsewhere, and no other page holds it in a frame.
        (
            HeaderName::from_static("content-security-policy"),
            "default-src 'self'; img-src 'self' data: blob:; frame-ancestors 'none'",
        ),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    app.metrics.request(path.unwrap_or("other"), response.status().as_u16(), started.elapsed());
    response
}

/// Refuses who does not carry the token, or without one asks for another host than this machine.
fn admitted(app: &App, request: &Request) -> Result<(), Refusal> {
    let headers = request.headers();
    match &app.token {
        Some(token) if !is_open(request.uri().path()) && !carries(headers, token) => {
            let sentence = "give the token of this server, as `Authorization: Bearer TOKEN`";
            Err(Refusal::new(StatusCode::UNAUTHORIZED, sentence))
        }
        None if is_foreign(headers) => Err(Refusal::new(
            StatusCode::MISDIRECTED_REQUEST,
            "this server has no token and answers to `localhost` or an address alone: ask by one \
             of them, or start it with a token",
        )),
        _ => Ok(()),
    }
}

/// Whether the header `Host` is a name other than `localhost`. Such a name may be one that a page
/// of another site has let point to this machine, so that its scripts count as ours (DNS
/// rebinding); an address cannot be.
fn is_foreign(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(HOST) else { return false };
    let authority = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
    let Some(authority) = authority else { return true };
    let name = authority.host().trim_matches(['[', ']']).to_ascii_lowercase();
    let is_local = name == "localhost" || name.ends_with(".localhost");
    !is_local && name.parse::<IpAddr>().is_err()
}

/// Whether a request carries the token.
fn carries(headers: &HeaderMap, token: &str) -> bool {
    let given = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
    let Some(given) = given.strip_prefix(b"Bearer ") else { return false };
    // All bytes are looked at, so that the time says nothing of how many are right.
    let differ = given.iter().zip(token.as_bytes()).fold(0, |sum, (a, b)| sum | (a ^ b));
    given.len() == token.len() && differ == 0
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_path_is_described() {
        let api: Value =
            serde_json::from_str(include_str!("../page/openapi.json")).expect("it is JSON");
        let paths = api["paths"].as_object().expect("it has paths");
        let described: BTreeSet<&str> = paths.keys().map(String::as_str).collect();
        assert_eq!(described, BTreeSet::from(PATHS));
    }
}
