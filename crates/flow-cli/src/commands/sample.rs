//! `flow sample`: numbers or a picture from a finished run or a model of its own.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use burn::tensor::Device;
use flow_datasets::Table;
use flow_model::Registry;
use flow_parallel::Group;
use flow_run::files::write_npy;
use flow_run::{DEFAULT_BATCH, Listener, Model, Request, Run, RunError, memory, row_size};
use sha2::{Digest, Sha256};

use crate::args::SampleArgs;
use crate::commands::arrays::{self, ENDINGS};
use crate::commands::{rows, small};
use crate::device;
use crate::exit::usage;
use crate::listener::Terminal;
use crate::place::{Place, folder};
use crate::terminal::print;

pub(crate) fn run(args: &SampleArgs, registry: &Registry, group: &Arc<dyn Group>) -> Result<()> {
    device::limit_threads(args.compute.threads)?;
    if args.number == Some(0) || args.batch == 0 {
        return Err(usage!("--number and --batch must be at least 1"));
    }
    let device = device::parse(&args.compute.device)?;
    let place = Place::open(registry, &args.run, &device)?;
    let table = place.table()?;
    let array = place.array()?;
    let small = small::given(place.upsampling()?, args.given.as_deref())?;
    let given = match &small {
        Some(_) => None,
        None => rows::given(table.as_ref(), "--given", args.given.as_deref())?,
    };
    let rows = given.as_ref().filter(|given| given.is_file).map(|given| given.table.len());
    let number = args.number.or(rows).or(small.as_ref().map(|(_, n)| *n));
    let mut request =
        place.request(&args.solver.changes(), number.unwrap_or(DEFAULT_NUMBER), args.seed)?;
    request.class = args.class;
    request.batch = args.batch;
    request.given.vectors = given.as_ref().map(|given| given.vectors.clone());
    request.given.lengths = args.length.map(|length| vec![length]);
    request.given.contexts = small.map(|(contexts, _)| contexts);
    if !place.is_conditional() && args.guide_with.is_none() {
        // A model without classes has nothing to be guided away from unless a weaker run is named,
        // whatever strength the recipe has.
        request.guidance = 1.0;
    }
    if args.solver.guidance_interval.is_some()
        && args.solver.guidance.is_none()
        && !request.is_guided()
    {
        return Err(usage!("--guidance-interval does nothing without guidance, add --guidance"));
    }
    let guide =
        args.guide_with.as_deref().map(|path| Place::open(registry, path, &device)).transpose()?;
    let out = place.out(args.out.as_deref(), |run| {
        let ending = if table.is_some() { "csv" } else { "npy" };
        Ok(format!("{}.{ending}", name(&request, args, run)?))
    })?;
    let format = out.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    match &table {
        Some(_) if !Table::is_named(&out) => {
            return Err(usage!(
                "{} ends in none of {}",
                out.display(),
                flow_datasets::table::ENDINGS
            ));
        }
        None if array.is_some() && ENDINGS.contains(&format) => {}
        None if !["npy", "png"].contains(&format) => {
            let arrays = if array.is_some() { ", .npz, .safetensors" } else { "" };
            return Err(usage!("{} ends in none of .npy{arrays}, .png", out.display()));
        }
        _ => {}
    }
    let model = model(place, guide, args, &device)?.shared_by(Arc::clone(group));
    check_sizes(&model, &request, format == "png", folder(&out))?;

    let started = Instant::now();
    if !group.is_first() {
        // The first process writes what all of them draw.
        return Ok(model.sample(&request).map(drop)?);
    }
    let nfe = if let Some(table) = &table {
        rows::save(&model, &request, table, given.as_ref(), &out)?
    } else if format == "png" {
        let samples = model.sample(&request)?;
        let shown = array.as_ref().map(|array| array.shown(&samples.rows));
        let rows = shown.as_ref().unwrap_or(&samples.rows);
        flow_report::save_samples(rows, model.shape(), &out)?;
        samples.nfe
    } else if let Some(array) = &array {
        arrays::save(&model, &request, array, &out)?
    } else {
        save_numbers(&model, &request, &out)?
    };
    let seconds = started.elapsed().as_secs_f64();
    print(&format!(
        "{} samples by {}, {nfe:.0} network evaluations each, {seconds:.2} s: {}",
        request.n,
        request.label(),
        out.display()
    ))
}

/// Samples that are drawn unless another number is asked for.
const DEFAULT_NUMBER: usize = 64;

/// Noise has a stream for each sample and step, with 32 bits for the sample.
const MOST_SAMPLES: usize = u32::MAX as usize;

/// Refuses what neither memory nor disk can hold.
fn check_sizes(model: &Model, request: &Request, picture: bool, folder: &Path) -> Result<()> {
    let (n, row) = (request.n as f64, row_size(model.shape()));
    let together = request.batch.min(request.n) as f64;
    memory::check("--batch", "a batch", 4.0 * together * (row + model.footprint.widest))?;
    if picture {
        // The samples, and three bytes for each of their pixels.
        return Ok(memory::check("--number", "the picture", n * row * 7.0)?);
    }
    let label = if model.classes() == 0 { 0.0 } else { 8.0 };
    memory::check_disk("--number", folder, n * (4.0 * row + label))?;
    if MOST_SAMPLES < request.n {
        return Err(usage!("--number is {}, a seed has {MOST_SAMPLES} samples", request.n));
    }
    Ok(())
}

/// The model, with the weaker one that guides it.
fn model(place: Place, guide: Option<Place>, args: &SampleArgs, device: &Device) -> Result<Model> {
    let model = place.model(device)?;
    if let Some(guide) = guide {
        if args.solver.guidance.is_none() {
            return Err(usage!("--guide-with needs a strength, add --guidance"));
        }
        return Ok(model.guided_by(guide.model(device)?)?);
    }
    if args.solver.guidance.is_some() && !model.is_told() {
        return Err(usage!(
            "--guidance is given, but the model knows no classes and has no --guide-with"
        ));
    }
    Ok(model)
}

/// Longest name of a file that every system takes, with room for `.labels.npy`.
const LONGEST_NAME: usize = 200;

/// A name that says how the samples are made, so that those made in another way do not take their
/// place.
///
/// What does not fit into a name, such as the place of a guide or a long list of times, is told
/// apart by the beginning of its SHA-256.
fn name(request: &Request, args: &SampleArgs, run: &Run) -> Result<String> {
    let mut parts = vec![format!("seed{}-n{}", args.seed, request.n)];
    if let Some(given) = &args.given {
        parts.push(format!("-given-{}", digest(given)));
    }
    if let Some(class) = args.class {
        parts.push(format!("-class{class}"));
    }
    if let Some(length) = args.length {
        parts.push(format!("-length{length}"));
    }
    parts.push(format!("-{}", request.name()));
    if request.adapts() && args.batch != DEFAULT_BATCH {
        parts.push(format!("-batch{}", args.batch));
    }
    if let Some(guide) = &args.guide_with {
        let whole = |folder: &Path| {
            folder.canonicalize().with_context(|| format!("cannot open {}", folder.display()))
        };
        let (guide, run) = (whole(guide)?, whole(&run.folder)?);
        let last = guide.file_name().unwrap_or_default().to_string_lossy();
        parts.push(format!("-away-from-{last}"));
        if guide.parent() != run.parent() || !last.chars().all(is_plain) {
            parts.push(format!("-{}", digest(&guide.to_string_lossy())));
        }
    }
    let name = parts.concat();
    let short: String = name.chars().map(|c| if is_plain(c) { c } else { '-' }).collect();
    if short.len() <= LONGEST_NAME {
        return Ok(short);
    }
    Ok(format!("{}-{}", &short[..LONGEST_NAME], digest(&name)))
}

/// Whether a letter may stand in the name of a file on every system.
fn is_plain(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "-_.=".contains(letter)
}

/// The first eight hexadecimal digits of the SHA-256 of a text.
fn digest(text: &str) -> String {
    format!("{:x}", Sha256::digest(text))[..8].to_owned()
}

/// `float32 [n, ..]`, and beside it the classes of a conditional model as `int64 [n]`; returns the
/// evaluations.
///
/// Written a batch at a time, under another name until it is whole: no more than a batch is held.
fn save_numbers(model: &Model, request: &Request, out: &Path) -> Result<f64> {
    let full: Vec<usize> = [request.n].iter().chain(model.shape()).copied().collect();
    let size: usize = model.signature().size();
    let (mut bar, mut done, mut nfe) = (Terminal.meter(0, request.n, "samples"), 0, 0.0);
    write_npy(out, &full, |write| {
        model.sample_each(request, |part| -> Result<(), RunError> {
            done += part.rows.len() / size;
            nfe = part.nfe;
            write(&part.rows)?;
            bar.at(done, "");
            Ok(())
        })
    })?;
    if 0 < model.classes() {
        write_npy(
            &out.with_extension("labels.npy"),
            &[request.n],
            |write| -> Result<(), RunError> {
                for start in (0..request.n).step_by(request.batch) {
                    let range = start..(start + request.batch).min(request.n);
                    let class = |label| i64::try_from(label).expect("a class fits in 63 bits");
                    let labels = model.labels(request, range)?.into_iter().flatten().map(class);
                    write(&labels.collect::<Vec<i64>>())?;
                }
                Ok(())
            },
        )?;
    }
    Ok(nfe)
}
