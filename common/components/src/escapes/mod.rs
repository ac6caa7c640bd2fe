//! Escapes in paths, file names and index names: headers of an event, and parts of its time.
//!
//! Source: Flume 1.11 `BucketPath` and `TimestampRoundDownUtil`, with these differences: the names of days and months are
//! English; `%%` needs no time.

mod template;
mod time;
mod zone;

pub use template::{Piece, Template};
pub use time::{Rounding, TimeField, Unit, local, window};
pub use zone::named_zone;

use crate::look_up_host;

/// What `%[...]` stands for.
///
/// # Errors
/// It stands for nothing, or that cannot be found out, in an operator's words.
pub fn host(word: &str) -> Result<String, String> {
    let told = |error: std::io::Error| format!("`%[{word}]` cannot be found out: {error}");
    match word.to_ascii_lowercase().as_str() {
        "localhost" => Ok(gethostname::gethostname().to_string_lossy().into_owned()),
        "ip" => look_up_host(true).map_err(told),
        "fqdn" => look_up_host(false).map_err(told),
        _ => Err(format!("`%[{word}]` is none of `%[localhost]`, `%[IP]`, `%[FQDN]`")),
    }
}
