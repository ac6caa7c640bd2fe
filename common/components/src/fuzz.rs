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
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    type Target = (&'static str, fn(&[u8]));

    #[test]
    fn every_input_of_every_target_keeps_the_promises() {
        let targets: [Target; 1] = [("positions", positions)];
        for (target, entry) in targets {
            let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/fuzz").join(target);
            let files = fs::read_dir(&directory).unwrap();
            let inputs: Vec<Vec<u8>> = files.map(|file| fs::read(file.unwrap().path()).unwrap()).collect();
            assert!(!inputs.is_empty(), "{target} has no inputs");
            inputs.iter().for_each(|input| replay(entry, input));
        }
    }

    /// Each as it is, doubled, cut short and damaged a little.
    fn replay(entry: fn(&[u8]), input: &[u8]) {
        entry(input);
        entry(&input.repeat(2));
        for cut in (0..input.len()).step_by(input.len() / 20 + 1) {
            entry(&input[..cut]);
            for damage in [0x01, 0x80, 0xff] {
                let mut bytes = input.to_vec();
                bytes[cut] ^= damage;
                entry(&bytes);
            }
        }
    }
}
