//! What a JVM says without being asked.

use crate::protocol::{LogLine, Thrown};
use std::sync::Arc;

/// Something that the operator is to see.
#[derive(Debug, Clone)]
pub enum Notice {
    /// A line of the class path's own logging.
    Log(LogLine),
    /// A line that was written to the JVM's output: by a component, or by the JVM itself.
    Output(String),
    /// A thread of a component has ended with an exception that nobody caught.
    Uncaught {
        /// `sink k1`; empty when it is no component's thread.
        component: String,
        /// The thread's name.
        thread: String,
        /// What was thrown.
        thrown: Thrown,
    },
    /// A component has been silent for long.
    Silent {
        /// `sink k1`.
        component: String,
        /// What it does not answer, for how long, what its threads do.
        text: String,
    },
    /// A component has ended several JVMs in a row.
    Repeats {
        /// `source r1`.
        component: String,
        /// How many.
        times: u32,
        /// Whether it has used up their memory; else it is a source or a channel, and it is what it reads.
        memory: bool,
    },
    /// A JVM is there.
    Started(crate::Hello),
    /// A JVM has ended.
    Ended {
        /// Why, in one line.
        text: String,
        /// Whether it was told to.
        wanted: bool,
    },
}

/// Takes notices. It is called by the task that reads the pipe, so it must not wait.
pub type Notify = Arc<dyn Fn(Notice) + Send + Sync>;
