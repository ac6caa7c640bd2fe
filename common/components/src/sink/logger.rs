//! `logger`: prints each event on the console, or wherever log lines go.

use console::{Console, EventPrinter, place};
use event::Batch;
use flow::component::{Component, Configure};
use flow::error::DeliveryError;
use flow::sink::local::{self, Blocking};
use plan::{Descriptor, Kind, Problem, Property, Value};
use runtime::clock::{self, Duration};
use std::time::{SystemTime, UNIX_EPOCH};

/// Its row in the catalogue.
pub(crate) const COMPONENT: Component = Component {
    descriptor: Descriptor::new(Kind::Sink, "logger", "org.apache.flume.sink.LoggerSink", &[PROPERTIES])
        .mistaken(&[("console", ""), ("stdout", ""), ("log", ""), ("log4j", "")]),
    configure: Configure::Sink(|properties, _, findings| {
        if properties.text("maxBytesToLog").is_some() {
            let what = format!("`{}` is set", findings.key("maxBytesToLog"));
            let note = Problem::note("honoured-here", findings.at("maxBytesToLog"), what);
            findings.add(note.flume("ignores it: it always shows 16 bytes").here("it is done"));
        }
        let config = LoggerConfig::new(properties);
        Some(Box::new(move |context| {
            let place = match context.processor {
                "failover" => place::LOGGER_SINK_FAILOVER,
                "load_balance" => place::LOGGER_SINK_LOAD_BALANCING,
                _ => place::LOGGER_SINK,
            };
            let sink = LoggerSink::new(config, &context.console, place);
            local::start(sink, context)
        }))
    }),
};

const PROPERTIES: &[Property] =
    &[Property::with("maxBytesToLog", Value::at_least(0, "bytes"), "16").lenient()];

/// Keys, units and defaults are Flume's: User Guide, "Logger Sink".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LoggerConfig {
    /// `maxBytesToLog`, bytes of a body that are shown; 16 unless set. Flume never hands this sink its settings and so
    /// always shows 16.
    pub(crate) max_bytes: usize,
}

impl LoggerConfig {
    pub(crate) fn new(properties: &plan::Properties) -> LoggerConfig {
        LoggerConfig { max_bytes: properties.count("maxBytesToLog") }
    }
}

/// Prints events as Flume does, at INFO. When that is switched off it prints nothing and the events count as delivered,
/// as in Flume.
///
/// What it prints is data: a slow console is waited for, and when a write fails the events stay in their channel. Lines
/// that were printed before it failed come again then: a console cannot take them back. A log file that takes nothing stops no
/// event, as in Flume.
pub(crate) struct LoggerSink {
    printer: EventPrinter,
}

impl LoggerSink {
    /// `place` says which runner's thread the lines name: one of [`console::place::LOGGER_SINK`] and its like.
    pub(crate) fn new(config: LoggerConfig, console: &Console, place: &'static str) -> LoggerSink {
        LoggerSink { printer: console.event_printer(place, config.max_bytes) }
    }

    fn print(&mut self) -> Result<(), DeliveryError> {
        self.printer.print().map_err(|error| DeliveryError::Write {
            what: "events to the console".to_owned(),
            reason: error.to_string(),
        })
    }
}

impl Blocking for LoggerSink {
    fn open(&mut self) -> Result<(), DeliveryError> {
        Ok(()) // the console is always there
    }

    fn deliver(&mut self, batches: &mut dyn Iterator<Item = &Batch>) -> Result<(), DeliveryError> {
        if !self.printer.begin() {
            return Ok(());
        }
        let now = now();
        for event in batches.flat_map(Batch::events) {
            if self.printer.append(now, &event) {
                self.print()?;
            }
        }
        self.print()
    }
}

/// The time that all lines of one delivery bear.
fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(clock::epoch_millis().try_into().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use console::{Levels, Settings};
    use event::BatchBuilder;
    use flow::testing::Paper;
    use slog::Level;

    fn sink(levels: Levels, max_bytes: usize) -> (LoggerSink, Paper) {
        let paper = Paper::default();
        let console = Console::to(paper.clone(), Settings { levels, ..Settings::default() });
        let config = LoggerConfig { max_bytes };
        (LoggerSink::new(config, &console, console::place::LOGGER_SINK_FAILOVER), paper)
    }

    fn batch(bodies: &[&str]) -> Batch {
        let mut builder = BatchBuilder::default();
        bodies.iter().for_each(|body| builder.push([("Type", "LOGIN")], body.as_bytes()));
        builder.finish()
    }

    #[test]
    fn prints_what_flume_prints() {
        let (mut sink, paper) = sink(Levels::default(), 16);
        let batches = [batch(&["hello", ""]), batch(&["0123456789abcdefXYZ"])];
        sink.deliver(&mut batches.iter()).unwrap();
        let text = paper.text();
        let (heads, events): (Vec<_>, Vec<_>) = text.lines().map(|line| line.split_at(23)).unzip();
        assert!(heads.iter().all(|head| *head == heads[0]), "one time for all: {heads:?}");
        let front = " (SinkRunner-PollingRunner-FailoverSinkProcessor) [INFO - \
            org.apache.flume.sink.LoggerSink.process(LoggerSink.java:95)] Event: { headers:{Type=LOGIN} body:";
        let dumps: Vec<_> = events.iter().map(|event| event.strip_prefix(front).expect(event)).collect();
        let hello = format!(" 68 65 6C 6C 6F {}hello }}", "   ".repeat(11));
        let cut = " 30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66 0123456789abcdef }";
        assert_eq!(dumps, [hello.as_str(), " }", cut]);
    }

    #[test]
    fn max_bytes_to_log_is_honoured() {
        let (mut sink, paper) = sink(Levels::default(), 3);
        sink.deliver(&mut [batch(&["hello"])].iter()).unwrap();
        assert!(
            paper.text().ends_with(&format!("body: 68 65 6C {}hel }}\n", "   ".repeat(13))),
            "{}",
            paper.text()
        );
        assert_eq!(LoggerConfig::new(&plan::Properties::new(&COMPONENT.descriptor)).max_bytes, 16);
        let set = plan::Properties::of(&COMPONENT.descriptor, [("maxBytesToLog", " 2048 ")]);
        assert_eq!(LoggerConfig::new(&set).max_bytes, 2048);
    }

    #[test]
    fn with_info_switched_off_events_pass_unseen() {
        let mut levels = Levels::default();
        levels.set("org.apache.flume.sink.LoggerSink", Some(Level::Warning));
        let (mut sink, paper) = sink(levels, 16);
        sink.deliver(&mut [batch(&["hello"])].iter()).unwrap();
        assert_eq!(paper.text(), "");
    }

    #[test]
    fn a_console_that_refuses_fails_the_delivery_and_only_that() {
        let (mut sink, paper) = sink(Levels::default(), 16);
        paper.refuse(true);
        let error = sink.deliver(&mut [batch(&["hello"])].iter()).unwrap_err();
        assert!(matches!(error, DeliveryError::Write { .. }), "{error}");
        paper.refuse(false);
        sink.deliver(&mut [batch(&["hello"])].iter()).unwrap();
        assert_eq!(paper.text().lines().count(), 1, "nothing of the first try is left over");
    }

    #[test]
    fn more_than_one_chunk_comes_whole_and_in_order() {
        let (mut sink, paper) = sink(Levels::default(), 16);
        let bodies: Vec<String> = (0..3000).map(|n| n.to_string()).collect();
        let batch = batch(&bodies.iter().map(String::as_str).collect::<Vec<_>>());
        sink.deliver(&mut [batch].iter()).unwrap();
        let text = paper.text();
        let last_words = text.lines().map(|line| line.trim_end_matches(" }").rsplit(' ').next().unwrap());
        assert!(last_words.eq(bodies.iter().map(String::as_str)));
    }
}
