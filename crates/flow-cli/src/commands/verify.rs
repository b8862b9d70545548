//! `flow verify`: golden numbers, computed again on this machine.

use std::time::Instant;

use anyhow::{Result, bail};
use flow_judge::verify::{self, chosen, failures, table};

use crate::args::VerifyArgs;
use crate::terminal::print;

pub(crate) fn run(args: &VerifyArgs) -> Result<()> {
    let device = args.compute.open()?;
    let goldens = chosen(&args.only)?;
    let started = Instant::now();
    let checks = verify::run(&goldens, &device, &args.compute.device)?;
    if args.json {
        print(&serde_json::to_string_pretty(&checks)?)?;
    } else {
        print(&table(&checks, started.elapsed().as_secs_f64()))?;
    }
    match failures(&checks) {
        0 => Ok(()),
        n => bail!("{n} of {} checks fail on {}", checks.len(), args.compute.device),
    }
}
