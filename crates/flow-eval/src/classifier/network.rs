//! A small network that tells two classes apart, trained on the host by Adam.

use nalgebra::{DMatrix, DVector};
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

/// Rows in a step.
const BATCH: usize = 200;
/// Passes at most.
const MOST_EPOCHS: usize = 10_000;
/// Passes in a row that may bring less than [`TOLERANCE`] before training stops.
const PATIENCE: usize = 10;
const TOLERANCE: f64 = 1e-4;
/// Weight of half the squared weights in the loss of a row of a batch.
const DECAY: f32 = 1e-4;
const RATE: f32 = 1e-3;
const BETA1: f32 = 0.9;
const BETA2: f32 = 0.999;
const EPSILON: f32 = 1e-8;

/// Two hidden layers of ReLU units and a logistic output.
///
/// It is the classifier of the two-sample tests of the benchmark for simulation-based inference
/// (Lueckmann et al. 2021, arXiv:2101.04653), whose settings are the defaults of scikit-learn:
/// Glorot's uniform weights, Adam, and an end once the loss stops falling.
pub(crate) struct Network {
    layers: [Layer; 3],
    steps: i32,
}

struct Layer {
    /// `[outputs, inputs]`
    weights: Parameter,
    /// `[outputs, 1]`
    bias: Parameter,
}

/// Numbers with the moments that Adam keeps of their gradients.
struct Parameter {
    values: DMatrix<f32>,
    mean: DMatrix<f32>,
    square: DMatrix<f32>,
}

impl Parameter {
    fn uniform(rows: usize, columns: usize, bound: f32, rng: &mut dyn Rng) -> Self {
        let values = DMatrix::from_fn(rows, columns, |_, _| rng.random_range(-bound..bound));
        let zeros = DMatrix::zeros(rows, columns);
        Self { values, mean: zeros.clone(), square: zeros }
    }

    /// One step of Adam (Kingma & Ba 2015, arXiv:1412.6980, algorithm 1).
    fn step(&mut self, gradient: &DMatrix<f32>, step: i32) {
        let rate = RATE * (1.0 - BETA2.powi(step)).sqrt() / (1.0 - BETA1.powi(step));
        let moments = self.mean.as_mut_slice().iter_mut().zip(self.square.as_mut_slice());
        let numbers = self.values.as_mut_slice().iter_mut().zip(gradient.as_slice());
        for ((mean, square), (value, g)) in moments.zip(numbers) {
            *mean = BETA1 * *mean + (1.0 - BETA1) * g;
            *square = BETA2 * *square + (1.0 - BETA2) * g * g;
            *value -= rate * *mean / (square.sqrt() + EPSILON);
        }
    }
}

impl Layer {
    fn new(inputs: usize, outputs: usize, rng: &mut dyn Rng) -> Self {
        let bound = (6.0 / (inputs + outputs) as f32).sqrt();
        Self {
            weights: Parameter::uniform(outputs, inputs, bound, rng),
            bias: Parameter::uniform(outputs, 1, bound, rng),
        }
    }

    /// `W x + b` for each column.
    fn forward(&self, x: &DMatrix<f32>) -> DMatrix<f32> {
        let mut z =
            DMatrix::from_fn(self.weights.values.nrows(), x.ncols(), |i, _| self.bias.values[i]);
        z.gemm(1.0, &self.weights.values, x, 1.0);
        z
    }
}

impl Network {
    /// Learns to tell the columns of `x` of which `labels` are 1 from those of which they are 0.
    pub(crate) fn train(
        x: &DMatrix<f32>,
        labels: &[f32],
        hidden: usize,
        rng: &mut dyn Rng,
    ) -> Self {
        let inputs = x.nrows();
        let layers = [(inputs, hidden), (hidden, hidden), (hidden, 1)];
        let layers = layers.map(|(inputs, outputs)| Layer::new(inputs, outputs, rng));
        let mut network = Self { layers, steps: 0 };
        let mut order: Vec<usize> = (0..labels.len()).collect();
        let (mut best, mut idle) = (f64::INFINITY, 0);
        for _ in 0..MOST_EPOCHS {
            order.shuffle(rng);
            let batches = order.chunks(BATCH);
            let loss: f64 = batches.map(|rows| network.learn(x, labels, rows)).sum();
            let loss = loss / labels.len() as f64;
            idle = if best - TOLERANCE < loss { idle + 1 } else { 0 };
            best = best.min(loss);
            if PATIENCE < idle {
                break;
            }
        }
        network
    }

    /// Whether each column is more likely of class 1.
    pub(crate) fn says_one(&self, x: &DMatrix<f32>) -> Vec<bool> {
        let [_, _, z] = self.forward(x);
        z.iter().map(|&z| 0.0 < z).collect()
    }

    /// The values of all layers, those of the hidden ones after their ReLU.
    fn forward(&self, x: &DMatrix<f32>) -> [DMatrix<f32>; 3] {
        let relu = |mut z: DMatrix<f32>| {
            z.apply(|z| *z = z.max(0.0));
            z
        };
        let first = relu(self.layers[0].forward(x));
        let second = relu(self.layers[1].forward(&first));
        let out = self.layers[2].forward(&second);
        [first, second, out]
    }

    /// One step on some rows; returns the sum of their losses before it.
    fn learn(&mut self, x: &DMatrix<f32>, labels: &[f32], rows: &[usize]) -> f64 {
        let x = x.select_columns(rows);
        let n = rows.len() as f32;
        let [first, second, out] = self.forward(&x);
        let target = DVector::from_iterator(rows.len(), rows.iter().map(|&row| labels[row]));
        // -ln p = softplus(-z) for class 1 and softplus(z) for class 0, without overflow.
        let softplus = |z: f32| z.max(0.0) + (-z.abs()).exp().ln_1p();
        let pairs = out.iter().zip(&target);
        let error: f64 = pairs.map(|(&z, &y)| f64::from(softplus(z) - y * z)).sum();
        let squares: f32 =
            self.layers.iter().map(|layer| layer.weights.values.norm_squared()).sum();
        let loss = error + f64::from(0.5 * DECAY * squares);

        self.steps += 1;
        let sigmoid = |z: f32| 1.0 / (1.0 + (-z).exp());
        let mut delta = DMatrix::from_fn(1, rows.len(), |_, k| (sigmoid(out[k]) - target[k]) / n);
        for (layer, input) in [(2, &second), (1, &first), (0, &x)] {
            let Layer { weights, bias } = &mut self.layers[layer];
            let gradient = &delta * input.transpose() + &weights.values * (DECAY / n);
            let of_bias = DMatrix::from_fn(delta.nrows(), 1, |i, _| delta.row(i).sum());
            if 0 < layer {
                let mut below = weights.values.transpose() * &delta;
                below.zip_apply(input, |d, value| *d = if value <= 0.0 { 0.0 } else { *d });
                delta = below;
            }
            weights.step(&gradient, self.steps);
            bias.step(&of_bias, self.steps);
        }
        loss
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, stream};

    #[test]
    fn gradients_are_those_of_finite_differences() {
        // Adam's first step moves each number by the rate against the sign of its gradient, so that
        // the loss of the batch must fall by about the sum of the magnitudes.
        let mut rng = stream(1, Purpose::Classifier, 0);
        let x = DMatrix::from_fn(3, 40, |_, _| rng.random_range(-1.0..1.0));
        let labels: Vec<f32> =
            (0..40).map(|i| if x[(0, i)] < x[(1, i)] { 1.0 } else { 0.0 }).collect();
        let layers = [(3, 8), (8, 8), (8, 1)].map(|(a, b)| Layer::new(a, b, &mut rng));
        let mut network = Network { layers, steps: 0 };
        let rows: Vec<usize> = (0..40).collect();
        let before = network.learn(&x, &labels, &rows);
        // The gradient of each number follows from Adam's first mean, (1 - beta1) g.
        let predicted: f64 = network
            .layers
            .iter()
            .flat_map(|layer| [&layer.weights, &layer.bias])
            .flat_map(|parameter| parameter.mean.iter())
            .map(|mean| f64::from(mean.abs() / (1.0 - BETA1) * RATE) * 40.0)
            .sum();
        let after = network.learn(&x, &labels, &rows);
        let fall = before - after;
        assert!((fall / predicted - 1.0).abs() < 0.05, "fell by {fall}, predicted {predicted}");
    }
}
