//! What an operator can say.

use super::policy::{Names, Order};
use crate::deserializer::DeserializerConfig;
use crate::source::taildir::OwnFiles;
use java::{Charset, OnMalformed, Pattern};
use plan::{Bad, Kind, Properties, Property, Value};
use runtime::clock::Duration;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const NO_START: Bad = Bad::Says("fails to start, and tries again every 3 s for ever");

pub(super) const PROPERTIES: &[Property] = &[
    Property::required("spoolDir", Value::Path),
    Property::with("fileSuffix", Value::Text, ".COMPLETED"),
    Property::with("deletePolicy", Value::Choice(&["never", "immediate"]), "never").bad(NO_START),
    Property::with("trackingPolicy", Value::Choice(&["rename", "tracker_dir"]), "rename").bad(NO_START),
    Property::with("fileHeader", Value::Flag, "false"),
    Property::with("fileHeaderKey", Value::Text, "file"),
    Property::with("basenameHeader", Value::Flag, "false"),
    Property::with("basenameHeaderKey", Value::Text, "basename"),
    Property::with("includePattern", Value::Regex, "^.*$").bad(NO_START),
    Property::with("ignorePattern", Value::Regex, "^$").bad(NO_START),
    Property::with("trackerDir", Value::Path, ".flumespool"),
    Property::with("consumeOrder", Value::Choice(&["oldest", "youngest", "random"]), "oldest"),
    Property::with("pollDelay", Value::at_least(1, "ms"), "500").outside(NO_START),
    Property::with("recursiveDirectorySearch", Value::Flag, "false"),
    Property::with("maxBackoff", Value::at_least(0, "ms"), "4000")
        .outside(Bad::Says("ends the source when its channel is full")),
    Property::with("batchSize", Value::at_least(1, "events"), "100")
        .outside(Bad::Says("finishes each file without reading it")),
    Property::with("inputCharset", Value::Charset, "UTF-8").bad(NO_START),
    Property::with("decodeErrorPolicy", Value::Choice(&["FAIL", "REPLACE", "IGNORE"]), "FAIL"),
    Property::with("deserializer", Value::Type(Kind::Deserializer), "LINE"),
    Property::optional("bufferMaxLineLength", Value::at_least(1, "characters"))
        .outside(Bad::Says("makes an event of each character")),
    Property::optional("bufferMaxLines", Value::Unused("Flume ignores it since 1.4")),
];

/// Keys, units and defaults are Flume's: User Guide, "Spooling Directory Source".
#[derive(Debug)]
pub(super) struct Config {
    /// `spoolDir`, as it is written: the meta file has it so.
    pub(super) directory: PathBuf,
    pub(super) names: Names,
    /// `deletePolicy`, and for `never` `trackingPolicy`.
    pub(super) finish: Finish,
    /// `fileHeaderKey` (`file` unless set) if `fileHeader` is true.
    pub(super) file_header: Option<String>,
    /// `basenameHeaderKey` (`basename` unless set) if `basenameHeader` is true.
    pub(super) basename_header: Option<String>,
    /// `trackerDir`; `.flumespool` unless set. A relative one is below `spoolDir`.
    pub(super) tracker: PathBuf,
    /// `consumeOrder`; oldest unless set.
    pub(super) order: Order,
    /// `pollDelay`, milliseconds; 500 unless set: between two scans, where the kernel does not tell of new files.
    pub(super) poll_delay: Duration,
    /// `recursiveDirectorySearch`; false unless set.
    pub(super) recursive: bool,
    /// `maxBackoff`, milliseconds; 4,000 unless set: the longest pause before a channel that refused is asked again.
    pub(super) longest_backoff: Duration,
    /// `batchSize`, events; 100 unless set.
    pub(super) batch_size: usize,
    /// `deserializer`; LINE unless set.
    pub(super) deserializer: DeserializerConfig,
    /// What this agent writes itself and does not read.
    pub(super) own: Arc<OwnFiles>,
}

/// What becomes of a file that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finish {
    /// It gets `fileSuffix`.
    Rename,
    /// An empty file of its name, with `fileSuffix`, is made below `trackerDir`.
    Mark,
    /// It is deleted.
    Delete,
}

impl Config {
    /// # Errors
    /// The property that cannot be used, and why.
    pub(super) fn new(properties: &Properties, own: Arc<OwnFiles>) -> Result<Config, (&'static str, String)> {
        let is = |key, word: &str| properties.word(key).trim().eq_ignore_ascii_case(word);
        let pattern =
            |key| Pattern::compile_whole(properties.word(key)).map_err(|why| (key, String::from(why)));
        let header = |on, key| properties.flag(on).then(|| properties.word(key).to_owned());
        let input = Charset::for_name(properties.word("inputCharset"));
        let input = input.ok_or(("inputCharset", String::from("there is no such charset")))?;
        let on_malformed = if is("decodeErrorPolicy", "REPLACE") {
            OnMalformed::Replace
        } else if is("decodeErrorPolicy", "IGNORE") {
            OnMalformed::Ignore
        } else {
            OnMalformed::Report
        };
        let part = properties.parts("deserializer").next();
        let most_chars = properties.given("bufferMaxLineLength");
        Ok(Config {
            directory: directory(properties),
            names: Names {
                suffix: properties.word("fileSuffix").to_owned(),
                include: pattern("includePattern")?,
                ignore: pattern("ignorePattern")?,
            },
            finish: if is("deletePolicy", "immediate") {
                Finish::Delete
            } else if is("trackingPolicy", "tracker_dir") {
                Finish::Mark
            } else {
                Finish::Rename
            },
            file_header: header("fileHeader", "fileHeaderKey"),
            basename_header: header("basenameHeader", "basenameHeaderKey"),
            tracker: directory(properties).join(properties.word("trackerDir")),
            order: match () {
                () if is("consumeOrder", "youngest") => Order::Youngest,
                () if is("consumeOrder", "random") => Order::Random,
                () => Order::Oldest,
            },
            poll_delay: properties.millis("pollDelay"),
            recursive: properties.flag("recursiveDirectorySearch"),
            longest_backoff: properties.millis("maxBackoff"),
            batch_size: properties.count("batchSize"),
            deserializer: DeserializerConfig::new(part, input, on_malformed, most_chars),
            own,
        })
    }

    /// Where a file of the directory has its marker below `trackerDir`.
    pub(super) fn marker(&self, path: &Path) -> PathBuf {
        let relative = path.strip_prefix(&self.directory).unwrap_or(path);
        with_suffix(&self.tracker.join(relative), &self.names.suffix)
    }
}

/// `path` with `suffix` behind its last name.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn directory(properties: &Properties) -> PathBuf {
    // `components` leaves out what changes nothing, as `java.io.File` does.
    Path::new(properties.word("spoolDir")).components().collect()
}
