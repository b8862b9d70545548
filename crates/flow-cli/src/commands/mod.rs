//! One file per verb, or for a few that belong together.

pub(crate) mod compare;
pub(crate) mod eval;
pub(crate) mod export;
pub(crate) mod impute;
pub(crate) mod likelihood;
pub(crate) mod list;
pub(crate) mod posterior;
pub(crate) mod push;
pub(crate) mod sample;
pub(crate) mod serve;
pub(crate) mod solve;
pub(crate) mod train;
pub(crate) mod verify;
