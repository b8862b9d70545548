//! The law of the two times of a flow map: which rows of a batch jump, from where to where.

use flow_path::Times;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

use crate::flow_matching::FlowMatching;

/// The law of the times `t <= s` of the rows of a batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pairs {
    /// Fraction of the rows, the last ones, that jump from `t` to a later `s`; the others have
    /// `s = t`, so that they learn the velocity.
    pub share: f64,
    /// Where a jump starts and where it arrives.
    pub jump: Jump,
}

/// The law of the start and the end of a jump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Jump {
    /// Two draws of the law of times: the earlier one is the start.
    Drawn,
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

impl Pairs {
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
        let (start, end) = matching.span();
        let mut t = t.as_slice().to_vec();
        t.shuffle(rng);
        let mut s = t.clone();
        let first = t.len() - self.jumps(t.len());
        let jumps = t[first..].iter_mut().zip(&mut s[first..]);
        match self.jump {
            Jump::Drawn => {
                let other = matching.times.sample(jumps.len(), rng).scaled_to((start, end));
                for ((t, s), other) in jumps.zip(other.iter()) {
                    (*t, *s) = (t.min(other), t.max(other));
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
