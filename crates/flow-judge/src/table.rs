//! Tables as points that scores understand: numbers in their own units, and categories by index.

use flow_datasets::table::{Codec, Coded, Role};
use flow_eval::{Column, EvalError, Gower, Points};
use flow_run::table::{Part, TableData, TableRows};

use crate::error::{JudgeError, usage};
use crate::subject::Subject;

/// The columns of a table that are scored, and the space in which its rows have distances.
///
/// Conditions are among them unless some are missing, so that a score looks at what was given
/// together with what was drawn for it.
#[derive(Debug)]
pub struct TableSpace<'a> {
    data: &'a TableData,
    gower: Gower,
    /// Names of the columns.
    pub names: Vec<String>,
    /// The same for a picture: with categories, where they are few.
    pub labels: Vec<String>,
    /// What they hold.
    pub columns: Vec<Column>,
    /// The training rows, in their units and in the space of [`Gower`].
    train_cells: Vec<f32>,
    train: Vec<f32>,
}

impl<'a> TableSpace<'a> {
    /// The space of the training rows.
    ///
    /// # Errors
    /// When the training rows have no distances.
    pub fn new(data: &'a TableData) -> Result<Self, JudgeError> {
        let columns = || scored(&data.rows).map(|(_, column, _)| column);
        let names = columns().map(|column| column.name.clone()).collect();
        let labels = columns().map(label).collect();
        let columns: Vec<Column> = columns().map(|column| kind(&column.codec)).collect();
        let cells = cells(&data.rows, &data.train.values, &data.train.vectors);
        let rows = Points::new(&cells, columns.len())?;
        let gower = Gower::fit(rows, &columns)?;
        let train = gower.embed(rows)?;
        Ok(Self { data, gower, names, labels, columns, train_cells: cells, train })
    }

    /// How many of the columns are learned: the first ones.
    #[must_use]
    pub fn targets(&self) -> usize {
        scored(&self.data.rows).filter(|(role, ..)| *role == Role::Target).count()
    }

    /// The training rows in the space of distances.
    pub(crate) fn train(&self) -> Result<Points<'_>, EvalError> {
        Points::new(&self.train, self.gower.dim())
    }

    /// The training rows as numbers in their units and indices of categories.
    pub(crate) fn train_cells(&self) -> Result<Points<'_>, EvalError> {
        Points::new(&self.train_cells, self.columns.len())
    }

    /// The first `n` rows of a part, all of them if it has no more, as numbers in their units and
    /// indices of categories.
    #[must_use]
    pub fn cells(&self, part: &Part, n: usize) -> Vec<f32> {
        let n = n.min(part.n);
        let rows = &self.data.rows;
        let (width, vector) = (rows.encoder.width(), rows.vector());
        cells(rows, &part.values[..n * width], &part.vectors[..n * vector])
    }

    /// Samples like [`cells`](Self::cells).
    ///
    /// # Errors
    /// When a sample is not made of finite numbers, and for no sample or no whole number of them.
    pub fn cells_of(&self, samples: &[f32]) -> Result<Vec<f32>, JudgeError> {
        Ok(self.generated(samples)?.cells)
    }

    /// The first `n` real rows of a part.
    pub(crate) fn real(&self, part: &Part, n: usize) -> Result<Subject, JudgeError> {
        let n = n.min(part.n);
        let rows = &self.data.rows;
        let (width, vector) = (rows.encoder.width(), rows.vector());
        self.subject(&part.values[..n * width], &part.vectors[..n * vector])
    }

    /// Samples as they leave the model as a table: rounded, within their range, with the held-out
    /// conditions that they were told in turn.
    pub(crate) fn generated(&self, samples: &[f32]) -> Result<Subject, JudgeError> {
        let TableData { rows: TableRows { encoder, .. }, .. } = self.data;
        let told = self.data.told();
        let (width, n) = (encoder.width(), samples.len() / encoder.width());
        if samples.len() != n * width {
            return Err(usage!("{} numbers are no whole rows of {width}", samples.len()));
        }
        let given: Vec<usize> = (0..n).map(|i| i % told.n).collect();
        let given = told.table.select(&given);
        let drawn = encoder.decode(samples, Some(&given));
        let drawn = drawn.and_then(|table| encoder.encode(&table));
        let drawn = drawn.map_err(|error| usage!("{error}"))?;
        let vectors = self.data.rows.vectors(&drawn.given, &drawn.given_mask);
        self.subject(&drawn.rows, &vectors)
    }

    fn subject(&self, values: &[f32], vectors: &[f32]) -> Result<Subject, JudgeError> {
        let cells = cells(&self.data.rows, values, vectors);
        let rows = self.gower.embed(Points::new(&cells, self.columns.len())?)?;
        Ok(Subject { rows, dim: self.gower.dim(), cells, ..Subject::default() })
    }
}

/// The most letters that stand below a picture.
const MOST_LETTERS: usize = 32;

/// The name of a column with its categories in the order of their numbers, or these alone, as far
/// as they have room.
fn label(column: &Coded) -> String {
    let (Codec::Category { names } | Codec::Ordinal { levels: names, .. }) = &column.codec else {
        return column.name.clone();
    };
    let categories = names.join(", ");
    let fits = |text: &String| text.chars().count() <= MOST_LETTERS;
    let both = format!("{}: {categories}", column.name);
    [both, categories].into_iter().find(fits).unwrap_or_else(|| column.name.clone())
}

/// The columns that are scored, each with its role and the places of its numbers.
fn scored(rows: &TableRows) -> impl Iterator<Item = (Role, &Coded, std::ops::Range<usize>)> {
    let roles = [Role::Target, Role::Given].into_iter().take(if rows.masked { 1 } else { 2 });
    let of = |role| rows.encoder.spans(role).map(move |(column, span)| (role, column, span));
    roles.flat_map(of).filter(|(.., span)| !span.is_empty())
}

/// What a column holds.
fn kind(codec: &Codec) -> Column {
    match codec {
        Codec::Category { names } => Column::Category(names.len()),
        _ => Column::Number,
    }
}

/// Numbers in their units and indices of categories, a row of the scored columns for each row.
fn cells(rows: &TableRows, values: &[f32], vectors: &[f32]) -> Vec<f32> {
    let (width, vector) = (rows.encoder.width(), rows.vector());
    let columns: Vec<_> = scored(rows).collect();
    let row = |row: usize| {
        columns.iter().map(move |(role, column, span)| {
            let all = match role {
                Role::Target => &values[row * width..(row + 1) * width],
                _ => &vectors[row * vector..(row + 1) * vector],
            };
            cell(&column.codec, &all[span.clone()])
        })
    };
    (0..values.len() / width).flat_map(row).collect()
}

/// One cell from its numbers.
fn cell(codec: &Codec, numbers: &[f32]) -> f32 {
    if let Some(transform) = codec.transform() {
        return transform.inverse(f64::from(numbers[0])) as f32;
    }
    let greatest = (0..numbers.len()).max_by(|&a, &b| numbers[a].total_cmp(&numbers[b]));
    greatest.unwrap_or(0) as f32
}
