//! Which of log4j's files counts.
//!
//! Source: log4j 1.2.17 `LogManager` (`log4j.configuration`, else `log4j.xml`, else `log4j.properties` of the class path), log4j 2.18
//! `ConfigurationFactory` (`log4j2.configurationFile`, else the class path's). `flume-ng` puts the directory of `-c` first there.

use crate::java::last;
use plan::{Report, Severity};
use std::{
    io,
    path::{Path, PathBuf},
};

/// The file that counts.
#[derive(Debug)]
pub(super) enum Found {
    /// For log4j 1.2, with its pairs.
    Log4j { path: String, pairs: Vec<(String, String)>, notices: Vec<String> },
    /// For log4j 2, with its text.
    Log4j2 { path: String, text: String, notices: Vec<String> },
    /// None that is read here.
    Nothing { notices: Vec<String> },
}

/// Properties of a JVM that name such a file: log4j 2's, then log4j 1.2's.
pub(crate) const NAMES_A_FILE: [&str; 3] = ["log4j2.configurationFile", "log4j.configurationFile", LOG4J_1];

const LOG4J_1: &str = "log4j.configuration";

/// Whether a property names a file that is read here, so that the JVM of Java components must not write the same files.
pub(crate) fn is_read_here(name: &str, value: &str) -> bool {
    let end = if name == LOG4J_1 { ".properties" } else { ".xml" };
    NAMES_A_FILE.contains(&name) && value.trim().ends_with(end)
}

/// Looks for it: where a property names it, else in `conf`. Of both kinds log4j 2's counts, as in Flume since 1.10.
pub(super) fn find(properties: &[(String, String)], conf: Option<&Path>) -> Found {
    let mut notices = Vec::new();
    let named = NAMES_A_FILE.iter().find_map(|name| Some((*name, last(properties, name)?)));
    if let Some((name, value)) = named {
        let path = named_path(value, conf);
        return match read(&path) {
            Ok(bytes) if is_xml(&path) && name != LOG4J_1 => xml(&path, bytes, notices),
            Ok(bytes) if path.extension().is_some_and(|end| end == "properties") && name == LOG4J_1 => {
                pairs(&path, &bytes, notices)
            }
            Ok(_) => {
                notices.push(format!(
                    "-D{name}={value}: only log4j.properties of log4j 1.2 and log4j2.xml are read; log lines go to the console (stderr)"
                ));
                Found::Nothing { notices }
            }
            Err(error) => {
                notices.push(format!(
                    "-D{name}={value} cannot be read: {error}. Log lines go to the console (stderr)"
                ));
                Found::Nothing { notices }
            }
        };
    }
    let Some(conf) = conf else { return Found::Nothing { notices } };
    for other in NOT_READ.iter().filter(|other| conf.join(other).is_file()) {
        notices.push(format!(
            "{} is not read: only log4j2.xml and log4j.properties are; write it as one of them",
            conf.join(other).display()
        ));
    }
    let [two, one] = ["log4j2.xml", "log4j.properties"].map(|name| conf.join(name));
    for path in [&two, &one] {
        match read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                notices.push(format!("{} cannot be read: {error}. It has no effect", path.display()))
            }
            Ok(bytes) if path == &one => return pairs(path, &bytes, notices),
            Ok(bytes) => {
                if one.is_file() {
                    notices.push(format!(
                        "{} has no effect: {} counts, as in Flume since 1.10. -Dlog4j.configuration=file:{0} names the other",
                        one.display(),
                        two.display()
                    ));
                }
                return xml(path, bytes, notices);
            }
        }
    }
    Found::Nothing { notices }
}

fn is_xml(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "xml")
        && path.file_name().is_some_and(|name| name != "log4j.xml")
}

/// A path, a URL of a file, or a name on the class path, where the configuration directory comes first.
fn named_path(value: &str, conf: Option<&Path>) -> PathBuf {
    let value = value.trim();
    if let Some(path) = value.strip_prefix("file:") {
        return path.strip_prefix("//").unwrap_or(path).into();
    }
    let name = value.strip_prefix("classpath:").unwrap_or(value);
    let beside = conf.map(|conf| conf.join(name)).filter(|path| path.is_file());
    beside.unwrap_or_else(|| name.into())
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let bytes = plan::input::read(path, MOST_BYTES, PATIENCE_SECONDS, &|_| {})?;
    if bytes.len() as u64 > MOST_BYTES {
        let text = format!("it has more than {} KiB", MOST_BYTES >> 10);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
    }
    Ok(bytes)
}

fn xml(path: &Path, bytes: Vec<u8>, notices: Vec<String>) -> Found {
    let text = String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    Found::Log4j2 { path: path.display().to_string(), text, notices }
}

fn pairs(path: &Path, bytes: &[u8], mut notices: Vec<String>) -> Found {
    let path = path.display().to_string();
    let mut report = Report::default();
    let entries = plan::properties::parse(&path, bytes, &mut report);
    let doubtful = report.findings().into_iter().filter(|finding| finding.severity != Severity::Note);
    notices.extend(doubtful.map(|finding| finding.one_line()));
    // A blank at the end counts in a pattern alone.
    let trimmed = |key: &str, value: String| {
        if key.ends_with("Pattern") { value } else { value.trim_end().to_owned() }
    };
    let pairs = entries.into_iter().map(|entry| (trimmed(&entry.key, entry.value), entry.key));
    Found::Log4j { path, pairs: pairs.map(|(value, key)| (key, value)).collect(), notices }
}

/// What log4j reads as well, and nobody here does.
const NOT_READ: [&str; 6] =
    ["log4j.xml", "log4j2.properties", "log4j2.yaml", "log4j2.yml", "log4j2.json", "log4j2-test.xml"];

/// Such a file is short.
const MOST_BYTES: u64 = 256 << 10;

/// A pipe in its place may keep the start waiting for so long, in seconds.
const PATIENCE_SECONDS: u32 = 2;
