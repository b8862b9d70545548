//! A step in parts, by one process or several.
//!
//! Each part gives one vector: gradients, whether the process is to stop, the loss and
//! its terms. One sum of them, in the order of the parts, tells every process the mean gradient of
//! the batch, its loss, and whether any of them is to stop.

use burn::module::{Module, ModuleDisplay};
use burn::optim::GradientsParams;
use burn::train::{Learner, TrainOutput};
use flow_parallel::{Group, GroupError, Tree, sum};

use crate::criterion::Criterion;
use crate::error::TrainError;
use crate::gradients::{checksum, flat, of_flat};
use crate::parts::Share;
use crate::trainee::{StepLoss, Trainee};

/// The sums over all parts of a batch.
pub(crate) struct Summed {
    pub(crate) gradients: GradientsParams,
    pub(crate) loss: StepLoss,
    /// The value of the loss.
    pub(crate) mean: f64,
    /// Whether any process is to stop after this step.
    pub(crate) stop: bool,
}

/// The sum so far over the parts of a batch.
#[derive(Default)]
pub(crate) struct Sum {
    tree: Tree,
    loss: Option<StepLoss>,
}

impl Sum {
    /// Adds what the next part gives; `stop` is whether this process is to stop.
    pub(crate) fn add<N, O>(
        &mut self,
        learner: &Learner<Trainee<N, O>>,
        part: usize,
        output: TrainOutput<StepLoss>,
        stop: bool,
    ) where
        N: Module + ModuleDisplay + 'static,
        O: Criterion<N>,
    {
        let mut vector = flat(learner.model().network(), &output.grads);
        vector.push(f32::from(u8::from(stop)));
        vector.extend(output.item.numbers());
        self.tree.push(part, vector);
        self.loss = Some(output.item);
    }

    /// The means over all parts of all processes.
    pub(crate) fn finish<N, O>(
        self,
        learner: &Learner<Trainee<N, O>>,
        share: &Share,
    ) -> Result<Summed, GroupError>
    where
        N: Module + ModuleDisplay + 'static,
        O: Criterion<N>,
    {
        let parts = share.parts.count;
        let mut mean = sum(&*share.group, parts, self.tree)?;
        // A mean over equal parts is the mean over the rows of the batch.
        let scale = (1.0 / parts as f64) as f32;
        for x in &mut mean {
            *x *= scale;
        }
        let (gradients, rest) = of_flat(learner.model().network(), &mean);
        let (stop, numbers) = rest.split_at(1);
        let loss = self.loss.expect("a process has a part of its own").with_numbers(numbers);
        Ok(Summed { gradients, loss, mean: numbers[0].into(), stop: 0.0 < stop[0] })
    }
}

/// Refuses to go on when processes have other weights than the first after `step`.
///
/// They all begin alike and take the same steps, unless their machines compute differently.
pub(crate) fn check_alike<M: Module>(
    group: &dyn Group,
    step: usize,
    model: &M,
) -> Result<(), TrainError> {
    let all = group
        .gather(&checksum(model).to_le_bytes())
        .map_err(|source| TrainError::Group { step, source })?;
    match all.iter().position(|sum| *sum != all[0]) {
        None => Ok(()),
        Some(rank) => Err(TrainError::Apart { step, rank }),
    }
}
