//! Fitting a step to the time at which it must end.

/// Where a step ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Fit {
    pub(crate) end: f64,
    /// Whether the step is shorter than planned. That says nothing against the size planned.
    pub(crate) cut_short: bool,
}

/// The end of a step of about `h` from `t`, never beyond `target`.
///
/// Where one step is too short to arrive and two are too long, the two are made equal, which costs
/// nothing and errs less than a full one and a rest. Not right `after_rejection`: what the rejected
/// step ran into may lie at the target, where a short rest is the better last step. A rest of a
/// hair's breadth is rounding and belongs to this step.
pub(crate) fn fit(t: f64, target: f64, h: f64, after_rejection: bool) -> Fit {
    let rest = (target - t).abs();
    if h * (1.0 + 1e-10) >= rest {
        Fit { end: target, cut_short: true }
    } else if 2.0 * h > rest && !after_rejection {
        Fit { end: t + 0.5 * (target - t), cut_short: true }
    } else {
        Fit { end: t + h.copysign(target - t), cut_short: false }
    }
}

/// The smallest step worth taking from `t`: ten units of rounding.
pub(crate) fn resolution(t: f64) -> f64 {
    10.0 * (t.abs().next_up() - t.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_reaches_the_target_ends_on_it_exactly() {
        for h in [0.7, 0.7 * (1.0 - 1e-12), 5.0] {
            assert_eq!(fit(0.3, 1.0, h, false), Fit { end: 1.0, cut_short: true });
            assert_eq!(fit(1.0, 0.3, h, true), Fit { end: 0.3, cut_short: true });
        }
    }

    #[test]
    fn the_last_two_steps_are_equal_unless_a_step_was_just_rejected() {
        assert_eq!(fit(0.0, 1.0, 0.6, false), Fit { end: 0.5, cut_short: true });
        assert_eq!(fit(1.0, 0.0, 0.6, false), Fit { end: 0.5, cut_short: true });
        assert_eq!(fit(0.0, 1.0, 0.6, true), Fit { end: 0.6, cut_short: false });
    }

    #[test]
    fn a_step_far_from_the_target_is_taken_as_planned() {
        assert_eq!(fit(0.0, 1.0, 0.4, false), Fit { end: 0.4, cut_short: false });
        assert_eq!(fit(1.0, -1.0, 0.5, false), Fit { end: 0.5, cut_short: false });
    }
}
