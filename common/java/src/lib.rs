//! What Java does with text, once for all crates: regular expressions ([`Pattern`], [`Replacement`]), date patterns
//! ([`DateFormat`]), charsets ([`Charset`]) and the order of a hash map ([`hash_order`]).
//!
//! Nothing here knows a component. Time, zone and bytes are handed in.

mod charset;
mod date;
mod glob;
mod hash_order;
mod pattern;

pub use charset::{Charset, Decoder, MalformedBytes, OnMalformed};
pub use date::{DateFormat, DatePrinter, Zone};
pub use glob::{glob_as_regex, looks_like_glob, with_ended_counts};
pub use hash_order::{Printed, hash_order};
pub use pattern::{Groups, Part, Pattern, Refused, Replacement, decode};
