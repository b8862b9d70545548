//! What is trained: a network, its moving average and the loss.

use burn::module::{Module, ModuleDisplay};
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{ExecutionError, Tensor};
use burn::train::metric::{Adaptor, LossInput};
use burn::train::{InferenceStep, ItemLazy, TrainOutput, TrainStep};

use crate::criterion::Criterion;
use crate::objective::Loss;
use crate::rules::Rules;
use crate::terms::TermsInput;

/// A network in training.
///
/// Gradients reach `network`; `average` follows it and is what validates, samples and ships.
#[derive(Module, Debug)]
pub(crate) struct Trainee<N: Module + ModuleDisplay, O: Clone + core::fmt::Debug + Send> {
    network: N,
    average: N,
    #[module(skip)]
    objective: O,
    #[module(skip)]
    rules: Rules,
}

impl<N: Module + ModuleDisplay, O: Clone + core::fmt::Debug + Send> Trainee<N, O> {
    /// A network at the start of its training; the average starts as a copy.
    pub(crate) fn new(network: N, objective: O, rules: Rules) -> Self {
        let average = network.valid().no_grad();
        Self { network, average, objective, rules }
    }

    /// The averaged network, without a tape.
    pub(crate) fn into_average(self) -> N {
        self.average.valid()
    }
}

impl<N: Module + ModuleDisplay + 'static, O: Criterion<N>> TrainStep for Trainee<N, O> {
    type Input = O::Batch;
    type Output = StepLoss;

    fn step(&self, batch: O::Batch) -> TrainOutput<StepLoss> {
        let Self { network, average, objective, mut rules } = self.clone();
        rules.run(move |_| {
            let loss = objective.loss(&network, &average, batch);
            let gradients = loss.total.backward();
            TrainOutput::new(&network, gradients, StepLoss(loss))
        })
    }

    fn optimize(
        self,
        optimizer: &mut ModuleOptimizer,
        rate: ModuleLearningRate,
        gradients: GradientsParams,
    ) -> Self {
        let Self { network, average, objective, mut rules } = self;
        let next = |rules: &mut Rules| rules.follow((network, average), optimizer, rate, gradients);
        let (network, average) = rules.run(next);
        Self { network, average, objective, rules }
    }
}

impl<N: Module + ModuleDisplay + 'static, O: Criterion<N>> InferenceStep for Trainee<N, O> {
    type Input = O::Batch;
    type Output = StepLoss;

    fn step(&self, batch: O::Batch) -> StepLoss {
        StepLoss(self.objective.loss(&self.average, &self.average, batch))
    }
}

/// The loss of one step, read by the metrics' thread.
#[derive(Debug)]
pub(crate) struct StepLoss(Loss);

impl ItemLazy for StepLoss {
    fn sync(self) -> Result<Self, ExecutionError> {
        let plain = Tensor::without_autodiff;
        let terms = self.0.terms.into_iter().map(|(name, term)| (name, plain(term))).collect();
        let total = plain(self.0.total);
        total.device().flush()?;
        Ok(Self(Loss { total, terms }))
    }
}

impl Adaptor<LossInput> for StepLoss {
    fn adapt(&self) -> LossInput {
        LossInput::new(self.0.total.clone())
    }
}

impl Adaptor<TermsInput> for StepLoss {
    fn adapt(&self) -> TermsInput {
        TermsInput(self.0.terms.clone())
    }
}
