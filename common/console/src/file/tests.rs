//! Files in a real folder.

use super::*;
use crate::{
    Console, Format, LogFileSettings, Settings, SocketLogSettings, SocketSettings, Transport, memory::Memory,
};
use java::DatePrinter;
use jiff::tz::TimeZone;
use slog::info;
use std::{
    fs,
    time::{Duration, UNIX_EPOCH},
};

fn by_size(path: &Path, most: u64, kept: u32) -> FileSettings {
    let triggers = Triggers { size: Some(Size::Reached(most)), ..Triggers::default() };
    FileSettings { path: path.into(), append: true, triggers, names: Names::Numbered(kept) }
}

/// A console that remembers, with one file beside it.
fn beside(memory: &Memory, file: FileSettings) -> Arc<Console> {
    let (pattern, _) = crate::Pattern::parse("%m%n", crate::Dialect::One);
    let levels = crate::Levels::default();
    let files = vec![LogFileSettings { file, format: Format::Pattern(Arc::new(pattern)), levels }];
    Console::to(memory.clone(), Settings { levels: crate::Levels::bare(None), files, ..Settings::default() })
}

fn log(file: FileSettings) -> LogFile {
    LogFile::open(file, Console::to(io::sink(), Settings::default()).lines_of_console())
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap()
}

const LONG: Duration = Duration::from_secs(10);

#[test]
fn own_lines_go_to_the_file_and_a_second_program_goes_on_behind_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/flume.log");
    for line in ["one", "two"] {
        let memory = Memory::default();
        let console = beside(&memory, by_size(&path, 1000, 1));
        info!(console.logger(), "{line}");
        assert!(console.flush(LONG));
        assert_eq!(memory.text(), "");
    }
    assert_eq!(read(&path), "one\ntwo\n");
    let own = log_files().into_iter().find(|own| own.path == path).unwrap();
    assert_eq!((own.kept.folder.as_path(), own.kept.below), (path.parent().unwrap(), false));
    assert!(own.kept.is_name("flume.log.1") && !own.kept.is_name("other.log.1"));
    let _emptied = log(FileSettings { append: false, ..by_size(&path, 1000, 1) });
    assert_eq!(read(&path), "");
}

#[test]
fn numbered_files_move_up_and_the_last_one_goes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.log");
    let mut log = log(by_size(&path, 4, 2));
    assert!(log.write_lines(b"a1\na2\nb1\nb2\nc1\nc2\nd1\n").is_ok());
    assert_eq!(names(folder.path()), ["f.log", "f.log.1", "f.log.2"]);
    let all = ["f.log.2", "f.log.1", "f.log"].map(|name| read(folder.path().join(name)));
    assert_eq!(all, ["b1\nb2\n", "c1\nc2\n", "d1\n"]);
    let other = folder.path().join("g.log");
    let mut log = self::log(by_size(&other, 4, 0));
    assert!(log.write_lines(b"a1\na2\nb1\n").is_ok());
    assert_eq!((read(&other).as_str(), names(folder.path()).len()), ("b1\n", 4));
}

#[test]
fn a_file_of_another_day_is_kept_under_that_day() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.log");
    fs::write(&path, "old\n").unwrap();
    let old = UNIX_EPOCH + Duration::from_secs(1_542_097_921);
    File::options().append(true).open(&path).unwrap().set_modified(old).unwrap();
    let day = DatePrinter::compile("'.'yyyy-MM-dd", TimeZone::UTC).unwrap();
    let pattern = NamePattern::dated(path.to_str().unwrap(), day.clone());
    let triggers = Triggers { period: Some(day), old_at_start: true, ..Triggers::default() };
    let names_of = Names::Pattern { pattern, first: 1, last: Some(7), newest_is_last: true, delete: None };
    let mut log = log(FileSettings { path: path.clone(), append: true, triggers, names: names_of });
    assert!(log.write_lines(b"new\n").is_ok());
    assert_eq!(names(folder.path()), ["f.log", "f.log.2018-11-13"]);
    assert_eq!((read(&path), read(folder.path().join("f.log.2018-11-13"))), ("new\n".into(), "old\n".into()));
}

/// Lines of two bytes, a file each, under `%i` from 1 to `last`.
fn counted(folder: &Path, last: Option<u32>, newest_is_last: bool, delete: Option<Delete>) -> Vec<String> {
    let path = folder.join("f.log");
    let pattern = NamePattern::parse(&format!("{}/old/f-%d{{yyyy}}-%02i.log", folder.display())).unwrap();
    let names_of = Names::Pattern { pattern, first: 1, last, newest_is_last, delete };
    let triggers = Triggers { size: Some(Size::Passed(1)), ..Triggers::default() };
    let mut log = log(FileSettings { path, append: true, triggers, names: names_of });
    assert!(log.write_lines(b"1\n2\n3\n4\n5\n").is_ok());
    let old = folder.join("old");
    names(&old).iter().map(|name| format!("{} {}", &name[7..9], read(old.join(name)).trim())).collect()
}

#[test]
fn numbers_in_names_go_up_or_down_or_have_no_end() {
    let in_folder = |last, newest_is_last| {
        let folder = tempfile::tempdir().unwrap();
        counted(folder.path(), last, newest_is_last, None)
    };
    assert_eq!(in_folder(Some(3), true), ["01 2", "02 3", "03 4"]);
    assert_eq!(in_folder(Some(3), false), ["01 4", "02 3", "03 2"]);
    assert_eq!(in_folder(None, true), ["01 1", "02 2", "03 3", "04 4"]);
}

#[test]
fn what_is_too_much_is_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let delete = Delete::new(folder.path().join("old"), 1).most_bytes(5);
    let left = counted(folder.path(), Some(20), true, Some(delete));
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn a_file_that_cannot_be_written_is_told_of_once_and_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.log");
    fs::create_dir(&path).unwrap(); // no file can be there
    let memory = Memory::default();
    let console = beside(&memory, by_size(&path, 1000, 1));
    let logger = console.logger();
    for _ in 0..3 {
        info!(logger, "lost");
        assert!(console.flush(LONG));
    }
    let text = memory.text();
    assert_eq!(text.matches("log lines cannot be written to").count(), 1, "{text}");
    fs::remove_dir(&path).unwrap();
    info!(logger, "kept");
    assert!(console.flush(LONG) && console.flush(LONG));
    assert!(memory.text().contains("f.log is written again"), "{}", memory.text());
    let written = read(&path);
    assert!(
        written.starts_with("kept\n3 log lines were left out here: the log file refused them"),
        "{written}"
    );
}

#[test]
fn what_cannot_be_rolled_is_written_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.log");
    fs::create_dir(folder.path().join("f.log.1")).unwrap();
    let mut log = log(by_size(&path, 4, 1));
    assert!(log.write_lines(b"a1\na2\nb1\nb2\n").is_ok());
    assert_eq!(read(&path), "a1\na2\nb1\nb2\n");
}

#[test]
fn a_pipe_that_nobody_reads_holds_nobody_up_and_a_file_that_was_removed_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    let mut log = log(by_size(&pipe, 5, 1));
    assert!(log.write_lines(b"nobody hears\n").is_err());
    fs::remove_file(&pipe).unwrap();
    log.write_lines(b"one, long\n").map_err(|cut| cut.error).unwrap();
    fs::remove_file(folder.path().join("pipe.1")).unwrap();
    fs::remove_file(&pipe).unwrap();
    log.write_lines(b"two, long\n").map_err(|cut| cut.error).unwrap();
    log.write_lines(b"3\n").map_err(|cut| cut.error).unwrap();
    assert_eq!(read(&pipe), "3\n");
}

#[test]
fn what_rolled_files_are_like_is_known() {
    let kept = |pattern: &str| {
        let pattern = NamePattern::parse(pattern).unwrap();
        let names = Names::Pattern { pattern, first: 1, last: None, newest_is_last: true, delete: None };
        names.kept(Path::new("x"))
    };
    for (pattern, folder, below, like) in [
        ("/var/log/f.log.%d{yyyyMMdd}-%i", "/var/log", false, "f.log.20261127-3"),
        ("/var/log/%d{yyyy-MM}/f-%i.log", "/var/log", true, "f-3.log"),
        ("f.log.%i", ".", false, "f.log.1"),
        ("%d/f.log", ".", true, "f.log"),
        ("/f.log.%i", "/", false, "f.log.1"),
        ("a-%d{yyyy/MM/dd}.log", ".", true, "27.log"),
    ] {
        let kept = kept(pattern);
        assert_eq!((kept.folder.as_path(), kept.below), (Path::new(folder), below), "{pattern}");
        assert!(kept.is_name(like) && !kept.is_name("other"), "{pattern}");
    }
    for (pattern, expected) in [
        ("l/%d{yyyy-MM}/a-%d{dd}-%03i.log", "a-*-*.log"),
        ("a-%d{yyyy/MM/dd}.log", "*.log"),
        ("a.%d{yyyy}{UTC}", "a.*"),
        ("a", "a"),
    ] {
        assert_eq!(kept(pattern).name, expected, "{pattern}");
    }
    assert!(NamePattern::parse("f.%d{HH}{GMT}").is_ok() && NamePattern::parse("f.%d{HH}{Nowhere}").is_err());
}

#[test]
fn what_the_console_refuses_goes_nowhere_else_since_it_comes_again() {
    struct Refusing;
    impl Write for Refusing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let (pattern, _) = crate::Pattern::parse("%m%n", crate::Dialect::One);
    let format = Format::Pattern(Arc::new(pattern));
    let file = LogFileSettings { file: by_size(&path, 1000, 1), format, levels: crate::Levels::default() };
    #[expect(clippy::disallowed_types, reason = "the host that lines would go to")]
    let host = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    host.set_nonblocking(true).unwrap();
    let socket = SocketSettings {
        host: "127.0.0.1".to_owned(),
        port: host.local_addr().unwrap().port(),
        by: Transport::Udp,
        with_end: false,
        rest: Duration::ZERO,
    };
    let sockets =
        vec![SocketLogSettings { socket, format: file.format.clone(), levels: crate::Levels::default() }];
    let console = Console::to(Refusing, Settings { files: vec![file], sockets, ..Settings::default() });
    let mut printer = console.event_printer(crate::place::LOGGER_SINK, 16);
    let mut builder = event::BatchBuilder::default();
    builder.push([], b"hello");
    let batch = builder.finish();
    for _ in 0..3 {
        assert!(printer.begin());
        for event in batch.events() {
            printer.append(UNIX_EPOCH, &event);
        }
        assert!(printer.print().is_err());
    }
    assert!(console.flush(LONG));
    assert_eq!((read(path).as_str(), host.recv(&mut [0; 9]).is_err()), ("", true));
}

/// What a compressed file has.
fn unpacked(path: impl AsRef<Path>) -> String {
    let mut text = String::new();
    let mut packed = flate2::read::GzDecoder::new(File::open(path).unwrap());
    io::Read::read_to_string(&mut packed, &mut text).unwrap();
    text
}

fn packed_by(pattern: &str, last: Option<u32>, newest_is_last: bool) -> Names {
    let pattern = NamePattern::parse(pattern).unwrap();
    Names::Pattern { pattern, first: 1, last, newest_is_last, delete: None }
}

/// One line in a rolled file that is compressed, and one in `f.log`.
fn two_lines_rolled_in(folder: &Path) -> (Arc<Console>, Memory) {
    let triggers = Triggers { size: Some(Size::Passed(1)), ..Triggers::default() };
    let names = packed_by(&format!("{}/f-%i.log.gz", folder.display()), None, true);
    let settings = FileSettings { path: folder.join("f.log"), append: true, triggers, names };
    let memory = Memory::default();
    let console = beside(&memory, settings);
    info!(console.logger(), "one");
    info!(console.logger(), "two");
    (console, memory)
}

#[test]
fn compressed_files_move_up_as_others_do() {
    let names_after = |end: &str, newest_is_last| {
        let folder = tempfile::tempdir().unwrap();
        let pattern = format!("{}/f-%i.log{end}", folder.path().display());
        let triggers = Triggers { size: Some(Size::Passed(1)), ..Triggers::default() };
        let names_of = packed_by(&pattern, Some(2), newest_is_last);
        let path = folder.path().join("f.log");
        let mut log = log(FileSettings { path: path.clone(), append: true, triggers, names: names_of });
        for line in ["1\n", "2\n", "3\n", "4\n", "5\n"] {
            assert!(log.write_lines(line.as_bytes()).is_ok());
        }
        log.packing().unwrap().settle(std::time::Instant::now() + LONG);
        assert_eq!(read(&path), "5\n");
        if end == ".gz" {
            let both = ["f-1.log.gz", "f-2.log.gz"].map(|name| unpacked(folder.path().join(name)));
            assert_eq!(both, if newest_is_last { ["3\n", "4\n"] } else { ["4\n", "3\n"] });
        }
        names(folder.path())
    };
    assert_eq!(names_after(".gz", true), ["f-1.log.gz", "f-2.log.gz", "f.log"]);
    assert_eq!(names_after(".gz", false), ["f-1.log.gz", "f-2.log.gz", "f.log"]);
    assert_eq!(names_after(".zip", true), ["f-1.log.zip", "f-2.log.zip", "f.log"]);
}

#[test]
fn what_a_process_left_on_its_way_is_compressed_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("f-1.log"), "of the one that died\n").unwrap();
    fs::write(at(".f-1.log.gz.tmp"), "half").unwrap();
    fs::write(at(".f-9.log.gz.tmp"), "its file is gone").unwrap();
    fs::write(at(".other.gz.tmp"), "of somebody else").unwrap();
    fs::write(at("f-0.log"), "compressed, and not removed\n").unwrap();
    fs::write(at("f-0.log.gz"), "whole").unwrap();
    let (console, memory) = two_lines_rolled_in(folder.path());
    assert!(console.flush(LONG));
    let there = [".other.gz.tmp", "f-0.log.gz", "f-1.log.gz", "f-2.log.gz", "f.log"];
    assert_eq!(names(folder.path()), there);
    assert_eq!(unpacked(at("f-0.log.gz")), "compressed, and not removed\n");
    let all = ["f-1.log.gz", "f-2.log.gz"].map(|name| unpacked(at(name)));
    assert_eq!((all, memory.text().as_str()), (["of the one that died\n".into(), "one\n".into()], ""));
    let own = log_files().into_iter().find(|own| own.path == at("f.log")).unwrap();
    for (name, expected) in [
        ("f-1.log", true),
        ("f-1.log.gz", true),
        (".f-1.log.gz.tmp", true),
        (".f-1.log", false),
        ("f-1.log.zip", false),
    ] {
        assert_eq!(own.kept.is_name(name), expected, "{name}");
    }
}

#[test]
fn what_another_program_is_compressing_is_left_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("f-1.log"), "of another program\n").unwrap();
    fs::write(at(".f-1.log.gz.tmp"), "half").unwrap();
    fs::write(at(".f-2.log.gz.tmp"), "half").unwrap();
    let held = [at(".f-1.log.gz.tmp"), at(".f-2.log.gz.tmp")].map(|path| File::open(path).unwrap());
    for file in &held {
        rustix::fs::flock(file, rustix::fs::FlockOperation::LockExclusive).unwrap();
    }
    let (console, memory) = two_lines_rolled_in(folder.path());
    assert!(console.flush(LONG) && console.flush(LONG));
    let there = [".f-1.log.gz.tmp", ".f-2.log.gz.tmp", "f-1.log", "f-2.log", "f.log"];
    assert_eq!(names(folder.path()), there);
    assert_eq!((read(at(".f-1.log.gz.tmp")), read(at("f-2.log"))), ("half".into(), "one\n".into()));
    let text = memory.text();
    assert!(text.contains("f-2.log cannot be compressed: another program is compressing"), "{text}");
}

#[test]
fn what_cannot_be_compressed_is_told_of_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let triggers = Triggers { size: Some(Size::Passed(1)), ..Triggers::default() };
    let pattern = format!("{}/f-%d{{yyyy}}.log.gz", folder.path().display());
    let names_of = packed_by(&pattern, Some(1), true);
    let year = NamePattern::parse("%d{yyyy}").unwrap().date().cloned().unwrap();
    let mut name = String::new();
    year.push(now(), &mut name);
    fs::create_dir(at(&format!("f-{name}.log.gz"))).unwrap();
    let memory = Memory::default();
    let console =
        beside(&memory, FileSettings { path: at("f.log"), append: true, triggers, names: names_of });
    info!(console.logger(), "one");
    info!(console.logger(), "two");
    assert!(console.flush(LONG) && console.flush(LONG));
    assert_eq!(read(at(&format!("f-{name}.log"))), "one\n");
    assert!(memory.text().contains("cannot be compressed"), "{}", memory.text());
    assert!(names(folder.path()).iter().all(|name| !name.ends_with(".tmp")));
}
