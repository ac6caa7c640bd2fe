//! What Java does with text, once for all crates: regular expressions ([`Pattern`], [`Replacement`]), date patterns
//! ([`DateFormat`]), charsets ([`Charset`]), the order of a hash map ([`hash_order`]) and files of logins ([`LoginModule`]).
//!
//! Nothing here knows a component. Time, zone and bytes are handed in.

mod charset;
mod date;
mod glob;
mod hash_order;
mod jaas;
mod pattern;

pub use charset::{Charset, Decoder, MalformedBytes, OnMalformed};
pub use date::{DateFormat, DatePrinter, Zone};
pub use glob::{glob_as_regex, looks_like_glob, with_ended_counts};
pub use hash_order::{Printed, hash_order};
pub use jaas::LoginModule;
pub use pattern::{Groups, Part, Pattern, Refused, Replacement, decode};
