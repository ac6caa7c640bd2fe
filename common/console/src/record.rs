//! A log line as log4j gets it, which lays it out itself: a record, in the place of a line of text.

use crate::{level, speaker::Speaker, stamp};
use slog::Level;
use std::time::SystemTime;

/// Appends one record.
pub(crate) fn append(
    out: &mut Vec<u8>,
    (now, severity): (SystemTime, Level),
    speaker: &Speaker<'_>,
    message: &[u8],
) {
    out.extend_from_slice(&stamp::millis(now).to_be_bytes());
    out.push(severity.as_usize().to_be_bytes().last().copied().unwrap_or_default());
    out.extend_from_slice(&speaker.line().parse::<i32>().unwrap_or(-1).to_be_bytes());
    let logger = speaker.logger();
    for text in [
        &level::name_in_flume(logger),
        logger,
        speaker.thread,
        speaker.class(),
        speaker.method(),
        speaker.file(),
    ] {
        push(out, text.as_bytes());
    }
    push(out, message);
}

fn push(out: &mut Vec<u8>, text: &[u8]) {
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX); // a line that is longer finds no room in any queue
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(text);
}
