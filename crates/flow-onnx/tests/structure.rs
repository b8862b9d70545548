//! The contents of an ONNX file, read back as another program would.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;
#[path = "../src/proto.rs"]
#[allow(dead_code, reason = "the writer uses the rest")]
mod proto;

use std::collections::HashSet;

use common::{models, of_jumps, of_noise, without_graph};
use flow_model::{Model, ModelConfig, parameter_count};
use flow_ode::Method;
use flow_onnx::{OnnxError, network, sampler};
use prost::Message;
use proto::{Graph, Side};

fn read(bytes: &[u8]) -> proto::Model {
    proto::Model::decode(bytes).unwrap()
}

/// Names that a graph reads before anything has made them, and those that it makes twice.
fn faults(graph: &Graph, outside: &HashSet<String>) -> Vec<String> {
    let mut known = outside.clone();
    let mut faults = Vec::new();
    let given = graph.input.iter().map(|input| &input.name);
    for name in given.chain(graph.initializer.iter().map(|tensor| &tensor.name)) {
        if !known.insert(name.clone()) {
            faults.push(format!("{name} is made twice"));
        }
    }
    for node in &graph.node {
        for name in node.input.iter().filter(|name| !name.is_empty()) {
            if !known.contains(name) {
                faults.push(format!("{} reads {name}", node.name));
            }
        }
        for inner in node.attribute.iter().filter_map(|attribute| attribute.g.as_ref()) {
            faults.extend(self::faults(inner, &known));
        }
        for name in &node.output {
            if !known.insert(name.clone()) {
                faults.push(format!("{name} is made twice"));
            }
        }
    }
    let missing = graph.output.iter().filter(|output| !known.contains(&output.name));
    faults.extend(missing.map(|output| format!("nothing makes {}", output.name)));
    faults
}

/// Names and shapes of inputs, `?` for the batch.
fn declared(graph: &Graph) -> Vec<String> {
    let side = |side: &Option<Side>| match side {
        Some(Side::Number(n)) => n.to_string(),
        _ => "?".into(),
    };
    let shown = |input: &proto::ValueInfo| {
        let tensor = input.kind.as_ref().unwrap().tensor.as_ref().unwrap();
        let sides = tensor.shape.as_ref().unwrap().dim.iter().map(|dim| side(&dim.side));
        format!("{} {}", input.name, sides.collect::<Vec<_>>().join(" ")).trim_end().to_owned()
    };
    graph.input.iter().map(shown).collect()
}

fn graph_of(bytes: &[u8]) -> Graph {
    read(bytes).graph.unwrap()
}

fn named(name: &str) -> Model {
    models().into_iter().find(|(found, _)| *found == name).unwrap().1
}

#[test]
fn every_name_is_made_once_and_before_it_is_read() {
    for (name, model) in models() {
        for bytes in [network(&model).unwrap(), sampler(&model, None).unwrap()] {
            let faults = faults(&graph_of(&bytes), &HashSet::new());
            assert!(faults.is_empty(), "{name}: {faults:?}");
        }
    }
    // The control: a graph without its first node reads a value that no node writes.
    let mut graph = graph_of(&network(&named("mlp")).unwrap());
    graph.node.remove(0);
    assert!(!faults(&graph, &HashSet::new()).is_empty());
}

#[test]
fn weights_stand_in_a_file_once_under_their_own_names() {
    for (name, model) in models() {
        for bytes in [network(&model).unwrap(), sampler(&model, Some(Method::Dopri5)).unwrap()] {
            let graph = graph_of(&bytes);
            let own = graph.initializer.iter().filter(|tensor| tensor.name.starts_with("network."));
            let numbers: usize = own.map(|tensor| tensor.raw_data.len() / 4).sum();
            assert_eq!(numbers, parameter_count(model.network()), "{name}");
        }
    }
}

#[test]
fn inputs_are_what_the_model_is_told() {
    let inputs = |name| declared(&graph_of(&network(&named(name)).unwrap()));
    assert_eq!(inputs("mlp"), ["x ? 2", "t ?"]);
    assert_eq!(inputs("mlp-always-told"), ["x ? 2", "t ?", "vector ? 2"]);
    assert_eq!(inputs("mlp-flow-map"), ["x ? 2", "t ?", "s ?", "class ?"]);
    let told = [
        "x ? 3 8 12",
        "t ?",
        "class ?",
        "vector ? 2",
        "context ? 2 8 12",
        "latent ? 2",
        "hidden ?",
    ];
    assert_eq!(inputs("unet-told"), told);
    let inputs = |name| declared(&graph_of(&sampler(&named(name), None).unwrap()));
    assert_eq!(inputs("mlp"), ["start ? 2", "steps"]);
    assert_eq!(inputs("mlp-always-told"), ["start ? 2", "steps", "vector ? 2"]);
    assert_eq!(inputs("mlp-flow-map"), ["start ? 2", "steps", "class ?", "guidance"]);
}

#[test]
fn metadata_carry_the_description_of_the_model() {
    let model = named("unet-told");
    for bytes in [network(&model).unwrap(), sampler(&model, None).unwrap()] {
        let entries = read(&bytes).metadata_props;
        let text = &entries.iter().find(|entry| entry.key == "flow.model").unwrap().value;
        assert_eq!(ModelConfig::parse(text).unwrap(), *model.config());
    }
}

#[test]
fn a_method_asks_the_network_as_often_as_it_has_stages() {
    let model = named("mlp");
    // The sines of a network are asked for twice: of the time and of the position.
    let sines = |method| {
        let graph = graph_of(&sampler(&model, Some(method)).unwrap());
        let all = graph.node.iter().find(|node| node.op_type == "Loop").unwrap();
        let body = all.attribute[0].g.as_ref().unwrap();
        body.node.iter().filter(|node| node.op_type == "Sin").count() / 2
    };
    let methods = [Method::Euler, Method::Heun2, Method::Midpoint, Method::Rk4, Method::Dopri5];
    assert_eq!(methods.map(sines), [1, 2, 2, 4, 6]);
}

#[test]
fn what_has_no_sampler_says_why() {
    let model = of_noise();
    network(&model).unwrap();
    let error = sampler(&model, None).unwrap_err();
    assert!(matches!(error, OnnxError::NoSampler { .. }));
    assert!(error.to_string().contains("it predicts noise"), "{error}");
    let error = sampler(&named("mlp"), Some(Method::Rodas5p)).unwrap_err().to_string();
    assert!(error.contains("rodas5p is no explicit Runge-Kutta method"), "{error}");
    sampler(&of_jumps(), None).unwrap();
    let error = sampler(&of_jumps(), Some(Method::Euler)).unwrap_err().to_string();
    assert!(error.contains("jumps and no velocity"), "{error}");
}

#[test]
fn a_network_that_does_not_name_its_operations_is_refused_in_words() {
    let model = without_graph();
    let error = network(&model).unwrap_err();
    assert!(matches!(error, OnnxError::NoGraph { .. }));
    let said = error.to_string();
    assert!(said.contains("the kind own") && said.contains("export a .flow file"), "{said}");
    assert!(!said.contains("::"), "{said}");
    // Nor is there a file of PyTorch for it, and nothing is left where it would have been.
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("m");
    let said = model.save_torch(&place).unwrap_err().to_string();
    assert!(said.contains("the kind own") && !place.exists(), "{said}");
}

#[test]
fn the_same_model_makes_the_same_bytes() {
    let [a, b] = [(), ()].map(|()| network(&named("unet-told")).unwrap());
    assert!(a == b);
}
