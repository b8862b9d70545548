//! Checkpoints are whole, of one run, and the same bytes for the same run; whatever is not is
//! named.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::fs;
use std::path::Path;

use burn::tensor::{DType, Device};
use burn_pack::{Reader, Tensor, Writer};
use common::{Log, bits, checkpoints, network, plan, run, run_plan, session, small, task};
use flow_nn::{DynNetwork, MlpConfig, NetworkConfig, Signature};
use flow_train::{
    Checkpoint, CheckpointFolder, Ensemble, Interrupter, Outcome, Plan, TrainError, fit,
};

fn trained(folder: &Path, steps: usize) -> Checkpoint {
    run(folder, steps, None, &Log::default(), &Interrupter::new()).unwrap();
    checkpoints(folder).latest().unwrap()
}

fn resumed(folder: &Path, checkpoint: &Checkpoint) -> Result<Outcome<Ensemble>, TrainError> {
    run(folder, 40, Some(checkpoint), &Log::default(), &Interrupter::new())
}

/// Writes a part of a checkpoint anew, with the checksum that makes it whole.
fn forge(checkpoint: &Checkpoint, part: &str, bytes: &[u8]) {
    fs::write(checkpoint.path.join(part), bytes).unwrap();
    let state = checkpoint.path.join("state.json");
    let mut json: serde_json::Value = serde_json::from_slice(&fs::read(&state).unwrap()).unwrap();
    json["crc32"][part] = crc32fast::hash(bytes).into();
    fs::write(state, json.to_string()).unwrap();
}

/// A part of a checkpoint with each of its tensors changed, and the names of its numbers.
fn rewritten(
    path: &Path,
    tensor: impl Fn(Tensor) -> Tensor,
    name: impl Fn(&str) -> String,
) -> Vec<u8> {
    let reader = Reader::from_file(path).unwrap();
    let (scalars, metadata) = (reader.scalars().clone(), reader.metadata().clone());
    let tensors = reader.into_tensors().unwrap().into_iter().map(tensor).collect();
    let mut writer = Writer::new(tensors);
    for (key, value) in scalars {
        writer = writer.with_scalar(&name(&key), value);
    }
    for (key, value) in metadata {
        writer = writer.with_metadata(&name(&key), &value);
    }
    writer.into_bytes().unwrap().to_vec()
}

#[test]
fn steps_of_a_plan_beside_the_regular_ones_are_validated_and_saved_too() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::default();
    // The others are every tenth of 20.
    let plan = Plan { also: vec![14, 3], ..plan(20) };
    run_plan(folder.path(), &plan, None, &log, &Interrupter::new()).unwrap();
    let validated: Vec<usize> = log.validations.lock().unwrap().iter().map(|v| v.0).collect();
    assert_eq!(validated, [3, 10, 14, 20]);
    let kept = checkpoints(folder.path()).all().unwrap();
    // Two of them are kept.
    assert_eq!(kept.iter().map(|checkpoint| checkpoint.step).collect::<Vec<_>>(), [14, 20]);
}

#[test]
fn two_equal_runs_write_equal_files() {
    let [a, b] = [0, 1].map(|_| {
        let folder = tempfile::tempdir().unwrap();
        let path = trained(folder.path(), 20).path;
        ["model.bpk", "optimizer.bpk", "schedule.bpk", "state.json"]
            .map(|part| fs::read(path.join(part)).unwrap())
    });
    assert!(a == b, "checkpoints of equal runs differ");
}

#[test]
fn the_optimizer_of_another_run_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = trained(folder.path(), 20);
    let device = Device::flex();
    let other = tempfile::tempdir().unwrap();
    let others = CheckpointFolder::new(other.path(), "another recipe");
    let (log, interrupter) = (Log::default(), Interrupter::new());
    fit(task(network(&device)), &plan(20), session(&others, None, &log, &interrupter)).unwrap();
    let foreign = fs::read(others.latest().unwrap().path.join("optimizer.bpk")).unwrap();
    forge(&checkpoint, "optimizer.bpk", &foreign);
    let checkpoint = checkpoints(folder.path()).latest().expect("its checksum is right");
    let error = resumed(folder.path(), &checkpoint).unwrap_err().to_string();
    assert!(error.contains("its state is that of other weights"), "{error}");
}

#[test]
fn parts_of_another_step_are_refused() {
    for part in ["optimizer.bpk", "schedule.bpk"] {
        let folder = tempfile::tempdir().unwrap();
        let checkpoint = trained(folder.path(), 20);
        let earlier = checkpoints(folder.path()).all().unwrap().remove(0);
        assert_eq!(earlier.step, 10);
        forge(&checkpoint, part, &fs::read(earlier.path.join(part)).unwrap());
        let error = resumed(folder.path(), &checkpoint).unwrap_err().to_string();
        assert!(error.contains("its state is that of step 10"), "{error}");
    }
}

/// Runs before identities followed from paths drew them at random.
#[test]
fn a_checkpoint_with_other_identities_goes_on_to_the_same_weights() {
    let whole = tempfile::tempdir().unwrap();
    let expected =
        run(whole.path(), 40, None, &Log::default(), &Interrupter::new()).unwrap().network;
    let folder = tempfile::tempdir().unwrap();
    let interrupter = Interrupter::new();
    let log = Log { stop_after: Some((17, interrupter.clone())), ..Log::default() };
    run(folder.path(), 40, None, &log, &interrupter).unwrap();
    let checkpoint = checkpoints(folder.path()).latest().unwrap();
    assert!(checkpoint.step < 40);
    let other = |name: &str| match name.split_once('.') {
        Some((id, rest)) if id.parse::<u64>().is_ok() => {
            format!("{}.{rest}", id.parse::<u64>().unwrap() ^ 1)
        }
        None if name.parse::<u64>().is_ok() => (name.parse::<u64>().unwrap() ^ 1).to_string(),
        _ => name.to_string(),
    };
    for part in ["model.bpk", "optimizer.bpk"] {
        let tensor = |mut tensor: Tensor| {
            tensor.param_id = tensor.param_id.map(|id| id ^ 1);
            tensor.name = other(&tensor.name);
            tensor
        };
        let bytes = rewritten(&checkpoint.path.join(part), tensor, other);
        forge(&checkpoint, part, &bytes);
    }
    let resumed = resumed(folder.path(), &checkpoint).unwrap();
    assert!(bits(&resumed.network) == bits(&expected), "the weights differ");
}

#[test]
fn weights_of_another_kind_or_without_a_value_are_refused() {
    let device = Device::flex();
    let integer = |mut tensor: Tensor| {
        tensor.dtype = DType::I32;
        tensor
    };
    let not_finite = |tensor: Tensor| {
        let mut bytes = tensor.to_bytes().unwrap().to_vec();
        bytes[..4].copy_from_slice(&f32::NAN.to_le_bytes());
        let (name, dtype, shape, id, _) = tensor.into_parts().unwrap();
        Tensor::new(name, dtype, shape, id, burn::tensor::Bytes::from_bytes_vec(bytes))
    };
    // The average is read under the names of the network's own parameters.
    for (change, in_training, alone) in [
        (&integer as &dyn Fn(Tensor) -> Tensor, "is made of I32", "is made of I32"),
        (
            &not_finite,
            "holds numbers that are not finite, in average.",
            "holds numbers that are not finite, in layers.0.",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let checkpoint = trained(folder.path(), 20);
        let bytes = rewritten(&checkpoint.path.join("model.bpk"), change, str::to_string);
        forge(&checkpoint, "model.bpk", &bytes);
        checkpoints(folder.path()).latest().expect("its checksum is right");
        for (error, words) in [
            (checkpoint.average(network(&device)).map(drop).unwrap_err(), alone),
            (resumed(folder.path(), &checkpoint).map(drop).unwrap_err(), in_training),
        ] {
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}

#[test]
fn going_on_with_a_network_for_other_data_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = trained(folder.path(), 20);
    let device = Device::flex();
    let points = Signature::of([2]);
    for (config, signature, words) in [
        (small(), Signature::of([3]), "in place of"),
        (
            small(),
            Signature { classes: 2, ..points.clone() },
            "there is no average.class.table.weight",
        ),
        (MlpConfig { depth: 1, ..small() }, points, "the network has no average.layers.1"),
    ] {
        let network = DynNetwork::new(config.init(&signature, &device).unwrap());
        let (folder, interrupter) = (checkpoints(folder.path()), Interrupter::new());
        let session = session(&folder, Some(&checkpoint), &Log::default(), &interrupter);
        let error = fit(task(network.into()), &plan(40), session).map(drop).unwrap_err();
        assert!(matches!(error, TrainError::Weights { .. }), "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn a_folder_that_is_no_checkpoint_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path(), 20);
    fs::create_dir(folder.path().join("step-999999999")).unwrap();
    let error = checkpoints(folder.path()).latest().unwrap_err().to_string();
    let words = ["step-999999999", "(it is missing), remove its folder to go on"];
    assert!(words.iter().all(|words| error.contains(words)), "{error}");
    fs::remove_dir(folder.path().join("step-999999999")).unwrap();
    // Names that are not ours.
    fs::create_dir(folder.path().join("step-30")).unwrap();
    fs::create_dir(folder.path().join("step-old")).unwrap();
    assert_eq!(checkpoints(folder.path()).latest().unwrap().step, 20);
    let part = checkpoints(folder.path()).latest().unwrap().path.join("optimizer.bpk");
    fs::remove_file(&part).unwrap();
    let error = checkpoints(folder.path()).latest().unwrap_err();
    assert!(matches!(&error, TrainError::Damaged { path, .. } if *path == part), "{error}");
}

#[test]
fn two_processes_that_save_the_same_steps_leave_whole_checkpoints() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            // Either may fail where the other has been faster, and says so.
            scope.spawn(|| run(path, 60, None, &Log::default(), &Interrupter::new()).map(drop));
        }
    });
    let expected = {
        let whole = tempfile::tempdir().unwrap();
        let outcome = run(whole.path(), 60, None, &Log::default(), &Interrupter::new());
        outcome.unwrap().network
    };
    let last = checkpoints(path).latest().unwrap();
    let resumed = run(path, 60, Some(&last), &Log::default(), &Interrupter::new()).unwrap().network;
    assert!(bits(&resumed) == bits(&expected), "the weights differ");
}
