//! Answers to requests that cannot be met: a status and one sentence, as JSON.

use axum::http::StatusCode;
use axum::http::header::{HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use flow_api::Refused;
use serde_json::json;

use crate::typed::typed;

/// Why a request is not met.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    sentence: String,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, sentence: impl Into<String>) -> Self {
        // Some errors of parsers have several lines.
        Self { status, sentence: sentence.into().trim().replace('\n', ", ") }
    }

    /// Something in the request that cannot be.
    pub(crate) fn bad(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, sentence)
    }

    /// A request that waited or was computed for too long.
    pub(crate) fn late() -> Self {
        Self::new(
            StatusCode::GATEWAY_TIMEOUT,
            "the request took longer than this server allows: ask for fewer rows or steps, or \
             again when it is less busy",
        )
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        let status = match refused {
            Refused::Stopped => return Self::late(),
            Refused::Form(_) => StatusCode::NOT_ACCEPTABLE,
            Refused::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        };
        Self::new(status, refused.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self { status, sentence } = self;
        let body = json!({ "error": { "status": status.as_u16(), "message": sentence } });
        let mut response = typed("application/json", body.to_string().into_bytes());
        *response.status_mut() = status;
        let header: Option<(HeaderName, &str)> = match status {
            StatusCode::TOO_MANY_REQUESTS => Some((RETRY_AFTER, "1")),
            StatusCode::UNAUTHORIZED => Some((WWW_AUTHENTICATE, "Bearer")),
            _ => None,
        };
        if let Some((name, value)) = header {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}
