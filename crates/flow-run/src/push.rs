//! The rows of a file, carried along the flow of a model.

use std::path::Path;

use flow_datasets::array::{ArrayNames, LabelledArray, write_array};
use flow_datasets::table::{Column, Table, Type, Values};
use flow_datasets::{ImageFiles, counted};

use crate::array::ArrayRows;
use crate::error::{RunError, usage};
use crate::files::ending;
use crate::form::RowForm;
use crate::listener::Listener;
use crate::memory;
use crate::model::Model;
use crate::request::Request;
use crate::samples::{form, numbered};
use crate::snapshots::Snapshots;
use crate::table::{TableRows, numbers_of, read_like, warn_of_unseen};

/// What rows are carried along, and between which times.
pub struct Push<'a> {
    /// The model.
    pub model: &'a Model,
    /// The solver, the batch and the class; rows and their number are those of the file.
    pub request: Request,
    /// When the snapshots of a model of data to data were seen.
    pub seen: Option<Snapshots>,
    /// Time of the rows; if it is not given, their own, else that of the first snapshot.
    pub from: Option<f64>,
    /// Times to carry them to; if there are none, that of the last snapshot.
    pub to: Vec<f64>,
    /// Who hears of rows that are left out.
    pub told: &'a dyn Listener,
}

/// What was carried.
#[derive(Debug)]
pub struct Pushed {
    /// Number of rows.
    pub n: usize,
    /// The time that they were at, and those that they were carried to.
    pub times: Vec<f64>,
    /// Evaluations of the network for each row.
    pub nfe: f64,
}

impl Push<'_> {
    /// Carries the rows of a file and writes them in its form.
    ///
    /// # Errors
    /// When the file cannot be read, or is none of rows of the model; for times or classes that the
    /// model does not know; when the solver fails; and when the result cannot be written.
    pub fn file(&self, form: &RowForm, file: &Path, out: &Path) -> Result<Pushed, RunError> {
        match form {
            RowForm::Table(rows) => self.table(rows, file, out),
            RowForm::Array(rows) => self.array(rows, file, out),
            RowForm::Numbers => self.array(&ArrayRows::plain(self.model.shape()), file, out),
        }
    }

    /// Carries the rows of a table and writes them with its columns. Several times stand one below
    /// the other, with the time as the first column.
    fn table(&self, rows: &TableRows, file: &Path, out: &Path) -> Result<Pushed, RunError> {
        let refused = |error| usage!("{}: {error}", file.display());
        let table = read_like(rows, file)?;
        let column = self.seen.as_ref().and_then(|seen| seen.column.clone());
        let own = column.as_ref().and_then(|column| numbers_of(&table, column));
        let (times, some) = self.times(file, own.as_deref(), table.len())?;
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
            warn_of_unseen(rows, &table, self.told);
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
        all.unwrap_or(table).write(out)?;
        Ok(Pushed { n: request.n, times, nfe })
    }

    /// Carries the rows of an array, or the images of a folder, and writes them in its form, with
    /// their classes beside them where the file holds several arrays. Several times are a first
    /// axis.
    fn array(&self, rows: &ArrayRows, file: &Path, out: &Path) -> Result<Pushed, RunError> {
        let column = self.seen.as_ref().and_then(|seen| seen.column.clone());
        let names =
            ArrayNames { times: column.filter(|_| ending(file) != "npy"), ..ArrayNames::default() };
        let read = if file.is_dir() {
            let images = ImageFiles::open(file, None, &[]).and_then(ImageFiles::array);
            images.map_err(|error| usage!("{error}"))?
        } else {
            let read = LabelledArray::read(file, &names, memory::limit() as u64);
            read.map_err(|error| usage!("{error}"))?
        };
        if read.rows.shape[1..] != rows.shape {
            return Err(usage!(
                "rows of {} have the shape {:?}, those of the model {:?}",
                file.display(),
                &read.rows.shape[1..],
                rows.shape
            ));
        }
        let (times, some) = self.times(file, read.times.as_deref(), read.rows.len())?;
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
        let beside = classes.map(|classes| numbered(self.model.class_names(), &classes));
        let beside = beside.as_deref().filter(|_| ending(out) != "npy");
        write_array(out, &form(rows, shape), beside, |put| -> Result<(), RunError> {
            states.iter().try_for_each(|state| Ok(put(&rows.decode(state))?))
        })?;
        Ok(Pushed { n: request.n, times, nfe })
    }

    /// The time of the rows and those to carry them to, and which rows are at the first.
    fn times(
        &self,
        file: &Path,
        own: Option<&[f64]>,
        n: usize,
    ) -> Result<(Vec<f64>, Vec<usize>), RunError> {
        let Self { from, to, told, .. } = self;
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
                    return Err(usage!("{} has no row at the time {from}", file.display()));
                }
                if rows.len() < n {
                    let others = n - rows.len();
                    let are = if others == 1 { "is" } else { "are" };
                    let others = counted(others, "row");
                    told.say(&format!("{others} of other times than {from} {are} left out"));
                }
                (from, rows)
            }
            (None, Some(own)) => {
                let first = own.first().copied().unwrap_or(first);
                if own.iter().any(|t| t.total_cmp(&first).is_ne()) {
                    return Err(usage!(
                        "{} has rows of several times: say which to carry by --from TIME",
                        file.display()
                    ));
                }
                (first, (0..n).collect())
            }
        };
        Ok(([&[from], &to[..]].concat(), rows))
    }

    /// States at each of the times after the first, and evaluations.
    fn carried(&self, request: &Request, times: &[f64]) -> Result<(Vec<Vec<f32>>, f64), RunError> {
        let later = |pair: &[f64]| pair[0] < pair[1];
        let ordered = times.windows(2).all(later) || times.windows(2).all(|pair| pair[1] < pair[0]);
        if !ordered {
            let times: Vec<String> = times.iter().map(ToString::to_string).collect();
            return Err(usage!(
                "rows go from one time to the next, all later or all earlier, and {} are in no such \
                 order: sort those of --to",
                times.join(", ")
            ));
        }
        let files = Snapshots::of_files();
        let seen = self.seen.as_ref().unwrap_or(&files);
        let clock: Vec<f64> =
            times.iter().map(|&t| seen.clock(t)).collect::<Result<_, RunError>>()?;
        let moved = self.model.push(request, &clock)?;
        Ok((moved.states, moved.nfe))
    }

    /// The class of each row, for a model that knows any.
    fn classes(
        &self,
        read: &LabelledArray,
        some: &[usize],
        file: &Path,
    ) -> Result<Option<Vec<usize>>, RunError> {
        if self.model.classes() == 0 {
            return Ok(None);
        }
        if let Some(class) = self.request.class {
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
        some.iter().map(class).collect::<Result<_, _>>().map(Some)
    }
}

/// A table with its time as the first column.
fn with_time(table: &Table, name: &str, t: f64) -> Result<Table, RunError> {
    let time = Column {
        name: name.to_owned(),
        ty: if t.fract() == 0.0 { Type::Integer {} } else { Type::Real { decimals: None } },
        values: Values::Number(vec![t; table.len()]),
    };
    let mut columns = vec![time];
    columns.extend(table.without(name).columns().iter().cloned());
    Ok(Table::new(columns)?)
}
