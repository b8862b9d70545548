//! Batches for the losses of flow maps.

use std::ops::Range;

use burn::tensor::Device;
use flow_path::{LossWeight, Prediction};

use crate::error::TrainError;
use crate::matching::MatchingBatches;
use crate::objective::Batch;
use crate::pairs::Pairs;
use crate::parts::Parts;
use crate::source::BatchSource;

/// The batches of a run on a data set, whose last rows jump from `t` to a later `s`.
///
/// The pairs of noise and data, the labels and the noise of the loss are those of
/// [`MatchingBatches`] to the bit; which rows jump, and where to, has a stream of its own.
#[derive(Clone, Debug)]
pub struct MapBatches {
    /// The batches without second times.
    pub batches: MatchingBatches,
    /// The law of the two times: that of the loss, [`Objective::pairs`](crate::Objective::pairs).
    pub pairs: Pairs,
}

impl BatchSource for MapBatches {
    type Batch = Batch;

    /// # Errors
    /// As for [`MatchingBatches`], and when it predicts something else than the velocity or weighs
    /// times: a flow map is a mean of velocities, and its losses have weights of their own.
    ///
    /// # Panics
    /// As for [`MatchingBatches`].
    fn batch(&self, step: usize, device: &Device) -> Result<Batch, TrainError> {
        let batches = self.parts(step, Parts::default(), 0..1, device)?;
        Ok(batches.into_iter().next().expect("one part is the batch"))
    }

    fn parts(
        &self,
        step: usize,
        parts: Parts,
        own: Range<usize>,
        device: &Device,
    ) -> Result<Vec<Batch>, TrainError> {
        let matching = &self.batches.matching;
        if matching.prediction != Prediction::Velocity {
            let remedy = "a flow map is made of velocities, choose the prediction velocity";
            return Err(TrainError::Times { remedy });
        }
        if matching.weight != LossWeight::Unit {
            let remedy = "a weight of one time says nothing about two, choose the weight unit";
            return Err(TrainError::Times { remedy });
        }
        self.batches.draw_parts(step, parts, own, Some(self.pairs), device)
    }

    fn rows(&self) -> usize {
        self.batches.rows()
    }

    fn classes(&self) -> usize {
        self.batches.classes()
    }

    fn vector(&self) -> usize {
        self.batches.vector()
    }

    fn context(&self) -> &[usize] {
        self.batches.context()
    }

    fn lengths(&self) -> bool {
        self.batches.lengths()
    }

    fn pairs(&self) -> Option<Pairs> {
        Some(self.pairs)
    }
}
