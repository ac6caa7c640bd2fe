//! A sink of a group: what it has in its hands and may have, what is counted of it and what is said of it.

use super::contact::MemberRef;
use super::trouble::{End, Matter, Trouble};
use crate::error::DeliveryError;
use crate::message::{Delivery, Window};
use runtime::clock::Instant;
use slog::Logger;

pub(super) struct Member {
    pub(super) at: MemberRef,
    pub(super) window: Window,
    pub(super) deliveries: usize,
    pub(super) bytes: usize,
    pub(super) probing: bool,
    pub(super) trouble: Trouble,
}

impl Member {
    pub(super) fn new(at: MemberRef) -> Member {
        let window = Window::LOCK_STEP;
        Member { at, window, deliveries: 0, bytes: 0, probing: false, trouble: Trouble::new() }
    }

    /// What it may have in its hands: one delivery while it is on trial.
    fn limits(&self, on_trial: bool) -> Window {
        if on_trial { Window::LOCK_STEP } else { self.window }
    }

    pub(super) fn has_credit(&self, on_trial: bool) -> bool {
        let Window { deliveries, bytes } = self.limits(on_trial);
        self.deliveries < deliveries && (self.deliveries == 0 || self.bytes < bytes)
    }

    /// What is left of that.
    pub(super) fn credit(&self, on_trial: bool) -> Window {
        let Window { deliveries, bytes } = self.limits(on_trial);
        Window {
            deliveries: deliveries.saturating_sub(self.deliveries),
            bytes: bytes.saturating_sub(self.bytes).max(1),
        }
    }

    /// It is given a delivery of a group that asks for `batch_size` events at a time.
    pub(super) fn given(&mut self, delivery: &Delivery, batch_size: usize) {
        self.deliveries += 1;
        self.bytes += bytes(delivery);
        let (counters, events) = (&self.at.counters, events(delivery));
        let filled = if events < batch_size { &counters.batch_underflow } else { &counters.batch_complete };
        filled.increment();
        counters.drain_attempt.add(events);
    }

    /// These are not with it any more.
    pub(super) fn settled(&mut self, deliveries: &[Delivery]) {
        self.deliveries -= deliveries.len();
        self.bytes -= deliveries.iter().map(bytes).sum::<usize>();
    }

    /// Deliveries with so many events have arrived.
    pub(super) fn count_arrived(&self, events: usize) {
        self.at.counters.count_arrived(events);
    }

    /// It has failed: its connection, if it had one, is gone. Flume counts a try that fails as a write that fails.
    pub(super) fn count_failed(&self, was_up: bool) {
        let counters = &self.at.counters;
        counters.event_write_fail.increment();
        if was_up { &counters.connection_closed } else { &counters.connection_failed }.increment();
    }

    /// It is connected, or its file is open.
    pub(super) fn count_up(&self) {
        self.at.counters.connection_created.increment();
    }
}

impl Member {
    /// It is connected, which does not end its trouble.
    pub(super) fn tell_connected(&mut self, log: &Logger, now: Instant) {
        if self.trouble.tells_connected(now) {
            let name = &self.at.name;
            slog::info!(log, "sink {name} is up again, the next batch shows whether it takes events");
        }
    }

    /// Events arrive at it again, or it has never failed.
    pub(super) fn tell_back(&mut self, log: &Logger, now: Instant) {
        let (end, name) = (self.trouble.ends(now), &self.at.name);
        match end {
            Some(End::Back(after)) => {
                slog::info!(log, "sink {name} is back after {:.1} s", after.as_secs_f64())
            }
            Some(End::Up) => slog::info!(log, "sink {name} is up"),
            None => {}
        }
    }

    /// It was never up, and still is not.
    pub(super) fn tell_not_up(&mut self, log: &Logger, error: &DeliveryError) {
        if self.trouble.tells(Matter::Connection) {
            let name = &self.at.name;
            slog::warn!(
                log,
                "sink {name} is not up yet: {error}; it is tried again in the background until it is"
            );
        }
    }

    /// Its peer stops.
    pub(super) fn tell_leaving(&mut self, log: &Logger) {
        self.trouble.tells(Matter::Connection);
        let name = &self.at.name;
        slog::info!(log, "sink {name}: its peer says that it is stopping; new events go elsewhere");
    }
}

/// The events of a delivery.
pub(super) fn events(delivery: &Delivery) -> usize {
    delivery.lease.batches().iter().map(event::Batch::len).sum()
}

/// Bytes of its events.
pub(super) fn bytes(delivery: &Delivery) -> usize {
    delivery.lease.batches().iter().map(event::Batch::event_bytes).sum()
}
