//! `file_roll`: writes events to files of a local directory and starts a new one every so often.

mod file;
mod policy;
#[cfg(test)]
mod tests;

use crate::directory;
use crate::serializer::{Serializer, SerializerConfig};
use event::Batch;
use file::WholeFile;
use flow::component::{Component, Configure, PART};
use flow::error::DeliveryError;
use flow::sink::local::{self, Blocking};
use jiff::tz::TimeZone;
use plan::{Bad, ComponentPlan, Descriptor, Kind, Properties, Property, Value};
use policy::{Names, PathManager, RollPolicy};
use runtime::clock::{self, Duration, Instant};
use runtime::random::Random;
use rustix::fs::Access;
use std::io;
use std::path::PathBuf;

/// Its row in the catalogue.
pub(crate) const COMPONENT: Component = Component {
    descriptor: Descriptor::new(
        Kind::Sink,
        "file_roll",
        "org.apache.flume.sink.RollingFileSink",
        &[PROPERTIES],
    )
    .mistaken(&[("file", ""), ("localfile", ""), ("rollingfile", "")])
    .batch("sink.batchSize"),
    configure: Configure::Sink(|properties, _, findings| {
        let config = FileRollConfig::new(properties);
        let serializer = properties.parts("sink.serializer").next();
        if serializer.is_some_and(|part| !SerializerConfig::knows(part)) {
            findings.refuse("sink.serializer", "it is one of the HDFS sink; this sink cannot use it");
            return None;
        }
        let found = directory::look(
            "sink.directory",
            &config.directory,
            Access::WRITE_OK | Access::EXEC_OK,
            "may not be written by this user",
        );
        let flume = "starts, and fails at each try to make a file; events stay in the channel";
        directory::tell(findings, "sink.directory", found, flume, "events stay in the channel until then");
        Some(Box::new(move |context| {
            let sink = FileRollSink::new(&context.name, config.clone(), context.log.clone());
            local::start(sink, context)
        }))
    }),
};

/// The rows of its path managers.
pub(crate) const PATH_MANAGERS: &[&Component] = &[
    &Component {
        descriptor: Descriptor::new(
            Kind::PathManager,
            "default",
            "org.apache.flume.formatter.output.DefaultPathManager$Builder",
            &[NAMES],
        ),
        configure: PART,
    },
    &Component {
        descriptor: Descriptor::new(
            Kind::PathManager,
            "rolltime",
            "org.apache.flume.formatter.output.RollTimePathManager$Builder",
            &[NAMES],
        ),
        configure: PART,
    },
];

const NAMES: &[Property] =
    &[Property::with("prefix", Value::Text, ""), Property::with("extension", Value::Text, "")];

const PROPERTIES: &[Property] = &[
    Property::required("sink.directory", Value::Path),
    Property::with("sink.rollInterval", Value::Number { min: i64::MIN, max: i64::MAX, unit: "s" }, "30"),
    Property::with("sink.batchSize", Value::at_least(1, "events"), "100")
        .outside(Bad::Says("delivers nothing")),
    Property::with("sink.serializer", Value::Type(Kind::Serializer), "TEXT"),
    Property::optional("sink.serializer.", Value::Text),
    Property::with("sink.pathManager", Value::Type(Kind::PathManager), "DEFAULT"),
    Property::optional("sink.pathManager.", Value::Text),
];

/// Keys, units and defaults are Flume's: User Guide, "File Roll Sink". `sink.batchSize`, events, 100 unless set, is its
/// group's to heed.
#[derive(Debug, Clone)]
pub(crate) struct FileRollConfig {
    /// `sink.directory`: must be there; it is not created, as in Flume.
    pub(crate) directory: PathBuf,
    /// `sink.rollInterval`, whole seconds; 30 unless set, zero (0 or less in the file) never rolls.
    pub(crate) roll_interval: Duration,
    /// `sink.serializer` (`TEXT` unless set) and `sink.serializer.*`.
    pub(crate) serializer: SerializerConfig,
    /// `sink.pathManager`; `DEFAULT` unless set.
    pub(crate) path_manager: PathManager,
    /// `sink.pathManager.prefix`; empty unless set.
    pub(crate) prefix: String,
    /// `sink.pathManager.extension`, without its dot; none unless set.
    pub(crate) extension: String,
}

impl FileRollConfig {
    fn new(properties: &Properties) -> FileRollConfig {
        let interval: i64 = properties.count("sink.rollInterval");
        let manager = properties.parts("sink.pathManager").next();
        let serializer = properties.parts("sink.serializer").next();
        let name = |key| manager.and_then(|part| part.properties.text(key)).unwrap_or_default().to_owned();
        FileRollConfig {
            directory: properties.word("sink.directory").into(),
            roll_interval: Duration::from_secs(u64::try_from(interval).unwrap_or(0)),
            serializer: serializer.map_or(SerializerConfig::Text { newline: true }, SerializerConfig::new),
            path_manager: match manager.map(ComponentPlan::kind) {
                Some("rolltime") => PathManager::RollTime,
                _ => PathManager::Default,
            },
            prefix: name("prefix"),
            extension: name("extension"),
        }
    }
}

/// Where a sink with these keys writes, and what stands before and behind the numbers in its files' names.
pub(crate) fn names(properties: &plan::Properties) -> (PathBuf, String, String) {
    let directory = PathBuf::from(properties.word("sink.directory"));
    let prefix = properties.word("sink.pathManager.prefix").trim_start_matches('/');
    let (below, prefix) = prefix.rsplit_once('/').unwrap_or(("", prefix));
    let extension = properties.word("sink.pathManager.extension");
    let suffix = if extension.is_empty() { String::new() } else { format!(".{extension}") };
    (if below.is_empty() { directory } else { directory.join(below) }, prefix.to_owned(), suffix)
}

/// Writes each delivery whole: when a write fails, what it has left behind is cut off again, so that the next try writes
/// every event once.
///
/// An idle sink starts a new file at each beat too, as Flume's does. One difference: a file that is there already is
/// never written over, the next number is taken.
pub(crate) struct FileRollSink {
    name: String,
    log: slog::Logger,
    config: FileRollConfig,
    serializer: Serializer,
    names: Names,
    next_name: Option<String>, // of a file that could not be made
    roll: Option<RollPolicy>,
    file: Option<WholeFile>,
    buffer: Vec<u8>,
    wanted: u64, // bytes that could not be written
}

impl FileRollSink {
    /// The beat of its files begins now.
    pub(crate) fn new(name: &str, config: FileRollConfig, log: slog::Logger) -> FileRollSink {
        let roll = RollPolicy::new(config.roll_interval, clock::now());
        if roll.is_none() {
            slog::info!(log, "RollInterval is not valid, file rolling will not happen."; "sink" => name);
        }
        let zone = TimeZone::system();
        FileRollSink {
            name: name.to_owned(),
            log,
            names: Names::new(
                config.path_manager,
                &config.prefix,
                &config.extension,
                clock::epoch_millis(),
                zone,
            ),
            serializer: Serializer::new(config.serializer, Random::from_system()),
            config,
            next_name: None,
            roll,
            file: None,
            buffer: Vec::new(),
            wanted: 0,
        }
    }

    fn roll_if_due(&mut self, now: Instant) {
        if self.roll.as_mut().is_some_and(|roll| roll.is_due(now)) {
            self.file = None;
        }
    }

    /// Does `work` with a file that is ready for a delivery, all of it or nothing.
    fn with_file(
        &mut self,
        work: impl FnOnce(&mut FileRollSink, &mut WholeFile) -> io::Result<()>,
    ) -> Result<(), DeliveryError> {
        let mut file = self.take_file()?;
        match work(self, &mut file) {
            Ok(()) => {
                self.file = Some(file);
                Ok(())
            }
            Err(error) => Err(self.take_back(file, &error)),
        }
    }

    fn take_file(&mut self) -> Result<WholeFile, DeliveryError> {
        if let Some(mut file) = self.file.take() {
            match file.begin() {
                Ok(true) => return Ok(file),
                Ok(false) => slog::warn!(
                    self.log,
                    "sink {}: {} was removed while it was written to, with the events in it; \
                    new events go to a new file",
                    self.name,
                    file.path().display()
                ),
                Err(error) => slog::warn!(
                    self.log,
                    "sink {}: {} cannot be used any more ({error}); new events go to a new \
                    file",
                    self.name,
                    file.path().display()
                ),
            }
        }
        self.create()
    }

    fn create(&mut self) -> Result<WholeFile, DeliveryError> {
        loop {
            let name = self.next_name.take().unwrap_or_else(|| self.names.next(clock::epoch_millis()));
            match WholeFile::create(self.config.directory.join(&name)) {
                Ok(file) => return Ok(file),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    let what = format!("files in {}", self.config.directory.display());
                    self.next_name = Some(name);
                    return Err(DeliveryError::Write { what, reason: in_words(&error) });
                }
            }
        }
    }

    fn write(&mut self, file: &mut WholeFile, batches: &mut dyn Iterator<Item = &Batch>) -> io::Result<()> {
        if file.is_empty() {
            self.serializer.begin(&mut self.buffer);
        }
        for batch in batches {
            self.serializer.write(batch, &mut self.buffer);
            if self.buffer.len() >= CHUNK_BYTES {
                self.flush(file)?;
            }
        }
        self.flush(file)
    }

    fn flush(&mut self, file: &mut WholeFile) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let written = file.write(&self.buffer);
        if written.is_err() {
            self.wanted = self.buffer.len() as u64;
        }
        self.buffer.clear();
        self.buffer.shrink_to(KEPT_BYTES);
        written
    }

    /// A write has failed: leaves the file as it was before the delivery, or else leaves it.
    fn take_back(&mut self, mut file: WholeFile, error: &io::Error) -> DeliveryError {
        let what = file.path().display().to_string();
        match file.take_back() {
            Ok(()) => self.file = Some(file),
            Err(second) => slog::error!(
                self.log,
                "sink {}: what a failed write has left at the end of {what} cannot be \
                removed ({second}): the last events of that file may be cut short, and stand again, whole, in the next one",
                self.name
            ),
        }
        DeliveryError::Write { what, reason: in_words(error) }
    }
}

impl Blocking for FileRollSink {
    /// Makes the file, with what its serializer begins it with, as Flume does before it looks for events. After a write
    /// that failed: finds out whether there is room now.
    fn open(&mut self) -> Result<(), DeliveryError> {
        let wanted = std::mem::take(&mut self.wanted);
        self.with_file(|sink, file| {
            if wanted > 0 {
                file.reserve(wanted).inspect_err(|_| sink.wanted = wanted)?;
            }
            sink.write(file, &mut std::iter::empty())
        })
    }

    fn deliver(&mut self, batches: &mut dyn Iterator<Item = &Batch>) -> Result<(), DeliveryError> {
        self.roll_if_due(clock::now());
        self.with_file(|sink, file| sink.write(file, batches))
    }

    fn wake_at(&self) -> Option<Instant> {
        self.roll.as_ref().map(RollPolicy::due)
    }

    fn wake(&mut self) -> Result<(), DeliveryError> {
        self.roll_if_due(clock::now());
        self.open()
    }

    fn close(&mut self) {
        self.file = None; // nothing waits in memory: each delivery was written before it was settled
        slog::debug!(self.log, "sink {} has closed its file", self.name);
    }
}

/// What went wrong and what to do about it.
fn in_words(error: &io::Error) -> String {
    use io::ErrorKind::{
        FileTooLarge, NotADirectory, NotFound, PermissionDenied, QuotaExceeded, StorageFull,
    };
    let advice = match error.kind() {
        NotFound => {
            "the directory does not exist: create it and let this process write there, or correct sink.directory"
        }
        NotADirectory => "sink.directory is not a directory: correct it",
        PermissionDenied => {
            "this process may not write there: change the directory's owner or mode, or sink.directory"
        }
        StorageFull | QuotaExceeded => "there is no room: free some",
        FileTooLarge => {
            "files of this process may not be larger (ulimit -f): raise the limit, or let sink.rollInterval begin new ones"
        }
        _ => return error.to_string(),
    };
    format!("{advice} ({error})")
}

/// Bytes that are written with one call: enough that the call costs nothing beside them, few enough to stay in the
/// processor's cache.
const CHUNK_BYTES: usize = 256 << 10;

/// Bytes that the buffer keeps between two writes.
const KEPT_BYTES: usize = 4 * CHUNK_BYTES;
