//! Signals that ask a training to stop.
//!
//! The first one lets it finish its step and write a checkpoint. Machines repeat theirs at once:
//! `timeout` and a closing terminal signal the process and its group, a service manager sends two
//! kinds. So a repetition changes nothing; only a person who presses Ctrl-C again, some time after
//! the first signal, ends the process without a checkpoint. A signal that was ignored when the
//! process began, as by `nohup`, stays ignored.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use flow_train::Interrupter;

/// Signals closer together than this count as one: a person needs longer between two presses of
/// Ctrl-C.
const ONE_PRESS: Duration = Duration::from_millis(400);

/// A request to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Ctrl-C.
    Int,
    Term,
    /// The terminal is gone.
    Hup,
}

impl Signal {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Int => "SIGINT",
            Self::Term => "SIGTERM",
            Self::Hup => "SIGHUP",
        }
    }

    fn number(self) -> u8 {
        match self {
            Self::Int => 2,
            Self::Term => 15,
            Self::Hup => 1,
        }
    }

    /// The exit code that shells give to a process which this signal has ended.
    pub(crate) fn exit_code(self) -> u8 {
        128 + self.number()
    }
}

/// The state of a training as far as signals are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Training,
    /// Asked to stop.
    Stopping {
        by: Signal,
        since: Instant,
    },
    /// With nothing left to save.
    Saved,
}

/// What is done about a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Stop,
    Nothing,
    Exit,
}

impl State {
    fn answer(self, signal: Signal, now: Instant) -> Answer {
        match self {
            Self::Training => Answer::Stop,
            Self::Saved => Answer::Exit,
            Self::Stopping { since, .. }
                if signal == Signal::Int && ONE_PRESS < now.duration_since(since) =>
            {
                Answer::Exit
            }
            Self::Stopping { .. } => Answer::Nothing,
        }
    }
}

/// Listens for signals during a training.
#[derive(Clone, Debug)]
pub(crate) struct Watch(Arc<Mutex<State>>);

impl Watch {
    /// Lets signals stop what `interrupter` interrupts; the first one is told to `stopping`.
    pub(crate) fn new(
        interrupter: &Interrupter,
        stopping: impl Fn(Signal) + Send + 'static,
    ) -> Result<Self> {
        let watch = Self(Arc::new(Mutex::new(State::Training)));
        let (listener, interrupter) = (watch.clone(), interrupter.clone());
        system::listen(move |signal| listener.take(signal, &interrupter, &stopping))
            .context("cannot watch for signals")?;
        Ok(watch)
    }

    /// Marks that everything is saved, and returns the signal that asked to stop before, if there
    /// was one.
    ///
    /// If there was one, the process ends by itself now, and a repeated signal must not end it
    /// before its last message. If there was none, the next signal ends the process.
    pub(crate) fn saved(&self) -> Option<Signal> {
        let mut state = self.state();
        match *state {
            State::Stopping { by, .. } => Some(by),
            State::Training | State::Saved => {
                *state = State::Saved;
                None
            }
        }
    }

    fn take(&self, signal: Signal, interrupter: &Interrupter, stopping: &impl Fn(Signal)) {
        let mut state = self.state();
        let now = Instant::now();
        match state.answer(signal, now) {
            Answer::Stop => {
                stopping(signal);
                interrupter.stop(Some(signal.name()));
                *state = State::Stopping { by: signal, since: now };
            }
            Answer::Nothing => {}
            Answer::Exit => std::process::exit(signal.exit_code().into()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(unix)]
mod system {
    use std::io;
    use std::ptr;
    use std::thread;

    use signal_hook::iterator::Signals;

    use super::Signal;

    /// Calls `act` in a thread of its own for each signal that was not ignored at the start.
    pub(super) fn listen(act: impl Fn(Signal) + Send + 'static) -> io::Result<()> {
        let all = [Signal::Int, Signal::Term, Signal::Hup];
        let heard = all.map(|signal| i32::from(signal.number()));
        let mut signals = Signals::new(heard.into_iter().filter(|&number| !is_ignored(number)))?;
        thread::Builder::new().name("signals".into()).spawn(move || {
            for number in signals.forever() {
                all.into_iter()
                    .filter(|signal| i32::from(signal.number()) == number)
                    .for_each(&act);
            }
        })?;
        Ok(())
    }

    #[expect(unsafe_code, reason = "POSIX tells it through C only")]
    fn is_ignored(number: i32) -> bool {
        // SAFETY: a `sigaction` of zeros is a valid one, and the call, which sets nothing because
        // its second argument is null, overwrites it with the present one.
        unsafe {
            let mut present: libc::sigaction = std::mem::zeroed();
            libc::sigaction(number, ptr::null(), &raw mut present) == 0
                && present.sa_sigaction == libc::SIG_IGN
        }
    }
}

#[cfg(not(unix))]
mod system {
    use super::Signal;

    /// Calls `act` in a thread of its own for each Ctrl-C.
    pub(super) fn listen(act: impl Fn(Signal) + Send + 'static) -> Result<(), ctrlc::Error> {
        ctrlc::set_handler(move || act(Signal::Int))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_second_ctrl_c_some_time_later_stops_at_once() {
        let since = Instant::now();
        for by in [Signal::Int, Signal::Term, Signal::Hup] {
            let stopping = State::Stopping { by, since };
            for again in [Signal::Int, Signal::Term, Signal::Hup] {
                assert_eq!(State::Training.answer(again, since), Answer::Stop);
                assert_eq!(State::Saved.answer(again, since), Answer::Exit);
                assert_eq!(stopping.answer(again, since), Answer::Nothing);
                let later = stopping.answer(again, since + 2 * ONE_PRESS);
                let ends = again == Signal::Int;
                assert_eq!(later, if ends { Answer::Exit } else { Answer::Nothing });
            }
        }
    }

    #[test]
    fn a_repetition_while_a_stopped_run_ends_changes_nothing() {
        let state = State::Stopping { by: Signal::Term, since: Instant::now() };
        let watch = Watch(Arc::new(Mutex::new(state)));
        assert_eq!(watch.saved(), Some(Signal::Term));
        assert_eq!(watch.state().answer(Signal::Hup, Instant::now()), Answer::Nothing);
        let watch = Watch(Arc::new(Mutex::new(State::Training)));
        assert_eq!(watch.saved(), None);
        assert_eq!(watch.state().answer(Signal::Hup, Instant::now()), Answer::Exit);
    }

    #[test]
    fn exit_codes_are_those_of_shells() {
        let codes = [Signal::Hup, Signal::Int, Signal::Term].map(Signal::exit_code);
        assert_eq!(codes, [129, 130, 143]);
    }
}
