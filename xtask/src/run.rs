//! The verbs of the binary `flow`: built when needed, then handed the rest of the command line.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use clap::{Arg, ArgMatches, value_parser};

use crate::backend::Backend;
use crate::cargo;

/// A verb of `flow`.
pub(crate) struct Verb {
    pub(crate) name: &'static str,
    about: &'static str,
    /// Whether it runs a network and so has a `--device`.
    has_device: bool,
}

/// In the order of a first visit.
pub(crate) const VERBS: &[Verb] = &[
    Verb {
        name: "train",
        about: "Train a recipe, then sample, score and draw it",
        has_device: true,
    },
    Verb { name: "sample", about: "Draw samples from a run", has_device: true },
    Verb { name: "eval", about: "Score a run, each score beside its floor", has_device: true },
    Verb {
        name: "likelihood",
        about: "Log-likelihood of data under a run, in nats and bits per dimension",
        has_device: true,
    },
    Verb {
        name: "verify",
        about: "Compute published and derived numbers again and compare",
        has_device: true,
    },
    Verb { name: "plot", about: "Draw the pictures of a run again", has_device: true },
    Verb {
        name: "export",
        about: "Write the model of a run as a file of its own",
        has_device: false,
    },
    Verb { name: "import", about: "Make a model of weights from elsewhere", has_device: false },
    Verb { name: "card", about: "Print what a model is", has_device: false },
    Verb { name: "push", about: "Carry the rows of a file along the flow", has_device: true },
    Verb { name: "posterior", about: "Draw after an observation", has_device: true },
    Verb { name: "calibrate", about: "Rank held-out truths among draws", has_device: true },
    Verb { name: "impute", about: "Fill the holes of a table", has_device: true },
    Verb { name: "solve", about: "Draw what explains an observation", has_device: true },
    Verb { name: "serve", about: "Put a model behind HTTP, with a page", has_device: true },
    Verb { name: "compare", about: "Put runs side by side", has_device: false },
    Verb {
        name: "list",
        about: "List the recipes, data sets, choices, solvers and devices",
        has_device: false,
    },
    Verb { name: "recipe", about: "Print a recipe with all its comments", has_device: false },
];

const HELP: &str = "\
Everything after the verb is read by `flow`, which is built first if need be: see
`cargo xtask VERB --help`. One option is xtask's own, at any place:

  --backend NAME   Build this backend in, in a build folder of its own, and use it:
                   flex (default), ndarray, wgpu, vulkan, metal, webgpu, cuda, rocm.
                   A `--device` on the line is kept, else `--device NAME` is passed.";

/// The verb of this name.
pub(crate) fn verb(name: &str) -> Option<&'static Verb> {
    VERBS.iter().find(|verb| verb.name == name)
}

impl Verb {
    /// Its place in xtask's command line. Not even `--help` is read here.
    pub(crate) fn command(&self) -> clap::Command {
        let args = Arg::new("args")
            .value_name("ARGS")
            .help("What `flow` reads")
            .num_args(0..)
            .trailing_var_arg(true)
            .allow_hyphen_values(true)
            .value_parser(value_parser!(OsString));
        clap::Command::new(self.name)
            .about(self.about)
            .after_help(HELP)
            .disable_help_flag(true)
            .arg(args)
    }
}

/// Becomes `flow NAME ...`.
///
/// # Errors
/// If `--backend` is wrong or cargo does not start.
pub(crate) fn run(name: &str, matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let words = matches.get_many::<OsString>("args").unwrap_or_default().cloned().collect();
    let (backend, words) = Backend::take_from(words)?;
    if let Some((name, note)) = backend.and_then(|b| Some((b.name(), b.build_note()?))) {
        eprintln!("{name}: {note}");
    }
    cargo::become_command(flow(name, backend, words)?)
}

/// `cargo run` of `flow` with this verb and these words.
///
/// # Errors
/// If cargo cannot say where it builds.
pub(crate) fn flow(
    name: &str,
    backend: Option<Backend>,
    words: Vec<OsString>,
) -> anyhow::Result<Command> {
    let mut command = cargo::cargo();
    command.args(["run", "--release", "--package", "flow-cli", "--bin", "flow"]);
    features(&mut command, backend.unwrap_or_default())?;
    if name == "serve" {
        // The only verb that a plain build does not hold.
        command.args(["--features", "serve"]);
    }
    command.args(["--", name]);
    let names_device = words.iter().any(|word| {
        word.to_str().is_some_and(|word| word == "--device" || word.starts_with("--device="))
    });
    if let Some(backend) = backend
        && verb(name).is_some_and(|verb| verb.has_device)
        && !names_device
    {
        command.args(["--device", backend.name()]);
    }
    command.args(words);
    Ok(command)
}

/// Builds the backend in. The default one needs no words, so that every command shares one build.
///
/// # Errors
/// If cargo cannot say where it builds.
pub(crate) fn features(command: &mut Command, backend: Backend) -> anyhow::Result<()> {
    if backend != Backend::Flex {
        command.args(["--features", backend.name(), "--target-dir"]);
        command.arg(cargo::target_dir(backend.name())?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(name: &str, backend: Option<Backend>, words: &[&str]) -> String {
        cargo::show(&flow(name, backend, words.iter().map(OsString::from).collect()).unwrap())
    }

    #[test]
    fn the_default_backend_adds_nothing_to_the_build() {
        let expected = "cargo run --release --package flow-cli --bin flow -- train digits --help";
        assert_eq!(shown("train", None, &["digits", "--help"]), expected);
    }

    #[test]
    fn another_backend_has_a_feature_a_build_folder_and_a_device() {
        let line = shown("train", Some(Backend::Vulkan), &["mnist"]);
        assert!(line.contains("--bin flow --features vulkan --target-dir "), "{line}");
        assert!(line.ends_with("/vulkan -- train --device vulkan mnist"), "{line}");
    }

    #[test]
    fn a_named_device_is_kept() {
        let line = shown("sample", Some(Backend::Vulkan), &["--device=vulkan:1"]);
        assert!(line.ends_with("-- sample --device=vulkan:1"), "{line}");
    }

    #[test]
    fn a_verb_without_a_device_is_given_none() {
        let line = shown("list", Some(Backend::Flex), &[]);
        assert!(line.ends_with("-- list"), "{line}");
    }

    #[test]
    fn the_server_is_built_in_for_its_verb_alone() {
        let line = shown("serve", None, &["m.flow"]);
        assert!(line.ends_with("--bin flow --features serve -- serve m.flow"), "{line}");
        assert!(!shown("sample", None, &["m.flow"]).contains("serve"));
    }

    #[test]
    fn flags_reach_flow_as_they_were_typed() {
        let words = ["xtask", "sample", "--help", "-n", "3", "--", "--x=-1"];
        let matches = crate::cli().try_get_matches_from(words).unwrap();
        let (name, args) = matches.subcommand().unwrap();
        let args: Vec<_> = args.get_many::<OsString>("args").unwrap().collect();
        assert_eq!(name, "sample");
        assert_eq!(args, ["--help", "-n", "3", "--", "--x=-1"]);
    }
}
