//! Starting cargo and other programs.

use std::env;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context, ensure};
use serde_json::Value;

/// The cargo that started us.
pub(crate) fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// The workspace folder.
///
/// Asked of cargo at run time: clones that share a build folder share this binary too, so a path
/// known at compile time may be another clone's.
pub(crate) fn root() -> anyhow::Result<PathBuf> {
    text_field(&metadata()?, "workspace_root").map(PathBuf::from)
}

/// Where a backend other than the default one is built, because its features would otherwise
/// rebuild most of the default build.
pub(crate) fn target_dir(backend: &str) -> anyhow::Result<PathBuf> {
    Ok(PathBuf::from(text_field(&metadata()?, "target_directory")?).join(backend))
}

/// `cargo metadata` of the workspace's own packages.
pub(crate) fn metadata() -> anyhow::Result<Value> {
    let mut command = cargo();
    command.args(["metadata", "--no-deps", "--format-version", "1"]);
    let output = command.output().with_context(|| format!("cannot start `{}`", show(&command)))?;
    ensure!(
        output.status.success(),
        "`{}` failed: {}",
        show(&command),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    serde_json::from_slice(&output.stdout).context("cannot read what `cargo metadata` printed")
}

fn text_field(metadata: &Value, name: &str) -> anyhow::Result<String> {
    let value = metadata[name].as_str().map(str::to_owned);
    value.with_context(|| format!("`cargo metadata` printed no `{name}`: update cargo"))
}

/// The command as one would type it: variables, program name, arguments.
pub(crate) fn show(command: &Command) -> String {
    let variables = command
        .get_envs()
        .filter_map(|(name, value)| Some(format!("{}={}", name.to_string_lossy(), quote(value?))));
    let program = PathBuf::from(command.get_program());
    let name = program.file_stem().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    let words = command.get_args().map(quote);
    variables.chain([name]).chain(words).collect::<Vec<_>>().join(" ")
}

fn quote(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    if word.is_empty() || word.contains([' ', '"', '$', '*', '&', ';', '|', '\\']) {
        format!("'{word}'")
    } else {
        word.into_owned()
    }
}

/// Becomes the program: its exit code and its signals are then ours.
///
/// Ctrl-C reaches the trainer alone, which writes its checkpoint and exits 130; a parent of our own
/// would end at once and give the terminal back too early. Where a process cannot be replaced,
/// wait.
pub(crate) fn become_command(mut command: Command) -> anyhow::Result<ExitCode> {
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt as _;
        let error = command.exec();
        Err(error).with_context(|| format!("cannot start `{}`", show(&command)))
    }
    #[cfg(not(unix))]
    {
        let status =
            command.status().with_context(|| format!("cannot start `{}`", show(&command)))?;
        Ok(ExitCode::from(exit_code(status)))
    }
}

/// The exit code, or what a shell makes of a signal: 128 and its number.
pub(crate) fn exit_code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    let signalled = std::os::unix::process::ExitStatusExt::signal(&status).map(|s| 128 + s);
    #[cfg(not(unix))]
    let signalled = None;
    let code = status.code().or(signalled).unwrap_or(1);
    // Windows has wider codes; one that does not fit must not become 0.
    u8::try_from(code).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_one_would_type_it() {
        let mut command = Command::new("/usr/bin/cargo");
        command.env("RUSTDOCFLAGS", "-D warnings").args(["doc", "--out", "a b"]);
        assert_eq!(show(&command), "RUSTDOCFLAGS='-D warnings' cargo doc --out 'a b'");
    }

    #[test]
    fn the_root_holds_the_workspace_manifest() {
        assert!(root().unwrap().join("xtask/Cargo.toml").is_file());
    }

    #[cfg(unix)]
    #[test]
    fn a_signal_is_a_failure() {
        let status = Command::new("sh").args(["-c", "kill -9 $$"]).status().unwrap();
        assert_eq!(exit_code(status), 137);
    }
}
