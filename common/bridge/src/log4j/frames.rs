//! What is said to that JVM and what it says. No I/O.

use super::LogFile;
use crate::small;

/// The most bytes of a frame to it: the longest line that waits is shorter.
pub(super) const MOST_BYTES: usize = 8 << 20;

/// The most bytes of a frame of it.
pub(super) const MOST_SAID: usize = 128 << 10;

/// What it is started for, with its length in front. `properties` are Java's system properties.
pub(super) fn wish(file: &LogFile, properties: &[(String, String)]) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let which = if file.is_xml { "2" } else { "1" };
    [which, &file.path, &file.text].into_iter().for_each(|text| push(&mut out, text));
    count(&mut out, file.ours.len());
    file.ours.iter().for_each(|name| push(&mut out, name));
    for pairs in [&file.pairs[..], properties, &file.levels] {
        count(&mut out, pairs.len());
        pairs.iter().flat_map(|(name, value)| [name, value]).for_each(|text| push(&mut out, text));
    }
    framed(&out)
}

fn count(out: &mut Vec<u8>, number: usize) {
    out.extend_from_slice(&u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes());
}

fn push(out: &mut Vec<u8>, text: &str) {
    count(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

/// These bytes behind their length.
pub(super) fn framed(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let framed = small::framed(bytes, MOST_BYTES);
    framed.ok_or_else(|| format!("{} bytes are more than its JVM takes", bytes.len()))
}

/// What it says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// log4j has read the file.
    Ready,
    /// So many of the lines that it was given are done.
    Done(usize),
    /// All lines are taken.
    Taken,
    /// An appender of the console prints this.
    Printed(Vec<u8>),
    /// Why there is no log4j.
    Failed(String),
}

/// Takes a frame apart.
///
/// # Errors
/// What is wrong with it.
pub(super) fn said(frame: &[u8]) -> Result<Said, &'static str> {
    let (kind, rest) = frame.split_first().ok_or("a frame of it is empty")?;
    match kind {
        b'R' => Ok(Said::Ready),
        b'T' => Ok(Said::Taken),
        b'P' => match <[u8; 4]>::try_from(rest) {
            Ok(number) => Ok(Said::Done(u32::from_be_bytes(number) as usize)),
            Err(_) => Err("a number of it has not four bytes"),
        },
        b'C' => Ok(Said::Printed(rest.to_vec())),
        b'E' => Ok(Said::Failed(String::from_utf8_lossy(rest).into_owned())),
        _ => Err("a frame of it is of no known kind"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_a_row_of_texts_and_too_long_a_one_is_refused() {
        let file = LogFile {
            is_xml: false,
            path: "p".to_owned(),
            text: String::new(),
            pairs: vec![("k".to_owned(), "\u{fc}".to_owned())],
            ours: vec!["console".to_owned()],
            levels: vec![("l".to_owned(), "OFF".to_owned())],
        };
        let frame = wish(&file, &[]).unwrap();
        let expected = [
            &b"\0\0\0\x011\0\0\0\x01p\0\0\0\0"[..],
            b"\0\0\0\x01\0\0\0\x07console",
            b"\0\0\0\x01\0\0\0\x01k\0\0\0\x02\xc3\xbc",
            b"\0\0\0\0",
            b"\0\0\0\x01\0\0\0\x01l\0\0\0\x03OFF",
        ];
        assert_eq!(frame[4..], expected.concat());
        assert_eq!(frame[..4], (frame.len() as u32 - 4).to_be_bytes());
        let long = LogFile { text: "x".repeat(MOST_BYTES), ..file };
        assert!(wish(&long, &[]).is_err());
    }

    #[test]
    fn what_it_says_is_taken_apart_and_nonsense_is_told() {
        assert_eq!(said(b"R"), Ok(Said::Ready));
        assert_eq!(said(b"T"), Ok(Said::Taken));
        assert_eq!(said(b"Cline\n"), Ok(Said::Printed(b"line\n".to_vec())));
        assert_eq!(said(b"Eno class"), Ok(Said::Failed("no class".to_owned())));
        assert_eq!(said(b"P\0\0\x01\0"), Ok(Said::Done(256)));
        for wrong in [&b""[..], b"X", b"\xff", b"P\0\0\x01"] {
            assert!(said(wrong).is_err(), "{wrong:?}");
        }
    }
}
