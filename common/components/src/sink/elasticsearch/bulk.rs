//! What is asked of Elasticsearch and OpenSearch, and what they answer.

use super::index::Place;
use serde::Deserialize;
use serde_json::{Value, from_slice, to_writer};
use std::fmt::Write;

/// Who answers at a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Server {
    /// For people.
    pub(super) name: String,
    pub(super) cluster: Option<String>,
    /// Documents have types; up to Elasticsearch 6.
    pub(super) types: bool,
    /// Documents have a time to live; up to Elasticsearch 4.
    pub(super) ttl: bool,
}

/// Reads what is answered to `GET /`.
///
/// # Errors
/// In an operator's words.
pub(super) fn server(answer: &[u8]) -> Result<Server, String> {
    #[derive(Deserialize)]
    struct Hello {
        cluster_name: Option<String>,
        version: Version,
    }
    #[derive(Deserialize)]
    struct Version {
        number: String,
        distribution: Option<String>,
    }
    let Ok(Hello { cluster_name, version }) = from_slice(answer) else {
        return Err("what answers there is neither Elasticsearch nor OpenSearch".to_owned());
    };
    let major: u32 =
        version.number.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(u32::MAX);
    let is_elastic = version.distribution.is_none();
    let product = if is_elastic { "Elasticsearch" } else { "OpenSearch" };
    Ok(Server {
        name: format!("{product} {}", cut(&version.number)),
        cluster: cluster_name,
        types: is_elastic && major < 7,
        ttl: is_elastic && major < 5,
    })
}

/// Who answers where the first page is not for this account: a new one.
pub(super) fn unknown_server() -> Server {
    Server {
        name: "a store that does not say what it is".to_owned(),
        cluster: None,
        types: false,
        ttl: false,
    }
}

/// Appends the line before a document.
pub(super) fn push_action(place: &Place, id: &str, ttl: Option<u64>, server: &Server, out: &mut Vec<u8>) {
    let text = |text: &str, out: &mut Vec<u8>| {
        let written = to_writer(out, text);
        debug_assert!(written.is_ok(), "memory takes all text");
    };
    // `create`, not `index`: what is there is not written again, and a data stream takes nothing else.
    out.extend_from_slice(b"{\"create\":{\"_index\":");
    text(&place.index, out);
    if server.types {
        out.extend_from_slice(b",\"_type\":");
        text(&place.type_name, out);
    }
    if let Some(ttl) = ttl.filter(|_| server.ttl) {
        out.extend_from_slice(format!(",\"_ttl\":{ttl}").as_bytes());
    }
    out.extend_from_slice(b",\"_id\":");
    text(id, out);
    out.extend_from_slice(b"}}\n");
}

/// What became of one document.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) status: u16,
    /// `mapper_parsing_exception`
    pub(super) kind: String,
    /// For people.
    pub(super) reason: String,
}

/// Reads what is answered to `_bulk` about `expected` documents.
///
/// # Errors
/// In an operator's words.
pub(super) fn items(answer: &[u8], expected: usize) -> Result<Vec<Item>, String> {
    #[derive(Deserialize)]
    struct Answer {
        items: Vec<Action>,
    }
    #[derive(Deserialize)]
    struct Action {
        #[serde(alias = "index")]
        create: Told,
    }
    #[derive(Deserialize)]
    struct Told {
        status: Option<u16>,
        error: Option<Value>,
    }
    let Answer { items } =
        from_slice(answer).map_err(|error| format!("its answer cannot be read: {error}"))?;
    if items.len() != expected {
        return Err(format!("it answered about {} documents of {expected}", items.len()));
    }
    let item = |Action { create: Told { status, error } }| {
        let (kind, reason) = error.map(|error| words(&error)).unwrap_or_default();
        Item { status: status.unwrap_or_else(|| old_status(&kind)), kind, reason }
    };
    Ok(items.into_iter().map(item).collect())
}

/// The type of an error, and what it says; before Elasticsearch 2 it is one text.
fn words(error: &Value) -> (String, String) {
    let text = |error: &Value, key: &str| error[key].as_str().unwrap_or_default().to_owned();
    if let Value::String(text) = error {
        return (text.split('[').next().unwrap_or_default().to_owned(), cut(text));
    }
    let mut reason = String::new();
    let mut at = error;
    for _ in 0..MOST_CAUSES {
        if !at.is_object() {
            break;
        }
        let before = if reason.is_empty() { "" } else { ", caused by " };
        let written = write!(reason, "{before}{}: {}", text(at, "type"), text(at, "reason"));
        debug_assert!(written.is_ok(), "memory takes all text");
        at = &at["caused_by"];
    }
    (text(error, "type"), cut(&reason))
}

/// What Elasticsearch 0.90 means, which gives documents no status.
fn old_status(kind: &str) -> u16 {
    match kind {
        "" => 201,
        _ if kind.starts_with("DocumentAlreadyExists") => 409,
        _ if kind.starts_with("MapperParsing") || kind.starts_with("StrictDynamicMapping") => 400,
        _ => 503,
    }
}

/// Without line ends, and of bounded length.
pub(super) fn cut(text: &str) -> String {
    let line = |sign: char| if sign.is_control() { ' ' } else { sign };
    let mut out: String = text.chars().take(MOST_SIGNS).map(line).collect();
    if text.chars().nth(MOST_SIGNS).is_some() {
        out.push_str("...");
    }
    out
}

const MOST_CAUSES: usize = 3;
const MOST_SIGNS: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_answers_is_known_by_its_first_page() {
        let page = |number: &str, more: &str| {
            format!(
                "{{\"name\":\"n\",\"cluster_name\":\"c\",\"version\":{{\"number\":\"{number}\"{more}}},\"tagline\":\"x\"}}"
            )
        };
        for (number, more, expected) in [
            ("0.90.13", "", ("Elasticsearch 0.90.13", true, true)),
            ("6.8.23", "", ("Elasticsearch 6.8.23", true, false)),
            ("8.15.0", ",\"build_flavor\":\"default\"", ("Elasticsearch 8.15.0", false, false)),
            ("2.19.1", ",\"distribution\":\"opensearch\"", ("OpenSearch 2.19.1", false, false)),
            ("x", "", ("Elasticsearch x", false, false)),
        ] {
            let server = server(page(number, more).as_bytes()).unwrap();
            assert_eq!((server.name.as_str(), server.types, server.ttl), expected);
            assert_eq!(server.cluster.as_deref(), Some("c"));
        }
        assert!(server(b"<html>").unwrap_err().contains("neither"));
    }

    #[test]
    fn an_action_has_what_its_server_knows() {
        let place = Place { index: "a\"-2023".to_owned(), type_name: "log".to_owned() };
        let action = |types, ttl| {
            let mut out = Vec::new();
            let server = Server { name: String::new(), cluster: None, types, ttl };
            push_action(&place, "7-1-0", Some(5), &server, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(action(false, false), "{\"create\":{\"_index\":\"a\\\"-2023\",\"_id\":\"7-1-0\"}}\n");
        assert_eq!(
            action(true, true),
            "{\"create\":{\"_index\":\"a\\\"-2023\",\"_type\":\"log\",\"_ttl\":5,\"_id\":\"7-1-0\"}}\n"
        );
    }

    #[test]
    fn each_item_is_read() {
        let text = "{\"errors\":true,\"items\":[{\"create\":{\"status\":201}},{\"index\":{\"status\":400,\"error\":\
            {\"type\":\"mapper_parsing_exception\",\"reason\":\"failed\\n[x]\",\"caused_by\":{\"type\":\"n\",\"reason\":\"y\"}}}},\
            {\"create\":{\"error\":\"EsRejectedExecutionException[full]\"}},{\"create\":{\"ok\":true}},\
            {\"create\":{\"error\":\"MapperParsingException[bad]\"}}]}";
        let found = items(text.as_bytes(), 5).unwrap();
        assert_eq!(found.iter().map(|item| item.status).collect::<Vec<_>>(), [201, 400, 503, 201, 400]);
        assert_eq!(found[1].kind, "mapper_parsing_exception");
        assert_eq!(found[1].reason, "mapper_parsing_exception: failed [x], caused by n: y");
        assert_eq!(items(text.as_bytes(), 6).unwrap_err(), "it answered about 5 documents of 6");
        for end in 0..text.len() {
            assert!(items(&text.as_bytes()[..end], 5).is_err(), "{end}");
        }
        let long =
            format!("{{\"items\":[{{\"create\":{{\"status\":400,\"error\":\"{}\"}}}}]}}", "ü".repeat(9_000));
        assert_eq!(items(long.as_bytes(), 1).unwrap()[0].reason.chars().count(), 503);
    }
}
