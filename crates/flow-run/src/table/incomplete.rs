//! Rows of a table that lack some of what is learned: training sees what they have.

use flow_datasets::TableRows;
use flow_train::Rows;

use super::Part;
use super::read::{Numbers, is_told};

/// Rows to train with of which something is known and something is missing.
#[derive(Debug, Default)]
pub struct Incomplete {
    /// Number of rows.
    pub n: usize,
    /// What is learned, `[n, width]`; 0 where it is missing.
    pub(super) values: Vec<f32>,
    /// Which numbers are known, `[n, width]`.
    known: Vec<bool>,
    /// What the network is told, `[n, told_width]`: conditions, and what is missing.
    told: Vec<f32>,
}

impl Incomplete {
    /// The rows of a table that is encoded which lack something and not all.
    pub(super) fn of(rows: &TableRows, numbers: &Numbers) -> Self {
        let width = rows.encoder.width();
        let missing = rows.missing(&numbers.mask);
        let vectors = rows.vectors(&numbers.given, &numbers.given_mask);
        let vector = rows.vector();
        let mut all = Self::default();
        for (row, missing) in missing.into_iter().enumerate() {
            let mask = &numbers.mask[row * width..(row + 1) * width];
            let lacks_some = mask.contains(&0.0) && mask.contains(&1.0);
            let Some(missing) = missing.filter(|_| lacks_some && is_told(rows, numbers, row))
            else {
                continue;
            };
            all.n += 1;
            all.values.extend(&numbers.values[row * width..(row + 1) * width]);
            all.known.extend(mask.iter().map(|known| *known != 0.0));
            all.told.extend(&vectors[row * vector..(row + 1) * vector]);
            all.told.extend(missing);
        }
        all
    }

    /// The rows of a part, which lack nothing, and these behind them.
    pub(super) fn behind(&self, rows: &TableRows, whole: &Part) -> Rows {
        let (vector, none) = (rows.vector(), vec![0.0; rows.holes.len()]);
        let mut told = Vec::with_capacity((whole.n + self.n) * rows.told_width());
        for row in 0..whole.n {
            told.extend(&whole.vectors[row * vector..(row + 1) * vector]);
            told.extend(&none);
        }
        told.extend(&self.told);
        let width = rows.encoder.width();
        let values = [&whole.values[..], &self.values].concat();
        let source = Rows::new(vec![width], values, None).with_vectors(told);
        if self.n == 0 {
            return source;
        }
        let mut known = vec![true; whole.n * width];
        known.extend(&self.known);
        source.with_known(known)
    }

    /// Their numbers, for a digest.
    pub(super) fn numbers(&self) -> impl Iterator<Item = f32> {
        self.values.iter().chain(&self.told).copied()
    }
}

#[cfg(test)]
mod tests {
    use flow_datasets::Files;
    use flow_model::Registry;
    use flow_path::stream::Streams;
    use flow_train::Draw;

    use crate::{Changes, Data, Recipe, Silent};

    /// The penguins, of which 10 rows to train with and one that is held out lack a value.
    fn penguins(changes: &[&str]) -> Data {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/examples/penguins.csv");
        let file = format!("data.file={file}");
        let changes = changes.iter().map(ToString::to_string).chain([file]);
        let changes: Vec<String> = changes.collect();
        let recipe = Recipe::named(&Registry::default(), "table", &changes).unwrap();
        Data::open(&recipe, &Files::default(), &Silent).unwrap()
    }

    /// Each row to train with once.
    fn pass(data: &Data) -> (usize, Draw) {
        let table = data.table().unwrap();
        let n = table.train.n + table.incomplete.n;
        let [train, _] = data.sources(Changes { dequantise: true, mirror: false }).unwrap();
        (n, train.draw(0..n as u64, &Streams::new(1)))
    }

    #[test]
    fn rows_that_lack_a_value_are_trained_with_and_say_what_they_lack() {
        let data = penguins(&[]);
        let table = data.table().unwrap();
        let columns =
            ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "sex"];
        assert_eq!(table.rows.holes, columns);
        let counts = [table.train.n, table.incomplete.n, table.train.left_out];
        assert_eq!(counts, [297, 10, 0]);
        assert_eq!([table.held.n, table.held.left_out], [36, 1]);
        // The model is told nothing else, and a caller of it nothing at all.
        assert_eq!((table.rows.vector(), data.vector()), (0, 5));
        let (n, draw) = pass(&data);
        let (told, known) = (draw.vectors.unwrap(), draw.known.unwrap());
        let width = table.rows.encoder.width();
        let mut lacking = [0; 5];
        for row in 0..n {
            let at = row * width..(row + 1) * width;
            let mask: Vec<f32> =
                known[at.clone()].iter().map(|&k| f32::from(u8::from(k))).collect();
            let missing = table.rows.missing(&mask)[0].clone().unwrap();
            assert_eq!(told[5 * row..5 * row + 5], missing);
            let unknown = draw.rows[at].iter().zip(&mask).filter(|(_, known)| **known == 0.0);
            assert!(unknown.into_iter().all(|(x, _)| *x == 0.0));
            lacking.iter_mut().zip(missing).for_each(|(n, missing)| *n += missing as usize);
        }
        assert_eq!(lacking, [1, 1, 1, 1, 10]);
        let [_, held] = data.sources(Changes::default()).unwrap();
        let held = held.draw(0..36, &Streams::new(1));
        assert!(held.known.is_none() && held.vectors.unwrap().iter().all(|told| *told == 0.0));
    }

    #[test]
    fn conditions_stand_before_what_is_missing() {
        // A species for each row, in three numbers; the learned columns lack what they lack.
        let data = penguins(&["data.given=[\"species\"]"]);
        let rows = &data.table().unwrap().rows;
        assert_eq!((rows.vector(), rows.told_width()), (3, 8));
        let told = pass(&data).1.vectors.unwrap();
        let is_one = |told: &[f32]| told[..3].iter().filter(|x| **x > 0.0).count() == 1;
        assert!(told.chunks(8).all(is_one));
        assert_eq!(told.chunks(8).filter(|told| told[3..].contains(&1.0)).count(), 10);
    }

    #[test]
    fn tables_without_holes_and_recipes_that_need_whole_rows_are_as_before() {
        let whole = penguins(&["data.columns=[\"species\",\"island\",\"year\"]"]);
        let table = whole.table().unwrap();
        assert!(table.rows.holes.is_empty() && table.incomplete.n == 0);
        let (_, draw) = pass(&whole);
        assert!(draw.known.is_none() && draw.vectors.is_none());
        assert!(table.rows.kept()["table"].get("holes").is_none());
        for change in ["data.holes=false", "path.coupling=ot", "train.objective=shortcut"] {
            let data = penguins(&[change]);
            let table = data.table().unwrap();
            assert_eq!((table.incomplete.n, table.train.left_out), (0, 10), "{change}");
            assert!(table.rows.holes.is_empty(), "{change}");
        }
    }
}
