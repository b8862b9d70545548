//! The packages of the workspace and what they import.

use anyhow::Context;
use serde_json::Value;

/// A member of the workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    /// Names of its normal dependencies, the optional ones included. Tests and build scripts may
    /// import what they like.
    pub(crate) imports: Vec<String>,
}

impl Package {
    /// The packages of `cargo metadata --no-deps`.
    ///
    /// # Errors
    /// If a field is missing.
    pub(crate) fn all(metadata: &Value) -> anyhow::Result<Vec<Self>> {
        let packages = metadata["packages"].as_array();
        let packages = packages.map(|packages| packages.iter().map(Self::parse).collect());
        packages.flatten().context("cannot read the packages of `cargo metadata`: update cargo")
    }

    fn parse(package: &Value) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let dependencies = package["dependencies"].as_array()?.iter();
        let normal = dependencies.filter(|dependency| dependency["kind"].is_null());
        let mut imports: Vec<_> =
            normal.map(|dependency| text(&dependency["name"])).collect::<Option<_>>()?;
        imports.sort_unstable();
        imports.dedup();
        let description = text(&package["description"]);
        Some(Self { name: text(&package["name"])?, description, imports })
    }

    #[cfg(test)]
    pub(crate) fn new(name: &str, imports: &[&str]) -> Self {
        let imports = imports.iter().map(|&import| import.to_owned()).collect();
        Self { name: name.to_owned(), description: Some("A crate.".to_owned()), imports }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_normal_dependencies_are_imports() {
        let metadata = serde_json::json!({ "packages": [{
            "name": "flow-path",
            "description": "A crate.",
            "dependencies": [
                { "name": "rand", "kind": null, "optional": true },
                { "name": "flow-ode", "kind": "dev" },
                { "name": "cc", "kind": "build" },
                { "name": "burn", "kind": null },
            ],
        }] });
        let packages = Package::all(&metadata).unwrap();
        assert_eq!(packages, [Package::new("flow-path", &["burn", "rand"])]);
    }
}
