//! Batches in parts, and a `flow` that a launcher of MPI has started, as far as that needs no MPI.
//!
//! What needs it is `benches/processes/check.py`.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use common::{Said, Scene, metrics};

const TRAIN: &str = "train debug --no-eval --out run --set train.images=5120";

fn launched(scene: &Scene, words: &str, variables: &[(&str, &str)]) -> Said {
    scene.flow(words).envs(variables.iter().copied()).output().unwrap().into()
}

#[test]
fn several_processes_of_a_flow_without_mpi_are_refused_in_one_sentence() {
    if cfg!(feature = "mpi") {
        return;
    }
    for (by, rank, size) in [
        ("mpirun", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
        ("mpiexec", "PMI_RANK", "PMI_SIZE"),
        ("srun", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS"),
    ] {
        let scene = Scene::new();
        let first = launched(&scene, TRAIN, &[(rank, "0"), (size, "4")]);
        assert_eq!(first.code, Some(2), "{first:?}");
        first.names(&[by, "4 processes", "built without MPI", "--features mpi"]);
        let other = launched(&scene, TRAIN, &[(rank, "3"), (size, "4")]);
        assert_eq!((other.code, other.stderr.as_str()), (Some(2), ""), "the first one has said it");
        assert!(!scene.path("run").exists());
    }
}

#[test]
fn verbs_of_one_process_are_refused_to_several() {
    let scene = Scene::new();
    let said = launched(&scene, "likelihood run", &[("PMI_RANK", "0"), ("PMI_SIZE", "2")]);
    assert_eq!(said.code, Some(2), "{said:?}");
    said.names(&["mpiexec started 2 processes", "`flow train`, `flow sample` and `flow eval`"]);
}

#[test]
fn one_process_of_a_launcher_and_a_batch_script_of_slurm_are_no_group() {
    for variables in [
        [("OMPI_COMM_WORLD_RANK", "0"), ("OMPI_COMM_WORLD_SIZE", "1")],
        [("SLURM_PROCID", "0"), ("SLURM_NTASKS", "4")],
    ] {
        let scene = Scene::new();
        let said = launched(&scene, TRAIN, &variables);
        assert_eq!(said.code, Some(0), "{said:?}");
    }
}

#[test]
fn a_batch_in_parts_learns_what_the_batch_does() {
    let scene = Scene::new();
    scene.ok(TRAIN);
    let whole = metrics(&scene.path("run"), "train");
    for draw in ["batch", "part"] {
        let out = format!("--out {draw} --set train.parts=4 --set train.draw={draw}");
        scene.ok(&TRAIN.replace("--out run", &out));
        let parts = metrics(&scene.path(draw), "train");
        assert_eq!(parts.len(), whole.len());
        let loss = |line: &serde_json::Value| line["loss"].as_f64().unwrap();
        let apart = whole.iter().zip(&parts).map(|(a, b)| (loss(a) / loss(b) - 1.0).abs());
        let apart = apart.fold(0.0, f64::max);
        // The same rows in another order of the sum, over 20 steps; or other rows, as by another
        // seed: the mean of 512 errors varies by some per cent.
        if draw == "batch" {
            assert!(apart < 1e-4, "{apart}");
        } else {
            assert!((1e-3..0.3).contains(&apart), "{apart}");
        }
        let recipe = std::fs::read_to_string(scene.path(draw).join("recipe.toml")).unwrap();
        assert!(recipe.contains("parts = 4"), "{recipe}");
    }
    let recipe = std::fs::read_to_string(scene.path("run").join("recipe.toml")).unwrap();
    assert!(!recipe.contains("parts"), "left out as before there were any: {recipe}");
}

#[test]
fn parts_that_do_not_divide_the_batch_are_named() {
    let scene = Scene::new();
    for parts in ["0", "3", "1e9"] {
        let said = scene.run(&format!("{TRAIN} --set train.parts={parts}"));
        assert_eq!(said.code, Some(2), "{said:?}");
        said.names(&["train.parts"]);
    }
    let said = scene.run(&format!("{TRAIN} --set train.draw=rows"));
    said.names(&["rows", "batch", "part"]);
}
