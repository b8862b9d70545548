//! Fields and rules that several golden numbers share.

use burn::tensor::Tensor;
use flow_path::{Cosine, Dual, Exact, Gaussian, Linear, Mixture, Prediction, Scaled, Schedule};
use flow_sample::Predictor;

/// The linear path to the data themselves.
pub(super) const OT: Linear = Linear { sigma_min: 0.0 };

/// Data at -1 and 1, each with this standard deviation, on the linear path.
pub(super) fn two_modes(std: f64) -> Exact<Mixture, Linear> {
    let mode = |mean| Gaussian::new(vec![mean], std);
    Exact::new(Mixture::uniform(vec![mode(-1.0), mode(1.0)]), OT)
}

/// The linear schedule rescaled towards unit norm: not at all for `k = 0`, fully for `k = 1`.
pub(super) fn rescaled(k: f64) -> impl Schedule {
    Scaled::new(OT, move |t: Dual| {
        let norm = ((1.0 - t) * (1.0 - t) + t * t).sqrt();
        1.0 + k * (1.0 / norm - 1.0)
    })
}

/// A smooth function of `x` and `t` that is no posterior mean, in place of a trained network.
pub(super) struct Arbitrary<S>(pub(super) S);

impl<S: Schedule> Predictor for Arbitrary<S> {
    fn schedule(&self) -> &dyn Schedule {
        &self.0
    }

    fn predict(&self, what: Prediction, x: &Tensor<2>, t: f64) -> Tensor<2> {
        let data = (x.clone() * 1.7 + 0.3).tanh() * (3.0 * t).cos() + x.clone().sin() * 0.5;
        Prediction::Data.convert_tensor(what, data, x.clone(), &self.0.at(t))
    }
}

/// Answers, in row `k` of `steps`, the v-prediction -1 at step `k` and 0 at all others.
pub(super) struct Impulse {
    pub(super) schedule: Cosine,
    pub(super) steps: usize,
}

impl Predictor for Impulse {
    fn schedule(&self) -> &dyn Schedule {
        &self.schedule
    }

    fn predict(&self, what: Prediction, x: &Tensor<2>, t: f64) -> Tensor<2> {
        let mut v = vec![0.0_f32; self.steps];
        v[(self.steps as f64 * t).round() as usize] = -1.0;
        let v = Tensor::<1>::from_data(v.as_slice(), (&x.device(), x.dtype())).unsqueeze_dim(1);
        Prediction::V.convert_tensor(what, v, x.clone(), &self.schedule.at(t))
    }
}

/// `v = x A^T` at all times.
pub(super) struct LinearField<const N: usize>(pub(super) [[f64; N]; N]);

impl<const N: usize> Predictor for LinearField<N> {
    fn schedule(&self) -> &dyn Schedule {
        &OT
    }

    fn predict(&self, what: Prediction, x: &Tensor<2>, t: f64) -> Tensor<2> {
        let a = Tensor::<2>::from_data(self.0, (&x.device(), x.dtype()));
        let v = x.clone().matmul(a.transpose());
        Prediction::Velocity.convert_tensor(what, v, x.clone(), &OT.at(t))
    }
}

/// `int_a^b f` by the composite Simpson rule.
pub(super) fn integral(f: impl Fn(f64) -> f64, a: f64, b: f64, panels: usize) -> f64 {
    let h = (b - a) / panels as f64;
    let panel = |k: usize| {
        let x = a + k as f64 * h;
        f(x) + 4.0 * f(x + 0.5 * h) + f(x + h)
    };
    h / 6.0 * (0..panels).map(panel).sum::<f64>()
}

/// Central difference of fourth order.
pub(super) fn derivative(f: impl Fn(f64) -> f64, x: f64, h: f64) -> f64 {
    (8.0 * (f(x + h) - f(x - h)) - (f(x + 2.0 * h) - f(x - 2.0 * h))) / (12.0 * h)
}

/// Largest of the absolute values; not a number if one of them is none.
pub(super) fn largest(values: impl IntoIterator<Item = f64>) -> f64 {
    let keep = |worst: f64, x: f64| if x.abs() <= worst { worst } else { x.abs() };
    values.into_iter().fold(0.0, keep)
}
