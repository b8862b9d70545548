//! Pictures from plain numbers: curves, clouds, trajectories, density frames, image grids,
//! animations.
//!
//! The crate knows nothing of tensors, networks or paths: callers hand over slices of numbers. A
//! [`Figure`] is a drawing of lines, dots, text and images that is written as SVG or, at twice the
//! size, as PNG; a [`Picture`] is a block of pixels, for grids of images and frames of animations.
//! The font is embedded, so nothing has to be installed, and the same input gives the same bytes.
//!
//! | to show | call |
//! |---|---|
//! | curves against a step or a time | [`Chart`] |
//! | samples beside data | [`clouds`] |
//! | the columns of rows, and their pairs | [`marginals`], [`corner`] |
//! | the way from noise to data | [`trajectories`] |
//! | the density at a few times | [`density_frames`] |
//! | a function of two variables, or several | [`heat_map`], [`heat_maps`] |
//! | generated images | [`image_grid`] |
//! | several things at a few times, one below the other | [`image_strips`], [`cloud_strips`] |
//! | samples of whatever shape has a picture | [`samples`] |
//! | the flow as it moves | [`flow_frames`] and [`animate`] |
//!
//! Numbers that cannot be drawn (NaN, infinite, or not positive on a logarithmic axis) leave a gap;
//! a plot with nothing to show is drawn empty. Data far from zero fill the plot as those near it
//! do, with ticks that count from the first. Files appear whole or not at all, and a picture beyond
//! 134 million pixels is refused before memory is asked for.
//!
//! A text is one line: white space becomes a blank, and characters that XML forbids are left out.
//! Pictures show Latin letters, Greek and mathematical signs; other letters are an empty box there
//! and, in SVG, what the viewer's fonts have.
//!
//! ```
//! use flow_plot::Chart;
//!
//! let loss: Vec<(f64, f64)> = (1..=100).map(|i| (f64::from(i), 1.0 / f64::from(i))).collect();
//! let floor = [(1.0, 0.01), (100.0, 0.01)];
//! let folder = std::env::temp_dir();
//! Chart::new("Training")
//!     .x("images")
//!     .y("loss")
//!     .log_y()
//!     .line("train", &loss)
//!     .dashed("floor", &floor)
//!     .save(folder.join("flow-plot-doc.svg"))?;
//! # std::fs::remove_file(folder.join("flow-plot-doc.svg")).unwrap();
//! # Ok::<(), flow_plot::PlotError>(())
//! ```

mod chart;
mod clouds;
mod corner;
mod density;
mod heat_map;
mod image_grid;
mod samples;
mod strips;
mod trajectories;

mod animation;
mod figure;
mod picture;

mod axes;
mod color_bar;
mod legend;
mod limits;
mod panels;
mod scale;
mod series;
mod thin;
mod ticks;

mod color;
mod error;
mod file;
mod font;
mod palette;
mod raster;
mod scene;
mod svg;

pub use animation::{animate, flow_frames};
pub use chart::Chart;
pub use clouds::clouds;
pub use corner::{corner, marginals};
pub use density::density_frames;
pub use error::PlotError;
pub use figure::Figure;
pub use heat_map::{heat_map, heat_maps};
pub use image_grid::image_grid;

pub use limits::Limits;
pub use picture::Picture;
pub use samples::samples;
pub use series::{Series, Style};
pub use strips::{cloud_strips, image_strips};
pub use trajectories::trajectories;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
