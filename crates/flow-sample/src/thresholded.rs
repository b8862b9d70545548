//! Predicted data held within the range of the data.

use burn::tensor::Tensor;
use flow_path::{Prediction, Schedule};

use crate::predictor::Predictor;

/// How predicted data are held within `[-1, 1]`, the range of pictures.
///
/// # Reference
/// Saharia et al. (2022), "Photorealistic Text-to-Image Diffusion Models with Deep Language
/// Understanding", arXiv:2205.11487, section 2.3.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Threshold {
    /// Numbers beyond the range become its ends, which strong guidance saturates.
    Static,
    /// Each row is clipped to `[-s, s]` and divided by `s`, the larger of 1 and this quantile of
    /// the sizes of its numbers: a row that goes too far is drawn together as a whole.
    Dynamic {
        /// Share of the numbers of a row that may not be saturated, such as 0.995; one beyond
        /// `[0, 1]` is taken for its nearer end.
        quantile: f64,
    },
}

impl Threshold {
    /// Rows `[B, d]` within the range.
    #[must_use]
    pub fn apply(self, data: Tensor<2>) -> Tensor<2> {
        let [rows, size] = data.dims();
        match self {
            _ if rows * size == 0 => data,
            Self::Static => data.clamp(-1.0, 1.0),
            Self::Dynamic { quantile } => {
                let share = if quantile.is_nan() { 1.0 } else { quantile.clamp(0.0, 1.0) };
                let index = (share * size as f64).ceil().max(1.0) as usize - 1;
                let sizes = data.clone().abs().sort(1);
                let s = sizes.narrow(1, index.min(size - 1), 1).clamp_min(1.0); // [B, 1]
                data.clone().max_pair(-s.clone()).min_pair(s.clone()) / s
            }
        }
    }
}

/// A predictor whose predicted data are held within the range of pictures, whatever it is asked
/// for: the noise is then what is left of `x`.
///
/// Where no noise is left in `x`, its own answer stands, except for the data.
#[derive(Clone, Copy, Debug)]
pub struct Thresholded<P> {
    /// The predictor.
    pub predictor: P,
    /// How.
    pub threshold: Threshold,
}

impl<P: Predictor> Predictor for Thresholded<P> {
    fn schedule(&self) -> &dyn Schedule {
        self.predictor.schedule()
    }

    fn span(&self) -> (f64, f64) {
        self.predictor.span()
    }

    fn calls(&self, t: f64) -> usize {
        self.predictor.calls(t)
    }

    fn predict(&self, what: Prediction, x: &Tensor<2>, t: f64) -> Tensor<2> {
        let c = self.schedule().at(t);
        if c.sigma == 0.0 && what != Prediction::Data {
            return self.predictor.predict(what, x, t);
        }
        let data = self.threshold.apply(self.predictor.predict(Prediction::Data, x, t));
        Prediction::Data.convert_tensor(what, data, x.clone(), &c)
    }
}
