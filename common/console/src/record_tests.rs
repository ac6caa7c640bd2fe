use super::*;
use crate::{Console, Levels, Settings, level, place};
use std::{
    sync::{Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, UNIX_EPOCH},
};

/// A log4j that keeps all.
#[derive(Debug, Default)]
struct Kept {
    records: Mutex<Vec<u8>>,
    screen: Mutex<Option<Screen>>,
    refuses: bool,
    /// Each time it takes something it waits for its end, which comes once.
    gate: Mutex<Option<mpsc::Receiver<()>>>,
}

impl Records for Kept {
    fn begin(&self, screen: Screen) {
        *self.screen.lock().unwrap() = Some(screen);
    }

    fn take(&self, records: &[u8], ends: &[usize]) -> Result<(), NotTaken> {
        if let Some(gate) = self.gate.lock().unwrap().take() {
            let _ = gate.recv();
        }
        assert_eq!(ends.last(), Some(&records.len()));
        if self.refuses {
            let bytes = ends.first().copied().unwrap_or_default();
            return Err(NotTaken { bytes, unfit: 1, error: io::Error::other("two JVMs have ended") });
        }
        self.records.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(records);
        Ok(())
    }

    fn end(&self, _: Duration) {}
}

#[derive(Debug, PartialEq, Eq)]
struct Read {
    level: u8,
    number: i32,
    texts: Vec<String>,
}

/// As the Java side reads them.
fn read(mut bytes: &[u8]) -> Vec<Read> {
    fn cut<'a>(bytes: &mut &'a [u8], length: usize) -> &'a [u8] {
        let (front, rest) = bytes.split_at(length);
        *bytes = rest;
        front
    }
    let mut all = Vec::new();
    while !bytes.is_empty() {
        assert!(i64::from_be_bytes(cut(&mut bytes, 8).try_into().unwrap()) > 0);
        let level = cut(&mut bytes, 1)[0];
        let number = i32::from_be_bytes(cut(&mut bytes, 4).try_into().unwrap());
        let mut text = || {
            let length = u32::from_be_bytes(cut(&mut bytes, 4).try_into().unwrap());
            String::from_utf8(cut(&mut bytes, length as usize).to_vec()).unwrap()
        };
        let texts = (0..7).map(|_| text()).collect();
        all.push(Read { level, number, texts });
    }
    all
}

fn console(kept: &Arc<Kept>) -> (Arc<Console>, crate::memory::Memory) {
    let paper = crate::memory::Memory::default();
    let records = RecordSettings { to: Arc::clone(kept) as Arc<dyn Records>, levels: Levels::default() };
    let settings = Settings { levels: Levels::bare(None), records: Some(records), ..Settings::default() };
    (Console::to(paper.clone(), settings), paper)
}

#[test]
fn a_record_has_what_log4j_prints_of_a_line() {
    let kept = Arc::new(Kept::default());
    let (console, _) = console(&kept);
    let log = console.logger();
    slog::info!(log, #place::AVRO_SOURCE_STARTED, "Avro source {} started.", "r1");
    slog::debug!(log, "of no level");
    slog::error!(log, "two\nlines"; "key" => 1);
    let mut printer = console.event_printer(place::LOGGER_SINK, 16);
    assert!(printer.begin());
    let mut batch = event::BatchBuilder::default();
    batch.push([("k", "v")], b"hello");
    for event in batch.finish().events() {
        printer.append(UNIX_EPOCH + Duration::from_millis(7), &event);
    }
    printer.print().unwrap();
    assert!(console.flush(Duration::from_secs(20)));
    let read = read(&kept.records.lock().unwrap());
    let [flumes, own, event] = &read[..] else { panic!("{read:?}") };
    let avro = "org.apache.flume.source.AvroSource";
    let texts =
        [avro, avro, "lifecycleSupervisor-1-4", avro, "start", "AvroSource.java", "Avro source r1 started."];
    let texts = texts.map(str::to_owned).to_vec();
    assert_eq!(flumes, &Read { level: 4, number: 260, texts });
    assert_eq!((own.level, own.texts[6].as_str()), (2, "two\\nlines {key=1}"));
    assert_eq!(own.texts[1], module_path!());
    assert_eq!(own.texts[5], "record_tests.rs");
    assert_eq!(
        event.texts[6],
        "Event: { headers:{k=v} body: 68 65 6C 6C 6F                                  hello }"
    );
    assert_eq!(event.texts[0], "org.apache.flume.sink.LoggerSink");
}

#[test]
fn what_is_lost_is_counted_and_what_takes_it_may_speak() {
    let kept = Arc::new(Kept { refuses: true, ..Kept::default() });
    let (console, paper) = console(&kept);
    slog::info!(console.logger(), "one");
    slog::info!(console.logger(), "two");
    assert!(console.flush(Duration::from_secs(20)));
    let screen = kept.screen.lock().unwrap().take().unwrap();
    assert_eq!(screen.left_out(), 2, "the first one of each chunk it can never take, the rest not now");
    screen.tell(Level::Error, "it has ended");
    screen.print(b"laid out\n".to_vec());
    assert!(console.flush(Duration::from_secs(20)));
    let text = paper.text();
    assert!(text.contains("it has ended\n") && text.ends_with("laid out\n"), "{text}");
    drop(console.flush_on_drop(Duration::from_secs(20)));
    let told = "2 log lines were not taken by log4j before the end, and stand in nothing that it writes";
    assert!(paper.text().contains(told), "{}", paper.text());
}

#[test]
fn while_it_has_never_come_up_the_console_has_warnings() {
    let kept = Arc::new(Kept::default());
    let (console, paper) = console(&kept);
    let screen = kept.screen.lock().unwrap().take().unwrap();
    let log = console.logger();
    for stands_in in [false, true, false] {
        screen.stand_in(stands_in);
        slog::warn!(log, "worse {}", stands_in);
        slog::info!(log, "usual {}", stands_in);
    }
    assert!(console.flush(Duration::from_secs(20)));
    let text = paper.text();
    assert!(text.contains("worse true") && text.lines().count() == 1, "{text}");
    assert_eq!(read(&kept.records.lock().unwrap()).len(), 6, "log4j has all of them when it comes up");
}

/// More than ever waits.
const MANY: usize = 20_000;

#[test]
fn a_log4j_that_is_slower_than_a_logger_sink_loses_no_event() {
    let (open, gate) = mpsc::channel();
    let kept = Arc::new(Kept { gate: Mutex::new(Some(gate)), ..Kept::default() });
    let (console, _) = console(&kept);
    let records = console.lines_of_records();
    let opener = thread::spawn(move || {
        while !records.queue.is_full() {
            thread::yield_now();
        }
        drop(open);
    });
    let mut printer = console.event_printer(place::LOGGER_SINK, 16);
    let mut batch = event::BatchBuilder::default();
    batch.push([("k", "v")], b"hello");
    let batch = batch.finish();
    for _ in 0..MANY {
        assert!(printer.begin());
        for event in batch.events() {
            printer.append(UNIX_EPOCH + Duration::from_millis(7), &event);
        }
        printer.print().unwrap();
    }
    opener.join().unwrap();
    assert!(console.flush(Duration::from_secs(60)));
    assert_eq!(read(&kept.records.lock().unwrap()).len(), MANY);
}

#[test]
fn rules_are_looked_up_under_flumes_name() {
    for (name, expected) in [
        ("components::sink::avro", "org.apache.flume.sink.avro"),
        ("flow", "org.apache.flume"),
        ("flows::x", "flows.x"),
        ("com.example.Own", "com.example.Own"),
    ] {
        assert_eq!(level::name_in_flume(name), expected);
    }
}
