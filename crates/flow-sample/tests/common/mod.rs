//! Fields whose divergence is known, and noise for the weights of networks.
#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use std::f64::consts::TAU;

use burn::module::{ModuleMapper, Param};
use burn::tensor::{DType, Device, Tensor, TensorData, activation};
use flow_ode::{Adaptive, Method, Stepping, Tolerance};
use flow_path::{Coefficients, Linear, Prediction, Schedule};
use flow_sample::{Likelihood, Predictor};

/// Host numbers as rows in double precision.
pub(crate) fn rows(values: &[f64], columns: usize) -> Tensor<2> {
    let data = TensorData::new(values.to_vec(), [values.len() / columns, columns]);
    Tensor::from_data(data, (&Device::flex(), DType::F64))
}

pub(crate) fn host(x: Tensor<2>) -> Vec<f64> {
    x.into_data().convert::<f64>().try_into_vec().unwrap()
}

/// `dopri5` at a tolerance that is absolute and relative.
pub(crate) fn dopri5(tolerance: f64) -> Likelihood {
    let adaptive = Adaptive::new(Tolerance { atol: tolerance, rtol: tolerance });
    Likelihood::new(Method::Dopri5, adaptive.into())
}

pub(crate) fn rk4(steps: usize) -> Likelihood {
    Likelihood::new(Method::Rk4, Stepping::Count(steps))
}

/// Points of the plane, one after the other, near to the modes of [`Mixture`] and between them.
pub(crate) const POINTS: [f64; 12] =
    [2.1, 0.3, -1.4, 1.2, -0.8, -1.9, 0.2, 0.1, 1.0, -1.0, -2.0, 2.2];

/// `log N(x; 0, std^2 I)`.
pub(crate) fn log_normal(x: &[f64], std: f64) -> f64 {
    let squares: f64 = x.iter().map(|x| (x / std).powi(2)).sum();
    -0.5 * squares - x.len() as f64 * (TAU.sqrt() * std).ln()
}

/// `v = x A^T` at all times, whose flow over the unit interval has the log-determinant `tr A`.
pub(crate) struct LinearField(pub(crate) Vec<f64>, pub(crate) usize);

impl Predictor for LinearField {
    fn schedule(&self) -> &dyn Schedule {
        &Linear { sigma_min: 0.0 }
    }

    fn predict(&self, what: Prediction, x: &Tensor<2>, _: f64) -> Tensor<2> {
        assert_eq!(what, Prediction::Velocity);
        let data = TensorData::new(self.0.clone(), [self.1, self.1]);
        let a = Tensor::<2>::from_data(data, (&x.device(), x.dtype()));
        x.clone().matmul(a.transpose())
    }
}

const WEIGHTS: [f64; 3] = [0.5, 0.3, 0.2];
const MEANS: [[f64; 2]; 3] = [[2.0, 0.0], [-1.5, 1.5], [-1.0, -2.0]];
/// Upper triangles: `xx`, `xy`, `yy`.
const COVARIANCES: [[f64; 3]; 3] = [[0.25, 0.1, 0.16], [0.09, -0.03, 0.2], [0.3, 0.0, 0.05]];

/// Three Gaussians of unlike covariances in the plane, along a schedule.
///
/// `u = sum_k r_k u_k` with `C_k = alpha^2 S_k + sigma^2 I`,
/// `u_k = alpha' m_k + (alpha alpha' S_k + sigma sigma' I) C_k^-1 (x - alpha m_k)`.
pub(crate) struct Mixture<S>(pub(crate) S);

impl<S: Schedule> Predictor for Mixture<S> {
    fn schedule(&self) -> &dyn Schedule {
        &self.0
    }

    fn predict(&self, what: Prediction, x: &Tensor<2>, t: f64) -> Tensor<2> {
        assert_eq!(what, Prediction::Velocity);
        let c = self.0.at(t);
        let options = (&x.device(), x.dtype());
        let (mut logs, mut velocities) = (Vec::new(), Vec::new());
        for (k, [xx, xy, yy]) in COVARIANCES.into_iter().enumerate() {
            let Part { log, precision, mean } = part(k, &c);
            let centred = x.clone() - Tensor::<2>::from_data([mean], options);
            let solved = centred.clone().matmul(Tensor::<2>::from_data(precision, options));
            logs.push((centred * solved.clone()).sum_dim(1) * -0.5 + log); // [B, 1]
            let (grow, fade) = (c.alpha * c.d_alpha, c.sigma * c.d_sigma);
            let gain = [[grow * xx + fade, grow * xy], [grow * xy, grow * yy + fade]];
            let drift = MEANS[k].map(|m| c.d_alpha * m);
            velocities.push(
                solved.matmul(Tensor::<2>::from_data(gain, options))
                    + Tensor::<2>::from_data([drift], options),
            );
        }
        let shares = activation::softmax(Tensor::cat(logs, 1), 1);
        let weighted = velocities.into_iter().enumerate();
        weighted.map(|(k, u)| u * shares.clone().narrow(1, k, 1)).reduce(|a, b| a + b).unwrap()
    }
}

impl<S: Schedule> Mixture<S> {
    /// `log p_t(x)` in closed form.
    pub(crate) fn log_density(&self, x: &[f64], t: f64) -> f64 {
        let c = self.0.at(t);
        let density = |k: usize| {
            let Part { log, precision: [[a, b], [_, d]], mean } = part(k, &c);
            let [x, y] = [x[0] - mean[0], x[1] - mean[1]];
            (log - 0.5 * (a * x * x + 2.0 * b * x * y + d * y * y)).exp() / TAU
        };
        (0..3).map(density).sum::<f64>().ln()
    }
}

struct Part {
    /// Log-weight less half the log-determinant of the covariance.
    log: f64,
    precision: [[f64; 2]; 2],
    mean: [f64; 2],
}

fn part(k: usize, c: &Coefficients) -> Part {
    let [xx, xy, yy] = COVARIANCES[k];
    let (data, noise) = (c.alpha * c.alpha, c.sigma * c.sigma);
    let (xx, xy, yy) = (data * xx + noise, data * xy, data * yy + noise);
    let det = xx * yy - xy * xy;
    Part {
        log: WEIGHTS[k].ln() - 0.5 * det.ln(),
        precision: [[yy / det, -xy / det], [-xy / det, xx / det]],
        mean: MEANS[k].map(|m| c.alpha * m),
    }
}

/// Noise on every parameter: output layers and residual branches start at zero.
pub(crate) struct Stir;

impl ModuleMapper for Stir {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        parameter.map(|p| {
            let n = p.shape().num_elements();
            let noise: Vec<f32> =
                (0..n).map(|i| ((i * 7919) % 1000) as f32 / 2500.0 - 0.2).collect();
            let noise = TensorData::new(noise, p.dims());
            p.clone() + Tensor::from_data(noise, &p.device())
        })
    }
}
