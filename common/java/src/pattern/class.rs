//! Character classes: `[a-z&&[^b]]`.
//!
//! A class ends as a plain list of ranges, worked out by `regex-syntax`: both engines read that alike.

use super::escape::{ENDS, Piece, escape};
use super::reader::{Flags, Reader, Refused, wrong};
use regex_syntax::hir::{Class, HirKind};
use std::fmt::Write;

/// Reads a class whose `[` was taken already, and writes out the characters that it matches.
///
/// # Errors
/// What is wrong with it, in an operator's words.
pub(super) fn class(reader: &mut Reader) -> Result<String, Refused> {
    let column = reader.column();
    let mut text = String::new();
    nested(reader, &mut text, column, 0)?;
    ranges(&text, reader.flags).map_err(|what| wrong(column, what))
}

/// The characters of a class in the crate's spelling, as a list of ranges.
///
/// # Errors
/// What the crate says to it.
pub(super) fn ranges(class: &str, flags: Flags) -> Result<String, String> {
    let folded = flags.any_case && flags.unicode_case;
    let parsed =
        if folded { regex_syntax::parse(&format!("(?i:{class})")) } else { regex_syntax::parse(class) };
    let parsed = parsed.map_err(|error| {
        let text = error.to_string();
        let last = text.lines().last().unwrap_or_default();
        format!("not a valid set of characters ({})", last.trim_start_matches("error: "))
    })?;
    let mut out = String::from("[");
    match parsed.kind() {
        HirKind::Class(Class::Unicode(set)) if set.ranges().is_empty() => return Ok(NOTHING.into()),
        HirKind::Class(Class::Unicode(set)) => {
            set.ranges().iter().for_each(|range| push_range(&mut out, range.start(), range.end()));
        }
        HirKind::Class(Class::Bytes(set)) => {
            set.ranges()
                .iter()
                .for_each(|range| push_range(&mut out, range.start().into(), range.end().into()));
        }
        HirKind::Literal(literal) => {
            let text = std::str::from_utf8(&literal.0).unwrap_or_default();
            text.chars().for_each(|char| push_range(&mut out, char, char));
        }
        _ => return Ok(NOTHING.into()),
    }
    out.push(']');
    Ok(out)
}

/// Appends a character, so that it stands for itself within a class and without.
pub(super) fn push_literal(out: &mut String, char: char) {
    if char.is_ascii_alphanumeric() || !char.is_ascii() {
        out.push(char);
    } else {
        // Writing to a string cannot fail.
        let _ = write!(out, r"\x{:02X}", u32::from(char));
    }
}

/// One character, or that in any case as the flags have it; as a class if it is more than one.
pub(super) fn push_char(out: &mut String, char: char, flags: Flags) -> Result<(), String> {
    if !flags.any_case || (!flags.unicode_case && !char.is_ascii_alphabetic()) {
        push_literal(out, char);
        return Ok(());
    }
    let mut class = String::from("[");
    push_item(&mut class, char, char, flags);
    class.push(']');
    out.push_str(&ranges(&class, flags)?);
    Ok(())
}

/// What no character matches.
const NOTHING: &str = r"[^\x{0}-\x{10FFFF}]";

/// Deeper classes are refused: the reader calls itself for each.
const MOST_DEPTH: usize = 60;

fn nested(reader: &mut Reader, out: &mut String, column: usize, depth: usize) -> Result<(), Refused> {
    let unclosed = || wrong(column, "a `[` has no `]`; write `\\[` for the character");
    if depth > MOST_DEPTH {
        return Err(wrong(column, format!("more than {MOST_DEPTH} classes within each other")));
    }
    out.push('[');
    if reader.take_if('^') {
        out.push('^');
    }
    let mut operand = Operand::Start;
    loop {
        reader.skip_comments();
        match reader.take().ok_or_else(unclosed)? {
            ']' if operand == Operand::Some => break out.push(']'),
            ']' if operand == Operand::Behind => {
                return Err(wrong(reader.column(), "nothing stands between `&&` and `]`"));
            }
            '[' => nested(reader, out, reader.column(), depth + 1)?,
            '&' if reader.peek() == Some('&') => {
                if operand == Operand::Behind || reader.peek_second() == Some('&') {
                    return Err(wrong(
                        reader.column(),
                        "`&&` stands beside another `&`; write `\\&` for the character",
                    ));
                }
                reader.take();
                if operand == Operand::Some {
                    out.push_str("&&");
                }
                operand = Operand::Behind;
                continue;
            }
            '\\' if reader.peek() == Some('Q') => {
                reader.take();
                while let Some(next) = reader.quoted() {
                    push_item(out, next, next, reader.flags);
                    operand = Operand::Some;
                }
                continue;
            }
            next => item(reader, out, next)?,
        }
        operand = Operand::Some;
    }
    Ok(())
}

/// What a class has so far.
#[derive(PartialEq, Eq)]
enum Operand {
    /// Nothing: a `]` is a character.
    Start,
    /// Something that the next `]` ends.
    Some,
    /// Nothing behind `&&`.
    Behind,
}

/// One character, a range of them, or a set; `next` was taken already.
fn item(reader: &mut Reader, out: &mut String, next: char) -> Result<(), Refused> {
    let from = match piece(reader, next)? {
        Piece::Char(from) => from,
        Piece::Set(set) => {
            out.push_str(&set);
            return Ok(());
        }
    };
    reader.skip_comments();
    let range = reader.peek() == Some('-') && !matches!(reader.peek_second(), Some(']' | '[') | None);
    if !range {
        push_item(out, from, from, reader.flags);
        return Ok(());
    }
    reader.take();
    reader.skip_comments();
    let column = reader.column() + 1;
    let next = reader.take().ok_or_else(|| wrong(column, "a range in a class has no end"))?;
    match piece(reader, next)? {
        Piece::Char(to) if from <= to => push_item(out, from, to, reader.flags),
        Piece::Char(_) => return Err(wrong(column, "a range in a class ends before it begins")),
        Piece::Set(_) => return Err(wrong(column, "a range in a class must end in one character")),
    }
    Ok(())
}

fn piece(reader: &mut Reader, next: char) -> Result<Piece, Refused> {
    match next {
        '\\' if reader.peek().is_none() => Err(wrong(reader.column(), ENDS)),
        '\\' => escape(reader),
        other => Ok(Piece::Char(other)),
    }
}

/// A range of characters, and what differs from them in case as far as ASCII goes, if the flags say so.
fn push_item(out: &mut String, from: char, to: char, flags: Flags) {
    push_range(out, from, to);
    if !flags.any_case {
        return;
    }
    for (first, last, other) in [('a', 'z', 'A'), ('A', 'Z', 'a')] {
        let (low, high) = (from.max(first), to.min(last));
        if low <= high {
            let moved = |char: char| char::from((char as u8 - first as u8) + other as u8);
            push_range(out, moved(low), moved(high));
        }
    }
    // Java folds by way of capital letters: both i's without a partner in Unicode's own folding are an `i`.
    if flags.unicode_case && from == to && ['i', 'I', 'ı', 'İ'].contains(&from) {
        out.push_str("iIıİ");
    }
}

fn push_range(out: &mut String, from: char, to: char) {
    push_literal(out, from);
    if from < to {
        out.push('-');
        push_literal(out, to);
    }
}
