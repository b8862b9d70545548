//! Probability paths and what is regressed: schedules, couplings, time laws, predictions, exact fields.
