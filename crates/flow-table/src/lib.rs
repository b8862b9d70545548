#![doc = include_str!("../README.md")]

mod density;
mod error;
mod impute;
mod rows;

pub use error::RowsError;
pub use impute::{Imputation, Imputed};
pub use rows::TableRows;
