//! Traces, exact and estimated.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::sync::Arc;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use common::{LinearField, Mixture, Stir, host, rk4, rows};
use flow_nn::{Condition, Network, NetworkConfig, Signature, Time, UNet, UNetConfig, init_seeded};
use flow_path::{Linear, Prediction, Times};
use flow_sample::{Divergence, ExactTrace, Hutchinson, Probe, Trained};

const LAWS: [Probe; 2] = [Probe::Rademacher, Probe::Gaussian];
const TRIALS: usize = 4000;

/// Neither symmetric nor diagonal; its trace is 0.4.
const MATRIX: [f64; 9] = [0.5, -0.3, 0.2, 0.7, -0.4, 0.1, -0.6, 0.5, 0.3];

/// `TRIALS` copies of one point, each with its own probes.
fn trials(field: &LinearField, law: Probe, probes: usize) -> (Vec<f64>, Vec<f64>, f64) {
    let dim = field.1;
    let point: Vec<f64> = (0..dim).map(|i| 0.4 * i as f64 - 0.3).collect();
    let many = rows(&point, dim).repeat_dim(0, TRIALS);
    let probes = Hutchinson::draw(law, probes, 5, 0..TRIALS, dim, &Device::flex());
    let estimates = rk4(8).log_prob(field, many, &probes).unwrap();
    let exact = rk4(8).log_prob(field, rows(&point, dim), &ExactTrace { chunk: 2 }).unwrap();
    (estimates.nats, estimates.std_error.unwrap_or_default(), exact.nats[0])
}

fn mean_and_variance(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0))
}

/// `2 sum S_ij^2` over all pairs, or over those off the diagonal.
fn formula(law: Probe) -> f64 {
    let entry = |i: usize, j: usize| f64::midpoint(MATRIX[3 * i + j], MATRIX[3 * j + i]);
    let pairs = (0..3).flat_map(|i| (0..3).map(move |j| (i, j)));
    let kept = pairs.filter(|(i, j)| law == Probe::Gaussian || i != j);
    kept.map(|(i, j)| 2.0 * entry(i, j).powi(2)).sum()
}

#[test]
fn estimates_of_a_linear_flow_have_the_mean_and_variance_of_their_formulas() {
    let field = LinearField(MATRIX.to_vec(), 3);
    for law in LAWS {
        let (estimates, errors, exact) = trials(&field, law, 1);
        let (mean, variance) = mean_and_variance(&estimates);
        let error = (variance / TRIALS as f64).sqrt();
        // Four standard errors: one false alarm in 16,000.
        assert!((mean - exact).abs() < 4.0 * error, "{law:?}: {mean} is not {exact} +- {error}");
        // A sum of squared normals has a kurtosis below 15, so that the sample variance of 4,000
        // has a relative standard error below 0.06.
        let ratio = variance / formula(law);
        assert!((ratio - 1.0).abs() < 0.24, "{law:?}: variance off by {ratio}");
        assert!(errors.is_empty(), "one probe knows nothing of its error");
    }
    assert!(formula(Probe::Rademacher) < formula(Probe::Gaussian));
}

#[test]
fn variance_falls_with_the_number_of_probes_and_is_reported() {
    let field = LinearField(MATRIX.to_vec(), 3);
    for law in LAWS {
        let (estimates, errors, _) = trials(&field, law, 16);
        let (_, variance) = mean_and_variance(&estimates);
        let reported = errors.iter().map(|e| e * e).sum::<f64>() / TRIALS as f64;
        // As above; means of 16 are closer to normal, whose variance is known to 0.022.
        for (name, variance) in [("seen", variance), ("reported", reported)] {
            let ratio = 16.0 * variance / formula(law);
            assert!((ratio - 1.0).abs() < 0.12, "{law:?}: variance {name} is off by {ratio}");
        }
    }
}

#[test]
fn signs_are_exact_for_a_diagonal_jacobian_and_normal_probes_are_not() {
    let field = LinearField(vec![0.8, 0.0, 0.0, 0.0, -0.5, 0.0, 0.0, 0.0, 0.2], 3);
    let spread = |law| {
        let (estimates, _, exact) = trials(&field, law, 1);
        estimates.iter().map(|nats| (nats - exact).abs()).fold(0.0, f64::max)
    };
    assert!(spread(Probe::Rademacher) < 1e-12);
    assert!(spread(Probe::Gaussian) > 1.0);
}

/// In the plane the signs (1, 1) and (1, -1) cancel the off-diagonal entries.
#[test]
fn all_signs_of_the_plane_together_are_exact() {
    let field = Mixture(Linear { sigma_min: 0.0 });
    let x = rows(&[0.3, -0.7, 1.2, 0.4, -0.9, 0.1], 2);
    let sign = |y: f64| rows(&[1.0, y, 1.0, y, 1.0, y], 2);
    let probes = Hutchinson::new(vec![sign(1.0), sign(-1.0)]);
    let estimates = probes.evaluate(&field, &x, 0.6).1;
    assert_eq!(estimates.dims(), [3, 2]);
    let exact = ExactTrace { chunk: 1 }.evaluate(&field, &x, 0.6).1;
    let difference = (estimates.clone().mean_dim(1) - exact).abs().max().into_scalar::<f64>();
    assert!(difference < 1e-12, "{difference:e}");
    let apart = (estimates.clone().narrow(1, 0, 1) - estimates.narrow(1, 1, 1)).abs().min();
    assert!(apart.into_scalar::<f64>() > 1e-2);
}

#[test]
fn the_size_of_a_chunk_does_not_change_the_trace() {
    let field = LinearField(MATRIX.to_vec(), 3);
    let x = rows(&[0.1, 0.2, 0.3, 0.4, 0.5, 0.6], 3);
    for chunk in [0, 1, 2, 3, 100] {
        let (velocity, trace) = ExactTrace { chunk }.evaluate(&field, &x, 0.0);
        assert_eq!((velocity.dims(), trace.dims()), ([2, 3], [2, 1]));
        assert!(host(trace).iter().all(|trace| (trace - 0.4).abs() < 1e-14), "chunk {chunk}");
    }
}

fn unet(device: &Device) -> UNet {
    let signature = Signature { classes: 3, ..Signature::of([1, 8, 8]) };
    let config = UNetConfig {
        channels: 8,
        multipliers: vec![1, 2],
        blocks: 1,
        attention: vec![4],
        head_channels: 8,
        groups: 4,
        ..UNetConfig::default()
    };
    init_seeded(5, device, |device| config.init(&signature, device)).unwrap().map(&mut Stir)
}

/// `(v(x + h e_i) - v(x - h e_i))_i / 2h` summed over the pixels of one image.
fn central_differences(network: &UNet, image: &Tensor<2>, class: usize, t: f64) -> f64 {
    let (pixels, h) = (64, 1e-2);
    let device = image.device();
    let shift = Tensor::<2>::eye(pixels, &device);
    let condition = Condition::classes(&vec![class; pixels], &device);
    let diagonal = |h: f64| {
        let x = image.clone().repeat_dim(0, pixels) + shift.clone() * h;
        let time = Time::at(Times::constant(t, pixels).to_tensor(&device));
        (network.forward(x, time, &condition) * shift.clone()).sum().into_scalar::<f32>()
    };
    f64::from(diagonal(h) - diagonal(-h)) / (2.0 * h)
}

/// A U-Net has convolutions, normalisation, attention and resampling, on whatever kernels the build
/// holds; two classes show that the copies of the batch keep their conditions.
#[test]
fn the_exact_trace_of_an_image_network_matches_finite_differences() {
    let device = Device::flex();
    let network = unet(&device);
    let numbers: Vec<f32> = (0..128).map(|i| (i as f32 * 0.37).sin()).collect();
    let x = Tensor::<2>::from_data(TensorData::new(numbers, [2, 64]), &device);
    let classes = [0, 2];
    let predictor = Trained {
        network: &network,
        condition: Condition::classes(&classes, &device),
        schedule: Arc::new(Linear { sigma_min: 0.0 }),
        prediction: Prediction::Velocity,
    };
    for chunk in [1, 10, 64] {
        let trace = host(ExactTrace { chunk }.evaluate(&predictor, &x, 0.4).1);
        for (row, class) in classes.into_iter().enumerate() {
            let image = x.clone().narrow(0, row, 1);
            let want = central_differences(&network, &image, class, 0.4);
            // Rounding of 64 differences, 1e-7 / 1e-2 each, and a curvature term of h^2.
            let error = (trace[row] - want).abs() / want.abs().max(1.0);
            assert!(error < 5e-3, "chunk {chunk}, row {row}: {} is not {want}", trace[row]);
        }
        assert!((trace[0] - trace[1]).abs() > 1e-2, "the classes make no difference: {trace:?}");
    }
}

/// The mean over many probes of one image approaches the exact trace.
#[test]
fn random_probes_of_an_image_network_agree_with_the_exact_trace() {
    let device = Device::flex();
    let network = unet(&device);
    let copies = 256;
    let numbers: Vec<f32> = (0..64).map(|i| (i as f32 * 0.11).sin()).collect();
    let image = Tensor::<2>::from_data(TensorData::new(numbers, [1, 64]), &device);
    let predictor = |n: usize| Trained {
        network: &network,
        condition: Condition::classes(&vec![1; n], &device),
        schedule: Arc::new(Linear { sigma_min: 0.0 }),
        prediction: Prediction::Velocity,
    };
    let exact = host(ExactTrace { chunk: 16 }.evaluate(&predictor(1), &image, 0.7).1)[0];
    for law in LAWS {
        let probes = Hutchinson::draw(law, 1, 2, 0..copies, 64, &device);
        let many = image.clone().repeat_dim(0, copies);
        let (mean, variance) =
            mean_and_variance(&host(probes.evaluate(&predictor(copies), &many, 0.7).1));
        let error = (variance / copies as f64).sqrt();
        assert!((mean - exact).abs() < 4.0 * error, "{law:?}: {mean} is not {exact} +- {error}");
    }
}

#[test]
#[should_panic(expected = "expected at least one probe, got none")]
fn an_estimator_without_probes_is_refused() {
    let _ = Hutchinson::new(Vec::new());
}
