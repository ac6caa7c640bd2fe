//! What the fuzz targets do with their input: any bytes, and a panic when a promise is broken, be it only that no input
//! panics. `tests` replays `testdata/fuzz/TARGET/` through the same functions.
#![allow(missing_docs, unreachable_pub, reason = "for tests and for `fuzz/`, which is a crate of its own")]

use crate::source::taildir::position::{EntryRef, decode, encode};

/// A position file is read as far as it is whole; what was read can be written and reads back the same.
pub fn positions(data: &[u8]) {
    let (entries, fault) = decode(data);
    assert!(fault.is_none_or(|fault| fault.len() < 1000 && !fault.contains('\n')));
    let text = encode(entries.iter().map(|entry| EntryRef {
        inode: entry.inode,
        pos: entry.pos,
        file: &entry.file,
    }));
    assert_eq!(decode(&text.expect("it was read as JSON")), (entries, None));
}

#[cfg(test)]
#[path = "../../wire/tests/replay/mod.rs"]
mod replay;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_input_of_every_target_keeps_the_promises() {
        replay::replay_all(env!("CARGO_MANIFEST_DIR"), &[("positions", positions)]);
    }
}
