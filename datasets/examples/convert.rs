//! Copies a table or an array into another format: `convert IN OUT`, by the endings of the names.
//!
//! Tables go from csv, tsv, npy and parquet (feature `parquet`) to these and to npy and npz; arrays
//! from npy, npz and safetensors to these. `benches/peers/roundtrip.py` compares what comes
//! out with pandas.

use std::error::Error;
use std::path::PathBuf;

use flow_datasets::{Array, ArrayOptions, ReadOptions, Table};

fn main() -> Result<(), Box<dyn Error>> {
    let mut names = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(from), Some(to)) = (names.next(), names.next()) else {
        return Err("expected the name of a file to read and of a file to write".into());
    };
    if Array::is_named(&from) && Array::is_named(&to) {
        Array::read_wide(&from, &ArrayOptions::default())?.write_wide(&to)?;
    } else {
        Table::read(&from, &ReadOptions::default())?.write(&to)?;
    }
    Ok(())
}
