//! Point clouds: samples beside data.

use crate::axes::Axes;
use crate::panels::{Backdrop, Panels};
use crate::scene::{Ink, Mark};
use crate::{Figure, Limits, color};

/// Scatter plots side by side, each with its title, all with the same `limits`.
///
/// Points beyond the limits, or not finite, are left out. The more points, the smaller and more
/// translucent the dots, so that crowded regions look darker.
///
/// # Panics
/// Panics if the limits are not finite or do not grow.
#[must_use]
pub fn clouds(panels: &[(&str, &[[f32; 2]])], limits: Limits) -> Figure {
    let titles: Vec<&str> = panels.iter().map(|(title, _)| *title).collect();
    Panels { limits, backdrop: Backdrop::Grid, color_bar: None }
        .figure(&titles, |axes, i| vec![dots(axes, panels[i].1)])
}

/// The points that lie inside the axes.
pub(crate) fn dots(axes: &Axes, points: &[[f32; 2]]) -> Mark {
    let place = |[x, y]: &[f32; 2]| axes.place(f64::from(*x), f64::from(*y));
    let centers: Vec<_> =
        points.iter().filter_map(place).filter(|at| axes.area.contains(*at)).collect();
    // Smaller and paler dots as their number grows, so that a cloud about keeps its shade.
    let share = axes.area.width / (centers.len().max(1) as f32).sqrt();
    let radius = (0.25 * share).clamp(0.75, 2.2);
    let opacity = (0.15 + 0.12 * share).clamp(0.15, 0.6);
    Mark::Dots { centers, ink: Ink { color: color::BLUE, opacity }, radius }
}
