//! The page at `/`, and the description of the interface.

use axum::response::Response;

use crate::typed::typed;

pub(crate) fn html() -> Response {
    typed("text/html; charset=utf-8", include_bytes!("../page/index.html").to_vec())
}

pub(crate) fn css() -> Response {
    typed("text/css; charset=utf-8", include_bytes!("../page/page.css").to_vec())
}

pub(crate) fn script() -> Response {
    typed("text/javascript; charset=utf-8", include_bytes!("../page/page.js").to_vec())
}

pub(crate) fn openapi() -> Response {
    let text = include_str!("../page/openapi.json").replace("VERSION", env!("CARGO_PKG_VERSION"));
    typed("application/json", text.into_bytes())
}
