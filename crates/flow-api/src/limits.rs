//! Limits on the cost of a request.

use crate::refused::Refused;

/// The most that a request may ask for; beyond it is refused in one sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Rows.
    pub n: usize,
    /// Steps of a solver or a sampler.
    pub steps: usize,
    /// Evaluations of the network for each answer: those of all steps together.
    pub evaluations: usize,
    /// Numbers of all rows and states of an answer.
    pub numbers: usize,
}

impl Default for Limits {
    /// 10,000 rows, 1,000 steps, 100,000 evaluations and 16 MiB of numbers, which as JSON are up to
    /// five times as much.
    fn default() -> Self {
        Self { n: 10_000, steps: 1_000, evaluations: 100_000, numbers: 1 << 22 }
    }
}

impl Limits {
    pub(crate) fn check_n(&self, n: usize) -> Result<(), Refused> {
        match n {
            0 => Err(Refused::bad("0 rows are asked for, ask for at least 1")),
            n if self.n < n => {
                let most = self.n;
                Err(Refused::bad(format!("{n} rows are asked for, at most {most} are given")))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn check_evaluations(&self, evaluations: usize) -> Result<(), Refused> {
        let most = self.evaluations;
        if most < evaluations {
            return Err(Refused::bad(format!(
                "{evaluations} evaluations of the network are asked for each answer, at most \
                 {most} are made: take fewer steps, or a method or a sampler with fewer in a step"
            )));
        }
        Ok(())
    }

    pub(crate) fn check_steps(&self, steps: usize) -> Result<(), Refused> {
        let most = self.steps;
        if most < steps {
            let sentence = format!("{steps} steps are asked for, at most {most} are taken");
            return Err(Refused::bad(sentence));
        }
        Ok(())
    }
}
