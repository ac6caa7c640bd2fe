//! From files and properties to a plan.

use plan::{Plan, Report};
use std::path::PathBuf;

/// What to load.
pub(crate) struct Wanted<'a> {
    pub(crate) name: Option<&'a str>,
    pub(crate) files: &'a [PathBuf],
    pub(crate) properties: &'a [(String, String)],
    pub(crate) strict_flume: bool,
}

/// What was found in the files.
pub(crate) struct Loaded {
    pub(crate) report: Report,
    /// None when the report has errors.
    pub(crate) plan: Option<Plan>,
}

/// Reads and checks an agent's configuration.
///
/// # Errors
/// What is missing on the command line or cannot be read, for people.
pub(crate) fn load(wanted: &Wanted<'_>) -> Result<Loaded, String> {
    if wanted.files.is_empty() {
        return Err("no configuration: give a properties file with -f FILE".to_owned());
    }
    let _ = (wanted.name, wanted.properties, wanted.strict_flume);
    Err("the loader is not wired in yet".to_owned())
}
