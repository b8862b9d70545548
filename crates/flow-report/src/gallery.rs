//! The pictures of a run.

use std::path::PathBuf;

use burn::tensor::Device;
use flow_datasets::{Images, Split};
use flow_judge::{TableSpace, control};
use flow_plot::{
    Chart, Figure, Limits, Picture, animate, clouds, corner, density_frames, flow_frames,
    image_grid, marginals, trajectories,
};
use flow_run::array::ArrayData;
use flow_run::metrics::{Line, read};
use flow_run::{Data, Listener, Model, Request, Run, SampleChanges};

use crate::compare::{self, Column, Drawn, ScoredRun};
use crate::error::ReportError;
use crate::family::family;
use crate::pictures;

/// Seed of the noise in pictures.
const SEED: u64 = 0;
/// Points of a density.
const POINTS: usize = 10_000;
/// Points of a cloud, few enough to be told apart.
const CLOUD: usize = 4000;
/// Columns of a table whose pairs are drawn.
const MOST_PAIRED: usize = 7;
/// Frames of an animation.
const FRAMES: usize = 25;
/// Tolerance of what is drawn along the paths: a pixel is coarser.
const TOLERANCE: f64 = 1e-4;
/// Starts, and latents, of which each is shown with each.
const CROSSED: usize = 8;
/// Images that are shown enlarged, and how many in a row.
const ENLARGED: usize = 24;
const ENLARGED_COLUMNS: usize = 4;

/// Draws everything and returns the files; `told` gets a message about damaged lines of the log.
///
/// # Errors
/// When the model cannot be read or sampled, or a file not written.
pub fn draw(
    run: &Run,
    data: &Data,
    device: &Device,
    told: &dyn Listener,
) -> Result<Vec<PathBuf>, ReportError> {
    let model = Model::load(run, device)?;
    run.keep()?;
    let mut gallery = Gallery { run, files: Vec::new() };
    if !run.is_of_model() {
        gallery.curves(told)?;
    }
    gallery.scores()?;
    let changes = SampleChanges::default();
    match model.shape() {
        _ if data.table().is_some() => gallery.table(&model, data, &changes)?,
        [_, _] => {
            let figure = pictures::sequences(&run.recipe, &model, data, SEED)?;
            gallery.figure("samples", &figure)?;
        }
        [1] => {
            for (name, figure) in pictures::line(&run.recipe, &model, data, SEED)? {
                gallery.figure(name, &figure)?;
            }
        }
        [2] => gallery.points(&model, data, &changes)?,
        [_, _, _] => gallery.images(&model, data, &changes)?,
        _ => {}
    }
    for (i, manifold) in pictures::manifolds(&run.recipe, &model, SEED)?.iter().enumerate() {
        manifold.save(gallery.path(&format!("manifold-{i}.png")))?;
    }
    Ok(gallery.files)
}

struct Gallery<'a> {
    run: &'a Run,
    files: Vec<PathBuf>,
}

impl Gallery<'_> {
    fn path(&mut self, name: &str) -> PathBuf {
        let path = self.run.folder.join("plots").join(name);
        self.files.push(path.clone());
        path
    }

    /// Saves a figure as PNG, listed, and as SVG beside it.
    fn figure(&mut self, name: &str, figure: &Figure) -> Result<(), ReportError> {
        let path = self.path(&format!("{name}.png"));
        figure.save(&path)?;
        Ok(figure.save(path.with_extension("svg"))?)
    }

    /// Loss and learning rate against images.
    fn curves(&mut self, told: &dyn Listener) -> Result<(), ReportError> {
        let (mut train, mut validation, mut rate) = (Vec::new(), Vec::new(), Vec::new());
        for line in read(&self.run.folder, told)? {
            match line {
                Line::Train { images, loss, learning_rate, .. } => {
                    train.push((images as f64, loss));
                    rate.push((images as f64, learning_rate));
                }
                Line::Validation { images, loss, .. } => validation.push((images as f64, loss)),
            }
        }
        let loss = Chart::new(&self.run.recipe.name)
            .y("loss per dimension")
            .line("training", &train)
            .dots("validation, averaged weights", &validation);
        let rate = Chart::new("").x("images").y("learning rate").line("learning rate", &rate);
        self.figure("training", &Figure::column([loss.figure(), rate.figure()]))
    }

    /// The curves of `eval.json`, beside those of the runs that belong together with it; nothing
    /// before the run is scored.
    fn scores(&mut self) -> Result<(), ReportError> {
        if !self.run.folder.join("eval.json").exists() {
            return Ok(());
        }
        let mut columns = Column::each(vec![ScoredRun::read(self.run)?]);
        columns[0].name.clone_from(&self.run.recipe.name);
        for mut relative in family(self.run) {
            relative.keep_those_of(&columns[0]);
            columns.push(relative);
        }
        for Drawn { name, figure, .. } in compare::figures(&columns) {
            self.figure(&name, &figure)?;
        }
        Ok(())
    }

    /// Clouds, trajectories, densities and the animation of a model of points.
    fn points(
        &mut self,
        model: &Model,
        data: &Data,
        changes: &SampleChanges,
    ) -> Result<(), ReportError> {
        let recipe = &self.run.recipe;
        let times: Vec<f64> = (0..FRAMES).map(|i| i as f64 / (FRAMES - 1) as f64).collect();
        let request = Request::new(recipe, changes, POINTS, SEED)?;
        let request = model.along_flow(request, TOLERANCE).with_times(times.clone());
        let request = request.told_as(recipe, data)?;
        let flow = model.sample(&request)?;
        let states: Vec<Vec<[f32; 2]>> = flow.states.iter().map(|state| pairs(state)).collect();

        let clouded = Request::new(recipe, changes, CLOUD, SEED)?.told_as(recipe, data)?;
        let adaptive = model.sample(&clouded)?;
        let samples = pairs(&adaptive.rows);
        let real = pairs(&data.held_rows(CLOUD, SEED)?);
        let limits = Limits::around(&[&real]);
        let panels: [(&str, &[[f32; 2]]); 2] = [("data", &real), ("samples", &samples)];
        self.figure("samples", &clouds(&panels, limits))?;

        let noise = &states[0];
        let wide = Limits::around(&[&real, noise]);
        let paths: Vec<Vec<[f32; 2]>> =
            (0..300).map(|i| states.iter().map(|state| state[i]).collect()).collect();
        self.figure("trajectories", &trajectories(&paths, wide))?;

        let frame = |i: usize| (times[i], states[i].as_slice());
        let quarters: Vec<_> = (0..5).map(|q| frame(q * (FRAMES - 1) / 4)).collect();
        self.figure("density", &density_frames(&quarters, wide))?;

        let few: Vec<Vec<[f32; 2]>> = states.iter().map(|s| s[..2000].to_vec()).collect();
        let frames: Vec<_> = times.iter().zip(&few).map(|(&t, s)| (t, s.as_slice())).collect();
        let path = self.path("flow.gif");
        Ok(animate(&flow_frames(&frames, wide)?, &path, 10.0)?)
    }

    /// The law of each column of a table, and of each pair where they are few.
    fn table(
        &mut self,
        model: &Model,
        data: &Data,
        changes: &SampleChanges,
    ) -> Result<(), ReportError> {
        let Some(table) = data.table() else { return Ok(()) };
        let space = TableSpace::new(table)?;
        let n = data.most_scored().unwrap_or(CLOUD).min(CLOUD);
        let request = Request::new(&self.run.recipe, changes, n, SEED)?;
        let samples = model.sample(&request.told_as(&self.run.recipe, data)?)?;
        let (real, drawn) = (space.cells(&table.train, n), space.cells_of(&samples.rows)?);
        let sets: [(&str, &[f32]); 2] = [("data", &real), ("samples", &drawn)];
        self.figure("marginals", &marginals(&space.labels, &sets))?;
        if (2..=MOST_PAIRED).contains(&space.names.len()) {
            self.figure("pairs", &corner(&space.names, &sets))?;
        }
        Ok(())
    }

    /// Grids, the path of a few samples and the animation of a model of images.
    fn images(
        &mut self,
        model: &Model,
        data: &Data,
        changes: &SampleChanges,
    ) -> Result<(), ReportError> {
        let &[c, h, w] = model.shape() else { return Ok(()) };
        let columns = if model.classes() > 0 { model.classes() } else { 10 };
        let n = columns * 8;
        let grid = |rows: &[f32], columns| -> Result<Picture, ReportError> {
            let shown = data.array().map(|array| array.rows.shown(rows));
            let (rows, c) = pictures::colours(shown.as_deref().unwrap_or(rows), [c, h, w]);
            Ok(image_grid(&rows, rows.len() / (c * h * w), c, h, w, columns)?)
        };
        let recipe = &self.run.recipe;
        let mut request = Request::new(recipe, changes, n, SEED)?.told_as(recipe, data)?;
        request.given.classes = None;
        let samples = model.sample(&request)?;
        let path = self.path("samples.png");
        grid(&samples.rows, columns)?.save(&path)?;

        if let Some(told) = model.upsampling()? {
            // Columns of what was told, what was drawn, and what it was.
            let real = data.told_images();
            let small = told.enlarged(&told.shrunk(&real));
            let tile = |rows: &[f32], i: usize| rows[i * c * h * w..(i + 1) * c * h * w].to_vec();
            let shown = ENLARGED.min(real.len() / (c * h * w)).min(n);
            let three = |i| [&small, &samples.rows, &real].map(|rows| tile(rows, i)).concat();
            let path = self.path("enlarged.png");
            grid(&(0..shown).flat_map(three).collect::<Vec<f32>>(), 3 * ENLARGED_COLUMNS)?
                .save(&path)?;
        }
        let real = match data {
            Data::Images { test, .. } if model.classes() > 0 => by_class(test, 8),
            Data::Images { test, .. } => some_rows(test, n),
            Data::Array(array) if model.classes() > 0 => of_classes(array, 8)?,
            _ => Vec::new(),
        };
        // Also where a class has none that is held out.
        let real = if real.is_empty() { data.held_rows(n, SEED)? } else { real };
        let path = self.path("data.png");
        grid(&real, columns)?.save(&path)?;

        let crossed = control::crossed(recipe, model, CROSSED, SEED)?;
        if !crossed.is_empty() {
            let path = self.path("control.png");
            grid(&crossed, CROSSED)?.save(&path)?;
        }

        let times: Vec<f64> = (0..11).map(|i| f64::from(i) / 10.0).collect();
        let strip = model.along_flow(Request { n: columns, ..request }, TOLERANCE);
        let strip = model.sample(&strip.with_times(times.clone()))?;
        let size = c * h * w;
        // One row of pictures for each sample, noise on the left and the sample on the right.
        let rows: Vec<f32> = (0..columns)
            .flat_map(|i| strip.states.iter().flat_map(move |s| &s[i * size..(i + 1) * size]))
            .copied()
            .collect();
        let path = self.path("paths.png");
        grid(&rows, times.len())?.save(&path)?;
        let frames = strip.states.iter().map(|state| grid(state, columns));
        let frames = frames.collect::<Result<Vec<Picture>, ReportError>>()?;
        let path = self.path("flow.gif");
        Ok(animate(&frames, &path, 5.0)?)
    }
}

/// Pixels of `n` images of a part, chosen at random.
fn some_rows(images: &Images, n: usize) -> Vec<f32> {
    flow_run::pixels(&flow_run::some_of(images, Split::Test, n, SEED))
}

/// Pixels of images for a grid with a column for each class, chosen at random; of `rows` rows,
/// fewer where a class has fewer images.
fn by_class(images: &Images, rows: usize) -> Vec<f32> {
    let mixed = flow_run::some_of(images, Split::Test, images.len(), SEED);
    let labels = mixed.labels.iter().map(|&label| usize::from(label));
    flow_run::pixels(&mixed.select(&in_columns(labels, mixed.classes(), rows)))
}

/// The same of the first held-out rows of an array.
fn of_classes(array: &ArrayData, rows: usize) -> Result<Vec<f32>, ReportError> {
    let labels = array.held.labels.iter().flatten().copied();
    let places = in_columns(labels, array.class_names.len(), rows);
    Ok(array.held.rows_at(&places, array.rows.size())?)
}

/// The places of rows of each class in turn.
fn in_columns(labels: impl Iterator<Item = usize>, classes: usize, rows: usize) -> Vec<usize> {
    let mut places = vec![Vec::new(); classes];
    for (place, label) in labels.enumerate() {
        places[label].push(place);
    }
    let rows = places.iter().map(Vec::len).fold(rows, usize::min);
    (0..rows).flat_map(|row| places.iter().map(move |class| class[row])).collect()
}

fn pairs(rows: &[f32]) -> Vec<[f32; 2]> {
    rows.chunks(2).map(|p| [p[0], p[1]]).collect()
}
