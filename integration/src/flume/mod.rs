//! Real Apache Flume beside ours: agents, clients and appenders of two releases, each a JVM of its own.
//!
//! [`missing`] fetches what is not there yet (see `flume/README.md`) and says why when that cannot be. Tests that need
//! a JVM carry [`REASON`] as theirs to be ignored, and begin with [`require`].

pub mod avro;
pub mod bridge;
pub mod client;
mod install;
pub mod oracle;
pub mod own_classes;
pub mod receiver;
pub mod stand_in;
pub mod zookeeper;

mod agent;

pub use agent::{Flume, Launch, command};
pub use install::jdk;
pub(crate) use install::with_programs;
pub use install::{Missing, fetched, fetched_program, missing, require};

/// A release of Flume that is still in use. The older one speaks Avro 1.7 over Netty 3, the newer Avro 1.11 over Netty 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// 1.9.0.
    V1_9,
    /// 1.11.0.
    V1_11,
}

impl Version {
    /// Both, oldest first.
    pub const ALL: [Version; 2] = [Version::V1_9, Version::V1_11];

    /// As its artifacts are named: `1.11.0`.
    pub fn name(self) -> &'static str {
        match self {
            Version::V1_9 => "1.9.0",
            Version::V1_11 => "1.11.0",
        }
    }
}

/// Why a test with real Flume is ignored by a plain `cargo test`. An attribute takes no constant, so each repeats it.
pub const REASON: &str = "needs a JVM, Maven and a registry: .ci/run runs it";
