//! `every_network_passes_the_contract`: what the kinds of the registry owe to everything above
//! them. A kind that is registered later is tested without another line.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use burn::tensor::{Bool, Device, Tensor, TensorData};
use common::network;
use flow_model::{Classes, Model, ModelConfig, Registry, SampleRequest, parameter_count};
use flow_nn::{Condition, DynNetwork, Network, Signature, Time};
use flow_ode::{Method, Stepping};
use flow_sample::Ode;
use toml::{Table, Value};

/// Rows in a batch.
const ROWS: usize = 5;

/// Small values for keys of sections: for those that a section must have, and in place of larger
/// defaults.
const SMALL: &str = r"
    hidden = 16
    depth = 2
    heads = 2
    patch = 2
    time_features = 8
    fourier = { octaves = 2, wavelength = 8.0 }
    features = 16
    band = { lowest = 0.1, highest = 10.0 }
    latent_hidden = 8
    latent_depth = 2
    channels = 8
    multipliers = [1, 2]
    blocks = 1
    attention = [4]
    head_channels = 8
    groups = 4
";

/// The section of a small network of a kind.
fn section(registry: &Registry, kind: &str) -> Table {
    let small: Table = SMALL.parse().unwrap();
    let mut section = Table::from_iter([("kind".to_owned(), Value::from(kind))]);
    let whole = loop {
        let error = match registry.complete(&section) {
            Ok(whole) => break whole,
            Err(error) => error.to_string(),
        };
        let missing = |key: &&String| {
            !section.contains_key(*key) && error.contains(&format!("missing field `{key}`"))
        };
        let Some(key) = small.keys().find(missing) else {
            panic!("{kind}: give what it must have a small value in SMALL: {error}");
        };
        section.insert(key.clone(), small[key].clone());
    };
    whole
        .into_iter()
        .map(|(key, value)| (key.clone(), small.get(&key).unwrap_or(&value).clone()))
        .collect()
}

/// Rows of a shape alone, with each condition alone, and with all that the kind accepts alone.
fn accepted(registry: &Registry, section: &Table, shape: &[usize]) -> Vec<Signature> {
    let builds =
        |signature: &Signature| registry.build_empty(section, signature, &Device::flex()).is_ok();
    let mut context = shape.to_vec();
    context[0] += usize::from(shape.len() == 3);
    let parts: [fn(&mut Signature, &[usize]); 6] = [
        |signature, _| signature.classes = 3,
        |signature, _| signature.vector = 2,
        |signature, context| signature.context = context.to_vec(),
        |signature, _| signature.latent = 3,
        |signature, _| signature.lengths = true,
        |signature, _| signature.two_times = true,
    ];
    let mut found = vec![Signature::of(shape)];
    let mut everything = Signature::of(shape);
    for part in parts {
        let mut alone = Signature::of(shape);
        part(&mut alone, &context);
        if builds(&alone) {
            part(&mut everything, &context);
        }
        found.push(alone);
    }
    found.push(everything);
    found.retain(builds);
    found
}

#[test]
fn every_network_passes_the_contract() {
    let registry = Registry::default();
    for (kind, _) in registry.kinds() {
        let section = section(&registry, kind);
        takes_slow_times(&registry, &section, kind);
        let shapes: [&[usize]; 3] = [&[2], &[1, 8, 8], &[6, 2]];
        let signatures: Vec<Signature> =
            shapes.iter().flat_map(|shape| accepted(&registry, &section, shape)).collect();
        assert!(!signatures.is_empty(), "{kind} takes no points, no images and no sequences");
        for signature in signatures {
            let name = format!("{kind} of {signature:?}");
            // Stirred: output layers of fresh networks may answer zero.
            let network = network(&section.to_string(), &signature, 1);
            takes_what_it_said(&registry, &section, &network, &name);
            one_time_is_the_same_in_each_row(&network, &name);
            a_row_does_not_depend_on_its_batch(&network, &name);
            reads_its_signature_alone(&network, &name);
            ends_where_its_rows_end(&network, &name);
            let model = model(&registry, section.clone(), network);
            comes_back_from_a_file(&registry, &model, &name);
            refuses_what_it_was_not_built_for(&model, &name);
        }
    }
}

/// Where the scale of its times has a key, a few radians are taken and kept.
fn takes_slow_times(registry: &Registry, section: &Table, kind: &str) {
    let Some((last, within)) = registry.time_scale_key(kind).split_last() else { return };
    let mut slow = section.clone();
    let inner = within.iter().fold(&mut slow, |table, key| {
        table.entry(*key).or_insert_with(|| Table::new().into()).as_table_mut().unwrap()
    });
    inner.insert((*last).into(), Value::Integer(6));
    let whole = registry.complete(&slow).unwrap();
    let kept = within.iter().fold(&whole, |table, key| table[*key].as_table().unwrap());
    let kept = kept[*last].as_float().or(kept[*last].as_integer().map(|n| n as f64));
    assert_eq!(kept, Some(6.0), "{kind}");
}

/// Parameters are counted before they are made, by the kinds that count them.
fn takes_what_it_said(registry: &Registry, section: &Table, network: &DynNetwork, name: &str) {
    let said = registry.footprint(section, network.signature()).unwrap().parameters;
    let made = parameter_count(network) as f64;
    assert!(
        said.total_cmp(&0.0).is_eq() || said.total_cmp(&made).is_eq(),
        "{name}: {said}, {made}"
    );
}

fn one_time_is_the_same_in_each_row(network: &DynNetwork, name: &str) {
    let (x, condition) = (numbers(network.signature().size()), everything(network.signature()));
    let answer = |time: Time| network.forward(x.clone(), time, &condition);
    let once = answer(one_time(network, 0.2));
    let each = answer(one_time(network, 0.2).expand(ROWS));
    assert_eq!(each.dims(), [ROWS, network.signature().size()], "{name}");
    assert_near(&once, &each, &format!("{name}, one time for all rows"));
    // The control: another time is another answer.
    let gap = largest(&(answer(one_time(network, 0.6)) - once));
    assert!(gap > 1e-4, "{name} does not read its time: {gap}");
}

fn a_row_does_not_depend_on_its_batch(network: &DynNetwork, name: &str) {
    let (x, condition) = (numbers(network.signature().size()), everything(network.signature()));
    let times = |values: &[f32]| {
        let t = Tensor::<1>::from_floats(values, &Device::flex());
        let s = network.signature().two_times.then(|| t.clone() * 0.5 + 0.45);
        Time { t, s }
    };
    let t = [0.1, 0.7, 0.3, 0.9, 0.5];
    let whole = network.forward(x.clone(), times(&t), &condition);
    for row in 0..ROWS {
        let alone = x.clone().narrow(0, row, 1);
        let alone = network.forward(alone, times(&t[row..=row]), &condition.narrow(row, 1));
        let name = format!("{name}, row {row} alone");
        assert_near(&whole.clone().narrow(0, row, 1), &alone, &name);
    }
    // The control: rows differ.
    let gap = largest(&(whole.clone().narrow(0, 0, 1) - whole.narrow(0, 3, 1)));
    assert!(gap > 1e-4, "{name} answers all rows alike: {gap}");
}

/// Conditions that the signature does not name change no bit.
fn reads_its_signature_alone(network: &DynNetwork, name: &str) {
    let signature = network.signature();
    let (x, condition) = (numbers(signature.size()), everything(signature));
    let known = condition.only(signature);
    let answer = |condition: &Condition, time: Time| {
        bits(&network.forward(x.clone(), time.expand(ROWS), condition))
    };
    let expected = answer(&known, one_time(network, 0.2));
    assert!(answer(&condition, one_time(network, 0.2)) == expected, "{name} reads more conditions");
    let Time { t, .. } = one_time(network, 0.2);
    let other = answer(&known, Time::from_to(t, Tensor::from_floats([0.9], &Device::flex())));
    assert_eq!(other != expected, signature.two_times, "{name}: the time of arrival");
}

/// What lies behind the end of a sequence is neither read nor answered.
fn ends_where_its_rows_end(network: &DynNetwork, name: &str) {
    let signature = network.signature();
    let condition = everything(signature);
    let x = numbers(signature.size());
    let Some(there) = condition.within(signature, &x) else { return };
    let answer = |x: Tensor<2>| network.forward(x, one_time(network, 0.2), &condition);
    let expected = answer(x.clone());
    let behind = there.clone() * -1.0 + 1.0; // [B, d], ones behind the end
    assert!(largest(&(expected.clone() * behind.clone())) <= 0.0, "{name} answers behind the end");
    assert_near(&answer(x.clone() + behind * 3.0), &expected, &format!("{name}, behind the end"));
    // The control: what is there is read.
    let gap = largest(&(answer(x + there * 3.0) - expected));
    assert!(gap > 1e-4, "{name} does not read its rows: {gap}");
}

fn comes_back_from_a_file(registry: &Registry, model: &Model, name: &str) {
    let bytes = model.to_file_bytes().unwrap();
    let opened = Model::from_file_bytes(registry, &bytes, &Device::flex()).unwrap();
    assert_eq!(opened.config(), model.config(), "{name}");
    let signature = model.signature();
    let answer = |network: &DynNetwork| {
        let time = one_time(network, 0.2);
        bits(&network.forward(numbers(signature.size()), time, &everything(signature)))
    };
    assert!(
        answer(opened.network()) == answer(model.network()),
        "{name}: other bits from its file"
    );
}

/// A condition that is missing, unknown or of another size is an error of who asks.
fn refuses_what_it_was_not_built_for(model: &Model, name: &str) {
    let Signature { classes, vector, latent, lengths, .. } = *model.signature();
    let context = match &*model.signature().context {
        [] => 0,
        sides => sides.iter().product(),
    };
    let rows = |size: usize| (0 < size).then(|| vec![0.25; ROWS * size]);
    let whole = || SampleRequest {
        vectors: rows(vector),
        contexts: rows(context),
        ..SampleRequest::new(ROWS, 3)
    };
    let euler = Ode::new(Method::Euler, Stepping::Count(1));
    let samples = model.sample(&whole(), &euler).unwrap();
    assert_eq!(samples.rows.len(), ROWS * model.signature().size(), "{name}");
    let refused = |what: &str, request: SampleRequest<'_>| match model.sample(&request, &euler) {
        Ok(_) => panic!("{name} accepts {what}"),
        Err(error) => assert!(error.is_usage(), "{name}, {what}: {error}"),
    };
    refused(
        "a class that it does not know",
        SampleRequest { classes: Classes::All(classes), ..whole() },
    );
    refused("vectors of another size", SampleRequest { vectors: rows(vector + 1), ..whole() });
    refused("contexts of another size", SampleRequest { contexts: rows(context + 1), ..whole() });
    refused("latents of another size", SampleRequest { latents: rows(latent + 1), ..whole() });
    if 0 < vector {
        refused("no vectors", SampleRequest { vectors: None, ..whole() });
    }
    if 0 < context {
        refused("no contexts", SampleRequest { contexts: None, ..whole() });
    }
    let length = if lengths { model.shape()[0] + 1 } else { 1 };
    refused("such lengths", SampleRequest { lengths: Some(vec![length; ROWS]), ..whole() });
}

fn model(registry: &Registry, section: Table, network: DynNetwork) -> Model {
    let signature = network.signature().clone();
    let lengths = if signature.lengths { vec![1; signature.shape[0]] } else { Vec::new() };
    let config = ModelConfig { lengths, ..ModelConfig::new(signature, section) };
    Model::new(registry, config, network, &Device::flex()).unwrap()
}

/// Numbers between -1 and 1 for each row.
fn numbers(size: usize) -> Tensor<2> {
    let values: Vec<f32> =
        (0..ROWS * size).map(|i| ((i * 7919) % 1000) as f32 / 500.0 - 1.0).collect();
    Tensor::from_data(TensorData::new(values, [ROWS, size]), &Device::flex())
}

/// A condition of every part, of the sizes that a network reads and of others where it reads none.
fn everything(signature: &Signature) -> Condition {
    let size = |n: usize| if n == 0 { 7 } else { n };
    let context = if signature.context.is_empty() { 0 } else { signature.context.iter().product() };
    let hidden: Tensor<1, Bool> =
        Tensor::from_data([false, true, false, false, true], &Device::flex());
    Condition::classes(&[0, 2, 1, 3, 0], &Device::flex())
        .with_vector(numbers(size(signature.vector)))
        .with_context(numbers(size(context)))
        .with_latent(numbers(size(signature.latent)))
        .with_lengths(&[1, 4, 6, 2, 5])
        .with_hidden(hidden)
}

/// One time for all rows, and of a flow map also one of arrival.
fn one_time(network: &DynNetwork, t: f32) -> Time {
    let at = |t: f32| Tensor::from_floats([t], &Device::flex());
    Time { t: at(t), s: network.signature().two_times.then(|| at(0.8)) }
}

/// The same up to the rounding of sums in another order.
fn assert_near(a: &Tensor<2>, b: &Tensor<2>, what: &str) {
    let gap = largest(&(a.clone() - b.clone()));
    assert!(gap <= 3e-5 * (1.0 + largest(a)), "{what}: {gap}");
}

fn largest(x: &Tensor<2>) -> f32 {
    x.clone().abs().max().into_scalar::<f32>()
}

fn bits(x: &Tensor<2>) -> Vec<u32> {
    let numbers = x.to_data().try_into_vec::<f32>().unwrap();
    numbers.into_iter().map(f32::to_bits).collect()
}
