//! One network with five heads: the same loss, other courses of training.

use std::path::Path;
use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use flow_matching::nn::{Condition, Mlp, Network};
use flow_matching::path::{Cosine, LossWeight, Prediction, Schedule, Times, Weighting};
use flow_matching::plot::Chart;
use flow_matching::train::{BatchSource, FlowMatching, Networks, Objective, Regression};

use crate::support::{Outcome, batches, mean, train};

/// Steps of each training.
const STEPS: usize = 1500;
/// With some noise and some data at both ends, so that all heads are finite at the same times.
const SCHEDULE: Cosine = Cosine { margin: 0.02 };

const HEADS: [(&str, Prediction); 5] = [
    ("velocity", Prediction::Velocity),
    ("data", Prediction::Data),
    ("noise", Prediction::Noise),
    ("v", Prediction::V),
    ("displacement", Prediction::Displacement),
];

/// The weighting of flow matching, whatever is predicted.
fn matching(prediction: Prediction) -> FlowMatching {
    FlowMatching {
        schedule: Arc::new(SCHEDULE),
        prediction,
        weight: LossWeight::LogSnr(Weighting::FlowMatching),
        ..FlowMatching::default()
    }
}

pub(crate) fn draw(folder: &Path) -> Outcome<()> {
    same_loss()?;
    let mut curves = Vec::new();
    for (name, prediction) in HEADS {
        let mut curve = Vec::new();
        train(&batches(matching(prediction), 512, 0), STEPS, 100, |step, network| {
            curve.push((step as f64, validation(network, prediction)?));
            Ok(())
        })?;
        let at = |k: usize| curve[k].1;
        println!(
            "  {name:13} loss after 0, 100, 500 and {STEPS} steps: {:.3}, {:.3}, {:.3}, {:.4}",
            at(0),
            at(1),
            at(5),
            at(curve.len() - 1)
        );
        curves.push((name, curve));
    }
    let mut chart = Chart::new("one network, five heads, one weighting")
        .x("step")
        .y("the same loss, on the same rows");
    for (name, curve) in &curves {
        // Before the first step the loss is that of the head alone.
        chart = chart.line(name, &curve[1..]);
    }
    Ok(chart.save(folder.join("equivalence-heads.png"))?)
}

/// The weighted loss on the same held-out rows for every head.
fn validation(network: &Mlp, prediction: Prediction) -> Outcome<f64> {
    let batches = batches(matching(prediction), 2048, 1);
    let loss = |step| -> Outcome<f64> {
        let batch = batches.batch(step, &Device::flex())?;
        Ok(Regression.loss(Networks::of(network), batch).total.into_scalar::<f32>().into())
    };
    Ok(mean(&(0..8).map(loss).collect::<Outcome<Vec<_>>>()?))
}

/// The loss of one and the same predictor, a network whose answer is read as noise, under every
/// head.
fn same_loss() -> Outcome<()> {
    let network = crate::support::network()?;
    let mut losses = Vec::new();
    for (_, prediction) in HEADS {
        let batch = batches(matching(prediction), 2048, 1).batch(0, &Device::flex())?;
        let t: Vec<f32> = batch.time.t.clone().into_data().try_into_vec()?;
        let times = Times::new(t.into_iter().map(f64::from).collect());
        let noise = network.forward(batch.x_t.clone(), batch.time.clone(), &Condition::none());
        let schedule: &dyn Schedule = &SCHEDULE;
        let answer: Tensor<2> =
            Prediction::Noise.convert_batch(prediction, noise, batch.x_t, schedule, &times);
        let squares = (answer - batch.target).square().mean_dim(1).squeeze_dim::<1>(1);
        let weight = batch.weight.unwrap_or_else(|| squares.ones_like());
        losses.push(f64::from((squares * weight).mean().into_scalar::<f32>()));
    }
    for ((name, _), loss) in HEADS.iter().zip(&losses) {
        println!("  one predictor read as {name:13} has the loss {loss:.6}");
    }
    Ok(())
}
