//! From a value to its place along an axis.

/// How values are spread along an axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Scale {
    /// Equal differences are equally far apart.
    #[default]
    Linear,
    /// Equal ratios are equally far apart; only positive values have a place.
    Log,
}

impl Scale {
    /// `value` where its axis is even: itself or its decimal logarithm; `None` where it has no
    /// place.
    ///
    /// Beyond 1e300 and, on a logarithmic axis, below 1e-300, differences would leave the range of
    /// `f64`: such values have no place either.
    pub(crate) fn even(self, value: f64) -> Option<f64> {
        match self {
            Self::Linear => (value.abs() <= 1e300).then_some(value),
            Self::Log => (1e-300..=1e300).contains(&value).then(|| value.log10()),
        }
    }
}

/// The values that an axis shows, from `low` to `high` in the even coordinates of [`Scale::even`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Range {
    pub(crate) scale: Scale,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Range {
    /// A linear range.
    pub(crate) fn linear(low: f64, high: f64) -> Self {
        Self { scale: Scale::Linear, low, high }
    }

    /// The range from the least to the greatest of `values`, of those that have a place; for none
    /// or for ones that are equal up to rounding, a range around them.
    pub(crate) fn around(scale: Scale, values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = values
            .filter_map(|value| scale.even(value))
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), u| (a.min(u), b.max(u)));
        if low > high {
            return Self { scale, low: 0.0, high: 1.0 };
        }
        let equal = high - low <= 4.0 * f64::EPSILON * low.abs().max(high.abs());
        let pad = if equal { equal_values_half_width(scale, low, high) } else { 0.0 };
        Self { scale, low: low - pad, high: high + pad }
    }

    /// Extends a linear range of positive values to zero if it begins near it.
    pub(crate) fn extended_to_zero_if_near(self) -> Self {
        let near = self.scale == Scale::Linear && self.low > 0.0 && self.low < 0.3 * self.high;
        if near { Self { low: 0.0, ..self } } else { self }
    }

    /// Adds a margin at both ends, but none below zero where a linear range starts there.
    pub(crate) fn with_margin(self, part: f64) -> Self {
        let margin = part * (self.high - self.low);
        let at_zero = self.scale == Scale::Linear && self.low == 0.0;
        let low = if at_zero { 0.0 } else { self.low - margin };
        Self { low, high: self.high + margin, ..self }
    }

    /// Where `value` lies: 0 at the low end, 1 at the high end, outside `[0, 1]` beyond them.
    ///
    /// Far beyond the ends, all values share one place, so that coordinates stay small.
    pub(crate) fn fraction(&self, value: f64) -> Option<f64> {
        let even = self.scale.even(value)?;
        Some(((even - self.low) / (self.high - self.low)).clamp(-20.0, 21.0))
    }
}

/// Half the width of the range around values that are all the same.
fn equal_values_half_width(scale: Scale, low: f64, high: f64) -> f64 {
    match scale {
        Scale::Log => 0.2,
        Scale::Linear if low == 0.0 && high == 0.0 => 0.5,
        Scale::Linear => 0.1 * low.abs().max(high.abs()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_axis_gives_decades_equal_room_and_zero_none() {
        let range = Range::around(Scale::Log, [1e-4, 1.0].into_iter());
        assert!(range.fraction(1e-2).is_some_and(|middle| (middle - 0.5).abs() < 1e-12));
        assert_eq!(range.fraction(0.0), None);
        assert_eq!(range.fraction(-1.0), None);
    }

    #[test]
    fn values_that_are_not_finite_do_not_stretch_the_range() {
        let values = [f64::NAN, 1.0, f64::INFINITY, 2.0, f64::NEG_INFINITY];
        let range = Range::around(Scale::Linear, values.into_iter());
        assert_eq!(range, Range::linear(1.0, 2.0));
    }

    #[test]
    fn empty_and_constant_data_have_a_range_of_positive_width() {
        for scale in [Scale::Linear, Scale::Log] {
            for values in [&[][..], &[3e-4, 3e-4], &[1e300], &[1e-300, f64::NAN], &[0.0]] {
                let range = Range::around(scale, values.iter().copied());
                assert!(range.high > range.low, "{range:?} of {values:?}");
            }
        }
    }

    #[test]
    fn values_that_differ_little_from_each_other_fill_their_range() {
        for values in [[1e6, 1e6 + 0.5], [1e5 - 0.005, 1e5 + 0.005], [1.0, 1.0 + 1e-12]] {
            let range = Range::around(Scale::Linear, values.into_iter());
            assert_eq!(range, Range::linear(values[0], values[1]));
        }
        let equal = [0.1 + 0.2, 0.3];
        assert!(Range::around(Scale::Linear, equal.into_iter()).high > 0.32);
    }

    #[test]
    fn ranges_that_begin_near_zero_are_shown_from_zero() {
        let shown =
            |low, high| Range::linear(low, high).extended_to_zero_if_near().with_margin(0.1);
        assert_eq!(shown(0.1, 1.0), Range::linear(0.0, 1.1));
        assert_eq!(shown(1.0, 2.0), Range::linear(0.9, 2.1));
        assert_eq!(shown(-0.5, 2.0), Range::linear(-0.75, 2.25));
    }
}
