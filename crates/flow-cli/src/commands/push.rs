//! `flow push`: the rows of a file, carried along the flow of a model.

use std::path::Path;

use anyhow::Result;
use flow_datasets::Table;
use flow_datasets::array::{ArrayNames, LabelledArray, write_array};
use flow_datasets::table::{Column, Type, Values};
use flow_model::Registry;
use flow_run::array::ArrayRows;
use flow_run::snapshots::Snapshots;
use flow_run::table::{self, TableRows, numbers_of};
use flow_run::{Model, Request, RunError, memory};

use crate::args::PushArgs;
use crate::commands::arrays::{self, ENDINGS};
use crate::commands::rows::warn_of_unseen;
use crate::device;
use crate::exit::usage;
use crate::place::{Place, folder};
use crate::terminal::{print, say};

pub(crate) fn run(args: &PushArgs, registry: &Registry) -> Result<()> {
    device::limit_threads(args.compute.threads)?;
    if args.batch == 0 {
        return Err(usage!("--batch must be at least 1"));
    }
    let device = device::parse(&args.compute.device)?;
    let place = Place::open(registry, &args.run, &device)?;
    let rows = place.rows()?;
    let (table, array, seen) =
        (TableRows::of(&rows)?, ArrayRows::of(&rows)?, Snapshots::of(&rows)?);
    if !folder(&args.out).join(".").is_dir() {
        let folder = folder(&args.out).display();
        return Err(usage!("there is no folder {folder}, make it or change --out"));
    }
    let format = args.out.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    match &table {
        Some(_) if !Table::is_named(&args.out) => {
            let (out, known) = (args.out.display(), flow_datasets::table::ENDINGS);
            return Err(usage!("{out} ends in none of {known}"));
        }
        None if !ENDINGS.contains(&format) => {
            let known = ENDINGS.map(|ending| format!(".{ending}")).join(", ");
            return Err(usage!("{} ends in none of {known}", args.out.display()));
        }
        _ => {}
    }
    let mut request = place.request(&args.solver.changes(), 0, 0)?;
    request.batch = args.batch;
    request.class = args.class;
    if !place.is_conditional() {
        request.guidance = 1.0;
    }
    let model = place.model(&device)?;
    let push = Push { args, model: &model, seen, request };
    let (n, times, nfe) = match table {
        Some(table) => push.table(&table)?,
        None => push.array(&array.unwrap_or_else(|| ArrayRows::plain(model.shape())))?,
    };
    print(&format!(
        "{n} rows carried from {} to {}, {nfe:.0} network evaluations each: {}",
        times[0],
        shown(&times[1..]),
        args.out.display()
    ))
}

fn shown(times: &[f64]) -> String {
    times.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Rows, the times that they were at, and evaluations.
type Done = (usize, Vec<f64>, f64);

/// What is pushed, and along what.
struct Push<'a> {
    args: &'a PushArgs,
    model: &'a Model,
    seen: Option<Snapshots>,
    request: Request,
}

impl Push<'_> {
    /// The time of the rows and those to carry them to, and which rows are at the first.
    fn times(&self, own: Option<&[f64]>, n: usize) -> Result<(Vec<f64>, Vec<usize>)> {
        let PushArgs { from, to, .. } = self.args;
        let Some(seen) = &self.seen else {
            let (Some(from), false) = (*from, to.is_empty()) else {
                return Err(usage!(
                    "the model leads from noise at 0 to data at 1: say --from TIME and --to TIME"
                ));
            };
            return Ok(([&[from], &to[..]].concat(), (0..n).collect()));
        };
        let [first, last] = seen.ends();
        let to = if to.is_empty() { vec![last] } else { to.clone() };
        from.iter().chain(&to).try_for_each(|&t| seen.clock(t).map(drop))?;
        let (from, rows) = match (*from, own) {
            (from, None) => (from.unwrap_or(first), (0..n).collect()),
            (Some(from), Some(own)) => {
                let at = |row: &usize| own[*row].total_cmp(&from).is_eq();
                let rows: Vec<usize> = (0..n).filter(at).collect();
                if rows.is_empty() {
                    return Err(usage!(
                        "{} has no row at the time {from}",
                        self.args.file.display()
                    ));
                }
                if rows.len() < n {
                    say(&format!(
                        "{} rows of other times than {from} are left out",
                        n - rows.len()
                    ));
                }
                (from, rows)
            }
            (None, Some(own)) => {
                let first = own.first().copied().unwrap_or(first);
                if own.iter().any(|t| t.total_cmp(&first).is_ne()) {
                    return Err(usage!(
                        "{} has rows of several times: say which to carry by --from TIME",
                        self.args.file.display()
                    ));
                }
                (first, (0..n).collect())
            }
        };
        Ok(([&[from], &to[..]].concat(), rows))
    }

    /// States at each of the times after the first, and evaluations.
    fn carried(&self, request: &Request, times: &[f64]) -> Result<(Vec<Vec<f32>>, f64)> {
        let files = Snapshots::of_files();
        let seen = self.seen.as_ref().unwrap_or(&files);
        let clock: Vec<f64> =
            times.iter().map(|&t| seen.clock(t)).collect::<Result<_, RunError>>()?;
        let moved = self.model.push(request, &clock)?;
        Ok((moved.states, moved.nfe))
    }

    fn table(&self, rows: &TableRows) -> Result<Done> {
        let file = &self.args.file;
        let refused = |error| usage!("{}: {error}", file.display());
        let table = table::read_like(rows, file)?;
        let column = self.seen.as_ref().and_then(|seen| seen.column.clone());
        let own = column.as_ref().and_then(|column| numbers_of(&table, column));
        let (times, some) = self.times(own.as_deref(), table.len())?;
        let table = table.select(&some);
        let (starts, mask) = rows.encoder.encode_targets(&table).map_err(refused)?;
        if let Some(at) = mask.iter().position(|known| *known == 0.0) {
            let row = at / rows.encoder.width() + 1;
            return Err(usage!(
                "row {row} of {} lacks a value that is learned: fill it by `flow impute`, or leave \
                 the row out",
                file.display()
            ));
        }
        let mut request = Request { n: table.len(), ..self.request.clone() };
        request.given.starts = Some(starts);
        if 0 < rows.vector() {
            request.given.vectors = Some(rows.conditions(&table).map_err(refused)?);
            warn_of_unseen(rows, &table);
        }
        let (states, nfe) = self.carried(&request, &times)?;
        // On the way rows may lie outside the range of any snapshot.
        let mut encoder = rows.encoder.clone();
        encoder.clip = false;
        let mut all: Option<Table> = None;
        for (&t, state) in times[1..].iter().zip(&states) {
            let drawn = encoder.decode(state, Some(&table))?;
            let drawn = match &column {
                None if states.len() == 1 => drawn,
                column => with_time(&drawn, column.as_deref().unwrap_or("time"), t)?,
            };
            all = Some(all.map_or(drawn.clone(), |all| all.stacked(&drawn)));
        }
        all.unwrap_or(table).write(&self.args.out)?;
        Ok((request.n, times, nfe))
    }

    fn array(&self, rows: &ArrayRows) -> Result<Done> {
        let file = &self.args.file;
        let column = self.seen.as_ref().and_then(|seen| seen.column.clone());
        let is_one = file.extension().is_some_and(|ending| ending == "npy");
        let names = ArrayNames { times: column.filter(|_| !is_one), ..ArrayNames::default() };
        let read = LabelledArray::read(file, &names, memory::limit() as u64);
        let read = read.map_err(|error| usage!("{error}"))?;
        if read.rows.shape[1..] != rows.shape {
            return Err(usage!(
                "rows of {} have the shape {:?}, those of the model {:?}",
                file.display(),
                &read.rows.shape[1..],
                rows.shape
            ));
        }
        let (times, some) = self.times(read.times.as_deref(), read.rows.len())?;
        let mut request = Request { n: some.len(), ..self.request.clone() };
        let of = |row: &usize| &read.rows.values[row * rows.size()..(row + 1) * rows.size()];
        let starts: Vec<f32> = some.iter().flat_map(of).copied().collect();
        request.given.starts = Some(rows.encode(&starts));
        let classes = self.classes(&read, &some, file)?;
        request.given.classes.clone_from(&classes);
        let (states, nfe) = self.carried(&request, &times)?;
        let mut shape: Vec<usize> = [some.len()].iter().chain(&rows.shape).copied().collect();
        if 1 < states.len() {
            shape.insert(0, states.len());
        }
        let beside = classes.map(|classes| arrays::numbered(self.model.class_names(), &classes));
        let is_one = self.args.out.extension().is_some_and(|ending| ending == "npy");
        let beside = beside.as_deref().filter(|_| !is_one);
        let form = arrays::form(rows, shape);
        write_array(&self.args.out, &form, beside, |put| -> Result<(), RunError> {
            states.iter().try_for_each(|state| Ok(put(&rows.decode(state))?))
        })?;
        Ok((request.n, times, nfe))
    }

    /// The class of each row, for a model that knows any.
    fn classes(
        &self,
        read: &LabelledArray,
        some: &[usize],
        file: &Path,
    ) -> Result<Option<Vec<usize>>> {
        if self.model.classes() == 0 {
            return Ok(None);
        }
        if let Some(class) = self.args.class {
            return Ok(Some(vec![class; some.len()]));
        }
        let Some(labels) = &read.labels else {
            return Err(usage!(
                "{} does not say the class of its rows: add --class",
                file.display()
            ));
        };
        let known = self.model.class_names();
        let place = |name: &String| known.iter().position(|other| other == name);
        let places: Vec<Option<usize>> = labels.names.iter().map(place).collect();
        let class = |row: &usize| {
            let label = labels.of_rows[*row];
            places[label].ok_or_else(|| {
                usage!(
                    "{} has the class {}, and the model has not",
                    file.display(),
                    labels.names[label]
                )
            })
        };
        some.iter().map(class).collect::<Result<_>>().map(Some)
    }
}

/// A table with its time as the first column.
fn with_time(table: &Table, name: &str, t: f64) -> Result<Table> {
    let time = Column {
        name: name.to_owned(),
        ty: if t.fract() == 0.0 { Type::Integer {} } else { Type::Real { decimals: None } },
        values: Values::Number(vec![t; table.len()]),
    };
    let mut columns = vec![time];
    columns.extend(table.without(name).columns().iter().cloned());
    Ok(Table::new(columns)?)
}
