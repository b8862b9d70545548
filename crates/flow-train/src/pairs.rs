//! The law of the two times of a flow map: which rows of a batch jump, from where to where.

use flow_path::config::{Check, within};
use flow_path::{PathError, TimeSampler, Times, TimesConfig, choices};
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

use crate::flow_matching::FlowMatching;

/// The law of the times `t <= s` of the rows of a batch.
///
/// A loss has one of its own, [`Objective::pairs`](crate::Objective::pairs), and
/// [`OtherPairs`](crate::OtherPairs) gives it another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pairs {
    /// Fraction of the rows, the last ones, that jump from `t` to a later `s`; the others have
    /// `s = t`, so that they learn the velocity.
    pub share: f64,
    /// Where a jump starts and where it arrives.
    pub jump: Jump,
    /// Law of the times of jumps that draw some; the law of all times, [`FlowMatching::times`], if
    /// there is none.
    pub times: Option<TimesConfig>,
}

/// The law of the start and the end of a jump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Jump {
    /// Two draws of the law of times: the earlier one is the start.
    Drawn,
    /// From a draw of the law of times to an end that is uniform between it and the data.
    Onward,
    /// A length of `1, 1/2, 1/4, .. 2/steps` of the way, each as likely as the others, from one of
    /// its multiples, each as likely.
    Dyadic {
        /// Steps of the finest grid, a power of two above one.
        steps: usize,
    },
    /// From a draw of the law of times to the data.
    ToEnd,
    /// From the noise to the data.
    Whole,
}

choices! {
    impl Jump {
        /// two draws of the law of times, the earlier one first
        "drawn" => Drawn,
        /// from one draw to an end that is uniform between it and the data
        "onward" => Onward,
        /// powers of two of the way, from a multiple of them: that of shortcut
        "dyadic" => Dyadic { steps = 128 },
        /// from one draw to the data
        "to-end" => ToEnd,
        /// from the noise to the data: that of distillation
        "whole" => Whole,
    }
}

impl Check for Jump {
    fn check(&self) -> Result<(), PathError> {
        let Self::Dyadic { steps } = *self else { return Ok(()) };
        let fits = 1 < steps && steps.is_power_of_two();
        within("steps", steps as f64, fits, "the powers of two above 1")
    }
}

impl Jump {
    /// Whether it draws times, so that it has any use for a law of them.
    #[must_use]
    pub fn draws_times(self) -> bool {
        matches!(self, Self::Drawn | Self::Onward | Self::ToEnd)
    }
}

impl Pairs {
    /// So large a share of jumps by a law, at the times of all rows.
    pub(crate) fn new(share: f64, jump: Jump) -> Self {
        Self { share, jump, times: None }
    }

    /// Whether some rows stay, from which the velocity is learned. Without them a map has no
    /// velocity to solve for, to take densities of or to guide.
    #[must_use]
    pub fn learns_velocity(self) -> bool {
        self.share < 1.0
    }

    /// How many rows of a batch jump.
    pub(crate) fn jumps(self, rows: usize) -> usize {
        ((self.share * rows as f64).round() as usize).min(rows)
    }

    /// The two times of all rows, given one time for each by the law of times.
    ///
    /// These are shuffled: a law that covers the unit interval in the order of the batch would
    /// otherwise have its late times jump and no others.
    pub(crate) fn draw(
        self,
        t: Times,
        matching: &FlowMatching,
        rng: &mut dyn Rng,
    ) -> (Times, Times) {
        let span @ (start, end) = matching.span();
        let mut t = t.as_slice().to_vec();
        t.shuffle(rng);
        let mut s = t.clone();
        let first = t.len() - self.jumps(t.len());
        let own = self.times.map(|law| law.build(&matching.schedule));
        let law: &dyn TimeSampler = own.as_deref().unwrap_or(&*matching.times);
        if own.is_some() && self.jump.draws_times() {
            let starts = law.sample(t.len() - first, rng).scaled_to(span);
            t[first..].copy_from_slice(starts.as_slice());
        }
        let jumps = t[first..].iter_mut().zip(&mut s[first..]);
        match self.jump {
            Jump::Drawn => {
                let other = law.sample(jumps.len(), rng).scaled_to(span);
                for ((t, s), other) in jumps.zip(other.iter()) {
                    (*t, *s) = (t.min(other), t.max(other));
                }
            }
            Jump::Onward => {
                for (t, s) in jumps {
                    let part = 1.0 - rng.random::<f64>(); // above 0, so that no jump stays
                    *s = *t + (end - *t) * part;
                }
            }
            Jump::Dyadic { steps } => {
                let lengths = steps.ilog2();
                for (t, s) in jumps {
                    let count = 1_usize << rng.random_range(0..lengths);
                    let index = rng.random_range(0..count);
                    let at = |k: usize| start + (end - start) * k as f64 / count as f64;
                    (*t, *s) = (at(index), at(index + 1));
                }
            }
            Jump::ToEnd => jumps.for_each(|(_, s)| *s = end),
            Jump::Whole => jumps.for_each(|(t, s)| (*t, *s) = (start, end)),
        }
        (Times::new(t), Times::new(s))
    }
}
