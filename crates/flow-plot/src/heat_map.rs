//! A function of two variables as colours.

use crate::color::ColorMap;
use crate::color_bar::ColorBar;
use crate::panels::{Backdrop, Panels};
use crate::scale::{Range, Scale};
use crate::scene::Mark;
use crate::{Figure, Limits, Picture};

/// A table of values as coloured cells over `extent`, with a colour bar named `label`.
///
/// `values` is row by row, `values[row * columns + column]`, and the first row is the lowest:
/// `x` grows with the column and `y` with the row. Cells that are not finite are pink.
///
/// # Panics
/// Panics if `values` does not hold `rows * columns` numbers, if either is zero, or if the extent
/// is not finite or does not grow.
#[must_use]
pub fn heat_map(
    values: &[f64],
    rows: usize,
    columns: usize,
    extent: Limits,
    label: &str,
) -> Figure {
    heat_maps(&[("", values)], rows, columns, extent, label)
}

/// Several tables as in [`heat_map`], each with a title, side by side on one colour scale.
///
/// # Panics
/// As [`heat_map`].
#[must_use]
pub fn heat_maps(
    maps: &[(&str, &[f64])],
    rows: usize,
    columns: usize,
    extent: Limits,
    label: &str,
) -> Figure {
    assert!(rows > 0 && columns > 0, "expected a table of cells, got {rows} x {columns}");
    for (_, values) in maps {
        let expected = rows.checked_mul(columns);
        assert_eq!(Some(values.len()), expected, "expected {rows} x {columns} values");
    }
    let all = maps.iter().flat_map(|(_, values)| values.iter().copied());
    let range = Range::around(Scale::Linear, all);
    let picture = |values: &[f64]| {
        Picture::from_fn(columns as u32, rows as u32, |column, row| {
            let value = values[(rows - 1 - row as usize) * columns + column as usize];
            ColorMap::Viridis.at(range.fraction(value).unwrap_or(f64::NAN))
        })
    };
    let pictures: Vec<Picture> = maps.iter().map(|(_, values)| picture(values)).collect();
    let titles: Vec<&str> = maps.iter().map(|(title, _)| *title).collect();
    let color_bar = Some(ColorBar { map: ColorMap::Viridis, range, label });
    Panels { limits: extent, backdrop: Backdrop::Plain, color_bar }.figure(&titles, |axes, i| {
        vec![Mark::Image { area: axes.area, picture: pictures[i].clone() }]
    })
}
