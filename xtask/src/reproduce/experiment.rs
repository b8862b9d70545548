//! An experiment: a file of `xtask/experiments/` that says what to train and what to compare.

use std::path::Path;

use anyhow::{Context, bail, ensure};
use serde::Deserialize;

use super::claim::Claim;
use super::reach::Reach;
use super::reference::Reference;

/// What a paper claims, and the runs or the program that put it to the test.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Experiment {
    /// The name of its file.
    #[serde(skip)]
    pub(crate) name: String,
    pub(crate) title: String,
    /// What is done and what is scaled down.
    pub(crate) about: String,
    /// What the paper says, with its source.
    pub(crate) paper: String,
    /// What numbers can decide of it.
    #[serde(rename = "claim", default)]
    pub(crate) claims: Vec<Claim>,
    /// The paper's own numbers.
    #[serde(rename = "reference", default)]
    pub(crate) references: Vec<Reference>,
    /// Qualities, and how soon runs reach them.
    #[serde(rename = "reach", default)]
    pub(crate) reaches: Vec<Reach>,
    /// What a person makes of the results, written after they were looked at.
    #[serde(default)]
    pub(crate) reading: String,
    /// Wall time of all seeds on `machine`.
    pub(crate) minutes: f64,
    pub(crate) machine: String,
    /// Of the runs; a program has its own.
    #[serde(default)]
    pub(crate) seeds: Vec<u64>,
    #[serde(rename = "run", default)]
    pub(crate) runs: Vec<Run>,
    /// In place of runs.
    #[serde(default)]
    pub(crate) program: Option<Program>,
    #[serde(default)]
    pub(crate) compare: Compare,
}

/// A recipe and what is changed in it; one folder for each seed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Run {
    pub(crate) name: String,
    pub(crate) recipe: String,
    /// `key=value` changes of this run, after those that all runs share.
    #[serde(default)]
    pub(crate) set: Vec<String>,
    /// An earlier run, of which that of the same seed must be done before this one begins; its
    /// folder stands for `{after}` in `set`.
    #[serde(default)]
    pub(crate) after: Option<String>,
    /// Verbs of `flow` that follow the training, such as `likelihood --exact`; the run's folder is
    /// put behind the verb.
    #[serde(default)]
    pub(crate) then: Vec<String>,
    /// Whether a loss that stops being a number is a result, and not the end of the experiment.
    #[serde(default)]
    pub(crate) may_diverge: bool,
}

/// Changes with which every run is made, once for each of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Variant {
    /// Put behind the name of the run, `RUN-VARIANT`.
    name: String,
    set: Vec<String>,
}

impl Run {
    fn varied(&self, variant: &Variant) -> Self {
        let mut run = self.clone();
        run.name = format!("{}-{}", self.name, variant.name);
        run.after = self.after.as_ref().map(|after| format!("{after}-{}", variant.name));
        run.set.extend(variant.set.iter().cloned());
        run
    }
}

/// An example whose output is the result.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Program {
    pub(crate) package: String,
    pub(crate) example: String,
    pub(crate) args: Vec<String>,
    /// Files that it leaves in the folder of the pages.
    #[serde(default)]
    pub(crate) pictures: Vec<String>,
}

/// What the tables show; everything, if empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Compare {
    /// Scores whose names begin like these.
    pub(crate) scores: Vec<String>,
    /// Solver rows whose names begin like these, such as `midpoint`.
    pub(crate) rows: Vec<String>,
    /// Pairs of runs: what share of the evaluations of the second the first needs for the same
    /// error.
    pub(crate) equal_error: Vec<[String; 2]>,
    /// Whether the paths of all runs from the same noise are drawn.
    pub(crate) strips: bool,
}

/// An experiment as its file has it, with what its runs share.
#[derive(Deserialize)]
struct File {
    #[serde(default)]
    set: Vec<String>,
    #[serde(default)]
    then: Vec<String>,
    #[serde(rename = "variant", default)]
    variants: Vec<Variant>,
    #[serde(flatten)]
    experiment: toml::Table,
}

impl Experiment {
    /// Every experiment of a folder, by name.
    ///
    /// # Errors
    /// If a file cannot be read or is no experiment.
    pub(crate) fn all(folder: &Path) -> anyhow::Result<Vec<Self>> {
        let entries = std::fs::read_dir(folder)
            .with_context(|| format!("cannot read {}", folder.display()))?;
        let mut all = Vec::new();
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                let text = std::fs::read_to_string(&path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                let parsed = Self::parse(&name, &text);
                all.push(parsed.with_context(|| format!("{} is no experiment", path.display()))?);
            }
        }
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// If it is no TOML, has unknown keys or lacks some, or if two runs share a name.
    pub(crate) fn parse(name: &str, text: &str) -> anyhow::Result<Self> {
        let File { set, then, variants, experiment } = toml::from_str(text)?;
        let mut experiment = Self { name: name.to_owned(), ..experiment.try_into()? };
        if !variants.is_empty() {
            let varied = |run: &Run| variants.iter().map(|v| run.varied(v)).collect::<Vec<_>>();
            experiment.runs = experiment.runs.iter().flat_map(varied).collect();
        }
        ensure!(
            experiment.runs.is_empty() == experiment.program.is_some(),
            "it must have either [[run]] or [program]"
        );
        ensure!(
            experiment.seeds.is_empty() == experiment.runs.is_empty(),
            "seeds belong to [[run]]: give them where there are runs and nowhere else"
        );
        let mut names = std::collections::BTreeSet::new();
        for run in &mut experiment.runs {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
            ensure!(
                !run.name.is_empty() && run.name.chars().all(plain),
                "the run `{}` becomes a folder: use letters, digits, `-` and `_`",
                run.name
            );
            if let Some(after) = run.after.as_ref().filter(|after| !names.contains(*after)) {
                bail!("the run `{}` comes after `{after}`, which is no run before it", run.name);
            }
            if !names.insert(run.name.clone()) {
                bail!("two runs are called `{}`", run.name);
            }
            run.set.splice(0..0, set.iter().cloned());
            run.then.splice(0..0, then.iter().cloned());
        }
        experiment.check_names()?;
        Ok(experiment)
    }
}

impl Experiment {
    /// Refuses claims, numbers and pairs of what is no run.
    fn check_names(&self) -> anyhow::Result<()> {
        let runs: Vec<&str> = self.runs.iter().map(|run| run.name.as_str()).collect();
        for claim in &self.claims {
            claim.check(&runs)?;
        }
        for reference in &self.references {
            reference.check(&runs)?;
        }
        for reach in &self.reaches {
            reach.check(&runs)?;
        }
        for run in self.compare.equal_error.iter().flatten() {
            ensure!(
                runs.contains(&run.as_str()),
                "compare.equal_error names `{run}`, which is no run: use one of {}",
                runs.join(", ")
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"
        title = "T"
        about = "A"
        paper = "C"
        minutes = 2
        machine = "two cores"
        seeds = [0, 1]
        set = ["train.images=1e3"]
        [[run]]
        name = "FM-OT"
        recipe = "debug"
        set = ["path.coupling.kind=ot"]
        then = ["likelihood --exact"]
    "#;

    #[test]
    fn shared_changes_come_before_those_of_a_run() {
        let experiment = Experiment::parse("small", SMALL).unwrap();
        assert_eq!(experiment.name, "small");
        assert_eq!(experiment.runs[0].set, ["train.images=1e3", "path.coupling.kind=ot"]);
        assert_eq!(experiment.runs[0].then, ["likelihood --exact"]);
        assert_eq!(experiment.seeds, [0, 1]);
    }

    #[test]
    fn paths_are_drawn_where_an_experiment_asks_for_them() {
        assert!(!Experiment::parse("small", SMALL).unwrap().compare.strips);
        let text = format!("{SMALL}[compare]\nstrips = true\n");
        assert!(Experiment::parse("small", &text).unwrap().compare.strips);
    }

    #[test]
    fn every_run_is_made_in_every_variant() {
        let text = format!(
            "{SMALL}[[run]]\nname = \"again\"\nrecipe = \"debug\"\nafter = \"FM-OT\"\n\
             [[variant]]\nname = \"fast\"\nset = [\"train.learning_rate=1\"]\n\
             [[variant]]\nname = \"slow\"\nset = []\n"
        );
        let runs = Experiment::parse("small", &text).unwrap().runs;
        let names: Vec<&str> = runs.iter().map(|run| run.name.as_str()).collect();
        assert_eq!(names, ["FM-OT-fast", "FM-OT-slow", "again-fast", "again-slow"]);
        let set = ["train.images=1e3", "path.coupling.kind=ot", "train.learning_rate=1"];
        assert_eq!(runs[0].set, set);
        assert_eq!(runs[3].after.as_deref(), Some("FM-OT-slow"));
    }

    #[test]
    fn a_program_takes_the_place_of_runs() {
        let text = r#"
            title = "T"
            about = "A"
            paper = "C"
            minutes = 2
            machine = "two cores"
            [program]
            package = "p"
            example = "e"
            args = ["docs/results"]
        "#;
        let experiment = Experiment::parse("lab", text).unwrap();
        assert_eq!(experiment.program.unwrap().args, ["docs/results"]);
        let both = text.replace("[program]", "seeds = [0]\n[program]");
        assert!(Experiment::parse("lab", &both).unwrap_err().to_string().contains("seeds"));
    }

    #[test]
    fn what_is_no_experiment_is_said() {
        for (text, named) in [
            (SMALL.replace("paper", "papers"), "papers"),
            (SMALL.replace("minutes = 2", ""), "minutes"),
            (SMALL.replace("FM-OT", "FM OT"), "FM OT"),
            (SMALL.split("set =").next().unwrap().to_owned(), "[program]"),
            (SMALL.replace("[0, 1]", "[]"), "seeds"),
            (format!("{SMALL}\n[[run]]\nname = \"FM-OT\"\nrecipe = \"debug\""), "two runs"),
            (format!("{SMALL}\nafter = \"FM-OT\""), "no run before it"),
            (
                format!(
                    "{SMALL}[[claim]]\nsays = 'S'\nleft = 'SM'\nis = 'below'\nvalue = 1\n\
                     score = 's'"
                ),
                "`SM`",
            ),
            (
                format!(
                    "{SMALL}[[reference]]\ntitle = \"T\"\nscore = \"s\"\nnumbers = {{ DDPM = 1 }}"
                ),
                "`DDPM`",
            ),
            (format!("{SMALL}[compare]\nequal_error = [[\"FM-OT\", \"VP\"]]"), "`VP`"),
        ] {
            let error = Experiment::parse("small", &text).unwrap_err();
            assert!(format!("{error:#}").contains(named), "{named}: {error:#}");
        }
    }

    #[test]
    fn every_experiment_of_the_repository_is_one() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments");
        assert!(!Experiment::all(&folder).unwrap().is_empty());
    }
}
