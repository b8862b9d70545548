//! Log-likelihood and bits per dimension of data under a run.

mod data;
mod report;
mod table;

use std::ops::Range;
use std::time::Instant;

use flow_datasets::{Images, Split};
use flow_model::{DensityRequest, Rows, Trace, check_solver};
use flow_ode::{Adaptive, Stepping, Tolerance};
use flow_path::stream::{Purpose, Streams};
use flow_run::recipe::check;
use flow_run::{Data, Model, Run, memory};
use flow_sample::{Dequantise, Likelihood, Probe, log_mean_exp};

use crate::error::{JudgeError, usage};
pub use data::LikelihoodData;
pub use report::{Bits, Estimate, Report};
pub use table::{densities, densities_in_words, with_densities};

/// Whose likelihood is asked for, and how it is found.
#[derive(Clone, Debug)]
pub struct LikelihoodOptions {
    /// The part of the data.
    pub part: Split,
    /// The exact divergence, at the cost of one pass for each dimension, also for images.
    pub exact: bool,
    /// Random probes that estimate the divergence, in place of the exact one.
    pub probes: Option<usize>,
    /// Noisy copies of each image that its probability is averaged over; places in the cells of the
    /// whole numbers of a row of a table, if they are more than 1.
    pub importance: usize,
    /// Latents that a density is averaged over.
    pub latents: usize,
    /// Number of samples; 1000 points or 100 images, if it is not given.
    pub number: Option<usize>,
    /// Rows computed together; 1000 points or 50 images, if it is not given.
    pub batch: Option<usize>,
    /// Seed of the points, the pixels' noise and the probes.
    pub seed: u64,
    /// Probes of a normal distribution in place of signs.
    pub gaussian: bool,
    /// Name of the solver.
    pub solver: String,
    /// Equal steps in place of the tolerances.
    pub steps: Option<usize>,
    /// Relative tolerance.
    pub rtol: f64,
    /// Absolute tolerance.
    pub atol: f64,
}

impl Default for LikelihoodOptions {
    fn default() -> Self {
        Self {
            part: Split::Test,
            exact: false,
            probes: None,
            importance: 1,
            latents: 16,
            number: None,
            batch: None,
            seed: 0,
            gaussian: false,
            solver: "dopri5".into(),
            steps: None,
            rtol: 1e-5,
            atol: 1e-5,
        }
    }
}

/// What was found, and how.
#[derive(Debug)]
pub struct Found {
    /// The content of `likelihood.json`.
    pub report: Report,
    /// The points that were asked about; empty for images.
    pub points: Vec<f32>,
    /// How their densities were computed.
    pub request: DensityRequest,
}

/// The likelihood of data under the model of a run.
///
/// # Errors
/// For options that do not fit together or the data, and when the solver fails.
pub fn likelihood(
    run: &Run,
    data: &Data,
    model: &Model,
    options: &LikelihoodOptions,
) -> Result<Found, JudgeError> {
    let LikelihoodOptions { part, seed, .. } = *options;
    for (option, zero) in
        [("-n", options.number == Some(0)), ("--importance", options.importance == 0)]
    {
        if zero {
            return Err(usage!("{option} is 0, which asks about nothing: give at least 1"));
        }
    }
    match data {
        Data::Toy(_) if options.importance > 1 => {
            Err(usage!("--importance averages over the noise of pixels, points have none"))
        }
        Data::Toy(toy) => {
            let n = options.number.unwrap_or(1000);
            let mut rng = Streams::new(seed).rng(part as u64, Purpose::LikelihoodPoints);
            points(options, run, model, toy.sample(n, &mut rng), Told::default())
        }
        Data::Table(table) => {
            let rows = match part {
                Split::Train => &table.train,
                Split::Test => &table.held,
            };
            let some: Vec<usize> = (0..rows.n.min(options.number.unwrap_or(1000))).collect();
            let started = Instant::now();
            let (found, request) =
                table::of_rows(model, &table.rows, &rows.table.select(&some), options)?;
            let mut report =
                Report::new(options, run, &request, &found, found.nats.clone(), started)?;
            report.copies = options.importance;
            Ok(Found { report, points: Vec::new(), request })
        }
        Data::Array(_) if options.importance > 1 => {
            Err(usage!("--importance averages over the noise of pixels, arrays have none"))
        }
        Data::Array(array) => {
            let rows = match part {
                Split::Train => &array.train,
                Split::Test => &array.held,
            };
            let n = options.number.unwrap_or(1000);
            let some = flow_run::some_places(rows.n, part, n, seed);
            let told = Told {
                classes: rows.labels.as_ref().filter(|_| 0 < model.classes()),
                vectors: rows.vectors.as_deref(),
                places: &some,
            };
            points(options, run, model, rows.rows_at(&some, array.rows.size())?, told)
        }
        Data::Images { train, test } => {
            let images = match part {
                Split::Train => train,
                Split::Test => test,
            };
            let some = flow_run::some_of(images, part, options.number.unwrap_or(100), seed);
            pixels(options, run, model, &some)
        }
    }
}

fn request(
    options: &LikelihoodOptions,
    exact: bool,
    batch: usize,
) -> Result<DensityRequest, JudgeError> {
    let method = check_solver("--solver", &options.solver)?;
    check::tolerances(&[("--rtol", options.rtol), ("--atol", options.atol)])?;
    let stepping = match options.steps {
        Some(steps) => Stepping::Count(steps),
        None if method.is_adaptive() => {
            Adaptive::new(Tolerance { atol: options.atol, rtol: options.rtol }).into()
        }
        None => return Err(usage!("{method} takes equal steps, say how many with --steps")),
    };
    let trace = match options.probes {
        Some(probes) => Trace::Probes(probes),
        None if exact || options.exact => Trace::Exact,
        None => Trace::Probes(1),
    };
    if options.gaussian && trace == Trace::Exact {
        return Err(usage!(
            "--gaussian is a law of probes, and the divergence is exact, add --probes"
        ));
    }
    Ok(DensityRequest {
        likelihood: Likelihood::new(method, stepping),
        trace,
        probe: if options.gaussian { Probe::Gaussian } else { Probe::Rademacher },
        seed: options.seed,
        batch: options.batch.unwrap_or(batch),
        latents: options.latents,
    })
}

/// What the rows of an array are told, each its own.
#[derive(Default)]
struct Told<'a> {
    /// The class of each row of the array.
    classes: Option<&'a Vec<usize>>,
    /// The condition vector of each row of the array, one after another.
    vectors: Option<&'a [f32]>,
    /// Which rows of the array they are.
    places: &'a [usize],
}

/// The likelihood of points, given what each is told.
fn points(
    options: &LikelihoodOptions,
    run: &Run,
    model: &Model,
    points: Vec<f32>,
    told: Told<'_>,
) -> Result<Found, JudgeError> {
    let started = Instant::now();
    let dim: usize = model.signature().size();
    // A pass for each number of an image is more than anybody waits for.
    let request = request(options, model.signature().shape.len() < 3, 1000)?;
    let width = model.vector();
    let rows = |range: Range<usize>| {
        let vector = |vectors: &[f32]| {
            let of = |row: &usize| &vectors[row * width..(row + 1) * width];
            told.places[range.clone()].iter().flat_map(of).copied().collect()
        };
        let class = |classes: &Vec<usize>| {
            told.places[range.clone()].iter().map(|&row| classes[row]).collect()
        };
        Rows {
            values: points[range.start * dim..range.end * dim].to_vec(),
            vectors: told.vectors.map(vector),
            classes: told.classes.map(class),
            ..Rows::default()
        }
    };
    let found = model.log_prob(points.len() / dim, rows, &request)?;
    let mut report = Report::new(options, run, &request, &found, found.nats.clone(), started)?;
    if let Some(target) = flow_run::target(&run.recipe.data.set) {
        let exact = |point: &[f32]| {
            let point: Vec<f64> = point.iter().copied().map(f64::from).collect();
            target.log_density(&point)
        };
        let exact: Vec<f64> = points.chunks(dim).map(exact).collect();
        let difference: Vec<f64> = exact.iter().zip(&found.nats).map(|(q, p)| q - p).collect();
        report.data_nats = Some(Estimate::of(&exact));
        report.divergence = Some(Estimate::of(&difference));
    }
    Ok(Found { report, points, request })
}

/// The number of rows with so many copies of each, if the memory holds their densities.
fn with_copies(rows: usize, copies: usize) -> Result<usize, JudgeError> {
    let all = rows.saturating_mul(copies);
    memory::check("--importance", "to hold the densities of all copies", 8.0 * all as f64)?;
    Ok(all)
}

/// The likelihood of images, each in noisy copies that follow one another as rows.
fn pixels(
    options: &LikelihoodOptions,
    run: &Run,
    model: &Model,
    images: &Images,
) -> Result<Found, JudgeError> {
    let started = Instant::now();
    let copies = options.importance;
    let n = with_copies(images.len(), copies)?;
    let scale = Dequantise { levels: u32::from(images.max_value) + 1 };
    let request = request(options, false, 50)?;
    let streams = Streams::new(options.seed);
    let upsampling = model.upsampling()?;
    let rows = |range: Range<usize>| {
        let classes = (model.classes() > 0)
            .then(|| range.clone().map(|row| usize::from(images.labels[row / copies])).collect());
        let noisy = |row| {
            let mut rng = streams.rng(row as u64, Purpose::Dequantise);
            scale.draw(images.image(row / copies), &mut rng)
        };
        let values: Vec<f32> = range.flat_map(noisy).collect();
        let contexts = upsampling.map(|told| told.enlarged(&told.shrunk(&values)));
        Rows { classes, values, contexts, ..Rows::default() }
    };
    let found = model.log_prob(n, rows, &request)?;
    let nats: Vec<f64> = found.nats.chunks(copies).map(log_mean_exp).collect();
    let bits: Vec<f64> =
        nats.iter().map(|nats| scale.bits_per_dim(*nats, images.image_len())).collect();
    let mut report = Report::new(options, run, &request, &found, nats, started)?;
    report.bits = Some(Bits {
        per_dim: Estimate::of(&bits),
        levels: scale.levels,
        offset: scale.offset(),
        dequantised_training: run.recipe.data.dequantise,
        importance: copies,
        samples: bits,
    });
    Ok(Found { report, points: Vec::new(), request })
}
