//! The learning rate as burn-train asks for it: the next step's, and a count that is saved.

use burn::lr_scheduler::{LrScheduler, LrSchedulerRecord};

use crate::schedule::LearningRate;

/// Name of the count of steps in a file.
pub(crate) const NEXT: &str = "next";

/// A [`LearningRate`] that counts its steps, as burn-train wants it.
#[derive(Clone, Debug)]
pub(crate) struct Stepped {
    rate: LearningRate,
    next: usize,
}

impl Stepped {
    pub(crate) fn new(rate: LearningRate) -> Self {
        Self { rate, next: 0 }
    }
}

impl LrScheduler for Stepped {
    fn step(&mut self) -> f64 {
        let rate = self.rate.at(self.next);
        self.next += 1;
        rate
    }

    fn to_record(&self) -> LrSchedulerRecord {
        LrSchedulerRecord::new().with_scalar(NEXT, self.next as u64)
    }

    fn load_record(&mut self, record: LrSchedulerRecord) {
        if let Some(next) = record.scalar::<u64>(NEXT) {
            self.next = next as usize;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Decay;

    fn rate() -> LearningRate {
        LearningRate { peak: 2.0, warmup: 4, steps: 104, decay: Decay::Linear, floor: 0.1 }
    }

    #[test]
    fn a_restored_schedule_goes_on_where_it_stopped() {
        let mut whole = Stepped::new(rate());
        for _ in 0..10 {
            whole.step();
        }
        let mut restored = Stepped::new(rate());
        restored.load_record(whole.to_record());
        assert_eq!(restored.step().to_bits(), whole.step().to_bits());
    }
}
