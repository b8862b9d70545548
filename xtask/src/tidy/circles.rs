//! No circles between the modules of a crate: what uses each other can only be read together.
//!
//! A module and its submodules count as one thing, of which the parts may use the whole. Re-exports
//! are followed to where a name comes from. Tests are left out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::code::{Named, bare, paths};
use super::tree::Tree;

/// A module by the names on the way to it; the root of the crate has none.
type Name = Vec<String>;

/// What a module says of others.
struct Module {
    code: String,
    named: Vec<Named>,
}

/// A sentence for each circle.
///
/// # Errors
/// If a file cannot be read.
pub(crate) fn violations(tree: &Tree) -> anyhow::Result<Vec<String>> {
    let mut violations = Vec::new();
    for manifest in tree.files().iter().filter(|file| file.ends_with("Cargo.toml")) {
        let krate = manifest.parent().unwrap_or(Path::new(""));
        let modules = modules(tree, &krate.join("src"))?;
        let uses: BTreeMap<&Name, BTreeSet<Name>> =
            modules.keys().map(|name| (name, used_by(name, &modules))).collect();
        let mut seen = BTreeSet::new();
        for start in uses.keys() {
            let Some(circle) = circle(start, &uses) else { continue };
            let shown: Vec<String> = circle.iter().map(|name| name.join("::")).collect();
            if circle.iter().all(|name| seen.insert(name.clone())) {
                violations.push(format!(
                    "{}: the modules {} use each other in a circle: move what they share into a \
                     file of its own",
                    krate.display(),
                    shown.join(" -> ")
                ));
            }
        }
    }
    Ok(violations)
}

/// The modules of a crate; of a crate with both, the library's.
fn modules(tree: &Tree, src: &Path) -> anyhow::Result<BTreeMap<Name, Module>> {
    let has_library = tree.files().contains(&src.join("lib.rs"));
    let mut modules = BTreeMap::new();
    for file in tree.with_extension("rs") {
        let Ok(inside) = file.strip_prefix(src) else { continue };
        if has_library && inside == Path::new("main.rs") {
            continue;
        }
        let parts = inside.with_extension("");
        let mut name: Name = parts.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        let is_file_of_folder = matches!(name.last().map(String::as_str), Some("mod"));
        let is_root = matches!(name.as_slice(), [only] if only == "lib" || only == "main");
        if is_file_of_folder || is_root {
            name.pop();
        }
        let code = bare(&tree.read(file)?);
        let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
        let named = paths(&code);
        modules.insert(name, Module { code, named });
    }
    Ok(modules)
}

/// The modules whose items a module names, without those above and below it.
fn used_by(name: &Name, modules: &BTreeMap<Name, Module>) -> BTreeSet<Name> {
    let imports = modules[name].named.iter().filter(|named| !named.is_public);
    let found =
        imports.filter_map(|named| home(&absolute(name, &named.path, modules)?, modules, 0));
    found.filter(|other| !other.starts_with(name) && !name.starts_with(other)).collect()
}

/// A path from the root of the crate; nothing for paths into other crates.
fn absolute(name: &Name, path: &[String], modules: &BTreeMap<Name, Module>) -> Option<Name> {
    let (first, rest) = path.split_first()?;
    match first.as_str() {
        "crate" => Some(rest.to_vec()),
        "self" => Some([name, rest].concat()),
        "super" => {
            let ups = path.iter().take_while(|part| *part == "super").count();
            Some([&name[..name.len().checked_sub(ups)?], &path[ups..]].concat())
        }
        _ => {
            let child = [name.as_slice(), std::slice::from_ref(first)].concat();
            modules.contains_key(&child).then(|| [child.as_slice(), rest].concat())
        }
    }
}

/// The module in which what the path names is written down.
fn home(path: &Name, modules: &BTreeMap<Name, Module>, followed: usize) -> Option<Name> {
    let length = (0..=path.len()).rev().find(|&n| modules.contains_key(&path[..n]))?;
    let (name, rest) = path.split_at(length);
    let name = name.to_vec();
    // More re-exports than any crate puts in a row: they lead in a circle themselves.
    let Some((item, inner)) = rest.split_first().filter(|_| followed < 10) else {
        return Some(name);
    };
    let module = &modules[&name];
    for export in module.named.iter().filter(|named| named.is_public) {
        let is_all = export.path.last().is_some_and(|last| last == "*");
        if is_all && !declares(&module.code, item) {
            let stem = &export.path[..export.path.len() - 1];
            let Some(stem) = absolute(&name, stem, modules) else { continue };
            if modules.get(&stem).is_some_and(|module| declares(&module.code, item)) {
                return Some(stem);
            }
        } else if export.name.as_ref() == Some(item)
            && let Some(target) = absolute(&name, &export.path, modules)
        {
            return home(&[target.as_slice(), inner].concat(), modules, followed + 1);
        }
    }
    Some(name)
}

/// Whether the code declares an item of that name.
fn declares(code: &str, item: &str) -> bool {
    let kinds = ["struct", "enum", "trait", "fn", "type", "const", "static", "union"];
    let mut words =
        code.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty());
    let mut before = words.next().unwrap_or_default();
    words.any(|word| {
        let found = word == item && kinds.contains(&before);
        before = word;
        found
    })
}

/// The shortest way from a module back to itself.
fn circle(start: &Name, uses: &BTreeMap<&Name, BTreeSet<Name>>) -> Option<Vec<Name>> {
    let mut ways = vec![vec![start.clone()]];
    let mut seen = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            for next in &uses[way.last().expect("a way has its start")] {
                if next == start {
                    return Some(way);
                }
                if seen.insert(next.clone()) {
                    longer.push([way.as_slice(), std::slice::from_ref(next)].concat());
                }
            }
        }
        ways = longer;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violations_of(files: &[(&str, &str)]) -> Vec<String> {
        let (tree, _folder) = Tree::of_files(&[files, &[("a/Cargo.toml", "")]].concat());
        violations(&tree).unwrap()
    }

    #[test]
    fn two_files_that_import_each_other_are_named_once() {
        let violations = violations_of(&[
            ("a/src/lib.rs", "mod b;\nmod c;\nmod d;"),
            ("a/src/b.rs", "use crate::c::C;\npub struct B;"),
            ("a/src/c/mod.rs", "pub struct C;\nfn f() -> crate::d::D {}"),
            ("a/src/d.rs", "use super::b::B;\npub struct D;"),
        ]);
        assert_eq!(violations.len(), 1, "{violations:?}");
        assert!(violations[0].contains("a: the modules b -> c -> d use each other"));
    }

    #[test]
    fn a_circle_behind_re_exports_is_found_and_a_re_export_alone_is_none() {
        let root = ("a/src/lib.rs", "mod b;\nmod c;\npub use b::B;\npub use c::*;");
        let b = ("a/src/b.rs", "use crate::C;\npub struct B;");
        assert_eq!(violations_of(&[root, b, ("a/src/c.rs", "pub struct C;")]), [""; 0]);
        let back = ("a/src/c.rs", "use crate::B;\npub struct C;");
        assert_eq!(violations_of(&[root, b, back]).len(), 1);
    }

    #[test]
    fn parts_may_use_the_whole_and_tests_what_they_like() {
        let files = [
            ("a/src/lib.rs", "mod b;\nmod c;"),
            ("a/src/b/mod.rs", "mod part;\nuse part::Part;\npub struct B;"),
            ("a/src/b/part.rs", "use super::B;\nuse crate::c::C;\npub struct Part;"),
            ("a/src/c.rs", "pub struct C;\n#[cfg(test)]\nmod tests {\n    use crate::b::B;\n}"),
        ];
        assert_eq!(violations_of(&files), [""; 0]);
    }
}
