//! `flow plot`: the pictures of a run.

use anyhow::Result;
use flow_model::Registry;
use flow_run::Run;

use crate::args::PlotArgs;
use crate::data_files::data_files;
use crate::device;
use crate::listener::Terminal;
use crate::terminal::print;

pub(crate) fn run(args: &PlotArgs, registry: &Registry) -> Result<()> {
    device::limit_threads(args.compute.threads)?;
    let device = device::parse(&args.compute.device)?;
    let run = Run::open(registry, &args.run)?;
    let data = run.data(&data_files(args.data.folder()), &Terminal)?;
    for picture in flow_report::draw(&run, &data, &device, &Terminal)? {
        print(&picture.display().to_string())?;
    }
    print(&flow_report::page(&run)?.display().to_string())
}
