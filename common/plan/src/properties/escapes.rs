//! What a backslash stands in front of.

pub(super) fn control(letter: u8) -> u16 {
    u16::from(match letter {
        b't' => b'\t',
        b'n' => b'\n',
        b'r' => b'\r',
        _ => b'\x0c',
    })
}

pub(super) fn hex(digits: Option<&[u8]>) -> Option<u16> {
    let digits = digits?;
    digits.iter().try_fold(0, |value: u16, digit| {
        Some(value << 4 | u16::try_from(char::from(*digit).to_digit(16)?).ok()?)
    })
}

/// Where the first backslash stands that escapes nothing which has to be or can be escaped.
pub(super) fn undefined(raw: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(next) = raw[at..].iter().position(|byte| *byte == b'\\') {
        at += next;
        if !raw.get(at + 1).is_none_or(is_defined) {
            return Some(at);
        }
        at = raw.len().min(at + 2);
    }
    None
}

fn is_defined(behind: &u8) -> bool {
    b"utnrf\\:=#! \t\x0c".contains(behind)
}

/// The text with the backslashes kept that [`undefined`] finds, and those in front of letters: who means `\d` means `\n` too.
pub(super) fn doubled(raw: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(raw.len() + 8);
    let mut rest = raw;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        let (before, escape) = rest.split_at(at);
        let (escape, after) = escape.split_at(escape.len().min(2));
        text.extend_from_slice(before);
        if escape.get(1).is_some_and(|behind| !is_defined(behind) || b"tnrf".contains(behind)) {
            text.push(b'\\');
        }
        text.extend_from_slice(escape);
        rest = after;
    }
    text.extend_from_slice(rest);
    text
}
