//! A panic as a log line.

use slog::{Logger, error};
use std::{backtrace::Backtrace, panic};

/// From now on a panic is one line of the log: where, what. The usual hook writes to stderr and waits for it, which
/// would let a console that takes nothing stall the actor that has to die.
///
/// `RUST_BACKTRACE=1` adds the backtrace, on the same line.
pub(crate) fn log_panics(log: Logger) {
    panic::set_hook(Box::new(move |info| {
        if runtime::caught::is_caught() {
            return; // it is told of where it is caught
        }
        let what = info.payload_as_str().unwrap_or("no message");
        let at = info.location().map(ToString::to_string).unwrap_or_default();
        let backtrace = Backtrace::capture();
        match backtrace.status() {
            std::backtrace::BacktraceStatus::Captured => {
                error!(log, "panic at {at}: {what}. This is an internal error: please report it."; "backtrace" => %backtrace);
            }
            _ => error!(log, "panic at {at}: {what}. This is an internal error: please report it."),
        }
    }));
}
