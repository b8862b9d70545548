//! Bodies of requests: JSON objects of bounded size.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use serde_json::{Map, Value};

use crate::refusal::Refusal;
use crate::settings::Limits;

/// The JSON object of a request.
pub(crate) async fn object(
    request: Request,
    limits: &Limits,
) -> Result<Map<String, Value>, Refusal> {
    let most = limits.body;
    let (parts, body) = request.into_parts();
    let media = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media = media.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    // Anything else could be sent by a page of another site without asking.
    if !media.eq_ignore_ascii_case("application/json") {
        return Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the body must be JSON, with the header `Content-Type: application/json`",
        ));
    }
    let said = parts.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let too_large = || {
        let sentence = format!("the body is larger than the {most} bytes that this server takes");
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, sentence)
    };
    if said.and_then(|said| said.parse().ok()).is_some_and(|length: usize| most < length) {
        return Err(too_large());
    }
    let bytes = read(body, limits).await?.ok_or_else(too_large)?;
    Ok(flow_api::object(&bytes)?)
}

/// The bytes of a body; nothing for one that is larger.
async fn read(body: Body, limits: &Limits) -> Result<Option<Vec<u8>>, Refusal> {
    match tokio::time::timeout(limits.patience, to_bytes(body, limits.body)).await {
        Ok(Ok(bytes)) => Ok(Some(bytes.into())),
        Ok(Err(error)) if is_too_large(&error) => Ok(None),
        Ok(Err(error)) => Err(Refusal::bad(format!("the body cannot be read: {error}"))),
        Err(_) => Err(Refusal::new(
            StatusCode::REQUEST_TIMEOUT,
            format!("the body was not there after {:?}", limits.patience),
        )),
    }
}

fn is_too_large(error: &axum::Error) -> bool {
    let mut causes = std::iter::successors(Some(error as &dyn std::error::Error), |e| e.source());
    causes.any(|cause| cause.to_string().contains("length limit exceeded"))
}
