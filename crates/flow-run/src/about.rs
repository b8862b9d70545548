//! What is said of a training: its data, its networks, and that nothing of it is left to do.

use flow_datasets::counted;
use flow_train::Ensemble;

use crate::data::Data;
use crate::network::parameters;
use crate::snapshots::Snapshots;
use crate::table::TableData;
use crate::training::{Start, Training};

impl Data {
    /// What a file of the user's own was taken for, and which of its rows are not used; nothing for
    /// data that ship.
    #[must_use]
    pub fn about(&self) -> Vec<String> {
        if let Some(array) = self.array() {
            return vec![array.to_string()];
        }
        let Some(table) = self.table() else { return Vec::new() };
        let (train, held) = (table.train.n, table.held.n);
        let mut said = vec![format!(
            "{}\n{} to train with, {held} held out",
            table.columns,
            counted(train, "row")
        )];
        let incomplete = table.incomplete.n;
        if 0 < incomplete {
            said.push(format!(
                "{} more to train with lack a value: what they have is learned from",
                counted(incomplete, "row")
            ));
        }
        if let Some(snapshots) = &table.snapshots {
            said.push(journey(table, snapshots));
        }
        let all = table.before.iter().flatten().chain([&table.train, &table.held]);
        let left_out: usize = all.map(|part| part.left_out).sum();
        if 0 < left_out {
            let are = if left_out == 1 { "is" } else { "are" };
            said.push(format!(
                "{} {are} left out, for want of a value or with a category that no training row \
                 has",
                counted(left_out, "row")
            ));
        }
        said
    }
}

/// When the snapshots of a table were seen, and how many rows each has to train with.
fn journey(table: &TableData, snapshots: &Snapshots) -> String {
    let rows = table.before.iter().map(|[train, _]| train.n).chain([table.train.n]);
    let one = |(n, t): (usize, &f64)| format!("{n} at {t}");
    let all: Vec<String> = rows.zip(&snapshots.times).map(one).collect();
    format!("paths from one to the next: {} rows to train with", all.join(", "))
}

impl Training {
    /// Its networks and its steps in a line, on a device of this name.
    #[must_use]
    pub fn summary(&self, networks: &Ensemble, device: &str) -> String {
        let recipe = self.recipe();
        let parameters = match parameters(networks) {
            [velocity, 0] => format!("{velocity} parameters"),
            [velocity, posterior] => format!("{velocity} parameters, {posterior} of the posterior"),
        };
        let (name, steps, batch) = (&recipe.name, recipe.steps(), recipe.train.batch);
        let (steps, images) = (counted(steps, "step"), counted(batch, "image"));
        format!("{name}: {parameters}, {steps} of {images} on {device}")
    }
}

impl Start {
    /// What to say if nothing is left to train; nor to score, unless a `trained` run is enough.
    #[must_use]
    pub fn nothing_left(&self, trained: bool) -> Option<String> {
        let (run, step) = self.finished().filter(|(run, _)| trained || run.is_scored())?;
        let folder = run.folder.display();
        Some(format!(
            "{folder} is finished after {}: train it longer with `flow train --resume \
             {folder} --more-images N`, score it again with `flow eval {folder}`",
            counted(step, "step")
        ))
    }
}
