//! What sets or removes headers without a look at the body: `timestamp`, `static`, `host`, `remove_header`.

use super::draft::{Draft, Fixed, Text};
use java::{Pattern, Refused, decode};
use plan::Properties;
use runtime::build::BuildError;
use std::collections::HashSet;
use std::io;

/// Sets one header to the same value for all events of a batch.
#[derive(Debug)]
pub(crate) struct SetHeader {
    key: Text,
    value: Option<Text>, // none is the time of the batch
    preserve: bool,      // leave a header that is there as it is
}

impl SetHeader {
    /// `timestamp`: `headerName` (timestamp), `preserveExisting` (false). The value is milliseconds since 1970, UTC.
    pub(crate) fn timestamp(properties: &Properties, fixed: &mut Fixed) -> SetHeader {
        let key = fixed.add(properties.word("headerName"));
        SetHeader { key, value: None, preserve: properties.flag("preserveExisting") }
    }

    /// `static`: `key` (key), `value` (value), `preserveExisting`, which is true unless set, unlike in the others.
    pub(crate) fn constant(properties: &Properties, fixed: &mut Fixed) -> SetHeader {
        let key = fixed.add(properties.word("key"));
        let value = fixed.add(properties.word("value"));
        SetHeader { key, value: Some(value), preserve: properties.flag("preserveExisting") }
    }

    /// `host`: `hostHeader` (host), `useIP` (true), `preserveExisting` (false).
    ///
    /// # Errors
    /// What `look_up` answers: this machine's address or name is not found, so there is nothing to set.
    pub(crate) fn host(
        properties: &Properties,
        fixed: &mut Fixed,
        look_up: HostLookup<'_>,
    ) -> io::Result<SetHeader> {
        let value = fixed.add(&look_up(properties.flag("useIP"))?);
        let key = fixed.add(properties.word("hostHeader"));
        Ok(SetHeader { key, value: Some(value), preserve: properties.flag("preserveExisting") })
    }

    /// Whether its value changes from batch to batch.
    pub(crate) fn tells_time(&self) -> bool {
        self.value.is_none()
    }

    /// Sets the header.
    pub(crate) fn apply(&self, draft: &mut Draft<'_>) {
        if !(self.preserve && draft.has(self.key)) {
            draft.put(self.key, self.value.unwrap_or(draft.now()));
        }
    }
}

/// This machine's address (`true`) or its canonical name (`false`).
pub(crate) type HostLookup<'a> = &'a dyn Fn(bool) -> io::Result<String>;

/// `remove_header`: by name, by a list of names, by a regex for whole names.
#[derive(Debug)]
pub(crate) struct RemoveHeader {
    names: HashSet<Vec<u8>>,
    matching: Option<Pattern>,
}

impl RemoveHeader {
    /// `withName`, `fromList` with `fromListSeparator` (a regex: a comma with blanks around), `matching`.
    ///
    /// # Errors
    /// [`BuildError`] for a regex that is none.
    pub(crate) fn build(properties: &Properties, prefix: &str) -> Result<RemoveHeader, BuildError> {
        let wrong = |key| move |what: Refused| BuildError::new(properties, prefix, key, what);
        let mut names = HashSet::new();
        names.extend(properties.text("withName").map(|name| name.as_bytes().to_vec()));
        if let Some(list) = properties.text("fromList") {
            let separator = properties.word("fromListSeparator");
            let separator = Pattern::compile(separator).map_err(wrong("fromListSeparator"))?;
            names.extend(separator.split(list).into_iter().map(|name| name.as_bytes().to_vec()));
        }
        let matching = properties.text("matching").map(Pattern::compile_whole).transpose();
        Ok(RemoveHeader { names, matching: matching.map_err(wrong("matching"))? })
    }

    /// What names of headers are to match.
    pub(crate) fn pattern(&self) -> Option<&Pattern> {
        self.matching.as_ref()
    }

    /// Removes the headers.
    pub(crate) fn apply(&self, draft: &mut Draft<'_>) {
        draft.remove(|key| {
            let matches = |pattern: &Pattern| pattern.is_found(decode(key).as_bytes());
            self.names.contains(key) || self.matching.as_ref().is_some_and(matches)
        });
    }
}
