//! `flow likelihood`: log-likelihood and bits per dimension of data under a run.

use std::fmt::Write as _;
use std::ops::Range;
use std::time::Instant;

use anyhow::Result;
use flow_datasets::Images;
use flow_ode::{Adaptive, Method, Stepping, Tolerance};
use flow_path::stream::{Purpose, Streams};
use flow_plot::{Limits, heat_map};
use flow_sample::{Dequantise, Likelihood, Probe, log_mean_exp};
use serde::Serialize;

use crate::args::{Held, LikelihoodArgs};
use crate::commands::train::source;
use crate::density::{Densities, DensityRequest, Rows, Trace};
use crate::device;
use crate::exit::usage;
use crate::files::write_text;
use crate::model::Model;
use crate::progress::print;
use crate::registry::{self, Data};
use crate::run::Run;

/// Cells on a side of the density picture.
const CELLS: usize = 64;
/// Steps behind the density picture: fixed, so that no seams show where batches meet.
const STEPS: usize = 32;

pub(crate) fn run(args: &LikelihoodArgs) -> Result<()> {
    device::limit_threads(args.compute.threads)?;
    let zero = [
        ("--number", args.number),
        ("--batch", args.batch),
        ("--probes", args.probes),
        ("--importance", Some(args.importance)),
        ("--latents", Some(args.latents)),
        ("--steps", args.steps),
    ];
    if let Some((name, _)) = zero.iter().find(|(_, value)| *value == Some(0)) {
        return Err(usage!("{name} is 0, give at least 1"));
    }
    if let Some(tag) = &args.tag
        && !tag.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    {
        return Err(usage!(
            "--tag {tag} becomes a file name: use letters, digits, `-`, `_` and `.`"
        ));
    }
    let device = device::parse(&args.compute.device)?;
    let run = Run::open(&args.run)?;
    let data = Data::open(&run.recipe, &source(args.source.data_dir.as_deref()))?;
    let model = Model::load(&run, &device)?;
    let held = args.data;
    let (report, files) = match &data {
        Data::Toy(_) if args.importance > 1 => {
            return Err(usage!("--importance averages over the noise of pixels, points have none"));
        }
        Data::Toy(toy) => {
            let n = args.number.unwrap_or(1000);
            let mut rng = Streams::new(args.seed).rng(held as u64, Purpose::Evaluation);
            points(args, &run, &model, &toy.sample(n, &mut rng))?
        }
        Data::Images { train, test } => {
            let images = if held == Held::Train { train } else { test };
            (pixels(args, &run, &model, images)?, Vec::new())
        }
    };
    let json = serde_json::to_string_pretty(&report).expect("a report holds numbers and text");
    let name =
        args.tag.as_ref().map_or("likelihood.json".into(), |t| format!("likelihood-{t}.json"));
    write_text(&run.folder.join(name), &json)?;
    if args.json {
        print(&json);
        return Ok(());
    }
    print(report.table().trim_end());
    for file in files {
        print(&format!("picture:    {file}"));
    }
    Ok(())
}

/// The content of `likelihood.json`.
#[derive(Debug, Serialize)]
struct Report {
    schema: u32,
    recipe: String,
    step: usize,
    seed: u64,
    data: &'static str,
    n: usize,
    /// Random probes of the divergence; null if it is exact.
    probes: Option<usize>,
    /// Law of the probes; null if there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    law: Option<&'static str>,
    solver: String,
    /// Equal steps; null if the tolerances choose them.
    steps: Option<usize>,
    rtol: f64,
    atol: f64,
    /// The time of the density and that of the prior.
    span: (f64, f64),
    /// Log-density of a sample.
    nats: Estimate,
    /// Root mean square over the samples of the standard error over the probes.
    #[serde(skip_serializing_if = "Option::is_none")]
    probe_error: Option<f64>,
    /// What the distribution of the data gives the same samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    data_nats: Option<Estimate>,
    /// Mean of the difference of the two: the Kullback-Leibler divergence from data to model.
    #[serde(skip_serializing_if = "Option::is_none")]
    divergence: Option<Estimate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bits: Option<Bits>,
    /// Network evaluations for each row.
    nfe: f64,
    seconds: f64,
    seconds_per_sample: f64,
    /// Log-density of each sample.
    samples: Vec<f64>,
}

/// Bits per dimension of images.
#[derive(Debug, Serialize)]
struct Bits {
    per_dim: Estimate,
    /// Values that a pixel may have: `x = (pixel + u) / (levels/2) - 1`.
    levels: u32,
    /// Bits added for that scale.
    offset: f64,
    /// Noisy copies of each image.
    importance: usize,
    /// Of each image.
    samples: Vec<f64>,
}

/// A mean over samples and its standard error.
#[derive(Clone, Copy, Debug, Serialize)]
struct Estimate {
    mean: f64,
    /// Null for a single sample.
    std_error: Option<f64>,
    /// Normal interval of 95 %.
    interval: Option<(f64, f64)>,
}

impl Estimate {
    fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let std_error = (values.len() > 1).then(|| (squares / (n - 1.0) / n).sqrt());
        let interval = std_error.map(|error| (mean - 1.96 * error, mean + 1.96 * error));
        Self { mean, std_error, interval }
    }
}

impl std::fmt::Display for Estimate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.4}", self.mean)?;
        self.std_error.map_or(Ok(()), |error| write!(f, " ± {error:.4}"))
    }
}

impl Report {
    fn new(
        args: &LikelihoodArgs,
        run: &Run,
        request: &DensityRequest,
        found: &Densities,
        samples: Vec<f64>,
        started: Instant,
    ) -> Result<Self> {
        let seconds = started.elapsed().as_secs_f64();
        let squares: Vec<f64> = found.probe_error.iter().map(|error| error * error).collect();
        Ok(Self {
            schema: 1,
            recipe: run.recipe.name.clone(),
            step: run.latest()?.step,
            seed: args.seed,
            data: if args.data == Held::Train { "train" } else { "test" },
            n: samples.len(),
            probes: match request.trace {
                Trace::Exact => None,
                Trace::Probes(probes) => Some(probes),
            },
            law: (request.trace != Trace::Exact).then_some(match request.probe {
                Probe::Rademacher => "rademacher",
                Probe::Gaussian => "gaussian",
            }),
            solver: args.solver.clone(),
            steps: args.steps,
            rtol: args.rtol,
            atol: args.atol,
            span: found.span,
            nats: Estimate::of(&samples),
            probe_error: (!squares.is_empty()).then(|| Estimate::of(&squares).mean.sqrt()),
            data_nats: None,
            divergence: None,
            bits: None,
            nfe: found.nfe,
            seconds,
            seconds_per_sample: seconds / samples.len() as f64,
            samples,
        })
    }

    /// For people.
    fn table(&self) -> String {
        let Self { recipe, step, data, n, .. } = self;
        let mut text = format!("{recipe}, after {step} steps, {n} samples of the {data} data\n");
        let _ = writeln!(text, "log-likelihood            {} nats", self.nats);
        if let Some(exact) = self.data_nats {
            let _ = writeln!(text, "  of the data themselves  {exact} nats");
        }
        if let Some(divergence) = self.divergence {
            let _ = writeln!(text, "KL from data to model     {divergence} nats");
        }
        if let Some(bits) = &self.bits {
            let copies = bits.importance;
            let _ = write!(text, "bits per dimension        {}", bits.per_dim);
            let _ = match bits.per_dim.interval {
                Some((low, high)) => writeln!(text, " (95 %: {low:.4} to {high:.4})"),
                None => writeln!(text),
            };
            let _ = writeln!(
                text,
                "  {} levels on [-1, 1): {:.4} bits for the scale, {copies} noisy {} of each image",
                bits.levels,
                bits.offset,
                if copies == 1 { "copy" } else { "copies" },
            );
        }
        let divergence = match (self.probes, self.probe_error) {
            (None, _) => "exact".into(),
            (Some(probes), None) => format!("from {probes} probe"),
            (Some(probes), Some(error)) => {
                format!("from {probes} probes, ± {error:.4} nats a sample")
            }
        };
        let _ = writeln!(text, "divergence                {divergence}");
        let _ = writeln!(
            text,
            "{:.0} evaluations and {:.3} s a sample, {:.1} s in all",
            self.nfe, self.seconds_per_sample, self.seconds
        );
        text
    }
}

fn request(args: &LikelihoodArgs, exact: bool, batch: usize) -> Result<DensityRequest> {
    let method: Method = args.solver.parse().map_err(|error| usage!("{error}"))?;
    let stepping = match args.steps {
        Some(steps) => Stepping::Count(steps),
        None if method.is_adaptive() => {
            Adaptive::new(Tolerance { atol: args.atol, rtol: args.rtol }).into()
        }
        None => return Err(usage!("{method} takes equal steps, say how many with --steps")),
    };
    let trace = match args.probes {
        Some(probes) => Trace::Probes(probes),
        None if exact || args.exact => Trace::Exact,
        None => Trace::Probes(1),
    };
    Ok(DensityRequest {
        likelihood: Likelihood::new(method, stepping),
        trace,
        probe: if args.gaussian { Probe::Gaussian } else { Probe::Rademacher },
        seed: args.seed,
        batch: args.batch.unwrap_or(batch),
        latents: args.latents,
    })
}

/// The likelihood of points, and the density of points of the plane as a picture.
fn points(
    args: &LikelihoodArgs,
    run: &Run,
    model: &Model,
    points: &[f32],
) -> Result<(Report, Vec<String>)> {
    let started = Instant::now();
    let dim: usize = model.shape.iter().product();
    let request = request(args, true, 1000)?;
    let rows = |range: Range<usize>| Rows {
        values: points[range.start * dim..range.end * dim].to_vec(),
        labels: None,
    };
    let found = model.log_prob(points.len() / dim, rows, &request)?;
    let mut report = Report::new(args, run, &request, &found, found.nats.clone(), started)?;
    if let Some(target) = registry::target(&run.recipe.data.set) {
        let exact = |point: &[f32]| {
            let point: Vec<f64> = point.iter().copied().map(f64::from).collect();
            target.log_density(&point)
        };
        let exact: Vec<f64> = points.chunks(dim).map(exact).collect();
        let difference: Vec<f64> = exact.iter().zip(&found.nats).map(|(q, p)| q - p).collect();
        report.data_nats = Some(Estimate::of(&exact));
        report.divergence = Some(Estimate::of(&difference));
    }
    let files = if dim == 2 { picture(run, model, points, &request)? } else { Vec::new() };
    Ok((report, files))
}

/// Draws the density on the part of the plane where the points are.
fn picture(
    run: &Run,
    model: &Model,
    points: &[f32],
    request: &DensityRequest,
) -> Result<Vec<String>> {
    let points: Vec<[f32; 2]> = points.chunks(2).map(|point| [point[0], point[1]]).collect();
    let limits = Limits::around(&[&points]);
    let centre = |(low, high): (f64, f64), cell: usize| {
        (low + (high - low) * (cell as f64 + 0.5) / CELLS as f64) as f32
    };
    let cells = |range: Range<usize>| Rows {
        values: range
            .flat_map(|cell| [centre(limits.x, cell % CELLS), centre(limits.y, cell / CELLS)])
            .collect(),
        labels: None,
    };
    let likelihood = Likelihood::new(Method::Rk4, Stepping::Count(STEPS));
    let exact = DensityRequest { likelihood, trace: Trace::Exact, ..request.clone() };
    let found = model.log_prob(CELLS * CELLS, cells, &exact)?;
    let density: Vec<f64> = found.nats.iter().map(|nats| nats.exp()).collect();
    let figure = heat_map(&density, CELLS, CELLS, limits, "density");
    let mut files = Vec::new();
    for extension in ["png", "svg"] {
        let path = run.folder.join("plots").join("likelihood").with_extension(extension);
        figure.save(&path)?;
        files.push(path.display().to_string());
    }
    Ok(files)
}

/// The likelihood of images, each in noisy copies that follow one another as rows.
fn pixels(args: &LikelihoodArgs, run: &Run, model: &Model, images: &Images) -> Result<Report> {
    let started = Instant::now();
    let n = args.number.unwrap_or(100).min(images.len());
    let copies = args.importance;
    let scale = Dequantise { levels: u32::from(images.max_value) + 1 };
    let request = request(args, false, 50)?;
    let streams = Streams::new(args.seed);
    let rows = |range: Range<usize>| Rows {
        labels: (model.classes > 0)
            .then(|| range.clone().map(|row| usize::from(images.labels[row / copies])).collect()),
        values: range
            .flat_map(|row| {
                let mut rng = streams.rng(row as u64, Purpose::Dequantise);
                scale.draw(images.image(row / copies), &mut rng)
            })
            .collect(),
    };
    let found = model.log_prob(n * copies, rows, &request)?;
    let nats: Vec<f64> = found.nats.chunks(copies).map(log_mean_exp).collect();
    let bits: Vec<f64> =
        nats.iter().map(|nats| scale.bits_per_dim(*nats, images.image_len())).collect();
    let mut report = Report::new(args, run, &request, &found, nats, started)?;
    report.bits = Some(Bits {
        per_dim: Estimate::of(&bits),
        levels: scale.levels,
        offset: scale.offset(),
        importance: copies,
        samples: bits,
    });
    Ok(report)
}
