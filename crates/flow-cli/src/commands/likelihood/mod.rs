//! `flow likelihood`: log-likelihood and bits per dimension of data under a run.

mod picture;
pub(crate) mod report;

use std::ops::Range;
use std::time::Instant;

use anyhow::Result;
use flow_datasets::{Images, Split};
use flow_model::Registry;
use flow_model::check_solver;
use flow_ode::{Adaptive, Stepping, Tolerance};
use flow_path::stream::{Purpose, Streams};
use flow_sample::{Dequantise, Likelihood, Probe, log_mean_exp};

use crate::args::{Held, LikelihoodArgs};
use crate::data_files::data_files;
use crate::device;
use crate::exit::usage;
use crate::terminal::{Terminal, print};
use flow_model::{DensityRequest, Rows, Trace};
use flow_run::Data;
use flow_run::Model;
use flow_run::Run;
use flow_run::files::write_text;
use flow_run::recipe::check;
use report::{Bits, Estimate, Report};

pub(crate) fn run(args: &LikelihoodArgs, registry: &Registry) -> Result<()> {
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
    if let Some(tag) = &args.tag {
        check::name("--tag", tag)?;
    }
    let device = device::parse(&args.compute.device)?;
    let run = Run::open(registry, &args.run)?;
    let data = run.data(&data_files(args.source.folder()), &Terminal)?;
    let model = Model::load(&run, &device)?;
    let held = args.data;
    let (report, files) = match &data {
        Data::Toy(_) if args.importance > 1 => {
            return Err(usage!("--importance averages over the noise of pixels, points have none"));
        }
        Data::Toy(toy) => {
            let n = args.number.unwrap_or(1000);
            let mut rng = Streams::new(args.seed).rng(held as u64, Purpose::LikelihoodPoints);
            points(args, &run, &model, &toy.sample(n, &mut rng))?
        }
        Data::Images { train, test } => {
            let (images, part) = match held {
                Held::Train => (train, Split::Train),
                Held::Test => (test, Split::Test),
            };
            let some = flow_run::some_of(images, part, args.number.unwrap_or(100), args.seed);
            (pixels(args, &run, &model, &some)?, Vec::new())
        }
    };
    let json = serde_json::to_string_pretty(&report).expect("a report holds numbers and text");
    let name =
        args.tag.as_ref().map_or("likelihood.json".into(), |t| format!("likelihood-{t}.json"));
    write_text(&run.folder.join(name), &json)?;
    if args.json {
        return print(&json);
    }
    print(report.table().trim_end())?;
    for file in files {
        print(&format!("picture:    {file}"))?;
    }
    Ok(())
}

fn request(args: &LikelihoodArgs, exact: bool, batch: usize) -> Result<DensityRequest> {
    let method = check_solver("--solver", &args.solver).map_err(|error| usage!("{error}"))?;
    check::tolerances(&[("--rtol", args.rtol), ("--atol", args.atol)])?;
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
    if args.gaussian && trace == Trace::Exact {
        return Err(usage!(
            "--gaussian is a law of probes, and the divergence is exact, add --probes"
        ));
    }
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
    let dim: usize = model.signature().size();
    let request = request(args, true, 1000)?;
    let rows = |range: Range<usize>| Rows {
        values: points[range.start * dim..range.end * dim].to_vec(),
        ..Rows::default()
    };
    let found = model.log_prob(points.len() / dim, rows, &request)?;
    let mut report = Report::new(args, run, &request, &found, found.nats.clone(), started)?;
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
    let files = if dim == 2 { picture::draw(run, model, points, &request)? } else { Vec::new() };
    Ok((report, files))
}

/// The likelihood of images, each in noisy copies that follow one another as rows.
fn pixels(args: &LikelihoodArgs, run: &Run, model: &Model, images: &Images) -> Result<Report> {
    let started = Instant::now();
    let n = images.len();
    let copies = args.importance;
    let scale = Dequantise { levels: u32::from(images.max_value) + 1 };
    let request = request(args, false, 50)?;
    let streams = Streams::new(args.seed);
    let rows = |range: Range<usize>| Rows {
        classes: (model.classes() > 0)
            .then(|| range.clone().map(|row| usize::from(images.labels[row / copies])).collect()),
        values: range
            .flat_map(|row| {
                let mut rng = streams.rng(row as u64, Purpose::Dequantise);
                scale.draw(images.image(row / copies), &mut rng)
            })
            .collect(),
        ..Rows::default()
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
        dequantised_training: run.recipe.data.dequantise,
        importance: copies,
        samples: bits,
    });
    Ok(report)
}
