//! Signals that ask a training to stop, and what is done about them.
//!
//! The first one lets it finish its step and write a checkpoint. Machines repeat theirs at once:
//! `timeout` and a closing terminal signal the process and its group, a service manager sends two
//! kinds. So a repetition changes nothing; only a person who presses Ctrl-C again, some time after
//! the first signal, ends the process without a checkpoint.
//!
//! A [`Watch`] listens. Nothing here ends a process: that is left to the program.

mod watch;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::lock::Lock;
pub use watch::Watch;

/// Signals closer together than this count as one: a person needs longer between two presses of
/// Ctrl-C.
const ONE_PRESS: Duration = Duration::from_millis(400);

/// A request to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C.
    Int,
    /// The usual request to end.
    Term,
    /// The terminal is gone.
    Hup,
}

impl Signal {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Int, Self::Term, Self::Hup];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Int => "SIGINT",
            Self::Term => "SIGTERM",
            Self::Hup => "SIGHUP",
        }
    }

    /// Its number, which POSIX fixes.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Int => 2,
            Self::Term => 15,
            Self::Hup => 1,
        }
    }

    /// The signal of a number, if it is one that asks to stop.
    #[must_use]
    pub fn of_number(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|signal| i32::from(signal.number()) == number)
    }

    /// Whether this process ignores it, as one that `nohup` started ignores the end of its
    /// terminal.
    #[cfg(unix)]
    #[must_use]
    #[expect(unsafe_code, reason = "POSIX tells it through C only")]
    pub fn is_ignored(self) -> bool {
        // SAFETY: a `sigaction` of zeros is a valid one, and the call, which sets nothing because
        // its second argument is null, overwrites it with the present one.
        unsafe {
            let mut present: libc::sigaction = std::mem::zeroed();
            libc::sigaction(self.number().into(), std::ptr::null(), &raw mut present) == 0
                && present.sa_sigaction == libc::SIG_IGN
        }
    }

    /// The exit code that shells give to a process which this signal has ended.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        128 + self.number()
    }
}

/// The state of a training as far as signals are concerned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stopping {
    /// Nobody has asked.
    #[default]
    NotAsked,
    /// Asked to stop.
    Asked {
        /// By this signal.
        by: Signal,
        /// At this moment.
        since: Instant,
    },
    /// With nothing left to save.
    Saved,
}

/// What is done about a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The training stops after its step.
    Stop,
    /// It is asked already.
    Nothing,
    /// The process ends at once.
    Exit,
}

impl Stopping {
    /// What to do about a signal that comes `now`, which is remembered.
    pub fn answer(&mut self, signal: Signal, now: Instant) -> Answer {
        match *self {
            Self::NotAsked => {
                *self = Self::Asked { by: signal, since: now };
                Answer::Stop
            }
            Self::Saved => Answer::Exit,
            Self::Asked { since, .. }
                if signal == Signal::Int && ONE_PRESS < now.duration_since(since) =>
            {
                Answer::Exit
            }
            Self::Asked { .. } => Answer::Nothing,
        }
    }

    /// Marks that everything is saved, and returns the signal that asked to stop before, if there
    /// was one.
    ///
    /// If there was one, the process ends by itself now, and a repeated signal must not end it
    /// before its last message. If there was none, the next signal ends the process.
    pub fn saved(&mut self) -> Option<Signal> {
        match *self {
            Self::Asked { by, .. } => Some(by),
            Self::NotAsked | Self::Saved => {
                *self = Self::Saved;
                None
            }
        }
    }
}

/// A training was stopped by a signal after it wrote a checkpoint, or before its first step.
#[derive(Debug, thiserror::Error)]
#[error(
    "interrupted by {} after {step} steps, go on with `flow train --resume {}`",
    by.name(),
    run.display()
)]
pub struct Interrupted {
    /// The signal.
    pub by: Signal,
    /// Steps done.
    pub step: usize,
    /// The folder of the run.
    pub run: PathBuf,
}

/// What a process says when a signal asks its training of `run` to stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// What the first process says.
    Calmly(String),
    /// What another one must say, because the first cannot.
    Urgently(String),
    /// Another process speaks.
    Nothing,
}

impl Told {
    /// What the process `rank` of `size` says.
    ///
    /// A launcher signals all processes when one of them has died, and ends them soon after; nobody
    /// tells them which. The second process speaks where the first is the one that has.
    #[must_use]
    pub fn of(signal: Signal, rank: usize, size: usize, run: &Path) -> Self {
        let (signal, folder) = (signal.name(), run.display());
        match (rank, size) {
            (0, 1) => Self::Calmly(format!(
                "{signal}: stopping after this step, press Ctrl-C again to stop at once"
            )),
            (0, _) => Self::Calmly(format!(
                "{signal}: stopping {size} processes after this step, unless one of them has died: \
                 then go on from the last checkpoint with `flow train --resume {folder}`"
            )),
            (1, _) if !Lock::is_held(run) => Self::Urgently(format!(
                "{signal}: process 0 has died, go on from its last checkpoint with `flow train \
                 --resume {folder}`"
            )),
            _ => Self::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_second_ctrl_c_some_time_later_stops_at_once() {
        let since = Instant::now();
        for by in Signal::ALL {
            for again in Signal::ALL {
                assert_eq!(Stopping::Saved.answer(again, since), Answer::Exit);
                let mut state = Stopping::default();
                assert_eq!(state.answer(by, since), Answer::Stop);
                assert_eq!(state, Stopping::Asked { by, since });
                assert_eq!(state.answer(again, since), Answer::Nothing);
                let later = state.answer(again, since + 2 * ONE_PRESS);
                let ends = again == Signal::Int;
                assert_eq!(later, if ends { Answer::Exit } else { Answer::Nothing });
            }
        }
    }

    #[test]
    fn a_repetition_while_a_stopped_run_ends_changes_nothing() {
        let mut state = Stopping::Asked { by: Signal::Term, since: Instant::now() };
        assert_eq!(state.saved(), Some(Signal::Term));
        assert_eq!(state.answer(Signal::Hup, Instant::now()), Answer::Nothing);
        let mut state = Stopping::default();
        assert_eq!(state.saved(), None);
        assert_eq!(state.answer(Signal::Hup, Instant::now()), Answer::Exit);
    }

    #[test]
    fn one_process_speaks_and_the_second_where_the_first_has_died() {
        let nobody = Path::new("no-such-run");
        let said = |rank, size| Told::of(Signal::Term, rank, size, nobody);
        assert!(matches!(said(0, 1), Told::Calmly(text) if text.starts_with("SIGTERM: stopping")));
        assert!(matches!(said(0, 2), Told::Calmly(text) if text.contains("2 processes")));
        assert!(matches!(said(1, 2), Told::Urgently(text) if text.contains("no-such-run")));
        assert_eq!(said(2, 3), Told::Nothing);
    }

    #[test]
    fn exit_codes_are_those_of_shells() {
        let codes = [Signal::Hup, Signal::Int, Signal::Term].map(Signal::exit_code);
        assert_eq!(codes, [129, 130, 143]);
        assert_eq!(Signal::of_number(15), Some(Signal::Term));
        assert_eq!(Signal::of_number(9), None);
    }
}
