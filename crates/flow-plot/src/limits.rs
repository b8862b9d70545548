//! The part of the plane that is shown.

/// Points this close, relative to their distance from zero, are one point up to the rounding of
/// `f32`: four units in the last place.
const ONE_POINT: f64 = 4.0 * f32::EPSILON as f64;

/// The part of the plane that a plot shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// The left and the right end.
    pub x: (f64, f64),
    /// The lower and the upper end.
    pub y: (f64, f64),
}

impl Limits {
    /// The square from `-half_side` to `half_side` in both directions.
    #[must_use]
    pub fn square(half_side: f64) -> Self {
        Self { x: (-half_side, half_side), y: (-half_side, half_side) }
    }

    /// A square that shows all but a few far points of all `clouds`, with a margin of 5 %.
    ///
    /// One point in five hundred on either side may lie beyond, so that an outlier does not shrink
    /// the picture. Points that are not finite do not count; around no points, it is the square
    /// from -1 to 1. Points that are all the same, up to the rounding of `f32`, have a tenth of
    /// their distance from zero around them.
    #[must_use]
    pub fn around(clouds: &[&[[f32; 2]]]) -> Self {
        let [x, y] = [0, 1].map(|axis| {
            let coordinates = clouds.iter().copied().flatten().map(|point| point[axis]);
            middle_part(coordinates.filter(|value| value.is_finite()).collect())
        });
        let side = (x.1 - x.0).max(y.1 - y.0);
        let largest = [x.0, x.1, y.0, y.1].into_iter().map(f64::abs).fold(0.0, f64::max);
        let half = match side {
            _ if largest == 0.0 => 1.0,
            _ if side <= ONE_POINT * largest => 0.1 * largest,
            _ => 0.55 * side,
        };
        let around = |(low, high)| {
            let middle = f64::midpoint(low, high);
            (middle - half, middle + half)
        };
        Self { x: around(x), y: around(y) }
    }

    /// Refuses a part of the plane that is none.
    ///
    /// # Panics
    /// If an end is not finite, or not above the other.
    pub(crate) fn assert_growing(&self) {
        for (low, high) in [self.x, self.y] {
            let grow = low < high && (high - low).is_finite();
            assert!(grow, "expected limits from a low to a high number, got {low} and {high}");
        }
    }

    /// Whether `point` is shown.
    pub(crate) fn contain(&self, [x, y]: [f32; 2]) -> bool {
        let within = |value: f32, (low, high)| (low..=high).contains(&f64::from(value));
        within(x, self.x) && within(y, self.y)
    }

    /// Width and height of a panel: the same pixels per unit on both axes, unless one is more than
    /// three times as long as the other.
    pub(crate) fn panel(&self, longer_side: f32) -> (f32, f32) {
        let ratio = ((self.x.1 - self.x.0) / (self.y.1 - self.y.0)) as f32;
        match ratio {
            1.0..=3.0 => (longer_side, (longer_side / ratio).round()),
            0.33..1.0 => ((longer_side * ratio).round(), longer_side),
            _ => (longer_side, longer_side),
        }
    }
}

/// The ends of `values` without the outermost five-hundredth on either side.
fn middle_part(mut values: Vec<f32>) -> (f64, f64) {
    values.sort_unstable_by(f32::total_cmp);
    let beyond = values.len() / 500;
    match values.as_slice() {
        [] => (0.0, 0.0),
        values => (values[beyond].into(), values[values.len() - 1 - beyond].into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_leave_an_outlier_outside() {
        let mut cloud: Vec<[f32; 2]> = (0..1000u16).map(|i| [f32::from(i) / 1000.0, 0.5]).collect();
        cloud.push([1e6, f32::NAN]);
        let limits = Limits::around(&[&cloud]);
        assert!(limits.x.1 < 2.0 && limits.contain([0.0, 0.5]) && limits.contain([1.0, 0.5]));
    }

    #[test]
    fn limits_of_a_small_circle_far_away_are_those_of_the_circle() {
        let angle = |i: u16| std::f32::consts::TAU * f32::from(i) / 200.0;
        let point = |a: f32| [1e6 + 2.0 * a.cos(), 1e6 + 2.0 * a.sin()];
        let cloud: Vec<[f32; 2]> = (0..200).map(angle).map(point).collect();
        let Limits { x, y } = Limits::around(&[&cloud]);
        for (low, high) in [x, y] {
            // A diameter of 4 and a margin of a twentieth on either side, in steps of 0.0625.
            assert!((high - low - 4.4).abs() < 0.2, "{low} {high}");
        }
    }

    #[test]
    fn limits_around_nothing_or_one_point_are_squares() {
        for cloud in [&[][..], &[[f32::NAN, 1.0]], &[[0.0, 0.0]], &[[3.0, -1e20]]] {
            let Limits { x, y } = Limits::around(&[cloud]);
            assert!(x.1 > x.0 && ((x.1 - x.0) - (y.1 - y.0)).abs() <= 1e-6 * (x.1 - x.0));
        }
    }

    #[test]
    fn panels_keep_the_proportions_of_their_limits() {
        let limits = Limits { x: (0.0, 2.0), y: (-1.0, 0.0) };
        assert_eq!(limits.panel(200.0), (200.0, 100.0));
        let narrow = Limits { x: (0.0, 100.0), y: (0.0, 1.0) };
        assert_eq!(narrow.panel(200.0), (200.0, 200.0));
    }
}
