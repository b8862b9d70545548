//! The page at `/`, and the description of the interface.

use axum::response::Response;
use flow_api::page::{PLACE, SCRIPT, SECTIONS, STYLE};

use crate::typed::typed;

pub(crate) fn html() -> Response {
    typed(
        "text/html; charset=utf-8",
        include_str!("../page/index.html").replace(PLACE, SECTIONS).into_bytes(),
    )
}

pub(crate) fn css() -> Response {
    typed("text/css; charset=utf-8", STYLE.into())
}

pub(crate) fn script() -> Response {
    typed("text/javascript; charset=utf-8", SCRIPT.into())
}

/// How the page asks, over HTTP.
pub(crate) fn server() -> Response {
    typed("text/javascript; charset=utf-8", include_bytes!("../page/server.js").to_vec())
}

pub(crate) fn openapi() -> Response {
    let text = include_str!("../page/openapi.json").replace("VERSION", env!("CARGO_PKG_VERSION"));
    typed("application/json", text.into_bytes())
}
