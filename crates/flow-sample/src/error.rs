//! Errors of sampling.

use flow_ode::UnknownMethod;

/// Two bounds in words.
fn domain(low: f64, high: f64) -> String {
    if high < f64::MAX {
        format!("lie in [{}, {}]", short(low), short(high))
    } else if low <= f64::MIN {
        "be a finite number".into()
    } else if low <= 0.0 {
        "be zero or a positive number".into()
    } else if low <= f64::MIN_POSITIVE {
        "be a positive number".into()
    } else {
        format!("be at least {low}")
    }
}

/// A number without a row of zeros.
fn short(number: f64) -> String {
    if number != 0.0 && !(1e-4..1e7).contains(&number.abs()) {
        format!("{number:e}")
    } else {
        number.to_string()
    }
}

/// An error of a sampler.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SampleError {
    /// The solver gave up.
    #[error("the solver stopped: {reason}")]
    Solver {
        /// The solver's own message, with its time and step.
        reason: String,
    },
    /// A solver's name is unknown.
    #[error(transparent)]
    Method(#[from] UnknownMethod),
    /// A grid without a step.
    #[error("a grid of {times} times holds no step, give at least two times or one step")]
    ShortGrid {
        /// Number of times.
        times: usize,
    },
    /// A grid that does not increase.
    #[error(
        "time {index} of the grid is {t} and the one before it is {before}, give increasing times \
         within the noise levels of the schedule"
    )]
    GridOrder {
        /// Index in the grid.
        index: usize,
        /// The time there.
        t: f64,
        /// The time before it.
        before: f64,
    },
    /// A time at which the predictor does not answer.
    #[error("t = {t} of the grid lies outside the predictor's [{start}, {end}], move it inside")]
    OutsideSpan {
        /// The time.
        t: f64,
        /// First time of the predictor.
        start: f64,
        /// Last time of the predictor.
        end: f64,
    },
    /// A parameter outside its domain.
    #[error("{name} is {value}: it must {}", domain(*low, *high))]
    Parameter {
        /// The parameter.
        name: &'static str,
        /// The value given.
        value: f64,
        /// Least value allowed.
        low: f64,
        /// Largest value allowed.
        high: f64,
    },
    /// A step from pure noise, by a formula that divides by the share of the data.
    #[error("at t = {t} there is only noise, where this sampler is singular, start the grid later")]
    PureNoise {
        /// The time.
        t: f64,
    },
    /// A jump was requested of a predictor that is no flow map.
    #[error(
        "this sampler jumps along a flow map, which answers to questions do not follow and a model of \
         one time does not have: choose another sampler, or train a network of two times with a loss \
         for flow maps"
    )]
    NoFlowMap,
    /// A sample is not made of finite numbers.
    #[error(
        "sample {row} is not finite at t = {t}: look for NaN or infinity in its start and in the \
         network's weights; if all are finite, the steps are too long for this field, take more \
         of them"
    )]
    NotFinite {
        /// The row of the batch.
        row: usize,
        /// The time.
        t: f64,
    },
    /// The density of the law that paths start from is not one.
    #[error(
        "the log-density of sample {row} is {value}, because that of the source is so where the \
         flow takes it; check `log_density` of the source there"
    )]
    Density {
        /// The row of the batch.
        row: usize,
        /// The value.
        value: f64,
    },
    /// Paths that start from data, whose density is not known.
    #[error("paths of this model start from data, which have no density to be carried along")]
    NoDensity,
    /// More answers than are held in memory.
    #[error(
        "{draws} answers are asked for to each of {questions} questions, and at most {most} of \
         rows of {size} numbers are held: ask for fewer at a time, with other seeds"
    )]
    TooManyDraws {
        /// Answers that were asked for.
        draws: usize,
        /// Questions.
        questions: usize,
        /// Numbers of a row.
        size: usize,
        /// The most answers to each question.
        most: usize,
    },
    /// Answers that a watcher ended.
    #[error("the answers were given up at t = {t}")]
    Stopped {
        /// The time.
        t: f64,
    },
    /// An observation that is not made of numbers.
    #[error(
        "row {row} of the observation holds NaN or infinity among what is seen: leave such \
         entries out by a mask"
    )]
    Observation {
        /// The row of the observation.
        row: usize,
    },
    /// Counts that cannot be.
    #[error(
        "row {row} of the observation holds a number that is no count, which are whole and zero or \
         more: give the counts themselves, or noise that is normal"
    )]
    NoCount {
        /// The row of the observation.
        row: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_said_in_words() {
        for (low, high, words) in [
            (0.0, 1.0, "lie in [0, 1]"),
            (1e-12, 1e12, "lie in [1e-12, 1e12]"),
            (f64::MIN_POSITIVE, f64::MAX, "be a positive number"),
            (0.0, f64::MAX, "be zero or a positive number"),
            (1.0, f64::MAX, "be at least 1"),
            (f64::MIN, f64::MAX, "be a finite number"),
        ] {
            assert_eq!(domain(low, high), words);
        }
    }
}
