//! `flow sample`: numbers or a picture from a finished run or a model of its own.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use flow_datasets::counted;
use flow_model::Registry;
use flow_parallel::Group;
use flow_report::{Told, write_samples};
use flow_run::files::{ending, folder};
use flow_run::{Place, SampleWriter, check_samples};

use crate::args::SampleArgs;
use crate::terminal::{Terminal, print};

/// Samples that are drawn unless another number is asked for.
const DEFAULT_NUMBER: usize = 64;

pub(crate) fn run(args: &SampleArgs, registry: &Registry, group: &Arc<dyn Group>) -> Result<()> {
    let (device, place) = args.model.open(registry)?;
    let form = place.form()?;
    let Told { table, given, n } = Told::read(&place, args.given.as_deref(), &Terminal)?;
    let number = args.number.or(n).unwrap_or(DEFAULT_NUMBER);
    let (changes, guide) = (args.solver.changes(), args.guide_with.as_deref());
    let mut request = place.guided_request(&changes, number, args.seed, guide.is_some())?;
    request.class = args.class.as_deref().map(|class| place.class(class)).transpose()?;
    request.batch = args.batch;
    request.given = given;
    request.given.lengths = args.length.map(|length| vec![length]);
    let weaker = guide.map(|path| Place::open(registry, path, &device)).transpose()?;
    let out = place.out(args.out.as_deref(), |run| {
        let name = request.file_name(args.given.as_deref(), guide, run)?;
        Ok(format!("{name}.{}", form.ending()))
    })?;
    form.check_samples(&out)?;
    let model = place
        .guided_model(weaker, changes.guidance.is_some(), &device)?
        .shared_by(Arc::clone(group));
    check_samples(&model, &request, ending(&out) == "png", folder(&out))?;

    let started = Instant::now();
    if !group.is_first() {
        // The first process writes what all of them draw.
        return Ok(model.sample(&request).map(drop)?);
    }
    let writer = SampleWriter { model: &model, request: &request, told: &Terminal };
    let nfe = write_samples(&writer, &form, table.as_ref(), &out)?;
    print(&format!(
        "{} by {}, {} each, {:.2} s: {}",
        counted(request.n, "sample"),
        request.label(),
        counted(format!("{nfe:.0}"), "network evaluation"),
        started.elapsed().as_secs_f64(),
        out.display()
    ))
}
