//! Where an actor can be found, also after it has died and been built anew.

use tokio::sync::watch;

/// The writing end: its supervisor puts the address of each new actor here.
pub struct AddressSetter<T>(watch::Sender<Option<T>>);

/// The reading end. Nobody keeps the address of an actor; everybody keeps its address cell.
pub struct AddressCell<T>(watch::Receiver<Option<T>>);

impl<T> Clone for AddressCell<T> {
    fn clone(&self) -> AddressCell<T> {
        AddressCell(self.0.clone())
    }
}

/// An address cell and the way to fill it; empty at first.
pub fn address_cell<T>() -> (AddressSetter<T>, AddressCell<T>) {
    let (setter, cell) = watch::channel(None);
    (AddressSetter(setter), AddressCell(cell))
}

impl<T> AddressSetter<T> {
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

impl<T> AddressCell<T> {
    /// Calls `with` on the address when there is one.
    pub fn with<R>(&self, with: impl FnOnce(&T) -> R) -> Option<R> {
        self.0.borrow().as_ref().map(with)
    }

    /// Waits until another address is set than the one seen last; `false` when there will be none any more.
    pub async fn replaced(&mut self) -> bool {
        self.0.changed().await.is_ok()
    }
}
