//! An observation of a sample, and the folder of the draws given it.

use std::fs;
use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use flow_datasets::counted;
use flow_model::{Answered, Model};
use flow_plot::image_grid;
use flow_run::files::{write_npy, write_text};
use flow_sample::{LinearOperator, ObservationNoise};
use serde_json::json;

use crate::error::{ReportError, usage};
use crate::pixels::{Pixels, is_picture, numbers};

/// What was seen of a sample of a model through an operator: a picture, or an array of as many
/// numbers, pixels from -1 to 1; with the noise of counts an array of counts, taken as they are.
///
/// # Errors
/// When the file cannot be read, holds another number of values than the operator sees, or is a
/// picture, which holds no counts.
pub fn observed(
    file: &Path,
    operator: &dyn LinearOperator,
    noise: ObservationNoise,
    model: &Model,
) -> Result<Vec<f32>, ReportError> {
    let (_, size) = operator.sizes();
    let values = match noise {
        ObservationNoise::Gaussian { .. } => Pixels::read(file, model.shape()[0])?.values,
        ObservationNoise::Poisson { .. } if is_picture(file) => {
            return Err(usage!(
                "{} is a picture, and counts are read from an array: save them as .npy",
                file.display()
            ));
        }
        ObservationNoise::Poisson { .. } => numbers(file, true)?.values,
    };
    if values.len() != size {
        return Err(usage!(
            "{} holds {} numbers, the operator sees {size} of a sample",
            file.display(),
            values.len()
        ));
    }
    Ok(values)
}

/// How answers were asked for and what they took, as `answers.json` keeps it.
#[derive(Clone, Copy, Debug)]
pub struct AnswersNote<'a> {
    /// Where the model was.
    pub model: &'a Path,
    /// What was seen of a sample, as it was typed; `mask:FILE` of a mask.
    pub operator: &'a str,
    /// The file of what was seen.
    pub observed: &'a Path,
    /// The law of its noise.
    pub noise: ObservationNoise,
    /// The class of the answers, if one was asked for.
    pub class: Option<usize>,
    /// The columns that they were told, as they were typed.
    pub given: Option<&'a str>,
    /// The method, as it was typed.
    pub method: &'a str,
    /// The sampler, as it was typed.
    pub sampler: &'a str,
    /// Number of steps.
    pub steps: usize,
    /// Draws that were computed together at most.
    pub at_once: usize,
    /// Seed of the noise of the sampler.
    pub seed: u64,
    /// Seconds that it took.
    pub seconds: f64,
    /// Bytes by which the memory grew at most meanwhile, where it was measured.
    pub memory: Option<u64>,
}

/// Makes a folder with the answers to one observation: `samples.npy`, `mean.npy`, `spread.npy`, for
/// images all of them in `answers.png` beside what was `seen`, and `answers.json`.
///
/// Numbers are written as they are: in the picture one that is not a number is pink, and in
/// `answers.json` what is not finite is `null`.
///
/// # Errors
/// When there are other numbers than those of whole answers, the folder cannot be made, or a file
/// cannot be written.
pub fn save_answers(
    out: &Path,
    model: &Model,
    seen: &[f32],
    answered: &Answered,
    note: AnswersNote<'_>,
) -> Result<(), ReportError> {
    let (shape, size) = (model.shape(), model.signature().size());
    let full = |n: usize| [n].iter().chain(shape).copied().collect::<Vec<usize>>();
    let Answered { rows, mean, spread, misfit, nfe, gradients, .. } = answered;
    for (what, got, expected) in [
        ("what was seen", seen.len(), size),
        ("the answers", rows.len(), misfit.len() * size),
        ("their mean", mean.len(), size),
        ("their spread", spread.len(), if spread.is_empty() { 0 } else { size }),
    ] {
        if got != expected {
            return Err(usage!(
                "{what} has {got} numbers where {expected} belong, of {} to one question",
                counted(misfit.len(), "answer")
            ));
        }
    }
    fs::create_dir(out).map_err(ReportError::io(format!("cannot make {}", out.display())))?;
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
    let noise = match note.noise {
        ObservationNoise::Gaussian { std } => json!(std),
        ObservationNoise::Poisson { gain, offset } => {
            json!({ "poisson": { "gain": gain, "offset": offset } })
        }
    };
    let class_name = note.class.and_then(|class| model.class_names().get(class));
    let note = json!({
        "model": note.model.display().to_string(), "operator": note.operator,
        "observed": note.observed.display().to_string(), "noise": noise,
        "class": note.class, "class_name": class_name, "given": note.given, "method": note.method,
        "sampler": note.sampler, "steps": note.steps, "draws": misfit.len(),
        "at_once": note.at_once, "seed": note.seed, "misfit": misfit, "evaluations": nfe,
        "gradients": gradients, "seconds": note.seconds, "memory": note.memory,
    });
    Ok(write_text(&out.join("answers.json"), &format!("{note:#}"))?)
}

/// What was seen as a row of the size of the answers: `a A^T y`, with the `a` that explains `y`
/// best, `|A^T y|^2 / |A A^T y|^2`. Of a mask these are the known pixels, of a small picture its
/// pixels made large. Counts are brought to the units of `A x` first.
///
/// What is not finite then, as all counts of a gain of 0 are, is left out as what a mask hides is,
/// and what is beyond the range of `f32` ends there.
///
/// # Panics
/// If there are other numbers than the operator sees.
#[must_use]
pub fn back_projection(
    operator: &dyn LinearOperator,
    observed: &[f32],
    noise: ObservationNoise,
    device: &Device,
) -> Vec<f32> {
    let (got, (_, sees)) = (observed.len(), operator.sizes());
    assert!(got == sees, "expected the {sees} numbers that the operator sees, got {got}");
    let row = |numbers: &[f64], unit: f64| {
        let numbers: Vec<f32> = numbers.iter().map(|x| (x / unit) as f32).collect();
        let shape = [1, numbers.len()];
        Tensor::<2>::from_data(TensorData::new(numbers, shape), device)
    };
    let host = |row: Tensor<2>| row.into_data().iter::<f64>().collect::<Vec<f64>>();
    let mean = |y: f32| match noise {
        ObservationNoise::Gaussian { .. } => f64::from(y),
        ObservationNoise::Poisson { gain, offset } => f64::from(y) / gain - offset,
    };
    // What a mask hides may be no number.
    let seen = host(operator.seen(&row(&vec![1.0; sees], 1.0)));
    let known = |(y, seen): (&f32, f64)| {
        let y = mean(*y);
        if seen < 0.5 || !y.is_finite() { 0.0 } else { y }
    };
    let y: Vec<f64> = observed.iter().zip(seen).map(known).collect();
    // The scale is that of all multiples, of which those of the size of 1 have squares.
    let of_y = unit(&y);
    let back = host(operator.adjoint(&row(&y, of_y)));
    let of_back = unit(&back);
    let again = host(operator.apply(&row(&back, of_back)));
    let square = |x: &f64| x * x;
    let above: f64 = back.iter().map(|x| square(&(x / of_back))).sum();
    let below: f64 = again.iter().map(square).sum();
    let scale = above / below.max(f64::MIN_POSITIVE) * of_y;
    back.iter().map(|x| (x * scale).clamp(f32::MIN.into(), f32::MAX.into()) as f32).collect()
}

/// The power of two at or below the largest of some numbers; 1 where all are zero.
fn unit(numbers: &[f64]) -> f64 {
    let largest = numbers.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    if largest == 0.0 { 1.0 } else { largest.log2().floor().exp2() }
}

#[cfg(test)]
mod tests {
    use flow_sample::{Mask, Pool};

    use super::*;

    #[test]
    fn what_was_seen_is_shown_where_it_was_seen() {
        let device = Device::flex();
        let mask = Mask::new(&[true, false, true], 3, &device);
        let normal = ObservationNoise::Gaussian { std: 0.1 };
        let seen = [0.5, f32::NAN, -1.0];
        assert_eq!(back_projection(&mask, &seen, normal, &device), [0.5, 0.0, -1.0]);
        // Counts of 4 (z + 1).
        let counts = ObservationNoise::Poisson { gain: 4.0, offset: 1.0 };
        let seen = [6.0, f32::NAN, 0.0];
        assert_eq!(back_projection(&mask, &seen, counts, &device), [0.5, 0.0, -1.0]);
        // The adjoint of a mean over four pixels gives each a quarter; the best scale is four.
        let pool = Pool::new([1, 2, 2], 2);
        for value in back_projection(&pool, &[0.8], normal, &device) {
            assert!((value - 0.8).abs() < 1e-6, "{value}");
        }
    }
}
