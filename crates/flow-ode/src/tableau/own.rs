//! Tableaus of a program's own, and whether they can be right.

use std::fmt;
use std::hash::{Hash, Hasher};

use super::{ErrorEstimate, Interpolant, Tableau};

/// A tableau that [`Method::own`](crate::Method::own) has accepted. It is equal to itself alone.
#[derive(Clone, Copy)]
pub struct OwnTableau(&'static Tableau);

impl OwnTableau {
    pub(crate) fn new(tableau: &'static Tableau) -> Result<Self, BadTableau> {
        match fault(tableau) {
            None => Ok(Self(tableau)),
            Some(fault) => Err(BadTableau { name: tableau.name, fault }),
        }
    }

    pub(crate) fn get(self) -> &'static Tableau {
        self.0
    }
}

impl fmt::Debug for OwnTableau {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}

impl PartialEq for OwnTableau {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for OwnTableau {}

impl Hash for OwnTableau {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::ptr::hash(self.0, state);
    }
}

/// A tableau that cannot be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the tableau `{name}` {fault}")]
pub struct BadTableau {
    /// Its name.
    pub name: &'static str,
    /// What is wrong, and what it should be.
    pub fault: &'static str,
}

/// How far a sum of coefficients may be from its value: they may be written with ten digits.
const ROUNDING: f64 = 1e-9;

/// What no explicit Runge-Kutta method has.
fn fault(tableau: &Tableau) -> Option<&'static str> {
    let Tableau { order, c, a, b, error, interpolant, fsal, .. } = tableau;
    let s = c.len();
    let triangle = |rows: &[&[f64]], first: usize| {
        rows.iter().enumerate().all(|(i, row)| row.len() == first + i)
    };
    if s == 0 || *order == 0 {
        return Some("has no stage or is of order 0, give at least one and 1");
    }
    if a.len() != s || b.len() != s || !triangle(a, 0) {
        return Some(
            "has rows of other lengths than it has nodes `c`: `b` needs a number for each, row i \
             of `a` needs i",
        );
    }
    let near = |x: f64, y: f64| (x - y).abs() < ROUNDING;
    if !a.iter().zip(*c).all(|(row, c)| near(row.iter().sum(), *c)) {
        return Some("has a node in `c` that is not the sum of its row of `a`");
    }
    if !near(b.iter().sum(), 1.0) {
        return Some("has weights `b` that do not sum to 1");
    }
    let last = s - 1;
    let is_new_state = near(c[last], 1.0)
        && near(b[last], 0.0)
        && a[last].iter().zip(*b).all(|(a, b)| near(*a, *b));
    if *fsal && !is_new_state {
        return Some(
            "is marked `fsal`, and its last stage is not at the new state, where its row of `a` \
             is `b`",
        );
    }
    let errors = match error {
        ErrorEstimate::None => true,
        ErrorEstimate::Embedded { weights, .. } => weights.len() == s,
        ErrorEstimate::Dop853 { e5, e3 } => e5.len() == s && e3.len() == s,
    };
    if !errors {
        return Some("has error weights of another number than it has stages");
    }
    let inside = match interpolant {
        Interpolant::Linear | Interpolant::Hermite => true,
        Interpolant::Polynomial { weights, .. } => weights.len() == s,
        Interpolant::Extended { c, a, weights, .. } => {
            a.len() == c.len() && triangle(a, s) && weights.len() == s + c.len()
        }
    };
    (!inside).then_some("has an interpolant with rows for other stages than its own")
}
