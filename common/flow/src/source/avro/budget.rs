//! What all connections of a source together may hold of frames that are not complete yet.

use std::cell::Cell;
use std::rc::Rc;
use tokio::sync::Notify;

/// A number of bytes, shared by the connections of one source. Each may hold [`ALLOWANCE`] besides.
#[derive(Clone)]
pub(super) struct Budget(Rc<Shared>);

struct Shared {
    free: Cell<usize>,
    freed: Notify,
}

/// A connection's part of the budget; given back when dropped.
pub(super) struct Share {
    budget: Budget,
    held: usize,
}

impl Budget {
    pub(super) fn new(bytes: usize) -> Budget {
        Budget(Rc::new(Shared { free: Cell::new(bytes), freed: Notify::new() }))
    }

    /// A connection's part; nothing at first.
    pub(super) fn share(&self) -> Share {
        Share { budget: self.clone(), held: 0 }
    }
}

impl Share {
    /// Accounts for a connection that now holds `bytes`. `false`: there is not so much left, it must wait.
    pub(super) fn hold(&mut self, bytes: usize) -> bool {
        let (shared, wanted) = (&self.budget.0, bytes.saturating_sub(ALLOWANCE));
        let available = shared.free.get() + self.held;
        if wanted > available {
            return false;
        }
        shared.free.set(available - wanted);
        if wanted < self.held {
            shared.freed.notify_waiters();
        }
        self.held = wanted;
        true
    }

    /// How much more a connection that holds `bytes` may read at once: what is left for it, and always [`ALLOWANCE`], or
    /// it would hear nothing of a peer with little to say while others hold all.
    pub(super) fn spare(&self, bytes: usize) -> usize {
        (ALLOWANCE + self.held + self.budget.0.free.get()).saturating_sub(bytes).max(ALLOWANCE)
    }

    /// Waits until somebody gives something back.
    pub(super) async fn freed(&self) {
        self.budget.0.freed.notified().await;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.hold(0);
    }
}

/// Bytes that every connection may hold without asking: two frames of a hundred lines.
pub(super) const ALLOWANCE: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_holds_another_cannot() {
        let budget = Budget::new(1000);
        let (mut one, mut other) = (budget.share(), budget.share());
        assert!(one.hold(ALLOWANCE + 900));
        assert!(other.hold(ALLOWANCE + 100));
        assert!(!other.hold(ALLOWANCE + 101));
        assert_eq!((one.spare(900), other.spare(ALLOWANCE + 100)), (ALLOWANCE, ALLOWANCE));
        assert!(one.hold(10));
        assert!(other.hold(ALLOWANCE + 1000));
        drop(other);
        assert_eq!(one.spare(10), ALLOWANCE + 990);
        assert!(one.hold(ALLOWANCE + 1000));
    }
}
