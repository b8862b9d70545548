//! The backends that can be built into `flow`, by the names of their cargo features.

use std::ffi::OsString;

use clap::ValueEnum;
use clap::error::ErrorKind;

/// A backend of Burn: a cargo feature of `flow-cli` and a value of its `--device`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Backend {
    /// The CPU, with the project's own kernels; the default build.
    #[default]
    Flex,
    /// The CPU, by the ndarray crate.
    Ndarray,
    /// Any GPU, through whatever graphics interface the system has.
    Wgpu,
    /// A GPU through Vulkan.
    Vulkan,
    /// A GPU of Apple.
    Metal,
    /// A GPU through WebGPU.
    Webgpu,
    /// A GPU of NVIDIA.
    Cuda,
    /// A GPU of AMD.
    Rocm,
}

impl Backend {
    /// The cargo feature, the value of `--device` and the name of the build folder.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Flex => "flex",
            Self::Ndarray => "ndarray",
            Self::Wgpu => "wgpu",
            Self::Vulkan => "vulkan",
            Self::Metal => "metal",
            Self::Webgpu => "webgpu",
            Self::Cuda => "cuda",
            Self::Rocm => "rocm",
        }
    }

    /// What its first build costs or asks of the machine, to be said before it starts.
    pub(crate) fn build_note(self) -> Option<&'static str> {
        match self {
            Self::Flex => None,
            Self::Ndarray => Some("the first build takes about a quarter of an hour on two cores"),
            Self::Wgpu => Some(
                "the first build takes about half an hour on two cores; without a GPU, Debian's \
                 mesa-vulkan-drivers gives a software Vulkan device",
            ),
            Self::Vulkan => Some(
                "the first build takes about half an hour on two cores; it needs a GPU: the \
                 software Vulkan of Mesa 22.3 and 25.0 crashes on it, use wgpu there",
            ),
            Self::Metal => Some(
                "needs macOS; the first build takes about half an hour on two cores; untested so \
                 far",
            ),
            Self::Webgpu => {
                Some("the first build takes about half an hour on two cores; untested so far")
            }
            Self::Cuda => Some(
                "needs an NVIDIA driver and the CUDA toolkit, and its build downloads an LLVM \
                 bundle (tracel-llvm) from GitHub, so it fails without a network; untested so far",
            ),
            Self::Rocm => Some(
                "needs an AMD driver and ROCm, and its build downloads an LLVM bundle \
                 (tracel-llvm) from GitHub, so it fails without a network; untested so far",
            ),
        }
    }

    /// Takes `--backend NAME` or `--backend=NAME` out of words that are meant for another program,
    /// wherever it stands before a `--`.
    ///
    /// # Errors
    /// A sentence that lists the names, if the name is missing or unknown.
    pub(crate) fn take_from(
        words: Vec<OsString>,
    ) -> Result<(Option<Self>, Vec<OsString>), clap::Error> {
        let mut backend = None;
        let mut rest = Vec::with_capacity(words.len());
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            match word.to_str() {
                Some("--") => {
                    rest.push(word);
                    rest.extend(words.by_ref());
                }
                Some("--backend") => {
                    let name = words.next().ok_or_else(|| usage("no name after `--backend`"))?;
                    backend = Some(Self::parse(&name.to_string_lossy())?);
                }
                Some(text) if text.starts_with("--backend=") => {
                    backend = Some(Self::parse(&text["--backend=".len()..])?);
                }
                _ => rest.push(word),
            }
        }
        Ok((backend, rest))
    }

    fn parse(name: &str) -> Result<Self, clap::Error> {
        Self::from_str(name, false).map_err(|_| usage(&format!("there is no backend `{name}`")))
    }
}

fn usage(what: &str) -> clap::Error {
    let names: Vec<_> = Backend::value_variants().iter().map(|b| b.name()).collect();
    let message = format!("{what}: give one of {}\n", names.join(", "));
    clap::Error::raw(ErrorKind::InvalidValue, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(line: &str) -> Result<(Option<Backend>, Vec<OsString>), clap::Error> {
        Backend::take_from(line.split_whitespace().map(OsString::from).collect())
    }

    #[test]
    fn the_backend_is_found_at_any_place() {
        for line in ["--backend vulkan mnist -n 3", "mnist --backend=vulkan -n 3"] {
            let (backend, rest) = take(line).unwrap();
            assert_eq!(backend, Some(Backend::Vulkan));
            assert_eq!(rest, ["mnist", "-n", "3"]);
        }
    }

    #[test]
    fn words_after_two_dashes_are_left_alone() {
        let (backend, rest) = take("mnist -- --backend vulkan").unwrap();
        assert_eq!(backend, None);
        assert_eq!(rest, ["mnist", "--", "--backend", "vulkan"]);
    }

    #[test]
    fn an_unknown_backend_is_named_with_the_known_ones() {
        let message = take("--backend cudda").unwrap_err().to_string();
        assert!(message.contains("`cudda`") && message.contains("cuda, rocm"), "{message}");
        let message = take("mnist --backend").unwrap_err().to_string();
        assert!(message.contains("flex, ndarray"), "{message}");
    }

    #[test]
    fn names_are_those_of_the_command_line() {
        for backend in Backend::value_variants() {
            assert_eq!(backend.to_possible_value().unwrap().get_name(), backend.name());
        }
    }
}
