//! Whose likelihood is asked for, as it is typed.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use flow_datasets::Split;
use flow_run::Run;

use crate::error::{JudgeError, usage};

/// Whose likelihood is asked for: `train` or `test`, or else other data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LikelihoodData {
    /// A part of the data of the training.
    Part(Split),
    /// Held-out rows of other data: a file, or the name of a set.
    Of(PathBuf),
}

impl FromStr for LikelihoodData {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "train" => Self::Part(Split::Train),
            "test" => Self::Part(Split::Test),
            data => Self::Of(data.into()),
        })
    }
}

impl LikelihoodData {
    /// The part of the data; of other data that are held out.
    #[must_use]
    pub fn part(&self) -> Split {
        match self {
            Self::Part(part) => *part,
            Self::Of(_) => Split::Test,
        }
    }

    /// The other data, which a model of its own is asked about.
    ///
    /// # Errors
    /// When there is a run at the path, which has its data.
    pub fn other(&self, model: &Path) -> Result<Option<&Path>, JudgeError> {
        match self {
            Self::Part(_) => Ok(None),
            Self::Of(data) if Run::is_one(model) => Err(usage!(
                "--data is {}, give train or test: {} is a run, which has its data, and files and \
                 sets are for a model of its own",
                data.display(),
                model.display()
            )),
            Self::Of(data) => Ok(Some(data)),
        }
    }

    /// Refuses other data beside the rows of a file.
    ///
    /// # Errors
    /// When both are named.
    pub fn check_beside(&self, file: &Path) -> Result<(), JudgeError> {
        let data = match self {
            Self::Of(data) => data.display().to_string(),
            Self::Part(Split::Train) => "train".to_owned(),
            Self::Part(_) => return Ok(()),
        };
        let file = file.display();
        Err(usage!("the rows of {file} are asked for, leave --data {data} out"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_have_names_and_all_else_is_other_data_of_which_some_are_held_out() {
        let typed = |text: &str| text.parse::<LikelihoodData>().unwrap();
        assert_eq!(typed("train").part(), Split::Train);
        assert_eq!(typed("test"), LikelihoodData::Part(Split::Test));
        let (rows, file) = (typed("rows.csv"), Path::new("other.csv"));
        assert_eq!((rows.part(), &rows), (Split::Test, &LikelihoodData::Of("rows.csv".into())));
        assert_eq!(rows.other(Path::new("m.flow")).unwrap(), Some(Path::new("rows.csv")));
        let error = rows.check_beside(file).unwrap_err().to_string();
        assert!(error.contains("other.csv") && error.contains("--data rows.csv"), "{error}");
        assert!(typed("train").check_beside(file).is_err());
        typed("test").check_beside(file).unwrap();
    }
}
