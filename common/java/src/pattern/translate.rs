//! From Java's spelling of a regex to that of the engines.

use super::class::{class, push_char, push_literal, ranges};
use super::escape::{ENDS, Piece, escape};
use super::reader::{Flags, Reader, Refused, cannot, wrong};

/// A pattern in the engines' spelling.
#[derive(Debug)]
pub(super) struct Translated {
    /// For the `regex` crate; none when it needs look-around, back-references, or possessive or atomic groups.
    pub(super) fast: Option<String>,
    /// For `fancy-regex`: what Java means, to the letter.
    pub(super) exact: String,
    /// In which texts the two differ.
    pub(super) differs: Differs,
    /// Names of the groups, in order; the whole match is not among them.
    pub(super) groups: Vec<Option<String>>,
}

/// Where `fast` is only nearly right: the `regex` crate has no look-around to say it with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Differs {
    /// In a text that ends with a line end, in front of which Java's `$` matches too.
    pub(super) final_end: bool,
    /// In a text with nothing in it, where Java's `(?m)^` does not match.
    pub(super) empty: bool,
    /// In a text with one of the line ends U+0085, U+2028, U+2029.
    pub(super) odd_ends: bool,
}

/// Rewrites `java`.
///
/// # Errors
/// What is wrong, or cannot be done, and in which column, in an operator's words.
pub(super) fn translate(java: &str) -> Result<Translated, Refused> {
    let mut translator = Translator {
        reader: Reader::new(java),
        out: Translated {
            fast: Some(String::with_capacity(2 * java.len())),
            exact: String::with_capacity(2 * java.len()),
            differs: Differs::default(),
            groups: Vec::new(),
        },
        outer: Vec::new(),
        look: None,
        repeats: false,
    };
    loop {
        translator.reader.skip_comments();
        let Some(next) = translator.reader.take() else { break };
        translator.element(next)?;
    }
    match translator.outer.first() {
        Some(group) => Err(wrong(group.column, "a `(` has no `)`; write `[(]` for the character")),
        None => Ok(translator.out),
    }
}

/// An open group.
struct Group {
    column: usize,
    flags: Flags, // in front of it
    start: usize, // in `exact`
}

struct Translator {
    reader: Reader,
    out: Translated,
    outer: Vec<Group>,   // those around
    look: Option<usize>, // what was read last may be a look-around, and begins here in `exact`
    repeats: bool,       // what was read last can be repeated
}

impl Translator {
    /// Writes the same for both engines.
    fn push(&mut self, text: &str) {
        self.out.exact.push_str(text);
        if let Some(fast) = &mut self.out.fast {
            fast.push_str(text);
        }
    }

    /// Writes what only the exact engine can do.
    fn push_exact(&mut self, text: &str) {
        self.out.fast = None;
        self.out.exact.push_str(text);
    }

    /// Writes what the engines spell differently.
    fn push_both(&mut self, fast: &str, exact: &str) {
        self.out.exact.push_str(exact);
        if let Some(text) = &mut self.out.fast {
            text.push_str(fast);
        }
    }

    fn element(&mut self, next: char) -> Result<(), Refused> {
        let look = self.look.take();
        match next {
            '*' | '+' | '?' | '{' => return self.quantifier(next, look),
            '(' => return self.open(),
            ')' => self.close()?,
            '|' => {
                self.push("|");
                self.repeats = false;
                return Ok(());
            }
            '\\' => self.escape()?,
            '[' => {
                let set = class(&mut self.reader)?;
                self.push(&set);
            }
            '.' => self.push(match (self.reader.flags.dot_all, self.reader.flags.unix_lines) {
                (true, _) => r"[\x{0}-\x{10FFFF}]",
                (false, true) => r"[^\n]",
                (false, false) => r"[^\n\r\x{85}\x{2028}\x{2029}]",
            }),
            '^' => self.begin(),
            '$' => self.end(self.reader.flags.lines),
            other => self.literal(other)?,
        }
        self.repeats = true;
        Ok(())
    }

    fn close(&mut self) -> Result<(), Refused> {
        let column = self.reader.column();
        let group = self.outer.pop();
        let group = group.ok_or_else(|| wrong(column, "a `)` has no `(`; write `[)]` for the character"))?;
        self.reader.flags = group.flags;
        self.push(")");
        let text = &self.out.exact[group.start..];
        let looks = ["(?=", "(?!", "(?<", "(?:(?", "(?:)"].iter().any(|begin| text.starts_with(begin));
        self.look = looks.then_some(group.start);
        Ok(())
    }

    fn begin(&mut self) {
        let flags = self.reader.flags;
        if !flags.lines {
            return self.push(r"\A");
        }
        // Not at the end of the text, unlike in all other engines.
        self.out.differs.final_end = true;
        self.out.differs.empty = true;
        if flags.unix_lines {
            self.push_both("(?m:^)", r"(?:(?:\A|(?<=\n))(?!\z))");
        } else {
            self.out.differs.odd_ends = true;
            let exact = r"(?:(?:\A|(?<=[\n\x{85}\x{2028}\x{2029}])|(?<=\r)(?!\n))(?!\z))";
            self.push_both("(?mR:^)", exact);
        }
    }

    fn end(&mut self, lines: bool) {
        match (lines, self.reader.flags.unix_lines) {
            (true, true) => self.push_both("(?m:$)", r"(?:\z|(?=\n))"),
            (true, false) => {
                self.out.differs.odd_ends = true;
                self.push_both("(?mR:$)", r"(?:\z|(?=[\r\x{85}\x{2028}\x{2029}])|(?<!\r)(?=\n))");
            }
            (false, true) => {
                self.out.differs.final_end = true;
                self.push_both(r"\z", r"(?:\z|(?=\n\z))");
            }
            (false, false) => {
                self.out.differs.final_end = true;
                let exact = r"(?:\z|(?=\r\n\z)|(?=[\r\x{85}\x{2028}\x{2029}]\z)|(?<!\r)(?=\n\z))";
                self.push_both(r"\z", exact);
            }
        }
    }

    fn quantifier(&mut self, first: char, look: Option<usize>) -> Result<(), Refused> {
        let column = self.reader.column();
        let count = match first {
            '{' => self.count(column)?,
            other => other.to_string(),
        };
        self.reader.skip_comments();
        let (lazy, possessive) = (self.reader.take_if('?'), self.reader.take_if('+'));
        if !std::mem::replace(&mut self.repeats, false) {
            // As in Java, where a second count repeats the nothing between the two.
            return match first {
                '{' => Ok(()),
                _ => Err(wrong(
                    column,
                    format!(
                        "`{first}` stands behind nothing that it could repeat; write `[{first}]` for the character"
                    ),
                )),
            };
        }
        if lazy && possessive {
            return Err(wrong(self.reader.column(), "`+` stands behind nothing that it could repeat"));
        }
        if let Some(at) = look {
            // The engine repeats no look-around, but a choice of one and of what never matches.
            self.out.exact.insert_str(at, "(?:");
            self.out.exact.push_str("|(?!))");
        }
        if possessive {
            self.push_exact(&count);
            self.out.exact.push('+');
        } else {
            self.push(&count);
            self.push(if lazy { "?" } else { "" });
        }
        Ok(())
    }

    /// `{2}`, `{2,}`, `{2,5}`.
    fn count(&mut self, column: usize) -> Result<String, Refused> {
        let slip = self.reader.digits_then(']');
        let fault = || {
            let instead = match slip {
                true => "; this one ends with `]` in place of `}`",
                false => "; write `[{]` for the character", // a file of properties drops a single backslash
            };
            wrong(column, format!("`{{` begins a repeat count such as `{{2,5}}`{instead}"))
        };
        let text = self.reader.take_until('}').ok_or_else(fault)?;
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            if !digits {
                return Err(fault());
            }
            let small = text.parse::<u32>().ok().filter(|count| *count <= MOST_REPEATS);
            small.ok_or_else(|| wrong(column, format!("a repeat count is larger than {MOST_REPEATS}")))
        };
        match text.split_once(',') {
            None => Ok(format!("{{{}}}", number(&text)?)),
            Some((least, "")) => Ok(format!("{{{},}}", number(least)?)),
            Some((least, most)) => {
                let (least, most) = (number(least)?, number(most)?);
                if most < least {
                    return Err(wrong(column, "a repeat count ends before it begins"));
                }
                Ok(format!("{{{least},{most}}}"))
            }
        }
    }

    fn open(&mut self) -> Result<(), Refused> {
        let column = self.reader.column();
        let before = self.reader.flags;
        self.reader.skip_comments();
        self.repeats = false;
        let start = self.out.exact.len();
        if !self.reader.take_if('?') {
            self.out.groups.push(None);
            self.push("(");
        } else if matches!(self.reader.peek(), Some('=' | '!' | '>')) {
            let kind = self.reader.take().unwrap_or_default();
            self.push_exact(&format!("(?{kind}"));
        } else if self.reader.take_if('<') {
            match self.reader.peek() {
                Some(kind @ ('=' | '!')) => {
                    self.reader.take();
                    self.push_exact(&format!("(?<{kind}"));
                }
                _ => self.named_group(column)?,
            }
        } else if self.flags(column)? == ')' {
            return Ok(());
        } else {
            self.push("(?:");
        }
        self.outer.push(Group { column, flags: before, start });
        Ok(())
    }

    fn named_group(&mut self, column: usize) -> Result<(), Refused> {
        let name = self.group_name(column)?;
        if self.out.groups.iter().flatten().any(|known| *known == name) {
            return Err(wrong(column, format!("there are two groups called `{name}`")));
        }
        self.out.groups.push(Some(name));
        self.push("(");
        Ok(())
    }

    /// `name>`.
    fn group_name(&mut self, column: usize) -> Result<String, Refused> {
        let name = self.reader.take_until('>').unwrap_or_default();
        let good = name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let what = "the name of a group consists of the letters A to Z and digits, and begins with a letter";
        if good { Ok(name) } else { Err(wrong(column, what)) }
    }

    /// What follows `(?`: flags for the rest of the group, or for a group of their own. Answers what ends them.
    fn flags(&mut self, column: usize) -> Result<char, Refused> {
        let mut on = true;
        loop {
            let next = self.reader.take();
            let flags = &mut self.reader.flags;
            match next {
                Some('-') if on => on = false,
                Some('i') => flags.any_case = on,
                Some('u') => flags.unicode_case = on,
                Some('m') => flags.lines = on,
                Some('s') => flags.dot_all = on,
                Some('d') => flags.unix_lines = on,
                Some('x') => flags.comments = on,
                Some('U') => (flags.unicode, flags.unicode_case) = (on, on),
                Some(end @ (')' | ':')) => return Ok(end),
                Some(other) => {
                    return Err(wrong(
                        column,
                        format!("`{other}` behind `(?` is no flag and begins no group of Java's"),
                    ));
                }
                None => return Err(wrong(column, "a `(` has no `)`; write `[(]` for the character")),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Refused> {
        let column = self.reader.column();
        let Some(next) = self.reader.peek() else { return Err(wrong(column, ENDS)) };
        match next {
            'Q' => {
                self.reader.take();
                while let Some(next) = self.reader.quoted() {
                    self.literal(next)?;
                }
            }
            'b' if self.reader.peek_second() == Some('{') => {
                return Err(cannot(column, "`\\b{g}`", "write `\\b`, the border of a word"));
            }
            'b' | 'B' | 'A' | 'z' => {
                self.reader.take();
                self.push(match next {
                    'b' => r"\b",
                    'B' => r"\B",
                    'A' => r"\A",
                    _ => r"\z",
                });
            }
            'Z' => {
                self.reader.take();
                self.end(false);
            }
            'R' => {
                self.reader.take();
                self.push(r"(?:\r\n|[\n-\r\x{85}\x{2028}\x{2029}])");
            }
            'G' => return Err(cannot(column, "`\\G`, the end of the match before", "leave it out")),
            'X' => return Err(cannot(column, "`\\X`, a whole grapheme", "write `(?:\\P{M}\\p{M}*)`")),
            '1'..='9' => self.back_reference(),
            'k' => {
                self.reader.take();
                if !self.reader.take_if('<') {
                    return Err(wrong(column, "`\\k` is followed by no name of a group, as in `\\k<name>`"));
                }
                let name = self.group_name(column)?;
                let number = self.out.groups.iter().position(|group| group.as_ref() == Some(&name));
                let number = number
                    .ok_or_else(|| wrong(column, format!("no group in front of `\\k` is called `{name}`")))?;
                self.refer(number + 1);
            }
            _ => match escape(&mut self.reader)? {
                Piece::Char(char) => self.literal(char)?,
                Piece::Set(set) => {
                    let flags = Flags { any_case: false, ..self.reader.flags };
                    let set = ranges(&set, flags).map_err(|what| wrong(column, what))?;
                    self.push(&set);
                }
            },
        }
        Ok(())
    }

    /// `\1` and on: as many digits as name a group in front.
    fn back_reference(&mut self) {
        let mut number = 0;
        while let Some(digit) = self.reader.peek().and_then(|next| next.to_digit(10)) {
            let next = number * 10 + digit as usize;
            if number > 0 && next > self.out.groups.len() {
                break;
            }
            number = next;
            self.reader.take();
        }
        self.refer(number);
    }

    fn refer(&mut self, group: usize) {
        if group > self.out.groups.len() {
            return self.push_exact("(?!)"); // in Java too, what refers to a later group never matches
        }
        let fold = if self.reader.flags.any_case { "i" } else { "" };
        self.push_exact(&format!(r"(?{fold}:\{group})"));
    }

    /// A character that matches itself, in any case if the flags say so.
    fn literal(&mut self, char: char) -> Result<(), Refused> {
        let mut text = String::new();
        if self.reader.flags.any_case {
            let pushed = push_char(&mut text, char, self.reader.flags);
            pushed.map_err(|what| wrong(self.reader.column(), what))?;
        } else {
            push_literal(&mut text, char);
        }
        self.push(&text);
        Ok(())
    }
}

/// The engines spell repeats out, so that no more fit into their memory.
const MOST_REPEATS: u32 = 100_000;
