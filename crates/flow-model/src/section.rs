//! The section `[network]` of a recipe and of a model file.

use burn::tensor::Device;
use flow_nn::{DynNetwork, Footprint, Signature};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::{Table, Value};

use crate::error::ModelError;
use crate::registry::Registry;

/// A kind of network with its sizes, and the registry that knows the kind.
#[derive(Clone, Debug)]
pub struct NetworkSection {
    table: Table,
    registry: Registry,
}

impl NetworkSection {
    /// Reads a section, with the values that it leaves out.
    ///
    /// # Errors
    /// When its kind is unknown to the registry, or a key or a value is none of that kind.
    pub fn new(table: &Table, registry: &Registry) -> Result<Self, ModelError> {
        Ok(Self { table: registry.complete(table)?, registry: registry.clone() })
    }

    /// The same section, read again by a registry.
    ///
    /// # Errors
    /// As for [`NetworkSection::new`].
    pub fn known_to(&self, registry: &Registry) -> Result<Self, ModelError> {
        Self::new(&self.table, registry)
    }

    /// The same section with another value at a key.
    ///
    /// # Errors
    /// As for [`NetworkSection::new`].
    pub fn with(&self, key: &str, value: impl Into<Value>) -> Result<Self, ModelError> {
        let mut table = self.table.clone();
        table.insert(key.into(), value.into());
        Self::new(&table, &self.registry)
    }

    /// Name of the kind.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.table.get("kind").and_then(Value::as_str).unwrap_or_default()
    }

    /// The registry that knows the kind.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The keys and their values.
    #[must_use]
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The network, whose weights are drawn from `seed`.
    ///
    /// # Errors
    /// When sizes do not fit each other or the signature.
    pub fn build(
        &self,
        signature: &Signature,
        seed: u64,
        device: &Device,
    ) -> Result<DynNetwork, ModelError> {
        self.registry.build(&self.table, signature, seed, device)
    }

    /// The network, whose weights are to be read from a file: none are drawn.
    ///
    /// # Errors
    /// As for [`build`](Self::build).
    pub fn build_empty(
        &self,
        signature: &Signature,
        device: &Device,
    ) -> Result<DynNetwork, ModelError> {
        self.registry.build_empty(&self.table, signature, device)
    }

    /// What the network would take, counted before it is made.
    ///
    /// # Errors
    /// When the section is none of its kind.
    pub fn footprint(&self, signature: &Signature) -> Result<Footprint, ModelError> {
        self.registry.footprint(&self.table, signature)
    }

    /// The key of the largest number of the section with the number: to blame for a network that is
    /// too large.
    #[must_use]
    pub fn largest(&self) -> (String, usize) {
        let mut found = (String::new(), 0);
        largest(&mut found, "", &self.table);
        found
    }
}

fn largest(found: &mut (String, usize), prefix: &str, table: &Table) {
    for (key, value) in table {
        let key = format!("{prefix}{key}");
        let number = match value {
            Value::Integer(n) => Some(*n),
            Value::Array(all) => all.iter().filter_map(Value::as_integer).max(),
            Value::Table(inner) => {
                largest(found, &format!("{key}."), inner);
                None
            }
            _ => None,
        };
        if let Some(number) = number.and_then(|n| usize::try_from(n).ok())
            && found.1 < number
        {
            *found = (key, number);
        }
    }
}

/// Two sections are equal when their keys and values are.
impl PartialEq for NetworkSection {
    fn eq(&self, other: &Self) -> bool {
        self.table == other.table
    }
}

impl Serialize for NetworkSection {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.table.serialize(serializer)
    }
}

/// Keys and values alone, as they stand: [`known_to`](NetworkSection::known_to) checks them.
impl<'de> Deserialize<'de> for NetworkSection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self { table: Table::deserialize(deserializer)?, registry: Registry::default() })
    }
}
