//! Progress of long work: a bar on a terminal that can draw one, else a line from time to time.

use std::time::{Duration, Instant};

use flow_run::{Meter, time_left};
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};

/// Time before the first line where there is no bar, so that short work prints none.
const FIRST: Duration = Duration::from_secs(1);

/// Time between two lines where there is no bar.
const EVERY: Duration = Duration::from_secs(10);

/// Progress of something that has a number of parts.
#[derive(Debug)]
pub(crate) struct Bar {
    /// Prints a line where there is no bar.
    say: fn(&str),
    shown: ProgressBar,
    /// The word for the parts, such as `steps`.
    things: &'static str,
    start: usize,
    total: usize,
    began: Instant,
    said: Option<Instant>,
}

impl Bar {
    /// Goes on from `start` of `total` things.
    pub(crate) fn new(say: fn(&str), start: usize, total: usize, things: &'static str) -> Self {
        let bar = ProgressBar::new(total as u64).with_position(start as u64);
        let template =
            format!("  {{bar:32}} {{pos}}/{{len}} {things}  {{elapsed}} < {{eta}}  {{msg}}");
        bar.set_style(ProgressStyle::with_template(&template).expect("the template is valid"));
        Self { say, shown: bar, things, start, total, began: Instant::now(), said: None }
    }
}

impl Meter for Bar {
    fn at(&mut self, done: usize, message: &str) {
        self.shown.set_position(done as u64);
        self.shown.set_message(message.to_owned());
        let due = self.said.map_or(FIRST < self.began.elapsed(), |said| EVERY < said.elapsed());
        // A pipe, a file and a terminal that cannot move its cursor hide the bar.
        if self.shown.is_hidden() && due && done < self.total {
            self.said = Some(Instant::now());
            let left = time_left(self.began.elapsed(), self.start, done, self.total)
                .map_or_else(String::new, |left| format!("  {} left", HumanDuration(left)));
            (self.say)(&format!("  {done} of {} {}{left}  {message}", self.total, self.things));
        }
    }
}
