//! A multistep sampler keeps the predictions of its order, however many steps it takes. Alone in
//! its file: the memory of a process is that of all its tests.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use burn::tensor::{Device, Tensor};
use flow_path::{Linear, Prediction, Schedule};
use flow_sample::{Final, Predictor, Sampler, UniPc, UniPcOrder, Way};

/// Answers the same data at every point, on tensors of 4 MiB.
struct Still;

impl Predictor for Still {
    fn schedule(&self) -> &dyn Schedule {
        &Linear { sigma_min: 0.0 }
    }

    fn predict(&self, what: Prediction, x: &Tensor<2>, t: f64) -> Tensor<2> {
        let data = x.clone() * 0.5 + 0.1;
        Prediction::Data.convert_tensor(what, data, x.clone(), &self.schedule().at(t))
    }
}

/// The largest memory that the process has held so far, in MiB.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

#[test]
fn memory_does_not_grow_with_the_number_of_steps() {
    let sample = |steps: usize| {
        let unipc = UniPc { order: UniPcOrder::Third, last: Final::FullOrder };
        let x0 = Tensor::ones([1024, 1024], &Device::flex());
        drop(unipc.sample(&Still, x0, &Way::steps(steps)).unwrap());
        peak()
    };
    let (few, many) = (sample(10), sample(100));
    // 90 further predictions would be 360 MiB.
    assert!(many - few < 60.0, "{few} MiB with 10 steps, {many} MiB with 100");
}
