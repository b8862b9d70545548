//! Every public function that takes numbers meets awkward ones: finite numbers come back, a special
//! value that the documentation names, or an error that says what to do.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::tensor::Device;
use flow_datasets::table::{Column, Type, Values};
use flow_datasets::{Files, Table};
use flow_eval::Bins;
use flow_judge::ambiguity::maps;
use flow_judge::control::crossed;
use flow_judge::verify::{Check, table};
use flow_judge::{
    Inquiry, JudgeError, LikelihoodOptions, QuestionOptions, TableSpace, calibrate,
    densities_in_words, likelihood, with_densities,
};
use flow_model::{AnswerPlan, Model, ModelConfig, Registry};
use flow_nn::Signature;
use flow_run::{Data, Listener, Recipe, Run, Silent, Start, Training};
use flow_testing::awkward::{self, SCALARS};
use flow_testing::public;
use flow_train::Interrupter;

/// Counts that a caller may ask for.
const COUNTS: [usize; 5] = [0, 1, 3, 1 << 40, usize::MAX];

/// A function, and what it is called with.
type Trial = fn(&Scene);

const TABLE: &[(&str, Trial)] = &[
    ("Estimate::of", estimates),
    ("Inquiry::new", inquiries),
    ("TableSpace::cells", cells),
    ("TableSpace::cells_of", cells_of_samples),
    ("calibrate", calibrations),
    ("crossed", crossed_images),
    ("densities_in_words", words),
    ("table", checks),
    ("with_densities", tables_with_densities),
];

const EXEMPT: [(&str, &str); 2] = [
    ("Judge::judge", "it needs a classifier, and a test beside it has one that learned nothing"),
    ("Extractor::features", "it needs the network of FID; all before that is tested beside it"),
];

const MLP: &str = "kind = \"mlp\"\nhidden = 8\ndepth = 1\ntime_features = 4\n\
                   fourier = { octaves = 0, wavelength = 1.0 }";
const DIT: &str = "kind = \"dit\"\nhidden = 8\ndepth = 1\nheads = 2\npatch = 2";

/// Ten steps of a small network of a table, whose samples take two.
const CHANGES: [&str; 11] = [
    "data.given=[\"c\"]",
    "network.hidden=8",
    "network.depth=1",
    "network.time_features=4",
    "train.images=640",
    "train.warmup_images=64",
    "train.checkpoint_every=640",
    "train.checkpoints=[]",
    "train.keep=last",
    "sample.solver=euler",
    "sample.steps=2",
];

/// A run of a table of two columns and a condition, with its data and its model.
struct Scene {
    folder: tempfile::TempDir,
    run: Run,
    data: Data,
    model: flow_run::Model,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let line = |i: usize| {
            let (a, b) = ((0.7 * i as f64).sin(), (0.3 * i as f64).cos());
            format!("{a:.4},{:.4},{b:.4}\n", a + b)
        };
        let rows: String = (0..400).map(line).collect();
        let csv = folder.path().join("rows.csv");
        fs::write(&csv, format!("a,b,c\n{rows}")).unwrap();
        let changes = CHANGES.map(String::from).into_iter();
        let changes: Vec<String> =
            changes.chain([format!("data.file={}", csv.display())]).collect();
        let (registry, device) = (Registry::default(), Device::flex());
        let recipe = Recipe::named(&registry, "posterior", &changes).unwrap();
        let training = Training::open(Start::New(recipe), &Files::default(), &Silent).unwrap();
        let network = training.networks(&device, &Silent).unwrap();
        let out = folder.path().join("run");
        let begun = training.begin(Some(&out), &device, "flex", &Silent).unwrap();
        let told: Arc<dyn Listener> = Arc::new(Silent);
        begun.train(network, &device, &told, &Interrupter::new()).unwrap();
        let run = Run::open(&registry, &out).unwrap();
        let data = run.data(&Files::default(), &Silent).unwrap();
        let model = flow_run::Model::load(&run, &device).unwrap();
        Self { folder, run, data, model }
    }
}

/// The file of a small untrained model that is sampled by two steps.
fn saved(folder: &Path, section: &str, signature: Signature) -> PathBuf {
    let (registry, device) = (Registry::default(), Device::flex());
    let mut config = ModelConfig::new(signature, section.parse().unwrap());
    config.sample.solver = "euler".into();
    config.sample.steps = 2;
    let network = registry.build(&config.network, &config.signature, 1, &device).unwrap();
    let model = Model::new(&registry, config, network, &device).unwrap();
    let file = folder.join(format!("{:?}.flow", model.shape()));
    model.save(&file).unwrap();
    file
}

fn number(name: &str, values: Vec<f64>) -> Column {
    Column {
        name: name.into(),
        ty: Type::Real { decimals: Some(4) },
        values: Values::Number(values),
    }
}

/// An error that says something to whoever reads it.
fn says<T>(outcome: Result<T, JudgeError>) -> Option<T> {
    match outcome {
        Ok(value) => Some(value),
        Err(error) => {
            assert!(20 < flow_run::sentence(&error).len(), "{error}");
            None
        }
    }
}

fn estimates(_: &Scene) {
    for (name, x) in SCALARS {
        for values in [vec![], vec![x], vec![x, 1.0], vec![x; 3], vec![x * 1e200, -1.0]] {
            let none = values.is_empty() || values.iter().any(|x| x.is_nan());
            let found = flow_judge::Estimate::of(&values);
            assert_eq!(found.mean.is_nan(), none, "{name}: {values:?}");
            assert!(found.std_error.is_none_or(f64::is_finite), "{name}: {values:?}");
            assert!(found.std_error.is_none() || 1 < values.len(), "{name}: {values:?}");
        }
    }
}

fn inquiries(scene: &Scene) {
    let ordinary = QuestionOptions { noise: 0.5, n: 2, draws: 2, seed: 0 };
    let methods = ["mmps".to_owned()];
    let asked = |options, steps| {
        let inquiry =
            Inquiry::new("given:a", options, &methods, AnswerPlan::SAMPLER, steps).unwrap();
        let unseen = |_: &Asked| unreachable!("a table is not seen through an operator");
        let Scene { run, data, .. } = scene;
        let report = inquiry.report::<Box<JudgeError>>(run, data, &Device::flex(), unseen, &Silent);
        says(report.map_err(|error| *error))
    };
    for steps in COUNTS {
        let made = Inquiry::new("given:a", ordinary, &methods, AnswerPlan::SAMPLER, steps);
        let steps_are_named =
            |error: JudgeError| error.to_string().starts_with("number of steps is ");
        assert!((1..=1_000_000).contains(&steps) || made.is_err_and(steps_are_named), "{steps}");
    }
    for (name, noise) in SCALARS {
        let report = asked(QuestionOptions { noise, ..ordinary }, 2);
        // The squares of the ends of the range are no numbers of single precision.
        assert_eq!(report.is_some(), name == "one", "noise of {name}");
    }
    for count in COUNTS {
        for options in [
            QuestionOptions { n: count, draws: 1, ..ordinary },
            QuestionOptions { draws: count, ..ordinary },
        ] {
            let Some(report) = asked(options, 2) else { continue };
            assert!(0 < report.n && 0 < count, "{count}");
            let scores = report.rows.iter().flat_map(|row| &row.scores);
            assert!(scores.into_iter().all(|score| score.value.is_finite()), "{report}");
        }
    }
}

/// The model of a run, which an operator is made for.
type Asked = flow_run::Model;

fn cells(scene: &Scene) {
    let data = scene.data.table().unwrap();
    let space = TableSpace::new(data).unwrap();
    for n in COUNTS {
        let found = space.cells(&data.held, n);
        assert_eq!(found.len(), 3 * n.min(data.held.n), "{n}");
        assert!(found.iter().all(|x| x.is_finite()), "{n}");
    }
}

fn cells_of_samples(scene: &Scene) {
    let space = TableSpace::new(scene.data.table().unwrap()).unwrap();
    for set in awkward::rows(6, 2) {
        let found = says(space.cells_of(&set.rows));
        let any = set.finite && !set.rows.is_empty();
        assert_eq!(found.is_some(), any, "{}", set.name);
        assert!(found.is_none_or(|cells| cells.iter().all(|x| x.is_finite())), "{}", set.name);
        if let Some(ragged) = set.rows.get(1..) {
            assert!(says(space.cells_of(ragged)).is_none(), "{}", set.name);
        }
    }
}

fn calibrations(scene: &Scene) {
    let Scene { run, data, model, .. } = scene;
    for count in COUNTS {
        for (n, draws) in [(count, 4), (20, count), (count, count)] {
            let found = says(calibrate(run, data, model, (n, draws, 0), &Silent));
            assert_eq!(found.is_some(), 20 <= n && draws == 4, "{n} and {draws}");
            let rows = found.map_or(Vec::new(), |found| found.rows);
            assert!(rows.iter().all(|row| row.deviation.value.is_finite()), "{n} and {draws}");
        }
    }
}

fn crossed_images(scene: &Scene) {
    let signature = Signature { latent: 2, ..Signature::of([1, 4, 4]) };
    let file = saved(scene.folder.path(), DIT, signature);
    let registry = Registry::default();
    let model = flow_run::Model::of_file(&registry, &file, &Device::flex()).unwrap();
    let changes = ["sample.solver=euler", "sample.steps=2"].map(String::from);
    let recipe = Recipe::named(&registry, "vrfm-digits", &changes).unwrap();
    for n in COUNTS {
        let found = says(crossed(&recipe, &model, n, 0));
        assert_eq!(found.is_some(), n < 4, "{n}");
        let Some(images) = found else { continue };
        assert_eq!(images.len(), n * n * 16, "{n}");
        assert!(images.iter().all(|x| x.is_finite()), "{n}");
    }
}

fn words(_: &Scene) {
    for (name, x) in SCALARS {
        for nats in [vec![], vec![x], vec![x, -1.0], vec![x; 3]] {
            let text = densities_in_words(&nats);
            let shown = text.contains("NaN") || text.contains("inf");
            assert!(!shown && text.contains(&nats.len().to_string()), "{name}: {text}");
        }
    }
}

fn checks(_: &Scene) {
    for (name, x) in SCALARS {
        let passed = x.abs() <= 1.0;
        let (id, quantity, on) = ("G01", "a number".into(), "host f64".into());
        let all = Check { id, quantity, on, expected: x, got: x, error: x, tolerance: x, passed };
        let text = table(&[all], x);
        let verdict = if passed { "1 of 1 checks pass" } else { "0 of 1 checks pass" };
        assert!(text.contains(verdict) && text.lines().count() == 4, "{name}: {text}");
    }
    assert!(table(&[], 0.0).contains("0 of 0 checks pass"));
}

fn tables_with_densities(_: &Scene) {
    let rows = Table::new(vec![number("a", vec![1.0, 2.0])]).unwrap();
    for (name, x) in SCALARS {
        for nats in [vec![], vec![x], vec![x, -1.0], vec![x; 3]] {
            let right = nats.len() == 2;
            let found = says(with_densities(&rows, nats));
            assert_eq!(found.is_some(), right, "{name}");
            let Some(found) = found else { continue };
            let Values::Number(kept) = &found.column("log_density").unwrap().values else {
                panic!("a density is a number")
            };
            assert!(kept[0].total_cmp(&x).is_eq() || kept[0].is_nan() && x.is_nan(), "{name}");
        }
    }
}

#[test]
fn public_functions_keep_their_word_over_awkward_numbers() {
    let scene = Scene::new();
    for (name, trial) in TABLE {
        let outcome = catch_unwind(AssertUnwindSafe(|| trial(&scene)));
        assert!(outcome.is_ok(), "{name}");
    }
    let names: Vec<&str> = TABLE.iter().map(|(name, _)| *name).collect();
    public::assert_covered(env!("CARGO_MANIFEST_DIR"), &names, &EXEMPT);
}

/// Options are fields, so that they have no place in the table.
#[test]
fn likelihoods_of_nothing_and_of_too_much_are_refused() {
    let scene = Scene::new();
    let Scene { run, data, model, .. } = &scene;
    let ordinary = LikelihoodOptions {
        solver: "euler".into(),
        steps: Some(2),
        number: Some(3),
        ..LikelihoodOptions::default()
    };
    let found = |options| says(likelihood(run, data, model, &options));
    assert!(found(ordinary.clone()).is_some());
    for count in COUNTS {
        let options = LikelihoodOptions { number: Some(count), ..ordinary.clone() };
        assert_eq!(found(options).is_some(), 0 < count, "-n {count}");
        let options = LikelihoodOptions { batch: Some(count), ..ordinary.clone() };
        assert_eq!(found(options).is_some(), 0 < count, "--batch {count}");
        let options = LikelihoodOptions { probes: Some(count), ..ordinary.clone() };
        assert_eq!(found(options).is_some(), (1..4).contains(&count), "--probes {count}");
        // No column of the table is of whole numbers.
        let options = LikelihoodOptions { importance: count, ..ordinary.clone() };
        assert_eq!(found(options).is_some(), count == 1, "--importance {count}");
        let options = LikelihoodOptions { steps: Some(count), ..ordinary.clone() };
        let steps = (1 << 40 != count && count != usize::MAX).then(|| found(options));
        assert!(steps.is_none_or(|found| found.is_some() == (0 < count)), "--steps {count}");
    }
    for (name, x) in SCALARS {
        for (rtol, atol) in [(x, 1e-2), (1e-2, x)] {
            let ordinary = LikelihoodOptions { number: Some(1), ..ordinary.clone() };
            let options = LikelihoodOptions { solver: "dopri5".into(), steps: None, ..ordinary };
            let report = found(LikelihoodOptions { rtol, atol, ..options });
            let nats = report.map_or(0.0, |found| found.report.nats.mean);
            assert!(nats.is_finite(), "tolerances of {name}");
        }
    }
}

#[test]
fn maps_over_awkward_bins_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = saved(folder.path(), MLP, Signature::of([1]));
    let registry = Registry::default();
    let model = flow_run::Model::of_file(&registry, &file, &Device::flex()).unwrap();
    let recipe = Recipe::named(&registry, "rf-1d", &[]).unwrap();
    let bins = |low, high, count| Bins { low, high, count };
    let over = |x: Bins, t: Bins| {
        let maps = says(maps(&recipe, &model, 0, x, t))?.expect("a law with a closed form");
        assert!(maps.exact.iter().all(|x| x.is_finite()), "{x:?} {t:?}: {maps:?}");
        Some(maps)
    };
    let (line, times) = (bins(-1.0, 1.0, 2), bins(0.0, 1.0, 2));
    assert!(over(line, times).unwrap().error().is_finite());
    for (name, x) in SCALARS {
        // Where no pairs pass, there is a closed form but no spread.
        over(bins(x, 2.0, 2), times);
        over(bins(-2.0, x, 2), times);
        assert!(over(line, bins(x, 2.0, 1)).is_none(), "times from {name}");
        assert_eq!(over(line, bins(0.0, x, 1)).is_some(), 0.0 < x && x <= 1.0, "times to {name}");
    }
    for count in [0, 1 << 40, usize::MAX] {
        assert!(over(bins(-1.0, 1.0, count), times).is_none(), "{count} places");
        assert!(over(line, bins(0.0, 1.0, count)).is_none(), "{count} times");
    }
}
