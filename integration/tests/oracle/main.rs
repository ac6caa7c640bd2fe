//! What real Flume does with a file and an input, and that ours does the same.
//!
//! The table is the folder `cases`. For each of its rows `recorded/` holds what Flume 1.11.0 gave (`NAME.txt`), 1.9.0 where that is
//! something else (`NAME.1.9.0.txt`), and ours where it is meant to differ (`NAME.ours.txt`; the table says why). Per row:
//!
//! - `NAME::ours` runs our `agent` and compares with the recording; no JVM is needed.
//! - `NAME::flume_1_11`, `NAME::flume_1_9` run real Flume and compare it with the recording, so that it stays true.
//!
//! What a table cannot say has a file of its own: `outage.rs`.
//!
//! `ORACLE=record cargo test -p integration --test oracle -- --ignored` writes what Flume gives now.

mod cases;
mod outage;

use integration::flume::{
    self, Version,
    oracle::{self, Case, Side},
};
use std::{fs, path::PathBuf};

/// Makes a module with the tests of one row.
#[macro_export]
macro_rules! case {
    ($name:ident, $case:expr) => {
        mod $name {
            use super::*;

            const NAME: &str = stringify!($name);
            const CASE: Case = $case;

            #[test]
            fn ours() {
                $crate::ours(NAME, &CASE);
            }

            #[test]
            #[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
            fn flume_1_11() {
                $crate::real(NAME, &CASE, Version::V1_11);
            }

            #[test]
            #[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
            fn flume_1_9() {
                $crate::real(NAME, &CASE, Version::V1_9);
            }
        }
    };
}

fn ours(name: &str, case: &Case) {
    let outcome = outcome(case, &our_agent());
    let file = if case.differs.is_some() { format!("{name}.ours") } else { name.to_owned() };
    compare(case, &file, &outcome);
}

fn our_agent() -> Side {
    Side::ours("agent").expect("the binaries are built")
}

fn real(name: &str, case: &Case, version: Version) {
    flume::require();
    let outcome = outcome(case, &Side::Flume(version));
    let older = format!("{name}.{}", Version::V1_9.name());
    let own = version == Version::V1_9 && recorded(&older).exists();
    if std::env::var("ORACLE").is_ok_and(|what| what == "record") {
        return record(name, &older, version, &outcome);
    }
    compare(case, if own { &older } else { name }, &outcome);
}

fn outcome(case: &Case, side: &Side) -> String {
    let dir = tempfile::tempdir().expect("a folder for the run");
    match oracle::run(case, side, dir.path()) {
        Ok(outcome) => outcome.to_string(),
        Err(failure) => panic!("{}\n{failure}", case.shows),
    }
}

fn compare(case: &Case, file: &str, outcome: &str) {
    let path = recorded(file);
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        outcome == expected,
        "{}\nexpected ({}):\n{expected}\nfound:\n{outcome}",
        case.shows,
        path.display()
    );
}

fn record(name: &str, older: &str, version: Version, outcome: &str) {
    match version {
        Version::V1_11 => fs::write(recorded(name), outcome).expect("the recording can be written"),
        // Only where it differs; run 1.11 first.
        Version::V1_9 if fs::read_to_string(recorded(name)).is_ok_and(|newer| newer == outcome) => {
            let _ = fs::remove_file(recorded(older)); // there may be none
        }
        Version::V1_9 => fs::write(recorded(older), outcome).expect("the recording can be written"),
    }
}

fn recorded(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/recorded").join(format!("{file}.txt"))
}
