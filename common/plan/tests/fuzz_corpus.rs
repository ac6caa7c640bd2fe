//! The fuzz targets' inputs, replayed on a stable compiler, each also cut short, doubled and damaged a little.

#![expect(clippy::disallowed_methods, reason = "a test may read files")]

#[path = "../fuzz/entries.rs"]
#[allow(unreachable_pub)]
mod entries;

use std::{fs, path::Path};

#[test]
fn every_input_of_every_target_keeps_the_promises() {
    for (target, entry) in entries::ENTRIES {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/fuzz").join(target);
        let files =
            fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
        let inputs: Vec<Vec<u8>> = files.map(|file| fs::read(file.unwrap().path()).unwrap()).collect();
        assert!(!inputs.is_empty(), "{target} has no inputs");
        for input in inputs {
            replay(*entry, &input);
        }
    }
}

fn replay(entry: fn(&[u8]), input: &[u8]) {
    entry(input);
    entry(&input.repeat(2));
    for cut in (0..input.len()).step_by(input.len() / 50 + 1) {
        entry(&input[..cut]);
        for damage in [0x01, 0x80, 0xff] {
            let mut bytes = input.to_vec();
            bytes[cut] ^= damage;
            entry(&bytes);
        }
    }
}
