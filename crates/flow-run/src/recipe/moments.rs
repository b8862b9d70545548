//! The key `train.checkpoints`: when a training is looked at, as fractions of it.

use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};
use toml::Value;

/// Early, when much changes from step to step, as often as late: what `log` stands for.
const LOG: [f64; 8] = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0];

/// Fractions of the training after which there is a checkpoint, beside the regular ones; none by
/// default.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Moments(Vec<f64>);

impl Moments {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The steps of a training of `steps` after which they come, at least the first.
    #[must_use]
    pub fn steps(&self, steps: usize) -> Vec<usize> {
        self.0.iter().map(|share| ((share * steps as f64).ceil() as usize).max(1)).collect()
    }
}

impl<'de> Deserialize<'de> for Moments {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let share = |value: &Value| {
            let share = value.as_float().or_else(|| Some(value.as_integer()? as f64))?;
            (0.0 < share && share <= 1.0).then_some(share)
        };
        let found = match &value {
            Value::String(name) if name == "log" => Some(LOG.to_vec()),
            Value::Array(shares) => shares.iter().map(share).collect(),
            _ => None,
        };
        found.map(Self).ok_or_else(|| {
            D::Error::custom(format!(
                "train.checkpoints is {value}, give `log` or a list of fractions of the training, \
                 each above 0 and at most 1"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(text: &str) -> Result<Moments, String> {
        let mut table: toml::Table = text.parse().unwrap();
        table.remove("at").unwrap().try_into().map_err(|error: toml::de::Error| error.to_string())
    }

    #[test]
    fn they_are_placed_by_their_share_of_the_steps() {
        let log = moments("at = 'log'").unwrap();
        assert_eq!(log.steps(2000), [10, 20, 40, 100, 200, 400, 1000, 2000]);
        assert_eq!(moments("at = [1, 0.1]").unwrap().steps(15), [15, 2]);
        // The first step is the earliest that there is.
        assert_eq!(log.steps(10)[..3], [1, 1, 1]);
    }

    #[test]
    fn what_is_no_share_is_refused_by_its_key() {
        for text in ["at = 'linear'", "at = [0.0]", "at = [1.5]", "at = 3", "at = ['a']"] {
            let error = moments(text).unwrap_err();
            assert!(error.contains("train.checkpoints") && error.contains("`log`"), "{error}");
        }
    }
}
