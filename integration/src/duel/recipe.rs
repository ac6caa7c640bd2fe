//! Property files for two hops: what an agent and a collector run, native nodes or Flume's.

use crate::binaries;
use std::{fmt::Write, path::Path};

/// Where the agent's lines come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// TAILDIR follows the file.
    Taildir,
    /// exec runs the lesson's tail, told to begin at the file's beginning.
    Exec,
}

/// Batches and channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Batch {
    /// The lesson's: capacity 1000, transactionCapacity 100, everything else left at its default of 100 (exec: 20).
    Lesson,
    /// 1,000 everywhere, in a channel of 10,000.
    Thousand,
    /// 10 everywhere, in a channel of so many.
    Ten {
        /// The channels' capacity, 10 or more.
        capacity: u32,
    },
}

/// What keeps the events on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Memory.
    Memory,
    /// Files, synced at each transaction.
    File,
}

/// What the collector does with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Writes them to a file.
    FileRoll,
    /// Forgets them.
    Null,
    /// Prints them on its console, which is a file here.
    Logger,
}

/// What is around the frames between both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Around {
    /// Nothing.
    Nothing,
    /// `compression-type = deflate`
    Zlib,
    /// That and `ssl`, with a certificate of RSA 2,048.
    ZlibAndTls,
}

/// How to set up two hops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipe {
    /// The agent's source.
    pub source: Source,
    /// Batches and channels.
    pub batch: Batch,
    /// What keeps the events.
    pub channel: Channel,
    /// The collector's sink.
    pub end: End,
    /// Headers of an event when it arrives: 0, then without interceptors, or [`USUAL_HEADERS`] or more.
    pub headers: u32,
    /// Files among which TAILDIR finds the lines.
    pub live_files: u32,
    /// Files that TAILDIR follows as well and in which nothing happens.
    pub idle_files: u32,
    /// What is around the frames.
    pub around: Around,
}

impl Around {
    fn write(self, text: &mut Text, component: &str, store: &str, file: &str) {
        if self != Around::Nothing {
            text.line(&format!("{component}.compression-type = deflate"));
        }
        if self == Around::ZlibAndTls {
            let file = binaries::workspace().join("common/runtime/testdata/stores").join(file);
            text.line(&format!("{component}.ssl = true"));
            text.line(&format!("{component}.{store} = {}", file.display()));
            text.line(&format!("{component}.{store}-password = changeit"));
        }
    }
}

impl Batch {
    /// What is set for all batches, unless everything is left at its default.
    fn size(self) -> Option<u32> {
        match self {
            Batch::Lesson => None,
            Batch::Thousand => Some(1_000),
            Batch::Ten { .. } => Some(10),
        }
    }

    /// `capacity` and `transactionCapacity`.
    fn channel(self) -> (u32, u32) {
        match self {
            Batch::Lesson => (1_000, 100),
            Batch::Thousand => (10_000, 1_000),
            Batch::Ten { capacity } => (capacity, 10),
        }
    }
}

impl Recipe {
    /// The agent's file; its name in it is [`AGENT`].
    pub fn agent(&self, input: &Path, directory: &Path, host: &str, port: u16) -> String {
        let mut text = Text::new(AGENT);
        match self.source {
            Source::Taildir => {
                text.line("sources.r1.type = TAILDIR");
                text.line("sources.r1.filegroups = f1 f2");
                text.line(&format!("sources.r1.filegroups.f2 = {}/.*", idle_directory(directory).display()));
                text.line(&format!("sources.r1.filegroups.f1 = {}", input.display()));
                text.line(&format!(
                    "sources.r1.positionFile = {}",
                    directory.join("position.json").display()
                ));
            }
            Source::Exec => {
                text.line("sources.r1.type = exec");
                text.line(&format!("sources.r1.command = tail -n +1 -F {}", input.display()));
            }
        }
        self.interceptors(&mut text, "Type", "LOGIN", self.headers.saturating_sub(USUAL_HEADERS));
        text.line("sinks.k1.type = avro");
        text.line(&format!("sinks.k1.hostname = {host}"));
        text.line(&format!("sinks.k1.port = {port}"));
        self.around.write(&mut text, "sinks.k1", "truststore", "trust.jks");
        if let Some(size) = self.batch.size() {
            text.line(&format!("sources.r1.batchSize = {size}"));
            text.line(&format!("sinks.k1.batch-size = {size}"));
        }
        self.channel(&mut text, &directory.join("agent-channel"));
        text.0
    }

    /// The collector's file; its name in it is [`COLLECTOR`].
    pub fn collector(&self, output: &Path, directory: &Path, lines: u32, host: &str, port: u16) -> String {
        let mut text = Text::new(COLLECTOR);
        text.line("sources.r1.type = avro");
        text.line(&format!("sources.r1.bind = {host}"));
        text.line(&format!("sources.r1.port = {port}"));
        self.around.write(&mut text, "sources.r1", "keystore", "server.jks");
        self.interceptors(&mut text, "Collector", "slave3.hanli.com", 0);
        match self.end {
            End::FileRoll => {
                text.line("sinks.k1.type = file_roll");
                text.line(&format!("sinks.k1.sink.directory = {}", output.display()));
                text.line("sinks.k1.sink.rollInterval = 0");
                if let Some(size) = self.batch.size() {
                    text.line(&format!("sinks.k1.sink.batchSize = {size}"));
                }
            }
            End::Null => {
                text.line("sinks.k1.type = null");
                text.line(&format!("sinks.k1.logEveryNEvents = {lines}"));
                if let Some(size) = self.batch.size() {
                    text.line(&format!("sinks.k1.batchSize = {size}"));
                }
            }
            End::Logger => text.line("sinks.k1.type = logger"),
        }
        self.channel(&mut text, &directory.join("collector-channel"));
        text.0
    }

    fn interceptors(&self, text: &mut Text, key: &str, value: &str, more: u32) {
        if self.headers == 0 {
            return;
        }
        let names: String = (0..more).map(|header| format!(" h{header}")).collect();
        text.line(&format!("sources.r1.interceptors = i1 i2{names}"));
        text.line("sources.r1.interceptors.i1.type = static");
        text.line(&format!("sources.r1.interceptors.i1.key = {key}"));
        text.line(&format!("sources.r1.interceptors.i1.value = {value}"));
        text.line("sources.r1.interceptors.i2.type = timestamp");
        for header in 0..more {
            text.line(&format!("sources.r1.interceptors.h{header}.type = static"));
            text.line(&format!("sources.r1.interceptors.h{header}.key = header{header}"));
            text.line(&format!("sources.r1.interceptors.h{header}.value = value{header}"));
        }
    }

    fn channel(&self, text: &mut Text, directory: &Path) {
        let (capacity, transaction) = self.batch.channel();
        match self.channel {
            Channel::Memory => {
                text.line("channels.c1.type = memory");
                text.line(&format!("channels.c1.capacity = {capacity}"));
            }
            Channel::File => {
                text.line("channels.c1.type = file");
                text.line(&format!("channels.c1.checkpointDir = {}", directory.join("checkpoint").display()));
                text.line(&format!("channels.c1.dataDirs = {}", directory.join("data").display()));
            }
        }
        text.line(&format!("channels.c1.transactionCapacity = {transaction}"));
    }
}

/// Lines of one agent, with one source, channel and sink.
struct Text(String, &'static str);

impl Text {
    fn new(name: &'static str) -> Text {
        let mut text = Text(String::new(), name);
        ["sources = r1", "channels = c1", "sinks = k1", "sources.r1.channels = c1", "sinks.k1.channel = c1"]
            .iter()
            .for_each(|line| text.line(line));
        text
    }

    fn line(&mut self, line: &str) {
        let _ = writeln!(self.0, "{}.{line}", self.1); // a String takes all
    }
}

/// Headers that two interceptors on each side make: two at the agent; one of them again, and one more, at the collector.
pub const USUAL_HEADERS: u32 = 3;

/// Where the files are in which nothing happens.
pub fn idle_directory(directory: &Path) -> std::path::PathBuf {
    directory.join("idle")
}

/// The agent's name in its file.
pub const AGENT: &str = "agent1";

/// The collector's name in its file.
pub const COLLECTOR: &str = "a1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lessons_settings_are_the_lessons() {
        let recipe = Recipe {
            source: Source::Exec,
            batch: Batch::Lesson,
            channel: Channel::Memory,
            end: End::Logger,
            headers: USUAL_HEADERS,
            live_files: 1,
            idle_files: 0,
            around: Around::Nothing,
        };
        let text = recipe.agent(Path::new("/in.log"), Path::new("/run"), "127.0.0.3", 52020);
        let lesson = crate::lesson::CLIENT;
        let same = ["channels.c1.", "interceptors", "sinks.k1.type"];
        for line in text.lines().filter(|line| same.iter().any(|part| line.contains(part))) {
            assert!(lesson.contains(line), "{line}");
        }
        assert!(!text.contains("batch"), "{text}");
    }
}
