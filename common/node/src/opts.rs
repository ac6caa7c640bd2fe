//! `flume.opts`: defaults of options, in a properties file.
//!
//! Source: Flume 1.11 `Application.loadConfigOpts` and commons-cli's `DefaultParser`: `/etc/flume/flume.opts`, and only when that
//! cannot be read the one on the class path, where the configuration directory comes first. What the command line says
//! wins. A key is an option's name, long or short; an option without a value counts when the value is yes, true or 1.

use clap::{Arg, ArgAction, ArgMatches, parser::ValueSource};
use plan::{Report, properties::Entry};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

/// The file that counts, if there is one: its name and its lines.
pub(crate) fn read(conf: Option<&Path>) -> Option<(String, Vec<Entry>)> {
    let places = [Some(PathBuf::from("/etc/flume")), conf.map(Path::to_owned)];
    places.into_iter().flatten().find_map(|place| {
        let path = place.join("flume.opts");
        let bytes = plan::input::read(&path, MOST_BYTES, PATIENCE_SECONDS, &|_| {}).ok()?;
        let name = path.display().to_string();
        let entries = plan::properties::parse(&name, &bytes, &mut Report::default());
        Some((name, entries))
    })
}

/// The words that `entries` stand for, of those options that `matches` has not from the command line. `command` is the one
/// that runs, `all` has every option that a file may name.
///
/// # Errors
/// What is no option, in an operator's words.
pub(crate) fn words(
    entries: &[Entry],
    command: &clap::Command,
    all: &clap::Command,
    matches: &ArgMatches,
) -> Result<Vec<OsString>, String> {
    let mut words = Vec::new();
    for entry in entries {
        let known =
            |command: &clap::Command| command.get_arguments().find(|arg| is_named(arg, &entry.key)).cloned();
        let Some(arg) = known(command) else {
            if known(all).is_none() {
                return Err(format!(
                    "{}: `{}` is no option; Flume ends there, too: take the line out",
                    entry.key_at,
                    plan::cut(&entry.key, MOST_SHOWN)
                ));
            }
            continue;
        };
        let given = matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine);
        let long = arg.get_long().unwrap_or_default();
        let value = entry.value.trim_end();
        match arg.get_action() {
            _ if given => {}
            ArgAction::SetTrue
            | ArgAction::Help
            | ArgAction::HelpShort
            | ArgAction::HelpLong
            | ArgAction::Version => {
                let counts = ["yes", "true", "1"].iter().any(|word| value.eq_ignore_ascii_case(word));
                words.extend(counts.then(|| OsString::from(format!("--{long}"))));
            }
            _ => words.push(OsString::from(format!("--{long}={value}"))),
        }
    }
    Ok(words)
}

fn is_named(arg: &Arg, key: &str) -> bool {
    let mut letters = key.chars();
    let short = letters.next().filter(|_| letters.next().is_none());
    let alias = || arg.get_all_aliases().unwrap_or_default().contains(&key);
    arg.get_long() == Some(key) || short.is_some() && arg.get_short() == short || alias()
}

/// It is short; whatever else stands there is not read to its end.
const MOST_BYTES: u64 = 64 << 10;
/// A pipe in its place may be silent for so long.
const PATIENCE_SECONDS: u32 = 1;
/// Bytes of a key that are shown.
const MOST_SHOWN: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{CheckOptions, RunOptions};
    use clap::CommandFactory;

    fn words_of(command: &clap::Command, line: &str, text: &str) -> Result<Vec<OsString>, String> {
        let matches = command.clone().no_binary_name(true).get_matches_from(line.split_whitespace());
        let entries = plan::properties::parse("flume.opts", text.as_bytes(), &mut Report::default());
        words(&entries, command, &RunOptions::command(), &matches)
    }

    #[test]
    fn the_command_line_wins_and_names_are_long_or_short() {
        let text = "n = a1\nzkConnString=h:1 \nuser: me\npwd=p w\nno-reload-conf=Yes\ndryrun=no\n";
        let words = words_of(&RunOptions::command(), "-z other", text).unwrap();
        assert_eq!(words, ["--name=a1", "--conf-user=me", "--conf-password=p w", "--no-reload-conf"]);
        let words = words_of(&CheckOptions::command(), "-n a2", "n=a1\ndrain-timeout=5\nu=file:/x").unwrap();
        assert_eq!(words, ["--conf-uri=file:/x"], "`check` has no --drain-timeout");
        assert_eq!(words_of(&RunOptions::command(), "", "help=true\n").unwrap(), ["--help"]);
    }

    #[test]
    fn what_is_no_option_is_told_with_its_line() {
        let told = words_of(&RunOptions::command(), "", "n=a1\nverify-host=hunter2\n").unwrap_err();
        assert!(told.starts_with("flume.opts:2") && told.contains("`verify-host`"), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
    }

    #[test]
    fn it_is_found_in_the_configuration_directory() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("flume.opts"), "n=a1\n").unwrap();
        // That of `/etc` would go first, and there is none where tests run.
        let (name, entries) = read(Some(directory.path())).unwrap();
        assert!(name.ends_with("flume.opts") && entries.len() == 1, "{name}: {entries:?}");
    }
}
