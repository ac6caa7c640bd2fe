//! Directories that have to be there: a component reads or writes in them and does not make them.

use plan::{Findings, Problem, input};
use rustix::fs::{Access, access};
use std::fs;
use std::path::Path;

/// Whether `directory`, the value of `key`, can be used as `needed` says.
///
/// # Errors
/// Why not; `denied` is what follows where this user may not.
pub(crate) fn look(key: &str, directory: &Path, needed: Access, denied: &str) -> Result<(), String> {
    let shown = directory.display();
    let about =
        fs::metadata(directory).map_err(|error| format!("the {key} {shown} cannot be used: {error}"))?;
    if !about.is_dir() {
        let is = input::name_of(about.file_type());
        return Err(format!("the {key} {shown} is {is}, not a directory"));
    }
    access(directory, needed).map_err(|_| format!("the {key} {shown} {denied}"))
}

/// Says what [`look`] has found. It is no error: Flume starts too, and goes on once the directory is there, which may be
/// mounted or made later than the agent starts, and may be there on another host than where the file is checked.
pub(crate) fn tell(
    findings: &mut Findings<'_>,
    key: &str,
    found: Result<(), String>,
    flume: &str,
    here: &str,
) {
    if let Err(why) = found
        && findings.is_clean(key)
    {
        let fix = format!("create the directory for this user, or correct `{}`", findings.key(key));
        let problem = Problem::warning("unusable-directory", &findings.at(key).clone(), why);
        findings.add(problem.flume(flume).here(here).fix(fix));
    }
}
