//! Whatever is asked of it, a solve ends, returns finite numbers or a named error, and never
//! panics: thousands of problems and settings drawn from a seed.
#![allow(
    clippy::float_cmp,
    clippy::unwrap_used,
    reason = "tests claim equality to the last bit and stop at the first failure"
)]

use std::cell::Cell;

use flow_ode::{
    Adaptive, Controller, ErrorWeights, Event, Method, Norm, OdeError, Problem, Stepping,
    Tolerance, solve_rows,
};

/// A generator of 64 bits: Steele, Lea & Flood (2014), "Fast splittable pseudorandom number
/// generators".
struct Draw(u64);

impl Draw {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.bits().is_multiple_of(n)
    }

    fn among<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[(self.bits() % choices.len() as u64) as usize]
    }

    /// A number of either sign and any size, now and then one that is none.
    fn number(&mut self) -> f64 {
        match self.bits() % 24 {
            0 => 0.0,
            1 => *self.among(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY]),
            2 => *self.among(&[f64::MAX, f64::MIN_POSITIVE, 1e-300, -1e300, 5e-324]),
            3..=6 => {
                10f64.powf(40.0 * self.unit() - 20.0) * if self.one_in(2) { 1.0 } else { -1.0 }
            }
            _ => 4.0 * self.unit() - 2.0,
        }
    }

    /// Mostly a sensible tolerance.
    fn tolerance(&mut self) -> f64 {
        if self.one_in(12) { self.number() } else { 10f64.powf(-12.0 * self.unit()) }
    }

    fn times(&mut self, (t0, t1): (f64, f64)) -> Vec<f64> {
        let n = self.bits() % 6;
        let mut times: Vec<f64> = (0..n)
            .map(|_| match self.bits() % 12 {
                0 => t0,
                1 => t1,
                2 => self.number(),
                _ => t0 + (t1 - t0) * self.unit(),
            })
            .collect();
        if !self.one_in(8) {
            times.sort_by(|a, b| if t0 <= t1 { a.total_cmp(b) } else { b.total_cmp(a) });
        }
        times
    }

    fn adaptive(&mut self, span: (f64, f64)) -> Adaptive {
        let tol = Tolerance { atol: self.tolerance(), rtol: self.tolerance() };
        let mut adaptive =
            Adaptive::new(tol).with_max_steps(*self.among(&[0, 1, 3, 300, 300, 300]));
        if self.one_in(3) {
            let [p, i, d] =
                [(); 3].map(|()| if self.one_in(8) { self.number() } else { self.unit() });
            let controller = Controller::pid(p, i, d);
            let controller =
                if self.one_in(3) { controller.with_safety(self.number()) } else { controller };
            adaptive = adaptive.with_controller(if self.one_in(3) {
                controller.with_factors(self.number(), self.number())
            } else {
                controller
            });
        }
        if self.one_in(4) {
            adaptive = adaptive.with_first_step(self.number().abs());
        }
        if self.one_in(4) {
            adaptive = adaptive.with_max_step(self.number());
        }
        if self.one_in(3) {
            adaptive = adaptive.with_jumps(self.times(span));
        }
        if self.one_in(2) {
            adaptive = adaptive.with_norm(Norm::WorstSample);
        }
        if self.one_in(2) {
            adaptive = adaptive.with_error_weights(ErrorWeights::Hairer);
        }
        adaptive
    }

    fn stepping(&mut self, span: (f64, f64)) -> Stepping {
        match self.bits() % 6 {
            0 => Stepping::Count((self.bits() % 50) as usize),
            1 => Stepping::Size((span.1 - span.0).abs() * self.unit().max(1e-3)),
            2 => {
                let (h, length) = (self.number(), (span.1 - span.0).abs());
                // A size that asks for a million steps gets them, which is no fault.
                let steps = length / h;
                Stepping::Size(if (1e3..1e10).contains(&steps) { length / 1e3 } else { h })
            }
            3 => {
                let mut grid = self.times(span);
                grid.insert(0, span.0);
                grid.push(span.1);
                if self.one_in(2) {
                    grid.dedup();
                }
                Stepping::Grid(grid)
            }
            _ => self.adaptive(span).into(),
        }
    }

    fn span(&mut self) -> (f64, f64) {
        let t0 = self.number();
        let t1 = match self.bits() % 8 {
            0 => t0,
            1 => t0.next_up(),
            2 => self.number(),
            _ => t0 + 4.0 * self.unit() - 2.0,
        };
        (t0, t1)
    }
}

/// A field of one of ten kinds, tame and wild.
fn slope(kind: u64, k: f64, t: f64, y: f64) -> f64 {
    match kind {
        0 => 0.0,
        1 => k * y,
        2 => k * y * y,
        3 => k - y.sqrt(),
        4 => (k * t).cos() * y,
        5 => (y - k).recip(),
        6 if t > k => f64::NAN,
        7 if y > k => f64::INFINITY,
        8 => k * (y * 1e3).sin() / (t - k),
        9 => 1e300 * y * k,
        _ => k - y,
    }
}

#[test]
fn a_solve_ends_in_finite_numbers_or_a_named_error() {
    let mut outcomes = [0usize; 2];
    for seed in 0..20_000 {
        let mut draw = Draw(seed);
        let (kind, k) = (draw.bits() % 11, draw.number());
        let rows = (draw.bits() % 4) as usize;
        let y0: Vec<[f64; 2]> = (0..rows)
            .map(|_| [(); 2].map(|()| if draw.one_in(60) { draw.number() } else { draw.unit() }))
            .collect();
        let span = draw.span();
        let method = *draw.among(Method::ALL);
        let stepping = draw.stepping(span);
        let (low, high) = (span.0.min(span.1), span.0.max(span.1));
        let outside = Cell::new(None);
        let calls = Cell::new(0);
        let field = |t: f64, y: &Vec<[f64; 2]>| -> Vec<[f64; 2]> {
            calls.set(calls.get() + 1);
            if !(low..=high).contains(&t) {
                outside.set(Some(t));
            }
            y.iter().map(|y| y.map(|y| slope(kind, k, t, y))).collect()
        };
        let (level, dense) = (draw.number(), draw.one_in(3));
        let event = Event::new(move |t, y: &Vec<[f64; 2]>| y.first().map_or(t, |y| y[0]) - level);
        let mut problem = Problem::new(&field, span, y0.clone());
        let times = if draw.one_in(2) { draw.times(span) } else { Vec::new() };
        problem = problem.with_times(times.clone());
        if dense {
            problem = problem.with_dense().with_path();
        }
        if draw.one_in(3) {
            problem = problem.with_event(if draw.one_in(2) { event.terminal() } else { event });
        }
        let said = format!("seed {seed}: {method}, {span:?}, {stepping:?}, field {kind} with {k}");
        let outcome = problem.solve(method, &stepping);
        assert_eq!(outside.get(), None, "{said}: evaluated outside");
        match outcome {
            Ok(solution) => {
                outcomes[0] += 1;
                let finite = |y: &Vec<[f64; 2]>| y.as_flattened().iter().all(|y| y.is_finite());
                assert!(finite(&solution.y), "{said}: {:?}", solution.y);
                assert!(solution.states.iter().all(finite), "{said}: {:?}", solution.states);
                assert_eq!(solution.y.len(), rows, "{said}");
                assert_eq!(solution.stats.evals, calls.get(), "{said}");
                let stopped = solution.events.last().is_some_and(|event| event.t == solution.t);
                assert!(solution.t == span.1 || stopped, "{said}: ended at {}", solution.t);
                assert!(stopped || solution.states.len() == times.len(), "{said}");
                if let Some(dense) = solution.dense {
                    assert_eq!(dense.at(span.0).unwrap(), y0, "{said}");
                    assert_eq!(dense.at(solution.t).unwrap(), solution.y, "{said}");
                }
            }
            Err(error) => {
                outcomes[1] += 1;
                assert!(!error.to_string().is_empty());
                if let OdeError::StepUnderflow { y, .. } | OdeError::StepLimit { y, .. } = &error {
                    assert!(y.as_flattened().iter().all(|y| y.is_finite()), "{said}: {error}");
                }
            }
        }
    }
    // Neither side of the property is empty.
    assert!(outcomes.iter().all(|n| *n > 4_000), "{outcomes:?}");
}

#[test]
fn rows_end_in_finite_numbers_or_a_named_error() {
    let mut outcomes = [0usize; 2];
    for seed in 0..10_000 {
        let mut draw = Draw(seed);
        let kinds: Vec<(u64, f64)> =
            (0..draw.bits() % 5).map(|_| (draw.bits() % 11, draw.number())).collect();
        let y0: Vec<_> = kinds
            .iter()
            .map(|_| [if draw.one_in(60) { draw.number() } else { draw.unit() }])
            .collect();
        let span = draw.span();
        let adaptive = draw.adaptive(span);
        let method = *draw.among(Method::ALL);
        let (low, high) = (span.0.min(span.1), span.0.max(span.1));
        let outside = Cell::new(None);
        let field = |t: &[f64], y: &Vec<[f64; 1]>| -> Vec<[f64; 1]> {
            outside.set(t.iter().copied().find(|t| !(low..=high).contains(t)).or(outside.get()));
            let rows = kinds.iter().zip(t).zip(y);
            rows.map(|(((kind, k), t), [y])| [slope(*kind, *k, *t, *y)]).collect()
        };
        let said = format!("seed {seed}: {method}, {span:?}, {adaptive:?}, {kinds:?}");
        let outcome = solve_rows(&field, span, y0, method, &adaptive);
        assert_eq!(outside.get(), None, "{said}: evaluated outside");
        if let Ok(solution) = outcome {
            outcomes[0] += 1;
            assert!(solution.y.iter().all(|[y]| y.is_finite()), "{said}: {:?}", solution.y);
            assert_eq!(solution.rows.len(), kinds.len(), "{said}");
        } else {
            outcomes[1] += 1;
        }
    }
    assert!(outcomes.iter().all(|n| *n > 1_000), "{outcomes:?}");
}
