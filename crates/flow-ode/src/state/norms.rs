//! Error norms: which ones a batch asks for, and when they are read.

/// How the errors of a batch become the one number that controls the step.
///
/// With [`Norm::JointRms`] the tolerance holds for the batch on average: a few bad samples hide
/// among many good ones, and a sample's result depends on the others.
/// [`Norm::WorstSample`] lets the worst sample decide at the price of more steps. A step size for
/// each sample is [`solve_rows`](crate::solve_rows).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Norm {
    /// Root mean square over all numbers of the state; for a tuple the largest of its parts.
    #[default]
    JointRms,
    /// Largest over the samples of the root mean square over the numbers of a sample.
    WorstSample,
}

/// Error norms that may still lie on a device.
///
/// Several are read together in one synchronisation, which is what keeps an adaptive step of a
/// tuple of tensors at a single read.
///
/// ```
/// use flow_ode::Norms;
/// assert_eq!(Norms::host(vec![0.5]).and(Norms::host(vec![2.0, 1.0])).worst(), 2.0);
/// ```
#[derive(Clone, Debug)]
pub struct Norms(Vec<Part>);

#[derive(Clone, Debug)]
pub(crate) enum Part {
    Host(Vec<f64>),
    #[cfg(feature = "burn")]
    Device(Box<burn::tensor::Tensor<1>>),
}

impl Norms {
    /// Norms known on the host, one a sample, or a single joint one.
    ///
    /// ```
    /// assert_eq!(flow_ode::Norms::host(vec![0.25]).worst(), 0.25);
    /// ```
    #[must_use]
    pub fn host(values: Vec<f64>) -> Self {
        Self(vec![Part::Host(values)])
    }

    /// Norms on a device, one a sample, or a single joint one.
    ///
    /// # Shapes
    /// - `values`: `[B]` or `[1]`
    ///
    /// ```
    /// use burn::tensor::{Device, Tensor};
    /// let values = Tensor::<1>::from_data([0.5, 2.0], &Device::flex());
    /// assert_eq!(flow_ode::Norms::device(values).worst(), 2.0);
    /// ```
    #[cfg(feature = "burn")]
    #[must_use]
    pub fn device(values: burn::tensor::Tensor<1>) -> Self {
        Self(vec![Part::Device(Box::new(values))])
    }

    /// These norms beside those of another part of the state.
    ///
    /// ```
    /// use flow_ode::Norms;
    /// assert_eq!(Norms::host(vec![3.0]).and(Norms::host(vec![1.0])).worst(), 3.0);
    /// ```
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// The largest norm; NaN if any is NaN. Waits for the device.
    ///
    /// ```
    /// use flow_ode::Norms;
    /// assert!(Norms::host(vec![f64::NAN, 1.0]).worst().is_nan());
    /// ```
    #[must_use]
    pub fn worst(self) -> f64 {
        worst(self.read().into_iter().flatten())
    }

    /// The largest of `self` and the largest of `other`, read together.
    pub(crate) fn worst_with(self, other: Self) -> (f64, f64) {
        let own = self.0.len();
        let mut parts = self.and(other).read();
        let other = parts.split_off(own);
        (worst(parts.into_iter().flatten()), worst(other.into_iter().flatten()))
    }

    /// The first sample of which a norm is not finite, in any part.
    pub(crate) fn first_not_finite(self) -> Option<usize> {
        let first = |part: &Vec<f64>| part.iter().position(|norm| !norm.is_finite());
        self.read().iter().filter_map(first).min()
    }

    /// The largest `join` of a norm of `self` and its partner in `other`, read together.
    pub(crate) fn worst_of(self, other: Self, join: impl Fn(f64, f64) -> f64) -> f64 {
        worst(self.joined(other, join).into_iter().flatten())
    }

    /// As [`Norms::worst_of`] for each of `rows` samples.
    pub(crate) fn rows_of(
        self,
        other: Self,
        rows: usize,
        join: impl Fn(f64, f64) -> f64,
    ) -> Vec<f64> {
        by_row(&self.joined(other, join), rows)
    }

    /// `join` of each norm of `self` with its partner in `other`: part by part and sample by
    /// sample, since a formula of two norms is not that of their maxima.
    fn joined(self, other: Self, join: impl Fn(f64, f64) -> f64) -> Vec<Vec<f64>> {
        let own = self.0.len();
        let mut parts = self.and(other).read();
        let others = parts.split_off(own);
        assert_eq!(parts.len(), others.len(), "norms of one state have as many parts each time");
        let pairs = parts.iter().zip(&others);
        pairs.map(|(a, b)| a.iter().zip(b).map(|(a, b)| join(*a, *b)).collect()).collect()
    }

    /// The norm of each of `rows` samples, the largest over the parts of the state, for `self` and
    /// `other`, read together.
    pub(crate) fn rows_with(self, other: Self, rows: usize) -> (Vec<f64>, Vec<f64>) {
        let own = self.0.len();
        let parts = self.and(other).read();
        (by_row(&parts[..own], rows), by_row(&parts[own..], rows))
    }

    /// The norm of each of `rows` samples: the largest over the parts of the state.
    pub(crate) fn rows(self, rows: usize) -> Vec<f64> {
        by_row(&self.read(), rows)
    }

    #[cfg(not(feature = "burn"))]
    fn read(self) -> Vec<Vec<f64>> {
        self.0.into_iter().map(|Part::Host(values)| values).collect()
    }

    /// The numbers of each part, with one synchronisation for all that lie on a device.
    #[cfg(feature = "burn")]
    fn read(self) -> Vec<Vec<f64>> {
        let on_device: Vec<_> = self.0.iter().filter_map(Part::device).cloned().collect();
        let mut read = read_together(on_device).into_iter();
        self.0
            .into_iter()
            .map(|part| match part {
                Part::Host(values) => values,
                Part::Device(_) => read.next().expect("one vector was read for each device part"),
            })
            .collect()
    }
}

#[cfg(feature = "burn")]
impl Part {
    fn device(&self) -> Option<&burn::tensor::Tensor<1>> {
        match self {
            Self::Host(_) => None,
            Self::Device(values) => Some(values),
        }
    }
}

/// Reads all vectors in one transfer.
#[cfg(feature = "burn")]
fn read_together(vectors: Vec<burn::tensor::Tensor<1>>) -> Vec<Vec<f64>> {
    let Some(dtype) = vectors.first().map(burn::tensor::Tensor::dtype) else {
        return Vec::new();
    };
    let lengths: Vec<usize> = vectors.iter().map(|vector| vector.dims()[0]).collect();
    let joined = burn::tensor::Tensor::cat(vectors.into_iter().map(|v| v.cast(dtype)).collect(), 0)
        .into_data();
    let mut numbers = joined.iter::<f64>();
    lengths.into_iter().map(|n| numbers.by_ref().take(n).collect()).collect()
}

fn by_row(parts: &[Vec<f64>], rows: usize) -> Vec<f64> {
    (0..rows).map(|row| worst(parts.iter().map(|part| part[row]))).collect()
}

/// The largest value, where NaN counts as larger than any other.
fn worst(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |worst, value| if value > worst || value.is_nan() { value } else { worst })
}
