//! Fewer points for the same picture.

use crate::scene::Point;

/// A curve drawn from left to right with, in each pixel column, only its first, lowest, highest and
/// last point: the stroke covers the same pixels.
///
/// A curve that turns back is returned as it is. (Jugel et al. (2014), "M4: A
/// Visualization-Oriented Time Series Data Aggregation".)
pub(crate) fn curve(points: Vec<Point>) -> Vec<Point> {
    if points.windows(2).any(|pair| pair[1][0] < pair[0][0]) {
        return points;
    }
    let mut thinned = Vec::new();
    for column in points.chunk_by(|a, b| pixel_column(*a) == pixel_column(*b)) {
        let by_height = |i: &usize, j: &usize| column[*i][1].total_cmp(&column[*j][1]);
        let lowest = (0..column.len()).min_by(by_height);
        let highest = (0..column.len()).max_by(by_height);
        let mut kept: Vec<usize> =
            [0, column.len() - 1].into_iter().chain(lowest).chain(highest).collect();
        kept.sort_unstable();
        kept.dedup();
        thinned.extend(kept.into_iter().map(|i| column[i]));
    }
    thinned
}

fn pixel_column([x, _]: Point) -> i32 {
    x.floor() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thinned_curve_keeps_the_extremes_of_every_column() {
        let wave = |i: u16| [f32::from(i) * 0.01, (f32::from(i) * 0.7).sin()];
        let points: Vec<Point> = (0..10_000).map(wave).collect();
        let thinned = curve(points.clone());
        assert!(thinned.len() <= 400, "{}", thinned.len());
        for column in 0..100 {
            let span = |points: &[Point]| {
                let inside = points.iter().filter(|p| pixel_column(**p) == column);
                inside.fold((f32::MAX, f32::MIN), |(a, b), p| (a.min(p[1]), b.max(p[1])))
            };
            assert_eq!(span(&points), span(&thinned), "column {column}");
        }
    }

    #[test]
    fn a_curve_that_turns_back_is_left_alone() {
        let circle: Vec<Point> = (0..50u8).map(|i| f32::from(i).sin_cos().into()).collect();
        assert_eq!(curve(circle.clone()), circle);
    }
}
