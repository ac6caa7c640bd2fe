//! Panics of libraries that are caught where they are called.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static CATCHES: Cell<bool> = const { Cell::new(false) };
}

/// What `act` gives; `None` when it panics, for a library that panics at what a peer may send. Whoever calls this tells of it, in
/// the operator's words: the hook for panics is to say nothing while [`is_caught`]. `act` leaves nothing half changed behind.
pub fn caught<T>(act: impl FnOnce() -> T) -> Option<T> {
    let before = CATCHES.replace(true);
    let done = catch_unwind(AssertUnwindSafe(act));
    CATCHES.set(before);
    done.ok()
}

/// Whether a panic of this thread is caught and told of by somebody who expects it.
pub fn is_caught() -> bool {
    CATCHES.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_inside_is_caught_and_known_to_be() {
        assert_eq!(caught(is_caught), Some(true));
        assert_eq!(caught(|| -> u8 { panic!("expected: {}", is_caught()) }), None);
        assert!(!is_caught());
    }
}
