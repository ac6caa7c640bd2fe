//! Who is connected to a source, and who goes when one more is to come in.

use crate::clock::{Duration, Instant};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use tokio::sync::Notify;

/// The connections of one source. Clones are the same list; it lives on its source's thread.
#[derive(Clone, Default)]
pub struct Guests(Rc<List>);

#[derive(Default)]
struct List {
    all: RefCell<BTreeMap<u32, Rc<Entry>>>,
    last: Cell<u32>,
}

struct Entry {
    peer: SocketAddr,
    heard: Cell<Instant>,
    served: Cell<bool>,
    leave: RefCell<Option<Why>>,
    wake: Notify,
}

/// Why a connection is to end; `None` where that has been told.
type Why = Option<String>;

/// One connection. Dropping it takes it off the list.
pub struct Guest {
    number: u32,
    entry: Rc<Entry>,
    list: Guests,
}

impl Guests {
    /// Puts a new connection on the list.
    pub fn add(&self, peer: SocketAddr, now: Instant) -> Guest {
        let number = self.0.last.get().wrapping_add(1);
        self.0.last.set(number);
        let entry = Rc::new(Entry {
            peer,
            heard: Cell::new(now),
            served: Cell::new(false),
            leave: RefCell::default(),
            wake: Notify::new(),
        });
        self.0.all.borrow_mut().insert(number, entry.clone());
        Guest { number, entry, list: self.clone() }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.all.borrow().len()
    }

    /// Ends the connection that has been silent for longest, and says whose it is and for how long; `None` when all have
    /// said something just now, or wait for us.
    pub fn end_idlest(&self, now: Instant) -> Option<(SocketAddr, Duration)> {
        let all = self.0.all.borrow();
        let idle = all.values().filter(|entry| !entry.served.get() && entry.leave.borrow().is_none());
        let idlest = idle.min_by_key(|entry| entry.heard.get())?;
        let silent = now.saturating_duration_since(idlest.heard.get());
        if silent < IDLE {
            return None;
        }
        idlest.send_away(None);
        Some((idlest.peer, silent))
    }
}

impl Entry {
    fn send_away(&self, why: Why) {
        self.leave.borrow_mut().get_or_insert(why);
        self.wake.notify_one();
    }
}

impl Guest {
    /// Sets this connection apart from all others of its source.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The other end's address.
    pub fn peer(&self) -> SocketAddr {
        self.entry.peer
    }

    /// Bytes came.
    pub fn heard(&self, now: Instant) {
        self.entry.heard.set(now);
    }

    /// When they last did.
    pub fn last_heard(&self) -> Instant {
        self.entry.heard.get()
    }

    /// Whether the peer waits for us: then its silence says nothing.
    pub fn served(&self, served: bool) {
        self.entry.served.set(served);
    }

    /// What ends this connection from outside.
    pub fn door(&self) -> Door {
        Door(self.entry.clone())
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.list.0.all.borrow_mut().remove(&self.number);
    }
}

/// See [`Guest::door`].
pub struct Door(Rc<Entry>);

impl Door {
    /// Ends the connection; `why` is logged.
    pub fn send_away(&self, why: String) {
        self.0.send_away(Some(why));
    }

    /// When bytes last came.
    pub fn last_heard(&self) -> Instant {
        self.0.heard.get()
    }

    /// Resolves when the connection is to end, with what is to be said of it unless that has been said.
    pub async fn sent_away(&self) -> Option<String> {
        loop {
            if let Some(why) = self.0.leave.borrow().clone() {
                return why;
            }
            self.0.wake.notified().await;
        }
    }
}

/// Who said something within this time is not idle.
const IDLE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn the_idlest_goes_and_never_one_that_waits_for_us() {
        let (guests, start) = (Guests::default(), crate::clock::now());
        let at = |second| start + Duration::from_secs(second);
        let peer = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let [first, second, third] = [1, 2, 3].map(|port| guests.add(peer(port), at(u64::from(port))));
        second.heard(at(9));
        first.served(true);
        let ended = |now| guests.end_idlest(now).map(|(peer, silent)| (peer.port(), silent.as_secs()));
        assert_eq!(ended(at(10)), Some((3, 7)));
        assert_eq!(third.door().sent_away().now_or_never(), Some(None));
        assert_eq!(ended(at(10)), Some((2, 1)), "nobody is ended twice");
        assert_eq!(ended(at(10)), None);
        first.served(false);
        first.heard(at(10));
        assert_eq!(ended(at(10)), None, "it has just said something");
        assert_eq!(first.door().sent_away().now_or_never(), None);
        drop((second, third));
        assert_eq!(guests.len(), 1);
    }
}
