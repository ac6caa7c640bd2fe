//! How far the compression of rolled files is, for those who must know.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// What the thread that compresses and the one that writes share.
#[derive(Debug, Default)]
pub(crate) struct Packing {
    /// Who holds it may give rolled files other names.
    names: Mutex<()>,
    /// Files that wait or are at work.
    waiting: Mutex<usize>,
    /// One of them is done.
    done: Condvar,
}

impl Packing {
    pub(crate) fn hold_names(&self) -> MutexGuard<'_, ()> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn one_more(&self) {
        *self.waiting() += 1;
    }

    pub(crate) fn one_is_done(&self) {
        let mut waiting = self.waiting();
        *waiting = waiting.saturating_sub(1);
        self.done.notify_all();
    }

    /// Waits until `end` until nothing is at work.
    pub(crate) fn settle(&self, end: Instant) {
        let left = end.saturating_duration_since(Instant::now());
        let wait = self.done.wait_timeout_while(self.waiting(), left, |waiting| *waiting > 0);
        drop(wait.unwrap_or_else(PoisonError::into_inner));
    }

    fn waiting(&self) -> MutexGuard<'_, usize> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
