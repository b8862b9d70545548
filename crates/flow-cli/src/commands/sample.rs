//! `flow sample`: numbers or a picture from a finished run.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;
use burn::tensor::Device;
use flow_plot::{Limits, clouds, image_grid};

use crate::args::{SampleArgs, SolverArgs};
use crate::device;
use crate::exit::usage;
use crate::files::write_npy;
use crate::model::Model;
use crate::progress::print;
use crate::request::Request;
use crate::run::Run;
use crate::sampling::Samples;

pub(crate) fn run(args: &SampleArgs) -> Result<()> {
    device::limit_threads(args.compute.threads)?;
    if args.number == 0 || args.batch == 0 {
        return Err(usage!("--number and --batch must be at least 1"));
    }
    let device = device::parse(&args.compute.device)?;
    let run = Run::open(&args.run)?;
    let mut request = Request::new(&run.recipe, &args.solver, args.number, args.seed)?;
    let out = args.out.clone().unwrap_or_else(|| default_out(&run, args, &request));
    let format = out.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    if !["npy", "png"].contains(&format) {
        return Err(usage!("{} ends neither in .npy nor in .png", out.display()));
    }
    if let Some(folder) = out.parent()
        && !folder.join(".").is_dir()
    {
        return Err(usage!("there is no folder {}, make it or change --out", folder.display()));
    }
    let model = model(&run, args, &device)?;
    request.class = args.class;
    request.batch = args.batch;

    let started = Instant::now();
    let samples = model.sample(&request)?;
    let seconds = started.elapsed().as_secs_f64();
    match format {
        "png" => save_picture(&samples, &model.shape, &out)?,
        _ => save_numbers(&samples, &model.shape, &out)?,
    }
    print(&format!(
        "{} samples by {}, {:.0} network evaluations each, {seconds:.2} s: {}",
        request.n,
        request.label(),
        samples.nfe,
        out.display()
    ));
    Ok(())
}

/// The model, with the weaker one that guides it.
fn model(run: &Run, args: &SampleArgs, device: &Device) -> Result<Model> {
    let model = Model::load(run, device)?;
    if let Some(folder) = &args.guide_with {
        if args.solver.guidance.is_none() {
            return Err(usage!("--guide-with needs a strength, add --guidance"));
        }
        return model.guided_by(Model::load(&Run::open(folder)?, device)?);
    }
    if args.solver.guidance.is_some() && model.classes == 0 {
        return Err(usage!(
            "--guidance is given, but the model knows no classes and has no --guide-with"
        ));
    }
    Ok(model)
}

/// Named by how the samples were made, so that those of another sampler do not take their place.
fn default_out(run: &Run, args: &SampleArgs, request: &Request) -> PathBuf {
    fn part<T: ToString>(name: &str, value: Option<&T>) -> String {
        value.map_or_else(String::new, |value| format!("-{name}{}", value.to_string()))
    }
    let SolverArgs {
        steps, grid, shift, schedule, rtol, atol, guidance, guidance_interval, ..
    } = &args.solver;
    let interval = guidance_interval.map(|[start, end]| format!("{start}-{end}"));
    let guide = args.guide_with.as_ref().and_then(|run| run.file_name());
    let guide = guide.map(|run| run.to_string_lossy());
    let name = [
        format!("seed{}-n{}", args.seed, args.number),
        part("class", args.class.as_ref()),
        part("", Some(&request.label())),
        part("steps", steps.as_ref()),
        part("grid-", grid.as_ref()),
        part("shift", shift.as_ref()),
        part("schedule-", schedule.as_ref()),
        part("rtol", rtol.as_ref()),
        part("atol", atol.as_ref()),
        part("guidance", guidance.as_ref()),
        part("within", interval.as_ref()),
        part("away-from-", guide.as_ref()),
    ]
    .concat();
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.=".contains(c) { c } else { '-' };
    let name: String = name.chars().map(plain).chain(".npy".chars()).collect();
    run.folder.join("samples").join(name)
}

/// `float32 [n, ..]`, and beside it the classes of a conditional model as `int64 [n]`.
fn save_numbers(samples: &Samples, shape: &[usize], out: &Path) -> Result<()> {
    let size: usize = shape.iter().product();
    let mut full = vec![samples.rows.len() / size];
    full.extend(shape);
    write_npy(out, &full, &samples.rows)?;
    if let Some(labels) = &samples.labels {
        let class = |&label| i64::try_from(label).expect("a class fits in 63 bits");
        let labels: Vec<i64> = labels.iter().map(class).collect();
        write_npy(&out.with_extension("labels.npy"), &[labels.len()], &labels)?;
    }
    Ok(())
}

fn save_picture(samples: &Samples, shape: &[usize], out: &Path) -> Result<()> {
    match *shape {
        [2] => {
            let points: Vec<[f32; 2]> = samples.rows.chunks(2).map(|p| [p[0], p[1]]).collect();
            let limits = Limits::around(&[&points]);
            Ok(clouds(&[("samples", &points)], limits).save(out)?)
        }
        [c, h, w] => {
            let n = samples.rows.len() / (c * h * w);
            let columns = (n as f64).sqrt().ceil() as usize;
            Ok(image_grid(&samples.rows, n, c, h, w, columns)?.save(out)?)
        }
        _ => Err(usage!("samples of shape {shape:?} have no picture, write a .npy file")),
    }
}
