//! An observation of a sample, and the folder of the draws given it.

use std::fs;
use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use flow_model::{Answered, Model};
use flow_plot::image_grid;
use flow_run::files::{write_npy, write_text};
use flow_sample::LinearOperator;
use serde_json::json;

use crate::error::{ReportError, usage};
use crate::pixels::Pixels;

/// What was seen of a sample of a model through an operator: a picture, or an array of as many
/// numbers, pixels from -1 to 1.
///
/// # Errors
/// When the file cannot be read, or holds another number of values than the operator sees.
pub fn observed(
    file: &Path,
    operator: &dyn LinearOperator,
    model: &Model,
) -> Result<Vec<f32>, ReportError> {
    let (_, size) = operator.sizes();
    let Pixels { values, .. } = Pixels::read(file, model.shape()[0])?;
    if values.len() != size {
        return Err(usage!(
            "{} holds {} numbers, the operator sees {size} of a sample",
            file.display(),
            values.len()
        ));
    }
    Ok(values)
}

/// How answers were asked for, as `answers.json` keeps it.
#[derive(Clone, Copy, Debug)]
pub struct AnswersNote<'a> {
    /// The method, as it was typed.
    pub method: &'a str,
    /// The sampler, as it was typed.
    pub sampler: &'a str,
    /// Number of steps.
    pub steps: usize,
    /// Standard deviation of the noise of what was seen.
    pub noise: f64,
    /// Seed of the noise of the sampler.
    pub seed: u64,
    /// Seconds that it took.
    pub seconds: f64,
}

/// Makes a folder with the answers to one observation: `samples.npy`, `mean.npy`, `spread.npy`, for
/// images all of them in `answers.png` beside what was `seen`, and `answers.json`.
///
/// # Errors
/// When the folder cannot be made, or a file cannot be written.
pub fn save_answers(
    out: &Path,
    model: &Model,
    seen: &[f32],
    answered: &Answered,
    note: AnswersNote<'_>,
) -> Result<(), ReportError> {
    fs::create_dir(out).map_err(ReportError::io(format!("cannot make {}", out.display())))?;
    let shape = model.shape();
    let full = |n: usize| [n].iter().chain(shape).copied().collect::<Vec<usize>>();
    let Answered { rows, mean, spread, misfit, nfe, .. } = answered;
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
    let AnswersNote { method, sampler, steps, noise, seed, seconds } = note;
    let note = json!({
        "method": method, "sampler": sampler, "steps": steps, "noise": noise, "seed": seed,
        "misfit": misfit, "evaluations": nfe, "seconds": seconds,
    });
    Ok(write_text(&out.join("answers.json"), &format!("{note:#}"))?)
}

/// What was seen as a row of the size of the answers: `a A^T y`, with the `a` that explains `y`
/// best, `|A^T y|^2 / |A A^T y|^2`. Of a mask these are the known pixels, of a small picture its
/// pixels made large.
#[must_use]
pub fn back_projection(
    operator: &dyn LinearOperator,
    observed: &[f32],
    device: &Device,
) -> Vec<f32> {
    let y = Tensor::<2>::from_data(TensorData::new(observed.to_vec(), [1, observed.len()]), device);
    // What a mask hides may be no number.
    let y = y.zeros_like().mask_where(operator.seen(&y.ones_like()).greater_elem(0.5), y);
    let back = operator.adjoint(&y);
    let square = |rows: Tensor<2>| rows.square().sum().into_scalar::<f32>();
    let scale = square(back.clone()) / square(operator.apply(&back)).max(f32::MIN_POSITIVE);
    (back * scale).into_data().iter::<f32>().collect()
}

#[cfg(test)]
mod tests {
    use flow_sample::{Mask, Pool};

    use super::*;

    #[test]
    fn what_was_seen_is_shown_where_it_was_seen() {
        let device = Device::flex();
        let mask = Mask::new(&[true, false, true], 3, &device);
        assert_eq!(back_projection(&mask, &[0.5, f32::NAN, -1.0], &device), [0.5, 0.0, -1.0]);
        // The adjoint of a mean over four pixels gives each a quarter; the best scale is four.
        let pool = Pool::new([1, 2, 2], 2);
        for value in back_projection(&pool, &[0.8], &device) {
            assert!((value - 0.8).abs() < 1e-6, "{value}");
        }
    }
}
