//! U-Nets of other programs answer here what they answered there.
//!
//! The files were made by the programs themselves with random numbers in every array, rounded to
//! half precision: `tests/reference/README.md`.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;
#[path = "../../flow-nn/tests/common/computed.rs"]
mod computed;

use burn::tensor::{Device, Tensor};
use common::{Io, config, largest, output, reference};
use flow_import::{Family, Import, registry};
use flow_model::{Model, Registry, SampleRequest};
use flow_nn::{Condition, Network, Time};
use flow_path::Prediction;

fn import(family: Family, name: &str) -> Import {
    Import::new(family, reference(&format!("{name}.safetensors"))).with_config(config(name))
}

/// The largest difference to what torchcfm answered, whose time is ours.
fn torchcfm(name: &str) -> f32 {
    let model = import(Family::TorchcfmUnet, name).run(&Device::flex()).unwrap().model;
    assert_eq!(model.prediction(), Prediction::Velocity);
    let io = Io::open(&format!("{name}_io"));
    largest(&output(&model, &io, io.numbers("t")), &io.numbers("output"))
}

/// The largest difference to what diffusers answered, whose step `k` is our time
/// `(999 - k) / 1000`.
fn diffusers(name: &str) -> f32 {
    let model = import(Family::DiffusersUnet2d, name).run(&Device::flex()).unwrap().model;
    assert_eq!(model.prediction(), Prediction::Noise);
    let io = Io::open(&format!("{name}_io"));
    let error = |steps: &str, expected: &str| {
        let t = io.numbers(steps).into_iter().map(|k| ((999.0 - f64::from(k)) / 1000.0) as f32);
        largest(&output(&model, &io, t.collect()), &io.numbers(expected))
    };
    // The control: with time reversed the output is another.
    let t = io.numbers("t").into_iter().map(|k| k / 1000.0).collect();
    assert!(largest(&output(&model, &io, t), &io.numbers("output")) > 1e-2);
    error("t", "output").max(error("t_unit", "output_unit"))
}

/// Heads that hold their queries, keys and values together, attention at half the size.
#[test]
fn a_u_net_of_torchcfm_answers_as_there() {
    let error = torchcfm("torchcfm_unet32_attn");
    assert!(error < 1e-5, "{error}");
}

/// Scales and shifts, residual blocks that change the size, the new order of heads, classes.
#[test]
fn a_u_net_of_torchcfm_with_all_its_switches_answers_as_there() {
    let error = torchcfm("torchcfm_unet32_adm");
    assert!(error < 1e-5, "{error}");
}

/// Our time is rounded: 6e-8 of a second hand that turns by 1,000 radians, times weights of size 1.
/// The library's own angle in single precision is off by 2e-5.
#[test]
fn a_u_net_of_diffusers_answers_at_its_steps() {
    let error = diffusers("diffusers_unet2d_class");
    assert!(error < 1e-4, "{error}");
}

/// The operations that are written as ONNX: sums in another order, as in `forward`'s own test.
#[test]
fn the_graph_of_a_u_net_computes_what_the_network_does() {
    for (family, name) in [
        (Family::TorchcfmUnet, "torchcfm_unet32_attn"),
        (Family::TorchcfmUnet, "torchcfm_unet32_adm"),
        (Family::DiffusersUnet2d, "diffusers_unet2d_class"),
    ] {
        let device = Device::flex();
        let model = import(family, name).run(&device).unwrap().model;
        let io = Io::open(&format!("{name}_io"));
        let x = io.rows("x");
        let times: Vec<f32> = (0..x.dims()[0]).map(|row| 0.1 + 0.2 * row as f32).collect();
        let time = Time::at(Tensor::from_floats(&*times, &device));
        let none = vec![model.signature().classes; times.len()];
        let mut told = vec![None];
        if 0 < model.signature().classes {
            told = vec![io.classes(), Some(none)];
        }
        for classes in told {
            let condition =
                classes.map_or_else(Condition::none, |y| Condition::classes(&y, &device));
            let got = computed::by_graph(model.network(), x.clone(), &time, &condition).unwrap();
            let expected = model.network().forward(x.clone(), time.clone(), &condition);
            let expected: Vec<f32> = expected.into_data().try_into_vec().unwrap();
            assert!(largest(&got, &expected) < 2e-5, "{name}: {}", largest(&got, &expected));
        }
    }
}

#[test]
fn an_imported_u_net_is_saved_opened_and_sampled_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let known = registry(Registry::default());
    let import = import(Family::DiffusersUnet2d, "diffusers_unet2d_class");
    let model = import.run(&Device::flex()).unwrap().model;
    let path = folder.path().join("unet.flow");
    model.save(&path).unwrap();
    let opened = Model::open_with(&known, &path, &Device::flex()).unwrap();
    assert_eq!(opened.config(), model.config());
    let sampler = opened.sampler().unwrap();
    let draw = |model: &Model| model.sample(&SampleRequest::new(2, 7), &*sampler).unwrap().rows;
    let rows = draw(&opened);
    assert_eq!(rows.len(), 2 * 256);
    assert!(rows == draw(&model), "it draws something else when it is opened");
}

/// What is said of a U-Net of torchcfm whose arrays or whose configuration was changed.
fn refusal(from: &str, to: &str, change: impl FnOnce(&mut common::Arrays)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (weights, json) = (folder.path().join("changed.safetensors"), folder.path().join("c.json"));
    common::changed(&reference("torchcfm_unet32_adm.safetensors"), &weights, change);
    let text = std::fs::read_to_string(config("torchcfm_unet32_adm")).unwrap();
    assert!(text.contains(from), "{text}");
    std::fs::write(&json, text.replace(from, to)).unwrap();
    let import = Import::new(Family::TorchcfmUnet, &weights).with_config(json);
    import.run(&Device::flex()).unwrap_err().to_string()
}

#[test]
fn u_nets_that_do_not_fit_are_refused_by_name() {
    let missing = refusal("", "", |arrays| drop(arrays.remove("middle_block.1.qkv.bias")));
    assert!(missing.contains("no array `middle_block.1.qkv.bias`"), "{missing}");
    let left = refusal("", "", |arrays| {
        let array = arrays["out.0.bias"].clone();
        arrays.insert("out.9.bias".into(), array);
    });
    assert_eq!(left, "the file has arrays that torchcfm-unet does not: out.9.bias");
    let transposed = refusal("", "", |arrays| {
        arrays.get_mut("input_blocks.3.1.qkv.weight").unwrap().shape.reverse();
    });
    assert!(transposed.contains("input_blocks.3.1.qkv.weight"), "{transposed}");
    // The configuration of another network: fewer numbers for a norm, sides that cannot be halved.
    let fewer =
        refusal("\"use_scale_shift_norm\": true", "\"use_scale_shift_norm\": false", |_| ());
    assert!(fewer.contains("`input_blocks.1.0.emb_layers.1.weight` has the shape"), "{fewer}");
    let odd = refusal("  32,\n  32\n", "  33,\n  33\n", |_| ());
    assert!(odd.contains("33 pixels cannot be halved"), "{odd}");
    let sigma = refusal("\"num_heads\": 2", "\"num_heads\": 2, \"learn_sigma\": true", |_| ());
    assert!(sigma.contains("learn_sigma = true cannot be imported"), "{sigma}");
    let heads = refusal("\"num_heads\": 2", "\"num_heads\": 5", |_| ());
    assert!(heads.contains("must be a multiple of 5"), "{heads}");
}
