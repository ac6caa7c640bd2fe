//! `avro-client`: the lines of a file, of a directory's files or of standard input, sent to collectors and no more.
//!
//! Options and behaviour are those of Flume's `flume-ng avro-client`; the properties, those of its client SDK. What
//! differs: a failure is told in one line and fails, finished files of a directory are renamed to `.COMPLETED` (Flume's
//! client names them `fileSuffix`), lines are never cut at 2,048 characters, what standard input has is sent at once
//! instead of when five lines are there. Towards a Flume one batch is under way at a time, towards a native collector
//! as many as it allows.

mod class;
mod config;
mod directory;
mod feed;
mod lines;
mod policy;
mod routed;
mod ship;
mod thrift;

pub use class::java_class;
pub use routed::{RoutedClient, Routes};

use actix_rt::System;
use bytes::BytesMut;
use config::{Config, Way};
use event::encode_headers;
use feed::Feed;
use runtime::net::TlsDefaults;
use ship::Shipper;
use std::path::PathBuf;
use thiserror::Error;
use thrift::ThriftShipper;

/// What to send, to whom, and how.
pub struct Options {
    /// What Flume's `RpcClientFactory` takes: `client.type`, `hosts`, `hosts.NAME`, `batch-size` and so on.
    pub properties: Vec<(String, String)>,
    /// Headers of every event.
    pub headers: Vec<(String, String)>,
    /// Where the lines are.
    pub input: Input,
    /// Java's system properties, as given with `-D`; those about TLS count where `properties` say nothing.
    pub system: Vec<(String, String)>,
    /// Warnings go here; nothing is said of what goes well, but at debug level.
    pub log: slog::Logger,
}

/// Where lines come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Standard input, to its end.
    Stdin,
    /// A file, or a pipe, to its end.
    File(PathBuf),
    /// The files of a directory, the oldest first, until there is none left. Each is renamed when all of it has arrived.
    Directory(PathBuf),
}

/// Why not everything arrived.
#[derive(Debug, Error)]
pub enum Failure {
    /// The properties cannot be used; nothing was sent.
    #[error("{0}")]
    Settings(String),
    /// The input cannot be read, or not to its end.
    #[error("{reason}; {delivered}")]
    Input {
        /// What is in the way and where.
        reason: String,
        /// How many events had arrived.
        delivered: Delivered,
    },
    /// No collector takes it, or none any more.
    #[error("{reason}; {delivered}")]
    Delivery {
        /// What the last one that was asked has said.
        reason: String,
        /// How many events had arrived.
        delivered: Delivered,
    },
}

/// What a client that failed has done before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivered {
    /// Events that were acknowledged.
    pub events: u64,
    /// Events that were sent and not answered: they may have arrived.
    pub doubtful: u64,
}

impl std::fmt::Display for Delivered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.events {
            0 => write!(f, "no event was delivered")?,
            1 => write!(f, "1 event was delivered before")?,
            many => write!(f, "{many} events were delivered before")?,
        }
        match self.doubtful {
            0 => Ok(()),
            many => write!(f, ", and up to {many} more may have been: no answer came"),
        }
    }
}

/// Sends everything and answers how many events that were. Returns when the last one is acknowledged.
///
/// # Errors
/// [`Failure`]
pub fn run(options: Options) -> Result<u64, Failure> {
    let Options { properties, headers, input, system, log } = options;
    let tls_defaults = TlsDefaults::new(&system, |name| std::env::var(name).ok());
    let mut notes = Vec::new();
    let config = Config::build(&properties, &tls_defaults, &mut notes).map_err(Failure::Settings)?;
    notes.iter().for_each(|note| slog::warn!(log, "{note}"));
    let mut prefix = BytesMut::new();
    encode_headers(&mut prefix, headers.iter().map(|(key, value)| (key.as_bytes(), value.as_bytes())));
    let feed = Feed::open(input, prefix.freeze(), config.batches.most, log.clone())?;
    System::new().block_on(async move {
        // Whether anybody is there is told before a word is read, as Flume's client does.
        match config.way {
            Way::Avro(hosts) => {
                let mut shipper = Shipper::new(hosts, config.batches, log);
                shipper.connect().await?;
                shipper.ship(&mut feed.start()?).await
            }
            Way::Thrift(host) => {
                let mut shipper = ThriftShipper::new(host, config.batches);
                shipper.connect().await?;
                shipper.ship(&mut feed.start()?).await
            }
        }
    })
}
