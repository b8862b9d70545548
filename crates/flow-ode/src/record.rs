//! The record of each step: output, path, events, observers.

use crate::dense::Dense;
use crate::event::{Event, Occurrence};
use crate::field::{Counted, VectorField};
use crate::segment::Segment;
use crate::solution::{Accepted, Solution};
use crate::state::State;
use crate::stats::Stats;

/// A function called after each accepted step.
pub(crate) type Observer<'a, S> = Box<dyn FnMut(&Accepted<'_, S>) + 'a>;

/// What the caller wants to keep.
pub(crate) struct Wishes<'a, S> {
    pub(crate) times: Vec<f64>,
    pub(crate) path: bool,
    pub(crate) dense: bool,
    pub(crate) events: Vec<Event<'a, S>>,
    pub(crate) observers: Vec<Observer<'a, S>>,
}

/// Collects the solution step by step.
pub(crate) struct Record<'a, S> {
    wishes: Wishes<'a, S>,
    direction: f64,
    states: Vec<S>,
    path: Vec<(f64, S)>,
    dense: Option<Dense<S>>,
    occurrences: Vec<Occurrence<S>>,
    event_values: Vec<f64>,
    /// Whether all values inside steps were finite so far, where looking is free.
    finite: bool,
    stats: Stats,
}

/// Whether the solve goes on after a step.
pub(crate) enum Next<S> {
    Continue,
    /// A terminal event at this time and state.
    Stop(f64, S),
    /// A value inside the step is not finite, though that at its end is.
    NotFinite,
}

impl<'a, S: State> Record<'a, S> {
    pub(crate) fn new(wishes: Wishes<'a, S>, (t0, t1): (f64, f64), y0: &S) -> Self {
        let at_start = wishes.times.iter().take_while(|t| **t == t0).count();
        Self {
            direction: if t1 < t0 { -1.0 } else { 1.0 },
            states: vec![y0.clone(); at_start],
            path: if wishes.path { vec![(t0, y0.clone())] } else { Vec::new() },
            dense: wishes.dense.then(|| Dense::new(t0, y0.clone())),
            occurrences: Vec::new(),
            event_values: wishes.events.iter().map(|event| event.value(t0, y0)).collect(),
            finite: true,
            stats: Stats::default(),
            wishes,
        }
    }

    pub(crate) fn reject(&mut self) {
        self.stats.rejected += 1;
    }

    /// Steps attempted so far.
    pub(crate) fn attempts(&self) -> usize {
        self.stats.accepted + self.stats.rejected
    }

    /// Takes in an accepted step.
    pub(crate) fn accept<F: VectorField<S>>(
        &mut self,
        segment: &mut Segment<S>,
        field: &Counted<'_, F>,
    ) -> Next<S> {
        self.stats.accept(segment.interval.h());
        let stop = self.find_events(segment, field);
        let end = stop.as_ref().map_or(segment.interval.t1, |(t, _)| *t);
        self.keep_times(segment, field, end);
        if self.wishes.dense {
            segment.complete(field);
            self.finite &= !S::ON_HOST || segment.interpolates_finitely();
        }
        if !self.finite {
            return Next::NotFinite;
        }
        let y = stop.as_ref().map_or(&segment.y1, |(_, y)| y);
        if self.wishes.path {
            self.path.push((end, y.clone()));
        }
        let accepted =
            Accepted { index: self.stats.accepted - 1, t0: segment.interval.t0, t: end, y };
        for observe in &mut self.wishes.observers {
            observe(&accepted);
        }
        if let Some(dense) = &mut self.dense {
            dense.push(segment.clone(), end);
        }
        stop.map_or(Next::Continue, |(t, y)| Next::Stop(t, y))
    }

    /// Finds the events of a step, up to the first that ends the solve.
    fn find_events<F: VectorField<S>>(
        &mut self,
        segment: &mut Segment<S>,
        field: &Counted<'_, F>,
    ) -> Option<(f64, S)> {
        let mut found = Vec::new();
        for (index, event) in self.wishes.events.iter().enumerate() {
            let mut before = (segment.interval.t0, self.event_values[index]);
            let after = (segment.interval.t1, event.value(segment.interval.t1, &segment.y1));
            if before.1 == 0.0 && after.1 != 0.0 {
                segment.complete(field);
                before = event.just_inside(segment);
            }
            if event.crosses(before.1, after.1) {
                segment.complete(field);
                found.push((event.locate(segment, before, after), index));
            }
            self.event_values[index] = after.1;
        }
        found.sort_by(|(a, _), (b, _)| (a * self.direction).total_cmp(&(b * self.direction)));
        for (t, event) in found {
            let y = self.value_inside(segment, t);
            self.occurrences.push(Occurrence { event, t, y: y.clone() });
            if self.wishes.events[event].stops() {
                return Some((t, y));
            }
        }
        None
    }

    /// Interpolates at the requested times that lie in a step, up to `end`.
    fn keep_times<F: VectorField<S>>(
        &mut self,
        segment: &mut Segment<S>,
        field: &Counted<'_, F>,
        end: f64,
    ) {
        while let Some(&t) = self.wishes.times.get(self.states.len()) {
            if (t - end) * self.direction > 0.0 {
                break;
            }
            if t != segment.interval.t1 {
                segment.complete(field);
            }
            let y = self.value_inside(segment, t);
            self.states.push(y);
        }
    }

    fn value_inside(&mut self, segment: &Segment<S>, t: f64) -> S {
        let y = segment.at(t);
        self.finite &= !S::ON_HOST || y.all_finite();
        y
    }

    pub(crate) fn finish(self, t: f64, y: S, counts: Stats) -> Solution<S> {
        Solution {
            t,
            y,
            stats: self.stats.with_counts(counts),
            states: self.states,
            path: self.path,
            dense: self.dense,
            events: self.occurrences,
        }
    }
}
