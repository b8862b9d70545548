//! Training the classifier whose features measure generated images.

use std::sync::Arc;

use burn::nn::loss::CrossEntropyLossConfig;
use burn::tensor::{Device, Int, Tensor, TensorData};
use flow_nn::Classifier;
use flow_path::stream::Streams;

use crate::criterion::Criterion;
use crate::data::DataSource;
use crate::error::TrainError;
use crate::matching::check_rows;
use crate::objective::Loss;
use crate::source::BatchSource;

/// Images with their classes.
#[derive(Clone, Debug)]
pub struct Labelled {
    /// `[B, C, H, W]`
    pub x: Tensor<4>,
    /// `[B]`
    pub class: Tensor<1, Int>,
}

/// Cross-entropy of a [`Classifier`], in nats per image.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Classification;

impl Criterion<Classifier> for Classification {
    type Batch = Labelled;

    fn loss(&self, network: &Classifier, _: &Classifier, batch: Labelled) -> Loss {
        let logits = network.logits(network.features(batch.x));
        let cross_entropy = CrossEntropyLossConfig::new().init(&logits.device());
        Loss { total: cross_entropy.forward(logits, batch.class), terms: Vec::new() }
    }
}

/// The batches of a labelled data set.
#[derive(Clone, Debug)]
pub struct LabelledBatches {
    /// The data, with labels.
    pub data: Arc<dyn DataSource>,
    /// Rows in a batch.
    pub rows: usize,
    /// The random streams of the run.
    pub streams: Streams,
}

impl BatchSource for LabelledBatches {
    type Batch = Labelled;

    /// # Errors
    /// When a row of the data is not finite.
    ///
    /// # Panics
    /// When the data have no labels, or a batch has no rows.
    fn batch(&self, step: usize, device: &Device) -> Result<Labelled, TrainError> {
        let first = (step * self.rows) as u64;
        let draw = self.data.draw(first..first + self.rows as u64, &self.streams);
        check_rows(step, self.rows, self.data.shape().iter().product(), &draw)?;
        let labels = draw.labels.expect("a classifier is trained on labelled data");
        let class = |&label| i64::try_from(label).expect("a class fits in 63 bits");
        let labels: Vec<i64> = labels.iter().map(class).collect();
        let mut shape = vec![self.rows];
        shape.extend(self.data.shape());
        Ok(Labelled {
            x: Tensor::from_data(TensorData::new(draw.rows, shape), device),
            class: Tensor::from_data(TensorData::new(labels, [self.rows]), device),
        })
    }

    fn rows(&self) -> usize {
        self.rows
    }
}
