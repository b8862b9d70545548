//! Names of the parts of a U-Net in the files of a family, and in ours.

use super::config::{AdmUNetConfig, Step};

/// A part of a network, whose arrays are named alike wherever it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Its name in the file of the family.
    pub(crate) part: &'static str,
    /// Where it stands in theirs.
    pub(crate) theirs: String,
    /// Where it stands in ours.
    pub(crate) ours: String,
}

/// Collects places.
#[derive(Default)]
pub(super) struct Places(pub(super) Vec<Place>);

impl Places {
    pub(super) fn add(&mut self, part: &'static str, theirs: String, ours: String) {
        self.0.push(Place { part, theirs, ours });
    }

    /// A residual block, with the layer beside it where channels change.
    pub(super) fn residual(&mut self, step: &Step, theirs: &str, ours: &str) {
        self.add("residual", theirs.into(), ours.into());
        if step.from != step.to {
            self.add("skip", theirs.into(), ours.into());
        }
    }

    /// An attention, with a group norm or without.
    pub(super) fn attention(&mut self, normed: bool, theirs: &str, ours: &str) {
        self.add("attention", theirs.into(), ours.into());
        if normed {
            self.add("attention-norm", theirs.into(), ours.into());
        }
    }
}

/// Places of all units of a network.
///
/// `theirs` gives, for the way (`down`, `middle` or `up`), the stage and the unit, where their
/// residual block and their attention stand; `resampled`, for the way and the stage, where the way
/// to the next size stands.
pub(super) fn all(
    config: &AdmUNetConfig,
    theirs: &impl Fn(&'static str, usize, usize) -> [String; 2],
    resampled: &impl Fn(&'static str, usize) -> String,
) -> Vec<Place> {
    let mut places = Places::default();
    let (down, middle, up) = config.steps();
    let last = config.channels.len() - 1;
    for (way, stages) in [("down", &down), ("up", &up)] {
        for (at, steps) in stages.iter().enumerate() {
            for (unit, step) in steps.iter().enumerate() {
                let [residual, attention] = theirs(way, at, unit);
                let ours = format!("{way}.{at}.units.{unit}");
                places.residual(step, &residual, &format!("{ours}.residual"));
                if step.attention {
                    places.attention(true, &attention, &format!("{ours}.attention"));
                }
            }
            if at < last {
                let (there, ours) = (resampled(way, at), format!("{way}.{at}.resample"));
                if config.residual_resampling {
                    places.add("residual", there, format!("{ours}.residual"));
                } else {
                    places.add(way, there, ours);
                }
            }
        }
    }
    for (unit, step) in middle.iter().enumerate() {
        let [residual, attention] = theirs("middle", 0, unit);
        let ours = format!("middle.{unit}");
        places.residual(step, &residual, &format!("{ours}.residual"));
        if step.attention {
            places.attention(config.normed_middle, &attention, &format!("{ours}.attention"));
        }
    }
    places.0
}
