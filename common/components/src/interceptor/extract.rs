//! `regex_extractor`: headers from what a regex finds in the body.

use super::draft::{Draft, Text};
use flow::interceptor::Oversized;
use java::{DateFormat, Groups, Pattern, Zone, decode};
use plan::{ComponentPlan, Properties};
use runtime::build::BuildError;

/// Looks for the first match; group 1 becomes the first header, group 2 the second.
///
/// Differences from Flume: a group that took no part in the match gives no header where Flume sets one to null, which
/// then blocks an Avro sink; and a date that does not parse gives none, where Flume fails the source's whole batch.
#[derive(Debug)]
pub(crate) struct RegexExtractor {
    regex: Pattern,
    groups: Groups,
    headers: Vec<(Vec<u8>, Serializer)>,
    unparsed: Unparsed,
}

/// How the text of a group becomes a header's value.
#[derive(Debug)]
pub(super) enum Serializer {
    PassThrough,
    Millis(DateFormat),
}

/// Dates that did not parse since this was last taken.
#[derive(Debug, Default)]
pub(crate) struct Unparsed {
    /// How many.
    pub(crate) count: u64,
    /// The start of the first one.
    pub(crate) example: String,
}

impl RegexExtractor {
    /// `regex` (required), `serializers` (required list), and of each `S` of them `serializers.S.name` (required) and
    /// `serializers.S.type`, with the millis serializer also `serializers.S.pattern`.
    ///
    /// # Errors
    /// [`BuildError`].
    pub(crate) fn build(
        properties: &Properties,
        prefix: &str,
        zone: &Zone,
    ) -> Result<RegexExtractor, BuildError> {
        let wrong = |key: &str, what: String| BuildError::new(properties, prefix, key, what);
        let regex = properties.text("regex").filter(|regex| !regex.is_empty());
        let regex = regex.ok_or_else(|| "name the regex whose groups become headers".to_owned());
        let regex =
            regex.and_then(|regex| Ok(Pattern::compile(regex)?)).map_err(|what| wrong("regex", what))?;
        let headers: Result<Vec<_>, _> =
            properties.parts("serializers").map(|part| header(part, zone)).collect();
        Ok(RegexExtractor { groups: regex.groups(), regex, headers: headers?, unparsed: Unparsed::default() })
    }

    /// How many groups the regex has, and how many serializers there are.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.regex.group_count(), self.headers.len())
    }

    /// Sets the headers.
    ///
    /// # Errors
    /// [`Oversized`].
    pub(crate) fn apply(&mut self, draft: &mut Draft<'_>) -> Result<(), Oversized> {
        let text = readable_body(draft)?;
        if !self.regex.find_at(draft.read(text), 0, &mut self.groups) {
            return Ok(());
        }
        for (group, (name, serializer)) in (1..self.groups.len()).zip(&self.headers) {
            let Some((from, to)) = self.groups.get(group) else { continue };
            let found = text.part(from, to);
            let value = match serializer {
                Serializer::PassThrough => found,
                Serializer::Millis(format) => match format.millis(draft.read(found)) {
                    Some(millis) => draft.write_number(millis)?,
                    None => {
                        self.unparsed.add(draft.read(found));
                        continue;
                    }
                },
            };
            let name = draft.write(name)?;
            draft.put(name, value);
        }
        Ok(())
    }

    /// What it looks for.
    pub(crate) fn pattern(&self) -> &Pattern {
        &self.regex
    }

    /// Takes the dates that did not parse.
    pub(crate) fn take_unparsed(&mut self) -> Option<Unparsed> {
        (self.unparsed.count > 0).then(|| std::mem::take(&mut self.unparsed))
    }
}

impl Unparsed {
    fn add(&mut self, text: &[u8]) {
        if self.count == 0 {
            self.example = decode(text).chars().take(EXAMPLE_CHARS).collect();
        }
        self.count += 1;
    }
}

/// The body as UTF-8: itself, or a copy in which U+FFFD stands for what is malformed.
fn readable_body(draft: &mut Draft<'_>) -> Result<Text, Oversized> {
    let body = draft.body();
    if std::str::from_utf8(draft.read(body)).is_ok() {
        return Ok(body);
    }
    let text = decode(draft.read(body)).into_owned();
    draft.write(text.as_bytes())
}

/// One serializer: the header that it sets, and how.
///
/// # Errors
/// [`BuildError`] about its own properties.
pub(super) fn header(part: &ComponentPlan, zone: &Zone) -> Result<(Vec<u8>, Serializer), BuildError> {
    let wrong = |key: &str, what: &str| BuildError::new(&part.properties, "", key, what);
    let header = part.properties.text("name").filter(|header| !header.is_empty());
    let header = header.ok_or_else(|| wrong("name", "name the header that the group's text goes to"))?;
    let serializer = if part.kind() == MILLIS {
        let pattern = part.properties.word("pattern");
        Serializer::Millis(DateFormat::compile(pattern, zone).map_err(|what| wrong("pattern", &what))?)
    } else {
        Serializer::PassThrough
    };
    Ok((header.as_bytes().to_vec(), serializer))
}

const MILLIS: &str = "org.apache.flume.interceptor.RegexExtractorInterceptorMillisSerializer";

/// What a log line shows of a text from outside.
const EXAMPLE_CHARS: usize = 60;
