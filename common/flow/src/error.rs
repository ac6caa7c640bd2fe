//! How it can go wrong: one enum per question a caller asks.

use thiserror::Error;

/// Why a channel did not take a batch. Nothing of it was stored.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum ChannelError {
    /// It may take the same batch later.
    #[error(
        "channel {channel} is full: {held} of {capacity} events, and no room for {events} more within {keep_alive} s; its sinks are slower than its sources"
    )]
    Full {
        /// Its name.
        channel: String,
        /// Events in it.
        held: usize,
        /// Events it holds at most.
        capacity: usize,
        /// Events of the batch.
        events: usize,
        /// How long it was waited, in seconds.
        keep_alive: u64,
    },
    /// It never will.
    #[error(
        "a batch of {events} events is larger than the transactionCapacity {limit} of channel {channel}: raise it (and capacity, if need be) or send smaller batches"
    )]
    TooLarge {
        /// Its name.
        channel: String,
        /// Events of the batch.
        events: usize,
        /// Events it takes at most.
        limit: usize,
    },
    /// It never will: no channel was asked, since the index of so many events would take more memory than a frame may.
    #[error(
        "a batch of {events} events is larger than the {limit} that maxFrameBytes of its source allows (16 bytes for each): raise it or send smaller batches"
    )]
    TooManyEvents {
        /// Events of the batch.
        events: usize,
        /// Events it takes at most.
        limit: usize,
    },
    /// It never will.
    #[error(
        "a batch of {bytes} body bytes is larger than the byteCapacity of channel {channel}: raise it or send smaller batches"
    )]
    TooManyBytes {
        /// Its name.
        channel: String,
        /// Bytes of their bodies.
        bytes: usize,
    },
    /// It never will: interceptors have made it larger than a batch can be.
    #[error("the source's interceptors made a batch of more than 4 GiB: send smaller batches")]
    Oversized,
    /// It may take the same batch later: its store failed.
    #[error("channel {channel} cannot store events: {reason}")]
    Failed {
        /// Its name.
        channel: String,
        /// Why, for people.
        reason: String,
    },
    /// The channel is being stopped.
    #[error("channel {0} is stopping")]
    Stopping(String),
}

/// Why a sink did not deliver. The events are still in their channel.
#[derive(Debug, Clone, Error)]
pub enum DeliveryError {
    /// It may accept the same batch later: wait, then ask again.
    #[error("cannot reach {peer}: {reason}")]
    Unreachable {
        /// Who.
        peer: String,
        /// Why, for people.
        reason: String,
    },
    /// A connection that was up has ended, with nothing unanswered on it.
    #[error("lost the connection to {peer}: {reason}")]
    Closed {
        /// Who.
        peer: String,
        /// Why, for people.
        reason: String,
    },
    /// The connection broke, or nothing came back in time, with events unanswered: the peer may have stored them.
    #[error("lost the connection to {peer}: {reason}")]
    Lost {
        /// Who.
        peer: String,
        /// Why, for people.
        reason: String,
    },
    /// It answered FAILED: another sink may do better.
    #[error("{peer} refused {events} events: {reason}")]
    Refused {
        /// Who.
        peer: String,
        /// Events of the batch.
        events: usize,
        /// Why, for people.
        reason: String,
    },
    /// A local file or console could not be written.
    #[error("cannot write {what}: {reason}")]
    Write {
        /// What was to be written.
        what: String,
        /// Why, for people.
        reason: String,
    },
    /// The sink's actor is gone; its supervisor builds a new one.
    #[error("the sink has stopped working and is being started again")]
    Gone,
}

impl DeliveryError {
    /// Whether the events may have been stored all the same.
    pub fn leaves_doubt(&self) -> bool {
        matches!(self, DeliveryError::Lost { .. } | DeliveryError::Write { .. } | DeliveryError::Gone)
    }
}
