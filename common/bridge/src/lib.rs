//! Flume components of a class path, hosted in a child JVM: interceptors and selectors, sinks, sources, channels and
//! sink processors, Flume's own or an operator's.
//!
//! [`Bridge`] starts the JVM when the first component asks for it and again, with a pause, when it has died. A component
//! is a handle: [`Interceptors`], [`Sink`], [`Source`], [`Channel`], [`Group`], [`Filter`], [`Monitor`]. Handles know nothing of actors. They end
//! with their JVM, and whoever holds one makes a new one then; events that were not acknowledged are his again.
//!
//! The parts: `frame` and `protocol` (bytes to messages; no I/O), `answer` (what interceptors have made of a batch),
//! `classpath` (as `bin/flume-ng` finds it), `policy` (pauses, patience), `jvm` (process, pipes), and the handles. The
//! JVM's side is in `java/`; its jar is part of the binary (decisions/0015).

mod answer;
mod bridge;
mod channel;
mod classpath;
mod clock;
mod component;
mod crash;
mod error;
mod filter;
mod frame;
mod group;
mod interceptors;
mod jar;
mod jvm;
mod kerberos;
mod launch;
mod life;
mod log4j;
mod monitor;
mod notice;
mod policy;
mod probe;
mod protocol;
mod sink;
mod small;
mod source;

pub use answer::{Answer, Route, Routes};
pub use bridge::{Bridge, Settings};
pub use channel::{Channel, Taking};
pub use classpath::{ClassPath, Directory, Disk, Found, Installation};
pub use error::BridgeError;
pub use filter::Filter;
pub use frame::{Frame, FrameDecoder, FrameFault, Outgoing};
pub use group::Group;
pub use interceptors::Interceptors;
pub use jar::JAR;
pub use jvm::Jvm;
pub use kerberos::{KerberosJvm, KerberosLogin, KerberosWish};
pub use life::{Fault, Made};
pub use log4j::{Heard, Hears, LogFile, LogJvm, LogWriter, NotTaken};
pub use monitor::{Attribute, Bean, Monitor};
pub use notice::{Notice, Notify};
pub use policy::{Poison, Restarts, SilenceLimits, Verdict};
pub use probe::probe;
pub use protocol::{Hello, LogLine, Metrics, Outcome, Ranges, Thrown, VERSION, fuzz};
pub use sink::{Sink, SinkEvent};
pub use source::{Put, PutError, Source};

use std::{collections::BTreeMap, time::Duration};

/// An error and its cause, for people.
pub(crate) fn with_cause(error: &dyn std::error::Error) -> String {
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{error}{cause}")
}

/// What a component is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComponentKind {
    /// A source with its interceptors and selector.
    Source = 0,
    /// A sink.
    Sink = 1,
    /// Interceptors, a channel selector, or both, of a native source.
    Interceptors = 2,
    /// A channel.
    Channel = 3,
    /// A sink processor, with its selector.
    Group = 4,
    /// A config filter.
    Filter = 5,
    /// The MBeans of native components, with an operator's monitor.
    Monitor = 6,
}

/// A component as its configuration has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// What it is.
    pub kind: ComponentKind,
    /// Its name: `k1`. Interceptors have their source's.
    pub name: String,
    /// Flume's alias or a class name.
    pub class: String,
    /// All properties below it, without its own prefix: what Flume hands over as its `Context`.
    pub properties: BTreeMap<String, String>,
    /// The names of its channels, in order; of its sinks when it is a group.
    pub names: Vec<String>,
    /// The largest transaction its channel takes: a memory channel's `transactionCapacity`.
    pub transaction_capacity: usize,
    /// How long a sink's `take()` waits for an event: a memory channel's `keep-alive`.
    pub keep_alive: Duration,
}

impl Spec {
    /// With Flume's defaults of a memory channel.
    pub fn new(kind: ComponentKind, name: &str, class: &str) -> Spec {
        Spec {
            kind,
            name: name.to_owned(),
            class: class.to_owned(),
            properties: BTreeMap::from([("type".to_owned(), class.to_owned())]),
            names: Vec::new(),
            transaction_capacity: 100,
            keep_alive: Duration::from_secs(3),
        }
    }

    /// With a further property.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Spec {
        self.properties.insert(key.to_owned(), value.to_owned());
        self
    }

    /// With the names of its channels, or of a group's sinks.
    #[must_use]
    pub fn names<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Spec {
        self.names = names.into_iter().map(str::to_owned).collect();
        self
    }

    /// `sink k1`, as messages name it.
    pub(crate) fn title(&self) -> String {
        format!("{} {}", self.kind.word(), self.name)
    }
}
