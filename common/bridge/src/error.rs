//! What can go wrong with a component behind the bridge, in an operator's words.

use crate::{frame::FrameFault, protocol::Thrown};
use std::{io, path::PathBuf, time::Duration};

/// Why a component behind the bridge does not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum BridgeError {
    /// There is no JVM to be had.
    #[error("no Java: {searched}; set JAVA_HOME, or put java on the PATH")]
    NoJava {
        /// Where it was looked for.
        searched: String,
    },
    /// The jar cannot be written.
    #[error("the bridge's jar cannot be written to {}", path.display())]
    Jar {
        /// Where.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The JVM cannot be started.
    #[error("{} cannot be started", java.display())]
    Start {
        /// The program.
        java: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The JVM ended, or said something else, before it was there.
    #[error("the JVM does not come up: {0}")]
    NoHello(String),
    /// A class is not on the class path.
    #[error("{component}: {}", missing(class, thrown, searched))]
    Missing {
        /// `sink k1`.
        component: String,
        /// The class that is missing.
        class: String,
        /// What was thrown.
        thrown: Box<Thrown>,
        /// The class path's places, in order.
        searched: String,
    },
    /// It has thrown something.
    #[error("{component} has failed in {phase}: {thrown}{}", advice(thrown))]
    Failed {
        /// `sink k1`.
        component: String,
        /// What it was doing: `create`, `start`, `stop`, `a call`.
        phase: String,
        /// What was thrown.
        thrown: Box<Thrown>,
    },
    /// A channel has no room; what was to be put is not stored.
    #[error("{component} is full: {text}")]
    Full {
        /// `channel c1`.
        component: String,
        /// What it says.
        text: String,
    },
    /// It does not answer.
    #[error("{component} has not answered {what} for {} s", after.as_secs())]
    Silent {
        /// `sink k1`.
        component: String,
        /// What it was asked.
        what: &'static str,
        /// For how long.
        after: Duration,
    },
    /// A batch is too large for the JVM's heap.
    #[error(
        "{component}: a batch of {bytes} bytes is too large for the JVM's heap, which takes {most} at a time: give it more"
    )]
    TooLarge {
        /// `sink k1`.
        component: String,
        /// The batch's frame.
        bytes: usize,
        /// The limit.
        most: usize,
    },
    /// What the JVM sends cannot be read.
    #[error("the JVM sends what cannot be read ({0}): it is ended")]
    Garbled(String),
    /// The JVM has ended.
    #[error("the JVM has ended: {0}")]
    Gone(String),
}

impl BridgeError {
    /// Whether it is a channel that has no room.
    pub fn is_full(&self) -> bool {
        matches!(self, BridgeError::Full { .. })
    }
}

impl From<FrameFault> for BridgeError {
    fn from(fault: FrameFault) -> BridgeError {
        BridgeError::Garbled(fault.to_string())
    }
}

impl From<event::Malformed> for BridgeError {
    fn from(malformed: event::Malformed) -> BridgeError {
        BridgeError::Garbled(malformed.to_string())
    }
}

fn missing(class: &str, thrown: &Thrown, searched: &str) -> String {
    let needed = if thrown.message.contains(class) { String::new() } else { format!(" ({thrown})") };
    format!(
        "there is no class {class}{needed} on the class path: {searched}; put its jar into FLUME_HOME/plugins.d/NAME/lib, \
         what that needs into plugins.d/NAME/libext, or name it with --classpath"
    )
}

/// What to do about errors that tell of classes which do not fit together.
fn advice(thrown: &Thrown) -> &'static str {
    match thrown.class.as_str() {
        "java.lang.NoSuchMethodError"
        | "java.lang.NoSuchFieldError"
        | "java.lang.AbstractMethodError"
        | "java.lang.IncompatibleClassChangeError" => {
            ": the class was compiled for another version of Flume or of a library; take its release for this Flume"
        }
        "java.lang.UnsupportedClassVersionError" => {
            ": the class was compiled for a newer Java; use that Java"
        }
        "java.lang.ExceptionInInitializerError" => ": its static initialiser has failed",
        "java.lang.OutOfMemoryError" => ": the JVM's heap is too small for it",
        _ => "",
    }
}
