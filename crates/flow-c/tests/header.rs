//! The header declares the functions of the library, with their types.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use std::collections::BTreeMap;

/// Each function with its types, as Rust writes them: those of its parameters, then its own.
type Functions = BTreeMap<String, Vec<String>>;

/// A declaration of C, `int flow_sample(const FlowModel *model, size_t n)`, without its names.
fn of_c(text: &str) -> Functions {
    let mut code = String::new();
    for part in text.split("/*") {
        code += part.split_once("*/").map_or(part, |(_, code)| code);
    }
    let lines = code.lines().filter(|line| !line.starts_with('#') && !line.contains("typedef"));
    let code = lines.collect::<Vec<_>>().join(" ").replace("extern \"C\" {", "");
    let declarations = code.split(';').filter_map(|one| one.split_once('('));
    declarations
        .map(|(head, parameters)| {
            let parameters = parameters.trim().strip_suffix(')').unwrap();
            let parameters = parameters.split(',').filter(|one| one.trim() != "void");
            let types: Vec<String> = parameters.map(|one| rust(named(one).0)).collect();
            let (own, name) = named(head);
            (name.to_owned(), types.into_iter().chain([rust(own)]).collect())
        })
        .collect()
}

/// A type and the name behind it.
fn named(text: &str) -> (&str, &str) {
    let text = text.trim();
    text.split_at(text.rfind([' ', '*']).unwrap() + 1)
}

/// A type of C as Rust writes it.
fn rust(text: &str) -> String {
    let text = text.trim();
    let (text, pointer) = match text.strip_suffix('*') {
        Some(text) => match text.trim().strip_prefix("const ") {
            Some(text) => (text, "*const "),
            None => (text.trim(), "*mut "),
        },
        None => (text, ""),
    };
    let plain = match text {
        "char" => "c_char",
        "double" => "c_double",
        "float" => "c_float",
        "int" => "c_int",
        "size_t" => "usize",
        "uint64_t" => "u64",
        "void" => "()",
        other => other,
    };
    format!("{pointer}{plain}")
}

/// The functions that the library exports.
fn of_rust(text: &str) -> Functions {
    let functions = text.split("extern \"C\" fn ").skip(1);
    functions
        .map(|text| {
            let (head, _) = text.split_once('{').unwrap();
            let (head, own) = head.split_once("->").unwrap_or((head, "()"));
            let (name, parameters) = head.trim().split_once('(').unwrap();
            let parameters = parameters.trim_end().strip_suffix(')').unwrap().split(',');
            let parameters = parameters.filter_map(|one| one.split_once(':'));
            let types: Vec<String> = parameters.map(|(_, ty)| ty.trim().to_owned()).collect();
            (name.to_owned(), types.into_iter().chain([own.trim().to_owned()]).collect())
        })
        .collect()
}

#[test]
fn the_header_declares_what_the_library_exports() {
    let (header, library) = (include_str!("../include/flow.h"), include_str!("../src/lib.rs"));
    let declared = of_c(header);
    assert_eq!(declared, of_rust(library));
    assert_eq!(declared.len(), 11, "{declared:?}");
    let sample = ["*const FlowModel", "usize", "u64", "c_int", "usize", "*mut c_float", "usize"];
    let sample: Vec<&str> = sample.into_iter().chain(["c_int"]).collect();
    assert_eq!(declared["flow_sample"], sample);
    assert_eq!(declared["flow_last_error"], ["*const c_char"]);
    // A control: another type of one parameter is seen.
    let other = of_c(&header.replace("uint64_t seed", "int seed"));
    assert_ne!(other, declared);
}
