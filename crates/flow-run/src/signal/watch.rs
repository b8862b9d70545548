//! Listens for signals that ask a training to stop.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use flow_train::Interrupter;

use super::{Answer, Signal, Stopping};
use crate::error::RunError;

/// Listens for signals during a training.
///
/// What is done about them is [`Stopping`]'s. A signal that was ignored when the process began, as
/// by `nohup`, stays ignored.
#[derive(Clone, Debug, Default)]
pub struct Watch(Arc<Mutex<Stopping>>);

impl Watch {
    /// Lets signals stop what `interrupter` interrupts. The one that stops it is told to `stopping`
    /// before; what comes when the process is to end at once is told to `exit`, which ends it.
    ///
    /// # Errors
    /// When the system lets nobody listen.
    pub fn new(
        interrupter: &Interrupter,
        stopping: impl Fn(Signal) + Send + 'static,
        exit: impl Fn(Signal) + Send + 'static,
    ) -> Result<Self, RunError> {
        let watch = Self::default();
        let (listener, interrupter) = (watch.clone(), interrupter.clone());
        // The state stays locked until the training is told to stop.
        let take = move |signal: Signal| {
            let mut state = listener.state();
            match state.answer(signal, Instant::now()) {
                Answer::Stop => {
                    stopping(signal);
                    interrupter.stop(Some(signal.name()));
                }
                Answer::Nothing => {}
                Answer::Exit => exit(signal),
            }
        };
        system::listen(take).map_err(RunError::io("cannot watch for signals"))?;
        Ok(watch)
    }

    /// Marks that everything is saved, and returns the signal that asked to stop before, if there
    /// was one.
    #[must_use]
    pub fn saved(&self) -> Option<Signal> {
        self.state().saved()
    }

    fn state(&self) -> MutexGuard<'_, Stopping> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(unix)]
mod system {
    use std::io;
    use std::thread;

    use signal_hook::iterator::Signals;

    use super::Signal;

    /// Calls `act` in a thread of its own for each signal that was not ignored at the start.
    pub(super) fn listen(act: impl Fn(Signal) + Send + 'static) -> io::Result<()> {
        let heard = Signal::ALL.into_iter().filter(|signal| !signal.is_ignored());
        let mut signals = Signals::new(heard.map(|signal| i32::from(signal.number())))?;
        thread::Builder::new().name("signals".into()).spawn(move || {
            for number in signals.forever() {
                Signal::of_number(number).into_iter().for_each(&act);
            }
        })?;
        Ok(())
    }
}

#[cfg(not(unix))]
mod system {
    use std::io;

    use super::Signal;

    /// Calls `act` in a thread of its own for each Ctrl-C.
    pub(super) fn listen(act: impl Fn(Signal) + Send + 'static) -> io::Result<()> {
        ctrlc::set_handler(move || act(Signal::Int)).map_err(io::Error::other)
    }
}
