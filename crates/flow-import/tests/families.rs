//! Networks of other programs answer here what they answered there.
//!
//! The files were made by the programs themselves, or in their layout, with random numbers in every
//! array; `tests/reference/README.md` says how.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{DType, Device, Tensor, TensorData};
use common::{Io, config, largest, output, reference};
use flow_import::{Family, Import, ImportError, Imported, registry};
use flow_model::{Model, Registry, SampleRequest};
use flow_nn::{Condition, Network, Time};
use flow_path::Prediction;

fn imported(import: Import) -> Imported {
    import.run(&Device::flex()).unwrap()
}

fn sit() -> Import {
    Import::new(Family::Sit, reference("sit_small.safetensors")).with_config(config("sit_small"))
}

fn diffusers() -> Import {
    let file = reference("diffusers_dit.safetensors");
    Import::new(Family::DiffusersDit, file).with_config(config("diffusers_dit"))
}

fn torchcfm(file: &str) -> Import {
    Import::new(Family::TorchcfmMlp, reference(file))
}

/// Sums of some hundred products of numbers of size 1 in single precision: some 1e-6.
#[test]
fn a_sit_answers_as_the_code_that_trained_it() {
    let io = Io::open("sit_small_io");
    let model = imported(sit()).model;
    let error = largest(&output(&model, &io, io.numbers("t")), &io.numbers("output"));
    assert!(error < 1e-5, "{error}");
}

struct Double;

impl ModuleMapper for Double {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        parameter.map(|p| p.cast(DType::F64))
    }
}

/// In double precision what is left is the rounding of positions and frequencies to single.
#[test]
fn a_sit_answers_so_in_double_precision_too() {
    let io = Io::open("sit_small_io");
    let network = imported(sit()).model.network().clone().map(&mut Double);
    let x = io.rows("x").cast(DType::F64);
    let t: Vec<f64> = io.numbers("t").into_iter().map(f64::from).collect();
    let count = t.len();
    let t = TensorData::new(t, [count]);
    let t = Tensor::<1>::from_data(t, (&Device::flex(), DType::F64));
    let condition = Condition::classes(&io.classes().unwrap(), &Device::flex());
    let y = network.forward(x, Time::at(t), &condition);
    let y: Vec<f64> = y.into_data().try_into_vec().unwrap();
    let pairs = y.iter().zip(io.doubles("output_f64"));
    let error = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(error < 1e-6, "{error}");
}

/// Its step `k` is our time `(999 - k) / 1000`, which is rounded: 6e-8 of a second hand that turns
/// by 1,000 radians. The library's own angle in single precision is off by 2e-5.
#[test]
fn a_dit_of_diffusers_answers_at_its_steps() {
    let io = Io::open("diffusers_dit_io");
    let Imported { model, .. } = imported(diffusers());
    assert_eq!(model.prediction(), Prediction::Noise);
    for (steps, expected) in [("t", "output"), ("t_unit", "output_unit")] {
        let t = io.numbers(steps).into_iter().map(|k| ((999.0 - f64::from(k)) / 1000.0) as f32);
        let error = largest(&output(&model, &io, t.collect()), &io.numbers(expected));
        assert!(error < 1e-4, "{steps}: {error}");
    }
    // The control: with time reversed the output is another.
    let t = io.numbers("t").into_iter().map(|k| k / 1000.0);
    assert!(largest(&output(&model, &io, t.collect()), &io.numbers("output")) > 1e-2);
}

#[test]
fn a_perceptron_of_torchcfm_answers_from_each_state_of_its_checkpoint() {
    let io = Io::open("torchcfm_mlp_io");
    let error = |import| {
        let model = imported(import).model;
        largest(&output(&model, &io, io.numbers("t")), &io.numbers("output"))
    };
    assert!(error(torchcfm("torchcfm_mlp.safetensors")) < 1e-5);
    assert!(error(torchcfm("torchcfm_mlp_checkpoint.pt").with_part("net_model")) < 1e-5);
    // `module.` before each name, and one state beside a number.
    assert!(error(torchcfm("torchcfm_mlp_ddp.pt")) < 1e-5);
    // By default it is the average, every number of which is larger by 0.01.
    assert!(error(torchcfm("torchcfm_mlp_checkpoint.pt")) > 1e-3);
    let notes = imported(torchcfm("torchcfm_mlp_checkpoint.pt")).notes.join(", ");
    assert!(notes.contains("`ema_model`"), "{notes}");
}

/// 100 steps of the method of Runge and Kutta over a trained network, whose points lie within 5.
#[test]
fn a_trained_network_carries_points_to_where_torchcfm_carried_them() {
    let model = imported(torchcfm("torchcfm_moons.safetensors")).model;
    let io = Io::open("torchcfm_moons_io");
    let mut x = io.numbers("x0");
    let (steps, h) = (100, 0.01);
    let along = |x: &[f32], k: &[f32], h: f32| -> Vec<f32> {
        x.iter().zip(k).map(|(x, k)| x + h * k).collect()
    };
    for step in 0..steps {
        let t = f64::from(step) * 0.01;
        let v = |x: &[f32], t: f64| model.velocity(x, t, Condition::none()).unwrap();
        let k1 = v(&x, t);
        let k2 = v(&along(&x, &k1, h / 2.0), t + 0.005);
        let k3 = v(&along(&x, &k2, h / 2.0), t + 0.005);
        let k4 = v(&along(&x, &k3, h), t + 0.01);
        for (i, x) in x.iter_mut().enumerate() {
            *x += h / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]);
        }
    }
    let error = largest(&x, &io.numbers("x1"));
    assert!(error < 1e-3, "{error}");
}

#[test]
fn an_imported_model_is_saved_opened_and_sampled_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let known = registry(Registry::default());
    for (name, import) in
        [("sit", sit()), ("dit", diffusers()), ("mlp", torchcfm("torchcfm_mlp.safetensors"))]
    {
        let model = imported(import).model;
        let path = folder.path().join(format!("{name}.flow"));
        model.save(&path).unwrap();
        let opened = Model::open_with(&known, &path, &Device::flex()).unwrap();
        assert_eq!(opened.config(), model.config());
        let sampler = opened.sampler().unwrap();
        let request = SampleRequest::new(2, 7);
        let draw = |model: &Model| model.sample(&request, &*sampler).unwrap().rows;
        let rows = draw(&opened);
        assert_eq!(rows.len(), 2 * model.signature().size(), "{name}");
        assert!(rows == draw(&model), "{name} draws something else when it is opened");
    }
}

/// What is said of a file of SiT whose arrays were changed.
fn refusal(change: impl FnOnce(&mut common::Arrays)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("changed.safetensors");
    common::changed(&reference("sit_small.safetensors"), &path, change);
    let import = Import::new(Family::Sit, &path).with_config(config("sit_small"));
    import.run(&Device::flex()).unwrap_err().to_string()
}

#[test]
fn arrays_that_do_not_fit_are_named() {
    let missing = refusal(|arrays| drop(arrays.remove("blocks.1.mlp.fc2.bias")));
    assert!(missing.contains("no array `blocks.1.mlp.fc2.bias`, which sit has"), "{missing}");
    let left = refusal(|arrays| {
        let array = arrays["pos_embed"].clone();
        arrays.insert("blocks.1.extra".into(), array);
    });
    assert_eq!(left, "the file has arrays that sit does not: blocks.1.extra");
    // A transposed layer is one of other sides.
    let transposed = refusal(|arrays| {
        arrays.get_mut("blocks.0.mlp.fc1.weight").unwrap().shape.reverse();
    });
    assert!(transposed.contains("blocks.0.up.weight has the shape [256, 64]"), "{transposed}");
    assert!(transposed.ends_with("made of `blocks.0.mlp.fc1.weight` of the file"), "{transposed}");
    let patches = refusal(|arrays| {
        arrays.get_mut("x_embedder.proj.weight").unwrap().shape.reverse();
    });
    assert!(patches.contains("`x_embedder.proj.weight` has the shape [2, 2, 4, 64]"), "{patches}");
    // Two arrays under each other's names.
    let shuffled = refusal(|arrays| {
        let bias = arrays.remove("blocks.0.mlp.fc1.bias").unwrap();
        let other = arrays.insert("blocks.0.mlp.fc2.bias".into(), bias).unwrap();
        arrays.insert("blocks.0.mlp.fc1.bias".into(), other);
    });
    assert!(shuffled.contains("has the shape"), "{shuffled}");
    let positions = refusal(|arrays| arrays.get_mut("pos_embed").unwrap().numbers[70] += 0.5);
    assert!(
        positions.contains("`pos_embed` holds no sine-cosine positions, entry 70"),
        "{positions}"
    );
    let infinite =
        refusal(|arrays| arrays.get_mut("x_embedder.proj.bias").unwrap().numbers[0] = f32::NAN);
    assert!(infinite.contains("input.bias holds NaN"), "{infinite}");
    assert!(infinite.contains("`x_embedder.proj.bias`"), "{infinite}");
}

#[test]
fn files_that_do_not_fit_are_refused_with_what_to_do() {
    let device = Device::flex();
    let error = |import: Import| import.run(&device).unwrap_err();
    let file = reference("diffusers_dit.safetensors");
    let other = error(Import::new(Family::Sit, &file).with_config(config("sit_small"))).to_string();
    assert!(other.contains("no file of sit, it has the arrays of diffusers-dit"), "{other}");
    let none = error(Import::new(Family::Sit, reference("sit_small.safetensors"))).to_string();
    assert!(none.contains("sit needs the configuration") && none.contains("num_heads"), "{none}");
    let part = error(torchcfm("torchcfm_mlp_checkpoint.pt").with_part("ema")).to_string();
    assert!(part.contains("no part `ema`") && part.contains("`ema_model`, `net_model`"), "{part}");
    let folder = tempfile::tempdir().unwrap();
    let cut = folder.path().join("cut.pt");
    let bytes = std::fs::read(reference("torchcfm_mlp_ddp.pt")).unwrap();
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let told = torchcfm("torchcfm_moons.safetensors").with_config(reference("torchcfm_moons.json"));
    assert!(error(told).to_string().contains("leave --config out"));
    let cut = error(Import::new(Family::TorchcfmMlp, cut)).to_string();
    assert!(cut.contains("cut.pt"), "{cut}");
    let unknown = Family::of_name("unet").unwrap_err();
    assert!(matches!(unknown, ImportError::UnknownFamily { .. }));
    assert_eq!(
        unknown.to_string(),
        "there is no family `unet`, use one of torchcfm-mlp, torchcfm-unet, diffusers-unet2d, \
         diffusers-dit, sit"
    );
}

/// The import of a family whose configuration has some keys more, or others.
fn with_keys(family: Family, name: &str, keys: &str) -> Result<Imported, String> {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("config.json");
    let text = std::fs::read_to_string(config(name)).unwrap();
    let mut all: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
    all.extend(serde_json::from_str::<serde_json::Map<_, _>>(keys).unwrap());
    std::fs::write(&json, serde_json::to_string(&all).unwrap()).unwrap();
    let file = reference(&format!("{name}.safetensors"));
    let import = Import::new(family, file).with_config(json);
    import.run(&Device::flex()).map_err(|error| error.to_string())
}

#[test]
fn a_key_of_a_configuration_is_used_or_harmless_or_refused_by_name() {
    for (family, name, keys, said) in [
        (Family::Sit, "sit_small", r#"{"qk_norm": true}"#, "unknown to sit: qk_norm;"),
        (Family::Sit, "sit_small", r#"{"path_type": "GVP"}"#, "path_type = GVP"),
        (Family::Sit, "sit_small", r#"{"mlp_ratio": 2.0}"#, "mlp_ratio = 2.0"),
        (Family::DiffusersDit, "diffusers_dit", r#"{"rope": 1}"#, "unknown to diffusers-dit: rope"),
        (Family::DiffusersDit, "diffusers_dit", r#"{"activation_fn": "geglu"}"#, "geglu"),
        (
            Family::DiffusersUnet2d,
            "diffusers_unet2d_class",
            r#"{"class_embed_type": "timestep"}"#,
            "class_embed_type = timestep",
        ),
        (
            Family::TorchcfmUnet,
            "torchcfm_unet32_attn",
            r#"{"num_heads_upsample": 2}"#,
            "num_heads_upsample = 2",
        ),
        (Family::TorchcfmUnet, "torchcfm_unet32_attn", r#"{"new": 2}"#, "torchcfm-unet: new"),
    ] {
        let error = with_keys(family, name, keys).unwrap_err();
        assert!(error.contains(said), "{keys}: {error}");
    }
    let harmless = r#"{"class_dropout_prob": 0.3, "learn_sigma": true, "_note": "mine"}"#;
    assert!(with_keys(Family::Sit, "sit_small", harmless).is_ok());
}

#[test]
fn a_configuration_of_another_network_is_refused_by_its_key() {
    let refused = |family, name: &str, keys: &str, key: &str, instead: &str| {
        let error = with_keys(family, name, keys).unwrap_err();
        assert!(error.contains(key) && error.contains(instead), "{keys}: {error}");
    };
    let sit = |keys: &str, key: &str, instead: &str| {
        refused(Family::Sit, "sit_small", keys, key, instead);
    };
    let input = "`x_embedder.proj.weight` has the shape [64, 4, 2, 2] in place of";
    sit(r#"{"in_channels": 8}"#, "in_channels = 8", &format!("{input} [64, 8, 2, 2]"));
    sit(r#"{"patch_size": 4}"#, "patch_size = 4", &format!("{input} [64, 4, 4, 2]"));
    sit(r#"{"hidden_size": 128}"#, "hidden_size = 128", &format!("{input} [128, 4, 2, 2]"));
    sit(r#"{"num_heads": 5}"#, "num_heads = 5", "it must be a divisor of hidden_size");
    sit(r#"{"depth": 3}"#, "depth = 3", "the file has 2 of `blocks.{i}` in place of 3");
    sit(r#"{"num_classes": 99}"#, "num_classes = 99", "[11, 64] in place of [99, 64] or [100, 64]");
    sit(r#"{"class_dropout_prob": 0}"#, "class_dropout_prob = 0", "in place of [10, 64]");
    sit(r#"{"input_size": 16}"#, "input_size = 16", "[1, 16, 64] in place of [1, 64, 64]");
    let output = "`final_layer.linear.weight` has the shape [32, 64] in place of [16, 64]";
    sit(r#"{"learn_sigma": false}"#, "learn_sigma = false", output);

    let dit = |keys: &str, key: &str, instead: &str| {
        refused(Family::DiffusersDit, "diffusers_dit", keys, key, instead);
    };
    dit(r#"{"num_layers": 1}"#, "num_layers = 1", "2 of `transformer_blocks.{i}` in place of 1");
    let heads = "num_attention_heads, attention_head_dim = 8, 16";
    dit(r#"{"num_attention_heads": 8}"#, heads, "[64, 4, 2, 2] in place of [128, 4, 2, 2]");
    let classes = "[11, 64] in place of [9, 64] or [10, 64]";
    // One class fewer is not the same table without a vector for none.
    dit(r#"{"num_embeds_ada_norm": 9}"#, "num_embeds_ada_norm = 9", classes);
    dit(r#"{"out_channels": 4}"#, "out_channels = 4", "[32, 64] in place of [16, 64]");

    let unet = |keys: &str, key: &str, instead: &str| {
        refused(Family::DiffusersUnet2d, "diffusers_unet2d_class", keys, key, instead);
    };
    let channels = r#"{"in_channels": 3, "out_channels": 3}"#;
    unet(channels, "in_channels = 3", "[32, 1, 3, 3] in place of [32, 3, 3, 3]");
    let widths = "`down_blocks.1.resnets.0.conv1.weight` has the shape [32, 32, 3, 3] in place of";
    unet(r#"{"block_out_channels": [32, 64]}"#, "block_out_channels = [32, 64]", widths);
    let blocks = "1 of `down_blocks.0.resnets.{i}` in place of 2";
    unet(r#"{"layers_per_block": 2}"#, "layers_per_block = 2", blocks);
    unet(r#"{"layers_per_block": 100000000000}"#, "layers_per_block = 1", "at most 1000");
    let shift = r#"{"resnet_time_scale_shift": "default"}"#;
    unet(shift, "resnet_time_scale_shift = default", "[64, 128] in place of [32, 128]");
    let none = "the file has arrays `class_embedding.*`";
    unet(r#"{"num_class_embeds": null}"#, "num_class_embeds = null", none);
    let plain = r#"{"down_block_types": ["DownBlock2D", "DownBlock2D"],
        "up_block_types": ["UpBlock2D", "UpBlock2D"]}"#;
    unet(plain, "down_block_types = DownBlock2D", "arrays `down_blocks.1.attentions.*`");

    let adm = |keys: &str, key: &str, instead: &str| {
        refused(Family::TorchcfmUnet, "torchcfm_unet32_adm", keys, key, instead);
    };
    adm(r#"{"dim": [1, 32, 32]}"#, "dim = [1, 32, 32]", "[32, 3, 3, 3] in place of [32, 1, 3, 3]");
    adm(r#"{"num_channels": 64}"#, "num_channels = 64", "[128, 32] in place of [128, 64]");
    let structure = "channel_mult, num_res_blocks = [1, 1], 2";
    adm(r#"{"num_res_blocks": 2}"#, structure, "4 of `input_blocks.{i}` in place of 6");
    adm(r#"{"num_res_blocks": 100000000000}"#, "num_res_blocks = 1", "at most 1000");
    let second = "`input_blocks.3.0.out_layers.3.weight` has the shape [32, 32, 3, 3] in place of";
    adm(r#"{"channel_mult": [1, 2]}"#, "channel_mult = [1, 2]", second);
    let first = "the file has no arrays `input_blocks.1.1.*`";
    adm(r#"{"attention_resolutions": "32"}"#, "attention_resolutions = 32", first);
    let resampled = "the file has no arrays `input_blocks.2.0.op.*`";
    adm(r#"{"resblock_updown": false}"#, "resblock_updown = false", resampled);
    adm(r#"{"num_classes": 7}"#, "num_classes = 7", "[5, 128] in place of [7, 128] or [8, 128]");
    adm(r#"{"class_cond": false}"#, "class_cond = false", "the file has arrays `label_emb.*`");
}

#[test]
fn how_a_network_of_diffusers_was_trained_is_read_or_said_to_be_assumed() {
    let keys = r#"{"prediction_type": "v_prediction", "beta_start": 0.0002}"#;
    let beside = with_keys(Family::DiffusersDit, "diffusers_dit", keys).unwrap();
    assert_eq!(beside.model.prediction(), Prediction::V);
    assert_eq!(beside.model.config().schedule.to_string(), "vp,beta_max=20.0,beta_min=0.2");
    assert!(beside.notes.join("\n").contains("it gives v_prediction, along rates that are linear"));

    let assumed = imported(diffusers());
    assert_eq!(assumed.model.config().schedule.to_string(), "vp,beta_max=20.0,beta_min=0.1");
    assert!(assumed.notes.join("\n").contains("nothing says how it was trained"));

    // The folder of a model of diffusers.
    let folder = tempfile::tempdir().unwrap();
    for part in ["transformer", "scheduler"] {
        std::fs::create_dir(folder.path().join(part)).unwrap();
    }
    let network = folder.path().join("transformer/config.json");
    std::fs::copy(config("diffusers_dit"), network).unwrap();
    let scheduler = |text: &str| {
        let file = folder.path().join("scheduler/scheduler_config.json");
        std::fs::write(file, text).unwrap();
        let file = reference("diffusers_dit.safetensors");
        Import::new(Family::DiffusersDit, file).with_config(folder.path()).run(&Device::flex())
    };
    let ddim = r#"{"_class_name": "DDIMScheduler", "beta_schedule": "squaredcos_cap_v2",
        "prediction_type": "sample", "clip_sample": false, "num_train_timesteps": 1000}"#;
    let read = scheduler(ddim).unwrap();
    assert_eq!(read.model.prediction(), Prediction::Data);
    let schedule = read.model.config().schedule.to_string();
    assert!(schedule.starts_with("nichol-dhariwal"), "{schedule}");
    assert!(read.notes.join("\n").contains("scheduler_config.json says"));
    let scaled = scheduler(&ddim.replace("squaredcos_cap_v2", "scaled_linear")).unwrap_err();
    let scaled = scaled.to_string();
    assert!(scaled.contains("beta_schedule = scaled_linear cannot be imported"), "{scaled}");
    let flow = scheduler(r#"{"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 3.0}"#);
    let flow = flow.unwrap_err().to_string();
    assert!(flow.contains("it has no beta_schedule"), "{flow}");
}

#[test]
fn every_family_says_what_its_time_means() {
    for family in Family::ALL {
        assert_eq!(Family::of_name(family.name()).unwrap(), family);
        assert!(family.about().contains("is noise"), "{}", family.about());
    }
}
