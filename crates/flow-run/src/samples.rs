//! Samples in files: a table with the columns, or an array of the form, of what a model was trained
//! on; else the numbers of the network.

use std::path::Path;

use flow_datasets::array::{ArrayForm, write_array};
use flow_datasets::table::{Column, Table, Type, Values};
use flow_model::Samples;

use crate::array::ArrayRows;
use crate::error::{RunError, usage};
use crate::files::write_npy;
use crate::form::{RowForm, is_lines};
use crate::listener::Listener;
use crate::model::Model;
use crate::request::Request;
use crate::table::TableRows;

/// The name of an array that came without one.
const ROWS: &str = "x";

/// Draws what is asked of a model and writes it, under another name until it is whole.
///
/// [`write`](Self::write) returns the evaluations of the network that a sample took.
pub struct SampleWriter<'a> {
    /// The model.
    pub model: &'a Model,
    /// What is asked of it.
    pub request: &'a Request,
    /// Who hears how many samples are drawn.
    pub told: &'a dyn Listener,
}

impl SampleWriter<'_> {
    /// Rows in the form of the data; `given` are the columns that a model of a table is told.
    ///
    /// # Errors
    /// For a request that the model cannot meet, and when the file cannot be written.
    pub fn write(
        &self,
        form: &RowForm,
        given: Option<&Table>,
        out: &Path,
    ) -> Result<f64, RunError> {
        match form {
            RowForm::Table(table) => self.table(table, given, out),
            _ if is_lines(out) => self.lines(form, given, out),
            RowForm::Array(array) => self.array(array, out),
            RowForm::Numbers => self.numbers(out),
        }
    }

    /// A table, with the columns that a model is `given` beside those that it draws: a row of them
    /// for each sample, in turn.
    fn table(&self, table: &TableRows, given: Option<&Table>, out: &Path) -> Result<f64, RunError> {
        let mut rows = Vec::new();
        let nfe = self.each(|part| {
            rows.extend(part.rows);
            Ok(())
        })?;
        table.encoder.decode(&rows, self.in_turn(given).as_ref())?.write(out)?;
        Ok(nfe)
    }

    /// Points as lines of a table: the columns `x1`, `x2` and so on, `class` of a model that has
    /// classes, and the columns that it is given.
    fn lines(&self, form: &RowForm, given: Option<&Table>, out: &Path) -> Result<f64, RunError> {
        let &[size] = self.model.shape() else {
            return Err(usage!(
                "samples of the shape {:?} are no lines of {}: write an .npy{}",
                self.model.shape(),
                out.display(),
                if self.model.shape().len() == 3 { " or a .png" } else { "" }
            ));
        };
        let mut rows = Vec::new();
        let nfe = self.each(|part| {
            rows.extend(match form {
                RowForm::Array(array) => array.decode(&part.rows),
                _ => part.rows,
            });
            Ok(())
        })?;
        let ty = match form {
            RowForm::Array(array) => Type::Array { element: array.element },
            _ => Type::Single {},
        };
        let column = |i: usize| {
            let values = rows.iter().skip(i).step_by(size).map(|&x| f64::from(x)).collect();
            Column { name: format!("x{}", i + 1), ty, values: Values::Number(values) }
        };
        let mut columns: Vec<Column> = (0..size).map(column).collect();
        let (names, labels) =
            (self.model.class_names(), self.model.labels(self.request, 0..self.request.n)?);
        columns.extend(labels.map(|labels| {
            let cell =
                |&label: &usize| Some(names.get(label).map_or(label.to_string(), String::clone));
            Column::of_cells("class", Type::Text {}, &labels.iter().map(cell).collect::<Vec<_>>())
        }));
        columns
            .extend(self.in_turn(given).iter().flat_map(|given| given.columns().iter().cloned()));
        Table::new(columns)?.write(out)?;
        Ok(nfe)
    }

    /// A row of what is given for each sample, in turn.
    fn in_turn(&self, given: Option<&Table>) -> Option<Table> {
        let given = given?;
        let turns: Vec<usize> = (0..self.request.n).map(|i| i % given.len()).collect();
        Some(given.select(&turns))
    }

    /// An array of the shape, type and scale of the model's data, with the classes of its rows:
    /// beside them in one file, or for npy in a file of their own.
    ///
    /// No more than a batch is held at once.
    fn array(&self, array: &ArrayRows, out: &Path) -> Result<f64, RunError> {
        let n = self.request.n;
        let labels = self.model.labels(self.request, 0..n)?;
        let classes = labels.map(|labels| numbered(self.model.class_names(), &labels));
        let of_its_own = out.extension().is_some_and(|ending| ending == "npy");
        let beside = classes.as_deref().filter(|_| !of_its_own);
        let shape: Vec<usize> = [n].iter().chain(&array.shape).copied().collect();
        let mut nfe = 0.0;
        write_array(out, &form(array, shape), beside, |put| {
            nfe = self
                .each(|part| Ok(put(&array.decode_within(&part.rows, part.lengths.as_deref()))?))?;
            Ok::<(), RunError>(())
        })?;
        if let (Some(classes), true) = (&classes, of_its_own) {
            let file = out.with_extension("labels.npy");
            write_npy(&file, &[n], |write| write(classes))?;
        }
        Ok(nfe)
    }

    /// The numbers of the network, `float32 [n, ..]`, and beside them the classes of a conditional
    /// model as `int64 [n]`.
    ///
    /// No more than a batch is held at once.
    fn numbers(&self, out: &Path) -> Result<f64, RunError> {
        let (model, request) = (self.model, self.request);
        let full: Vec<usize> = [request.n].iter().chain(model.shape()).copied().collect();
        let mut nfe = 0.0;
        write_npy(out, &full, |write| {
            nfe = self.each(|part| write(&part.rows))?;
            Ok::<(), RunError>(())
        })?;
        if 0 < model.classes() {
            let file = out.with_extension("labels.npy");
            write_npy(&file, &[request.n], |write| -> Result<(), RunError> {
                for start in (0..request.n).step_by(request.batch) {
                    let range = start..(start + request.batch).min(request.n);
                    let labels = model.labels(request, range)?.into_iter().flatten().map(number);
                    write(&labels.collect::<Vec<i64>>())?;
                }
                Ok(())
            })?;
        }
        Ok(nfe)
    }

    /// Draws batch by batch, and returns the evaluations.
    fn each(&self, mut take: impl FnMut(Samples) -> Result<(), RunError>) -> Result<f64, RunError> {
        let size = self.model.signature().size();
        let mut meter = self.told.meter(0, self.request.n, "samples");
        let (mut done, mut nfe) = (0, 0.0);
        self.model.sample_each(self.request, |part| -> Result<(), RunError> {
            done += part.rows.len() / size;
            nfe = part.nfe;
            take(part)?;
            meter.at(done, "");
            Ok(())
        })?;
        Ok(nfe)
    }
}

/// What an array of this shape is called, and of what numbers it is.
pub(crate) fn form(array: &ArrayRows, shape: Vec<usize>) -> ArrayForm {
    let name = array.name.clone().unwrap_or_else(|| ROWS.to_owned());
    ArrayForm { name, element: array.element, shape }
}

/// Classes by the numbers that the file has for them; by their indices, where it has names.
pub(crate) fn numbered(names: &[String], labels: &[usize]) -> Vec<i64> {
    let known = |label: usize| names.get(label).and_then(|name| name.parse().ok());
    labels.iter().map(|&label| known(label).unwrap_or_else(|| number(label))).collect()
}

/// A class as a number of 64 bits.
fn number(label: usize) -> i64 {
    i64::try_from(label).expect("a class fits in 63 bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_keep_the_numbers_that_their_file_has_for_them() {
        let names = ["3", "7", "ant"].map(String::from);
        // A name that is no number counts by its place, and so does a class without a name.
        assert_eq!(numbered(&names, &[1, 0, 2, 3]), [7, 3, 2, 3]);
        assert_eq!(numbered(&[], &[4]), [4]);
    }
}
