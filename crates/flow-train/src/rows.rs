//! A finite data set, in memory or read row by row.

use std::borrow::Cow;
use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

use flow_path::stream::{Purpose, Streams};
use rand::RngExt;

use crate::data::{DataSource, Draw};
use crate::order::Orders;
use crate::store::{RowStore, Values};

/// What spreads the whole numbers of a row over the cells of length 1 around them.
pub trait Spread: Debug + Send + Sync {
    /// Moves each whole number of a row by the next number of `noise`, which is uniform in
    /// `[-1/2, 1/2)` of its own unit.
    fn spread(&self, row: &mut [f32], noise: &mut dyn FnMut() -> f64);
}

/// A finite data set, seen in a new order on each pass.
///
/// Row `k` of the endless sequence is row `order_p(k mod n)` of the set, where `order_p` is a
/// permutation drawn for pass `p = k / n`.
#[derive(Debug)]
pub struct Rows {
    shape: Vec<usize>,
    values: Values,
    labels: Option<Vec<usize>>,
    vectors: Option<Vec<f32>>,
    contexts: Option<Vec<f32>>,
    context: Vec<usize>,
    lengths: Option<Vec<usize>>,
    known: Option<Vec<bool>>,
    starts: Option<Vec<f32>>,
    mirror: bool,
    /// Half the distance between two values of a pixel, which is how far the noise goes.
    noise: Option<f32>,
    spread: Option<Arc<dyn Spread>>,
    orders: Orders,
}

impl Rows {
    /// A data set of row-major `rows`, each of `shape`.
    ///
    /// # Panics
    /// When `rows` is empty or no whole number of rows, or when there is not one label per row. A
    /// row that is not finite is an error of the batch that it comes into.
    #[must_use]
    pub fn new(shape: Vec<usize>, rows: Vec<f32>, labels: Option<Vec<usize>>) -> Self {
        let size: usize = shape.iter().product();
        assert!(
            !rows.is_empty() && rows.len().is_multiple_of(size),
            "expected whole rows of {size} numbers, got {} numbers",
            rows.len()
        );
        let n = rows.len() / size;
        if let Some(labels) = &labels {
            assert!(labels.len() == n, "expected {n} labels, got {}", labels.len());
        }
        Self::of(shape, Values::Memory(rows), labels)
    }

    /// A data set of rows of `shape` that are read when they are drawn. The draws are those of the
    /// same rows in memory.
    ///
    /// A row that cannot be read ends the drawing with a panic that says why, which the loader of a
    /// training turns into [`TrainError::Batch`](crate::TrainError::Batch).
    ///
    /// # Panics
    /// When there is no row.
    #[must_use]
    pub fn stored(shape: Vec<usize>, rows: Arc<dyn RowStore>) -> Self {
        assert!(!rows.is_empty(), "expected at least one row");
        Self::of(shape, Values::Stored(rows), None)
    }

    /// Gives each row its class.
    ///
    /// # Panics
    /// When there is not one label for each row.
    #[must_use]
    pub fn with_labels(mut self, labels: Vec<usize>) -> Self {
        let (rows, got) = (self.len(), labels.len());
        assert!(got == rows, "expected {rows} labels, got {got}");
        self.labels = Some(labels);
        self
    }

    fn of(shape: Vec<usize>, values: Values, labels: Option<Vec<usize>>) -> Self {
        Self {
            shape,
            values,
            labels,
            vectors: None,
            contexts: None,
            context: Vec::new(),
            lengths: None,
            known: None,
            starts: None,
            mirror: false,
            noise: None,
            spread: None,
            orders: Orders::default(),
        }
    }

    /// Gives each row the numbers that condition it, standardised: as many for each row.
    ///
    /// # Panics
    /// When they are no whole number of numbers for each row, or none.
    #[must_use]
    pub fn with_vectors(mut self, vectors: Vec<f32>) -> Self {
        let (rows, got) = (self.len(), vectors.len());
        let whole = 0 < got && got.is_multiple_of(rows);
        assert!(whole, "expected condition vectors for {rows} rows, got {got} numbers");
        self.vectors = Some(vectors);
        self
    }

    /// Gives each row a row of `shape` that conditions it, such as an image to upsample. Where rows
    /// are mirrored, it is too.
    ///
    /// # Panics
    /// When there is not one for each of the rows, or the shape has no numbers.
    #[must_use]
    pub fn with_contexts(mut self, shape: Vec<usize>, contexts: Vec<f32>) -> Self {
        let size: usize = shape.iter().product();
        let (expected, got) = (self.len() * size, contexts.len());
        let whole = !shape.is_empty() && 0 < size && got == expected;
        assert!(whole, "expected conditioning rows of {expected} numbers, got {got}");
        (self.contexts, self.context) = (Some(contexts), shape);
        self
    }

    /// Says how many elements of each sequence `[length, channels]` are there: the loss looks at no
    /// others.
    ///
    /// # Panics
    /// When there is not one length for each row, from 1 to that of a row.
    #[must_use]
    pub fn with_lengths(mut self, lengths: Vec<usize>) -> Self {
        let (rows, got) = (self.len(), lengths.len());
        assert!(got == rows, "expected lengths of {rows} rows, got {got}");
        let most = self.shape[0];
        let within = lengths.iter().all(|length| (1..=most).contains(length));
        assert!(within, "expected lengths from 1 to {most}, got {lengths:?}");
        self.lengths = Some(lengths);
        self
    }

    /// Says which numbers of each row are known: training sees 0 in the place of the others, and
    /// the loss looks at none of them, so that a row teaches what it has.
    ///
    /// A network cannot tell such a 0 from a number. Give it a condition vector that says which
    /// are missing, by [`with_vectors`](Self::with_vectors): then it learns the law of whole rows
    /// from whole rows, and from the others what they share. Guidance hides the vector of whole
    /// rows alone, because a vector that is hidden says that nothing is missing. Rows that start
    /// in data, losses of flow maps, latents and couplings that look at values need whole rows.
    ///
    /// # Reference
    /// Jolicoeur-Martineau, Fatras & Kachman (2024), "Generating and Imputing Tabular Data via
    /// Diffusion and Flow-based Gradient-Boosted Trees", arXiv:2309.09968, trains on rows that
    /// lack values too, as trees can; a mask is how a network is told.
    ///
    /// # Panics
    /// When there is not one truth value for each number, or nothing of a row is known.
    #[must_use]
    pub fn with_known(mut self, known: Vec<bool>) -> Self {
        let (size, got) = (self.size(), known.len());
        let expected = self.len() * size;
        assert!(got == expected, "expected truth values of {expected} numbers, got {got}");
        let empty = known.chunks(size).position(|row| !row.contains(&true));
        assert!(empty.is_none(), "expected a known number in each row, got none in {empty:?}");
        self.known = Some(known);
        self
    }

    /// Gives each row the start of its path, for pairs that belong together: use the coupling
    /// [`Paired`](flow_path::Paired), which keeps them so.
    ///
    /// # Panics
    /// When there is not one number for each of the rows.
    #[must_use]
    pub fn with_starts(mut self, starts: Vec<f32>) -> Self {
        let (got, expected) = (starts.len(), self.len() * self.size());
        assert!(got == expected, "expected starts of {expected} numbers, got {got}");
        self.starts = Some(starts);
        self
    }

    /// Mirrors each image left to right with probability one half.
    #[must_use]
    pub fn mirrored(mut self) -> Self {
        self.mirror = true;
        self
    }

    /// Spreads pixels `2 k / max - 1`, `k = 0..=max`, evenly over the gaps between them:
    /// `2 (k + u - 1/2) / max - 1` with `u` uniform in `[0, 1)`, drawn afresh in each pass.
    ///
    /// A density learned from them is one in the sense of bits per dimension: without the noise it
    /// would have to rise without bound at each of the `max + 1` values. Starts of paths are left
    /// alone.
    ///
    /// # Panics
    /// When `max` is zero.
    ///
    /// # Reference
    /// Theis, van den Oord & Bethge (2016), "A Note on the Evaluation of Generative Models",
    /// arXiv:1511.01844, section 3.1.
    #[must_use]
    pub fn dequantised(mut self, max: u32) -> Self {
        assert!(0 < max, "expected a largest pixel of at least 1, got 0");
        self.noise = Some((1.0 / f64::from(max)) as f32);
        self
    }

    /// Spreads the whole numbers of each row over their cells, afresh in each pass: the noise of a
    /// row is found by the seed, the pass and the row, whatever batch it comes in. Starts of paths
    /// are left alone.
    ///
    /// [`dequantised`](Self::dequantised) says what for. It does so for pixels, which have one
    /// scale; here each number may have its own.
    #[must_use]
    pub fn spread_by(mut self, spread: Arc<dyn Spread>) -> Self {
        self.spread = Some(spread);
        self
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.rows(self.size())
    }

    /// Never true: an empty data set is refused by [`Rows::new`].
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers of a row.
    fn row(&self, row: usize) -> Cow<'_, [f32]> {
        self.values.row(row, self.size())
    }

    fn size(&self) -> usize {
        self.shape.iter().product()
    }
}

impl DataSource for Rows {
    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn vector(&self) -> usize {
        self.vectors.as_ref().map_or(0, |vectors| vectors.len() / self.len())
    }

    fn context(&self) -> &[usize] {
        &self.context
    }

    fn lengths(&self) -> bool {
        self.lengths.is_some()
    }

    fn draw(&self, range: Range<u64>, streams: &Streams) -> Draw {
        let (n, size) = (self.len() as u64, self.size());
        let last = |shape: &[usize]| shape.last().copied().unwrap_or(1);
        let (width, context) = (last(&self.shape), self.context.iter().product::<usize>());
        let mut coin = streams.rng(range.start, Purpose::Augment);
        let mut uniform = streams.rng(range.start, Purpose::Dequantise);
        let mut draw = Draw {
            rows: Vec::new(),
            labels: self.labels.as_ref().map(|_| Vec::new()),
            vectors: self.vectors.as_ref().map(|_| Vec::new()),
            contexts: self.contexts.as_ref().map(|_| Vec::new()),
            lengths: self.lengths.as_ref().map(|_| Vec::new()),
            known: self.known.as_ref().map(|_| Vec::new()),
            starts: self.starts.as_ref().map(|_| Vec::new()),
            legs: None,
        };
        for k in range {
            let row = self.orders.of(k / n, n as usize, *streams)[(k % n) as usize];
            let mirrored = self.mirror && coin.random_bool(0.5);
            let place = |size: usize| row * size..(row + 1) * size;
            copy(&mut draw.rows, &self.row(row), width, mirrored);
            if let Some(spread) = &self.spread {
                let (start, mut rng) =
                    (draw.rows.len() - size, streams.rng(k, Purpose::Dequantise));
                spread.spread(&mut draw.rows[start..], &mut || rng.random_range(-0.5..0.5));
            }
            if let (Some(out), Some(known)) = (&mut draw.known, &self.known) {
                copy(out, &known[place(size)], width, mirrored);
            }
            if let (Some(out), Some(starts)) = (&mut draw.starts, &self.starts) {
                copy(out, &starts[place(size)], width, mirrored);
            }
            if let (Some(out), Some(contexts)) = (&mut draw.contexts, &self.contexts) {
                copy(out, &contexts[place(context)], last(&self.context), mirrored);
            }
            if let (Some(out), Some(vectors)) = (&mut draw.vectors, &self.vectors) {
                out.extend_from_slice(&vectors[place(self.vector())]);
            }
            for (out, all) in [(&mut draw.labels, &self.labels), (&mut draw.lengths, &self.lengths)]
            {
                out.iter_mut().zip(all).for_each(|(out, all)| out.push(all[row]));
            }
        }
        if let Some(half) = self.noise {
            for x in &mut draw.rows {
                *x += half * uniform.random_range(-1.0..1.0_f32);
            }
        }
        if let Some(known) = &draw.known {
            let unknown = draw.rows.iter_mut().zip(known).filter(|(_, known)| !**known);
            unknown.for_each(|(x, _)| *x = 0.0);
        }
        draw
    }
}

/// Puts a row behind others, its lines of `width` turned round where it is `mirrored`.
fn copy<T: Copy>(out: &mut Vec<T>, values: &[T], width: usize, mirrored: bool) {
    if mirrored {
        values.chunks(width).for_each(|line| out.extend(line.iter().rev()));
    } else {
        out.extend_from_slice(values);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(n: usize) -> Rows {
        Rows::new(vec![1], (0..n).map(|i| i as f32).collect(), Some((0..n).collect()))
    }

    #[test]
    fn each_pass_sees_every_row_once_in_a_new_order() {
        let (rows, streams) = (numbered(10), Streams::new(1));
        let draw = rows.draw(0..20, &streams);
        let (first, second) = draw.rows.split_at(10);
        for pass in [first, second] {
            let mut sorted = pass.to_vec();
            sorted.sort_by(f32::total_cmp);
            assert_eq!(sorted, (0..10).map(|i| i as f32).collect::<Vec<_>>());
        }
        assert_ne!(first, second);
    }

    #[test]
    fn a_draw_does_not_depend_on_what_was_drawn_before() {
        let streams = Streams::new(1);
        let all = numbered(7).draw(0..30, &streams).rows;
        let rows = numbered(7);
        rows.draw(100..120, &streams);
        assert_eq!(rows.draw(12..19, &streams).rows, all[12..19]);
    }

    #[test]
    fn what_is_not_known_is_zero_and_stays_with_its_row() {
        // Number j of row i is 10 i + j + 1, and number i mod 2 of row i is not known.
        let values = (0..6).map(|k| (10 * (k / 2) + k % 2 + 1) as f32).collect();
        let known = (0..6).map(|k| k % 2 != k / 2 % 2).collect();
        let rows = Rows::new(vec![2], values, Some((0..3).collect())).with_known(known);
        let spread = rows.spread_by(Arc::new(Halves));
        let draw = spread.draw(0..9, &Streams::new(2));
        let (known, labels) = (draw.known.unwrap(), draw.labels.unwrap());
        for (k, &row) in labels.iter().enumerate() {
            let unknown = row % 2;
            let mut expected = [10.0 * row as f32 + 1.5, 10.0 * row as f32 + 2.5];
            expected[unknown] = 0.0;
            assert_eq!(draw.rows[2 * k..2 * k + 2], expected);
            assert_eq!(known[2 * k..2 * k + 2], [unknown != 0, unknown != 1]);
        }
        assert_eq!(numbered(3).draw(0..3, &Streams::new(2)).known, None);
    }

    /// Moves each number by one half, whatever the noise.
    #[derive(Debug)]
    struct Halves;

    impl Spread for Halves {
        fn spread(&self, row: &mut [f32], noise: &mut dyn FnMut() -> f64) {
            for x in row {
                noise();
                *x += 0.5;
            }
        }
    }

    #[test]
    #[allow(clippy::float_cmp, reason = "sums of small integers are exact")]
    fn starts_stay_with_their_rows() {
        let starts = (0..9).map(|i| 100.0 + i as f32).collect();
        let draw = numbered(9).with_starts(starts).draw(3..40, &Streams::new(5));
        let starts = draw.starts.unwrap();
        assert!(draw.rows.iter().zip(&starts).all(|(row, start)| start - row == 100.0));
    }

    #[test]
    fn dequantised_pixels_are_spread_over_their_cells_and_keep_their_mean() {
        // Every value of a pixel from 0 to 16, on the scale of training.
        let max = 16;
        let pixels: Vec<f32> = (0..=max).map(|k| 2.0 * k as f32 / max as f32 - 1.0).collect();
        let plain = Rows::new(vec![1], pixels.clone(), Some((0..=max).collect()));
        let rows = Rows::new(vec![1], pixels.clone(), Some((0..=max).collect())).dequantised(16);
        let (n, streams) = (17 * 4000, Streams::new(4));
        let draw = rows.draw(0..n, &streams);
        let labels = draw.labels.unwrap();
        assert_eq!(labels, plain.draw(0..n, &streams).labels.unwrap(), "the order is the same");
        let mut sums = vec![(0.0, 0.0); 17];
        for (&x, &k) in draw.rows.iter().zip(&labels) {
            let shift = f64::from(x - pixels[k]);
            // Half a cell is 1/16; the sum of two numbers below 1.1 rounds by 1.2e-7.
            assert!(shift.abs() <= 1.0 / 16.0 + 2e-7, "{shift}");
            sums[k] = (sums[k].0 + shift, sums[k].1 + shift * shift);
        }
        for (sum, square) in sums {
            // A uniform law of width 1/8: standard deviation 0.0361, of its mean 5.7e-4 over 4,000
            // draws. The variance 1.302e-3 has a standard error of 1.302e-3 sqrt(0.8 / 4000) =
            // 1.8e-5.
            let (mean, variance) = (sum / 4000.0, square / 4000.0);
            assert!(mean.abs() < 5.0 * 5.7e-4, "mean {mean}");
            assert!((variance - 1.0 / 768.0).abs() < 5.0 * 1.8e-5, "variance {variance}");
        }
        assert_ne!(draw.rows[..17], rows.draw(n..n + 17, &streams).rows[..17]);
    }

    /// Moves the first of two numbers.
    #[derive(Debug)]
    struct First;

    impl Spread for First {
        fn spread(&self, row: &mut [f32], noise: &mut dyn FnMut() -> f64) {
            row[0] += noise() as f32;
        }
    }

    #[test]
    #[allow(clippy::float_cmp, reason = "what is not spread is as it was")]
    fn spread_numbers_stay_in_their_cells_and_depend_on_seed_pass_and_row_alone() {
        let numbers: Vec<f32> = (0..20).map(|i| (i / 2) as f32).collect();
        let rows = Rows::new(vec![2], numbers, Some((0..10).collect())).spread_by(Arc::new(First));
        let streams = Streams::new(8);
        let draw = rows.draw(0..40, &streams);
        let labels = draw.labels.unwrap();
        let mut shifts = vec![Vec::new(); 10];
        for (row, &k) in draw.rows.chunks(2).zip(&labels) {
            // Half, and the rounding of a sum below 10.
            assert!((row[0] - k as f32).abs() <= 0.5 + 1e-6 && row[1] == k as f32, "{row:?}");
            shifts[k].push(row[0]);
        }
        // Four passes, four different numbers.
        for shifts in &mut shifts {
            shifts.sort_by(f32::total_cmp);
            shifts.dedup();
            assert_eq!(shifts.len(), 4);
        }
        // Another batch and another time draw the same, another seed does not.
        assert_eq!(rows.draw(7..23, &streams).rows, draw.rows[14..46]);
        assert_ne!(rows.draw(0..40, &Streams::new(9)).rows, draw.rows);
    }

    #[test]
    #[allow(clippy::float_cmp, reason = "copies and sums of small integers are exact")]
    fn conditions_stay_with_their_rows_and_are_mirrored_with_them() {
        let vectors = (0..9).flat_map(|i| [i as f32, -(i as f32)]).collect();
        let pictures: Vec<f32> = (0..18).map(|i| i as f32).collect();
        let rows = Rows::new(vec![1, 1, 2], pictures.clone(), None).mirrored();
        let rows = rows.with_vectors(vectors).with_contexts(vec![1, 1, 2], pictures);
        assert_eq!((rows.vector(), rows.context()), (2, &[1, 1, 2][..]));
        let draw = rows.draw(3..40, &Streams::new(5));
        assert_eq!(draw.contexts.unwrap(), draw.rows);
        let turned = draw.rows.chunks(2).filter(|picture| picture[1] < picture[0]).count();
        assert!((1..37).contains(&turned), "{turned}");
        for (picture, vector) in draw.rows.chunks(2).zip(draw.vectors.unwrap().chunks(2)) {
            let number = (picture[0].min(picture[1])) / 2.0;
            assert_eq!(vector, [number, -number]);
        }
    }

    /// Rows of two numbers that are computed, of which one cannot be had.
    #[derive(Debug)]
    struct Computed;

    impl RowStore for Computed {
        fn len(&self) -> usize {
            9
        }

        fn row(&self, row: usize) -> Result<Vec<f32>, String> {
            if row == 8 { Err("row 8 is gone".into()) } else { Ok(vec![row as f32, -(row as f32)]) }
        }
    }

    #[test]
    fn stored_rows_are_drawn_as_those_in_memory() {
        let memory: Vec<f32> = (0..9).flat_map(|i| [i as f32, -(i as f32)]).collect();
        let memory = Rows::new(vec![1, 1, 2], memory, None).mirrored().dequantised(7);
        let stored = Rows::stored(vec![1, 1, 2], Arc::new(Computed)).mirrored().dequantised(7);
        let streams = Streams::new(2);
        let gone = memory.draw(0..9, &streams).rows.chunks(2).position(|row| 7.5 < row[0].abs());
        let until = gone.unwrap() as u64;
        assert_eq!(stored.draw(0..until, &streams), memory.draw(0..until, &streams));
        let draw = std::panic::AssertUnwindSafe(|| stored.draw(0..9, &streams));
        let panic = std::panic::catch_unwind(draw).unwrap_err();
        assert_eq!(panic.downcast_ref::<String>().unwrap(), "row 8 is gone");
    }

    #[test]
    fn labels_stay_with_their_rows() {
        let draw = numbered(9).draw(3..40, &Streams::new(5));
        let labels = draw.labels.unwrap();
        assert!(draw.rows.iter().zip(labels).all(|(&row, label)| row as usize == label));
    }
}
