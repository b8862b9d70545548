//! What trained networks answer as predictors: jumps of flow maps, velocities, and guidance between
//! networks of two kinds.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::sync::Arc;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use common::{Stir, host};
use flow_nn::{
    Condition, DynNetwork, MlpConfig, Network, NetworkConfig, Signature, SplitMlpConfig, Time,
    UNetConfig, init_seeded,
};
use flow_path::{Checkerboard, Exact, Gaussian, Linear, Prediction};
use flow_sample::{Guided, Interval, Predictor, Steered, Trained};

const LINEAR: Linear = Linear { sigma_min: 0.0 };

/// A network with weights that say something: untrained output layers and jumps are zero.
fn stirred(config: &impl NetworkConfig, signature: &Signature) -> DynNetwork {
    let init = |device: &Device| config.init(signature, device).map(DynNetwork::new);
    init_seeded(4, &Device::flex(), init).unwrap().map(&mut Stir)
}

fn mlp(signature: &Signature) -> DynNetwork {
    stirred(&MlpConfig { hidden: 16, depth: 2, ..MlpConfig::default() }, signature)
}

/// Small networks of two times, of points and of images, both with three classes.
fn flow_maps() -> [DynNetwork; 2] {
    let of = |shape: &[usize]| Signature { classes: 3, two_times: true, ..Signature::of(shape) };
    let unet = UNetConfig {
        channels: 8,
        multipliers: vec![1, 2],
        attention: vec![4],
        head_channels: 8,
        groups: 4,
        ..UNetConfig::default()
    };
    [mlp(&of(&[2])), stirred(&unet, &of(&[1, 8, 8]))]
}

fn trained(network: &dyn Network, condition: Condition) -> Trained<'_> {
    let (schedule, prediction) = (Arc::new(LINEAR), Prediction::Velocity);
    Trained { network, condition, schedule, prediction }
}

/// Rows of numbers between -1 and 1.
fn points(rows: usize, size: usize) -> Tensor<2> {
    let numbers: Vec<f32> = (0..rows * size).map(|i| (i as f32 * 0.37).sin()).collect();
    Tensor::from_data(TensorData::new(numbers, [rows, size]), &Device::flex())
}

/// One time for all rows.
fn one(t: f64) -> Tensor<1> {
    Tensor::from_floats([t as f32], &Device::flex())
}

fn gap(a: Tensor<2>, b: Tensor<2>) -> f64 {
    host(a - b).into_iter().fold(0.0, |worst: f64, gap| worst.max(gap.abs()))
}

/// `u(x, t, s) = x (e^{s - t} - 1) / (s - t)`, the mean velocity of the flow `dx/dt = x`.
struct Growth(Signature);

impl Network for Growth {
    fn signature(&self) -> &Signature {
        &self.0
    }

    fn forward(&self, x: Tensor<2>, time: Time, _: &Condition) -> Tensor<2> {
        let Some(s) = time.s else { return x };
        let duration = (s - time.t).unsqueeze_dim::<2>(1);
        x * (duration.clone().exp() - 1.0) / duration
    }
}

#[test]
fn a_jump_of_a_flow_map_that_knows_its_flow_ends_on_the_path() {
    let network = Growth(Signature { two_times: true, ..Signature::of([2]) });
    let predictor = trained(&network, Condition::none());
    let x = points(5, 2);
    for (t, s) in [(0.0, 1.0), (0.25, 0.75), (1.0, 0.0)] {
        let end = predictor.jump(&x, t, s).unwrap();
        // Single precision loses some digits of e^{s - t} - 1.
        assert!(gap(end, x.clone() * (s - t).exp()) < 1e-6, "from {t} to {s}");
    }
}

#[test]
fn a_jump_is_the_duration_times_the_network_of_two_times() {
    for network in flow_maps() {
        let x = points(3, network.signature().size());
        let condition = Condition::classes(&[0, 2, 3], &Device::flex());
        let predictor = trained(&network, condition.clone());
        let u = |t, s| network.forward(x.clone(), Time::from_to(one(t), one(s)), &condition);
        for (t, s) in [(0.1, 0.8), (0.9, 0.2)] {
            let end = predictor.jump(&x, t, s).unwrap();
            assert!(gap(end.clone(), x.clone() + u(t, s) * (s - t)) < 1e-5, "from {t} to {s}");
            let along_the_velocity = x.clone() + u(t, t) * (s - t);
            assert!(gap(end.clone(), along_the_velocity) > 1e-3, "the time of arrival is not read");
            // A borrowed predictor jumps as well, and so does its batch several times over.
            let twice = Predictor::jump(&&predictor, &x.clone().repeat_dim(0, 2), t, s).unwrap();
            assert!(gap(twice, end.repeat_dim(0, 2)) < 1e-5, "two copies from {t} to {s}");
        }
        assert!(gap(predictor.jump(&x, 0.4, 0.4).unwrap(), x.clone()) < 1e-7, "a jump to itself");
    }
}

#[test]
fn a_velocity_asked_of_a_flow_map_is_that_of_arriving_where_it_starts() {
    for network in flow_maps() {
        let x = points(3, network.signature().size());
        let condition = Condition::classes(&[0, 2, 3], &Device::flex());
        let predictor = trained(&network, condition.clone());
        let u = |t, s| network.forward(x.clone(), Time::from_to(one(t), one(s)), &condition);
        let velocity = predictor.predict(Prediction::Velocity, &x, 0.3);
        assert!(gap(velocity.clone(), u(0.3, 0.3)) < 1e-6);
        assert!(gap(velocity, u(0.3, 0.9)) > 1e-3, "the time of arrival is not read");
    }
}

#[test]
fn what_is_no_flow_map_does_not_jump() {
    let network = mlp(&Signature::of([2]));
    let velocity = trained(&network, Condition::none());
    let exact = Exact::new(Checkerboard::default(), LINEAR);
    let gaussian = Exact::new(Gaussian::new(vec![0.5, -0.2], 0.5), LINEAR);
    let interval = Interval::default();
    let guided = Guided { with: &gaussian, without: &exact, scale: 2.0, interval };
    let map = mlp(&Signature { two_times: true, ..Signature::of([2]) });
    let data = Trained { prediction: Prediction::Data, ..trained(&map, Condition::none()) };
    let steered =
        Steered { predictor: &gaussian, gradient: |x: &_, _| Tensor::clone(x), scale: 1.0 };
    let predictors: [&dyn Predictor; 5] = [&velocity, &exact, &guided, &data, &steered];
    assert!(predictors.iter().all(|predictor| predictor.jump(&points(3, 2), 0.2, 0.8).is_none()));
}

/// A conditional MLP that predicts the data, away from a split MLP that predicts the velocity and
/// knows no classes: `u = u_without + w (u_with - u_without)` with `u_with = (x_1 - x) / (1 - t)`.
#[test]
fn guidance_between_networks_of_two_kinds_is_its_formula() {
    let conditional = mlp(&Signature { classes: 3, ..Signature::of([2]) });
    let plain = stirred(&SplitMlpConfig::default(), &Signature::of([2]));
    let condition = Condition::classes(&[0, 1, 2, 0], &Device::flex());
    let with = trained(&conditional, condition.clone());
    let with = Trained { prediction: Prediction::Data, ..with };
    let without = trained(&plain, Condition::none());
    let (scale, interval) = (2.5, Interval::default());
    let guided = Guided { with: &with, without: &without, scale, interval };
    let x = points(4, 2);
    for t in [0.2, 0.6] {
        let data = conditional.forward(x.clone(), Time::at(one(t)), &condition);
        let with = (data - x.clone()) / (1.0 - t);
        let without = plain.forward(x.clone(), Time::at(one(t)), &Condition::none());
        assert!(gap(with.clone(), without.clone()) > 1e-2, "both networks say the same");
        let want = without.clone() + (with - without) * scale;
        let got = guided.predict(Prediction::Velocity, &x, t);
        // Single precision, with numbers of this size.
        let size = host(want.clone()).into_iter().fold(1.0, |size: f64, u| size.max(u.abs()));
        assert!(gap(got, want) < 1e-5 * size, "t = {t}");
    }
}
