//! `flow push`: the rows of a file, carried along the flow of a model.

use anyhow::Result;
use flow_datasets::counted;
use flow_model::Registry;
use flow_run::files::{check_apart, check_folder};
use flow_run::snapshots::Snapshots;
use flow_run::{Push, Pushed, RowForm};

use crate::args::PushArgs;
use crate::terminal::{Terminal, print};

pub(crate) fn run(args: &PushArgs, registry: &Registry) -> Result<()> {
    let (device, place) = args.model.open(registry)?;
    let rows = place.rows()?;
    let (form, seen) = (RowForm::of(&rows)?, Snapshots::of(&rows)?);
    check_folder(&args.out)?;
    check_apart(&args.file, &args.out)?;
    form.check_rows(&args.out)?;
    let mut request = place.request(&args.solver.changes(), 0, 0)?;
    request.batch = args.batch;
    request.class = args.class.as_deref().map(|class| place.class(class)).transpose()?;
    let model = place.model(&device)?;
    let (from, to, told) = (args.from, args.to.clone(), &Terminal);
    let push = Push { model: &model, request, seen, from, to, told };
    let Pushed { n, times, nfe } = push.file(&form, &args.file, &args.out)?;
    let to: Vec<String> = times[1..].iter().map(ToString::to_string).collect();
    print(&format!(
        "{} carried from {} to {}, {} each: {}",
        counted(n, "row"),
        times[0],
        to.join(", "),
        counted(format!("{nfe:.0}"), "network evaluation"),
        args.out.display()
    ))
}
