//! Awkward numbers for tests: infinities, NaN, zeros, the largest and the smallest.

/// Numbers as JSON spells them; the first three are no JSON.
pub const JSON_NUMBERS: [&str; 20] = [
    "NaN",
    "Infinity",
    "1e400",
    "0",
    "-0.0",
    "-1",
    "0.5",
    "1",
    "1e-38",
    "1e-45",
    "1e-320",
    "1e38",
    "-1e38",
    "3.5e38",
    "1e308",
    "9007199254740993",
    "18446744073709551615",
    "null",
    "3",
    "1e10",
];

/// Scalars at which formulas break: what is not finite, zero, and the ends of the range of `f32`.
pub const SCALARS: [(&str, f64); 9] = [
    ("NaN", f64::NAN),
    ("infinity", f64::INFINITY),
    ("minus infinity", f64::NEG_INFINITY),
    ("zero", 0.0),
    ("minus zero", -0.0),
    ("minus one", -1.0),
    ("the least normal f32", 1e-38),
    ("nearly the largest f32", 1e38),
    ("one", 1.0),
];

/// A set of rows of one length, and what is special about it.
#[derive(Clone, Debug)]
pub struct Rows {
    /// What is special: goes into the message of a failing test.
    pub name: &'static str,
    /// The rows, one after the other.
    pub rows: Vec<f32>,
    /// Whether every number is finite.
    pub finite: bool,
}

/// Sets of `n` rows of `dim` numbers (and a set of no row and one of a single row).
///
/// # Panics
/// If `n < 2` or `dim` is zero.
#[must_use]
pub fn rows(n: usize, dim: usize) -> Vec<Rows> {
    assert!(2 <= n && 0 < dim, "expected at least 2 rows of at least 1 number, got {n} of {dim}");
    let ordinary = |i: usize| ((i as f32) * 0.7).sin() + 0.1 * i as f32;
    let of = |name, value: &dyn Fn(usize) -> f32| {
        let rows: Vec<f32> = (0..n * dim).map(value).collect();
        let finite = rows.iter().all(|x| x.is_finite());
        Rows { name, rows, finite }
    };
    let last = n * dim - 1;
    let one = |value: f32| move |i: usize| if i == last { value } else { ordinary(i) };
    vec![
        of("ordinary", &ordinary),
        of("one NaN", &one(f32::NAN)),
        of("one infinity", &one(f32::INFINITY)),
        of("one minus infinity", &one(f32::NEG_INFINITY)),
        of("all NaN", &|_| f32::NAN),
        of("zeros", &|_| 0.0),
        of("constant rows", &|_| 3.5),
        of("two atoms", &|i| ((i / dim) % 2) as f32),
        of("scale 1e-38", &|i| 1e-38 * ordinary(i)),
        of("scale 1e37", &|i| 1e37 * ordinary(i)),
        of("one outlier of 1e38", &one(1e38)),
        Rows { name: "one row", rows: (0..dim).map(ordinary).collect(), finite: true },
        Rows { name: "no row", rows: Vec::new(), finite: true },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_have_whole_rows_and_say_whether_they_are_finite() {
        for set in rows(6, 2) {
            assert_eq!(set.rows.len() % 2, 0, "{}", set.name);
            assert_eq!(set.finite, set.rows.iter().all(|x| x.is_finite()), "{}", set.name);
        }
    }
}
