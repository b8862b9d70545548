//! The density of a model of points of the plane, as a picture.

use std::ops::Range;
use std::path::PathBuf;

use flow_model::{DensityRequest, Rows, Trace};
use flow_ode::{Adaptive, Method, Tolerance};
use flow_plot::{Limits, heat_map};
use flow_run::{Listener, Model, Run, sentence};
use flow_sample::Likelihood;

use crate::error::{ReportError, usage};

/// Cells on a side.
const CELLS: usize = 64;
/// Tolerance of a solve, so tight that no seams show where batches meet: equal steps have none, but
/// are silently wrong where the velocity is steep at an end of the path.
const TOLERANCE: Tolerance = Tolerance { atol: 1e-4, rtol: 1e-4 };
/// Cells computed together, whatever `--batch`: points of the plane are small.
const BATCH: usize = 1024;

/// Draws the density of a model on the part of the plane where the points are, and returns the
/// files; where it cannot be solved, `told` gets the reason and there are none. The points are
/// `[n, 2]`, row by row; those that are not finite do not count, and around none the part is the
/// square from -1 to 1.
///
/// # Errors
/// For an odd number of coordinates, and when a file cannot be written.
pub fn draw_density(
    run: &Run,
    model: &Model,
    points: &[f32],
    request: &DensityRequest,
    told: &dyn Listener,
) -> Result<Vec<PathBuf>, ReportError> {
    let (points, []) = points.as_chunks::<2>() else {
        return Err(usage!("points of the plane have two numbers each, got {}", points.len()));
    };
    let limits = Limits::around(&[points]);
    let centre = |(low, high): (f64, f64), cell: usize| {
        (low + (high - low) * (cell as f64 + 0.5) / CELLS as f64) as f32
    };
    let cells = |range: Range<usize>| Rows {
        values: range
            .flat_map(|cell| [centre(limits.x, cell % CELLS), centre(limits.y, cell / CELLS)])
            .collect(),
        ..Rows::default()
    };
    let likelihood = Likelihood::new(Method::Dopri5, Adaptive::new(TOLERANCE).into());
    let exact = DensityRequest { likelihood, trace: Trace::Exact, batch: BATCH, ..request.clone() };
    let found = match model.log_prob(CELLS * CELLS, cells, &exact) {
        Ok(found) => found,
        Err(error) => {
            let why = sentence(&error);
            told.say(&format!("the picture of the density is left out: {why}"));
            return Ok(Vec::new());
        }
    };
    let density: Vec<f64> = found.nats.iter().map(|nats| nats.exp()).collect();
    let figure = heat_map(&density, CELLS, CELLS, limits, "density");
    let mut files = Vec::new();
    for extension in ["png", "svg"] {
        let path = run.folder.join("plots").join("likelihood").with_extension(extension);
        figure.save(&path)?;
        files.push(path);
    }
    Ok(files)
}
