//! Bad input: one sentence that says what, where and what to do; nothing lost, nothing
//! half-written.

mod common;

use std::fs;
use std::process::{Command, Stdio};

use common::{Said, Scene, checkpoints};

#[test]
fn a_score_that_is_too_small_to_be_learned_is_warned_of_and_a_velocity_that_is_too_large() {
    let scene = Scene::new();
    let few = "--no-eval --set train.images=512 --set train.checkpoint_every=512";
    for (schedule, prediction, warned) in [
        ("ve", "score", true),
        ("ve", "velocity", true),
        ("ve", "noise", false),
        ("vp", "score", false),
        ("vp", "velocity", false),
    ] {
        let said = scene.run(&format!(
            "train gaussian --set path.schedule={schedule} --set path.prediction={prediction} {few}"
        ));
        let is = said.stderr.contains(&format!("warning: a {prediction} along ve"));
        assert!(said.code == Some(0) && is == warned, "{schedule} {prediction}: {}", said.stderr);
    }
}

#[test]
fn what_cannot_be_trained_is_refused_before_anything_is_written() {
    let scene = Scene::new();
    let refusals: [(&str, &[&str]); 55] = [
        ("debug --set network.hidden=1e9", &["network.hidden: to train", "EB, this machine has"]),
        ("debug --set network.hidden=1e9 --dry-run", &["network.hidden", "EB", "lower it"]),
        ("debug --set network.depth=9223372036854775807", &["network.depth", "lower it"]),
        ("debug --set network.fourier.octaves=1e9", &["network.fourier.octaves is 1000000000"]),
        ("vrfm-1d --set latent.dim=1e12", &["latent.dim", "PB, this machine has"]),
        (
            "debug --set train.batch=1e11 --set train.images=1e12",
            &["train.batch: a step takes at least", "TB"],
        ),
        (
            "debug --set train.batch=1e6 --set train.images=1e9 --set path.coupling=ot",
            &["train.batch: the coupling ot of a batch compares", "8.0 TB"],
        ),
        (
            "debug --set train.batch=40000 --set train.images=80000 --set path.coupling=ot",
            &["train.batch", "12.8 GB, and 4.3 GB are the most", "lower it"],
        ),
        ("debug --set eval.n=1e12", &["eval.n: to score takes at least 24.0 TB"]),
        ("debug --set eval.steps.rk4=[1000000000000]", &["eval.steps.rk4", "at most 1000000"]),
        ("debug --set train.validation_batches=0", &["train.validation_batches is 0"]),
        ("debug --set path.coupling.epsilon=1", &["`independent` has no key `epsilon`"]),
        ("debug --set train.batch.size=1", &["`batch` is a value, no section"]),
        ("debug --set =1", &["names no key"]),
        ("debug --threads 100000", &["--threads is 100000, give at most 1024"]),
        ("nope", &["`nope`", "checkerboard", "TOML file"]),
        ("missing.toml", &["missing.toml", "No such file"]),
        ("debug --set name=../mine", &["name ../mine", "file name", "letters"]),
        ("debug --set train.imagse=1", &["`imagse`", "`images`", "`train`"]),
        ("debug --set trian.images=1", &["`trian`", "`train`"]),
        ("debug --set train.batch=few", &["few", "`train.batch`"]),
        ("debug --set train.batch=0", &["train.batch is 0", "positive"]),
        ("debug --set train.images=-1", &["train.images is -1", "positive"]),
        ("debug --set train.images=100", &["train.images is 100", "batch of 256"]),
        ("debug --set train.learning_rate=nan", &["train.learning_rate is NaN", "positive"]),
        ("debug --set path.label_drop=2", &["path.label_drop is 2", "between 0 and 1"]),
        ("debug --set optimizer.beta1=1", &["optimizer.beta1 is 1", "[0, 1)"]),
        ("debug --set path.schedule.sigma_min=1", &["sigma_min is 1", "[0, 1)"]),
        ("debug --set path.coupling=paired", &["no pairs", "reflow.run"]),
        ("debug --set path.coupling=ot,epsilon=1", &["`ot` has no key `epsilon`"]),
        ("debug --set path.weight=edm,mean=nan", &["path.weight.mean is NaN", "finite"]),
        ("debug --set sample.rtol=0 --set sample.atol=0", &["sample.rtol and sample.atol", "zero"]),
        ("vrfm-1d --set sample.sampler=ancestral", &["ancestral", "score", "latent"]),
        ("debug --set network.kind=cnn", &["`cnn`", "dit, mlp, split-mlp", "network.kind"]),
        ("debug --set network.time_features=3", &["time_features is 3", "multiple of 2"]),
        ("debug --set data.set=cats", &["`cats`", "checkerboard"]),
        ("debug --set data.set=digits", &["mlp takes points", "`digits`"]),
        ("debug --set data.conditional=true", &["data.conditional", "no classes"]),
        ("debug --set sample.sampler=ddim,eta=7", &["sample.sampler.eta is 7", "[0, 1]"]),
        ("debug --set sample.sampler=churn,fraction=3", &["fraction is 3", "[0, 1)"]),
        ("debug --set sample.solver=rk5", &["sample.solver", "`rk5`", "dopri5"]),
        ("debug --set eval.steps.rk4=[0]", &["eval.steps.rk4", "positive"]),
        ("debug --set eval.n=2", &["eval.n is 2", "at least 3"]),
        ("debug --set eval.metrics=['kid']", &["no metric `kid`", "sliced"]),
        ("digits --set eval.metrics=['fid']", &["`fid` needs", "weights"]),
        ("debug --set train.batch", &["`--set train.batch`", "key=value"]),
        // Errors of type in the words of whoever types.
        ("debug --set train.batch=ten", &["expected a whole number, got \"ten\"", "`train.batch`"]),
        ("debug --set network.hidden=2.5", &["expected a whole number, got 2.5", "`hidden`"]),
        ("debug --set path.schedule.sigma_min=few", &["expected a number, got \"few\""]),
        ("debug --set network.fourier=3", &["expected names and values, got 3"]),
        ("debug --device tpu", &["`tpu`", "built in", "flex"]),
        ("debug --device flex:first", &["`flex:first`", "`flex:0`"]),
        ("debug --threads 0", &["--threads is 0", "at least 1"]),
        ("--resume nope", &["no run and no model nope", "`flow train`"]),
        ("digits --set network.channels=3", &["channels is 3", "multiple"]),
    ];
    for (words, names) in refusals {
        scene.refuses(&format!("train {words}"), 2, names);
    }
}

#[test]
fn a_device_that_is_not_built_in_is_refused_with_how_to_build_it() {
    if cfg!(feature = "metal") {
        return;
    }
    let scene = Scene::new();
    let names = ["`metal`", "not built in", "--backend metal", "--features metal"];
    scene.refuses("train debug --device metal", 2, &names);
}

#[test]
fn broken_toml_is_refused_with_its_line() {
    let scene = Scene::new();
    scene.write("mine.toml", "name = \"mine\"\nabout = = \"x\"\n");
    scene.refuses("train mine.toml", 2, &["mine.toml", "no valid TOML", "line 2"]);
}

#[test]
fn a_recipe_in_another_encoding_is_read_by_its_mark_or_named_with_its_line() {
    let scene = Scene::new();
    let recipe = scene.ok("recipe debug").replace("about = \"", "about = \"Größe \u{1d11e}, ");
    assert!(recipe.contains('ö'), "{recipe}");
    // As `> mine.toml` writes in Windows PowerShell 5.1.
    let wide: Vec<u8> = recipe.encode_utf16().flat_map(u16::to_le_bytes).collect();
    scene.write("wide.toml", [&[0xff, 0xfe], &wide[..]].concat());
    let resolved = scene.ok("train wide.toml --dry-run");
    assert!(resolved.contains("Größe"), "{resolved}");
    scene.write("latin.toml", b"name = \"mine\"\nabout = \"Gr\xf6\xdfe\"\n");
    scene.refuses("train latin.toml", 2, &["latin.toml", "line 2 is no UTF-8", "as UTF-8"]);
}

#[test]
fn every_seed_of_64_bits_trains_and_goes_on() {
    let scene = Scene::new();
    scene.train("run", "--seed 18446744073709551615 --set train.images=2560");
    scene.ok("train --no-eval --resume run --more-images 2560");
    scene.ok("train run/recipe.toml --dry-run");
    scene.refuses("train debug --set seed=-1", 2, &["seed is -1", "18446744073709551615"]);
}

#[test]
fn a_recipe_that_does_not_exist_is_not_printed() {
    Scene::new().refuses("recipe nope", 2, &["`nope`", "`flow list`"]);
}

#[test]
fn an_existing_folder_is_never_trained_into() {
    let scene = Scene::new();
    scene.train("run", "");
    let recipe = fs::read(scene.path("run/recipe.toml")).unwrap();
    let names = ["run exists already", "another folder", "`--resume run`"];
    scene.refuses("train debug --seed 1 --out run", 2, &names);
    assert_eq!(fs::read(scene.path("run/recipe.toml")).unwrap(), recipe);
    scene.write("file", "mine");
    scene.refuses("train debug --out file", 2, &["file exists already"]);
    fs::create_dir(scene.path("empty")).unwrap();
    scene.refuses("train debug --out empty", 2, &["empty exists already"]);
}

#[test]
fn a_folder_that_is_no_run_is_refused() {
    let scene = Scene::new();
    fs::create_dir(scene.path("photos")).unwrap();
    for verb in ["sample", "eval", "plot", "train --resume"] {
        let names = ["photos is no run folder", "recipe.toml", "`flow train`"];
        scene.refuses(&format!("{verb} photos"), 2, &names);
    }
}

#[test]
fn a_damaged_checkpoint_is_named_and_the_one_before_it_still_works() {
    let scene = Scene::new();
    scene.train("run", "");
    let newest = "run/checkpoints/step-000000200";
    let model = scene.path(&format!("{newest}/model.bpk"));
    let whole = fs::read(&model).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    for damaged in [&whole[..whole.len() / 2], &flipped, &[]] {
        fs::write(&model, damaged).unwrap();
        for verb in ["sample", "eval", "plot", "train --resume"] {
            let names = ["model.bpk is damaged", "checksum", "remove its folder"];
            scene.refuses(&format!("{verb} run"), 1, &names);
        }
    }
    fs::write(&model, whole).unwrap();
    scene.write(&format!("{newest}/state.json"), "{");
    scene.refuses("sample run", 1, &["state.json is damaged", "no valid JSON"]);
    fs::remove_file(scene.path(&format!("{newest}/optimizer.bpk"))).unwrap();
    scene.refuses("sample run", 1, &["state.json is damaged"]);

    fs::remove_dir_all(scene.path(newest)).unwrap();
    assert_eq!(checkpoints(&scene.path("run")), [150]);
    scene.ok("sample run");
}

#[test]
fn a_checkpoint_of_another_recipe_is_refused() {
    let scene = Scene::new();
    scene.train("run", "");
    let recipe = fs::read_to_string(scene.path("run/recipe.toml")).unwrap();
    assert!(recipe.contains("batch = 256"));
    scene.write("run/recipe.toml", recipe.replace("batch = 256", "batch = 128"));
    for verb in ["sample", "train --resume"] {
        let names =
            ["step-000000200", "another recipe", "`train.batch` was 256 and is 128", "undo"];
        scene.refuses(&format!("{verb} run"), 1, &names);
    }
}

#[test]
fn a_run_without_a_checkpoint_has_no_samples() {
    let scene = Scene::new();
    scene.train("run", "");
    fs::remove_dir_all(scene.path("run/checkpoints")).unwrap();
    scene.refuses("sample run", 1, &["run/checkpoints", "no checkpoint yet"]);
}

#[test]
fn data_files_that_are_missing_or_damaged_are_named() {
    let scene = Scene::new();
    fs::create_dir(scene.path("data")).unwrap();
    let train = "train mnist --data-dir data";
    let file = "train-images-idx3-ubyte";
    scene.refuses(train, 1, &[file, "not found in data/mnist or data", "put it there"]);

    // The header of 60,000 images of 28 x 28, then only a few pixels.
    let mut truncated = vec![0, 0, 8, 3, 0, 0, 0xea, 0x60, 0, 0, 0, 28, 0, 0, 0, 28];
    truncated.extend([0; 1000]);
    scene.write(&format!("data/{file}"), &truncated);
    let names = [file, "damaged", "expected SHA-256", "replace it with the original"];
    scene.refuses(train, 1, &names);

    fs::remove_file(scene.path(&format!("data/{file}"))).unwrap();
    scene.write(&format!("data/{file}.gz"), "another file");
    scene.refuses(train, 1, &names);
}

#[test]
fn samples_that_cannot_be_drawn_are_refused() {
    let scene = Scene::new();
    scene.train("run", "");
    scene.write("file", "");
    fs::create_dir(scene.path("folder.npy")).unwrap();
    let refusals: [(&str, i32, &[&str]); 15] = [
        ("--class 1", 2, &["--class", "no classes"]),
        ("--guidance 2", 2, &["--guidance", "no classes"]),
        ("--solver rk5", 2, &["`rk5`", "dopri5"]),
        ("--steps 0", 2, &["--steps is 0", "at least 1"]),
        ("--steps 5 --rtol 1e-3", 2, &["--rtol", "fixed steps", "leave"]),
        ("--solver rk4 --atol 1e-3", 2, &["--atol", "rk4", "fixed steps", "leave"]),
        ("--rtol nan", 2, &["rtol is NaN", "zero or a positive"]),
        ("--rtol=-1", 2, &["rtol is -1", "zero or a positive"]),
        ("--sampler ancestral,eta=1", 2, &["--sampler", "`ancestral` has no key `eta`"]),
        ("-n 0", 2, &["--number", "at least 1"]),
        ("--out x.jpg", 2, &["x.jpg", ".npy", ".png"]),
        ("--out x", 2, &["x ends", ".npy", ".png"]),
        ("--out nowhere/x.npy", 2, &["no folder nowhere", "make it"]),
        ("--out file/x.npy", 2, &["no folder file", "--out"]),
        ("--out folder.npy", 1, &["cannot write folder.npy", "may be written", "directory"]),
    ];
    for (words, code, names) in refusals {
        scene.refuses(&format!("sample run {words}"), code, names);
    }
    scene.refuses("eval run -n 1", 2, &["1 sample cannot be scored", "at least 3"]);
}

#[test]
fn a_class_out_of_range_is_refused() {
    let scene = Scene::new();
    scene.ok("train digits --no-eval --out run --set train.images=256 --set network.channels=8 \
              --set network.head_channels=8 --set network.multipliers=[1] \
              --set network.attention=[]");
    scene.refuses("sample run --class 10", 2, &["--class is 10", "classes 0 to 9"]);
}

#[test]
fn a_loss_that_is_no_number_stops_the_run() {
    let scene = Scene::new();
    let said = scene.run("train debug --out run --set train.learning_rate=1e9");
    assert_eq!(said.code, Some(1), "{said:?}");
    said.names(&["the loss is ", " at step ", "lower learning rate"]);
    assert!(checkpoints(&scene.path("run")).is_empty());
}

/// A limit on the size of files stands for a full disk: the optimizer's state has 27 kB, the limit
/// is 20 KiB (`ulimit -f` counts 512 bytes in dash and 1,024 in bash).
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_stops_the_run_and_loses_nothing() {
    let scene = Scene::new();
    let mut command = Command::new("sh");
    // An ignored SIGXFSZ turns the limit into an error of the write.
    command.args(["-c", "trap '' XFSZ; ulimit -f 20; exec \"$0\" \"$@\""]);
    command.arg(env!("CARGO_BIN_EXE_flow")).args(["train", "debug", "--no-eval", "--out", "run"]);
    scene.prepare(&mut command);
    let said: Said = command.output().unwrap().into();
    assert_eq!(said.code, Some(1), "{said:?}");
    said.names(&["cannot save a checkpoint in run/checkpoints", "make room", "too large"]);
    assert_eq!(fs::read_dir(scene.path("run/checkpoints")).unwrap().count(), 0);

    scene.ok("train --no-eval --resume run");
    scene.train("whole", "");
    assert!(scene.samples("run") == scene.samples("whole"), "the weights differ");
}

#[test]
fn a_reader_that_stops_reading_is_no_error() {
    let scene = Scene::new();
    let mut child =
        scene.flow("list").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let said: Said = child.wait_with_output().unwrap().into();
    assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""));
}

#[cfg(target_os = "linux")]
#[test]
fn a_result_that_cannot_be_written_is_a_failure() {
    let scene = Scene::new();
    scene.train("run", "");
    let sample = "sample run -n 3 --out x.npy";
    let verbs = ["list", "recipe debug", "train debug --dry-run", sample];
    for words in verbs.into_iter().chain(["--version", "--help", "train --help"]) {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let said: Said = scene.flow(words).stdout(full).output().unwrap().into();
        assert_eq!(said.code, Some(1), "flow {words}: {said:?}");
        said.names(&["cannot be written to standard output", "No space left"]);
        assert_eq!(said.stderr.lines().count(), 1, "flow {words}: {said:?}");
    }
}

#[test]
fn weights_that_are_no_numbers_give_no_file_of_samples() {
    let scene = Scene::new();
    // The only step of a training moves the weights beyond every number.
    let words =
        "train debug --no-eval --out run --set train.images=256 --set train.learning_rate=1e30";
    let trained = scene.run(words);
    if trained.code != Some(0) {
        // Such a training may be refused itself, and then has no checkpoint to sample.
        assert!(checkpoints(&scene.path("run")).is_empty(), "{trained:?}");
        return;
    }
    for options in ["--solver euler --steps 5 --out x.npy", "--solver rk4 --steps 2 --out x.png"] {
        scene.refuses(&format!("sample run -n 20 {options}"), 1, &["sample 0"]);
    }
}
