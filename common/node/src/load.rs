//! From files, environment and properties to a plan.

use crate::external;
use jiff::Zoned;
use plan::{Loaded, Options, Report, Sources};
use std::path::PathBuf;

/// What to load.
pub(crate) struct Wanted<'a> {
    pub(crate) name: Option<&'a str>,
    pub(crate) files: &'a [PathBuf],
    pub(crate) properties: &'a [(String, String)],
    pub(crate) strict_flume: bool,
}

/// Reads and checks an agent's configuration.
///
/// # Errors
/// What is missing on the command line, for people.
pub(crate) fn load(wanted: &Wanted<'_>) -> Result<Loaded, String> {
    if wanted.files.is_empty() {
        return Err("no configuration: give a properties file with -f FILE".to_owned());
    }
    let variables = std::env::vars_os();
    let sources = Sources {
        files: wanted.files.to_vec(),
        environment: variables
            .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
            .collect(),
        properties: wanted.properties.to_vec(),
        now: Zoned::now(),
    };
    let options = Options {
        strict_flume: wanted.strict_flume,
        external: external::ask,
        waiting: |what| eprintln!("{what}"),
    };
    let loaded = plan::load(&sources, wanted.name.unwrap_or_default(), &options);
    match wanted.name {
        Some(_) => Ok(loaded),
        None => Err(no_name(wanted, &loaded)),
    }
}

/// Which names there are, for one who gave none.
fn no_name(wanted: &Wanted<'_>, loaded: &Loaded) -> String {
    let files = wanted.files.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
    let names = match &loaded.agents[..] {
        [] => unreadable(&loaded.report).unwrap_or_else(|| format!("{files} names no agent")),
        names => format!("{files} names: {}", names.join(", ")),
    };
    format!("which agent? Give its name with -n NAME; {}", plan::cut(&names, MOST_SHOWN))
}

/// Bytes of a list of names.
const MOST_SHOWN: usize = 1000;

fn unreadable(report: &Report) -> Option<String> {
    report
        .problems
        .iter()
        .find(|problem| problem.code == "unreadable-file")
        .map(|problem| problem.what.clone())
}
