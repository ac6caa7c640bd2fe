//! What is wrong or doubtful in a configuration, for people and for programs.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::place::Place;
use crate::secret::Secrets;

/// How bad a [`Problem`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know; nothing is wrong.
    Note,
    /// The agent can start, and may not do what was meant.
    Warning,
    /// The agent does not start.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        })
    }
}

/// One finding. Texts are whole sentences without a line end; an empty one has nothing to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// A short name that stays the same from release to release: `inline-comment`.
    pub code: &'static str,
    /// Where it stands.
    pub place: Place,
    /// What was found.
    pub what: String,
    /// What Apache Flume 1.11 does with it.
    pub flume: String,
    /// What is done with it here.
    pub here: String,
    /// How to write it right.
    pub fix: String,
}

impl Problem {
    /// An error: the agent does not start.
    pub fn error(code: &'static str, place: &Place, what: impl Into<String>) -> Problem {
        let here = "the agent does not start with it".to_string();
        Problem { here, ..Problem::new(Severity::Error, code, place, what.into()) }
    }

    /// A warning: the agent can start.
    pub fn warning(code: &'static str, place: &Place, what: impl Into<String>) -> Problem {
        Problem::new(Severity::Warning, code, place, what.into())
    }

    /// Good to know.
    pub fn note(code: &'static str, place: &Place, what: impl Into<String>) -> Problem {
        Problem::new(Severity::Note, code, place, what.into())
    }

    fn new(severity: Severity, code: &'static str, place: &Place, what: String) -> Problem {
        let nothing = String::new;
        Problem {
            severity,
            code,
            place: place.clone(),
            what,
            flume: nothing(),
            here: nothing(),
            fix: nothing(),
        }
    }

    /// The same with every text cut to what somebody reads: a line of a file may have megabytes.
    fn bounded(mut self) -> Problem {
        for text in self.texts() {
            if text.len() > MAX_TEXT {
                *text = cut(text, MAX_TEXT);
            }
        }
        if self.place.origin.len() > MAX_TEXT {
            self.place.origin = cut(&self.place.origin, MAX_TEXT).into();
        }
        self
    }

    fn texts(&mut self) -> [&mut String; 4] {
        [&mut self.what, &mut self.flume, &mut self.here, &mut self.fix]
    }

    /// Says what Flume does.
    pub fn flume(self, text: impl Into<String>) -> Problem {
        Problem { flume: text.into(), ..self }
    }

    /// Says what is done here.
    pub fn here(self, text: impl Into<String>) -> Problem {
        Problem { here: text.into(), ..self }
    }

    /// Says how to write it right.
    pub fn fix(self, text: impl Into<String>) -> Problem {
        Problem { fix: text.into(), ..self }
    }
}

/// A heading line, then a line for each thing there is to say.
impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}: {} [{}]", self.place, self.severity, Printable(&self.what), self.code)?;
        let lines = [("in Flume:", &self.flume), ("here:", &self.here), ("write:", &self.fix)];
        for (label, text) in lines.into_iter().filter(|(_, text)| !text.is_empty()) {
            write!(out, "\n    {label:<9} {}", Printable(text))?;
        }
        Ok(())
    }
}

/// Everything found, in the order of the places in which it stands.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// The findings, at most a thousand.
    pub problems: Vec<Problem>,
    /// How many more there are, where a file is no configuration at all.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub left_out: BTreeMap<Severity, usize>,
    #[serde(skip)]
    secrets: Secrets,
}

/// Nobody reads more, and a file of a million wrong lines shall not take memory for each of them.
const MAX_PROBLEMS: usize = 1000;
/// Codes of errors that are none of the file's.
const LACKING: [&str; 4] = ["needs-java", "no-such-class", "type-not-here-yet", "property-not-here-yet"];
/// Bytes of each text of a finding: more than any of ours has, unless what it quotes is long.
const MAX_TEXT: usize = 2000;

impl Report {
    /// Whether the agent cannot start.
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// Whether something may not be as it was meant.
    pub fn has_warnings(&self) -> bool {
        self.count(Severity::Warning) > 0
    }

    /// Whether the file is well, as far as can be seen: all that keeps the agent from starting is that this build or this
    /// host lacks something.
    pub fn only_lacks(&self) -> bool {
        let mut errors =
            self.problems.iter().filter(|problem| problem.severity == Severity::Error).peekable();
        errors.peek().is_some()
            && errors.all(|problem| LACKING.contains(&problem.code))
            && !self.left_out.contains_key(&Severity::Error)
    }

    /// How many findings are of one severity.
    pub fn count(&self, severity: Severity) -> usize {
        let shown = self.problems.iter().filter(|problem| problem.severity == severity).count();
        shown + self.left_out.get(&severity).copied().unwrap_or_default()
    }

    /// Adds a finding.
    pub fn add(&mut self, problem: Problem) {
        if self.problems.len() < MAX_PROBLEMS {
            let mut problem = problem.bounded();
            for text in problem.texts() {
                *text = self.secrets.hide(text);
            }
            self.problems.push(problem);
        } else {
            *self.left_out.entry(problem.severity).or_default() += 1;
        }
    }

    /// Adds a warning that takes some work to put into words; the work is spared when it would not be shown.
    pub(crate) fn add_warning(&mut self, make: impl FnOnce() -> Problem) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(make().bounded());
        } else {
            *self.left_out.entry(Severity::Warning).or_default() += 1;
        }
    }

    /// Leaves the secrets out of all texts, also of those that are still to come.
    pub(crate) fn hide(&mut self, secrets: Secrets) {
        for text in self.problems.iter_mut().flat_map(|problem| problem.texts()) {
            *text = secrets.hide(text);
        }
        self.secrets = secrets;
    }

    /// Puts findings where a reader of the files meets them; what has no line comes first.
    pub fn sort(&mut self) {
        self.problems.sort_by(|a, b| (&a.place, b.severity, a.code).cmp(&(&b.place, a.severity, b.code)));
        self.problems.dedup();
    }
}

/// All findings and a last line that counts them; nothing at all when there is nothing to say.
impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.problems.is_empty() {
            return Ok(());
        }
        for problem in &self.problems {
            writeln!(out, "{problem}")?;
        }
        let more: usize = self.left_out.values().sum();
        if more > 0 {
            writeln!(out, "and {more} more")?;
        }
        let [errors, warnings, notes] =
            [Severity::Error, Severity::Warning, Severity::Note].map(|severity| self.count(severity));
        writeln!(
            out,
            "{}, {}, {}",
            counted(errors, "error"),
            counted(warnings, "warning"),
            counted(notes, "note")
        )
    }
}

fn counted(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

/// Text from a file, safe for a terminal: control characters are shown as escapes.
struct Printable<'a>(&'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in self.0.split_inclusive(char::is_control) {
            match part.char_indices().next_back() {
                Some((end, last)) if last.is_control() => {
                    write!(out, "{}{}", &part[..end], last.escape_default())?;
                }
                _ => out.write_str(part)?,
            }
        }
        Ok(())
    }
}

/// A text of the file as it is quoted in a message: long ones are cut.
pub fn quoted(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("`{}...`", &text[..end]),
        None => format!("`{text}`"),
    }
}

/// Characters of a text that is quoted.
pub(crate) const SHOWN: usize = 80;

/// At most about `most` bytes of a text, for a message that quotes what somebody else has written.
pub fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_string();
    }
    format!("{}... ({} bytes in all)", &text[..text.floor_char_boundary(most)], text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Report {
        let place = |line| Place::at("a.conf", line, 3);
        let mut report = Report::default();
        report.add(Problem::warning("later", &place(9), "second").here("a\u{1b}b"));
        report.add(Problem::error("first", &place(2), "bad").flume("drops it").fix("`x`"));
        report.add(Problem::error("first", &place(2), "bad").flume("drops it").fix("`x`"));
        report.sort();
        report
    }

    #[test]
    fn reads_from_top_to_bottom_and_counts() {
        let expected = "a.conf:2:3: error: bad [first]\n    in Flume: drops it\n    here:     the agent does not start \
                        with it\n    write:    `x`\na.conf:9:3: warning: second [later]\n    here:     \
                        a\\u{1b}b\n1 error, 1 warning, 0 notes\n";
        assert_eq!(sample().to_string(), expected);
        assert_eq!(Report::default().to_string(), "");
    }

    #[test]
    fn what_is_too_much_is_counted() {
        let mut report = Report::default();
        for line in 0..1500 {
            report.add(Problem::warning("w", &Place::at("a", line, 1), "x"));
        }
        report.add(Problem::error("e", &Place::at("a", 1, 1), "x"));
        assert!(report.has_errors());
        assert_eq!((report.problems.len(), report.count(Severity::Warning)), (1000, 1500));
        assert!(report.to_string().ends_with("and 501 more\n1 error, 1500 warnings, 0 notes\n"));
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(quoted(&"ü".repeat(81)), format!("`{}...`", "ü".repeat(80)));
        assert_eq!(quoted("ü"), "`ü`");
    }
}
