//! A batch with all its randomness drawn, still on the host, and what its parts are.

use burn::tensor::{Device, Tensor, TensorData};
use flow_nn::{Condition, Time};
use flow_path::Times;

use crate::data::Leg;
use crate::flow_matching::FlowMatching;
use crate::objective::Batch;

/// A batch on the host, a row for each sample.
#[derive(Clone, Debug)]
pub(crate) struct Drawn {
    pub(crate) x0: Block,
    pub(crate) x1: Block,
    /// Noise of paths that are random.
    pub(crate) blur: Option<Block>,
    pub(crate) t: Vec<f64>,
    pub(crate) s: Option<Vec<f64>>,
    /// How many rows, the last ones, jump to a later second time.
    pub(crate) jumps: usize,
    pub(crate) legs: Option<Vec<Leg>>,
    pub(crate) weight: Option<Vec<f32>>,
    pub(crate) labels: Option<Vec<usize>>,
    /// Elements of each sequence that are there.
    pub(crate) lengths: Option<Vec<usize>>,
    /// One for each number that is known and zero for the others.
    pub(crate) known: Option<Block>,
    pub(crate) vectors: Option<Block>,
    pub(crate) contexts: Option<Block>,
    /// Rows whose vectors and contexts are hidden.
    pub(crate) hidden: Option<Vec<bool>>,
    /// Noise of the loss.
    pub(crate) noise: Option<Block>,
}

/// Rows of so many numbers, one after another.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) values: Vec<f32>,
    pub(crate) size: usize,
}

impl Block {
    fn upload(self, device: &Device) -> Tensor<2> {
        let shape = [self.values.len() / self.size, self.size];
        Tensor::from_data(TensorData::new(self.values, shape), device)
    }

    fn dealt(&self, part: usize, parts: usize) -> Self {
        let rows = self.values.chunks(self.size).skip(part).step_by(parts);
        Self { values: rows.flatten().copied().collect(), size: self.size }
    }
}

/// The rows `part`, `part + parts`, ..
fn dealt<T: Copy>(rows: &[T], part: usize, parts: usize) -> Vec<T> {
    rows.iter().copied().skip(part).step_by(parts).collect()
}

impl Drawn {
    /// The rows `part`, `part + parts`, .. of the batch, so that each part has as many of those
    /// that jump as the others, but for one; they stay its last ones.
    pub(crate) fn part(&self, part: usize, parts: usize) -> Self {
        let block = |block: &Block| block.dealt(part, parts);
        let stay = self.t.len() - self.jumps;
        Self {
            x0: block(&self.x0),
            x1: block(&self.x1),
            blur: self.blur.as_ref().map(block),
            t: dealt(&self.t, part, parts),
            s: self.s.as_ref().map(|s| dealt(s, part, parts)),
            jumps: (part..self.t.len()).step_by(parts).filter(|&row| stay <= row).count(),
            legs: self.legs.as_ref().map(|legs| dealt(legs, part, parts)),
            weight: self.weight.as_ref().map(|weight| dealt(weight, part, parts)),
            labels: self.labels.as_ref().map(|labels| dealt(labels, part, parts)),
            lengths: self.lengths.as_ref().map(|lengths| dealt(lengths, part, parts)),
            known: self.known.as_ref().map(block),
            vectors: self.vectors.as_ref().map(block),
            contexts: self.contexts.as_ref().map(block),
            hidden: self.hidden.as_ref().map(|hidden| dealt(hidden, part, parts)),
            noise: self.noise.as_ref().map(block),
        }
    }

    /// The batch on a device, with the points of its paths and what is regressed there.
    pub(crate) fn upload(self, matching: &FlowMatching, device: &Device) -> Batch {
        let up = |block: Block| block.upload(device);
        let (t, rows) = (Times::new(self.t), self.x0.values.len() / self.x0.size);
        let (x0, x1) = (up(self.x0), up(self.x1));
        let (x_t, target) = matching.regress(x0.clone(), x1.clone(), self.blur.map(up), &t);
        let x_t = matching.prediction.input(x_t, &*matching.schedule, &t);
        let (t, target) = match &self.legs {
            Some(legs) => along(legs, &t, target),
            None => (t, target),
        };
        let weight =
            self.weight.map(|weight| Tensor::from_data(TensorData::new(weight, [rows]), device));
        let mut condition = match &self.labels {
            Some(labels) => Condition::classes(labels, device),
            None => Condition::none(),
        };
        if let Some(lengths) = &self.lengths {
            condition = condition.with_lengths(lengths);
        }
        if let Some(vectors) = self.vectors {
            condition = condition.with_vector(up(vectors));
        }
        if let Some(contexts) = self.contexts {
            condition = condition.with_context(up(contexts));
        }
        if let Some(hidden) = self.hidden {
            let hidden = Tensor::from_data(TensorData::new(hidden, [rows]), device);
            condition = condition.with_hidden(hidden);
        }
        let (known, noise) = (self.known.map(up), self.noise.map(up));
        let s = self.s.map(|s| Times::new(s).to_tensor(device));
        let time = Time { t: t.to_tensor(device), s };
        Batch { x0, x1, x_t, time, jumps: self.jumps, target, weight, known, condition, noise }
    }
}

/// The times of the whole way at times `t` of its legs, and the velocities there.
fn along(legs: &[Leg], t: &Times, velocity: Tensor<2>) -> (Times, Tensor<2>) {
    let at = |(leg, t): (&Leg, f64)| leg.from + (leg.to - leg.from) * t;
    let times = Times::new(legs.iter().zip(t.iter()).map(at).collect());
    let faster = legs.iter().map(|leg| ((leg.to - leg.from).recip()) as f32).collect();
    let faster = TensorData::new(faster, [legs.len(), 1]);
    let faster = Tensor::<2>::from_data(faster, &velocity.device());
    (times, velocity * faster)
}
