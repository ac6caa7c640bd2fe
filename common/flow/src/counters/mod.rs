//! What each component has done so far, under Flume's names.
//!
//! The shells count, once per batch: the channel processor of a source, the reference to a channel, the group of a
//! sink. A component writes only what nobody else knows, through the counters that it is given. Plain atomics: nobody
//! waits, and whoever reads them takes each figure as it is at that moment.

mod followed;
mod latency;
mod registry;

pub use followed::Followed;
pub use latency::{BOUNDS_MS, Latency};
pub use registry::{
    AskElsewhere, ChannelEntry, Elsewhere, Figures, GroupEntry, Registry, SinkEntry, SourceEntry,
};

use runtime::clock;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// One number.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// So many more.
    pub fn add(&self, more: usize) {
        self.0.fetch_add(more as u64, Ordering::Relaxed);
    }

    /// One more.
    pub fn increment(&self) {
        self.add(1);
    }

    /// One less.
    pub fn decrement(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    /// From now on it is this.
    pub fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// How many.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// When a component started and stopped, and how often it was built anew.
#[derive(Debug, Default)]
pub struct Life {
    /// Milliseconds since 1970; 0 before the start.
    pub started: Counter,
    /// Milliseconds since 1970; 0 while it runs.
    pub stopped: Counter,
    /// How often it crashed and was started again.
    pub restarts: Counter,
}

impl Life {
    /// It starts now.
    pub fn start(&self) {
        self.started.set(epoch_millis());
    }

    /// It has stopped.
    pub fn stop(&self) {
        self.stopped.set(epoch_millis());
    }
}

/// Milliseconds since 1970.
pub(crate) fn epoch_millis() -> u64 {
    clock::epoch_millis().try_into().unwrap_or_default()
}

/// Counters with Flume's keys.
macro_rules! counters {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $key:literal,)* } $($rest:tt)*) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        pub struct $name {
            /// When it started and stopped.
            pub life: Arc<Life>,
            $(#[doc = concat!("`", $key, "`")] pub $field: Counter,)*
            $($rest)*
        }

        impl $name {
            /// All of them, by Flume's keys.
            pub fn figures(&self) -> Vec<(&'static str, u64)> {
                vec![$(($key, self.$field.get())),*]
            }
        }
    };
}

counters! {
    /// Of a source.
    SourceCounters {
        event_received: "EventReceivedCount",
        event_accepted: "EventAcceptedCount",
        append_received: "AppendReceivedCount",
        append_accepted: "AppendAcceptedCount",
        append_batch_received: "AppendBatchReceivedCount",
        append_batch_accepted: "AppendBatchAcceptedCount",
        open_connections: "OpenConnectionCount",
        event_read_fail: "EventReadFail",
        channel_write_fail: "ChannelWriteFail",
        generic_processing_fail: "GenericProcessingFail",
    }
    /// What only some types of components count.
    pub more: More,
    /// The files it follows.
    pub files: Followed,
}

counters! {
    /// Of a channel. Its size and capacity are asked of the channel itself.
    ChannelCounters {
        put_attempt: "EventPutAttemptCount",
        put_success: "EventPutSuccessCount",
        take_attempt: "EventTakeAttemptCount",
        take_success: "EventTakeSuccessCount",
    }
}

counters! {
    /// Of a sink.
    SinkCounters {
        connection_created: "ConnectionCreatedCount",
        connection_closed: "ConnectionClosedCount",
        connection_failed: "ConnectionFailedCount",
        batch_empty: "BatchEmptyCount",
        batch_underflow: "BatchUnderflowCount",
        batch_complete: "BatchCompleteCount",
        drain_attempt: "EventDrainAttemptCount",
        drain_success: "EventDrainSuccessCount",
        event_write_fail: "EventWriteFail",
        channel_read_fail: "ChannelReadFail",
    }
    /// What only some types of components count.
    pub more: More,
    /// Whether it counts itself what has arrived, as not all of that counts.
    pub counts_itself: AtomicBool,
    /// Whether it takes events.
    pub health: Standing,
    /// How long its batches take to be acknowledged; kept only where somebody looks.
    pub latency: Option<Latency>,
}

impl SinkCounters {
    /// From now on `drain_success` is the sink's own affair.
    pub fn counts_arrived_itself(&self) {
        self.counts_itself.store(true, Ordering::Relaxed);
    }

    /// Deliveries with so many events have arrived, its group says.
    pub fn count_arrived(&self, events: usize) {
        if !self.counts_itself.load(Ordering::Relaxed) {
            self.drain_success.add(events);
        }
    }
}

/// Counters that only some types have, by their key in Flume: `KafkaEventGetTimer`. A component asks for each once, when it
/// is made.
#[derive(Debug, Default)]
pub struct More(std::sync::Mutex<Vec<(&'static str, Arc<Counter>)>>);

impl More {
    /// The counter of this key.
    pub fn counter(&self, key: &'static str) -> Arc<Counter> {
        let mut all = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((_, counter)) = all.iter().find(|(known, _)| *known == key) {
            return counter.clone();
        }
        let counter = Arc::new(Counter::default());
        all.push((key, counter.clone()));
        counter
    }

    /// All that were asked for.
    pub fn figures(&self) -> Vec<(&'static str, u64)> {
        let all = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        all.iter().map(|(key, counter)| (*key, counter.get())).collect()
    }
}

/// How a sink stands in its group. Times are milliseconds since 1970, 0 for never.
#[derive(Debug, Default)]
pub struct Standing {
    /// Since when it is up; 0 while it is not.
    pub up_since: Counter,
    /// Since when its group gives it events; 0 while it does not.
    pub active_since: Counter,
    /// When it is tried again; 0 while it is up.
    pub next_try: Counter,
}

/// How the calls of a source are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Each batch that it stores is an append of a batch.
    Batches,
    /// It stores event by event, as Flume sees it: only events are counted.
    Events,
    /// It counts appends itself: only it knows which call of a peer was for one event and which for a batch.
    Itself,
}

/// A connection that counts in `OpenConnectionCount` while it is there.
pub struct Connected(Arc<SourceCounters>);

impl Connected {
    /// One more.
    pub fn count(counters: &Arc<SourceCounters>) -> Connected {
        counters.open_connections.increment();
        Connected(counters.clone())
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.open_connections.decrement();
    }
}
