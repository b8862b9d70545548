//! Settings of a server: address, token, limits.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::error::ServeError;

/// The most that a request may ask for; beyond it is refused in one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Rows of a request.
    pub n: usize,
    /// Steps of a solver or a sampler.
    pub steps: usize,
    /// Bytes of a body.
    pub body: usize,
    /// Requests that wait, are read or are computed at once.
    pub queue: usize,
    /// How long a request may take, its wait included; more than a day is a day.
    pub time: Duration,
    /// Connections at once; further ones wait to be taken.
    pub connections: usize,
    /// How long a client may take to send a header or a body, to read some more of its answer, or
    /// to ask again on the same connection; more than a day is a day.
    pub patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            n: 10_000,
            steps: 1_000,
            body: 2 << 20,
            queue: 64,
            time: Duration::from_mins(1),
            connections: 512,
            patience: Duration::from_secs(10),
        }
    }
}

/// The most seconds that a request or a client may take: a day.
const LONGEST: f64 = 86_400.0;

impl Limits {
    /// How long a request may take, of seconds as they are typed.
    ///
    /// # Errors
    /// For what is no number of seconds from 0 to a day.
    pub fn time_of(seconds: f64) -> Result<Duration, ServeError> {
        if (0.0..=LONGEST).contains(&seconds) {
            return Ok(Duration::from_secs_f64(seconds));
        }
        Err(ServeError::Time { seconds, longest: LONGEST })
    }

    /// The same with times that a clock can count to.
    pub(crate) fn within_a_day(self) -> Self {
        let day = Duration::from_secs_f64(LONGEST);
        Self { time: self.time.min(day), patience: self.patience.min(day), ..self }
    }

    /// Places for requests, as many as can be counted.
    pub(crate) fn most_requests(&self) -> u32 {
        u32::try_from(self.queue).unwrap_or(u32::MAX)
    }

    /// Places for connections, as many as can be counted.
    pub(crate) fn most_connections(&self) -> u32 {
        u32::try_from(self.connections).unwrap_or(u32::MAX)
    }
}

/// Limits, and who may ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The most that a request may ask for.
    pub limits: Limits,
    /// What requests must carry as `Authorization: Bearer TOKEN`. Without a token none is required,
    /// and only requests for `localhost` or for an address are answered: a page of another site
    /// might have let its own name point to this machine.
    pub token: Option<String>,
}

impl Settings {
    /// Refuses to listen to other machines without a token, and limits that nothing can meet.
    ///
    /// # Errors
    /// With what to change.
    pub fn check(&self, address: SocketAddr) -> Result<(), ServeError> {
        let Limits { n, steps, body, queue, time, connections, patience } = &self.limits;
        for (name, zero) in [
            ("max-n", *n == 0),
            ("max-steps", *steps == 0),
            ("max-body", *body == 0),
            ("max-queue", *queue == 0),
            ("timeout", time.is_zero()),
            ("the number of connections", *connections == 0),
            ("patience", patience.is_zero()),
        ] {
            if zero {
                return Err(ServeError::Zero { name });
            }
        }
        match &self.token {
            Some(token)
                if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) =>
            {
                Err(ServeError::Token)
            }
            None if !is_loopback(address.ip()) => Err(ServeError::Open { address: address.ip() }),
            _ => Ok(()),
        }
    }
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}
