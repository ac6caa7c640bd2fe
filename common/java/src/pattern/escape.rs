//! What stands behind a `\` in a regex: one character, or a set of them.

use super::property::property;
use super::reader::{Flags, Reader, Refused, cannot, wrong};

/// What an escape stands for.
#[derive(Debug)]
pub(super) enum Piece {
    Char(char),
    /// A class in the spelling of the `regex` crate, brackets included.
    Set(String),
}

/// Reads the escape whose `\` was taken already, where it stands for characters.
///
/// # Errors
/// What is wrong with it, in an operator's words.
pub(super) fn escape(reader: &mut Reader) -> Result<Piece, Refused> {
    let column = reader.column();
    let name = reader.take().ok_or_else(|| wrong(column, ENDS))?;
    let char = match name {
        'd' | 'D' | 'w' | 'W' | 's' | 'S' | 'h' | 'H' | 'v' | 'V' => {
            return Ok(Piece::Set(short_set(name, reader.flags)));
        }
        'p' | 'P' => return property(reader, column, name == 'P').map(Piece::Set),
        't' => '\t',
        'n' => '\n',
        'r' => '\r',
        'f' => '\u{c}',
        'a' => '\u{7}',
        'e' => '\u{1b}',
        'c' => {
            let letter = reader.take().filter(char::is_ascii);
            let letter = letter.ok_or_else(|| wrong(column, "`\\c` is followed by no letter"))?;
            char::from(letter as u8 ^ 64)
        }
        'x' | 'u' => hexadecimal(reader, name, column)?,
        '0' => octal(reader, column)?,
        'N' => {
            return Err(cannot(column, "`\\N{...}`, a character by its name", "write it, or `\\x{...}`"));
        }
        letter if letter.is_ascii_alphanumeric() => {
            let what =
                format!("`\\{letter}` means nothing here; write `{letter}` without `\\` for the character");
            return Err(wrong(column, what));
        }
        other => other,
    };
    Ok(Piece::Char(char))
}

fn short_set(name: char, flags: Flags) -> String {
    let set = match (name.to_ascii_lowercase(), flags.unicode) {
        ('d', true) => r"\p{Nd}",
        ('w', true) => r"\w",
        ('s', true) => r"\p{White_Space}",
        ('d', false) => "0-9",
        ('w', false) => "A-Za-z0-9_",
        ('s', false) => r"\t-\r\x20",
        ('h', _) => r"\t\x20\x{A0}\x{1680}\x{180E}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}",
        _ => r"\n-\r\x{85}\x{2028}\x{2029}",
    };
    format!("[{}{set}]", if name.is_ascii_uppercase() { "^" } else { "" })
}

/// `\xhh`, `\x{h...}`, `\uhhhh`, and two of the last for one character beyond the first 65,536.
fn hexadecimal(reader: &mut Reader, name: char, column: usize) -> Result<char, Refused> {
    let fault = || wrong(column, format!("`\\{name}` is not followed by the number of a character"));
    let unit = match name {
        'x' if reader.take_if('{') => {
            let digits = reader.take_until('}').ok_or_else(fault)?;
            u32::from_str_radix(&digits, 16).map_err(|_| fault())?
        }
        'x' => reader.digits(2, 16).ok_or_else(fault)?,
        _ => reader.digits(4, 16).ok_or_else(fault)?,
    };
    let follows = reader.peek() == Some('\\') && reader.peek_second() == Some('u');
    if name == 'u' && (0xd800..0xdc00).contains(&unit) && follows {
        reader.take();
        reader.take();
        let low = reader.digits(4, 16).filter(|low| (0xdc00..0xe000).contains(low)).ok_or_else(fault)?;
        return char::from_u32(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00)).ok_or_else(fault);
    }
    char::from_u32(unit).ok_or_else(fault)
}

/// `\0n`, `\0nn`, `\0mnn`.
fn octal(reader: &mut Reader, column: usize) -> Result<char, Refused> {
    let mut value = None;
    while let Some(digit) = reader.peek().and_then(|next| next.to_digit(8)) {
        let next = value.unwrap_or(0) * 8 + digit;
        if next > 0o377 {
            break;
        }
        value = Some(next);
        reader.take();
    }
    let char = value.and_then(char::from_u32);
    char.ok_or_else(|| wrong(column, "`\\0` is not followed by an octal number"))
}

/// Of a pattern whose last character is a `\` that belongs to nothing.
pub(super) const ENDS: &str = "the regex ends in a single `\\`; write `\\\\` for the character";
