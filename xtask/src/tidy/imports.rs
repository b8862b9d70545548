//! Which crate may import which: the layers of `docs/ARCHITECTURE.md`.

use std::collections::{BTreeMap, VecDeque};

use super::packages::Package;

/// `krate` reaches none of `never`, neither directly nor through other crates of the workspace.
/// A name that ends in `*` stands for all that begin like it.
struct Rule {
    krate: &'static str,
    never: &'static [&'static str],
    because: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        krate: "flow-ode",
        never: &["flow-*", "clap", "serde_json", "rand"],
        because: "the solver is useful to someone who has never heard of flow matching",
    },
    Rule {
        krate: "flow-kernels",
        never: &["flow-*"],
        because: "kernels know tensors and nothing of what they are for",
    },
    Rule {
        krate: "flow-transport",
        never: &["flow-*", "burn*", "rand"],
        because: "transport knows costs, not what they are for, and leaves nothing to chance",
    },
    Rule {
        krate: "flow-parallel",
        never: &["flow-*", "burn*"],
        because: "processes pass bytes and add vectors, whatever these are for",
    },
    Rule {
        krate: "flow-path",
        never: &["flow-ode", "flow-nn"],
        because: "a path is neither solved nor learned where it is defined",
    },
    Rule {
        krate: "flow-nn",
        never: &["flow-path", "flow-ode"],
        because: "a network knows no schedule and no solver",
    },
    Rule {
        krate: "flow-pickle",
        never: &["flow-*", "burn*"],
        because: "a file of arrays is numbers and names, whoever reads it",
    },
    Rule {
        krate: "flow-import",
        never: &["flow-train", "flow-datasets", "flow-eval", "flow-plot", "clap", "anyhow"],
        because: "weights come from elsewhere and are neither trained nor scored",
    },
    Rule {
        krate: "flow-plot",
        never: &["flow-*"],
        because: "pictures are drawn from plain numbers",
    },
    Rule {
        krate: "flow-datasets",
        never: &["flow-*"],
        because: "data are read without knowing what learns from them",
    },
    Rule {
        krate: "flow-sample",
        never: &["flow-train"],
        because: "sampling works on weights from anywhere",
    },
    Rule {
        krate: "flow-train",
        never: &["flow-ode", "flow-sample"],
        because: "training is simulation-free: it never integrates",
    },
    Rule {
        krate: "flow-model",
        never: &[
            "clap",
            "anyhow",
            "burn-train",
            "flow-train",
            "flow-datasets",
            "flow-eval",
            "flow-plot",
        ],
        because: "a trained model is used without a training, its data or a terminal",
    },
    Rule {
        krate: "flow-api",
        never: &["flow-run", "flow-train", "axum", "tokio", "clap", "anyhow"],
        because: "a request is read and answered, whatever carries it",
    },
    Rule {
        krate: "flow-web",
        never: &["flow-run", "flow-serve", "axum", "tokio", "clap", "anyhow"],
        because: "a page has no files, no sockets and one thread",
    },
    Rule {
        krate: "flow-serve",
        never: &["flow-run", "flow-train", "clap", "anyhow"],
        because: "who serves a model has the model, and neither its run nor its training",
    },
    Rule {
        krate: "flow-onnx",
        never: &["flow-train", "flow-datasets", "flow-run", "clap", "anyhow"],
        because: "files of other formats are written of a model, whoever trained it",
    },
    Rule {
        krate: "flow-run",
        never: &["clap", "anyhow"],
        because: "recipes and runs are for any program, and their errors have types",
    },
    Rule {
        krate: "flow-judge",
        never: &["clap", "anyhow"],
        because: "scores are for any program, and their errors have types",
    },
    Rule {
        krate: "flow-report",
        never: &["clap", "anyhow"],
        because: "pictures and pages are for any program, and their errors have types",
    },
    Rule {
        krate: "flow-eval",
        never: &["flow-train", "flow-datasets"],
        because: "scores take tensors, whoever made them",
    },
    Rule {
        krate: "flow-features",
        never: &["flow-*"],
        because: "it holds features of crates of others alone",
    },
    Rule { krate: "xtask", never: &["flow-*"], because: "the commands must build in seconds" },
    Rule {
        krate: "flow-*",
        never: &["flow-cli"],
        because: "the binary is glue, and what others need belongs in a library",
    },
];

/// A sentence for each forbidden crate that is reached.
pub(crate) fn violations(packages: &[Package]) -> Vec<String> {
    let mut violations = Vec::new();
    for package in packages {
        for rule in RULES.iter().filter(|rule| covers(rule.krate, &package.name)) {
            for chain in forbidden_chains(package, rule.never, packages) {
                violations.push(format!(
                    "{} imports what it must not ({}), because {}: remove the import from the \
                     Cargo.toml of {}, or move the shared part to a lower crate",
                    package.name,
                    chain.join(" -> "),
                    rule.because,
                    chain[chain.len() - 2],
                ));
            }
        }
    }
    violations
}

/// The shortest chain of imports from `start` to each forbidden crate that it reaches first.
fn forbidden_chains<'a>(
    start: &'a Package,
    never: &[&str],
    packages: &'a [Package],
) -> Vec<Vec<&'a str>> {
    let by_name: BTreeMap<_, _> = packages.iter().map(|p| (p.name.as_str(), p)).collect();
    let mut importer = BTreeMap::from([(start.name.as_str(), None)]);
    let mut queue = VecDeque::from([start]);
    let mut chains = Vec::new();
    while let Some(package) = queue.pop_front() {
        for import in package.imports.iter().map(String::as_str) {
            if importer.contains_key(import) {
                continue;
            }
            importer.insert(import, Some(package.name.as_str()));
            if never.iter().any(|pattern| covers(pattern, import)) {
                let steps = std::iter::successors(Some(import), |name| importer[name]);
                let mut chain: Vec<_> = steps.collect();
                chain.reverse();
                chains.push(chain);
            } else if let Some(next) = by_name.get(import) {
                queue.push_back(next);
            }
        }
    }
    chains
}

fn covers(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layers_as_drawn_are_allowed() {
        let packages = [
            Package::new("flow-ode", &["thiserror", "burn"]),
            Package::new("flow-transport", &["pulp", "rayon"]),
            Package::new("flow-path", &["burn", "rand", "flow-transport"]),
            Package::new("flow-kernels", &["burn", "gemm"]),
            Package::new("flow-nn", &["burn", "flow-kernels"]),
            Package::new("flow-sample", &["flow-ode", "flow-path", "flow-nn"]),
            Package::new("flow-train", &["flow-path", "flow-nn"]),
            Package::new("flow-eval", &["flow-sample", "flow-transport"]),
            Package::new("flow-model", &["flow-sample", "toml"]),
            Package::new("flow-run", &["flow-model", "flow-train", "flow-datasets"]),
            Package::new("flow-judge", &["flow-run", "flow-eval"]),
            Package::new("flow-report", &["flow-judge", "flow-plot"]),
            Package::new("flow-cli", &["clap", "anyhow", "flow-report"]),
            Package::new("flow-datasets", &["serde"]),
            Package::new("xtask", &["clap"]),
        ];
        assert_eq!(violations(&packages), [""; 0]);
    }

    #[test]
    fn training_reaches_no_solver_through_another_crate() {
        let packages = [
            Package::new("flow-ode", &[]),
            Package::new("flow-extra", &["flow-ode"]),
            Package::new("flow-train", &["flow-extra"]),
        ];
        let [violation] = &violations(&packages)[..] else { panic!("one violation") };
        assert!(violation.contains("flow-train -> flow-extra -> flow-ode"), "{violation}");
        assert!(violation.contains("Cargo.toml of flow-extra"), "{violation}");
        assert!(violation.contains("never integrates"), "{violation}");
    }

    #[test]
    fn the_solver_takes_no_third_party_crate_it_can_do_without() {
        let [violation] = &violations(&[Package::new("flow-ode", &["rand"])])[..] else {
            panic!("one violation")
        };
        assert!(violation.contains("flow-ode -> rand"), "{violation}");
    }

    #[test]
    fn nothing_imports_the_binary() {
        let packages = [Package::new("flow-cli", &[]), Package::new("flow-eval", &["flow-cli"])];
        assert_eq!(violations(&packages).len(), 1);
    }

    #[test]
    fn every_other_forbidden_import_is_found() {
        for (krate, import) in [
            ("flow-ode", "flow-path"),
            ("flow-kernels", "flow-nn"),
            ("flow-transport", "flow-path"),
            ("flow-transport", "burn-flex"),
            ("flow-transport", "rand"),
            ("flow-path", "flow-ode"),
            ("flow-path", "flow-nn"),
            ("flow-nn", "flow-path"),
            ("flow-nn", "flow-ode"),
            ("flow-pickle", "burn"),
            ("flow-import", "flow-train"),
            ("flow-plot", "flow-eval"),
            ("flow-datasets", "flow-path"),
            ("flow-sample", "flow-train"),
            ("flow-train", "flow-sample"),
            ("flow-model", "anyhow"),
            ("flow-model", "burn-train"),
            ("flow-model", "flow-train"),
            ("flow-serve", "flow-run"),
            ("flow-serve", "flow-train"),
            ("flow-run", "clap"),
            ("flow-run", "anyhow"),
            ("flow-judge", "anyhow"),
            ("flow-report", "clap"),
            ("flow-eval", "flow-train"),
            ("flow-eval", "flow-datasets"),
            ("xtask", "flow-ode"),
        ] {
            let packages = [Package::new(krate, &[import])];
            assert_eq!(violations(&packages).len(), 1, "{krate} -> {import}");
        }
    }
}
