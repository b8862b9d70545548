//! The learning rate as a function of the step.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

/// What happens after the warm-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decay {
    /// Stays at the peak.
    Constant,
    /// Falls linearly to `floor * peak` at the last step.
    Linear,
    /// Falls along half a cosine to `floor * peak` at the last step
    /// (Loshchilov & Hutter 2017, arXiv:1608.03983, equation 5 without restarts).
    #[default]
    Cosine,
}

/// A linear warm-up to `peak`, then a [`Decay`].
///
/// One step has the peak, and with a decay the last one has the floor; a run of no more steps than
/// the warm-up ends within it. Numbers that are not finite go through:
/// [`Plan::check`](crate::Plan::check) refuses them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LearningRate {
    /// Highest learning rate.
    pub peak: f64,
    /// Steps of the warm-up; step `s < warmup` has `peak (s + 1) / warmup`.
    pub warmup: usize,
    /// Steps of the run.
    pub steps: usize,
    /// What happens after the warm-up.
    pub decay: Decay,
    /// Last learning rate as a fraction of the peak.
    pub floor: f64,
}

impl LearningRate {
    /// The learning rate of `step`, counted from 0.
    #[must_use]
    pub fn at(&self, step: usize) -> f64 {
        if step < self.warmup {
            return self.peak * (step + 1) as f64 / self.warmup as f64;
        }
        // The last step of the warm-up has the peak, without one the first step.
        let peak = self.warmup.saturating_sub(1);
        let left = self.steps.saturating_sub(1 + peak).max(1) as f64;
        let progress = ((step - peak) as f64 / left).min(1.0);
        let height = match self.decay {
            Decay::Constant => 1.0,
            Decay::Linear => 1.0 - progress,
            Decay::Cosine => 0.5 * (1.0 + (PI * progress).cos()),
        };
        self.peak * (self.floor + (1.0 - self.floor) * height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(decay: Decay) -> LearningRate {
        LearningRate { peak: 2.0, warmup: 4, steps: 104, decay, floor: 0.1 }
    }

    #[test]
    fn warm_up_is_linear_and_reaches_the_peak() {
        let values: Vec<f64> = (0..4).map(|s| rate(Decay::Cosine).at(s)).collect();
        assert_eq!(values, [0.5, 1.0, 1.5, 2.0]);
    }

    #[test]
    fn one_step_has_the_peak_and_the_last_one_the_floor() {
        let of = |warmup, steps| {
            let rate = LearningRate { peak: 2.0, warmup, steps, decay: Decay::Linear, floor: 0.0 };
            (0..steps).map(|step| rate.at(step)).collect::<Vec<_>>()
        };
        assert_eq!(of(2, 6), [1.0, 2.0, 1.5, 1.0, 0.5, 0.0]);
        assert_eq!(of(1, 5), [2.0, 1.5, 1.0, 0.5, 0.0]);
        assert_eq!(of(0, 5), [2.0, 1.5, 1.0, 0.5, 0.0]);
        assert_eq!(of(0, 1), [2.0]);
        assert_eq!(of(4, 2), [0.5, 1.0]);
    }

    #[test]
    fn decays_end_at_the_floor_and_pass_the_middle() {
        for (decay, middle, end) in
            [(Decay::Constant, 2.0, 2.0), (Decay::Linear, 1.1, 0.2), (Decay::Cosine, 1.1, 0.2)]
        {
            // From the peak at step 3 to the last step, 103.
            assert!((rate(decay).at(53) - middle).abs() < 1e-12, "{decay:?}");
            assert!((rate(decay).at(103) - end).abs() < 1e-12, "{decay:?}");
        }
    }
}
