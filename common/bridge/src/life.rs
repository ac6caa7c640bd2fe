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
