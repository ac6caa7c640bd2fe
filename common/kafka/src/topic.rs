//! A topic's name with escapes in it.
//!
//! Source: Flume 1.11 `BucketPath.escapeString`. Of its escapes headers (`%{name}`) and parts of the time in `timestamp` are
//! known; another one is an error of the file.

use event::Event;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::borrow::Cow;
use std::fmt::Write;

/// A name, and what stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Topic {
    written: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Header(String),
    /// A part of the time, as `strftime` has it.
    Time(&'static str),
    /// The header `timestamp` itself.
    Millis,
}

impl Topic {
    /// Reads a name.
    ///
    /// # Errors
    /// Which escape is unknown.
    pub(crate) fn parse(text: &str) -> Result<Topic, String> {
        let mut parts = Vec::new();
        let (mut rest, mut plain) = (text, String::new());
        while let Some(at) = rest.find('%') {
            plain.push_str(&rest[..at]);
            let escape = &rest[at + 1..];
            let (part, length) = part(escape)?;
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(part);
            rest = &escape[length..];
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Topic { written: text.to_owned(), parts })
    }

    /// As it is written.
    pub(crate) fn text(&self) -> &str {
        &self.written
    }

    /// Whether it is not the same for all events.
    pub(crate) fn varies(&self) -> bool {
        !matches!(self.parts.as_slice(), [Part::Text(_)])
    }

    /// The name for `event`.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) fn of(&self, event: &Event<'_>) -> Result<Cow<'_, str>, String> {
        if !self.varies() {
            return Ok(Cow::Borrowed(&self.written));
        }
        let mut name = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => name.push_str(text),
                Part::Header(header) => name.push_str(event.header(header).unwrap_or_default()),
                Part::Millis => name.push_str(event.header("timestamp").ok_or_else(|| self.timeless())?),
                Part::Time(format) => {
                    let millis = event.header("timestamp").and_then(|text| text.parse().ok());
                    let time = millis.and_then(|millis| Timestamp::from_millisecond(millis).ok());
                    let time = time.ok_or_else(|| self.timeless())?.to_zoned(TimeZone::system());
                    write!(name, "{}", time.strftime(format)).map_err(|_| self.timeless())?;
                }
            }
        }
        Ok(Cow::Owned(name))
    }

    fn timeless(&self) -> String {
        format!(
            "the topic `{}` has a part of the time, and the event has no `timestamp` in milliseconds: add a timestamp interceptor",
            self.written
        )
    }
}

/// What stands behind a `%`, and how long it is.
fn part(escape: &str) -> Result<(Part, usize), String> {
    if let Some((name, _)) = escape.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        return Ok((Part::Header(name.to_owned()), name.len() + 2));
    }
    let Some(sign) = escape.chars().next() else { return Err("it ends with a `%`".to_owned()) };
    let format = match sign {
        't' => return Ok((Part::Millis, 1)),
        'Y' => "%Y",
        'y' => "%y",
        'm' => "%m",
        'd' => "%d",
        'H' => "%H",
        'M' => "%M",
        'S' => "%S",
        'j' => "%j",
        's' => "%s",
        _ => {
            return Err(format!(
                "`%{sign}` is not known in a topic; `%{{HEADER}}`, `%Y`, `%m`, `%d`, `%H` and `%M` are"
            ));
        }
    };
    Ok((Part::Time(format), sign.len_utf8()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::BatchBuilder;

    fn name(topic: &str, headers: &[(&str, &str)]) -> Result<String, String> {
        let mut builder = BatchBuilder::default();
        builder.push(headers.iter().copied(), b"");
        let batch = builder.finish();
        let topic = Topic::parse(topic)?;
        topic.of(&batch.events().next().unwrap()).map(Cow::into_owned)
    }

    #[test]
    fn headers_and_time_are_put_in() {
        assert_eq!(name("logs", &[]).unwrap(), "logs");
        assert_eq!(name("logs-%{host}-x", &[("host", "h1")]).unwrap(), "logs-h1-x");
        assert_eq!(name("logs-%{none}", &[]).unwrap(), "logs-");
        assert_eq!(name("%t", &[("timestamp", "17")]).unwrap(), "17");
        // The middle of a year is in the same one everywhere.
        assert_eq!(name("logs.%Y.%m", &[("timestamp", "1718454896000")]).unwrap(), "logs.2024.06");
    }

    #[test]
    fn what_cannot_be_put_in_is_told() {
        assert!(name("logs-%Y", &[]).unwrap_err().contains("has no `timestamp`"));
        assert!(name("logs-%q", &[]).unwrap_err().contains("`%q` is not known"));
        assert_eq!(name("logs-%", &[]).unwrap_err(), "it ends with a `%`");
    }
}
