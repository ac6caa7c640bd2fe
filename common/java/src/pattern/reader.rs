//! A pattern's characters, one after another, and the flags that hold where the reader stands.

/// Reads a pattern. Columns count characters from 1.
#[derive(Debug)]
pub(super) struct Reader {
    input: Vec<char>,
    at: usize,
    pub(super) flags: Flags,
}

/// Java's flags.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flags {
    pub(super) any_case: bool,     // i
    pub(super) unicode_case: bool, // u: `i` is about all of Unicode, else about ASCII
    pub(super) lines: bool,        // m: `^` and `$` are about lines
    pub(super) dot_all: bool,      // s
    pub(super) unix_lines: bool,   // d: only `\n` ends a line
    pub(super) comments: bool,     // x
    pub(super) unicode: bool,      // U: `\w`, `\d`, `\s` mean all of Unicode
}

impl Reader {
    pub(super) fn new(pattern: &str) -> Reader {
        Reader { input: pattern.chars().collect(), at: 0, flags: Flags::default() }
    }

    pub(super) fn take(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += 1;
        Some(next)
    }

    /// Takes the next character if it is `wanted`.
    pub(super) fn take_if(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.input.get(self.at).copied()
    }

    /// What stands behind the next character.
    pub(super) fn peek_second(&self) -> Option<char> {
        self.input.get(self.at + 1).copied()
    }

    /// Everything up to `end`, which is taken too; none if it never comes.
    pub(super) fn take_until(&mut self, end: char) -> Option<String> {
        let length = self.input[self.at..].iter().position(|next| *next == end)?;
        let text = self.input[self.at..self.at + length].iter().collect();
        self.at += length + 1;
        Some(text)
    }

    /// `count` digits as a number, if that many are next.
    pub(super) fn digits(&mut self, count: usize, radix: u32) -> Option<u32> {
        let digits = self.input.get(self.at..self.at + count)?;
        let value = digits.iter().try_fold(0, |value, digit| Some(value * radix + digit.to_digit(radix)?))?;
        self.at += count;
        Some(value)
    }

    /// Whether digits and commas are next, and then `end`. Takes nothing.
    pub(super) fn digits_then(&self, end: char) -> bool {
        let mut rest = self.input[self.at..].iter().skip_while(|next| next.is_ascii_digit() || **next == ',');
        self.peek().is_some_and(|next| next.is_ascii_digit()) && rest.next() == Some(&end)
    }

    /// With the flag `x`, passes blanks, and comments up to the end of their lines.
    pub(super) fn skip_comments(&mut self) {
        while self.flags.comments {
            match self.peek() {
                Some(' ' | '\t'..='\r') => self.at += 1,
                // The line end itself stays: those that are no blanks stand for themselves, as in Java.
                Some('#') => {
                    while self.peek().is_some_and(|next| !self.ends_line(next)) {
                        self.at += 1;
                    }
                }
                _ => return,
            }
        }
    }

    fn ends_line(&self, next: char) -> bool {
        next == '\n' || !self.flags.unix_lines && ['\r', '\u{85}', '\u{2028}', '\u{2029}'].contains(&next)
    }

    /// Up to `\E`, or to the end, each character stands for itself; `\Q` is taken already.
    pub(super) fn quoted(&mut self) -> Option<char> {
        if self.peek() == Some('\\') && self.peek_second() == Some('E') {
            self.at += 2;
            return None;
        }
        self.take()
    }

    /// The column of the character that was taken last.
    pub(super) fn column(&self) -> usize {
        self.at.max(1)
    }
}

/// Why a pattern is refused, in an operator's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    what: String,
    javas: bool,
}

impl Refused {
    /// Whether Java refuses it too.
    pub fn is_javas(&self) -> bool {
        self.javas
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what)
    }
}

impl From<Refused> for String {
    fn from(refused: Refused) -> String {
        refused.what
    }
}

/// What is wrong at a column, in Java too, and what to write instead.
pub(super) fn wrong(column: usize, what: impl std::fmt::Display) -> Refused {
    Refused { what: format!("column {column}: {what}"), javas: true }
}

/// What Java has and this has not.
pub(super) fn cannot(column: usize, what: impl std::fmt::Display, instead: &str) -> Refused {
    let what = format!("column {column}: {what} is not supported, unlike in Java; {instead}");
    Refused { what, javas: false }
}

/// What the engine says to a pattern that Java may well take.
pub(super) fn engine(what: String) -> Refused {
    Refused { what, javas: false }
}
