//! The schedule of training changes the variance of the loss and not the loss.

use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use flow_matching::nn::{Condition, Mlp, Network, Time};
use flow_matching::path::{
    Cosine, EdmLogNormal, Linear, LogitNormal, LossWeight, Prediction, Rescheduled, Schedule,
    TimeSampler, Times, Uniform, VariancePreserving, Weighting,
};
use flow_matching::plot::Chart;
use flow_matching::train::{Batch, BatchSource, FlowMatching};

use crate::support::{Outcome, batches, deviation, host, mean, train};

/// Log signal-to-noise ratios between which the loss is integrated: all schedules have them.
const RATIOS: (f64, f64) = (-8.0, 8.0);
/// Batches whose losses are compared.
const BATCHES: usize = 2000;

/// A schedule and a law of its times, with a name for both.
type Law = (&'static str, Arc<dyn Schedule>, Arc<dyn TimeSampler>);

pub(crate) fn draw(folder: &Path) -> Outcome<()> {
    let network = train(&batches(FlowMatching::default(), 512, 0), 3000, 3000, |_, _| Ok(()))?;
    let laws: [Law; 5] = [
        ("linear, uniform", Arc::new(Linear { sigma_min: 0.0 }), Arc::new(Uniform)),
        (
            "linear, logit-normal",
            Arc::new(Linear { sigma_min: 0.0 }),
            Arc::new(LogitNormal { mean: 0.0, std: 1.5 }),
        ),
        ("cosine, uniform", Arc::new(Cosine::default()), Arc::new(Uniform)),
        ("vp, uniform", Arc::new(VariancePreserving::default()), Arc::new(Uniform)),
        (
            "cosine, log-normal noise",
            Arc::new(Cosine::default()),
            Arc::new(EdmLogNormal { mean: 0.0, std: 1.5, schedule: Cosine::default() }),
        ),
    ];
    let mut points = Vec::new();
    for (name, schedule, times) in laws {
        let matching = FlowMatching {
            schedule: Arc::clone(&schedule),
            prediction: Prediction::Noise,
            weight: LossWeight::LogSnr(Weighting::Likelihood),
            times,
            ..FlowMatching::default()
        };
        let batches = batches(matching, 256, 11);
        let losses = (0..BATCHES)
            .map(|step| loss(&network, &schedule, batches.batch(step, &Device::flex())?))
            .collect::<Outcome<Vec<f64>>>()?;
        let (centre, spread) = (mean(&losses), deviation(&losses));
        let error = spread / (BATCHES as f64).sqrt();
        println!("  {name:25} loss {centre:.4} +- {error:.4}, deviation of a batch {spread:.4}");
        points.push((name, losses));
    }
    let sorted: Vec<(&str, Vec<(f64, f64)>)> = points
        .into_iter()
        .map(|(name, mut losses)| {
            losses.sort_by(f64::total_cmp);
            let share = |k: usize| (k as f64 + 0.5) / BATCHES as f64;
            (name, losses.iter().enumerate().map(|(k, loss)| (*loss, share(k))).collect())
        })
        .collect();
    let mut chart = Chart::new("one network, one weighting, five ways to draw times")
        .x("loss of a batch of 256")
        .y("share of batches below");
    for (name, curve) in &sorted {
        chart = chart.line(name, curve);
    }
    Ok(chart.save(folder.join("equivalence-schedules.png"))?)
}

/// The weighted loss of a network trained on the linear schedule, on rows of another one, over the
/// ratios of [`RATIOS`] alone.
fn loss(network: &Mlp, schedule: &Arc<dyn Schedule>, batch: Batch) -> Outcome<f64> {
    let along = Rescheduled { trained: Linear { sigma_min: 0.0 }, along: Arc::clone(schedule) };
    let t: Vec<f32> = batch.time.t.into_data().try_into_vec()?;
    let times = Times::new(t.into_iter().map(f64::from).collect());
    let (input, inner) = along.input(batch.x_t.clone(), &times);
    let time = Time::at(inner.to_tensor(&Device::flex()));
    let velocity = network.forward(input, time, &Condition::none());
    let (from, to) = (Prediction::Velocity, Prediction::Noise);
    let noise = along.output(from, to, velocity, batch.x_t, &times);
    let squares = host((noise - batch.target).square().mean_dim(1));
    let weights: Vec<f32> =
        batch.weight.ok_or("the loss is weighted")?.into_data().try_into_vec()?;
    let inside = |t: f64| (RATIOS.0..=RATIOS.1).contains(&schedule.at(t).log_snr());
    let rows = times.iter().zip(squares).zip(weights);
    let kept = rows.filter(|((t, _), _)| inside(*t));
    Ok(kept.map(|((_, square), weight)| square * f64::from(weight)).sum::<f64>()
        / times.len() as f64)
}
