//! log4j's conversion patterns: `%d{dd MMM yyyy HH:mm:ss,SSS} %-5p [%t] (%C.%M:%L) %x - %m%n`.
//!
//! Source: log4j 1.2.17 `PatternParser` and `PatternConverter`, log4j 2.18 `PatternParser`, run with Flume 1.9 and 1.11. Not there: what a
//! program has set for its thread (`%x`, `%X`) prints as log4j prints it when nothing was set, since nobody here sets it.

mod parse;
mod render;

pub(crate) use render::Said;

use java::DatePrinter;

/// Which log4j a pattern is written for: they differ in names and in a few defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// log4j 1.2, up to Flume 1.9.
    One,
    /// log4j 2, since Flume 1.10.
    Two,
}

/// A pattern, ready to print lines.
#[derive(Debug)]
pub struct Pattern {
    items: Vec<Item>,
}

/// A word of a pattern with its width.
#[derive(Debug)]
struct Item {
    word: Word,
    width: Width,
}

/// How wide a word is printed, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Width {
    least: usize,
    /// More than so many are cut off in front.
    most: usize,
    /// Blanks go behind.
    left: bool,
}

impl Width {
    const ANY: Width = Width { least: 0, most: usize::MAX, left: false };
}

#[derive(Debug)]
enum Word {
    Text(String),
    Date(Date),
    Level,
    /// `<14>`: a facility of syslog, times eight, and a severity.
    Priority(u8, Dialect),
    Thread,
    /// `%c`, with how many of its last parts.
    Logger(usize),
    /// `%C`, with how many of its last parts.
    Class(usize),
    Method,
    File,
    Line,
    /// `%l`
    Location,
    Message,
    /// Milliseconds since the program began.
    Elapsed,
    /// `%equals{PATTERN}{TEST}{TEXT}`
    Equals {
        of: Pattern,
        test: String,
        text: Pattern,
    },
    /// `%highlight{PATTERN}` and its like: colours are for terminals.
    Plain(Pattern),
}

#[derive(Debug)]
enum Date {
    /// `2018-11-13 16:32:01,813`
    Log4j,
    /// Any other.
    Java(DatePrinter),
    Millis,
    Seconds,
}

impl Pattern {
    /// Reads a pattern. The second value is what of it cannot be printed, each in an operator's words; it stands in the
    /// lines as it is written.
    pub fn parse(text: &str, dialect: Dialect) -> (Pattern, Vec<String>) {
        let mut wrong = Vec::new();
        let mut pattern = parse::parse(text, dialect, &mut wrong);
        let ends =
            matches!(pattern.items.last(), Some(Item { word: Word::Text(text), .. }) if text.ends_with('\n'));
        if !ends {
            wrong.push("it has no `%n` at its end; each line ends all the same".to_owned());
            pattern.items.push(Item { word: Word::Text("\n".to_owned()), width: Width::ANY });
        }
        (pattern, wrong)
    }

    /// Puts syslog's priority in front of each line. `facility` is 0 to 23.
    #[must_use]
    pub fn behind_priority(mut self, facility: u8, dialect: Dialect) -> Pattern {
        self.items.insert(0, Item { word: Word::Priority(facility, dialect), width: Width::ANY });
        self
    }

    /// The message alone, and a line's end.
    pub(crate) fn of_message() -> Pattern {
        Pattern::parse("%m%n", Dialect::Two).0
    }
}

#[cfg(test)]
mod tests;
