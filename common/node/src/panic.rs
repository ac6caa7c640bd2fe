//! A panic as a log line.

use console::Console;
use slog::{Level, Logger, error};
use std::{backtrace::Backtrace, panic, sync::Arc};

/// From now on a panic is one line of the log: where, what. The usual hook writes to stderr and waits for it, which
/// would let a console that takes nothing stall the actor that has to die.
///
/// `RUST_BACKTRACE=1` adds the backtrace, on the same line.
pub(crate) fn log_panics(console: Arc<Console>) {
    let log = console.logger();
    panic::set_hook(Box::new(move |info| {
        if runtime::caught::is_caught() {
            return; // it is told of where it is caught
        }
        let what = info.payload_as_str().unwrap_or("no message");
        let at = info.location().map(ToString::to_string).unwrap_or_default();
        let text = format!("panic at {at}: {what}. This is an internal error: please report it.");
        say(&console, &log, &text);
    }));
}

/// Says it in the log, and on the console also where log lines go to files alone.
fn say(console: &Console, log: &Logger, text: &str) {
    let backtrace = Backtrace::capture();
    match backtrace.status() {
        std::backtrace::BacktraceStatus::Captured => error!(log, "{text}"; "backtrace" => %backtrace),
        _ => error!(log, "{text}"),
    }
    console.tell_unseen(Level::Error, text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::printed;

    #[test]
    fn a_panic_is_seen_wherever_log_lines_go() {
        for level in [None, Some(Level::Info)] {
            let text = printed(level, |console| say(console, &console.logger(), "panic at x"));
            assert_eq!(text.matches("panic at x").count(), 1, "{text}");
        }
    }
}
