//! The families of networks that are read, by name.

use std::collections::BTreeMap;

use flow_pickle::Array;

use crate::error::ImportError;
use crate::map::Map;

/// A family of networks: a program that writes files of weights, and what stands in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Family {
    /// `MLP` of the library torchcfm.
    TorchcfmMlp,
    /// `UNetModelWrapper` of the library torchcfm.
    TorchcfmUnet,
    /// `UNet2DModel` of the library diffusers.
    DiffusersUnet2d,
    /// `DiTTransformer2DModel` of the library diffusers.
    DiffusersDit,
    /// The files of SiT, in the layout of the code of DiT.
    Sit,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::TorchcfmMlp,
        Self::TorchcfmUnet,
        Self::DiffusersUnet2d,
        Self::DiffusersDit,
        Self::Sit,
    ];

    /// The name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TorchcfmMlp => "torchcfm-mlp",
            Self::TorchcfmUnet => "torchcfm-unet",
            Self::DiffusersUnet2d => "diffusers-unet2d",
            Self::DiffusersDit => "diffusers-dit",
            Self::Sit => "sit",
        }
    }

    /// The family of a name.
    ///
    /// # Errors
    /// When there is none.
    pub fn of_name(name: &str) -> Result<Self, ImportError> {
        Self::ALL.into_iter().find(|family| family.name() == name).ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(", ");
            ImportError::UnknownFamily { name: name.into(), known }
        })
    }

    /// What it is, and what its time and its output mean, in a line.
    #[must_use]
    pub fn about(self) -> String {
        self.map().about
    }

    pub(crate) fn map(self) -> Map {
        Map::parse(match self {
            Self::TorchcfmMlp => include_str!("../families/torchcfm-mlp.toml"),
            Self::TorchcfmUnet => include_str!("../families/torchcfm-unet.toml"),
            Self::DiffusersUnet2d => include_str!("../families/diffusers-unet2d.toml"),
            Self::DiffusersDit => include_str!("../families/diffusers-dit.toml"),
            Self::Sit => include_str!("../families/sit.toml"),
        })
    }

    /// Refuses the arrays of another family by its name.
    pub(crate) fn recognise(self, arrays: &BTreeMap<String, Array>) -> Result<(), ImportError> {
        let has = |family: &Self| arrays.contains_key(&family.map().mark);
        match Self::ALL.iter().find(|family| has(family)) {
            Some(&found) if found == self => Ok(()),
            Some(found) => {
                Err(ImportError::OtherFamily { asked: self.name(), found: found.name() })
            }
            None => Err(ImportError::Missing { family: self.name(), name: self.map().mark }),
        }
    }
}
