//! Whether a foreign protocol's calls have the bytes we expect.

use serde_json::Value;

/// Why a protocol does not fit Flume's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// More text than any protocol needs; in bytes.
    #[error("a protocol of {0} bytes, at most {MAX_TEXT_BYTES} are read")]
    Large(usize),
    /// Not JSON.
    #[error("the protocol is not JSON: {0}")]
    Json(String),
    /// JSON without messages.
    #[error("the protocol declares no messages")]
    NoMessages,
    /// A message with Flume's name and other parameters.
    #[error("the protocol declares `{0}` differently from Flume: {1}")]
    Message(&'static str, &'static str),
}

/// Checks the two messages of Flume's protocol where `text` declares them. Avro resolves differences between two
/// schemas; we take only parameters whose bytes are Flume's, whatever their types are named.
///
/// # Errors
/// [`Mismatch`].
pub(crate) fn check(text: &[u8]) -> Result<(), Mismatch> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(Mismatch::Large(text.len()));
    }
    let protocol: Value = serde_json::from_slice(text).map_err(|error| Mismatch::Json(error.to_string()))?;
    let messages = protocol.get("messages").and_then(Value::as_object).ok_or(Mismatch::NoMessages)?;
    let types = Types(protocol.get("types").and_then(Value::as_array).map_or(&[], Vec::as_slice));
    if let Some(append) = messages.get("append") {
        types.message("append", append, Types::is_event)?;
    }
    if let Some(batch) = messages.get("appendBatch") {
        types.message("appendBatch", batch, Types::is_array_of_events)?;
    }
    Ok(())
}

/// The named types of a protocol.
struct Types<'a>(&'a [Value]);

impl<'a> Types<'a> {
    fn message(
        &self,
        name: &'static str,
        message: &'a Value,
        fits: impl Fn(&Self, &'a Value) -> bool,
    ) -> Result<(), Mismatch> {
        let request = message.get("request").and_then(Value::as_array);
        match request.map(Vec::as_slice).unwrap_or_default() {
            [parameter] if parameter.get("type").is_some_and(|schema| fits(self, schema)) => {}
            [_] => return Err(Mismatch::Message(name, "its parameter is another type")),
            _ => return Err(Mismatch::Message(name, "it does not have one parameter")),
        }
        match message.get("response").is_some_and(|schema| self.is_status(schema)) {
            true => Ok(()),
            false => Err(Mismatch::Message(name, "its answer is not Flume's `Status`")),
        }
    }

    fn is_array_of_events(&self, schema: &'a Value) -> bool {
        kind(schema) == Some("array") && schema.get("items").is_some_and(|items| self.is_event(items))
    }

    /// A map of strings and bytes, in this order.
    fn is_event(&self, schema: &'a Value) -> bool {
        let record = self.resolve(schema);
        let fields = record.get("fields").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let [headers, body] = fields else { return false };
        let (headers, body) = (headers.get("type"), body.get("type"));
        kind(record) == Some("record")
            && headers.is_some_and(|map| {
                kind(map) == Some("map") && map.get("values").and_then(kind) == Some("string")
            })
            && body.and_then(kind) == Some("bytes")
    }

    /// An enum whose first symbols are those of Flume's `Status` as far as it has them.
    fn is_status(&self, schema: &'a Value) -> bool {
        let answer = self.resolve(schema);
        let symbols = answer.get("symbols").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let same = symbols.iter().zip(["OK", "FAILED", "UNKNOWN"]).all(|(symbol, status)| symbol == status);
        kind(answer) == Some("enum") && !symbols.is_empty() && same
    }

    /// A type by its name, with or without its namespace; anything else as it is.
    fn resolve(&self, schema: &'a Value) -> &'a Value {
        let Some(name) = schema.as_str() else { return schema };
        let named =
            |known: &&Value| known.get("name").and_then(Value::as_str).map(simple) == Some(simple(name));
        self.0.iter().find(named).unwrap_or(schema)
    }
}

/// A name without its namespace.
fn simple(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// `string`, also where it is written as `{"type": "string", ...}`.
fn kind(schema: &Value) -> Option<&str> {
    schema.as_str().or_else(|| schema.get("type").and_then(Value::as_str))
}

/// Flume's own text has 1,334 bytes.
pub(crate) const MAX_TEXT_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::avro::Protocol;

    /// Flume's protocol as other clients write it: without documentation, with types written where they are used.
    const BRIEF: &str = r#"{"protocol":"P","types":[],"messages":{"append":{"request":[{"name":"e","type":
        {"type":"record","name":"E","fields":[
            {"name":"headers","type":{"type":"map","values":{"type":"string","avro.java.string":"String"}}},
            {"name":"body","type":"bytes"}]}}],
        "response":{"type":"enum","name":"Status","symbols":["OK","FAILED"]}}}}"#;

    #[test]
    fn flumes_protocol_fits_however_it_is_written() {
        for text in [Protocol::RELEASED.text, Protocol::SNAPSHOT.text, BRIEF] {
            assert_eq!(check(text.as_bytes()), Ok(()));
        }
        let named = Protocol::RELEASED
            .text
            .replace("\"type\":\"AvroFlumeEvent\"", "\"type\":\"other.ns.AvroFlumeEvent\"");
        assert_eq!(check(named.as_bytes()), Ok(()));
    }

    #[test]
    fn other_parameters_do_not() {
        let changes = [
            (r#""values":"string""#, r#""values":"bytes""#),
            (r#"{"name":"body","type":"bytes"}"#, r#"{"name":"body","type":"string"}"#),
            (
                r#"{"name":"body","type":"bytes"}"#,
                r#"{"name":"time","type":"long"},{"name":"body","type":"bytes"}"#,
            ),
            (r#""items":"AvroFlumeEvent""#, r#""items":"Nowhere""#),
            (r#"["OK","FAILED","UNKNOWN"]"#, r#"["FAILED","OK"]"#),
            (r#""request":[{"#, r#""request":[{"name":"more","type":"int"},{"#),
            (r#""messages""#, r#""massages""#),
        ];
        for (from, to) in changes {
            let text = Protocol::SNAPSHOT.text.replace(from, to);
            assert_ne!(text, Protocol::SNAPSHOT.text);
            assert!(check(text.as_bytes()).is_err(), "{to}");
        }
        assert!(matches!(check(b"{"), Err(Mismatch::Json(_))));
        assert!(matches!(check("[".repeat(10_000).as_bytes()), Err(Mismatch::Json(_))));
        assert_eq!(check(&vec![b' '; MAX_TEXT_BYTES + 1]), Err(Mismatch::Large(MAX_TEXT_BYTES + 1)));
    }
}
