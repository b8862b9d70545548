//! Bits per dimension of pixels whose entropy is known, through the flow that makes them.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::f64::consts::{FRAC_1_SQRT_2, TAU};

use burn::tensor::{Tensor, TensorData};
use common::{dopri5, rows};
use flow_path::stream::{Purpose, Streams};
use flow_path::{Linear, Prediction, Schedule};
use flow_sample::{Dequantise, ExactTrace, Predictor};
use rand::RngExt;

const LEVELS: usize = 17;
const PIXELS: usize = 4;
const DIGITS: Dequantise = Dequantise { levels: LEVELS as u32 };

/// Probabilities of the levels of each pixel.
type Law = [[f64; LEVELS]; PIXELS];

/// Independent logistic pixels, cut into levels; what lies beyond the ends belongs to them.
fn logistic() -> Law {
    let below = |level: f64, centre: f64| sigmoid((level - centre) / 1.5);
    [3.0, 8.0, 11.0, 15.0].map(|centre| {
        std::array::from_fn(|k| {
            let low = if k == 0 { 0.0 } else { below(k as f64 - 0.5, centre) };
            let high = if k == LEVELS - 1 { 1.0 } else { below(k as f64 + 0.5, centre) };
            high - low
        })
    })
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Entropy of a pixel in bits, mean over the pixels.
fn entropy(law: &Law) -> f64 {
    let bits = law.iter().flatten().map(|q| if *q == 0.0 { 0.0 } else { -q * q.log2() });
    bits.sum::<f64>() / PIXELS as f64
}

/// The exact field of dequantised pixels: each is uniform within the cell of its level.
///
/// `E[x_1 | x_t = x]` is a mean over the cells `[a, b]`. With `y = alpha x_1`, which given `x` is
/// normal around `x` before the cells are known, a cell has the mass `Phi(z_b) - Phi(z_a)` and the
/// first moment `x mass - sigma (phi(z_b) - phi(z_a))`, `z = (alpha edge - x) / sigma`.
struct Cells(Law);

impl Predictor for Cells {
    fn schedule(&self) -> &dyn Schedule {
        &Linear { sigma_min: 0.0 }
    }

    /// Cells of no width at the start and noise of no width at the end would be divided by.
    fn span(&self) -> (f64, f64) {
        (1e-5, 1.0 - 1e-5)
    }

    fn predict(&self, what: Prediction, x: &Tensor<2>, t: f64) -> Tensor<2> {
        let c = self.schedule().at(t);
        let options = (&x.device(), x.dtype());
        let batch = x.dims()[0];
        let edge = |k: usize| (k as f64 - 0.5) / 8.0 - 1.0;
        let edges: Vec<f64> = (0..=LEVELS).map(|k| c.alpha * edge(k)).collect();
        let edges = Tensor::<3>::from_data(TensorData::new(edges, [1, 1, LEVELS + 1]), options);
        let law = TensorData::new(self.0.concat(), [1, PIXELS, LEVELS]);
        let law = Tensor::<3>::from_data(law, options);
        let place = x.clone().reshape([batch, PIXELS, 1]);
        let z = (edges - place.clone()) / c.sigma;
        let steps = |f: Tensor<3>| f.clone().narrow(2, 1, LEVELS) - f.narrow(2, 0, LEVELS);
        let mass = steps((z.clone() * FRAC_1_SQRT_2).erf() * 0.5);
        let slope = steps((z.square() * -0.5).exp() / TAU.sqrt());
        let moment = mass.clone() * place - slope * c.sigma;
        let mean = (moment * law.clone()).sum_dim(2) / (mass * law).sum_dim(2) / c.alpha;
        let data = mean.reshape([batch, PIXELS]);
        Prediction::Data.convert_tensor(what, data, x.clone(), &c)
    }
}

/// Bits per dimension of rows of noisy pixels.
fn bits(field: &Cells, noisy: &[f64]) -> Vec<f64> {
    let trace = ExactTrace { chunk: PIXELS };
    let density = dopri5(1e-7).log_prob(field, rows(noisy, PIXELS), &trace).unwrap();
    density.nats.into_iter().map(|nats| DIGITS.bits_per_dim(nats, PIXELS)).collect()
}

fn draw(law: &Law, n: usize) -> Vec<u8> {
    let mut rng = Streams::new(7).rng(0, Purpose::Data);
    let mut pixel = |q: &[f64; LEVELS]| {
        let mut left: f64 = rng.random();
        q.iter()
            .take_while(|q| {
                left -= **q;
                0.0 <= left
            })
            .count()
            .min(LEVELS - 1) as u8
    };
    (0..n).flat_map(|_| law.each_ref().map(&mut pixel)).collect()
}

/// In the middle of its cell a pixel costs `-log2 q` bits, whatever the others are.
#[test]
fn every_level_costs_the_logarithm_of_its_probability() {
    let law = logistic();
    let field = Cells(law);
    let levels: Vec<usize> = (0..12 * PIXELS).map(|i| (5 * i + i / 4) % LEVELS).collect();
    let middle: Vec<f64> = levels.iter().map(|&k| k as f64 / 8.0 - 1.0).collect();
    for (got, levels) in bits(&field, &middle).into_iter().zip(levels.chunks(PIXELS)) {
        let cost = levels.iter().zip(&law).map(|(&k, q)| -q[k].log2());
        let want = cost.sum::<f64>() / PIXELS as f64;
        assert!((got - want).abs() < 1e-3, "{levels:?}: {got} bits, not {want}");
    }
}

/// Drawn from the law with noise in their cells, pixels cost their entropy: uniform levels
/// `log2 17 = 4.087` bits each, logistic ones fewer.
#[test]
fn pixels_cost_their_entropy() {
    let uniform = [[1.0 / LEVELS as f64; LEVELS]; PIXELS];
    for (name, law) in [("uniform", uniform), ("logistic", logistic())] {
        let pixels = draw(&law, 400);
        let mut rng = Streams::new(7).rng(1, Purpose::Dequantise);
        let noisy: Vec<f64> = DIGITS.draw(&pixels, &mut rng).into_iter().map(f64::from).collect();
        let all = bits(&Cells(law), &noisy);
        let n = all.len() as f64;
        let mean = all.iter().sum::<f64>() / n;
        let variance = all.iter().map(|b| (b - mean).powi(2)).sum::<f64>() / (n - 1.0);
        let (want, error) = (entropy(&law), (variance / n).sqrt());
        assert!((mean - want).abs() < 3.0 * error + 2e-3, "{name}: {mean}, not {want} ({error})");
        // Beside what these very levels cost, the noise in their cells and the ends of the span
        // make a small difference: a point on the border of two cells belongs half to each.
        let levels = pixels.iter().enumerate();
        let cost = levels.map(|(i, &k)| -law[i % PIXELS][usize::from(k)].log2()).sum::<f64>();
        let cost = cost / pixels.len() as f64;
        assert!((mean - cost).abs() < 2e-3, "{name}: {mean} bits, not {cost}");
        // The scale (pixel + u) / (levels / 2) - 1 is another one: 0.087 bits apart.
        let other = mean - DIGITS.offset() + (LEVELS as f64 / 2.0).log2();
        assert!(0.08 < (other - cost).abs(), "{name}: {other}");
    }
}
