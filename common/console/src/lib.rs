//! What a node says: Flume's console layout as a slog drain, and the console itself.
//!
//! [`Console`] is the one owner of stderr. Two kinds of lines go through it, and they never mix within a line:
//! - *data*, what the logger sink prints ([`Console::data`], [`EventLines`]): it waits for a slow console and fails
//!   when the write fails, so that the events can go back into their channel;
//! - *own log lines*, everything said through [`Console::logger`]: these give way. They are formatted where they are
//!   said, wait in a bounded queue and are left out, counted and told of when it is full.
//!
//! Beside the console there may be log files ([`LogFileSettings`]), rolled as log4j rolls them, each with its own layout
//! ([`Pattern`]) and levels. log4j's filters ([`Filter`]) hold lines back from loggers and places ([`Routes`]). Where a configuration
//! asks for more than that, log4j itself writes ([`Records`]). A file gives way in all cases: what cannot be written there is told on
//! the console, and events go on.
//!
//! A line that Flume prints too stands at Flume's place: a record's slog tag is one of the constants of [`place`],
//! and [`fact`] has a function for each such line. All other lines name the module, file and line of ours.

mod console;
mod drain;
mod event_line;
mod event_printer;
pub mod fact;
mod file;
mod filter;
mod layout;
mod level;
mod lines;
#[cfg(test)]
mod memory;
mod output;
mod packing;
mod pattern;
pub mod place;
mod record;
mod records;
mod routes;
mod socket;
mod speaker;
mod stamp;

pub use crate::console::{Console, Flush, LogFileSettings, Settings, SocketLogSettings};
pub use event_printer::EventPrinter;
pub use file::{Delete, FileSettings, Kept, NamePattern, Names, Size, Triggers, Written, log_files};
pub use filter::{Filter, Outcome, PartOfDay, Test};
pub use java::DatePrinter;
pub use layout::Format;
pub use level::{Levels, UnknownLevel, level_name, name_in_flume, parse_level};
pub use pattern::{Dialect, Pattern};
pub use records::{NotTaken, RecordSettings, Records, Screen};
pub use routes::{Route, Routes, RoutingLogger};
pub use socket::{SocketSettings, Transport};
