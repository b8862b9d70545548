//! `flow solve`: what explains an observation.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use burn::tensor::{Device, Tensor, TensorData};
use flow_datasets::array::Array;
use flow_model::{AnswerMethod, Answered, Question, Registry};
use flow_ode::Method;
use flow_plot::{Picture, image_grid};
use flow_run::files::{write_npy, write_text};
use flow_run::{Model, Place};
use flow_sample::{
    Blur, Dense, Grid, LinearOperator, Mask, ObservationNoise, Pool, Sampler, SamplerConfig,
};
use serde_json::json;

use super::pixels;
use crate::args::{AnswerArgs, SolveArgs};
use crate::device;
use crate::exit::usage;
use crate::terminal::print;

/// What this verb and `flow impute` ask a model with.
pub(super) struct Asked {
    pub(super) device: Device,
    pub(super) method: AnswerMethod,
    pub(super) sampler: Box<dyn Sampler>,
    pub(super) grid: Grid,
}

impl Asked {
    pub(super) fn new(args: &AnswerArgs) -> Result<Self> {
        device::limit_threads(args.compute.threads)?;
        if args.steps == 0 || args.at_once == 0 {
            return Err(usage!("--steps and --at-once must be at least 1"));
        }
        let sampler: SamplerConfig =
            args.sampler.parse().map_err(|error| usage!("--sampler: {error}"))?;
        Ok(Self {
            device: device::parse(&args.compute.device)?,
            method: args.method.parse().map_err(|error| usage!("--method: {error}"))?,
            sampler: sampler.build(Method::Midpoint),
            grid: Grid::Uniform { steps: args.steps },
        })
    }

    /// What was seen through an operator as a question, without classes and conditions.
    pub(super) fn question<'a>(
        &'a self,
        (operator, observed): (&'a dyn LinearOperator, &'a [f32]),
        noise: f64,
        draws: usize,
        args: &AnswerArgs,
    ) -> Question<'a> {
        Question {
            operator,
            observed,
            noise: ObservationNoise::Gaussian { std: noise },
            method: self.method,
            grid: &self.grid,
            draws,
            at_once: args.at_once,
            seed: args.seed,
            classes: None,
            vectors: None,
        }
    }
}

/// Answers a question and writes the answers into a folder of their own.
pub(crate) fn run(args: &SolveArgs, registry: &Registry) -> Result<()> {
    let asked = Asked::new(&args.answer)?;
    if args.draws == 0 {
        return Err(usage!("--draws is 0, give at least 1"));
    }
    let out = args.out.as_path();
    if out.symlink_metadata().is_ok() {
        return Err(usage!("{} exists already, name another folder", out.display()));
    }
    let model = Place::open(registry, &args.run, &asked.device)?.model(&asked.device)?;
    if model.table()?.is_some() {
        return Err(usage!("holes of a table are filled by `flow impute`"));
    }
    let operator = match (&args.operator, &args.mask) {
        (Some(name), _) => operator(name, &model, &asked.device)?,
        (None, Some(mask)) => masked(mask, &model, &asked.device)?,
        (None, None) => return Err(usage!("name what was seen by --operator or --mask")),
    };
    let Some(file) = args.observe.as_ref().or(args.known.as_ref()) else {
        return Err(usage!("name what was seen by --observe or --known"));
    };
    let observed = numbers(file, operator.sizes().1, model.shape()[0])?;
    let classes = args.class.map(|class| vec![class]);
    let question = Question {
        classes: classes.as_deref(),
        ..asked.question((&*operator, &observed), args.noise, args.draws, &args.answer)
    };
    let started = Instant::now();
    let answered = model.answer(&question, &*asked.sampler)?;
    let seconds = started.elapsed().as_secs_f64();
    fs::create_dir(out).with_context(|| format!("cannot make {}", out.display()))?;
    write_answers(out, &model, &back_projection(&*operator, &observed, &asked.device), &answered)?;
    let misfit = answered.misfit.iter().sum::<f64>() / answered.misfit.len() as f64;
    let note = json!({
        "method": args.answer.method, "sampler": args.answer.sampler, "steps": args.answer.steps,
        "noise": args.noise, "seed": args.answer.seed, "misfit": answered.misfit,
        "evaluations": answered.nfe, "seconds": seconds,
    });
    write_text(&out.join("answers.json"), &serde_json::to_string_pretty(&note)?)?;
    print(&format!(
        "{} answers, {} evaluations each, {seconds:.1} s, misfit {misfit:.2} (about 1 explains \
         what was seen): {}",
        args.draws,
        answered.nfe,
        out.display()
    ))
}

/// `samples.npy`, `mean.npy`, `spread.npy`, and for images all of them in one picture.
fn write_answers(out: &Path, model: &Model, seen: &[f32], answered: &Answered) -> Result<()> {
    let shape = model.shape();
    let full = |n: usize| [n].iter().chain(shape).copied().collect::<Vec<usize>>();
    let Answered { rows, mean, spread, misfit, .. } = answered;
    for (name, rows, n) in
        [("samples", rows, misfit.len()), ("mean", mean, 1), ("spread", spread, 1)]
    {
        if !rows.is_empty() {
            let path = out.join(name).with_extension("npy");
            write_npy(&path, &full(n), |write| write(rows))?;
        }
    }
    if let &[c @ (1 | 3), h, w] = shape {
        // What was seen first, then the mean, then the answers.
        let tiles = [seen, mean, rows].concat();
        let n = tiles.len() / (c * h * w);
        let columns = (n as f64).sqrt().ceil() as usize;
        image_grid(&tiles, n, c, h, w, columns)?.save(out.join("answers.png"))?;
    }
    Ok(())
}

/// What was seen as a picture of the size of the answers: `a A^T y`, with the `a` that explains
/// `y` best. Of a mask these are the known pixels, of a small picture its pixels made large.
fn back_projection(operator: &dyn LinearOperator, observed: &[f32], device: &Device) -> Vec<f32> {
    let y = Tensor::<2>::from_data(TensorData::new(observed.to_vec(), [1, observed.len()]), device);
    // What a mask hides may be no number.
    let y = y.zeros_like().mask_where(operator.seen(&y.ones_like()).greater_elem(0.5), y);
    let back = operator.adjoint(&y);
    let square = |rows: Tensor<2>| rows.square().sum().into_scalar::<f32>();
    let scale = square(back.clone()) / square(operator.apply(&back)).max(f32::MIN_POSITIVE);
    (back * scale).into_data().iter::<f32>().collect()
}

/// An operator from its name and value.
fn operator(text: &str, model: &Model, device: &Device) -> Result<Box<dyn LinearOperator>> {
    const KNOWN: &str = "upsample:K, blur:STD, mask:FILE or matrix:FILE.npy";
    let Some((name, value)) = text.split_once(':') else {
        return Err(usage!("--operator {text} has no `:`, use {KNOWN}"));
    };
    let image = || match *model.shape() {
        [c, h, w] => Ok([c, h, w]),
        _ => Err(usage!("--operator {text} is of images, rows have the shape {:?}", model.shape())),
    };
    Ok(match name {
        "upsample" => {
            let [c, h, w] = image()?;
            match value.parse() {
                Ok(k) if 0 < k && h % k == 0 && w % k == 0 => Box::new(Pool::new([c, h, w], k)),
                _ => {
                    return Err(usage!(
                        "--operator {text}: {h} x {w} pixels are no multiples of it"
                    ));
                }
            }
        }
        "blur" => match value.parse::<f64>() {
            Ok(std) if std.is_finite() && 0.0 < std => Box::new(Blur::new(image()?, std, device)),
            _ => return Err(usage!("--operator {text}: give a positive number of pixels")),
        },
        "mask" => masked(Path::new(value), model, device)?,
        "matrix" => {
            let Array { shape, values, .. } = pixels::array(Path::new(value))?;
            let [m, d] = shape[..] else {
                return Err(usage!("--operator {text}: a matrix has two axes, not {shape:?}"));
            };
            Box::new(Dense::new(Tensor::from_data(TensorData::new(values, [m, d]), device)))
        }
        _ => return Err(usage!("--operator: there is no `{name}`, use {KNOWN}")),
    })
}

/// Known entries: white pixels, or numbers above one half; one plane holds for all channels.
fn masked(file: &Path, model: &Model, device: &Device) -> Result<Box<dyn LinearOperator>> {
    let (size, shape) = (model.signature().size(), model.shape());
    let plane = if shape.len() == 3 { size / shape[0] } else { size };
    let flags: Vec<bool> = if pixels::is_picture(file) {
        Picture::read(file)?.to_numbers(1).iter().map(|white| 0.0 < *white).collect()
    } else {
        pixels::array(file)?.values.iter().map(|known| 0.5 < *known).collect()
    };
    let flags = if flags.len() == plane { flags.repeat(size / plane) } else { flags };
    if flags.len() != size {
        return Err(usage!(
            "{} has {} entries, rows of the model have the shape {shape:?}",
            file.display(),
            flags.len()
        ));
    }
    Ok(Box::new(Mask::new(&flags, size, device)))
}

/// What was seen, from a picture or an array.
fn numbers(file: &Path, size: usize, channels: usize) -> Result<Vec<f32>> {
    let (_, numbers) = pixels::read(file, channels)?;
    if numbers.len() != size {
        return Err(usage!(
            "{} holds {} numbers, the operator sees {size} of a sample",
            file.display(),
            numbers.len()
        ));
    }
    Ok(numbers)
}
