//! Mixtures of Gaussians of any covariance: exact fields of data, with and without an observation.
#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use burn::tensor::{DType, Device, Tensor, TensorData, activation};
use flow_path::{Linear, Prediction, Schedule};
use flow_sample::Predictor;
use serde_json::Value;

/// `sum_k w_k N(m_k, S_k)` along the linear path.
#[derive(Clone, Debug)]
pub(crate) struct Gaussians {
    pub(crate) weights: Vec<f64>,
    pub(crate) means: Vec<Vec<f64>>,
    pub(crate) covariances: Vec<Vec<f64>>,
}

impl Gaussians {
    pub(crate) fn one(mean: &[f64], covariance: &[f64]) -> Self {
        let (means, covariances) = (vec![mean.to_vec()], vec![covariance.to_vec()]);
        Self { weights: vec![1.0], means, covariances }
    }

    /// The prior of `inverse.json`.
    pub(crate) fn reference(json: &Value) -> Self {
        let weights = numbers(&json["weights"]);
        let parts = |name: &str, size: usize| {
            numbers(&json[name]).chunks(size).map(<[f64]>::to_vec).collect::<Vec<_>>()
        };
        Self { weights, means: parts("means", 8), covariances: parts("covariances", 64) }
    }

    pub(crate) fn dim(&self) -> usize {
        self.means[0].len()
    }

    pub(crate) fn mean(&self) -> Vec<f64> {
        let of = |i: usize| self.weights.iter().zip(&self.means).map(|(w, m)| w * m[i]).sum();
        (0..self.dim()).map(of).collect()
    }

    pub(crate) fn covariance(&self) -> Vec<f64> {
        let (d, mean) = (self.dim(), self.mean());
        let entry = |i: usize, j: usize| -> f64 {
            let part = |k: usize| {
                let apart = (self.means[k][i] - mean[i]) * (self.means[k][j] - mean[j]);
                self.weights[k] * (self.covariances[k][i * d + j] + apart)
            };
            (0..self.weights.len()).map(part).sum()
        };
        (0..d * d).map(|ij| entry(ij / d, ij % d)).collect()
    }

    /// Variances of the products `(x_i - m_i) (x_j - m_j)` of a row, so that a covariance of `n`
    /// rows has their roots over the root of `n` as its standard errors. A component of mean `m +
    /// d` and covariance `S` has `E[(..)^2] = (d_i^2 + S_ii) (d_j^2 + S_jj) + 4 d_i d_j S_ij + 2
    /// S_ij^2` (Isserlis 1918).
    pub(crate) fn covariance_variances(&self) -> Vec<f64> {
        let (d, mean, covariance) = (self.dim(), self.mean(), self.covariance());
        let square = |i: usize, j: usize| -> f64 {
            let part = |k: usize| {
                let (s, m) = (&self.covariances[k], &self.means[k]);
                let (di, dj, sij) = (m[i] - mean[i], m[j] - mean[j], s[i * d + j]);
                let product = (di * di + s[i * d + i]) * (dj * dj + s[j * d + j]);
                self.weights[k] * (product + 4.0 * di * dj * sij + 2.0 * sij * sij)
            };
            (0..self.weights.len()).map(part).sum()
        };
        (0..d * d).map(|ij| square(ij / d, ij % d) - covariance[ij].powi(2)).collect()
    }

    /// The data given `y = a x + std n`, by the gains of the Kalman update.
    pub(crate) fn given(&self, a: &[f64], y: &[f64], std: f64) -> Self {
        let (d, m) = (self.dim(), y.len());
        let (mut logs, mut means, mut covariances) = (Vec::new(), Vec::new(), Vec::new());
        for k in 0..self.weights.len() {
            let (mean, s) = (&self.means[k], &self.covariances[k]);
            let a_s = product(a, s, d); // [m, d]
            let mut g = product(&a_s, &transposed(a, d), d); // [m, m]
            (0..m).for_each(|i| g[i * m + i] += std * std);
            let (inverse, log_det) = inverse(&g, m);
            let seen = product(a, mean, d);
            let residual: Vec<f64> = y.iter().zip(&seen).map(|(y, z)| y - z).collect();
            let solved = product(&inverse, &residual, m);
            let misfit: f64 = residual.iter().zip(&solved).map(|(r, s)| r * s).sum();
            logs.push(self.weights[k].ln() - 0.5 * (log_det + misfit));
            let gain = product(&transposed(&a_s, d), &inverse, m); // [d, m]
            let moved = product(&gain, &residual, m);
            means.push(mean.iter().zip(&moved).map(|(m, shift)| m + shift).collect());
            let known = product(&gain, &a_s, m);
            covariances.push(s.iter().zip(&known).map(|(s, known)| s - known).collect());
        }
        let largest = logs.iter().copied().fold(f64::MIN, f64::max);
        let weights: Vec<f64> = logs.iter().map(|log| (log - largest).exp()).collect();
        let total: f64 = weights.iter().sum();
        Self { weights: weights.iter().map(|w| w / total).collect(), means, covariances }
    }

    /// Shares of the components at the points `x` where the path has these coefficients, `[B, K]`,
    /// and the mean of the data for each, `[B, d]`.
    fn parts(&self, x: &Tensor<2>, alpha: f64, sigma: f64) -> (Tensor<2>, Vec<Tensor<2>>) {
        let d = self.dim();
        let up = |values: Vec<f64>, shape: [usize; 2]| {
            Tensor::<2>::from_data(TensorData::new(values, shape), (&x.device(), x.dtype()))
        };
        let (mut logs, mut data) = (Vec::new(), Vec::new());
        for ((w, mean), s) in self.weights.iter().zip(&self.means).zip(&self.covariances) {
            let mut v: Vec<f64> = s.iter().map(|s| alpha * alpha * s).collect();
            (0..d).for_each(|i| v[i * d + i] += sigma * sigma);
            let (inverse, log_det) = inverse(&v, d);
            let gain = product(&inverse, s, d).iter().map(|g| alpha * g).collect();
            let mean = up(mean.clone(), [1, d]);
            let centred = x.clone() - mean.clone() * alpha;
            let solved = centred.clone().matmul(up(inverse, [d, d]));
            logs.push((centred.clone() * solved).sum_dim(1) * -0.5 + (w.ln() - 0.5 * log_det));
            data.push(centred.matmul(up(gain, [d, d])) + mean);
        }
        (activation::softmax(Tensor::cat(logs, 1), 1), data)
    }

    /// How much of the rows of `x` belongs to each component.
    pub(crate) fn shares(&self, x: &Tensor<2>) -> Vec<f64> {
        host(self.parts(x, 1.0, 0.0).0.mean_dim(0))
    }
}

impl Predictor for Gaussians {
    fn schedule(&self) -> &dyn Schedule {
        &Linear { sigma_min: 0.0 }
    }

    fn predict(&self, what: Prediction, x: &Tensor<2>, t: f64) -> Tensor<2> {
        let c = self.schedule().at(t);
        let (shares, parts) = self.parts(x, c.alpha, c.sigma);
        let weighed =
            parts.into_iter().enumerate().map(|(k, part)| part * shares.clone().narrow(1, k, 1));
        let data = weighed.reduce(|sum, part| sum + part).unwrap();
        if c.sigma == 0.0 && what == Prediction::Velocity {
            return data * c.d_alpha; // the noise is 0 in the mean
        }
        Prediction::Data.convert_tensor(what, data, x.clone(), &c)
    }
}

pub(crate) fn numbers(json: &Value) -> Vec<f64> {
    json.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

pub(crate) fn reference() -> Value {
    serde_json::from_str(include_str!("../reference/inverse.json")).unwrap()
}

pub(crate) fn host(x: Tensor<2>) -> Vec<f64> {
    x.into_data().convert::<f64>().try_into_vec().unwrap()
}

/// Rows in double precision.
pub(crate) fn rows(values: &[f64], columns: usize) -> Tensor<2> {
    let data = TensorData::new(values.to_vec(), [values.len() / columns, columns]);
    Tensor::from_data(data, (&Device::flex(), DType::F64))
}

/// Mean and covariance of rows.
pub(crate) fn moments(x: &Tensor<2>) -> (Vec<f64>, Vec<f64>) {
    let ([n, d], x) = (x.dims(), host(x.clone()));
    let mean: Vec<f64> =
        (0..d).map(|i| x.chunks(d).map(|row| row[i]).sum::<f64>() / n as f64).collect();
    let entry = |i: usize, j: usize| {
        let product = |row: &[f64]| (row[i] - mean[i]) * (row[j] - mean[j]);
        x.chunks(d).map(product).sum::<f64>() / (n - 1) as f64
    };
    let covariance = (0..d * d).map(|ij| entry(ij / d, ij % d)).collect();
    (mean, covariance)
}

/// The product of a matrix with `inner` columns and one with `inner` rows, row by row.
pub(crate) fn product(a: &[f64], b: &[f64], inner: usize) -> Vec<f64> {
    let columns = b.len() / inner;
    let entry = |i: usize, j: usize| -> f64 {
        (0..inner).map(|k| a[i * inner + k] * b[k * columns + j]).sum()
    };
    (0..a.len() / inner * columns).map(|ij| entry(ij / columns, ij % columns)).collect()
}

pub(crate) fn transposed(a: &[f64], columns: usize) -> Vec<f64> {
    let rows = a.len() / columns;
    (0..a.len()).map(|ij| a[ij % rows * columns + ij / rows]).collect()
}

/// Inverse and log-determinant of a positive matrix, by elimination.
fn inverse(a: &[f64], n: usize) -> (Vec<f64>, f64) {
    let (mut a, mut inverse, mut log_det) = (a.to_vec(), vec![0.0; n * n], 0.0);
    (0..n).for_each(|i| inverse[i * n + i] = 1.0);
    for i in 0..n {
        let pivot = a[i * n + i];
        assert!(0.0 < pivot, "expected a positive matrix, got the pivot {pivot}");
        log_det += pivot.ln();
        for j in 0..n {
            a[i * n + j] /= pivot;
            inverse[i * n + j] /= pivot;
        }
        for k in (0..n).filter(|&k| k != i) {
            let factor = a[k * n + i];
            for j in 0..n {
                a[k * n + j] -= factor * a[i * n + j];
                inverse[k * n + j] -= factor * inverse[i * n + j];
            }
        }
    }
    (inverse, log_det)
}
