//! No picture, page or answer turns awkward numbers into a panic, a hang or a silent NaN.
//!
//! One row for each public function that takes numbers; each is called with every awkward set of
//! rows, scalar and count. Files are written whole or refused in a sentence; of functions that give
//! numbers, these are finite.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use std::fs;
use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use flow_datasets::Element;
use flow_datasets::array::Array;
use flow_model::{AnswerPlan, Answered, DensityRequest, ModelConfig, Registry, Trace};
use flow_nn::Signature;
use flow_ode::{Adaptive, Method, Tolerance};
use flow_plot::Picture;
use flow_report::{
    AnswersNote, Asked, Pixels, ReportError, Seen, back_projection, draw_density, mask, noise,
    observed, operator, save_answers, save_samples,
};
use flow_run::{Model, RECIPES, Run, Silent};
use flow_sample::{Blur, Dense, Likelihood, LinearOperator, Mask, ObservationNoise, Pool, Probe};
use flow_testing::panics::unless_it_says;
use flow_testing::{awkward, public};

/// Counts that a caller may ask for.
const COUNTS: [usize; 5] = [0, 1, 3, 1 << 40, usize::MAX];

/// Side of the images.
const SIDE: usize = 4;
const SIZE: usize = SIDE * SIDE;

/// What a function is called with.
#[derive(Clone, Copy)]
struct Awkward<'a> {
    scene: &'a Scene,
    /// Rows that may be anything, of 16 numbers.
    rows: &'a [f32],
    x: f64,
    count: usize,
}

/// Two small models, a run, and a folder that is made anew for each call.
struct Scene {
    folder: tempfile::TempDir,
    points: Model,
    images: Model,
    run: Run,
}

type Given = Result<Vec<f64>, ReportError>;

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mlp = "kind = 'mlp'\nhidden = 8\ndepth = 1\ntime_features = 4\n\
                   fourier = { octaves = 1, wavelength = 8.0 }";
        let unet = "kind = 'unet'\nchannels = 4\nmultipliers = [1]\nblocks = 1\nattention = []\n\
                    head_channels = 4\ngroups = 2";
        let points = model(folder.path(), mlp, Signature::of([2]));
        let images = model(folder.path(), unet, Signature::of([1, SIDE, SIDE]));
        let place = folder.path().join("run");
        for inner in ["checkpoints", "plots"] {
            fs::create_dir_all(place.join(inner)).unwrap();
        }
        let (_, debug) = RECIPES.iter().find(|(name, _)| *name == "debug").unwrap();
        fs::write(place.join("recipe.toml"), debug).unwrap();
        let run = Run::open(&Registry::default(), &place).unwrap();
        Self { folder, points, images, run }
    }

    /// The name of a file or a folder, of which nothing is left.
    fn out(&self, name: &str) -> std::path::PathBuf {
        let path = self.folder.path().join(name);
        let _ = fs::remove_dir_all(&path);
        let _ = fs::remove_file(&path);
        path
    }
}

/// A network that nothing has taught, as a program opens it.
fn model(folder: &Path, section: &str, signature: Signature) -> Model {
    let (registry, device) = (Registry::default(), Device::flex());
    let section: toml::Table = section.parse().unwrap();
    let network = registry.build(&section, &signature, 3, &device).unwrap();
    let config = ModelConfig::new(signature, section);
    let file = folder.join("model.flow");
    flow_model::Model::new(&registry, config, network, &device).unwrap().save(&file).unwrap();
    Model::of_file(&registry, &file, &device).unwrap()
}

/// Operators of images, whose outputs have several sizes.
fn operators() -> [Box<dyn LinearOperator>; 5] {
    let device = Device::flex();
    let dense = |x: f32| {
        let rows: Vec<f32> = (0..2 * SIZE).map(|i| x * (i as f32).sin()).collect();
        Box::new(Dense::new(Tensor::from_data(TensorData::new(rows, [2, SIZE]), &device)))
    };
    let flags: Vec<bool> = (0..SIZE).map(|i| i % 3 != 0).collect();
    [
        Box::new(Mask::new(&flags, SIZE, &device)),
        Box::new(Pool::new([1, SIDE, SIDE], 2)),
        Box::new(Blur::new([1, SIDE, SIDE], 0.7, &device)),
        dense(1.0),
        dense(1e30),
    ]
}

/// What is seen through an operator: the numbers of rows in turn; ordinary ones where there are
/// none.
fn seen(operator: &dyn LinearOperator, rows: &[f32]) -> Vec<f32> {
    let rows = if rows.is_empty() { &[0.5] } else { rows };
    rows.iter().copied().cycle().take(operator.sizes().1).collect()
}

fn note(x: f64, path: &Path) -> AnswersNote<'_> {
    AnswersNote {
        model: path,
        operator: "upsample:2",
        observed: path,
        noise: ObservationNoise::Gaussian { std: x },
        class: None,
        given: None,
        method: "mmps",
        sampler: "ddim",
        steps: 1,
        at_once: 1,
        seed: 0,
        seconds: x,
        memory: None,
    }
}

type Row = (&'static str, fn(Awkward<'_>) -> Given);

const TABLE: &[Row] = &[
    ("save_answers", |a| {
        let (out, n) = (a.scene.out("answers"), a.rows.len() / SIZE);
        let mut answered = Answered::default();
        answered.rows = a.rows.to_vec();
        answered.misfit = vec![a.x; n];
        answered.mean = a.rows.iter().copied().take(SIZE).collect();
        let seen = vec![a.x as f32; SIZE];
        save_answers(&out, &a.scene.images, &seen, &answered, note(a.x, &out))?;
        let text = fs::read_to_string(out.join("answers.json")).unwrap();
        let kept: serde_json::Value = serde_json::from_str(&text).unwrap();
        // JSON has neither NaN nor infinity.
        let expected = if a.x.is_finite() { a.x.into() } else { serde_json::Value::Null };
        assert_eq!((&kept["misfit"][0], &kept["seconds"]), (&expected, &expected));
        assert!(0 < Picture::read(out.join("answers.png")).unwrap().width());
        // Other numbers than those of whole answers.
        answered.spread = vec![0.0; a.count.min(SIZE - 1)];
        let again = a.scene.out("others");
        let spread = save_answers(&again, &a.scene.images, &seen, &answered, note(a.x, &out));
        assert_eq!(spread.is_ok(), answered.spread.is_empty());
        answered.spread = Vec::new();
        answered.misfit.push(a.x);
        let again = a.scene.out("others");
        save_answers(&again, &a.scene.images, &seen, &answered, note(a.x, &out)).unwrap_err();
        assert!(!again.exists());
        Ok(vec![])
    }),
    ("back_projection", |a| {
        let device = Device::flex();
        let mut given = Vec::new();
        for operator in operators() {
            let y = seen(&*operator, a.rows);
            for noise in [
                ObservationNoise::Gaussian { std: a.x },
                ObservationNoise::Poisson { gain: a.x, offset: 1.0 },
                ObservationNoise::Poisson { gain: 2.0, offset: a.x },
            ] {
                let row = back_projection(&*operator, &y, noise, &device);
                assert_eq!(row.len(), SIZE);
                given.extend(row.into_iter().map(f64::from));
            }
            let few = &y[1..];
            let normal = ObservationNoise::Gaussian { std: 0.1 };
            let back = || back_projection(&*operator, few, normal, &device);
            assert!(unless_it_says("that the operator sees", back).is_none());
        }
        Ok(given)
    }),
    ("draw_density", |a| {
        // A solve of the whole map each time: one of the scalars and counts is enough.
        if a.count != 3 || !is_one(a.x) {
            return Ok(vec![]);
        }
        let tolerance = Tolerance { atol: a.x, rtol: a.x };
        let request = DensityRequest {
            likelihood: Likelihood::new(Method::Dopri5, Adaptive::new(tolerance).into()),
            trace: Trace::Probes(a.count),
            probe: Probe::default(),
            seed: 0,
            batch: a.count,
            latents: a.count,
        };
        let draw = |model: &Model, points: &[f32]| {
            draw_density(&a.scene.run, model, points, &request, &Silent)
        };
        for file in draw(&a.scene.points, a.rows)? {
            assert!(0 < fs::metadata(file).unwrap().len());
        }
        // A model of other rows has no map, and a point has two numbers.
        assert!(draw(&a.scene.images, a.rows).unwrap().is_empty());
        draw(&a.scene.points, &[0.5]).unwrap_err();
        Ok(vec![])
    }),
    ("save_samples", |a| {
        let shapes = [
            vec![2],
            vec![1, SIDE, SIDE],
            vec![3, 2, 2],
            vec![5, 2, 2],
            vec![],
            vec![16],
            vec![0, 2, 2],
            vec![1, 0, 2],
            vec![a.count],
            vec![1, 2, a.count],
            vec![a.count, a.count, 2],
        ];
        for shape in shapes {
            let out = a.scene.out("samples.png");
            let saved = save_samples(a.rows, &shape, &out);
            assert_eq!(saved.is_ok(), out.exists(), "{shape:?}");
            let said = saved.err().map_or_else(String::new, |error| error.to_string());
            assert!(said.is_empty() || 20 < said.len(), "{shape:?}: {said}");
        }
        save_samples(a.rows, &[1, SIDE, SIDE], &a.scene.out("samples.png"))?;
        Ok(vec![])
    }),
    ("Pixels::read", |a| {
        let picture = a.scene.out("seen.png");
        save_samples(&[0.5; SIZE], &[1, SIDE, SIDE], &picture)?;
        let pixels = Pixels::read(&picture, a.count);
        assert_eq!(pixels.is_ok(), (1..=3).contains(&a.count));
        if let Ok(Pixels { shape, values }) = pixels {
            assert_eq!(values.len(), shape.iter().product::<usize>());
        }
        let file = a.scene.out("seen.npy");
        let (shape, element) = (vec![a.rows.len()], Element::F32);
        let _ = Array { shape, values: a.rows.to_vec(), element }.write(&file);
        let read = Pixels::read(&file, a.count)?;
        // NaN is what nobody has seen, and stays.
        assert!(read.values.iter().all(|value| !value.is_infinite()));
        Ok(vec![])
    }),
    ("Seen::answer", |a| {
        let (model, device) = (&a.scene.images, Device::flex());
        let file = a.scene.out("seen.npy");
        let values: Vec<f32> = a.rows.iter().copied().take(SIZE / 4).collect();
        let (shape, element) = (vec![values.len()], Element::F32);
        let _ = Array { shape, values, element }.write(&file);
        let normal = ObservationNoise::Gaussian { std: 0.1 };
        let plan = AnswerPlan::typed("mmps", "ddim", 2).unwrap();
        let asked = Asked {
            model: &file,
            class: None,
            given: None,
            method: "mmps",
            sampler: "ddim",
            steps: 2,
        };
        let answer = |noise, draws, asked| {
            let seen = Seen::read(Some("upsample:2"), None, Some(&file), noise, model, &device)?;
            let found = seen.answer(model, &plan, draws, asked, &a.scene.out("answers"))?;
            assert!(found.misfit.is_finite(), "{found}");
            Ok::<(), ReportError>(())
        };
        answer(normal, 2, asked)?;
        for noise in [
            ObservationNoise::Gaussian { std: a.x },
            ObservationNoise::Poisson { gain: a.x, offset: 1.0 },
            ObservationNoise::Poisson { gain: 2.0, offset: a.x },
        ] {
            let _ = answer(noise, 1, asked);
        }
        // More draws than memory holds, and none.
        assert_eq!(answer(normal, a.count, asked).is_ok(), [1, 3].contains(&a.count));
        answer(normal, 1, Asked { class: Some(a.count), ..asked }).unwrap_err();
        let given = [a.x as f32];
        answer(normal, 1, Asked { given: Some(("x=1", &given)), ..asked }).unwrap_err();
        Ok(vec![])
    }),
];

#[test]
fn no_function_gives_a_silent_nan() {
    let scene = Scene::new();
    for (name, call) in TABLE {
        for set in awkward::rows(3, SIZE) {
            for (scalar, x) in awkward::SCALARS {
                for count in COUNTS {
                    // Each scalar with one count, and each count with one scalar.
                    if count != 3 && !is_one(x) {
                        continue;
                    }
                    let a = Awkward { scene: &scene, rows: &set.rows, x, count };
                    let given = call(a);
                    let sound = match &given {
                        Ok(given) => given.iter().all(|x| x.is_finite()),
                        Err(error) => 20 < error.to_string().len(),
                    };
                    assert!(sound, "{name} of {} with {scalar} and {count}: {given:?}", set.name);
                }
            }
        }
    }
}

fn is_one(x: f64) -> bool {
    x.total_cmp(&1.0).is_eq()
}

#[test]
fn ordinary_numbers_are_drawn() {
    // Or else the table would pass on errors alone.
    let scene = Scene::new();
    let sets = awkward::rows(3, SIZE);
    let rows = &sets.iter().find(|set| set.name == "ordinary").unwrap().rows;
    for (name, call) in TABLE {
        let given = call(Awkward { scene: &scene, rows, x: 1.0, count: 3 });
        assert!(given.is_ok(), "{name}: {given:?}");
    }
}

#[test]
fn large_and_small_numbers_are_projected_back_as_ordinary_ones_are() {
    let (device, normal) = (Device::flex(), ObservationNoise::Gaussian { std: 0.1 });
    for operator in operators() {
        let y = |size: f32| -> Vec<f32> { seen(&*operator, &[size, -0.5 * size]) };
        let expected = back_projection(&*operator, &y(1.0), normal, &device);
        for size in [1e-30, 1e30] {
            let found = back_projection(&*operator, &y(size), normal, &device);
            for (found, expected) in found.iter().zip(&expected) {
                let error = (f64::from(*found) / f64::from(size) - f64::from(*expected)).abs();
                assert!(error < 1e-5 * (1.0 + f64::from(expected.abs())), "{operator:?} of {size}");
            }
        }
    }
}

#[test]
fn what_is_typed_and_read_from_files_is_checked() {
    let (scene, device) = (Scene::new(), Device::flex());
    let file = scene.out("mask.npy");
    for text in ["NaN", "inf", "-inf", "0", "-0", "-1", "1e-38", "1e38", "1", "2", "1e400", ""] {
        let seen = operator(&format!("upsample:{text}"), &scene.images, &device);
        assert_eq!(seen.is_ok(), ["1", "2"].contains(&text), "upsample:{text}");
        if let Ok(seen) = operator(&format!("blur:{text}"), &scene.images, &device) {
            // Weights of one sum, however wide.
            let one = Tensor::<2>::ones([1, SIZE], &device);
            let blurred = seen.apply(&one).into_data();
            assert!(blurred.iter::<f64>().all(|x| (x - 1.0).abs() < 1e-4), "blur:{text}");
        }
        // A law that has no size is refused where it is used.
        let _ = noise(text);
        let _ = noise(&format!("poisson:{text},{text}"));
    }
    for set in awkward::rows(3, SIZE) {
        let (shape, element) = (vec![set.rows.len()], Element::F32);
        let _ = Array { shape, values: set.rows.clone(), element }.write(&file);
        let known = mask(&file, &scene.images, &device);
        assert_eq!(known.is_ok(), set.name == "one row", "{}", set.name);
        let n = set.rows.len().max(1);
        let all = Mask::new(&vec![true; n], n, &device);
        let normal = ObservationNoise::Gaussian { std: 0.1 };
        let counts = ObservationNoise::Poisson { gain: 1.0, offset: 1.0 };
        for noise in [normal, counts] {
            if let Ok(found) = observed(&file, &all, noise, &scene.images) {
                assert!(found.iter().all(|x| !x.is_infinite()), "{}", set.name);
            }
        }
    }
}

#[test]
fn every_public_function_that_takes_numbers_has_a_row() {
    let rows: Vec<&str> = TABLE.iter().map(|(name, _)| *name).collect();
    public::assert_covered(env!("CARGO_MANIFEST_DIR"), &rows, &[]);
}
