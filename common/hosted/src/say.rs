//! What the JVM says, on the console.

use bridge::{LogLine, Notice, Notify};
use slog::{Level, Logger, Record, RecordLocation, RecordStatic};
use std::sync::Arc;

/// Puts notices into `log`.
pub(crate) fn to(log: Logger) -> Notify {
    Arc::new(move |notice| say(&log, notice))
}

fn say(log: &Logger, notice: Notice) {
    match notice {
        Notice::Log(line) => said_by_a_class(log, &line),
        // slf4j says at length that its first lines came while it looked for its logging.
        Notice::Output(text) if text.starts_with("SLF4J: ") => slog::debug!(log, "the JVM prints: {text}"),
        Notice::Output(text) => slog::info!(log, "the JVM prints: {text}"),
        Notice::Uncaught { component, thread, thrown } => {
            let who = if component.is_empty() {
                "a thread of the JVM".to_owned()
            } else {
                format!("a thread of {component}")
            };
            slog::error!(log, "{who}, `{thread}`, has ended with {thrown}\n{}", thrown.stack.trim_end());
        }
        Notice::Silent { text, .. } => slog::warn!(log, "{text}"),
        Notice::Repeats { component, times, memory: true } => slog::error!(
            log,
            "{component} was the one that asked for more when the memory of {times} JVMs in a row was used up, and will most likely \
             use up that of the next one too; the other Java components wait for each new JVM. Give the JVM more by \
             -Dflume.bridge.heap=SIZE; if that helps for a while only, its class leaks memory: mend it, or take it out of the \
             configuration"
        ),
        Notice::Repeats { component, times, memory: false } => slog::error!(
            log,
            "{component} has ended {times} JVMs in a row, most likely by what it reads, and will end the next one too; the other Java \
             components wait for each new JVM. Look at what it reads, or take it out of the configuration: the change is taken while \
             the agent runs"
        ),
        Notice::Started(hello) => slog::info!(
            log,
            "a JVM runs for the Java components: process {}, Java {}, Flume {}, heap {} MiB",
            hello.process.split('@').next().unwrap_or_default(),
            hello.java,
            hello.flume,
            hello.heap_bytes >> 20
        ),
        Notice::Ended { text, wanted: true } => slog::info!(log, "the JVM has ended: {text}"),
        Notice::Ended { text, wanted: false } => slog::error!(
            log,
            "the JVM has ended: {text}; it is started again, and what its components had not acknowledged is delivered again"
        ),
    }
}

/// A line of a class's own logging, at its own level and under its own logger's name.
fn said_by_a_class(log: &Logger, line: &LogLine) {
    let level = match line.level.as_str() {
        "FATAL" => Level::Critical,
        "ERROR" => Level::Error,
        "WARN" => Level::Warning,
        "DEBUG" => Level::Debug,
        "TRACE" => Level::Trace,
        _ => Level::Info,
    };
    let tag = console::place::of(&line.thread, &line.logger);
    let at = RecordStatic { location: &HERE, tag: &tag, level };
    let stack = line.stack.trim_end();
    let end = if stack.is_empty() { "" } else { "\n" };
    log.log(&Record::new(&at, &format_args!("{}{end}{stack}", line.message), slog::b!()));
}

static HERE: RecordLocation =
    RecordLocation { file: file!(), line: line!(), column: 0, function: "", module: module_path!() };
