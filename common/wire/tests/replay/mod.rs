//! Replays the inputs of a package's fuzz targets. The tests of each package that has targets take this file in by its path.

use std::{fs, path::Path};

type Entry = fn(&[u8]);

/// Gives every input under `testdata/fuzz` of `package` to the target whose name its directory bears: as it is, doubled, cut
/// short and damaged a little.
pub(crate) fn replay_all(package: &str, entries: &[(&str, Entry)]) {
    for (target, entry) in entries {
        let directory = Path::new(package).join("testdata/fuzz").join(target);
        let inputs: Vec<Vec<u8>> = fs::read_dir(&directory)
            .and_then(|files| files.map(|file| fs::read(file?.path())).collect())
            .unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
        assert!(!inputs.is_empty(), "{target} has no inputs");
        for input in inputs {
            replay(*entry, &input);
        }
    }
}

fn replay(entry: Entry, input: &[u8]) {
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
