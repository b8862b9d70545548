//! Bytes with their type.

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use flow_api::Reply;

/// Bytes of a type.
pub(crate) fn typed(media: &'static str, bytes: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(bytes));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media));
    response
}

/// An answer of the model.
pub(crate) fn reply(Reply { form, bytes }: Reply) -> Response {
    typed(form.media(), bytes)
}
