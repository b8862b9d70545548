//! Small models, data and a run, made once for all calls.

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use flow_datasets::array::Array;
use flow_datasets::table::{Column, Type};
use flow_datasets::{Columns, Element, Encoder, Files, Overrides, ReadOptions, Table, TableRows};
use flow_model::{ModelConfig, Registry};
use flow_nn::Signature;
use flow_run::{Begun, Data, Model, Place, Recipe, Silent, Start, Training};

const MLP: &str = "kind = 'mlp'\nhidden = 8\ndepth = 1\ntime_features = 4\n\
                   fourier = { octaves = 1, wavelength = 8.0 }";
const SPLIT: &str = "kind = 'split-mlp'\nfeatures = 4\nhidden = 8\ndepth = 1\nlatent_hidden = 8\n\
                     latent_depth = 1\nband = { lowest = 0.1, highest = 10.0 }";

/// What functions are called on.
pub(crate) struct Scene {
    folder: tempfile::TempDir,
    /// The recipe `debug` and its data, points of the plane without end.
    pub(crate) recipe: Recipe,
    pub(crate) toy: Data,
    /// Sequences of a file, of which some end early.
    pub(crate) sequences: Data,
    /// Models of points: plain, with classes, with a latent.
    pub(crate) points: Model,
    pub(crate) classes: Model,
    pub(crate) latent: Model,
    /// A model of a table of two columns, the second given.
    pub(crate) of_table: Model,
    pub(crate) table: TableRows,
    /// A model of its own, and a run.
    pub(crate) places: [Place; 2],
    pub(crate) begun: Begun,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        let plain = toml::Table::new;
        let recipe = recipe("debug", &[]);
        let toy = Data::open(&recipe, &Files::default(), &Silent).unwrap();
        let file = place("sequences.npy");
        write_array(
            &file,
            &[20, 2, 2],
            (0..80).map(|i| if i % 20 == 2 || i % 20 == 3 { f32::NAN } else { (i as f32).sin() }),
        );
        let of_file = self::recipe("sequence", &[&format!("data.file={}", file.display())]);
        let sequences = Data::open(&of_file, &Files::default(), &Silent).unwrap();
        let told = rows_of_table();
        let of_table = Signature { vector: told.vector(), ..Signature::of([told.encoder.width()]) };
        let points = model(&place("points.flow"), MLP, Signature::of([2]), plain());
        let classes = Signature { classes: 3, ..Signature::of([2]) };
        let latent = Signature { latent: 2, ..Signature::of([2]) };
        let (registry, device) = (Registry::default(), Device::flex());
        let training = Training::open(Start::New(recipe.clone()), &Files::default(), &Silent);
        let run = place("run");
        let begun = training.unwrap().begin(Some(&run), &device, "flex", &Silent).unwrap();
        let open = |path: &Path| Place::open(&registry, path, &device).unwrap();
        Self {
            recipe,
            toy,
            sequences,
            points,
            classes: model(&place("classes.flow"), MLP, classes, plain()),
            latent: model(&place("latent.flow"), SPLIT, latent, plain()),
            of_table: model(&place("table.flow"), MLP, of_table, told.kept()),
            table: told,
            places: [open(&place("classes.flow")), open(&run)],
            begun,
            folder,
        }
    }

    /// The name of a file, of which nothing is left.
    pub(crate) fn out(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        let _ = fs::remove_file(&path);
        path
    }
}

/// A recipe that ships, with changes.
pub(crate) fn recipe(name: &str, changes: &[&str]) -> Recipe {
    let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
    Recipe::named(&Registry::default(), name, &changes).unwrap()
}

/// A file of numbers, whatever they are; nothing where an array of the shape cannot be written.
pub(crate) fn write_array(file: &Path, shape: &[usize], values: impl IntoIterator<Item = f32>) {
    let values = values.into_iter().collect();
    let _ = Array { shape: shape.to_vec(), values, element: Element::F32 }.write(file);
}

/// A network that nothing has taught, as a program opens it.
fn model(file: &Path, section: &str, signature: Signature, rows: toml::Table) -> Model {
    let (registry, device) = (Registry::default(), Device::flex());
    let section: toml::Table = section.parse().unwrap();
    let network = registry.build(&section, &signature, 3, &device).unwrap();
    let mut config = ModelConfig::new(signature, section);
    (config.learned_without, config.rows) = (true, rows);
    flow_model::Model::new(&registry, config, network, &device).unwrap().save(file).unwrap();
    Model::of_file(&registry, file, &device).unwrap()
}

/// How a table of weights, given ages, becomes numbers.
fn rows_of_table() -> TableRows {
    let cells = |make: &dyn Fn(usize) -> String| (0..40).map(|i| Some(make(i))).collect::<Vec<_>>();
    let weight = |i: usize| format!("{:.1}", 50.0 + (i * 31 % 17) as f64 * 1.7);
    let table = Table::new(vec![
        Column::of_cells("weight", Type::Real { decimals: Some(1) }, &cells(&weight)),
        Column::of_cells("age", Type::Integer {}, &cells(&|i| (20 + i % 37).to_string())),
    ])
    .unwrap();
    let overrides = Overrides { given: vec!["age".into()], ..Overrides::default() };
    let encoder = Encoder::fit(&table, &Columns::guess(&table, &overrides).unwrap()).unwrap();
    let (optional, holes, reading) = (Vec::new(), Vec::new(), ReadOptions::default());
    TableRows { masked: false, optional, holes, encoder, reading }
}
