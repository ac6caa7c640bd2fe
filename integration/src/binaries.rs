//! Where the binaries are, built first when they are missing or older than their sources.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::SystemTime,
};

/// The directory that holds `agent` and `collector` of the same profile as the running program. `FLUME_BIN_DIR` names
/// another one, which is taken as it is.
///
/// # Errors
/// A sentence that says what could not be built or found.
pub fn directory() -> Result<PathBuf, String> {
    static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    FOUND.get_or_init(find).clone()
}

fn find() -> Result<PathBuf, String> {
    if let Some(given) = std::env::var_os("FLUME_BIN_DIR") {
        return std::path::absolute(given).map_err(|error| format!("FLUME_BIN_DIR: {error}"));
    }
    let own =
        std::env::current_exe().map_err(|error| format!("cannot tell where this program is: {error}"))?;
    let profile = profile_directory(&own).ok_or("this program stands in no directory")?;
    if is_stale(&profile).map_err(|error| format!("cannot look at the sources: {error}"))? {
        build(&profile, &["--quiet"])?;
    }
    Ok(profile)
}

/// Builds `agent` and `collector` with some of their features, of the same profile as the running program, and copies them into
/// `to`, where no other build writes over them. Cargo shows what it does. `FLUME_BIN_DIR` names others, which must have it.
///
/// # Errors
/// As [`directory`].
pub fn with_features(features: &str, to: &Path) -> Result<PathBuf, String> {
    if std::env::var_os("FLUME_BIN_DIR").is_some() {
        return directory();
    }
    let own =
        std::env::current_exe().map_err(|error| format!("cannot tell where this program is: {error}"))?;
    let profile = profile_directory(&own).ok_or("this program stands in no directory")?;
    build(&profile, &["--features", features])?;
    let to = to.join("bin");
    fs::create_dir_all(&to).map_err(|error| format!("cannot make {}: {error}", to.display()))?;
    for name in BINARIES {
        fs::copy(profile.join(name), to.join(name))
            .map_err(|error| format!("cannot copy {name}: {error}"))?;
    }
    Ok(to)
}

/// `target/release` for `target/release/drill` and for `target/release/deps/failover-0123`.
fn profile_directory(program: &Path) -> Option<PathBuf> {
    let directory = program.parent()?;
    let in_deps = directory.file_name().is_some_and(|name| name == "deps");
    Some(if in_deps { directory.parent()? } else { directory }.to_owned())
}

fn is_stale(profile: &Path) -> io::Result<bool> {
    let built =
        BINARIES.iter().map(|name| fs::metadata(profile.join(name)).and_then(|found| found.modified()));
    let Some(oldest) =
        built.collect::<io::Result<Vec<SystemTime>>>().ok().and_then(|times| times.into_iter().min())
    else {
        return Ok(true);
    };
    let mut newest = SystemTime::UNIX_EPOCH;
    for part in ["agent/src", "collector/src", "common"] {
        newest = newest.max(newest_source(&workspace().join(part))?);
    }
    Ok(newest > oldest)
}

/// When the newest Rust file that goes into the binaries was changed.
fn newest_source(directory: &Path) -> io::Result<SystemTime> {
    let mut newest = SystemTime::UNIX_EPOCH;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        if entry.file_type()?.is_dir() && !OUTSIDE.iter().any(|outside| name == *outside) {
            newest = newest.max(newest_source(&path)?);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            newest = newest.max(entry.metadata()?.modified()?);
        }
    }
    Ok(newest)
}

fn build(profile: &Path, words: &[&str]) -> Result<(), String> {
    let mut cargo = cargo();
    cargo.arg("build").args(words);
    cargo.args(BINARIES.iter().flat_map(|name| ["-p", name]));
    match profile.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => {}
        Some(name) => drop(cargo.args(["--profile", name])),
    }
    match cargo.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("building {} ended with {status}", BINARIES.join(" and "))),
        Err(error) => Err(format!("cannot run cargo to build {}: {error}", BINARIES.join(" and "))),
    }
}

/// Cargo, in the workspace. It is the one that a shell finds, not the one that built us: where that is rustup's, rustup
/// chooses the toolchain, and all that it starts has the same one. Without it a dependency that names its own gets that.
/// It does not see which package `cargo run` or `cargo test` has started: ring is built anew when that changes, and all on top of it.
pub fn cargo() -> Command {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(workspace());
    let of_package = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    let seen = std::env::vars_os().map(|(name, _)| name);
    for name in seen.filter(|name| name.to_str().is_some_and(of_package)) {
        cargo.env_remove(name);
    }
    cargo
}

/// The workspace's directory.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package stands in the workspace")
}

const BINARIES: [&str; 2] = ["agent", "collector"];

/// Directories whose files do not go into the binaries.
const OUTSIDE: [&str; 4] = ["tests", "benches", "fuzz", "target"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_and_programs_share_a_profile() {
        let profile = Some(PathBuf::from("/t/release"));
        assert_eq!(profile_directory(Path::new("/t/release/drill")), profile);
        assert_eq!(profile_directory(Path::new("/t/release/deps/failover-01")), profile);
    }
}
