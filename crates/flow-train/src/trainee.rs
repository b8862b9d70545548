//! The module that is trained: a network, its moving average and the loss.

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

    /// What gradients reach.
    pub(crate) fn network(&self) -> &N {
        &self.network
    }

    /// The gradients of a step within their bound, and their norm before it.
    pub(crate) fn bounded(
        &self,
        gradients: GradientsParams,
    ) -> (GradientsParams, Option<Tensor<1>>) {
        let Self { network, mut rules, .. } = self.clone();
        rules.run(move |rules| rules.bounded(&network, gradients))
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

impl StepLoss {
    /// Adds a number to what the log is told besides the loss.
    pub(crate) fn add(&mut self, name: &'static str, number: Option<Tensor<1>>) {
        self.0.terms.extend(number.map(|number| (name, number)));
    }

    /// The loss and its terms, one after another.
    pub(crate) fn numbers(&self) -> Vec<f32> {
        let terms = self.0.terms.iter().map(|(_, term)| term);
        let all = std::iter::once(&self.0.total).chain(terms);
        let plain = |tensor: &Tensor<1>| tensor.clone().without_autodiff();
        let all = Tensor::cat(all.map(plain).collect(), 0);
        all.into_data().iter::<f32>().collect()
    }

    /// The same loss and terms with other numbers.
    pub(crate) fn with_numbers(&self, mut numbers: &[f32]) -> Self {
        let mut next = |tensor: &Tensor<1>| {
            let (own, rest) = numbers.split_at(tensor.dims()[0]);
            numbers = rest;
            Tensor::from_data(own, &tensor.device().without_autodiff())
        };
        let total = next(&self.0.total);
        let terms = self.0.terms.iter().map(|(name, term)| (*name, next(term))).collect();
        Self(Loss { total, terms })
    }
}

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
