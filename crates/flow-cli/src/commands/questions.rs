//! `flow eval --questions`: methods that train nothing and a model that was trained for the
//! question, asked about the same held-out rows.

use anyhow::Result;
use flow_judge::{Inquiry, QuestionOptions};
use flow_model::Registry;
use flow_report::operator;
use flow_run::Model;

use crate::args::{EvalArgs, QuestionArgs};
use crate::terminal::{Terminal, print};

pub(crate) fn run(args: &EvalArgs, asked: &str, registry: &Registry) -> Result<()> {
    let &QuestionArgs { noise, draws, steps, ref sampler, ref method, .. } = &args.questions;
    let n = args.number.unwrap_or(Inquiry::ROWS);
    let options = QuestionOptions { noise, n, draws, seed: args.seed };
    let mut inquiry = Inquiry::new(asked, options, method, sampler, steps)?;
    let (device, run, data) = args.run.open(registry)?;
    if let Some(trained) = &args.questions.against {
        inquiry = inquiry.against(registry, trained, &device)?;
    }
    let seen = |model: &Model| operator(asked, model, &device);
    let report = inquiry.report(&run, &data, &device, seen, &Terminal)?;
    let file = report.save(&run)?;
    if args.json {
        return print(&report.json());
    }
    print(&report.to_string())?;
    print(&format!("report:     {}", file.display()))
}
