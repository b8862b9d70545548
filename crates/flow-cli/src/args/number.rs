//! Counts of at least one.

use std::ffi::OsStr;

use clap::builder::TypedValueParser;
use clap::error::{Error, ErrorKind};
use clap::{Arg, Command};
use flow_run::typed::whole;

/// A whole number above zero; zero is refused by the name of its option.
#[derive(Clone, Copy, Debug)]
pub(super) struct Positive;

impl TypedValueParser for Positive {
    type Value = usize;

    fn parse_ref(
        &self,
        command: &Command,
        option: Option<&Arg>,
        value: &OsStr,
    ) -> Result<usize, Error> {
        let number = whole.parse_ref(command, option, value)?;
        if number == 0 {
            let name = option.and_then(Arg::get_long).unwrap_or_default();
            let text = format!("--{name} is 0, give at least 1\n");
            return Err(Error::raw(ErrorKind::ValueValidation, text));
        }
        Ok(number)
    }
}
