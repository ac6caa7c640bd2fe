//! A topic's name with escapes in it.
//!
//! Source: Flume 1.11 `BucketPath.escapeString`, with this difference: an escape that stands for nothing is an error of the
//! file.

use components::escapes::{Piece, Template, TimeField, host, local};
use event::Event;
use jiff::tz::TimeZone;
use std::borrow::Cow;

/// A name, and what stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Topic {
    /// As it is written, but for the names of this host.
    text: String,
    /// Where it is not the same for all events.
    template: Option<Template>,
}

impl Topic {
    /// Reads a name.
    ///
    /// # Errors
    /// Which escape is unknown.
    pub(crate) fn parse(text: &str) -> Result<Topic, String> {
        let letters = text.split('%').skip(1).filter_map(|rest| rest.chars().next());
        if let Some(unknown) =
            letters.filter(char::is_ascii_alphanumeric).find(|sign| TimeField::of(*sign).is_none())
        {
            return Err(format!(
                "`%{unknown}` is not known in a topic; `%{{HEADER}}`, `%Y`, `%m`, `%d`, `%H` and `%M` are"
            ));
        }
        let template = Template::parse(text, &host)?;
        let is_sign = |piece: &Piece| matches!(piece, Piece::Text(text) if text.contains('%'));
        if template.pieces.iter().any(is_sign) {
            return Err("it has a `%` that begins no escape".to_owned());
        }
        Ok(match template.pieces.as_slice() {
            [] => Topic { text: String::new(), template: None },
            [Piece::Text(text)] => Topic { text: text.clone(), template: None },
            _ => Topic { text: text.to_owned(), template: Some(template) },
        })
    }

    /// As it is written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is not the same for all events.
    pub(crate) fn varies(&self) -> bool {
        self.template.is_some()
    }

    /// The name for `event`.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) fn of(&self, event: &Event<'_>) -> Result<Cow<'_, str>, String> {
        let Some(template) = &self.template else { return Ok(Cow::Borrowed(&self.text)) };
        let millis = event.header("timestamp").unwrap_or_default();
        let time = millis.parse().ok();
        if time.is_none() && template.pieces.iter().any(|piece| matches!(piece, Piece::Time(_))) {
            return Err(format!(
                "the topic `{}` has a part of the time, and the event has no `timestamp` in milliseconds: add a timestamp interceptor",
                self.text
            ));
        }
        let mut name = String::new();
        template.fill(event, &local(time.unwrap_or_default(), &TimeZone::system(), None), millis, &mut name);
        Ok(Cow::Owned(name))
    }
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
        assert_eq!(
            name("%b-%e-%k", &[("timestamp", "1718454896000")]).unwrap().split('-').next(),
            Some("Jun")
        );
        let here = Topic::parse("logs-%[localhost]").unwrap();
        assert!(!here.varies() && here.text().len() > "logs-".len(), "{here:?}");
        // The middle of a year is in the same one everywhere.
        assert_eq!(name("logs.%Y.%m", &[("timestamp", "1718454896000")]).unwrap(), "logs.2024.06");
    }

    #[test]
    fn what_cannot_be_put_in_is_told() {
        assert!(name("logs-%Y", &[]).unwrap_err().contains("has no `timestamp`"));
        assert!(name("logs-%q", &[]).unwrap_err().contains("`%q` is not known"));
        for text in ["logs-%", "logs-%{a b}", "100%%"] {
            assert_eq!(name(text, &[]).unwrap_err(), "it has a `%` that begins no escape", "{text}");
        }
        assert!(name("%[here]", &[]).unwrap_err().contains("is none of `%[localhost]`"));
    }
}
