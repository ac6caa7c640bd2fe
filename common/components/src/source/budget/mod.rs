//! What all connections of a source together may hold for their peers: frames that are not complete, calls that wait for
//! a channel, answers that are not written.

pub(super) mod lanes;
pub(super) mod stall;

use lanes::{Id, Lanes, Part};
use runtime::clock::{self, Duration, Instant};
use runtime::net::{Door, Guest, LAST_READ};
use stall::{StallWatch, WINDOW};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use tokio::sync::Notify;
use tokio::time::sleep;

/// A number of bytes, shared by the connections of one source. Each may hold [`FREE`] besides.
#[derive(Clone)]
pub(super) struct Budget(Rc<Shared>);

struct Shared {
    lanes: RefCell<Lanes>,
    seats: RefCell<BTreeMap<Id, Rc<SourceContext>>>,
    /// Somebody waits who did not before.
    waits: Notify,
}

/// What others need to know of a connection.
struct SourceContext {
    door: Door,
    held: Cell<usize>,
    moved: Cell<u64>,
    /// Whether it is for the peer to do something.
    owes: Cell<bool>,
    stall: Cell<StallWatch>,
    turn: Notify,
}

/// A connection's part of the budget; given back when dropped.
pub(super) struct Share {
    budget: Budget,
    id: Id,
    part: Part,
    context: Rc<SourceContext>,
}

impl Budget {
    pub(super) fn new(bytes: usize) -> Budget {
        Budget(Rc::new(Shared {
            lanes: RefCell::new(Lanes::new(bytes)),
            seats: RefCell::default(),
            waits: Notify::new(),
        }))
    }

    /// A connection's part; nothing at first.
    pub(super) fn share(&self, guest: &Guest) -> Share {
        let context = Rc::new(SourceContext {
            door: guest.door(),
            held: Cell::new(0),
            moved: Cell::new(0),
            owes: Cell::new(false),
            stall: Cell::new(StallWatch::new(0, guest.last_heard())),
            turn: Notify::new(),
        });
        let id = guest.number();
        self.0.seats.borrow_mut().insert(id, context.clone());
        Share { budget: self.clone(), id, part: Part::default(), context }
    }

    /// Ends, as long as it is awaited, the connections that hold what others wait for and do nothing with it.
    pub(super) async fn watch(&self) {
        loop {
            while !self.0.lanes.borrow().is_waited_for() {
                self.0.waits.notified().await;
            }
            sleep(LOOK_AGAIN).await;
            self.end_stalled(clock::now());
        }
    }

    fn end_stalled(&self, now: Instant) {
        if !self.0.lanes.borrow().is_waited_for() {
            return;
        }
        let mut ended = 0;
        for context in self.0.seats.borrow().values() {
            if ended == AT_ONCE {
                return;
            }
            let (held, moved, mut watch) = (context.held.get(), context.moved.get(), context.stall.get());
            if held == 0 || !context.owes.get() {
                watch = StallWatch::new(moved, now);
            } else if watch.is_stalled(held, moved, context.door.last_heard(), now) {
                ended += 1;
                context.door.send_away(format!(
                    "others wait for the {held} bytes that are held for it, and it has sent, or read of its answers, next to nothing for {} s; its connection is closed, what was not answered is not stored",
                    WINDOW.as_secs()
                ));
            }
            context.stall.set(watch);
        }
    }

    fn call_the_next(&self) {
        let seats = self.0.seats.borrow();
        for id in self.0.lanes.borrow().first() {
            if let Some(context) = seats.get(&id) {
                context.turn.notify_one();
            }
        }
    }
}

impl Share {
    /// Accounts for a connection that holds, or is about to hold, `bytes`. `false`: there is not so much left, it must wait
    /// for [`Share::turn`] and ask again.
    pub(super) fn hold(&mut self, bytes: usize) -> bool {
        let wanted = bytes.saturating_sub(FREE);
        if wanted == self.part.bytes && !self.part.waits() {
            return true;
        }
        if self.part.bytes == 0 {
            self.context.stall.set(StallWatch::new(self.context.moved.get(), clock::now()));
        }
        let shared = self.budget.0.clone();
        let before = self.part;
        let given = shared.lanes.borrow_mut().resize(self.id, &mut self.part, wanted);
        self.context.held.set(self.part.bytes);
        if self.part.waits() && !before.waits() {
            shared.waits.notify_one();
        } else if (before.waits() && given) || self.part.bytes < before.bytes {
            self.budget.call_the_next();
        }
        given
    }

    /// So many bytes were read from the peer or written to it, and whether it is for the peer to go on.
    pub(super) fn moved(&self, in_all: u64, peer_owes: bool) {
        self.context.moved.set(in_all);
        self.context.owes.set(peer_owes);
    }

    /// How much a connection may read at once of frames that it has not asked for: all of them together no more than
    /// [`READS`], unless there are very many.
    pub(super) fn read_most(&self) -> usize {
        let connections = self.budget.0.seats.borrow().len();
        (READS / connections.max(1)).clamp(FREE / 2, LAST_READ)
    }

    /// Resolves when it may be worth asking again.
    pub(super) async fn turn(&self) {
        self.context.turn.notified().await;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.0.lanes.borrow_mut().resize(self.id, &mut self.part, 0);
        self.budget.0.seats.borrow_mut().remove(&self.id);
        self.budget.call_the_next();
    }
}

/// Bytes that every connection may hold without asking: what an idle one has for its next read.
pub(super) const FREE: usize = 8 << 10;
/// Bytes of reads of all connections together; half of [`FREE`] each where that is more.
pub(super) const READS: usize = 32 << 20;
/// Connections ended at a look: to end thousands takes long enough to keep the others waiting.
const AT_ONCE: usize = 256;
const LOOK_AGAIN: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use runtime::net::Guests;
    use std::net::SocketAddr;

    #[test]
    fn what_one_holds_another_cannot() {
        let (budget, guests, now) = (Budget::new(8 << 20), Guests::default(), clock::now());
        let [one, other] = [1, 2].map(|port| guests.add(SocketAddr::from(([127, 0, 0, 1], port)), now));
        let [mut first, mut second] = [budget.share(&one), budget.share(&other)];
        assert!(first.hold(FREE + (5 << 20)));
        assert!(second.hold(FREE));
        assert!(!second.hold(FREE + (2 << 20)));
        assert_eq!(second.turn().now_or_never(), None);
        assert!(first.hold(FREE + (4 << 20)));
        assert_eq!(second.turn().now_or_never(), Some(()));
        assert!(second.hold(FREE + (2 << 20)));
        assert!(!first.hold(6 << 20));
        drop(second);
        assert_eq!(first.turn().now_or_never(), Some(()));
        assert!(first.hold(6 << 20));
    }

    /// One that has sent a part and no more, one that moves, one that waits for us, one that waits for its turn.
    #[test]
    fn only_who_holds_and_does_nothing_goes_and_only_when_somebody_waits() {
        let (budget, guests, start) = (Budget::new(8 << 20), Guests::default(), clock::now());
        let all = [1, 2, 3, 4].map(|port| guests.add(SocketAddr::from(([127, 0, 0, 1], port)), start));
        let mut shares = all.each_ref().map(|guest| budget.share(guest));
        let gone = || all.each_ref().map(|guest| guest.door().sent_away().now_or_never().is_some());
        for share in &mut shares[..3] {
            assert!(share.hold(2 << 20));
            share.moved(1000, true);
        }
        shares[2].moved(1000, false);
        budget.end_stalled(start + Duration::from_secs(100));
        assert_eq!(gone(), [false; 4]);
        assert!(!shares[3].hold(3 << 20));
        for second in 100..112 {
            all[1].heard(start + Duration::from_secs(second));
            shares[1].moved(second * 10_000, true);
            budget.end_stalled(start + Duration::from_secs(second));
        }
        assert_eq!(gone(), [true, false, false, false]);
    }
}
