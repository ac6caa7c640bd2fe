//! What a channel holds, for its actor, the actor's successor and those who ask how much there is.

use super::Holds;
use super::store::{Level, Store};
use event::Origin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a channel holds outlives the actor that keeps it: should the actor die, its successor goes on with this store.
pub(super) struct Shared<S>(Arc<Mutex<S>>);

impl<S> Clone for Shared<S> {
    fn clone(&self) -> Shared<S> {
        Shared(self.0.clone())
    }
}

impl<S: Store> Shared<S> {
    pub(super) fn new(store: S) -> Shared<S> {
        Shared(Arc::new(Mutex::new(store)))
    }

    pub(super) fn open(&self) -> MutexGuard<'_, S> {
        // A lock per batch, with nobody to wait for: there is one actor at a time.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Store> Holds for Shared<S> {
    fn origins(&self) -> Vec<(Option<Origin>, usize)> {
        self.open().origins()
    }

    fn give_back(&self, again: &dyn Fn(Origin) -> bool) {
        self.open().give_back(again);
    }

    fn level(&self) -> Level {
        self.open().level()
    }

    fn figures(&self) -> Vec<(&'static str, String)> {
        self.open().figures()
    }

    fn resize(&self, capacity: usize) -> bool {
        self.open().resize(capacity)
    }
}
