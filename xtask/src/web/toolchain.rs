//! A compiler that can make WebAssembly: one that has its standard library, or one that has the
//! sources of it.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::cargo;

const TARGET: &str = "wasm32-unknown-unknown";
/// The profile of the root manifest: nothing unwinds, and names are stripped.
const PROFILE: &str = "web";
/// Random bytes are those of `crates/flow-web/src/entropy.rs`; vectors of 128 bits; and no more
/// memory than a page can be given.
const FLAGS: &str = "--cfg getrandom_backend=\"custom\" -C target-feature=+simd128 \
                     -C link-arg=--max-memory=4294967296";
/// The compiler of Debian's packages, where another one comes first in the path.
const SYSTEM: &str = "/usr/bin/rustc";

/// A compiler with the standard library of [`TARGET`].
#[derive(Debug)]
pub(crate) struct Toolchain {
    rustc: OsString,
    library: Library,
    /// The linker, where it is not the compiler's to find.
    linker: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Library {
    /// Compiled, as rustup installs it.
    Installed,
    /// Compiled along, by a flag of cargo that is not stable.
    FromSource,
}

impl Toolchain {
    /// The compiler in the path or that of the system, whichever has the library, else the sources.
    ///
    /// # Errors
    /// If neither has.
    pub(crate) fn find() -> anyhow::Result<Self> {
        let own = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let candidates = [own.clone(), SYSTEM.into()];
        for library in [Library::Installed, Library::FromSource] {
            for rustc in &candidates {
                if library.is_there(rustc) {
                    let linker = linker(&own);
                    return Ok(Self { rustc: rustc.clone(), library, linker });
                }
            }
        }
        bail!(
            "no compiler here has the standard library of {TARGET}: install it by `rustup target \
             add {TARGET}`, or its sources by `rustup component add rust-src` or, on Debian, \
             `apt-get install rustc-web rust-web-src`"
        )
    }

    /// What is used, in a sentence.
    pub(crate) fn describe(&self) -> String {
        let rustc = self.rustc.to_string_lossy();
        match self.library {
            Library::Installed => format!("{rustc} has the standard library of {TARGET}"),
            Library::FromSource => format!(
                "{rustc} has the sources of the standard library: it is compiled along, by cargo's \
                 unstable -Z build-std"
            ),
        }
    }

    /// The command that builds the core, in a folder of its own: other flags and another compiler
    /// would build everything else anew.
    pub(crate) fn build(&self, target: &Path) -> Command {
        let mut command = cargo::cargo();
        command
            .args(["rustc", "--package", "flow-web", "--lib", "--crate-type", "cdylib"])
            .args(["--profile", PROFILE, "--target", TARGET, "--target-dir"])
            .arg(target)
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", FLAGS)
            .env("RUSTC", &self.rustc);
        if let Some(linker) = &self.linker {
            command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
        }
        if self.library == Library::FromSource {
            command.args(["-Z", "build-std=std,panic_abort"]).env("RUSTC_BOOTSTRAP", "1");
        }
        command
    }

    /// Where the build leaves its files.
    pub(crate) fn folder(target: &Path) -> PathBuf {
        target.join(TARGET).join(PROFILE)
    }
}

impl Library {
    /// Whether a compiler has it so.
    fn is_there(self, rustc: &OsString) -> bool {
        match self {
            Self::Installed => {
                let folder = asked(rustc, &["--print", "target-libdir", "--target", TARGET]);
                folder.is_ok_and(|folder| holds(&folder, "libstd-"))
            }
            Self::FromSource => asked(rustc, &["--print", "sysroot"]).is_ok_and(|sysroot| {
                sysroot.join("lib/rustlib/src/rust/library/std/Cargo.toml").is_file()
            }),
        }
    }
}

/// The linker that comes with a compiler of rustup's, for a compiler that has none.
fn linker(rustc: &OsString) -> Option<PathBuf> {
    let sysroot = asked(rustc, &["--print", "sysroot"]).ok()?;
    let hosts = fs::read_dir(sysroot.join("lib/rustlib")).ok()?;
    let linkers = hosts.flatten().map(|host| host.path().join("bin/rust-lld"));
    linkers.into_iter().find(|linker| linker.is_file())
}

/// A path that a compiler prints.
fn asked(rustc: &OsString, words: &[&str]) -> anyhow::Result<PathBuf> {
    let output = Command::new(rustc).args(words).output().context("the compiler does not start")?;
    if !output.status.success() {
        bail!("{} {}: {}", rustc.display(), words.join(" "), output.status);
    }
    Ok(PathBuf::from(String::from_utf8(output.stdout)?.trim()))
}

/// Whether a folder holds a file whose name begins so.
fn holds(folder: &Path, beginning: &str) -> bool {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files.into_iter().any(|file| file.file_name().to_string_lossy().starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(library: Library) -> String {
        let toolchain = Toolchain { rustc: "rustc".into(), library, linker: None };
        cargo::show(&toolchain.build(Path::new("target/web")))
    }

    #[test]
    fn a_library_from_source_asks_for_unstable_flags_and_an_installed_one_does_not() {
        let installed = command(Library::Installed);
        assert!(installed.contains("--crate-type cdylib --profile web"), "{installed}");
        assert!(installed.contains("--target-dir target/web"), "{installed}");
        assert!(!installed.contains("-Z") && !installed.contains("BOOTSTRAP"), "{installed}");
        let from_source = command(Library::FromSource);
        assert!(from_source.contains("RUSTC_BOOTSTRAP=1"), "{from_source}");
        assert!(from_source.ends_with("-Z build-std=std,panic_abort"), "{from_source}");
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        for library in [Library::Installed, Library::FromSource] {
            assert!(!library.is_there(&"no-such-compiler".into()));
        }
        let folder = tempfile::tempdir().unwrap();
        assert!(!holds(folder.path(), "libstd-"));
        fs::write(folder.path().join("libstd-1234.rlib"), "").unwrap();
        assert!(holds(folder.path(), "libstd-"));
    }
}
