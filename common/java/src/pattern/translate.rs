//! From Java's spelling of a regex to that of the `regex` crate.

use super::escape::Piece;
use std::fmt::Write;

/// A pattern in the crate's spelling.
pub(super) struct Translated {
    pub(super) regex: String,
    /// It holds a `$` or `\Z` that stands for the end of the text; written as `\z`.
    pub(super) dollar: bool,
}

/// Rewrites `java`.
///
/// # Errors
/// What cannot be done, in an operator's words.
pub(super) fn translate(java: &str) -> Result<Translated, String> {
    let mut translator = Translator {
        input: java.chars().collect(),
        at: 0,
        out: String::with_capacity(2 * java.len()),
        flags: Flags::default(),
        outer: Vec::new(),
        dollar: false,
    };
    while let Some(next) = translator.take() {
        translator.element(next)?;
    }
    Ok(Translated { regex: translator.out, dollar: translator.dollar })
}

pub(super) struct Translator {
    pub(super) input: Vec<char>,
    pub(super) at: usize,
    pub(super) out: String,
    pub(super) flags: Flags,
    outer: Vec<Flags>, // of the groups around
    dollar: bool,
}

/// Java's flags, as far as they change how something is spelt.
#[derive(Clone, Copy, Default)]
pub(super) struct Flags {
    lines: bool,              // m: `^` and `$` are about lines
    dot_all: bool,            // s
    unix_lines: bool,         // d: only `\n` ends a line
    comments: bool,           // x
    pub(super) unicode: bool, // U: `\w`, `\d`, `\s` mean all of Unicode
}

impl Translator {
    fn element(&mut self, next: char) -> Result<(), String> {
        match next {
            '\\' => self.escape(),
            '[' => self.class(),
            '(' => self.open(),
            ')' => {
                self.flags = self.outer.pop().unwrap_or(self.flags);
                self.out.push(')');
                Ok(())
            }
            '.' => {
                self.out.push_str(match (self.flags.dot_all, self.flags.unix_lines) {
                    (true, _) => "(?s:.)",
                    (false, true) => r"[^\n]",
                    (false, false) => r"[^\n\r\x{85}\x{2028}\x{2029}]",
                });
                Ok(())
            }
            '^' => {
                let line = if self.flags.unix_lines { "(?m:^)" } else { "(?mR:^)" };
                self.out.push_str(if self.flags.lines { line } else { r"\A" });
                Ok(())
            }
            '$' => {
                self.end();
                Ok(())
            }
            '|' => {
                self.out.push('|');
                Ok(())
            }
            '*' | '+' | '?' | '{' => self.quantifier(next),
            blank if self.flags.comments && blank.is_ascii_whitespace() => Ok(()),
            '#' if self.flags.comments => {
                while self.take().is_some_and(|next| next != '\n') {}
                Ok(())
            }
            other => {
                self.literal(other);
                Ok(())
            }
        }
    }

    fn end(&mut self) {
        if !self.flags.lines {
            self.dollar = true;
            self.out.push_str(r"\z");
        } else if self.flags.unix_lines {
            self.out.push_str("(?m:$)");
        } else {
            self.out.push_str("(?mR:$)");
        }
    }

    fn quantifier(&mut self, first: char) -> Result<(), String> {
        self.out.push(first);
        if first == '{' {
            loop {
                match self.take() {
                    Some(next) if next.is_ascii_digit() || next == ',' => self.out.push(next),
                    Some('}') => break self.out.push('}'),
                    _ => {
                        return Err(
                            "`{` begins a repeat count such as `{2,5}`; write `\\{` for the character".into(),
                        );
                    }
                }
            }
        }
        match self.peek() {
            Some('?') => {
                self.at += 1;
                self.out.push('?');
                Ok(())
            }
            Some('+') => {
                Err(cannot("possessive repeats (`*+`, `++`, `?+`)", "write them without the last `+`"))
            }
            _ => Ok(()),
        }
    }

    fn open(&mut self) -> Result<(), String> {
        let before = self.flags;
        if self.peek() != Some('?') {
            self.outer.push(before);
            self.out.push('(');
            return Ok(());
        }
        let rest: String = self.input[self.at + 1..].iter().take(2).collect();
        if rest.starts_with(['=', '!']) || rest == "<=" || rest == "<!" {
            return Err(cannot(
                "look-around (`(?=`, `(?!`, `(?<=`, `(?<!`)",
                "match the text around, or use two interceptors",
            ));
        }
        if rest.starts_with('>') {
            return Err(cannot("atomic groups (`(?>`)", "write `(?:`"));
        }
        self.at += 1;
        if rest.starts_with('<') {
            self.outer.push(before);
            self.out.push_str("(?");
            self.group_name();
            return Ok(());
        }
        self.group_flags(before)
    }

    /// `<name>` of a group, copied as it stands: it is no text to match.
    fn group_name(&mut self) {
        while let Some(next) = self.take() {
            self.out.push(next);
            if next == '>' {
                break;
            }
        }
    }

    /// What follows `(?`: flags for the rest of the group, or for a group of their own.
    fn group_flags(&mut self, before: Flags) -> Result<(), String> {
        let (mut on, mut case) = (true, None);
        loop {
            match self.take() {
                Some('-') => on = false,
                Some('i') => case = Some(on),
                Some('m') => self.flags.lines = on,
                Some('s') => self.flags.dot_all = on,
                Some('d') => self.flags.unix_lines = on,
                Some('x') => self.flags.comments = on,
                Some('U') => self.flags.unicode = on,
                Some('u') => {} // case folding is about all of Unicode in any case
                Some(end @ (')' | ':')) => {
                    if end == ':' {
                        self.outer.push(before);
                    }
                    self.close_flags(case, end);
                    return Ok(());
                }
                _ => return Err("`(?` is followed by something Java does not know either".into()),
            }
        }
    }

    fn close_flags(&mut self, case: Option<bool>, end: char) {
        let case = match case {
            Some(true) => "i",
            Some(false) => "-i",
            None if end == ')' => return,
            None => "",
        };
        self.out.extend(["(?", case]);
        self.out.push(end);
    }

    fn escape(&mut self) -> Result<(), String> {
        let Some(next) = self.take() else { return Err("it ends in a single `\\`".into()) };
        match next {
            'Q' => {
                self.quoted(|this, next| this.literal(next));
                Ok(())
            }
            'b' | 'B' | 'A' | 'z' => {
                self.out.extend(['\\', next]);
                Ok(())
            }
            'Z' => {
                self.dollar = true;
                self.out.push_str(r"\z");
                Ok(())
            }
            'R' => {
                self.out.push_str(r"(?:\r\n|[\n\x0B\x0C\r\x{85}\x{2028}\x{2029}])");
                Ok(())
            }
            'G' | 'X' => Err(cannot(&format!("`\\{next}`"), "write it another way")),
            '1'..='9' | 'k' => {
                Err(cannot(&format!("back-references (`\\{next}`)"), "spell out what may be repeated"))
            }
            other => {
                let mark = self.out.len();
                match self.piece(other)? {
                    Piece::Char(char) => self.literal(char),
                    Piece::Set => {
                        self.out.insert(mark, '[');
                        self.out.push(']');
                    }
                }
                Ok(())
            }
        }
    }

    /// Everything up to `\E`, or to the end, as it stands.
    fn quoted(&mut self, mut each: impl FnMut(&mut Self, char)) {
        while let Some(next) = self.take() {
            if next == '\\' && self.peek() == Some('E') {
                self.at += 1;
                break;
            }
            each(self, next);
        }
    }

    /// A character class, its `[` already taken.
    fn class(&mut self) -> Result<(), String> {
        self.out.push('[');
        if self.peek() == Some('^') {
            self.at += 1;
            self.out.push('^');
        }
        let mut first = true;
        loop {
            match self.take().ok_or("a `[` has no `]`")? {
                ']' if !first => break self.out.push(']'),
                '[' => self.class()?,
                '&' if self.peek() == Some('&') => {
                    self.at += 1;
                    self.out.push_str("&&");
                }
                '\\' if self.peek() == Some('Q') => {
                    self.at += 1;
                    self.quoted(|this, next| this.literal(next));
                }
                blank if self.flags.comments && blank.is_ascii_whitespace() => continue,
                next => self.class_item(next)?,
            }
            first = false;
        }
        Ok(())
    }

    /// One character, a range of them, or a set.
    fn class_item(&mut self, next: char) -> Result<(), String> {
        let Piece::Char(from) = self.class_piece(next)? else { return Ok(()) };
        self.literal(from);
        let range =
            self.peek() == Some('-') && !matches!(self.input.get(self.at + 1), Some(']' | '[') | None);
        if !range {
            return Ok(());
        }
        self.at += 1;
        let next = self.take().ok_or("a `[` has no `]`")?;
        let mark = self.out.len();
        match self.class_piece(next)? {
            Piece::Char(to) => {
                self.out.push('-');
                self.literal(to);
            }
            Piece::Set => self.out.insert_str(mark, r"\-"),
        }
        Ok(())
    }

    fn class_piece(&mut self, next: char) -> Result<Piece, String> {
        if next != '\\' {
            return Ok(Piece::Char(next));
        }
        let name = self.take().ok_or("it ends in a single `\\`")?;
        self.piece(name)
    }

    /// A character that matches itself.
    fn literal(&mut self, char: char) {
        if char.is_ascii_alphanumeric() || !char.is_ascii() {
            self.out.push(char);
        } else {
            // Writing to a string cannot fail.
            let _ = write!(self.out, r"\x{:02X}", u32::from(char));
        }
    }

    pub(super) fn take(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += 1;
        Some(next)
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.input.get(self.at).copied()
    }
}

pub(super) fn cannot(what: &str, instead: &str) -> String {
    format!("{what} cannot be done here, unlike in Java; {instead}")
}
