//! Networks by name, those of a user's own among them.

use std::collections::BTreeMap;
use std::fmt;

use burn::tensor::Device;
use flow_nn::{
    DitConfig, DynNetwork, Footprint, MlpConfig, NetworkConfig, NetworkError, Signature,
    SplitMlpConfig, UNetConfig, init_seeded,
};
use flow_path::Source;
use flow_path::config::plain;
use toml::{Table, Value};

use crate::config::{DATA, NORMAL};
use crate::error::ModelError;

/// The keys of a section that name its kind, and sizes of that kind.
const KIND: &str = "kind";
const PRESET: &str = "preset";

/// Kinds of networks by name: a value that is handed on, so that a program says itself what its
/// models may be made of.
///
/// ```
/// use flow_model::Registry;
///
/// let kinds: Vec<&str> = Registry::default().kinds().map(|(kind, _)| kind).collect();
/// assert_eq!(kinds, ["dit", "mlp", "split-mlp", "unet"]);
/// ```
#[derive(Clone)]
pub struct Registry {
    kinds: BTreeMap<&'static str, Kind>,
    sources: BTreeMap<String, Source>,
}

/// What is done with the section of a kind of network.
#[derive(Clone, Copy)]
struct Kind {
    about: &'static str,
    time_scale_key: &'static [&'static str],
    complete: fn(Table) -> Result<Table, String>,
    build: fn(Table, &Signature, &Device) -> Result<DynNetwork, String>,
    footprint: fn(Table, &Signature) -> Result<Footprint, String>,
}

impl Kind {
    fn of<C: NetworkConfig>() -> Self {
        fn read<C: NetworkConfig>(section: Table) -> Result<C, String> {
            let section = sized::<C>(section)?;
            // Not the message alone: the key is named after it, on a line of its own.
            C::deserialize(Value::Table(section))
                .map_err(|error| plain(error.to_string().trim()).replace('\n', ", "))
        }
        Self {
            about: C::ABOUT,
            time_scale_key: C::TIME_SCALE_KEY,
            complete: |section| {
                let config = read::<C>(section)?;
                config.check().map_err(said)?;
                Table::try_from(config).map_err(|error| error.to_string())
            },
            build: |section, signature, device| {
                let network = read::<C>(section)?.init(signature, device);
                network.map(DynNetwork::new).map_err(said)
            },
            footprint: |section, signature| Ok(read::<C>(section)?.footprint(signature)),
        }
    }
}

impl Default for Registry {
    /// The networks of flow-nn.
    fn default() -> Self {
        Self::empty()
            .with::<MlpConfig>()
            .with::<SplitMlpConfig>()
            .with::<UNetConfig>()
            .with::<DitConfig>()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.kinds.keys()).finish()
    }
}

impl Registry {
    /// No kinds at all.
    #[must_use]
    pub fn empty() -> Self {
        Self { kinds: BTreeMap::new(), sources: BTreeMap::new() }
    }

    /// The same with one more kind; a later one takes the place of an earlier one of its name.
    #[must_use]
    pub fn with<C: NetworkConfig>(mut self) -> Self {
        self.kinds.insert(C::KIND, Kind::of::<C>());
        self
    }

    /// The same with a law that paths may start from, under a name.
    #[must_use]
    pub fn with_source(mut self, name: impl Into<String>, source: Source) -> Self {
        self.sources.insert(name.into(), source);
        self
    }

    /// The law of a name: `normal`, `data` for starts that are given, or one that was registered.
    ///
    /// # Errors
    /// When it is not registered.
    pub fn source(&self, name: &str) -> Result<Source, ModelError> {
        match self.sources.get(name) {
            Some(source) => Ok(source.clone()),
            None if name == NORMAL => Ok(Source::Normal),
            None if name == DATA => Ok(Source::Given),
            None => Err(ModelError::UnknownSource { name: name.into() }),
        }
    }

    /// Names and lines, by name.
    pub fn kinds(&self) -> impl Iterator<Item = (&'static str, &'static str)> + '_ {
        self.kinds.iter().map(|(kind, Kind { about, .. })| (*kind, *about))
    }

    /// The key of a kind's section that says how fast its features of time are: see
    /// [`NetworkConfig::TIME_SCALE_KEY`]. Empty for a kind that has none or is not registered.
    #[must_use]
    pub fn time_scale_key(&self, kind: &str) -> &'static [&'static str] {
        self.kinds.get(kind).map_or(&[], |kind| kind.time_scale_key)
    }

    /// A section `[network]` with the values that it leaves out.
    ///
    /// # Errors
    /// When its kind is unknown, or a key or a value is none of that kind.
    pub fn complete(&self, section: &Table) -> Result<Table, ModelError> {
        let (name, kind, rest) = self.find(section)?;
        let mut whole = (kind.complete)(rest).map_err(|reason| refused(&name, reason))?;
        whole.insert(KIND.into(), Value::String(name));
        Ok(whole)
    }

    /// The network of a section, whose weights are drawn from `seed`.
    ///
    /// # Errors
    /// As for [`complete`](Self::complete), and when sizes do not fit each other or the signature.
    pub fn build(
        &self,
        section: &Table,
        signature: &Signature,
        seed: u64,
        device: &Device,
    ) -> Result<DynNetwork, ModelError> {
        let (name, kind, rest) = self.find(section)?;
        init_seeded(seed, device, |device| (kind.build)(rest, signature, device))
            .map_err(|reason| refused(&name, reason))
    }

    /// The network of a section, whose weights are to be read from a file: none are drawn.
    ///
    /// # Errors
    /// As for [`build`](Self::build).
    pub fn build_empty(
        &self,
        section: &Table,
        signature: &Signature,
        device: &Device,
    ) -> Result<DynNetwork, ModelError> {
        let (name, kind, rest) = self.find(section)?;
        (kind.build)(rest, signature, device).map_err(|reason| refused(&name, reason))
    }

    /// What the network of a section would take, counted before it is made.
    ///
    /// # Errors
    /// As for [`complete`](Self::complete).
    pub fn footprint(
        &self,
        section: &Table,
        signature: &Signature,
    ) -> Result<Footprint, ModelError> {
        let (name, kind, rest) = self.find(section)?;
        (kind.footprint)(rest, signature).map_err(|reason| refused(&name, reason))
    }

    /// The kind of a section, and the section without its name.
    fn find(&self, section: &Table) -> Result<(String, Kind, Table), ModelError> {
        let mut rest = section.clone();
        let known = || self.kinds.keys().copied().collect::<Vec<_>>().join(", ");
        let Some(Value::String(name)) = rest.remove(KIND) else {
            return Err(ModelError::NoKind { known: known() });
        };
        match self.kinds.get(name.as_str()) {
            Some(kind) => Ok((name, *kind, rest)),
            None => Err(ModelError::UnknownKind { kind: name, known: known() }),
        }
    }
}

/// A section with the sizes of the preset that it names, but for those that it gives itself.
fn sized<C: NetworkConfig>(mut section: Table) -> Result<Table, String> {
    let Some(name) = section.remove(PRESET) else { return Ok(section) };
    let Some((_, sizes)) = C::PRESETS.iter().find(|(known, _)| name.as_str() == Some(*known))
    else {
        let known: Vec<&str> = C::PRESETS.iter().map(|(known, _)| *known).collect();
        return Err(match &*known {
            [] => "network.preset is given, and this kind has no presets".to_owned(),
            known => format!("there is no network.preset {name}, use one of {}", known.join(", ")),
        });
    };
    let mut sized = Table::try_from(sizes()).map_err(|error| error.to_string())?;
    sized.extend(section);
    Ok(sized)
}

/// An error of a network, whose fields are keys of the section.
fn said(error: NetworkError) -> String {
    match error {
        NetworkError::Zero { .. }
        | NetworkError::TooMany { .. }
        | NetworkError::NotDivisible { .. }
        | NetworkError::OutOfRange { .. } => format!("network.{error}"),
        error => error.to_string(),
    }
}

fn refused(kind: &str, reason: String) -> ModelError {
    ModelError::Network { kind: kind.to_owned(), reason: reason.trim().replace('\n', ", ") }
}
