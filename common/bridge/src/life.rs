//! The steps of a component's life, and what is known of it then.

use crate::protocol::Thrown;

/// What is known of a component once it is created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Its class; of interceptors and selector all, with spaces between.
    pub class: String,
    /// The batch size it says it has, a channel's transaction capacity.
    pub batch_size: Option<usize>,
    /// `pollable`, `driven`, `sink`, `channel`, ...
    pub how: String,
}

/// A step of the life cycle that has ended.
pub(crate) enum Life {
    Created(Made),
    Started,
    Stopped,
    Failed { phase: String, thrown: Thrown },
}

/// Why a JVM has ended.
#[derive(Debug, Clone)]
pub(crate) struct Cause {
    pub(crate) text: String,
    /// `sink k1`, when it is known who has ended it.
    pub(crate) culprit: Option<String>,
    pub(crate) end: End,
}

/// How a JVM has come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It has exited or crashed.
    Crash,
    /// A component did not answer.
    Hang,
    /// Its memory was used up.
    Memory,
}

impl Cause {
    /// `culprit` has not answered.
    pub(crate) fn hang(culprit: &str, text: String) -> Cause {
        Cause { text, culprit: Some(culprit.to_owned()), end: End::Hang }
    }

    /// Whether it may be because of `title`.
    pub(crate) fn fault(&self, title: &str) -> Fault {
        match &self.culprit {
            Some(culprit) if culprit != title => Fault::Another,
            _ if self.end == End::Hang => Fault::Hang,
            _ => Fault::Crash,
        }
    }
}

impl From<String> for Cause {
    fn from(text: String) -> Cause {
        Cause { text, culprit: None, end: End::Crash }
    }
}

/// What a component may have to do with the end of its JVM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: another one has ended it.
    Another,
    /// It has exited, used up the heap or crashed, or nobody knows who did.
    Crash,
    /// It has not answered.
    Hang,
}
