//! A console that is slow, blocked, full or gone.

use super::*;
use crate::lines::MOST_BYTES;
use slog::{info, warn};
use std::sync::atomic::AtomicBool;
use std::{
    fs::OpenOptions,
    io::{BufRead, BufReader, PipeReader, Read, pipe},
    sync::mpsc,
    time::Instant,
};

/// A console on a pipe, and the pipe's other end.
fn on_a_pipe() -> (Arc<Console>, PipeReader) {
    let (reader, writer) = pipe().unwrap();
    (Console::to(writer, Settings::default()), reader)
}

/// Everything that comes out of `reader` until the console is gone.
fn rest(reader: PipeReader) -> Vec<String> {
    let (send, lines) = mpsc::channel();
    thread::spawn(move || {
        let _test_over = send.send(BufReader::new(reader).lines().map(Result::unwrap).collect());
    });
    lines.recv_timeout(LONG).expect("the console is gone, and so its pipe ends")
}

/// The number in `N log lines were left out here`, over all such lines.
fn told(lines: &[String]) -> u64 {
    let count = |line: &String| {
        line.split_once(" log lines were left out")?.0.rsplit(' ').next()?.parse::<u64>().ok()
    };
    lines.iter().filter_map(count).sum()
}

const LONG: Duration = Duration::from_secs(20);

#[test]
fn a_pipe_nobody_reads_stalls_nobody_and_what_was_left_out_is_told() {
    let (console, reader) = on_a_pipe();
    let log = console.logger();
    let began = Instant::now();
    for n in 0..20_000 {
        info!(log, "line"; "n" => n);
    }
    for n in 0..1_000 {
        warn!(log, "warning"; "n" => n);
    }
    assert!(began.elapsed() < LONG, "errors and warnings wait once, not each");
    assert!(!console.flush(Duration::from_millis(1)), "nothing moves");
    let left_out = console.left_out();
    assert!(left_out > 0);
    drop((console, log));
    let lines = rest(reader);
    assert_eq!(told(&lines), left_out);
    let printed =
        lines.iter().filter(|line| line.contains("line {n=") || line.contains("warning {n=")).count();
    assert_eq!(printed as u64 + left_out, 21_000);
}

#[test]
fn waiting_lines_are_bounded_by_bytes_too() {
    let (console, _reader) = on_a_pipe();
    let log = console.logger();
    let long = "x".repeat(10_000);
    for _ in 0..2_000 {
        info!(log, "{long}");
    }
    let waiting = console.lines.queue.bytes.load(Relaxed);
    assert!(waiting <= MOST_BYTES && console.left_out() > 1_000, "{waiting}");
}

#[test]
fn data_waits_for_a_slow_reader_while_own_lines_go_on() {
    let (console, reader) = on_a_pipe();
    let data = "event\n".repeat(50_000);
    let (done, is_done) = mpsc::channel();
    let printing = Arc::clone(&console);
    let writer = thread::spawn(move || {
        let outcome = printing.data(data.as_bytes());
        done.send(()).unwrap();
        outcome
    });
    info!(console.logger(), "said while data is stuck");
    assert!(is_done.try_recv().is_err(), "a pipe holds less");
    let reading = thread::spawn(move || rest(reader));
    is_done.recv_timeout(LONG).expect("what is printed is read");
    assert!(writer.join().unwrap().is_ok());
    drop(console);
    let lines = reading.join().unwrap();
    assert_eq!(lines.iter().filter(|line| *line == "event").count(), 50_000);
    assert_eq!(lines.len(), 50_001, "whole lines only");
}

#[test]
fn a_full_disk_fails_data_and_swallows_own_lines() {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let console = Console::to(full, Settings::default());
    for n in 0..100 {
        info!(console.logger(), "line {n}");
    }
    assert!(console.flush(LONG));
    assert_eq!(console.left_out(), 100);
    assert_eq!(console.data(b"event\n").unwrap_err().kind(), io::ErrorKind::StorageFull);
    info!(console.logger(), "the writer still lives");
    assert!(console.flush(LONG));
    assert_eq!(console.left_out(), 101);
}

#[test]
fn a_closed_pipe_fails_data_and_swallows_own_lines() {
    let (console, reader) = on_a_pipe();
    drop(reader);
    info!(console.logger(), "line");
    assert!(console.flush(LONG));
    assert_eq!(console.data(b"event\n").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    assert_eq!(console.left_out(), 1);
}

/// Takes 10 bytes of a write and then fails, until it is mended.
struct Breaks {
    to: io::PipeWriter,
    taken: usize,
    mended: Arc<AtomicBool>,
}

impl Write for Breaks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.mended.load(Relaxed) {
            return self.to.write(bytes);
        }
        if self.taken >= 10 {
            self.taken = 0;
            return Err(io::ErrorKind::StorageFull.into());
        }
        let n = self.to.write(&bytes[..bytes.len().min(10 - self.taken)])?;
        self.taken += n;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn after_half_a_line_the_next_begins_on_its_own_and_the_loss_is_told() {
    let (mut reader, to) = pipe().unwrap();
    let mended = Arc::new(AtomicBool::new(false));
    let console = Console::to(Breaks { to, taken: 0, mended: Arc::clone(&mended) }, Settings::default());
    assert!(console.data(b"an event that is cut\n").is_err());
    info!(console.logger(), "lost");
    assert!(console.flush(LONG));
    mended.store(true, Relaxed);
    console.data(b"whole\n").unwrap();
    drop(console);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    assert_eq!(lines[0], "an event t");
    assert_eq!(lines.last().unwrap(), "whole");
    assert_eq!(told(&lines), 1, "{text}");
    assert!(text.contains("the console refused them: "), "{text}");
}

#[test]
fn what_was_said_before_data_is_printed_before_it() {
    let (console, reader) = on_a_pipe();
    let log = console.logger();
    for n in 0..200 {
        info!(log, "connected {n}");
        console.data(format!("event {n}\n").as_bytes()).unwrap();
    }
    drop((console, log));
    let order: Vec<String> =
        rest(reader).iter().map(|line| line.rsplitn(3, ' ').take(2).collect::<Vec<_>>().join(" ")).collect();
    let expected: Vec<String> =
        (0..200).flat_map(|n| [format!("{n} connected"), format!("{n} event")]).collect();
    assert_eq!(order, expected);
}

#[test]
fn data_and_own_lines_of_many_threads_never_mix_within_a_line() {
    let (console, reader) = on_a_pipe();
    let reading = thread::spawn(move || rest(reader));
    thread::scope(|scope| {
        for name in ["a", "b"] {
            let console = &console;
            scope.spawn(move || {
                let data = format!("data {}\n", name.repeat(200)).repeat(7);
                (0..100).for_each(|_| console.data(data.as_bytes()).unwrap());
            });
            scope.spawn(move || (0..500).for_each(|_| info!(console.logger(), "own {}", name.repeat(200))));
        }
    });
    drop(console);
    for line in reading.join().unwrap() {
        let word = line.rsplit(' ').next().unwrap();
        assert!(word.len() == 200 && (word == "a".repeat(200) || word == "b".repeat(200)), "{line}");
    }
}

#[test]
fn a_pipe_that_somebody_made_non_blocking_is_waited_for() {
    let (reader, writer) = pipe().unwrap();
    rustix::io::ioctl_fionbio(&writer, true).unwrap();
    let console = Console::to(writer, Settings::default());
    let reading = thread::spawn(move || rest(reader));
    console.data("event\n".repeat(100_000).as_bytes()).unwrap();
    drop(console);
    assert_eq!(reading.join().unwrap().len(), 100_000);
}
