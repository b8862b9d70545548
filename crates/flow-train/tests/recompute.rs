//! Blocks that are computed again in the backward pass: the same bits, and less memory. Alone in
//! its file: the memory of a process is that of all its tests.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::{Device, Tensor};
use flow_nn::{
    Condition, Dit, DitConfig, DynNetwork, MlpConfig, Network, NetworkConfig, Signature, Time,
    init_seeded,
};
use flow_testing::memory::Watch;

#[global_allocator]
static WATCH: Watch = Watch;

const ROWS: usize = 16;
const SIDE: usize = 16;

/// Bits of all gradients, in the order of the weights.
struct Bits<'a> {
    gradients: &'a GradientsParams,
    bits: Vec<u32>,
}

impl ModuleVisitor for Bits<'_> {
    fn visit_float<const D: usize>(&mut self, weight: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(weight.id) {
            self.bits.extend(gradient.into_data().iter::<f32>().map(f32::to_bits));
        }
    }
}

/// A transformer of 12 blocks over 64 tokens.
fn network(again: bool) -> Dit {
    let signature = Signature { classes: 3, ..Signature::of([1, SIDE, SIDE]) };
    let config = DitConfig { hidden: 32, depth: 12, heads: 4, patch: 2, ..DitConfig::default() };
    let init = |device: &Device| config.init(&signature, device);
    let mut network = init_seeded(3, &Device::flex(), init).unwrap().train();
    assert!(network.recompute(again), "a transformer has blocks");
    network
}

fn numbers(count: usize, step: usize) -> Vec<f32> {
    (0..count).map(|i| (0.7 * (i + 31 * step) as f32).sin()).collect()
}

/// What some steps find: losses, gradients of the last one, and the most memory that one needed.
fn learned(again: bool) -> (Vec<u32>, Vec<u32>, usize) {
    let device = Device::flex().autodiff();
    let mut network = network(again);
    let mut optimizer = AdamWConfig::new().init();
    let (mut losses, mut bits, mut most) = (Vec::new(), Vec::new(), 0);
    for step in 0..5 {
        let rows = |step| {
            let data = numbers(ROWS * SIDE * SIDE, step);
            Tensor::<1>::from_data(data.as_slice(), &device).reshape([ROWS, SIDE * SIDE])
        };
        let time = Tensor::from_data(numbers(ROWS, step).as_slice(), &device);
        let classes: Vec<usize> = (0..ROWS).map(|i| i % 3).collect();
        let condition = Condition::classes(&classes, &device);
        let (x, target) = (rows(step), rows(step + 1));
        let before = Watch::begin();
        let y = network.forward(x, Time::at(time), &condition);
        let loss = (y - target).square().mean();
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        most = most.max(Watch::peak_since(before));
        losses.push(loss.into_scalar::<f32>().to_bits());
        let mut found = Bits { gradients: &gradients, bits: Vec::new() };
        network.visit(&mut found);
        bits = found.bits;
        network = optimizer.step(1e-2, network, gradients);
    }
    (losses, bits, most)
}

#[test]
fn blocks_that_are_computed_again_have_the_same_gradients_and_take_less_memory() {
    let (losses, gradients, kept) = learned(false);
    let (others, same, again) = learned(true);
    assert_eq!(losses, others);
    assert!(gradients == same, "some gradients differ");
    // Gates are zero at first: only after some steps is there anything inside of a block to learn.
    let zeros = gradients.iter().filter(|&&bits| f32::from_bits(bits) == 0.0).count();
    assert!(zeros < gradients.len() / 10, "{zeros} of {} gradients are zero", gradients.len());
    // Of 12 blocks one is held beside the inputs of all: about a fifth.
    assert!(again < kept / 2, "{again} bytes in place of {kept}");

    // A network without blocks says so.
    let signature = Signature::of([2]);
    let mlp = MlpConfig::default().init(&signature, &Device::flex()).unwrap();
    assert!(!DynNetwork::new(mlp).recompute(true));
}
