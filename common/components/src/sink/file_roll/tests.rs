use super::*;
use crate::testing::{batch, file_roll_plan, silent};
use std::fs;
use std::path::Path;

/// A sink without a beat that writes to `directory`, with these keys besides.
fn sink(directory: &Path, more: &[(&str, &str)]) -> FileRollSink {
    let mut pairs = vec![("sink.directory", directory.to_str().unwrap()), ("sink.rollInterval", "0")];
    pairs.extend(more);
    FileRollSink::new("k1", config(&pairs), silent())
}

fn config(pairs: &[(&str, &str)]) -> FileRollConfig {
    FileRollConfig::new(&file_roll_plan(pairs).unwrap().sinks[0].component.properties)
}

/// Names and contents of all files, by name.
fn files(directory: &Path) -> Vec<(String, String)> {
    let read = |entry: fs::DirEntry| {
        (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap())
    };
    let mut files: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| read(entry.unwrap())).collect();
    files.sort();
    files
}

fn contents(directory: &Path) -> Vec<String> {
    files(directory).into_iter().map(|(_, content)| content).collect()
}

fn deliver(sink: &mut FileRollSink, batches: &[Batch]) -> Result<(), DeliveryError> {
    sink.deliver(&mut batches.iter())
}

#[test]
fn settings_as_flumes() {
    let plain = config(&[("sink.directory", "/d")]);
    assert_eq!((plain.roll_interval, plain.path_manager), (Duration::from_secs(30), PathManager::Default));
    assert_eq!(plain.serializer, SerializerConfig::Text { newline: true });
    let set = config(&[
        ("sink.directory", "/d"),
        ("sink.rollInterval", "-1"),
        ("sink.pathManager", "org.apache.flume.formatter.output.RollTimePathManager$Builder"),
        ("sink.serializer", "header_and_text"),
        ("sink.serializer.appendNewline", "false"),
    ]);
    assert_eq!((set.roll_interval, set.path_manager), (Duration::ZERO, PathManager::RollTime));
    assert_eq!(set.serializer, SerializerConfig::HeaderAndText { newline: false });
}

#[test]
fn deliveries_follow_one_another_in_one_file_that_is_there_before_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let mut sink =
        sink(folder.path(), &[("sink.pathManager.prefix", "p"), ("sink.pathManager.extension", "log")]);
    sink.open().unwrap();
    assert_eq!(contents(folder.path()), [""]);
    deliver(&mut sink, &[batch(0..2), batch(2..3)]).unwrap();
    deliver(&mut sink, &[batch(3..4)]).unwrap();
    let files = files(folder.path());
    assert_eq!(files[0].1, "0\n1\n2\n3\n");
    assert!(files[0].0.starts_with('p') && files[0].0.ends_with("-1.log"), "{files:?}");
}

#[tokio::test(start_paused = true)]
async fn an_idle_sink_makes_a_file_at_each_beat() {
    let folder = tempfile::tempdir().unwrap();
    let mut sink = sink(folder.path(), &[("sink.rollInterval", "2")]);
    sink.open().unwrap();
    for _ in 0..3 {
        tokio::time::sleep_until(sink.wake_at().unwrap()).await;
        sink.wake().unwrap();
    }
    deliver(&mut sink, &[batch(0..1)]).unwrap();
    assert_eq!(contents(folder.path()), ["", "", "", "0\n"]);
}

#[tokio::test(start_paused = true)]
async fn a_busy_sink_rolls_between_deliveries() {
    let folder = tempfile::tempdir().unwrap();
    let mut sink = sink(folder.path(), &[("sink.rollInterval", "2")]);
    for number in 0..4 {
        deliver(&mut sink, &[batch(number..number + 1)]).unwrap();
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    assert_eq!(contents(folder.path()), ["0\n1\n", "2\n3\n"]);
}

#[test]
fn a_missing_directory_is_told_with_what_to_do_and_used_once_it_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("later");
    let mut sink = sink(&directory, &[]);
    for _ in 0..3 {
        let error = sink.open().unwrap_err().to_string();
        assert!(error.contains("later: the directory does not exist: create it"), "{error}");
        assert!(deliver(&mut sink, &[batch(0..1)]).is_err());
    }
    fs::create_dir(&directory).unwrap();
    sink.open().unwrap();
    deliver(&mut sink, &[batch(0..1)]).unwrap();
    let files = files(&directory);
    assert!(files.len() == 1 && files[0].0.ends_with("-1"), "no number is lost by trying: {files:?}");
}

#[test]
fn a_directory_removed_under_the_sink_takes_no_later_event_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("logs");
    fs::create_dir(&directory).unwrap();
    let mut sink = sink(&directory, &[]);
    deliver(&mut sink, &[batch(0..1)]).unwrap();
    fs::remove_dir_all(&directory).unwrap();
    assert!(deliver(&mut sink, &[batch(1..2)]).is_err());
    fs::create_dir(&directory).unwrap();
    deliver(&mut sink, &[batch(1..2)]).unwrap();
    assert_eq!(contents(&directory), ["1\n"]);
}

#[test]
fn a_file_cut_by_somebody_else_is_gone_on_with_at_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut sink = sink(folder.path(), &[]);
    deliver(&mut sink, &[batch(0..9)]).unwrap();
    let path = folder.path().join(&files(folder.path())[0].0);
    fs::File::options().write(true).open(path).unwrap().set_len(2).unwrap();
    deliver(&mut sink, &[batch(9..10)]).unwrap();
    assert_eq!(contents(folder.path()), ["0\n9\n"]);
}

#[test]
fn a_file_that_is_there_is_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let by_time: &[(&str, &str)] = &[("sink.pathManager", "rolltime")];
    for number in 0..5 {
        // Five processes within a second or two: Flume's would write over each other's file.
        deliver(&mut sink(folder.path(), by_time), &[batch(number..number + 1)]).unwrap();
    }
    let mut contents = contents(folder.path());
    contents.sort();
    assert_eq!(contents, ["0\n", "1\n", "2\n", "3\n", "4\n"]);
}

#[test]
fn a_delivery_can_be_taken_back_in_any_part() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    let mut file = WholeFile::create(path.clone()).unwrap();
    for (writes, kept) in
        [(&[&b"a\n"[..], b"b\n"][..], true), (&[b"half"], false), (&[b"c\n", b"d"], false), (&[b"e\n"], true)]
    {
        assert!(file.begin().unwrap());
        writes.iter().for_each(|bytes| file.write(bytes).unwrap());
        if !kept {
            file.take_back().unwrap();
        }
    }
    assert_eq!(fs::read_to_string(path).unwrap(), "a\nb\ne\n");
}

#[test]
fn a_full_disk_fails_the_delivery_and_a_file_that_cannot_be_cut_is_left_for_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut sink = sink(folder.path(), &[]);
    // A device that has no room, ever, and cannot be cut either.
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    sink.file = Some(WholeFile::of(full, "/dev/full".into()));
    let error = deliver(&mut sink, &[batch(0..3)]).unwrap_err().to_string();
    assert!(error.starts_with("cannot write /dev/full: there is no room: free some"), "{error}");
    sink.open().unwrap();
    deliver(&mut sink, &[batch(0..3)]).unwrap();
    assert_eq!(contents(folder.path()), ["0\n1\n2\n"]);
}

#[test]
fn more_than_one_chunk_is_written_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mut sink = sink(folder.path(), &[]);
    let batches: Vec<Batch> = (0..100).map(|n| batch(n * 1000..(n + 1) * 1000)).collect();
    deliver(&mut sink, &batches).unwrap();
    let expected: String = (0..100_000).map(|n| format!("{n}\n")).collect();
    assert!(expected.len() > 2 * CHUNK_BYTES);
    assert_eq!(contents(folder.path()), [expected]);
    assert!(sink.buffer.capacity() <= KEPT_BYTES);
}

#[test]
fn an_avro_file_begins_with_its_head_even_when_no_event_comes() {
    let folder = tempfile::tempdir().unwrap();
    let mut sink = sink(folder.path(), &[("sink.serializer", "avro_event")]);
    sink.open().unwrap();
    let path = folder.path().join(fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().file_name());
    let head = fs::read(&path).unwrap();
    assert!(head.starts_with(b"Obj\x01"));
    sink.open().unwrap();
    deliver(&mut sink, &[batch(0..1)]).unwrap();
    let whole = fs::read(&path).unwrap();
    assert!(whole.starts_with(&head) && whole.len() > head.len(), "one head");
    assert_eq!(whole.windows(4).filter(|bytes| *bytes == b"Obj\x01").count(), 1);
}
