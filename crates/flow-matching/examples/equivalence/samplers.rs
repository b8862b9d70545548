//! Samplers of diffusion and of flows on one trained network.

use std::path::Path;
use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use flow_matching::datasets::Toy;
use flow_matching::eval::{Points, floor, sliced_wasserstein};
use flow_matching::nn::Condition;
use flow_matching::ode::Method;
use flow_matching::path::stream::{Purpose, Streams};
use flow_matching::path::{Linear, Prediction};
use flow_matching::plot::{Chart, Figure};
use flow_matching::sample::{
    Ancestral, Churn, Ddim, Diffusion, DpmSolver, LastStep, Multistep, Ode, Reparametrised, Rule,
    Sampler, Sde, Seeded, Space, Trained, Way, normal_rows,
};
use flow_matching::train::FlowMatching;

use crate::support::{EightGaussians, Outcome, batches, deviation, end, gap, host, mean, train};

/// A score and its standard error at each setting of a sampler.
type Curve = Vec<(f64, (f64, f64))>;

/// Samples that are scored.
const SAMPLES: usize = 4000;
/// Seeds over which scores are averaged.
const SEEDS: u64 = 6;

pub(crate) fn draw(folder: &Path) -> Outcome<()> {
    let network = train(&batches(FlowMatching::default(), 512, 0), 3000, 3000, |_, _| Ok(()))?;
    let field = Trained {
        network: &network,
        condition: Condition::none(),
        schedule: Arc::new(Linear { sigma_min: 0.0 }),
        prediction: Prediction::Velocity,
    };
    same_samples(&field)?;
    let scores = Scores::new(&field)?;
    println!("  floor of the sliced Wasserstein distance: {:.4}", scores.floor);
    let mut by_fraction: Vec<(usize, Curve)> = Vec::new();
    for steps in [5, 10, 20] {
        let mut curve = Vec::new();
        for fraction in [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7] {
            curve.push((fraction, scores.of(&Churn { fraction }, steps)?));
        }
        println!("  churn, {steps} steps: {}", shown(&curve));
        by_fraction.push((steps, curve));
    }
    let mut by_noise = Vec::new();
    for steps in [20, 100] {
        let mut curve = Vec::new();
        for scale in [0.0, 0.25, 1.0, 4.0, 9.0] {
            let sde = Sde { diffusion: Diffusion::Sigma, scale, last: LastStep::Denoise };
            curve.push((scale, scores.of(&sde, steps)?));
        }
        println!("  sde with g^2 = c sigma, {steps} steps: {}", shown(&curve));
        by_noise.push((steps, curve));
    }
    let figure = Figure::row([
        chart("churn", "fraction undone", &by_fraction, scores.floor),
        chart("SDE, squared diffusion c sigma", "c", &by_noise, scores.floor),
    ]);
    Ok(figure.save(folder.join("equivalence-samplers.png"))?)
}

fn shown(curve: &Curve) -> String {
    let point = |(x, (y, error)): &(f64, (f64, f64))| format!("{x}: {y:.3} +- {error:.3}");
    curve.iter().map(point).collect::<Vec<_>>().join(", ")
}

fn chart(title: &str, x: &str, curves: &[(usize, Curve)], floor: f64) -> Figure {
    let labels: Vec<String> = curves.iter().map(|(steps, _)| format!("{steps} steps")).collect();
    let means: Vec<Vec<(f64, f64)>> = curves
        .iter()
        .map(|(_, curve)| curve.iter().map(|(x, (y, _))| (*x, *y)).collect())
        .collect();
    let ends = [means[0][0].0, means[0][means[0].len() - 1].0].map(|x| (x, floor));
    let mut chart = Chart::new(title).x(x).y("sliced Wasserstein distance").size(460.0, 340.0);
    for (label, curve) in labels.iter().zip(&means) {
        chart = chart.line(label, curve);
    }
    chart.dashed("floor", &ends).figure()
}

/// Differences between samples that are the same by theory, and between those that are not.
fn same_samples(field: &Trained<'_>) -> Outcome<()> {
    let steps = 10;
    let way = Way::steps(steps).with_noise(&Seeded { seed: 5, first: 0 });
    let x0 = noise(1);
    let draw = |sampler: &dyn Sampler| end(sampler, field, x0.clone(), &way);
    let ddim = draw(&Ddim::default())?;
    let ancestral = draw(&Ancestral {})?;
    println!("  largest difference after {steps} steps, single precision, samples of size 5");
    let straight = |space, rule| Reparametrised { space, rule };
    let solver = DpmSolver { multistep: Multistep::First, eta: 1.0 };
    for (name, other, same_as) in [
        ("DDIM, Euler", draw(&Ode::on_grid(Method::Euler))?, &ddim),
        ("DDIM, straight along x_1", draw(&straight(Space::Data, Rule::Euler))?, &ddim),
        (
            "DDIM, straight along x_1 - x_0",
            draw(&straight(Space::Displacement, Rule::Euler))?,
            &ddim,
        ),
        ("DDPM, DDIM eta 1", draw(&Ddim { eta: 1.0 })?, &ancestral),
        ("DDPM, churn 1/2", draw(&Churn { fraction: 0.5 })?, &ancestral),
        ("DDPM, SDE-DPM-Solver++(1)", draw(&solver)?, &ancestral),
    ] {
        println!("    {name:32} {:.1e}", gap(&other, same_as));
    }
    let midpoints =
        [Space::Data, Space::Displacement].map(|space| draw(&straight(space, Rule::Midpoint)));
    let [data, displacement] = midpoints;
    let velocity = draw(&Ode::on_grid(Method::Midpoint))?;
    let (data, displacement) = (data?, displacement?);
    println!("  midpoint rule, whose answer depends on the coordinates");
    println!("    {:32} {:.1e}", "x_1, x_1 - x_0", gap(&data, &displacement));
    println!("    {:32} {:.1e}", "x_1, velocity", gap(&data, &velocity));
    Ok(())
}

fn noise(seed: u64) -> Tensor<2> {
    let rows = normal_rows(seed, Purpose::Noise, 0..SAMPLES, 2);
    Tensor::from_data(TensorData::new(rows, [SAMPLES, 2]), &Device::flex())
}

/// Distances of samples to data.
struct Scores<'a> {
    field: &'a Trained<'a>,
    data: Vec<Vec<f32>>,
    floor: f64,
}

impl<'a> Scores<'a> {
    fn new(field: &'a Trained<'a>) -> Outcome<Self> {
        let draw = |index| {
            let mut rng = Streams::new(7).rng(index, Purpose::Evaluation);
            EightGaussians::new().0.sample(SAMPLES, &mut rng)
        };
        let data: Vec<Vec<f32>> = (0..SEEDS).map(draw).collect();
        let other = draw(SEEDS);
        let distance = |a: Points<'_>, b: Points<'_>| sliced_wasserstein(a, b, 128, 0);
        let floors = data
            .iter()
            .map(|data| Ok(floor(distance, Points::new(&other, 2)?, Points::new(data, 2)?)?));
        let floors = floors.collect::<Outcome<Vec<f64>>>()?;
        Ok(Self { field, data, floor: mean(&floors) })
    }

    /// Mean sliced Wasserstein distance over seeds, and its standard error.
    fn of(&self, sampler: &dyn Sampler, steps: usize) -> Outcome<(f64, f64)> {
        let mut distances = Vec::new();
        for (seed, data) in (0..SEEDS).zip(&self.data) {
            let fresh = Seeded::new(seed);
            let way = Way::steps(steps).with_noise(&fresh);
            let samples = end(sampler, self.field, noise(seed), &way)?;
            let samples: Vec<f32> = host(samples).into_iter().map(|x| x as f32).collect();
            let (a, b) = (Points::new(&samples, 2)?, Points::new(data, 2)?);
            distances.push(sliced_wasserstein(a, b, 128, 0)?.value);
        }
        Ok((mean(&distances), deviation(&distances) / (SEEDS as f64).sqrt()))
    }
}
