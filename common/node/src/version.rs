//! `version`, in the shape of Flume's.

use crate::Role;

/// Five lines, the first beginning with `Flume` and the release whose place this takes. What is not known says so:
/// whoever packages it sets `FLUME_SOURCE` and `FLUME_REVISION` when it is built.
pub(crate) fn text(role: Role) -> String {
    let repository = option_env!("FLUME_SOURCE").unwrap_or("not recorded");
    let revision = option_env!("FLUME_REVISION").unwrap_or("not recorded");
    let (release, rust) = (env!("CARGO_PKG_VERSION"), env!("CARGO_PKG_RUST_VERSION"));
    let (machine, system) = (std::env::consts::ARCH, std::env::consts::OS);
    format!(
        "Flume {FLUME} ({role} {release}, which takes its place)\n\
         Source code repository: {repository}\n\
         Revision: {revision}\n\
         Compiled for {machine} {system}, with Rust {rust} or later\n\
         Reads the properties files and speaks the Avro of Flume 1.8 to {FLUME}\n"
    )
}

/// The release whose behaviour is followed.
const FLUME: &str = "1.11.0";
