//! Stepping by sample: each row of a batch has its own time and its own step.
//!
//! All rows are evaluated together, each at its own time; a row whose step is rejected tries again
//! beside the others, a row that has arrived stays where it is. A row is controlled by its own
//! error alone, so its result does not depend on the other rows.
//!
//! # Reference
//! Lienen & Günnemann (2022), "torchode: A Parallel ODE Solver for PyTorch", arXiv:2210.12375.

mod batch;
mod row;
mod solve;

pub use batch::{Batch, RowField};
pub use solve::{RowSolution, solve_rows};
