//! Blocks that are computed again in the backward pass: the same bits, and less memory. Alone in
//! its file: the memory of a process is that of all its tests.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::{Device, Tensor};
use flow_nn::{
    Condition, DitConfig, DynNetwork, MlpConfig, Network, NetworkConfig, Signature, Time,
    UNetConfig, init_seeded,
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

fn network(config: &impl NetworkConfig, again: bool) -> DynNetwork {
    let signature = Signature { classes: 3, ..Signature::of([1, SIDE, SIDE]) };
    let init = |device: &Device| config.init(&signature, device);
    let network = init_seeded(3, &Device::flex(), init).unwrap().train();
    let mut network = DynNetwork::new(network);
    assert!(network.recompute(again), "the network has blocks");
    network
}

fn numbers(count: usize, step: usize) -> Vec<f32> {
    (0..count).map(|i| (0.7 * (i + 31 * step) as f32).sin()).collect()
}

/// What some steps find: losses, gradients of the last one, and the most memory that one needed.
fn learned(config: &impl NetworkConfig, again: bool) -> (Vec<u32>, Vec<u32>, usize) {
    let device = Device::flex().autodiff();
    let mut network = network(config, again);
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

/// Trains with and without the key; what is kept of the memory is at most the share `most`.
fn compare(config: &impl NetworkConfig, most: f64) {
    let (losses, gradients, kept) = learned(config, false);
    let (others, same, again) = learned(config, true);
    assert_eq!(losses, others);
    assert!(gradients == same, "some gradients differ");
    // Gates are zero at first: only after some steps is there anything inside of a block to learn.
    let zeros = gradients.iter().filter(|&&bits| f32::from_bits(bits) == 0.0).count();
    assert!(zeros < gradients.len() / 10, "{zeros} of {} gradients are zero", gradients.len());
    let share = again as f64 / kept as f64;
    assert!(share < most, "{again} bytes in place of {kept}, the share {share}");
}

// One test: memory is that of the process, in which no other should work meanwhile.
#[test]
fn blocks_that_are_computed_again_have_the_same_gradients_and_take_less_memory() {
    // Of 12 blocks over 64 tokens one is held beside the inputs of all: about a fifth.
    compare(&DitConfig { hidden: 32, depth: 12, heads: 4, patch: 2, ..DitConfig::default() }, 0.5);
    // Of a residual block the input is kept, in place of four images.
    let blocks = UNetConfig {
        channels: 16,
        blocks: 4,
        attention: vec![],
        groups: 4,
        head_channels: 16,
        ..UNetConfig::default()
    };
    compare(&blocks, 0.5);

    // A network without blocks says so.
    let signature = Signature::of([2]);
    let mlp = MlpConfig::default().init(&signature, &Device::flex()).unwrap();
    assert!(!DynNetwork::new(mlp).recompute(true));
}
