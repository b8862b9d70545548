//! Pictures of samples, of models on the line, and of latents of two numbers.

use std::borrow::Cow;
use std::path::Path;

use flow_datasets::Table;
use flow_eval::Bins;
use flow_judge::ambiguity;
use flow_judge::control::{self, SIDE};
use flow_plot::{Chart, Figure, Limits, Picture, PlotError, heat_maps, image_grid, trajectories};
use flow_run::files::ending;
use flow_run::{Data, Model, Recipe, Request, RowForm, SampleChanges, SampleWriter};

use crate::error::{ReportError, usage};

/// Times of the paths on the line, but for the first, and their tolerance: a pixel is coarser.
const TIMES: u32 = 50;
const TOLERANCE: f64 = 1e-4;
/// Paths on the line.
const PATHS: usize = 150;
/// Sequences of a picture.
const SEQUENCES: usize = 40;
/// Points of a histogram, and its cells.
const POINTS: usize = 20_000;
const CELLS: usize = 60;
/// Cells of the maps.
const MAP: (usize, usize) = (60, 40);

/// Samples beside the data, paths against time, and where velocities disagree.
pub(crate) fn line(
    recipe: &Recipe,
    model: &Model,
    data: &Data,
    seed: u64,
) -> Result<Vec<(&'static str, Figure)>, ReportError> {
    let real = data.held_rows(POINTS, seed)?;
    let request = Request::new(recipe, &SampleChanges::default(), POINTS, seed)?;
    let request = request.told_as(recipe, data)?;
    let samples = model.sample(&request)?.rows;
    let reach = 1.2 * real.iter().fold(0.0, |reach: f64, &x| reach.max(f64::from(x).abs()));
    let (of_data, of_samples) = (histogram(&real, reach), histogram(&samples, reach));
    let samples = Chart::new(&recipe.name)
        .x("x")
        .y("density")
        .dashed("data", &of_data)
        .line("samples", &of_samples)
        .figure();

    let times: Vec<f64> = (0..=TIMES).map(|i| f64::from(i) / f64::from(TIMES)).collect();
    let request = model.along_flow(Request { n: PATHS, ..request }, TOLERANCE);
    let states = model.sample(&request.with_times(times.clone()))?.states;
    let path = |i: usize| -> Vec<[f32; 2]> {
        times.iter().zip(&states).map(|(&t, state)| [t as f32, state[i]]).collect()
    };
    let paths: Vec<Vec<[f32; 2]>> = (0..PATHS).map(path).collect();
    let reach = reach.max(3.0);
    let limits = Limits { x: (-0.02, 1.02), y: (-reach, reach) };
    let mut figures = vec![("samples", samples), ("trajectories", trajectories(&paths, limits))];

    let x = Bins { low: -2.0, high: 2.0, count: MAP.0 };
    let t = Bins { low: 0.0, high: 1.0, count: MAP.1 };
    if let Some(maps) = ambiguity::maps(recipe, model, seed, x, t)? {
        let extent = Limits { x: (x.low, x.high), y: (t.low, t.high) };
        let panels: [(&str, &[f64]); 3] = [
            ("data, closed form", &maps.exact),
            ("data, drawn", &maps.drawn),
            (&recipe.name, &maps.model),
        ];
        let figure = heat_maps(&panels, MAP.1, MAP.0, extent, "standard deviation of the velocity");
        figures.push(("ambiguity", figure));
    }
    Ok(figures)
}

/// The first channel of each sequence against its step, of held-out rows and of samples.
pub(crate) fn sequences(
    recipe: &Recipe,
    model: &Model,
    data: &Data,
    seed: u64,
) -> Result<Figure, ReportError> {
    let &[length, channels] = model.shape() else {
        return Err(usage!("rows of shape {:?} are no sequences", model.shape()));
    };
    let request = Request::new(recipe, &SampleChanges::default(), SEQUENCES, seed)?;
    let samples = model.sample(&request.told_as(recipe, data)?)?;
    let real = data.held_rows(SEQUENCES, seed)?;
    let ends = data.held_lengths(SEQUENCES, seed)?;
    let panel = |title: &str, rows: &[f32], ends: Option<&Vec<usize>>| {
        // In the units of the file.
        let decoded = data.array().map(|array| array.rows.decode(rows));
        let rows = decoded.as_deref().unwrap_or(rows);
        let step = |(i, x): (usize, &[f32])| (i as f64, f64::from(x[0]));
        let end = |row: usize| ends.map_or(length, |ends| ends[row]);
        let line = |(at, row): (usize, &[f32])| {
            row.chunks(channels).take(end(at)).enumerate().map(step).collect()
        };
        let lines: Vec<Vec<(f64, f64)>> =
            rows.chunks(length * channels).enumerate().map(line).collect();
        let chart = Chart::new(title).x("step").y("first channel");
        lines.iter().fold(chart, |chart, line| chart.line("", line)).figure()
    };
    Ok(Figure::column([
        panel("data", &real, ends.as_ref()),
        panel("samples", &samples.rows, samples.lengths.as_ref()),
    ]))
}

/// Images that have colours: the first channel alone of those with other numbers of channels than
/// one and three.
pub(crate) fn colours(rows: &[f32], [c, h, w]: [usize; 3]) -> (Cow<'_, [f32]>, usize) {
    if [1, 3].contains(&c) {
        return (rows.into(), c);
    }
    (rows.chunks(c * h * w).flat_map(|row| &row[..h * w]).copied().collect(), 1)
}

/// Saves samples, rows of this shape one after the other, as one picture: points of the plane, of
/// shape `[2]`, as a cloud, and images, `[channels, height, width]` with pixels from -1 to 1, as a
/// grid. A point that is not finite is left out, and a pixel that is not a number is pink.
///
/// # Errors
/// For rows that have no picture, numbers that are no whole rows, more pixels than memory can be
/// trusted with, and when the file cannot be written.
pub fn save_samples(rows: &[f32], shape: &[usize], out: &Path) -> Result<(), ReportError> {
    let size = shape.iter().try_fold(1_usize, |size, &side| size.checked_mul(side));
    if !size.is_some_and(|size| 0 < size && rows.len().is_multiple_of(size)) {
        return Err(usage!("{} numbers are no rows of the shape {shape:?}", rows.len()));
    }
    let drawn = match *shape {
        [c, h, w] => {
            let (rows, c) = colours(rows, [c, h, w]);
            flow_plot::samples(&rows, &[c, h, w])
        }
        _ => flow_plot::samples(rows, shape),
    };
    match drawn {
        Err(error @ PlotError::NoPicture { .. }) => Err(usage!("{error}, write a .npy file")),
        picture => Ok(picture?.save(out)?),
    }
}

/// Draws what is asked of a model into a file: a picture by [`save_samples`] where its name ends in
/// `.png`, else rows as the `writer` writes them, with the columns that a model of a table is
/// `given`. Returns the evaluations of the network that a sample took.
///
/// # Errors
/// For a request that the model cannot meet, rows that have no picture, and when the file cannot be
/// written.
pub fn write_samples(
    writer: &SampleWriter<'_>,
    form: &RowForm,
    given: Option<&Table>,
    out: &Path,
) -> Result<f64, ReportError> {
    if ending(out) != "png" {
        return Ok(writer.write(form, given, out)?);
    }
    let samples = writer.model.sample(writer.request)?;
    save_samples(&form.shown(&samples.rows), writer.model.shape(), out)?;
    Ok(samples.nfe)
}

/// Shares of the points in equal cells, as a density.
fn histogram(points: &[f32], reach: f64) -> Vec<(f64, f64)> {
    let width = 2.0 * reach / CELLS as f64;
    let mut counts = [0_usize; CELLS];
    for &x in points {
        let cell = ((f64::from(x) + reach) / width).floor();
        if (0.0..CELLS as f64).contains(&cell) {
            counts[cell as usize] += 1;
        }
    }
    let density = |count: usize| count as f64 / points.len() as f64 / width;
    let centre = |i: usize| -reach + (i as f64 + 0.5) * width;
    counts.iter().enumerate().map(|(i, &count)| (centre(i), density(count))).collect()
}

/// Two grids of images over a square of latents, each from one start; none unless the latent has
/// two numbers.
///
/// Along a row the first number grows, and down a column the second falls.
pub(crate) fn manifolds(
    recipe: &Recipe,
    model: &Model,
    seed: u64,
) -> Result<Vec<Picture>, ReportError> {
    let &[c, h, w] = model.shape() else { return Ok(Vec::new()) };
    let grid = |rows: &Vec<f32>| image_grid(rows, SIDE * SIDE, c, h, w, SIDE);
    Ok(control::manifolds(recipe, model, seed)?.iter().map(grid).collect::<Result<_, _>>()?)
}
