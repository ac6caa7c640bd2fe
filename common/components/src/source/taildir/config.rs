//! What an operator can say.

use super::own::OwnFiles;
use java::Pattern;
use runtime::clock::Duration;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Keys, units and defaults are Flume's: User Guide, "Taildir Source".
#[derive(Debug)]
pub(crate) struct TailDirConfig {
    /// `filegroups`, with what each is about.
    pub(super) groups: Vec<Group>,
    /// What is wrong with groups that are left out.
    pub(super) faults: Vec<String>,
    /// `positionFile`; `~/.flume/taildir_position.json` unless set.
    pub(super) position_file: PathBuf,
    /// `writePosInterval`, milliseconds; 3,000 unless set. Written as soon as 200 ms after a change; this is the longest
    /// pause between two writings.
    pub(super) write_interval: Duration,
    /// `batchSize`, lines; 100 unless set.
    pub(super) batch_size: usize,
    /// `maxBatchCount`, batches from one file before it is another one's turn; no limit unless set.
    pub(super) most_batches: u64,
    /// `byteOffsetHeader`; false unless set.
    pub(super) offset_header: bool,
    /// `skipToEnd`; false unless set. What is not in the position file when we start begins at its end.
    pub(super) skip_to_end: bool,
    /// `idleTimeout`, milliseconds; 120,000 unless set. Then a file is closed, and a last line without an end is a line.
    pub(super) idle_timeout: Duration,
    /// `cachePatternMatching`; true unless set.
    pub(super) cache_listing: bool,
    /// `fileHeaderKey` (`file` unless set) if `fileHeader` is true.
    pub(super) file_header: Option<String>,
    /// `backoffSleepIncrement` and `maxBackoffSleep`, milliseconds; 1,000 and 5,000 unless set. In Flume the pauses
    /// between looks; here between scans, which find what nobody told.
    pub(super) scan_increment: Duration,
    pub(super) scan_longest: Duration,
    /// What this agent writes itself and does not follow.
    pub(super) own: Arc<OwnFiles>,
}

/// `filegroups.NAME`: a directory, and a regular expression for whole names in it.
#[derive(Debug)]
pub(super) struct Group {
    /// As it is named in `filegroups`, and as its path is written.
    pub(super) name: String,
    pub(super) path: String,
    pub(super) directory: PathBuf,
    pub(super) pattern: Pattern,
    /// `headers.NAME.KEY`.
    pub(super) headers: Vec<(String, String)>,
}

impl TailDirConfig {
    /// Batches from one file while others wait.
    pub(super) fn longest_turn(&self) -> u64 {
        self.most_batches.min(LONGEST_TURN)
    }

    pub(crate) fn new(properties: &plan::Properties, own: Arc<OwnFiles>) -> TailDirConfig {
        let (mut groups, mut faults) = (Vec::new(), Vec::new());
        for name in properties.words("filegroups") {
            match group(properties, name) {
                Ok(group) => groups.push(group),
                Err(fault) => faults.push(fault),
            }
        }
        let file_header = properties.word("fileHeaderKey").to_owned();
        TailDirConfig {
            groups,
            faults,
            position_file: position_file(properties),
            write_interval: properties.millis("writePosInterval"),
            batch_size: properties.count("batchSize"),
            most_batches: properties.count("maxBatchCount"),
            offset_header: properties.flag("byteOffsetHeader"),
            skip_to_end: properties.flag("skipToEnd"),
            idle_timeout: properties.millis("idleTimeout"),
            cache_listing: properties.flag("cachePatternMatching"),
            file_header: properties.flag("fileHeader").then_some(file_header),
            scan_increment: properties.millis("backoffSleepIncrement"),
            scan_longest: properties.millis("maxBackoffSleep"),
            own,
        }
    }
}

fn group(properties: &plan::Properties, name: &str) -> Result<Group, String> {
    let key = format!("filegroups.{name}");
    let path =
        properties.text(&key).ok_or_else(|| format!("{key} is not set: the group {name} is left out"))?;
    let trimmed = path.trim_end_matches('/');
    let (directory, pattern) = match trimmed.rsplit_once('/') {
        Some(("", pattern)) => ("/", pattern),
        Some(parts) => parts,
        None => (".", trimmed),
    };
    let refused = |why| {
        format!(
            "{key} = {path}: the part behind the last `/` must be a regular expression for whole file names, and is not: {why}; the group {name} is left out"
        )
    };
    let prefix = format!("headers.{name}.");
    let headers = properties.under(&prefix);
    Ok(Group {
        name: name.to_owned(),
        path: path.to_owned(),
        directory: std::path::absolute(directory).unwrap_or_else(|_| directory.into()),
        pattern: Pattern::compile_whole(pattern).map_err(refused)?,
        headers: headers.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
    })
}

/// Where a source with these keys keeps its positions.
pub(crate) fn position_file(properties: &plan::Properties) -> PathBuf {
    let home = || std::env::home_dir().unwrap_or_default().join(Path::new(".flume/taildir_position.json"));
    properties.text("positionFile").map_or_else(home, PathBuf::from)
}

/// Batches from one file while others wait, should `maxBatchCount` not say less. Flume has no limit: one file that
/// grows as fast as it is read keeps all others waiting.
const LONGEST_TURN: u64 = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::taildir::COMPONENT;

    #[test]
    fn every_property_is_read() {
        let properties = plan::Properties::of(
            &COMPONENT.descriptor,
            [
                ("filegroups", "f1  f2 f3 f4"),
                ("filegroups.f1", "/var/log/app/.*log.*"),
                ("filegroups.f2", "/messages"),
                ("filegroups.f3", "/var/("),
                ("headers.f1.a.b", "c d"),
                ("headers.f1.x", ""),
                ("positionFile", "/var/pos.json"),
                ("writePosInterval", "100"),
                ("maxBatchCount", "-1"),
                ("byteOffsetHeader", "true"),
                ("skipToEnd", "TRUE"),
                ("idleTimeout", "7"),
                ("cachePatternMatching", "false"),
                ("fileHeader", "true"),
                ("fileHeaderKey", "path"),
                ("backoffSleepIncrement", "1"),
                ("maxBackoffSleep", "2"),
            ],
        );
        let config = TailDirConfig::new(&properties, Arc::default());
        let directories: Vec<_> =
            config.groups.iter().map(|group| group.directory.to_str().unwrap()).collect();
        assert_eq!(directories, ["/var/log/app", "/"]);
        let header = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(config.groups[0].headers, [header("a.b", "c d"), header("x", "")]);
        assert_eq!(config.faults.len(), 2);
        assert_eq!(config.position_file, Path::new("/var/pos.json"));
        assert_eq!((config.batch_size, config.most_batches), (100, i64::MAX as u64));
        assert!(config.offset_header && config.skip_to_end && !config.cache_listing);
        assert_eq!(config.file_header.as_deref(), Some("path"));
        let millis = [config.write_interval, config.idle_timeout, config.scan_increment, config.scan_longest];
        assert_eq!(millis.map(|time| time.as_millis()), [100, 7, 1, 2]);
    }

    #[test]
    fn the_defaults_are_flumes() {
        let config = TailDirConfig::new(&plan::Properties::new(&COMPONENT.descriptor), Arc::default());
        assert!(config.position_file.ends_with(".flume/taildir_position.json"));
        assert!(config.file_header.is_none() && config.cache_listing);
        assert_eq!((config.batch_size, config.idle_timeout.as_secs()), (100, 120));
    }
}
