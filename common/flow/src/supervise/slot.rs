//! Where an actor can be found, also after it has died and been built anew.

use tokio::sync::watch;

/// The writing end: its supervisor puts the address of each new actor here.
pub struct Post<T>(watch::Sender<Option<T>>);

/// The reading end. Nobody keeps the address of an actor; everybody keeps its slot.
pub struct Slot<T>(watch::Receiver<Option<T>>);

impl<T> Clone for Slot<T> {
    fn clone(&self) -> Slot<T> {
        Slot(self.0.clone())
    }
}

/// A slot and the way to fill it; empty at first.
pub fn slot<T>() -> (Post<T>, Slot<T>) {
    let (post, slot) = watch::channel(None);
    (Post(post), Slot(slot))
}

impl<T> Post<T> {
    /// From now on the actor is found at `address`.
    pub fn set(&self, address: T) {
        self.0.send_replace(Some(address));
    }

    /// Nobody finds the actor any more: one that has nothing of its own to do ends, as if it had died.
    #[cfg(any(test, feature = "testing"))]
    pub fn clear(&self) {
        self.0.send_replace(None);
    }
}

impl<T> Slot<T> {
    /// Calls `with` on the address when there is one.
    pub fn with<R>(&self, with: impl FnOnce(&T) -> R) -> Option<R> {
        self.0.borrow().as_ref().map(with)
    }

    /// Waits until another address is set than the one seen last; `false` when there will be none any more.
    pub async fn replaced(&mut self) -> bool {
        self.0.changed().await.is_ok()
    }
}
