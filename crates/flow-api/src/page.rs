//! The page of a model, for any server: a form made from its card, its samples, and the flow as
//! it moves.
//!
//! The script asks by a function `ask(path, body, accept, signal)` that another script of the page
//! provides: over HTTP, or of a core that runs in the browser. Its parts stand in a `<main>`.

/// The sections of the page.
pub const SECTIONS: &str = include_str!("../page/sections.html");
/// What makes the form and draws the samples.
pub const SCRIPT: &str = include_str!("../page/page.js");
/// Light and dark, wide and narrow.
pub const STYLE: &str = include_str!("../page/page.css");
/// Where a page holds its [`SECTIONS`].
pub const PLACE: &str = "<!-- sections -->";
