//! The contract of a network's configuration.

use std::fmt::Debug;

use burn::tensor::Device;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::NetworkError;
use crate::footprint::Footprint;
use crate::network::Trainable;
use crate::signature::Signature;

/// The name of sizes of a network, and what makes them.
pub type Preset<C> = (&'static str, fn() -> C);

/// Sizes of a network: what is written in the section `[network]` of a recipe and of a model file.
///
/// Everything that follows from the data (shapes, classes, conditions) comes from the
/// [`Signature`] and is not repeated here.
pub trait NetworkConfig:
    Clone + Debug + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// The name of this kind of network, the key `kind` of its section.
    const KIND: &'static str;
    /// What it is, in a line.
    const ABOUT: &'static str;
    /// Sizes by name: what the key `preset` of a section may be. Other keys of the section take the
    /// place of their values.
    const PRESETS: &'static [Preset<Self>] = &[];
    /// The key, in sections within the section, that says how many radians a time in `[0, 1]` spans
    /// in the fastest of its features; empty for a kind that has none. Losses that differentiate
    /// the network by its times need a few, and a recipe with such a loss sets the key so.
    const TIME_SCALE_KEY: &'static [&'static str] = &[];
    /// What is built.
    type Network: Trainable;

    /// Refuses values that cannot work whatever the signature; by default none are refused.
    ///
    /// # Errors
    /// The first such value, by the name of its field.
    fn check(&self) -> Result<(), NetworkError> {
        Ok(())
    }

    /// Builds the network, with weights that Burn draws when they are first read.
    ///
    /// # Errors
    /// When sizes do not fit together or the network has no place for what the signature names.
    fn init(&self, signature: &Signature, device: &Device) -> Result<Self::Network, NetworkError>;

    /// What the network would take, counted before anything is made; nothing if it is not known.
    fn footprint(&self, signature: &Signature) -> Footprint {
        let _ = signature;
        Footprint::default()
    }
}
