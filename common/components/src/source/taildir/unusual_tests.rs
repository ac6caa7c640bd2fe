//! Files with unusual names, in unusual places and of unusual kinds.

use super::own::OwnFiles;
use super::position;
use super::tests::{Bench, DEADLINE};
use crate::testing::memory_channel;
use runtime::clock::Duration;
use std::fs;
use std::sync::Arc;
use tokio::time::timeout;

#[actix::test]
async fn a_position_file_that_matches_the_pattern_is_not_followed() {
    let mut bench = Bench::new(".*", &[]);
    let position = bench.path("positions.json");
    bench.keys.push(("positionFile".to_owned(), position.display().to_string()));
    let properties = plan::Properties::of(&super::COMPONENT.descriptor, bench.keys.iter().cloned());
    bench.own =
        Arc::new(OwnFiles { positions: vec![super::position_file(&properties)], ..OwnFiles::default() });
    bench.start().await;
    for round in 0..5 {
        bench.append("a", &format!("{round}\n"));
        assert_eq!(bench.take(1).await, [round.to_string()]);
        let said = format!("\"pos\":{}", 2 * (round + 1));
        let written = async {
            while !fs::read_to_string(&position).unwrap_or_default().contains(&said) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(DEADLINE, written).await.expect("the position file is written");
    }
    assert!(bench.nothing_more().await);
    let files: Vec<_> = position::decode(&fs::read(position).unwrap()).0;
    assert_eq!(files.len(), 1, "{files:?}");
}

#[actix::test]
async fn names_are_bytes() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let mut bench = Bench::new(r".*\.log", &[("fileHeader", "true")]);
    for (number, name) in [&b"a\xff.log"[..], b"b\xc3\x28.log"].iter().enumerate() {
        fs::write(bench.path("").join(OsStr::from_bytes(name)), format!("{number}\n")).unwrap();
    }
    bench.start().await;
    let read = |event: event::Event<'_>| {
        let file = event.header("file").unwrap_or_default().to_owned();
        (String::from_utf8_lossy(event.body()).into_owned(), file)
    };
    let mut events = bench.take_events(2, read).await;
    events.sort();
    let file = |name: &str| bench.path(name).display().to_string();
    let expected = [("0".to_owned(), file("a\u{fffd}.log")), ("1".to_owned(), file("b\u{fffd}(.log"))];
    assert_eq!(events, expected);
    assert!(bench.nothing_more().await);
    bench.start().await;
    assert!(bench.nothing_more().await, "a restart knows them");
}

#[actix::test]
async fn what_is_unread_of_a_file_renamed_out_of_the_pattern_meanwhile_is_read() {
    let mut bench = Bench::started(r"app\.log", &[]).await;
    bench.append("app.log", "one\n");
    assert_eq!(bench.take(1).await, ["one"]);
    bench.stop().await;
    bench.append("app.log", "two\nthree\n");
    fs::create_dir(bench.path("old")).unwrap();
    for (number, to) in ["app.log.1", "old/app.log.1"].iter().enumerate() {
        bench.rename("app.log", to);
        bench.reopen("app.log");
        bench.append("app.log", &format!("new {number}\n"));
        bench.start().await;
        let mut lines = bench.take(if number == 0 { 3 } else { 2 }).await;
        lines.sort();
        let expected: &[&str] = if number == 0 { &["new 0", "three", "two"] } else { &["late", "new 1"] };
        assert_eq!(lines, expected);
        assert!(bench.nothing_more().await);
        bench.append("app.log", "late\n");
    }
}

#[actix::test]
async fn a_file_that_is_closed_and_renamed_away_unheard_is_found_by_its_number() {
    // It is closed as soon as it is idle; then all of this happens before the source has its turn.
    let mut bench = Bench::started(r"app\.log", &[("idleTimeout", "50")]).await;
    for round in 0..3 {
        bench.append("app.log", &format!("{round}a\n"));
        assert_eq!(bench.take(1).await, [format!("{round}a")]);
        tokio::time::sleep(Duration::from_millis(300)).await;
        bench.append("app.log", &format!("{round}b\n"));
        bench.rename("app.log", &format!("app.log.{round}"));
        bench.append("app.log", &format!("{round}c\n"));
        bench.reopen("app.log");
        bench.append("app.log", &format!("{round}d\n"));
        let mut lines = bench.take(3).await;
        lines.sort();
        assert_eq!(lines, ["b", "c", "d"].map(|part| format!("{round}{part}")));
    }
    assert!(bench.nothing_more().await);
}

#[actix::test]
async fn a_number_that_was_given_to_another_file_is_not_taken_for_it() {
    let mut bench = Bench::new("a", &[]);
    fs::create_dir(bench.root.path().join("state")).unwrap();
    fs::write(bench.path("b"), "short\n").unwrap();
    let inode = std::os::unix::fs::MetadataExt::ino(&fs::metadata(bench.path("b")).unwrap());
    let entry = format!(r#"[{{"inode":{inode},"pos":100,"file":"{}"}}]"#, bench.path("a").display());
    fs::write(bench.root.path().join("state/positions.json"), entry).unwrap();
    bench.start().await;
    assert!(bench.nothing_more().await);
}

#[actix::test]
async fn a_pipe_in_place_of_the_position_file_keeps_nobody_waiting() {
    let mut bench = Bench::new("a", &[]);
    let state = bench.root.path().join("state");
    fs::create_dir(&state).unwrap();
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    let fifo = state.join("positions.json");
    rustix::fs::mknodat(rustix::fs::CWD, fifo, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    bench.start().await;
    bench.append("a", "one\n");
    assert_eq!(bench.take(1).await, ["one"]);
    assert!(bench.nothing_more().await);
}

#[actix::test]
async fn a_batch_larger_than_the_channel_is_stored_in_parts() {
    let mut bench = Bench::new("a", &[]);
    bench.channel = memory_channel(&[("byteCapacity", "1000"), ("transactionCapacity", "60")]);
    bench.append("a", &(0..60).map(|n| format!("{n}\n")).collect::<String>());
    bench.start().await;
    assert_eq!(bench.take(60).await, (0..60).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[actix::test]
async fn nothing_behind_a_line_that_can_never_be_stored_is_sent() {
    // One batch a read; all batches of a read in one put.
    for most in ["1", "1000"] {
        let mut bench = Bench::new(".*", &[("batchSize", "1"), ("maxBatchCount", most)]);
        bench.channel = memory_channel(&[("byteCapacity", "1000"), ("byteCapacityBufferPercentage", "0")]);
        bench.append("a", &format!("one\n{}\ntwo\nthree\n", "x".repeat(2000)));
        bench.start().await;
        assert_eq!(bench.take(1).await, ["one"]);
        bench.append("b", "four\n");
        assert_eq!(bench.take(1).await, ["four"]);
        assert!(bench.nothing_more().await, "{most}");
        assert_eq!((bench.position_of("a"), bench.position_of("b")), (Some(4), Some(5)));
    }
}
