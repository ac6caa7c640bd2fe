//! How the compliance suite has a sink die in the middle of its work.

use event::Batch;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Makes a sink panic when it looks at a delivery that has one of these events: once each.
pub(crate) fn poison(number: u64) {
    POISONED.lock().unwrap_or_else(PoisonError::into_inner).push(number.to_string().into_bytes());
    IS_POISONED.store(true, Ordering::Release);
}

/// Panics when one of `batches` is poisoned.
pub(crate) fn trip(batches: &[Batch]) {
    if !IS_POISONED.load(Ordering::Acquire) {
        return;
    }
    let mut poisoned = POISONED.lock().unwrap_or_else(PoisonError::into_inner);
    let found = poisoned
        .iter()
        .position(|body| batches.iter().flat_map(Batch::events).any(|event| event.body() == body.as_slice()));
    if let Some(found) = found {
        poisoned.remove(found);
        drop(poisoned);
        panic!("killed by its test");
    }
}

static POISONED: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());
static IS_POISONED: AtomicBool = AtomicBool::new(false);
