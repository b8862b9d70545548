//! `flow eval`: scores, each beside what real data get.

use std::fmt::Write as _;
use std::time::Instant;

use anyhow::Result;
use burn::tensor::Device;
use flow_eval::{
    EvalError, Kernel, Points, Score, Trajectories, energy_distance, floor, frechet, mmd,
    off_support_mass, sliced_wasserstein, straightness,
};
use flow_ode::Method;
use flow_path::stream::{Purpose, Streams};
use serde::Serialize;

use crate::ambiguity::{self, AmbiguityReport};
use crate::args::{EvalArgs, SolverArgs};
use crate::classifier::Judge;
use crate::commands::train::source;
use crate::device;
use crate::exit::usage;
use crate::field::{self, FieldReport};
use crate::files::write_text;
use crate::latent::{self, LatentReport};
use crate::model::Model;
use crate::progress::print;
use crate::registry::Data;
use crate::request::Request;
use crate::run::Run;
use crate::sampling::Samples;

/// Directions of the sliced Wasserstein distance.
const PROJECTIONS: usize = 256;

pub(crate) fn run(args: &EvalArgs) -> Result<()> {
    device::limit_threads(args.threads)?;
    let device = device::parse(&args.device)?;
    let run = Run::open(&args.run)?;
    let data = Data::open(&run.recipe, &source(args.data.data_dir.as_deref()))?;
    let options = Options { number: args.number, seed: args.seed };
    let report = evaluate(&run, &data, &device, &options)?;
    print(&if args.json { report.json() } else { report.table() });
    Ok(())
}

/// What the command line changes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    pub(crate) number: Option<usize>,
    pub(crate) seed: u64,
}

/// The content of `eval.json`.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    schema: u32,
    recipe: String,
    step: usize,
    seed: u64,
    seconds: f64,
    rows: Vec<Row>,
    #[serde(skip_serializing_if = "Option::is_none")]
    straightness: Option<Score>,
    #[serde(skip_serializing_if = "Option::is_none")]
    classifier_accuracy: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<FieldReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ambiguity: Option<AmbiguityReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latent: Option<LatentReport>,
}

/// One solver's scores.
#[derive(Debug, Serialize)]
struct Row {
    solver: String,
    /// Network evaluations per sample.
    nfe: f64,
    scores: Vec<Score>,
}

/// Scores a run and writes `eval.json`.
pub(crate) fn evaluate(
    run: &Run,
    data: &Data,
    device: &Device,
    options: &Options,
) -> Result<Report> {
    let started = Instant::now();
    let recipe = &run.recipe;
    let n = options.number.unwrap_or(recipe.eval.n);
    if n < 2 {
        return Err(usage!("{n} samples cannot be scored, ask for at least 2"));
    }
    let model = Model::load(run, device)?;
    let solver = SolverArgs::default();
    let request = Request::new(recipe, &solver, n, options.seed)?;
    let examiner = Examiner::new(recipe.data.set.as_str(), data, n, options.seed, device)?;

    let mut requests = vec![(request.label(), request.clone())];
    for &steps in &recipe.eval.midpoint_steps {
        let fixed = request.clone().fixed(Method::Midpoint, steps);
        requests.push((format!("midpoint x {steps}"), fixed));
    }
    let mut rows = Vec::new();
    for (solver, request) in requests {
        let samples = model.sample(&request)?;
        rows.push(Row { solver, nfe: samples.nfe, scores: examiner.scores(&samples)? });
    }
    let report = Report {
        schema: 1,
        recipe: recipe.name.clone(),
        step: run.latest()?.step,
        seed: options.seed,
        rows,
        straightness: straightness_of(&model, &request)?,
        classifier_accuracy: examiner.accuracy(),
        field: field::report(recipe, &model, options.seed),
        ambiguity: ambiguity::report(recipe, &model, options.seed),
        latent: latent::report(recipe, &model, data, options.seed)?,
        seconds: started.elapsed().as_secs_f64(),
    };
    write_text(&run.folder.join("eval.json"), &report.json())?;
    Ok(report)
}

impl Report {
    pub(crate) fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("scores are numbers and text")
    }

    /// For people.
    pub(crate) fn table(&self) -> String {
        let mut text = format!("{}, after {} steps\n", self.recipe, self.step);
        for row in &self.rows {
            let _ = writeln!(text, "{} ({:.0} evaluations)", row.solver, row.nfe);
            for score in &row.scores {
                let _ = writeln!(text, "  {score}");
            }
        }
        if let Some(score) = &self.straightness {
            let _ = writeln!(text, "{score}");
        }
        if let Some(accuracy) = self.classifier_accuracy {
            let _ = writeln!(
                text,
                "classifier accuracy on real test images: {:.1} %",
                100.0 * accuracy
            );
        }
        if let Some(field) = &self.field {
            let _ = write!(text, "{}", field.table());
        }
        if let Some(ambiguity) = &self.ambiguity {
            let _ = write!(text, "{}", ambiguity.table());
        }
        if let Some(latent) = &self.latent {
            let _ = write!(text, "{}", latent.table());
        }
        let _ = write!(text, "scored in {:.1} s", self.seconds);
        text
    }
}

/// Holds the real data and their floors.
struct Examiner<'a> {
    data: &'a Data,
    real: Vec<f32>,
    held_out: Vec<f32>,
    dim: usize,
    judge: Option<Judge>,
    kernel: Kernel,
    floors: [f64; 3],
}

impl<'a> Examiner<'a> {
    fn new(set: &str, data: &'a Data, n: usize, seed: u64, device: &Device) -> Result<Self> {
        let streams = Streams::new(seed);
        let (real, held_out, dim, judge) = match data {
            Data::Toy(toy) => {
                let draw = |index| toy.sample(n, &mut streams.rng(index, Purpose::Evaluation));
                (draw(0), draw(1), toy.dim(), None)
            }
            Data::Images { train, test } => {
                let judge = Judge::new(set, train, test, device)?;
                let n = n.min(test.len());
                let features = |images: &flow_datasets::Images| {
                    let rows: Vec<f32> = (0..n).flat_map(|i| images.normalised(i)).collect();
                    judge.judge(&rows)
                };
                let (real, held_out) = (features(train)?, features(test)?);
                (real.features, held_out.features, real.dim, Some(judge))
            }
        };
        let kernel = Kernel::up_to_median(Points::new(&real, dim)?)?;
        let mut examiner = Self { data, real, held_out, dim, judge, kernel, floors: [0.0; 3] };
        examiner.floors = examiner.floors()?;
        Ok(examiner)
    }

    fn sliced(a: Points<'_>, b: Points<'_>) -> Result<Score, EvalError> {
        sliced_wasserstein(a, b, PROJECTIONS, 0)
    }

    fn floors(&self) -> Result<[f64; 3]> {
        let real = Points::new(&self.real, self.dim)?;
        let held_out = Points::new(&self.held_out, self.dim)?;
        Ok(match self.judge {
            Some(_) => [floor(frechet, held_out, real)?, 0.0, 0.0],
            None => [
                floor(Self::sliced, held_out, real)?,
                floor(energy_distance, held_out, real)?,
                floor(|a, b| mmd(a, b, &self.kernel), held_out, real)?,
            ],
        })
    }

    fn accuracy(&self) -> Option<f64> {
        self.judge.as_ref().map(|judge| judge.accuracy)
    }

    fn scores(&self, samples: &Samples) -> Result<Vec<Score>> {
        let real = Points::new(&self.real, self.dim)?;
        match (&self.judge, self.data) {
            (Some(judge), _) => {
                let verdict = judge.judge(&samples.rows)?;
                let generated = Points::new(&verdict.features, self.dim)?.first(real.len());
                let name = format!("FD-clf (classifier accuracy {:.3})", judge.accuracy);
                let mut distance = frechet(generated, real)?.with_floor(self.floors[0]);
                distance.name = name;
                let mut scores = vec![distance];
                if let Some(labels) = &samples.labels {
                    let other: Vec<f32> = verdict
                        .classes
                        .iter()
                        .zip(labels)
                        .map(|(a, b)| f32::from(u8::from(a == b)))
                        .collect();
                    let mut disagreement =
                        off_support_mass(Points::new(&other, 1)?, |same| 0.5 < same[0])
                            .with_floor(1.0 - judge.accuracy);
                    disagreement.name = "classified as another class than asked".into();
                    scores.push(disagreement);
                }
                Ok(scores)
            }
            (None, data) => {
                let generated = Points::new(&samples.rows, self.dim)?;
                let [sliced, energy, kernel] = self.floors;
                let mut scores = vec![
                    Self::sliced(generated, real)?.with_floor(sliced),
                    energy_distance(generated, real)?.with_floor(energy),
                    mmd(generated, real, &self.kernel)?.with_floor(kernel),
                ];
                if let Data::Toy(toy) = data
                    && let Some(support) = toy.support()
                {
                    let outside = off_support_mass(generated, |x| support.contains(x));
                    scores.push(outside.with_floor(0.0));
                }
                Ok(scores)
            }
        }
    }
}

/// Straightness of 500 paths of points, or of 64 paths of images, which cost more and vary less.
fn straightness_of(model: &Model, request: &Request) -> Result<Option<Score>> {
    let times: Vec<f64> = (0..=20).map(|i| f64::from(i) / 20.0).collect();
    let count = if model.shape.len() == 1 { 500 } else { 64 };
    let paths = Request { n: request.n.min(count), ..request.clone() }
        .fixed(Method::Rk4, 20)
        .with_times(times.clone());
    let states = model.sample(&paths)?.states;
    let dim = model.shape.iter().product();
    Ok(Some(straightness(&Trajectories::new(&times, &states, dim)?)))
}
