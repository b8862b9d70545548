//! No public function turns awkward numbers into a silent NaN, a hang or an abort.
//!
//! One row for each function that takes numbers, in the tables of `data.rs`, `models.rs` and
//! `limits.rs`; each is called with every awkward set of rows, scalar and count. It gives what its
//! documentation says, or an error. What is read from files is in `readers.rs`; every number of a
//! recipe is tried by the unit tests of the recipe.

#![allow(
    clippy::float_cmp,
    clippy::unwrap_used,
    reason = "tests claim equality to the last bit and stop at the first failure"
)]

mod data;
mod limits;
mod models;
mod readers;
mod scene;

use flow_run::RunError;
use flow_testing::panics::unless_it_says;
use flow_testing::{awkward, public};
use scene::Scene;

/// Numbers of a row: of an image of 2 x 2 pixels, of a sequence of two steps, of two points.
const SIZE: usize = 4;

/// Rows of each set.
const ROWS: usize = 6;

/// Counts that a caller may ask for.
const COUNTS: [usize; 5] = [0, 1, 3, 1 << 40, usize::MAX];

/// What a function is called with.
#[derive(Clone, Copy)]
struct Awkward<'a> {
    scene: &'a Scene,
    rows: &'a [f32],
    x: f64,
    count: usize,
}

/// What a function gave, of which nothing is infinite or NaN; what it may be is asserted within.
type Given = Result<Vec<f64>, RunError>;

type Row = (&'static str, fn(Awkward<'_>) -> Given);

/// All rows.
fn table() -> Vec<Row> {
    [data::TABLE, models::TABLE, limits::TABLE].concat()
}

fn wide(numbers: &[f32]) -> Vec<f64> {
    numbers.iter().copied().map(f64::from).collect()
}

#[test]
fn no_function_gives_a_silent_nan() {
    let scene = Scene::new();
    for (name, call) in table() {
        for set in awkward::rows(ROWS, SIZE) {
            for (scalar, x) in awkward::SCALARS {
                for count in COUNTS {
                    // Each scalar with one count, and each count with one scalar.
                    if count != 3 && x != 1.0 {
                        continue;
                    }
                    let given = call(Awkward { scene: &scene, rows: &set.rows, x, count });
                    let sound = match &given {
                        Ok(given) => given.iter().all(|x| x.is_finite()),
                        Err(error) => 10 < error.to_string().len(),
                    };
                    assert!(sound, "{name} of {} with {scalar} and {count}: {given:?}", set.name);
                }
            }
        }
    }
}

#[test]
fn ordinary_numbers_are_taken() {
    // Or else the tables would pass on errors alone.
    let scene = Scene::new();
    let sets = awkward::rows(ROWS, SIZE);
    let rows = &sets.iter().find(|set| set.name == "ordinary").unwrap().rows;
    for (name, call) in table() {
        let taken = [0.5, 1.0].map(|x| call(Awkward { scene: &scene, rows, x, count: 3 }));
        assert!(taken.iter().any(Result::is_ok), "{name}: {taken:?}");
    }
}

#[test]
fn every_public_function_that_takes_numbers_has_a_row() {
    let rows: Vec<&str> = table().iter().map(|(name, _)| *name).collect();
    public::assert_covered(env!("CARGO_MANIFEST_DIR"), &rows, &[]);
}
