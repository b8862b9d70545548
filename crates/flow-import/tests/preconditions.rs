//! No public function takes numbers: they are those of the files and the configurations of
//! strangers. Whatever stands in them, a network is read whole or refused in a sentence, soon and
//! with no more memory than its file is worth.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::fs;
use std::path::Path;

use burn::tensor::Device;
use common::{changed, config, reference};
use flow_import::{Family, Import, ImportError, Imported, registry};
use flow_model::{Model, ModelConfig, Registry, parameter_count};
use flow_nn::{Condition, Signature};
use flow_testing::awkward::SCALARS;
use flow_testing::memory::Watch;
use flow_testing::public;
use toml::Table;

#[global_allocator]
static WATCH: Watch = Watch;

/// The families that have a configuration, with a small file of each.
const FILES: [(Family, &str); 5] = [
    (Family::Sit, "sit_step"),
    (Family::DiffusersDit, "diffusers_dit"),
    (Family::DiffusersUnet2d, "diffusers_unet2d_class"),
    (Family::TorchcfmUnet, "torchcfm_unet32_attn"),
    (Family::TorchcfmUnet, "torchcfm_unet32_adm"),
];

/// Numbers as JSON has them, and what may stand in their place.
const NUMBERS: [&str; 18] = [
    "0",
    "-1",
    "1",
    "3",
    "5",
    "1.5",
    "1e-38",
    "1e38",
    "-1e38",
    "1e999",
    "1048577",
    "1099511627776",
    "9223372036854775807",
    "18446744073709551615",
    "18446744073709551616",
    "null",
    "\"7\"",
    "NaN",
];

/// Lists of numbers, of which some are long.
fn lists() -> Vec<String> {
    let many = |number: &str, count: usize| format!("[{}]", vec![number; count].join(","));
    let mut lists: Vec<String> =
        NUMBERS.iter().flat_map(|number| [1, 2, 3].map(|count| many(number, count))).collect();
    lists.extend([
        "[]".into(),
        "[[1]]".into(),
        "[0, 32]".into(),
        "[32, 18446744073709551615]".into(),
    ]);
    lists.extend([33, 70, 100_000].map(|count| many("1", count)));
    lists.extend([33, 100_000].map(|count| many("32", count)));
    lists
}

/// More than a reader may ask for, of files below one megabyte.
const MOST_MEMORY: usize = 256 << 20;

/// What an import gives, which is a network of finite numbers or an error that says something.
fn outcome(import: &Import, what: &str) -> Result<Imported, ImportError> {
    let before = Watch::begin();
    let found = import.run(&Device::flex());
    let peak = Watch::peak_since(before);
    assert!(peak < MOST_MEMORY, "{what}: {peak} bytes");
    match &found {
        Err(error) => assert!(20 < error.to_string().len(), "{what}: {error}"),
        Ok(imported) => {
            let model = &imported.model;
            let classes = model.signature().classes;
            let condition = match classes {
                0 => Condition::none(),
                _ => Condition::classes(&[classes - 1], &Device::flex()),
            };
            let row = vec![0.5; model.signature().size()];
            if row.len() < 10_000 {
                model
                    .velocity(&row, 0.5, condition)
                    .unwrap_or_else(|error| panic!("{what}: {error}"));
            }
        }
    }
    found
}

#[test]
fn awkward_numbers_of_strangers_are_read_or_refused() {
    // One after another: the memory is that of the whole program.
    keys_of_configurations();
    shapes_of_arrays();
    numbers_of_arrays();
    schedulers();
    sections();
    public::assert_covered(env!("CARGO_MANIFEST_DIR"), &[], &[]);
}

/// Every key that holds a number or a list, with every awkward one in its place.
fn keys_of_configurations() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("config.json");
    for (family, file) in FILES {
        let weights = reference(&format!("{file}.safetensors"));
        let text = fs::read_to_string(config(file)).unwrap();
        let right: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(&text).unwrap();
        let import = Import::new(family, &weights).with_config(&json);
        let with = |key: &str, value: &str| {
            let rest = right.iter().filter(|(other, _)| *other != key);
            let rest: Vec<String> = rest.map(|(key, value)| format!("\"{key}\":{value}")).collect();
            fs::write(&json, format!("{{{},\"{key}\":{value}}}", rest.join(","))).unwrap();
            let what = format!("{file} with {key} = {value:.60}");
            let found = outcome(&import, &what);
            // What is no number is refused where the file is read, which names it.
            if let Err(ImportError::Config { path, .. }) = &found {
                assert_eq!(path, &json, "{what}");
            }
            found.is_ok()
        };
        assert!(with("_note", "1"), "{file}");
        for (key, value) in &right {
            let harmless =
                ["dropout", "norm_num_groups", "num_head_channels", "out_channels_of_the_linear"];
            if value.is_number() || value.is_null() {
                let own = value.to_string();
                for number in NUMBERS {
                    let read = with(key, number);
                    let free = harmless.contains(&key.as_str()) || key.starts_with('_');
                    let same = own == number;
                    assert!(read || !same, "{file} with {key} = {number}");
                    let none = ["-1", "1e38", "1e999", "NaN"].contains(&number);
                    assert!(!read || free || !none, "{file} with {key} = {number}");
                }
            }
            if value.is_array() {
                for list in lists() {
                    let read = with(key, &list);
                    let same = right[key]
                        == serde_json::from_str::<serde_json::Value>(&list).unwrap_or_default();
                    assert!(!read || same || key == "dim", "{file} with {key} = {list:.60}");
                }
            }
        }
        // Keys that the file leaves to its program.
        for key in [
            "num_heads",
            "num_head_channels",
            "freq_shift",
            "norm_eps",
            "attention_head_dim",
            "num_classes",
            "num_class_embeds",
            "beta_start",
            "beta_end",
            "num_train_timesteps",
        ] {
            for number in NUMBERS {
                with(key, number);
            }
        }
        for pixels in ["0", "-1", "16,0", "", "1e3", "18446744073709551615", "16,16", ","] {
            with("attention_resolutions", &format!("\"{pixels}\""));
        }
    }
}

/// Every array of a file with the shapes of no numbers, of one, and with a side too many.
fn shapes_of_arrays() {
    let folder = tempfile::tempdir().unwrap();
    let damaged = folder.path().join("damaged.safetensors");
    let all = FILES[..4].iter().map(|&(family, file)| (family, file, true));
    for (family, file, told) in
        all.into_iter().chain([(Family::TorchcfmMlp, "torchcfm_mlp", false)])
    {
        let whole = reference(&format!("{file}.safetensors"));
        let import = Import::new(family, &damaged);
        let import = if told { import.with_config(config(file)) } else { import };
        let mut names = Vec::new();
        changed(&whole, &damaged, |arrays| {
            names.extend(arrays.iter().map(|(name, array)| (name.clone(), array.shape.clone())));
        });
        assert!(outcome(&import, file).is_ok());
        for (name, own) in names {
            let huge = 1 << 60;
            for shape in
                [vec![], vec![0], vec![0, huge], vec![huge, 0], vec![0, 4, huge, huge], vec![1; 8]]
            {
                if shape == own {
                    continue;
                }
                let size: usize = shape.iter().product();
                changed(&whole, &damaged, |arrays| {
                    let array = arrays.get_mut(&name).unwrap();
                    array.numbers = vec![0.5; size];
                    array.shape.clone_from(&shape);
                });
                let what = format!("{name} of {file} with the shape {shape:?}");
                assert!(outcome(&import, &what).is_err(), "{what}");
            }
        }
    }
}

/// One number of an array that is none, or as large as there is.
fn numbers_of_arrays() {
    let folder = tempfile::tempdir().unwrap();
    let damaged = folder.path().join("damaged.safetensors");
    let import = Import::new(Family::TorchcfmMlp, &damaged);
    for (name, x) in SCALARS {
        changed(&reference("torchcfm_mlp.safetensors"), &damaged, |arrays| {
            arrays.get_mut("net.2.bias").unwrap().numbers[0] = x as f32;
        });
        let found = import.run(&Device::flex());
        assert_eq!(found.is_ok(), x.is_finite(), "{name}");
        let error = found.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(x.is_finite() || error.contains("layers.1.bias holds"), "{name}: {error}");
    }
}

/// The rates of a scheduler beside a network of diffusers.
fn schedulers() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("config.json");
    let text = fs::read_to_string(config("diffusers_dit")).unwrap();
    let right: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
    let file = reference("diffusers_dit.safetensors");
    let import = Import::new(Family::DiffusersDit, file).with_config(&json);
    for (name, x) in SCALARS {
        for keys in [[x, 0.02], [1e-4, x], [x, x]] {
            let Some([start, end]) = keys
                .map(serde_json::Number::from_f64)
                .into_iter()
                .collect::<Option<Vec<_>>>()
                .map(|keys| [keys[0].clone(), keys[1].clone()])
            else {
                continue;
            };
            let mut all = right.clone();
            all.insert("beta_start".into(), start.into());
            all.insert("beta_end".into(), end.into());
            fs::write(&json, serde_json::to_string(&all).unwrap()).unwrap();
            let found = outcome(&import, name);
            let within = keys.iter().all(|rate| 0.0 < *rate && *rate < 1.0);
            assert!(within || found.is_err(), "{name}: {keys:?}");
        }
    }
}

const ADM: &str = r#"
    kind = "adm-unet"
    width = 8
    channels = [8, 16]
    blocks = 1
    attention = [false, true]
    heads = { count = 2 }
    groups = 4
    epsilon = 1e-5
    modulated = false
    residual_resampling = false
    normed_middle = true
    time = { lowest = 0.1, highest = 1000.0 }
"#;
const MLP: &str = "kind = \"torchcfm-mlp\"\nhidden = 8\ndepth = 2";

/// The networks of this crate from the description of a model, which may be anybody's.
fn sections() {
    let (known, device) = (registry(Registry::default()), Device::flex());
    let images = Signature { classes: 3, ..Signature::of([2, 8, 4]) };
    let (points, adm) = (Signature::of([3]), ADM.replace("modulated = false", "modulated = true"));
    let by_block = ADM.replace("residual_resampling = false", "residual_resampling = true");
    let one = ADM.replace("[8, 16]", "[8]").replace("[false, true]", "[true]");
    let bare = one.replace("normed_middle = true", "normed_middle = false");
    for (section, signature) in [
        (ADM, &images),
        (&*adm, &images),
        (&*by_block, &images),
        (&*bare, &images),
        (MLP, &points),
        (&*MLP.replace("depth = 2", "depth = 1"), &points),
    ] {
        // What is counted before a network is made is what it has.
        let table: Table = section.parse().unwrap();
        let network = known.build_empty(&table, signature, &device).unwrap();
        let footprint = known.footprint(&table, signature).unwrap();
        assert_eq!(footprint.parameters as usize, parameter_count(&network), "{section}");
        assert!(footprint.widest <= footprint.activations && 0.0 < footprint.products);
    }
    let weights = fs::read(reference("torchcfm_mlp.safetensors")).unwrap();
    let opened = |section: &str, signature: &Signature, what: &str| {
        let Ok(table) = section.parse::<Table>() else { return };
        let before = Watch::begin();
        let built = known.build_empty(&table, signature, &device).map(drop);
        let text = ModelConfig::new(signature.clone(), table).text();
        let model = Model::from_bytes(&known, &text, &weights, &device);
        let peak = Watch::peak_since(before);
        assert!(peak < MOST_MEMORY, "{what}: {peak} bytes");
        assert!(model.is_err(), "{what}");
        let said =
            built.err().map_or("a network that the weights are not of".into(), |e| e.to_string());
        assert!(20 < said.len(), "{what}: {said}");
    };
    let numbers = [
        "0",
        "-1",
        "1.5",
        "1048577",
        "1099511627776",
        "9223372036854775807",
        "1e-38",
        "1e38",
        "inf",
        "nan",
        "-inf",
    ];
    for number in numbers {
        for (line, with) in [
            ("width = 8", format!("width = {number}")),
            ("channels = [8, 16]", format!("channels = [{number}, 16]")),
            ("channels = [8, 16]", format!("channels = [8, {number}]")),
            ("blocks = 1", format!("blocks = {number}")),
            ("count = 2", format!("count = {number}")),
            ("count = 2", format!("channels = {number}")),
            ("groups = 4", format!("groups = {number}")),
            ("epsilon = 1e-5", format!("epsilon = {number}")),
            ("lowest = 0.1", format!("lowest = {number}")),
            ("highest = 1000.0", format!("highest = {number}")),
        ] {
            opened(&ADM.replace(line, &with), &images, &with);
        }
        for line in ["hidden = 8", "depth = 2"] {
            let with = format!("{} = {number}", &line[..line.len() - 4]);
            opened(&MLP.replace(line, &with), &points, &with);
        }
    }
    for levels in [0, 33, 70, 100_000] {
        let (channels, attention) = (vec!["8"; levels].join(","), vec!["true"; levels].join(","));
        let section = ADM.replace("8, 16", &channels).replace("false, true", &attention);
        opened(&section, &images, &format!("{levels} levels"));
    }
    for shape in [[0, 8, 4], [2, 0, 4], [2, 8, 1 << 60], [1 << 60, 8, 4], [2, 1 << 40, 1 << 40]] {
        opened(ADM, &Signature::of(shape), &format!("rows of {shape:?}"));
    }
    for classes in [1 << 40, usize::MAX] {
        opened(ADM, &Signature { classes, ..images.clone() }, &format!("{classes} classes"));
    }
    for dim in [0, 1 << 40, usize::MAX - 1, usize::MAX] {
        opened(MLP, &Signature::of([dim]), &format!("points of {dim}"));
    }
    let heads = ADM.replace("count = 2", "channels = 12").parse::<Table>().unwrap();
    let said = known.build_empty(&heads, &images, &device).unwrap_err().to_string();
    assert!(said.contains("channels with attention is 16, it must be a multiple of 12"), "{said}");
}

/// A configuration is the file that is named, and never a folder of numbers.
#[test]
fn a_configuration_that_is_no_file_is_refused() {
    let weights = reference("sit_step.safetensors");
    let error = Import::new(Family::Sit, weights).with_config(Path::new("0")).run(&Device::flex());
    assert!(matches!(error, Err(ImportError::Config { .. })));
}
