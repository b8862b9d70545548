//! Paths of several models from one noise, side by side.

use burn::tensor::Device;
use flow_plot::{Figure, Limits, cloud_strips, image_strips};
use flow_run::array::ArrayRows;
use flow_run::{Model, Request, Run, SampleChanges};

use super::column::Column;
use super::drawing::Drawn;
use crate::error::{ReportError, usage};
use crate::pictures;

/// Seed of the noise.
const SEED: u64 = 0;
/// Starts of images, each with a strip for each model, and points of a cloud.
const STARTS: usize = 3;
const POINTS: usize = 400;
/// Equal steps of time between the columns, of images and of clouds.
const STEPS_OF_IMAGES: u32 = 10;
const STEPS_OF_CLOUDS: u32 = 5;
/// Tolerance of the paths: a pixel is coarser.
const TOLERANCE: f64 = 1e-4;

/// The states of one model at the times of the columns, `[times, n, ...]`.
type States = Vec<Vec<f32>>;

/// Follows the first run of each column from the same starts: a row for each column, a picture for
/// each time. Of images a few starts are followed, of points of the plane a cloud.
///
/// Noise is drawn by seed and row, so that models of one shape and one law of `x_0` start alike.
///
/// # Reference
/// Lipman et al. (2023), "Flow Matching for Generative Modeling", arXiv:2210.02747, figure 6.
pub(super) fn strips(
    columns: &[Column],
    runs: &[Run],
    device: &Device,
) -> Result<Drawn, ReportError> {
    let chosen = |column: &Column| runs.iter().find(|run| run.folder == column.folder);
    let firsts: Vec<&Run> = columns.iter().filter_map(chosen).collect();
    let models = firsts.iter().map(|run| Model::load(run, device));
    let models = models.collect::<Result<Vec<_>, _>>()?;
    let Some(first) = models.first() else {
        return Err(usage!("there is no run whose path could be drawn"));
    };
    for (run, model) in firsts.iter().zip(&models) {
        check(run, model, firsts[0], first)?;
    }
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let (figure, caption) = match *first.shape() {
        [c, h, w] => {
            let states = all_states(&firsts, &models, STARTS, STEPS_OF_IMAGES)?;
            let figure = images(&names, &models, &states, [c, h, w])?;
            (figure, "Paths from one noise for all models, and below it from two more")
        }
        [2] => {
            let states = all_states(&firsts, &models, POINTS, STEPS_OF_CLOUDS)?;
            (clouds(&names, &states), "The same points of noise on their way in each model")
        }
        ref shape => {
            return Err(usage!(
                "--strips draws images and points of the plane, and rows have the shape {shape:?}: \
                 leave it out"
            ));
        }
    };
    Ok(Drawn { name: "strips".into(), caption: caption.into(), figure })
}

/// Refuses models that cannot start from the same noise.
fn check(run: &Run, model: &Model, first_run: &Run, first: &Model) -> Result<(), ReportError> {
    let (folder, other) = (run.folder.display(), first_run.folder.display());
    if run.recipe.data.is_given_starts() {
        return Err(usage!("--strips starts from noise, and paths of {folder} start from data"));
    }
    if model.shape() != first.shape() {
        return Err(usage!(
            "--strips starts all runs from one noise: rows of {folder} have the shape {:?}, and \
             those of {other} {:?}",
            model.shape(),
            first.shape()
        ));
    }
    if run.recipe.path.source != first_run.recipe.path.source {
        return Err(usage!(
            "--strips starts all runs from one noise: {folder} and {other} differ in path.source"
        ));
    }
    Ok(())
}

fn times(steps: u32) -> Vec<f64> {
    (0..=steps).map(|i| f64::from(i) / f64::from(steps)).collect()
}

/// The states of each model at all times, from the same `n` starts.
fn all_states(
    runs: &[&Run],
    models: &[Model],
    n: usize,
    steps: u32,
) -> Result<Vec<States>, ReportError> {
    let states = |(run, model): (&&Run, &Model)| -> Result<States, ReportError> {
        let request = Request::new(&run.recipe, &SampleChanges::default(), n, SEED)?;
        let request = model.along_flow(request, TOLERANCE).with_times(times(steps));
        Ok(model.sample(&request)?.states)
    };
    runs.iter().zip(models).map(states).collect()
}

/// A block of strips for each start.
fn images(
    names: &[&str],
    models: &[Model],
    states: &[States],
    [c, h, w]: [usize; 3],
) -> Result<Figure, ReportError> {
    let size = c * h * w;
    let mut figures = Vec::new();
    for start in 0..STARTS {
        let mut strips = Vec::new();
        for ((name, model), states) in names.iter().zip(models).zip(states) {
            let rows: Vec<f32> =
                states.iter().flat_map(|state| &state[start * size..][..size]).copied().collect();
            let shown = match ArrayRows::of(&model.config().rows)? {
                Some(array) => array.shown(&rows),
                None => rows,
            };
            let (pixels, channels) = pictures::colours(&shown, [c, h, w]);
            strips.push((*name, pixels.into_owned(), channels));
        }
        let channels = strips.first().map_or(1, |(.., channels)| *channels);
        let strips: Vec<(&str, &[f32])> =
            strips.iter().map(|(name, pixels, _)| (*name, pixels.as_slice())).collect();
        figures.push(image_strips(&strips, &times(STEPS_OF_IMAGES), [channels, h, w]));
    }
    Ok(Figure::column(figures))
}

/// A cloud for each model and time, within limits that hold both ends of all paths.
fn clouds(names: &[&str], states: &[States]) -> Figure {
    let cloud = |state: &Vec<f32>| state.chunks(2).map(|p| [p[0], p[1]]).collect();
    let of_model = |states: &States| states.iter().map(cloud).collect();
    let clouds: Vec<Vec<Vec<[f32; 2]>>> = states.iter().map(of_model).collect();
    let all: Vec<&[[f32; 2]]> = clouds.iter().flatten().map(Vec::as_slice).collect();
    let strips: Vec<(&str, &[Vec<[f32; 2]>])> =
        names.iter().zip(&clouds).map(|(name, clouds)| (*name, clouds.as_slice())).collect();
    cloud_strips(&strips, &times(STEPS_OF_CLOUDS), Limits::around(&all))
}
