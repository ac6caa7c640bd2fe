//! What stands behind a `\` in a regex: one character, or a set of them.

use super::translate::{Translator, cannot};
use std::fmt::Write;

/// What an escape stands for.
#[derive(Clone, Copy)]
pub(super) enum Piece {
    Char(char),
    /// Ready for use within `[` and `]`.
    Set,
}

impl Translator {
    /// An escape that stands for one character, or for a set of them; a set is written out.
    pub(super) fn piece(&mut self, name: char) -> Result<Piece, String> {
        let char = match name {
            'd' | 'D' | 'w' | 'W' | 's' | 'S' | 'h' | 'H' | 'v' | 'V' => return Ok(self.short_set(name)),
            'p' | 'P' => return self.property(name == 'P'),
            't' => '\t',
            'n' => '\n',
            'r' => '\r',
            'f' => '\u{c}',
            'a' => '\u{7}',
            'e' => '\u{1b}',
            'c' => char::from(
                (self.take().filter(char::is_ascii).ok_or("`\\c` is followed by no letter")? as u8) ^ 64,
            ),
            'x' | 'u' => self.hexadecimal(name)?,
            '0' => self.octal()?,
            letter if letter.is_ascii_alphanumeric() => {
                return Err(format!(
                    "`\\{letter}` means nothing in a Java regex; for the character write it without `\\`"
                ));
            }
            other => other,
        };
        Ok(Piece::Char(char))
    }

    fn short_set(&mut self, name: char) -> Piece {
        if self.flags.unicode && !"hHvV".contains(name) {
            self.out.extend(['\\', name]);
            return Piece::Set;
        }
        let set = match name.to_ascii_lowercase() {
            'd' => "0-9",
            'w' => "A-Za-z0-9_",
            's' => r"\t\n\x0B\x0C\r\x20",
            'h' => r"\t\x20\x{A0}\x{1680}\x{180E}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}",
            _ => r"\n\x0B\x0C\r\x{85}\x{2028}\x{2029}",
        };
        self.set(set, name.is_ascii_uppercase());
        Piece::Set
    }

    fn set(&mut self, set: &str, negated: bool) {
        self.out.extend(if negated { ["[^", set, "]"] } else { ["[", set, "]"] });
    }

    /// `\p{...}` and `\pL`.
    fn property(&mut self, negated: bool) -> Result<Piece, String> {
        let name: String = match self.take() {
            Some('{') => std::iter::from_fn(|| self.take().filter(|next| *next != '}')).collect(),
            Some(letter) => letter.into(),
            None => return Err("`\\p` is followed by no name".into()),
        };
        if let Some((_, set)) = POSIX.iter().find(|(posix, _)| *posix == name) {
            self.set(set, negated);
            return Ok(Piece::Set);
        }
        if name.starts_with("java")
            || name.starts_with("In")
            || name.starts_with("block=")
            || name.starts_with("blk=")
        {
            return Err(cannot(
                &format!("`\\p{{{name}}}`"),
                "name a script (`\\p{IsHan}`) or a category (`\\p{L}`)",
            ));
        }
        let name = name.strip_prefix("Is").unwrap_or(&name);
        // Writing to a string cannot fail.
        let _ = write!(self.out, r"\{}{{{name}}}", if negated { 'P' } else { 'p' });
        Ok(Piece::Set)
    }

    /// `\xhh`, `\x{h...}`, `\uhhhh`, and two of the last for one character beyond the first 65,536.
    fn hexadecimal(&mut self, name: char) -> Result<char, String> {
        let wrong = || format!("`\\{name}` is not followed by the number of a character");
        let unit = match (name, self.peek()) {
            ('x', Some('{')) => {
                self.at += 1;
                let digits: String = std::iter::from_fn(|| self.take().filter(|next| *next != '}')).collect();
                u32::from_str_radix(&digits, 16).map_err(|_| wrong())?
            }
            ('x', _) => self.digits(2, 16).ok_or_else(wrong)?,
            _ => self.digits(4, 16).ok_or_else(wrong)?,
        };
        let follows = self.input[self.at..].starts_with(&['\\', 'u']);
        if name == 'u' && (0xd800..0xdc00).contains(&unit) && follows {
            self.at += 2;
            let low = self.digits(4, 16).filter(|low| (0xdc00..0xe000).contains(low)).ok_or_else(wrong)?;
            return char::from_u32(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00)).ok_or_else(wrong);
        }
        char::from_u32(unit).ok_or_else(wrong)
    }

    /// `\0n`, `\0nn`, `\0mnn`.
    fn octal(&mut self) -> Result<char, String> {
        let mut value = None;
        while let Some(digit) = self.peek().and_then(|next| next.to_digit(8)) {
            let next = value.unwrap_or(0) * 8 + digit;
            if next > 0o377 {
                break;
            }
            value = Some(next);
            self.at += 1;
        }
        value.and_then(char::from_u32).ok_or_else(|| "`\\0` is not followed by an octal number".into())
    }

    fn digits(&mut self, count: usize, radix: u32) -> Option<u32> {
        (0..count).try_fold(0, |value, _| Some(value * radix + self.take()?.to_digit(radix)?))
    }
}

/// Java's `\p{...}` for ASCII.
const POSIX: [(&str, &str); 13] = [
    ("Lower", "a-z"),
    ("Upper", "A-Z"),
    ("ASCII", r"\x00-\x7F"),
    ("Alpha", "A-Za-z"),
    ("Digit", "0-9"),
    ("Alnum", "A-Za-z0-9"),
    ("Punct", r"!-/:-@\x5B-`\x7B-~"),
    ("Graph", "!-~"),
    ("Print", r"\x20-~"),
    ("Blank", r"\x20\t"),
    ("Cntrl", r"\x00-\x1F\x7F"),
    ("XDigit", "0-9A-Fa-f"),
    ("Space", r"\x20\t\n\x0B\x0C\r"),
];
