//! Kernels of the maximum mean discrepancy.

use rand::seq::index;

use crate::pairwise::PairFunction;
use crate::random::{Purpose, stream};
use crate::{EvalError, Points};

/// Of more points than this, a part is drawn to find their median distance.
const MEDIAN_OF: usize = 1000;

/// A positive definite function of two points.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Kernel {
    /// Mean over the bandwidths `s` of `exp(-|x - y|^2 / (2 s^2))`.
    ///
    /// Sees differences at the scale of its bandwidths; tells all distributions apart.
    Gaussian {
        /// Bandwidths `s` from 1e-100 to 1e100, in the units of the points.
        bandwidths: Vec<f64>,
    },
    /// `(x.y / dim + 1)^degree`, which sees the moments up to its degree.
    Polynomial {
        /// At least 1; the kernel inception distance takes 3.
        degree: u32,
    },
}

impl Kernel {
    /// Gaussian kernels at a quarter, at half and at all of the median distance between real
    /// points.
    ///
    /// The bandwidths are chosen from the real data alone, so that scores of different samples
    /// compare. The median is that of all pairs among 1,000 points, which are drawn, always alike,
    /// where there are more: the first ones of a sorted set would all be of one class. Where half
    /// of the pairs coincide, as of rows of few categories, the root of the mean square takes its
    /// place.
    ///
    /// # Errors
    /// When all of these pairs coincide, or when there is only one point.
    ///
    /// # Reference
    /// The median heuristic: Gretton et al. (2012), "A Kernel Two-Sample Test", Journal of Machine
    /// Learning Research 13, section 8.
    pub fn up_to_median(real: Points<'_>) -> Result<Self, EvalError> {
        let chosen = index::sample(
            &mut stream(0, Purpose::Median, 0),
            real.len(),
            real.len().min(MEDIAN_OF),
        )
        .into_vec();
        let mut squares: Vec<f64> = (0..chosen.len())
            .flat_map(|i| (0..i).map(move |j| (i, j)))
            .map(|(i, j)| squared_distance(real.row(chosen[i]), real.row(chosen[j])))
            .collect();
        let middle = squares.len() / 2;
        if squares.is_empty() {
            return Err(EvalError::TooFew { metric: "the median distance", n: 1, needed: 2 });
        }
        let mean = squares.iter().sum::<f64>() / squares.len() as f64;
        let (_, &mut square, _) = squares.select_nth_unstable_by(middle, f64::total_cmp);
        let median = if square == 0.0 { mean } else { square }.sqrt();
        let kernel = Self::Gaussian { bandwidths: [0.25, 0.5, 1.0].map(|c| c * median).to_vec() };
        check_bandwidths(&[median]).map(|()| kernel)
    }
}

fn squared_distance(x: &[f32], y: &[f32]) -> f64 {
    x.iter().zip(y).map(|(&x, &y)| (f64::from(x) - f64::from(y)).powi(2)).sum()
}

/// Refuses no bandwidths, and those whose squares leave the range of `f64` with the squares of
/// points.
pub(crate) fn check_bandwidths(bandwidths: &[f64]) -> Result<(), EvalError> {
    let refuse = |value| {
        Err(EvalError::Parameter { name: "bandwidth", value, expected: "from 1e-100 to 1e100" })
    };
    match bandwidths.iter().find(|s| !(1e-100..=1e100).contains(*s)) {
        Some(&value) => refuse(value),
        None if bandwidths.is_empty() => refuse(f64::NAN),
        None => Ok(()),
    }
}

/// [`Kernel::Gaussian`], by the factors of its exponents.
pub(crate) struct Gaussian {
    factors: Vec<f64>,
}

impl Gaussian {
    pub(crate) fn new(bandwidths: &[f64]) -> Result<Self, EvalError> {
        check_bandwidths(bandwidths)?;
        Ok(Self { factors: bandwidths.iter().map(|s| -0.5 / (s * s)).collect() })
    }
}

impl PairFunction for Gaussian {
    fn term(x: f64, y: f64) -> f64 {
        (x - y) * (x - y)
    }

    fn finish(&self, sums: &mut [f64]) {
        let weight = 1.0 / self.factors.len() as f64;
        for value in sums {
            let square = *value;
            *value = weight * self.factors.iter().map(|c| (c * square).exp()).sum::<f64>();
        }
    }
}

/// [`Kernel::Polynomial`].
pub(crate) struct Polynomial {
    degree: i32,
    scale: f64,
}

impl Polynomial {
    pub(crate) fn new(degree: u32, dim: usize) -> Result<Self, EvalError> {
        match i32::try_from(degree) {
            Ok(degree @ 1..) => Ok(Self { degree, scale: 1.0 / dim as f64 }),
            _ => Err(EvalError::Parameter {
                name: "degree",
                value: f64::from(degree),
                expected: "at least 1",
            }),
        }
    }
}

impl PairFunction for Polynomial {
    fn term(x: f64, y: f64) -> f64 {
        x * y
    }

    fn finish(&self, sums: &mut [f64]) {
        for value in sums {
            *value = (*value * self.scale + 1.0).powi(self.degree);
        }
    }
}
