//! `flow posterior` and `flow calibrate`: what a model of a table believes after an observation,
//! and how far that can be trusted.

use anyhow::Result;
use flow_datasets::Table;
use flow_datasets::table::{Column, Type, Values};
use flow_judge::{Calibrated, LikelihoodOptions, calibrate as judged, densities};
use flow_model::Registry;
use flow_plot::corner;
use flow_run::files::write_text;
use flow_run::{Model, Run};

use crate::args::{CalibrateArgs, PosteriorArgs};
use crate::commands::rows::{self, Conditions};
use crate::data_files::data_files;
use crate::device;
use crate::exit::usage;
use crate::listener::Terminal;
use crate::place::Place;
use crate::terminal::print;

/// Columns whose pairs are drawn.
const MOST_PAIRED: usize = 10;

/// Draws for each observation, one observation after another.
pub(crate) fn run(args: &PosteriorArgs, registry: &Registry) -> Result<()> {
    device::limit_threads(args.compute.threads)?;
    if args.number == 0 {
        return Err(usage!("--number is 0, give at least 1"));
    }
    let device = device::parse(&args.compute.device)?;
    let place = Place::open(registry, &args.run, &device)?;
    let Some(columns) = place.table()? else {
        return Err(usage!("{} is no model of a table with given columns", args.run.display()));
    };
    let Some(Conditions { table: observed, vectors, .. }) =
        rows::given(Some(&columns), "--observe", Some(&args.observe))?
    else {
        return Err(usage!("--observe names no column that the model is told"));
    };
    let observations = observed.len();
    let turns: Vec<usize> = (0..observations * args.number).map(|i| i / args.number).collect();
    let vectors: Vec<f32> = vectors
        .chunks(columns.vector())
        .flat_map(|observation| observation.repeat(args.number))
        .collect();
    let out = place.out(args.out.as_deref(), |_| {
        Ok(format!("posterior-seed{}-n{}.csv", args.seed, args.number))
    })?;
    if !Table::is_named(&out) {
        return Err(usage!("{} ends in none of {}", out.display(), flow_datasets::table::ENDINGS));
    }
    let mut request = place.request(&args.solver.changes(), turns.len(), args.seed)?;
    request.given.vectors = Some(vectors);
    let model = place.model(&device)?;
    if !request.is_guided() || !model.is_told() {
        request.guidance = 1.0;
    }
    let samples = model.sample(&request)?;
    let given = observed.select(&turns);
    let drawn = columns.encoder.decode(&samples.rows, Some(&given))?;
    let mut shown: Vec<Column> =
        columns.given().fold(drawn.clone(), |t, name| t.without(name)).columns().to_vec();
    let mut names: Vec<String> = Vec::new();
    let mut numbers: Vec<&Vec<f64>> = Vec::new();
    for column in &shown {
        if let Values::Number(values) = &column.values {
            names.push(column.name.clone());
            numbers.push(values);
        }
    }
    if (1..=MOST_PAIRED).contains(&names.len()) {
        let row = |row: usize| numbers.iter().map(move |values| values[row] as f32);
        let points: Vec<f32> = (0..turns.len()).flat_map(row).collect();
        let picture = out.with_extension("png");
        corner(&names, &[("draws", &points)]).save(&picture)?;
        print(&format!("picture:    {}", picture.display()))?;
    }
    let number = |name: &str, values: Vec<f64>, ty| Column {
        name: name.to_owned(),
        ty,
        values: Values::Number(values),
    };
    if !args.no_density {
        let nats = densities(&model, &columns, &drawn, &LikelihoodOptions::default())?;
        shown.push(number("log_density", nats, Type::Real { decimals: None }));
    }
    if 1 < observations {
        let counted = turns.iter().map(|turn| (turn + 1) as f64).collect();
        shown.insert(0, number("observation", counted, Type::Integer {}));
    }
    Table::new(shown)?.write(&out)?;
    print(&format!(
        "{} draws for each of {observations} observations, {:.0} network evaluations each: {}",
        args.number,
        samples.nfe,
        out.display()
    ))
}

/// Ranks held-out truths among draws given the same conditions.
pub(crate) fn calibrate(args: &CalibrateArgs, registry: &Registry) -> Result<()> {
    device::limit_threads(args.compute.threads)?;
    if args.number == 0 || args.draws == 0 {
        return Err(usage!("--number and --draws must be at least 1"));
    }
    let device = device::parse(&args.compute.device)?;
    let run = Run::open(registry, &args.run)?;
    let data = run.data(&data_files(args.data.folder()), &Terminal)?;
    let Some(table) = data.table() else {
        return Err(usage!("{} is no run of a table with given columns", args.run.display()));
    };
    let model = Model::load(&run, &device)?;
    let counts = (args.number, args.draws, args.seed);
    let found = judged(&run.recipe, table, &model, counts, &Terminal)?;
    let json = serde_json::to_string_pretty(&found)?;
    write_text(&run.folder.join("calibration.json"), &json)?;
    let picture = flow_report::draw_calibration(&run, &found)?;
    if args.json {
        return print(&json);
    }
    for Calibrated { name, deviation, verdict, .. } in &found.rows {
        let floor = deviation.floor.unwrap_or(f64::NAN);
        print(&format!(
            "{name:24} greatest deviation {:6.2} standard errors, usual {floor:.2}: {verdict}",
            deviation.value
        ))?;
    }
    print(&found.sentence())?;
    print(&format!("picture:    {}", picture.display()))
}
