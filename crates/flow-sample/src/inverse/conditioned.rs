//! A predictor conditioned on an observation.

use burn::tensor::Tensor;
use flow_path::{Prediction, Schedule};

use crate::ends::carry_noise;
use crate::predictor::Predictor;

/// A method that estimates how much an observation moves the predicted data.
pub trait Conditioning {
    /// Evaluations of a predictor for each answer.
    fn evaluations(&self) -> usize;

    /// `E[x_1 | x_t]` and what an observation adds to it, `(sigma^2 / alpha) grad log p(y | x_t)`,
    /// at a time with some data and some noise.
    ///
    /// # Shapes
    /// - `x` and both outputs: `[B, d]`
    ///
    /// # Panics
    /// If the method needs a gradient and the prediction carries none, as where a field is computed
    /// on the host. Networks must be on a device without autodiff.
    fn shift(&self, predictor: &dyn Predictor, x: &Tensor<2>, t: f64) -> (Tensor<2>, Tensor<2>);
}

impl<M: Conditioning + ?Sized> Conditioning for Box<M> {
    fn evaluations(&self) -> usize {
        (**self).evaluations()
    }

    fn shift(&self, predictor: &dyn Predictor, x: &Tensor<2>, t: f64) -> (Tensor<2>, Tensor<2>) {
        (**self).shift(predictor, x, t)
    }
}

/// A predictor whose data are moved by an observation, for any sampler.
///
/// Near pure noise the covariance of the data, `(sigma^2 / alpha) dE[x_1 | x_t]/dx_t`, is a
/// quotient of small numbers, and the errors of a network are divided by `alpha`. Below a ratio
/// `alpha / sigma` of 0.01 the shift is therefore that of the time where the ratio has this value,
/// for the same noise. Where no noise is left the predictor answers alone: there the data are what
/// they are.
#[derive(Clone, Copy, Debug)]
pub struct Conditioned<P, M> {
    /// The predictor without the observation.
    pub predictor: P,
    /// The observation and how it is brought in.
    pub method: M,
}

/// Ratio `alpha / sigma` from which on a method is used.
const FIRST_RATIO: f64 = 0.01;

impl<P: Predictor, M: Conditioning> Conditioned<P, M> {
    /// The first time at which the method is used.
    fn first(&self) -> f64 {
        let (start, end) = self.predictor.span();
        self.schedule().time_at_log_snr(2.0 * FIRST_RATIO.ln()).clamp(start, end)
    }
}

impl<P: Predictor, M: Conditioning> Predictor for Conditioned<P, M> {
    fn schedule(&self) -> &dyn Schedule {
        self.predictor.schedule()
    }

    fn span(&self) -> (f64, f64) {
        self.predictor.span()
    }

    fn calls(&self, t: f64) -> usize {
        let first = self.first();
        let plain = if t < first { self.predictor.calls(t) } else { 0 };
        if self.schedule().at(t).sigma == 0.0 {
            return self.predictor.calls(t);
        }
        plain + self.method.evaluations() * self.predictor.calls(t.max(first))
    }

    fn predict(&self, what: Prediction, x: &Tensor<2>, t: f64) -> Tensor<2> {
        let (c, first) = (self.schedule().at(t), self.first());
        if c.sigma == 0.0 {
            return self.predictor.predict(what, x, t);
        }
        let (data, shift) = if t < first {
            let later = carry_noise(x.clone(), self.schedule(), t, first);
            let (_, shift) = self.method.shift(&self.predictor, &later, first);
            (self.predictor.predict(Prediction::Data, x, t), shift)
        } else {
            self.method.shift(&self.predictor, x, t)
        };
        Prediction::Data.convert_tensor(what, data + shift, x.clone(), &c)
    }
}
