//! Couplings that do not look at the values.

use rand::Rng;
use rand::seq::SliceRandom;

use super::batch::row_count;
use super::{Coupling, Given, Pairing};
use crate::{PathError, without_values};

/// Noise and data drawn independently: a random permutation of the noise, whatever the values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Independent;

impl Coupling for Independent {
    fn pair(
        &self,
        x0: &[f32],
        x1: &[f32],
        _: Given<'_>,
        dim: usize,
        rng: &mut dyn Rng,
    ) -> Result<Pairing, PathError> {
        let mut rows: Vec<usize> = (0..row_count(x0, x1, dim)?).collect();
        rows.shuffle(rng);
        Ok(Pairing::new(rows))
    }
}

/// Rows that belong together already, whatever their values: the pairs of a reflow, or of
/// image-to-image data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paired;

impl Coupling for Paired {
    fn pair(
        &self,
        x0: &[f32],
        x1: &[f32],
        _: Given<'_>,
        dim: usize,
        _rng: &mut dyn Rng,
    ) -> Result<Pairing, PathError> {
        Ok(Pairing::new((0..row_count(x0, x1, dim)?).collect()))
    }
}

without_values!(Independent, Paired);
