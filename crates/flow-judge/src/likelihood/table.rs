//! Densities of the rows of a table, in the units of its columns.

use std::ops::Range;

use flow_datasets::table::{Column, Type, Values};
use flow_datasets::{Table, counted};
use flow_model::{Densities, DensityRequest, Model, Rows};
use flow_path::stream::{Purpose, Streams};
use flow_run::RunError;
use flow_run::table::TableRows;
use flow_sample::log_mean_exp;
use rand_distr::{Distribution, Uniform};

use super::{LikelihoodOptions, request, with_copies};
use crate::error::{JudgeError, usage};

/// Log-density of each row, in nats per unit of its columns; NaN for rows that lack a value.
///
/// With `z = T(x)` the numbers that the network sees, `log p(x) = log p(z) + log |dz/dx|`.
/// Categories are seen as numbers of the network, so that their part of the density compares rows
/// of one table with each other and is no probability. Given columns are conditions: the density is
/// that of the others.
///
/// A whole number `k` is learned as a cell of length 1, whose probability is the integral of the
/// density from `k - 1/2` to `k + 1/2`. Without `importance` it is taken for the density in the
/// middle. With `importance = m` above 1 it is the mean of the density at `m` places of the cell,
/// drawn by the seed: as for pixels, the logarithm is on average below that of the probability, and
/// nears it as `m` grows.
///
/// # Errors
/// When the table lacks a column, a cell cannot be encoded, or a solve fails; for an `importance`
/// above 1 where no column is of whole numbers.
///
/// # Reference
/// Theis, van den Oord & Bethge (2016), "A Note on the Evaluation of Generative Models",
/// arXiv:1511.01844, section 3.1; the mean over several places is the importance weighting of
/// Burda, Grosse & Salakhutdinov (2016), arXiv:1509.00519, equation 8.
pub fn densities(
    model: &Model,
    columns: &TableRows,
    rows: &Table,
    options: &LikelihoodOptions,
) -> Result<Vec<f64>, JudgeError> {
    let width = columns.encoder.width();
    let encoded = columns.encoder.encode(rows).map_err(|error| usage!("{error}"))?;
    let known = |row: &usize| !encoded.mask[row * width..(row + 1) * width].contains(&0.0);
    let whole: Vec<usize> = (0..rows.len()).filter(known).collect();
    let mut nats = vec![f64::NAN; rows.len()];
    if whole.is_empty() {
        return Ok(nats);
    }
    let (found, _) = of_rows(model, columns, &rows.select(&whole), options)?;
    for (row, found) in whole.into_iter().zip(found.nats) {
        nats[row] = found;
    }
    Ok(nats)
}

/// Rows with their log-densities in a last column, `log_density`: NaN is an empty cell there, and
/// an infinite one is kept.
///
/// # Errors
/// When the table has such a column already, and for another number of densities than rows.
pub fn with_densities(rows: &Table, nats: Vec<f64>) -> Result<Table, JudgeError> {
    let own = Column {
        name: "log_density".into(),
        ty: Type::Real { decimals: None },
        values: Values::Number(nats),
    };
    let columns = rows.columns().iter().cloned().chain([own]).collect();
    Ok(Table::new(columns).map_err(RunError::from)?)
}

/// How many densities are known, and their mean if any is: those that are no finite numbers are not
/// known.
#[must_use]
pub fn densities_in_words(nats: &[f64]) -> String {
    let known: Vec<f64> = nats.iter().copied().filter(|nats| nats.is_finite()).collect();
    let mean = known.iter().sum::<f64>() / known.len() as f64;
    let of = counted(nats.len(), "row");
    match known.len() {
        0 => format!("0 of {of}, no log-density is known"),
        n => format!("{n} of {of}, mean log-density {mean:.4} nats"),
    }
}

/// Densities of rows that lack nothing, and how they were found.
pub(super) fn of_rows(
    model: &Model,
    columns: &TableRows,
    rows: &Table,
    options: &LikelihoodOptions,
) -> Result<(Densities, DensityRequest), JudgeError> {
    let encoder = &columns.encoder;
    let copies = options.importance.max(1);
    if 1 < copies && !encoder.has_whole() {
        return Err(usage!(
            "--importance averages over the cells of whole numbers, and no column of this table \
             that is learned has any"
        ));
    }
    let encoded = encoder.encode(rows).map_err(|error| usage!("{error}"))?;
    let vectors = columns.told(rows).map_err(|error| usage!("{error}"))?;
    let request = request(options, true, 1000)?;
    let (streams, cell) = (Streams::new(options.seed), Uniform::new(-0.5, 0.5));
    let cell = cell.map_err(|error| usage!("{error}"))?;
    let part = |all: &[f32], size: usize, copy: usize| {
        let row = copy / copies;
        all[row * size..(row + 1) * size].to_vec()
    };
    let place = |copy: usize| {
        let mut row = part(&encoded.rows, encoder.width(), copy);
        if 1 < copies {
            let mut rng = streams.rng(copy as u64, Purpose::Dequantise);
            encoder.dequantise(&mut row, &mut || cell.sample(&mut rng));
        }
        row
    };
    let given = |range: Range<usize>| Rows {
        values: range.clone().flat_map(place).collect(),
        vectors: vectors
            .as_deref()
            .map(|vectors| range.flat_map(|copy| part(vectors, columns.vector(), copy)).collect()),
        ..Rows::default()
    };
    let n = with_copies(rows.len(), copies)?;
    let mut found = model.log_prob(n, given, &request)?;
    for (copy, nats) in found.nats.iter_mut().enumerate() {
        *nats += encoder.log_jacobian(&place(copy), None)[0];
    }
    if 1 < copies {
        found.nats = found.nats.chunks(copies).map(log_mean_exp).collect();
    }
    Ok((found, request))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_without_a_density_are_counted_and_left_out_of_the_mean() {
        let words = densities_in_words(&[-1.0, f64::NAN, -2.0, f64::NEG_INFINITY]);
        assert_eq!(words, "2 of 4 rows, mean log-density -1.5000 nats");
        assert_eq!(densities_in_words(&[f64::NAN]), "0 of 1 row, no log-density is known");
    }
}
