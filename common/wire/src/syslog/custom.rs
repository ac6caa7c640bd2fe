//! `format.regex` and what belongs to it: the operator's own form of a message.

use java::{DateFormat, Groups, Part, Pattern, Replacement, Zone};
use jiff::tz::TimeZone;
use std::cell::RefCell;
use thiserror::Error;

/// A form of messages: the groups 1 to 5 of its pattern are priority, version, timestamp, host and body.
pub struct Format {
    pattern: Pattern,
    groups: RefCell<Groups>,
    search: Option<(Pattern, Replacement)>,
    date: Option<DateFormat>,
}

/// A property of a [`Format`] that cannot be.
#[derive(Debug, Error)]
#[error("{what}")]
pub struct BadFormat {
    /// Without the `format.` before it.
    pub key: &'static str,
    /// What is wrong, in an operator's words.
    pub what: String,
}

/// A message that has the form: where its parts stand, and its date.
pub(super) struct Read {
    parts: [Option<(usize, usize)>; 5],
    stamp: String,
    millis: Option<i64>,
}

impl Format {
    /// `regex` matches whole messages; in the timestamp what `search` finds is replaced, and what comes of it is read as
    /// `date`. Dates without a zone are in `zone`.
    ///
    /// # Errors
    /// [`BadFormat`]
    pub fn compile(
        regex: &str,
        search: Option<(&str, &str)>,
        date: Option<&str>,
        zone: &TimeZone,
    ) -> Result<Format, BadFormat> {
        let bad = |key| move |what: String| BadFormat { key, what };
        let refused = |key| move |refused: java::Refused| bad(key)(refused.to_string());
        let pattern = Pattern::compile_whole(regex).map_err(refused("regex"))?;
        let search = search.map(|(search, replace)| {
            let search = Pattern::compile(search).map_err(refused("search"))?;
            let replace = Replacement::compile(replace, &search).map_err(bad("replace"))?;
            Ok((search, replace))
        });
        let zone = Zone { zone: zone.clone(), year: 2000 };
        let date = date.map(|date| DateFormat::compile(&joda(date), &zone).map_err(bad("dateFormat")));
        let groups = RefCell::new(pattern.groups());
        Ok(Format { pattern, groups, search: search.transpose()?, date: date.transpose()? })
    }

    /// Reads a message, if it has this form.
    pub(super) fn read(&self, text: &str) -> Option<Read> {
        let mut groups = self.groups.borrow_mut();
        if !self.pattern.find_at(text.as_bytes(), 0, &mut groups) {
            return None;
        }
        let count = groups.len();
        let group = |number: usize| if number < count { groups.get(number) } else { None };
        let parts = [1, 2, 3, 4, 5].map(group);
        let stamp = parts[2].map(|(from, to)| text[from..to].to_owned()).unwrap_or_default();
        let replaced = match &self.search {
            Some((search, replacement)) => replace_all(search, replacement, &stamp),
            None => stamp.clone(),
        };
        let millis = self.date.as_ref().and_then(|date| date.millis(replaced.as_bytes()));
        Some(Read { parts, stamp, millis })
    }
}

impl Read {
    pub(super) fn groups<'t>(&self, text: &'t str) -> [&'t str; 5] {
        self.parts.map(|part| part.map_or("", |(from, to)| &text[from..to]))
    }

    pub(super) fn stamp(&self) -> &str {
        &self.stamp
    }

    pub(super) fn millis(&self) -> Option<i64> {
        self.millis
    }
}

fn replace_all(search: &Pattern, replacement: &Replacement, text: &str) -> String {
    let (mut out, mut groups, mut done, mut start) = (String::new(), search.groups(), 0, 0);
    while start <= text.len() && search.find_at(text.as_bytes(), start, &mut groups) {
        let Some((from, to)) = groups.get(0) else { break };
        out.push_str(&text[done..from]);
        for part in replacement.parts() {
            match part {
                Part::Literal(literal) => out.push_str(literal),
                Part::Group(group) => {
                    out.push_str(groups.get(*group).map_or("", |(from, to)| &text[from..to]));
                }
            }
        }
        done = to;
        let step = text[to..].chars().next().map_or(1, char::len_utf8);
        start = if from == to { to + step } else { to };
    }
    out.push_str(&text[done.min(text.len())..]);
    out
}

/// `SimpleDateFormat`'s `X` is what Joda-Time's `Z` reads; all other letters that both have mean the same.
fn joda(pattern: &str) -> String {
    let mut quoted = false;
    let mut last = ' ';
    let mut out = String::new();
    for letter in pattern.chars() {
        quoted ^= letter == '\'';
        match letter {
            'X' if !quoted && last == 'X' => {}
            'X' if !quoted => out.push('Z'),
            other => out.push(other),
        }
        last = letter;
    }
    out
}
