//! A network trained along one schedule, sampled along another.

mod common;

use burn::prelude::*;
use burn::tensor::TensorData;
use common::assert_close;
use flow_path::{
    Coefficients, Cosine, Exact, ExactField, Gaussian, Linear, Mixture, Prediction, Rescheduled,
    Schedule, Times, VarianceExploding, VariancePreserving,
};

fn data() -> Mixture {
    Mixture::uniform(vec![Gaussian::new(vec![-1.0], 0.3), Gaussian::new(vec![0.8], 0.5)])
}

/// Velocity along `along` at `x`, from what the ideal network of `trained` predicts.
fn velocity_through(
    trained: &dyn Schedule,
    along: &dyn Schedule,
    prediction: Prediction,
    x: f64,
    r: f64,
) -> f64 {
    let reading = Rescheduled { trained, along }.reading(r);
    let m = Exact::new(data(), trained).marginal(&[x / reading.scale], reading.t);
    let (p, q) = prediction.factors(&reading.trained);
    let (a, b) = reading.convert(prediction, Prediction::Velocity);
    a * (p * m.data[0] + q * m.noise[0]) + b * x
}

#[test]
fn an_ideal_network_gives_the_exact_field_of_the_other_schedule() {
    let schedules: [&dyn Schedule; 4] = [
        &Linear::default(),
        &Cosine::default(),
        &VariancePreserving::default(),
        &VarianceExploding { sigma_max: 80.0, ..Default::default() },
    ];
    for trained in schedules {
        for along in schedules {
            // Times at which either schedule has the ratio.
            for r in [0.45, 0.6, 0.8] {
                let want = Exact::new(data(), along).velocity(&[0.4], r)[0];
                for prediction in [Prediction::Velocity, Prediction::Noise, Prediction::V] {
                    let got = velocity_through(trained, along, prediction, 0.4, r);
                    assert_close(got, want, 1e-9);
                }
            }
        }
    }
}

#[test]
fn both_ends_are_exact_for_every_sample_of_a_batch() {
    let rescheduled = Rescheduled { trained: Cosine::default(), along: Linear::default() };
    let r = Times::new(vec![0.0, 0.5, 1.0]);
    let x =
        Tensor::<2>::from_data(TensorData::new(vec![1.0f32, 1.0, 1.0], [3, 1]), &Device::flex());
    let (input, t) = rescheduled.input(x, &r);
    assert_eq!((t.as_slice()[0], t.as_slice()[2]), (0.0, 1.0));
    assert_close(t.as_slice()[1], 0.5, 1e-15);
    let input: Vec<f32> = input.into_data().try_into_vec().unwrap();
    assert_eq!((input[0], input[2]), (1.0, 1.0));
    assert!((input[1] - 2.0f32.sqrt()).abs() < 1e-6, "{}", input[1]);
}

#[test]
fn a_batch_is_converted_at_its_own_times() {
    let rescheduled = Rescheduled { trained: Linear::default(), along: Cosine::default() };
    let r = Times::new(vec![0.2, 0.7]);
    let upload = |values: [f32; 2]| {
        Tensor::<2>::from_data(TensorData::new(values.to_vec(), [2, 1]), &Device::flex())
    };
    let (value, x) = ([0.3, -0.4], [1.1, 0.6]);
    let got =
        rescheduled.output(Prediction::Velocity, Prediction::Data, upload(value), upload(x), &r);
    let got: Vec<f32> = got.into_data().try_into_vec().unwrap();
    for (k, r) in r.iter().enumerate() {
        let (a, b) = rescheduled.reading(r).convert(Prediction::Velocity, Prediction::Data);
        let want = a * f64::from(value[k]) + b * f64::from(x[k]);
        assert_close(f64::from(got[k]), want, 1e-6);
    }
}

#[test]
fn ratios_beyond_the_trained_ones_read_the_end_of_the_trained_span() {
    let trained = VariancePreserving::default();
    let noise = Rescheduled { trained, along: Linear::default() }.reading(0.0);
    assert_close(noise.t, 0.0, 0.0);
    assert_close(noise.scale, 1.0, 1e-12);
    let data: Coefficients = Rescheduled { trained, along: Linear::default() }.reading(1.0).trained;
    assert_eq!(data, trained.at(trained.span().1));
}
