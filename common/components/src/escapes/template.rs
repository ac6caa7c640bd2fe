//! A text with escapes, read once.

use super::time::TimeField;
use event::Event;
use jiff::Zoned;

/// A path or a prefix, ready to be filled with an event's headers and time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Its parts, in their order.
    pub pieces: Vec<Piece>,
}

/// A part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// As it stands.
    Text(String),
    /// The value of a header; nothing where the event has none.
    Header(String),
    /// A part of the event's time.
    Time(TimeField),
}

/// What `%[localhost]`, `%[IP]` and `%[FQDN]` stand for; asked only when one of them is there.
type Hosts<'a> = &'a dyn Fn(&str) -> Result<String, String>;

impl Template {
    /// Reads `text`.
    ///
    /// # Errors
    /// What `%[...]` cannot stand for, in an operator's words.
    pub fn parse(text: &str, hosts: Hosts<'_>) -> Result<Template, String> {
        let mut template = Template { pieces: Vec::new() };
        let mut rest = text;
        while let Some(at) = rest.find('%') {
            template.push_text(&rest[..at]);
            let escape = &rest[at + 1..];
            rest = template.escape(escape, hosts)?.unwrap_or_else(|| {
                template.push_text("%");
                escape
            });
        }
        template.push_text(rest);
        Ok(template)
    }

    /// Reads the escape at the start of `text`, behind its `%`, and gives back what follows; `None` where there is none.
    fn escape<'t>(&mut self, text: &'t str, hosts: Hosts<'_>) -> Result<Option<&'t str>, String> {
        let is_word = |sign: char| sign.is_ascii_alphanumeric() || sign == '_';
        let Some(first) = text.chars().next() else { return Ok(None) };
        match first {
            '%' => self.push_text("%"),
            '{' => {
                let in_name = |sign: char| is_word(sign) || sign == '.' || sign == '-';
                let Some((name, rest)) = enclosed(text, '}', in_name) else { return Ok(None) };
                self.pieces.push(Piece::Header(name.to_owned()));
                return Ok(Some(rest));
            }
            '[' => {
                let Some((word, rest)) = enclosed(text, ']', is_word) else { return Ok(None) };
                self.push_text(&hosts(word)?);
                return Ok(Some(rest));
            }
            letter if is_word(letter) => {
                // Flume puts nothing in the place of a letter that it does not know.
                self.pieces.extend(TimeField::of(letter).map(Piece::Time));
            }
            _ => return Ok(None),
        }
        Ok(Some(&text[first.len_utf8()..]))
    }

    fn push_text(&mut self, text: &str) {
        match self.pieces.last_mut() {
            _ if text.is_empty() => {}
            Some(Piece::Text(before)) => before.push_str(text),
            _ => self.pieces.push(Piece::Text(text.to_owned())),
        }
    }

    /// Appends it with the headers of `event`, and its time; `millis` is that as the event has it.
    pub fn fill(&self, event: &Event<'_>, time: &Zoned, millis: &str, out: &mut String) {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Header(name) => out.push_str(event.header(name).unwrap_or_default()),
                Piece::Time(field) => field.push(time, millis, out),
            }
        }
    }

    /// The headers that it names, in their order.
    pub fn headers(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Header(name) => Some(name.as_str()),
            _ => None,
        })
    }
}

/// What stands between a bracket and `close`, and what follows; `None` unless it is there and all of it is as it must be.
fn enclosed(text: &str, close: char, is_allowed: impl Fn(char) -> bool) -> Option<(&str, &str)> {
    let (inside, rest) = text[1..].split_once(close)?;
    (!inside.is_empty() && inside.chars().all(is_allowed)).then_some((inside, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(text: &str) -> String {
        let hosts = |word: &str| match word.to_ascii_lowercase().as_str() {
            "localhost" => Ok("h1".to_owned()),
            other => Err(format!("no {other}")),
        };
        match Template::parse(text, &hosts) {
            Err(error) => format!("!{error}"),
            Ok(template) => template
                .pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Text(text) => text.clone(),
                    Piece::Header(name) => format!("<{name}>"),
                    Piece::Time(field) => format!("<{field:?}>"),
                })
                .collect(),
        }
    }

    #[test]
    fn escapes_are_those_of_flume() {
        for (text, expected) in [
            ("plain", "plain"),
            ("%{host}/%{a.b-c_d}", "<host>/<a.b-c_d>"),
            ("%Y-%m", "<Year>-<Month>"),
            ("%%Y", "%Y"),
            ("%{a b}/%{}/%{open", "%{a b}/%{}/%{open"),
            ("%Q%_%1x", "x"),
            ("% %", "% %"),
            ("100%", "100%"),
            ("%[LocalHost]/x", "h1/x"),
            ("%[nobody]", "!no nobody"),
            ("%[a b]", "%[a b]"),
            ("ü%{h}ü", "ü<h>ü"),
        ] {
            assert_eq!(shape(text), expected, "{text}");
        }
    }
}
