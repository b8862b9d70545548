//! `flow plot`: the pictures of a run.

use anyhow::Result;
use flow_model::Registry;

use crate::args::PlotArgs;
use crate::terminal::{Terminal, print};

pub(crate) fn run(args: &PlotArgs, registry: &Registry) -> Result<()> {
    let (device, run, data) = args.run.open(registry)?;
    for picture in flow_report::draw(&run, &data, &device, &Terminal)? {
        print(&picture.display().to_string())?;
    }
    print(&flow_report::page(&run)?.display().to_string())
}
