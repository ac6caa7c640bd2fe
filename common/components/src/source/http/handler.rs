//! What becomes of a request: no socket, no clock.

use event::{BatchBuilder, Span};
use hyper::StatusCode;
use java::Charset;
use plan::Properties;
use std::fmt::Display;
use wire::http;

/// `handler`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Handler {
    /// An array of events in JSON.
    Json,
    /// The body is an event, the parameters are its headers.
    Blob {
        /// `handler.mandatoryParameters`
        mandatory: Vec<String>,
    },
    /// The same, cut at `handler.maxBlobLength`, with the content type as a header.
    CutBlob {
        /// `handler.maxBlobLength`, bytes.
        most: usize,
    },
}

/// A request, once its body is there.
pub(super) struct Request<'r> {
    pub(super) query: &'r str,
    pub(super) content_type: Option<&'r str>,
    pub(super) body: &'r [u8],
}

/// Why a request is not taken: the status, and what is wrong.
pub(super) type Refusal = (StatusCode, String);

impl Handler {
    /// As the properties say.
    ///
    /// # Errors
    /// The property that cannot be, and why.
    pub(super) fn new(properties: &Properties) -> Result<Handler, (String, String)> {
        let own =
            |key: &str| properties.under("handler.").find(|(name, _)| *name == key).map(|(_, value)| value);
        match properties.word("handler").trim() {
            JSON => Ok(Handler::Json),
            BLOB => {
                let names = own("mandatoryParameters").unwrap_or_default().split(',');
                let mandatory = names.filter(|name| !name.is_empty()).map(str::to_owned).collect();
                Ok(Handler::Blob { mandatory })
            }
            CUT_BLOB => {
                let most = own("maxBlobLength").map_or(Ok(MOST_BLOB), |text| text.trim().parse());
                match most {
                    Ok(most @ 1..) => Ok(Handler::CutBlob { most }),
                    _ => Err(("handler.maxBlobLength".to_owned(), "it must be a number above 0".to_owned())),
                }
            }
            _ => Err((
                "handler".to_owned(),
                format!("a handler of one's own is Java; here there are {JSON}, {BLOB} and {CUT_BLOB}"),
            )),
        }
    }

    /// Puts the events of a request into `out`. `Ok(true)`: a body was cut.
    ///
    /// # Errors
    /// What the client is answered instead.
    pub(super) fn events(&self, request: &Request<'_>, out: &mut BatchBuilder) -> Result<bool, Refusal> {
        let Request { query, content_type, body } = request;
        match self {
            Handler::Json => json(*content_type, body, out).map(|()| false),
            Handler::Blob { mandatory } => {
                let headers = http::parameters(query);
                if let Some(missing) = mandatory.iter().find(|name| !headers.contains_key(*name)) {
                    let what = format!("Please specify {missing} parameter in the request.");
                    return Err((StatusCode::INTERNAL_SERVER_ERROR, what));
                }
                blob(headers.iter(), body, out);
                Ok(false)
            }
            Handler::CutBlob { most } => {
                let mut headers = http::parameters(query);
                if let Some(kind) = content_type {
                    headers.entry("Content-Type".to_owned()).or_insert_with(|| (*kind).to_owned());
                }
                blob(headers.iter(), &body[..body.len().min(*most)], out);
                Ok(body.len() > *most)
            }
        }
    }
}

fn blob<'h>(headers: impl Iterator<Item = (&'h String, &'h String)>, body: &[u8], out: &mut BatchBuilder) {
    let pairs = headers.map(|(name, value)| (name.as_str(), value.as_str()));
    out.push_received(pairs, Span::BORN_HERE, body);
}

fn json(content_type: Option<&str>, body: &[u8], out: &mut BatchBuilder) -> Result<(), Refusal> {
    let charset = match content_type.and_then(charset_of) {
        None => Charset::UTF_8,
        Some(name) => {
            let known = ["utf-8", "utf-16", "utf-32"].iter().any(|known| name.eq_ignore_ascii_case(known));
            let charset = Charset::for_name(name).filter(|_| known);
            charset.ok_or((
                StatusCode::INTERNAL_SERVER_ERROR,
                "JSON handler supports UTF-8, UTF-16 and UTF-32 only.".to_owned(),
            ))?
        }
    };
    let bad =
        |what: &dyn Display| (StatusCode::BAD_REQUEST, format!("Request has invalid JSON Syntax: {what}"));
    http::events(&charset.decode(body), charset, out).map(drop).map_err(|error| bad(&error))
}

/// `utf-16` of `application/json; charset="utf-16"`.
fn charset_of(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    })
}

pub(super) const JSON: &str = "org.apache.flume.source.http.JSONHandler";
const BLOB: &str = "org.apache.flume.source.http.BLOBHandler";
const CUT_BLOB: &str = "org.apache.flume.sink.solr.morphline.BlobHandler";
/// All that there are natively.
pub(super) const ALL: &[&str] = &[JSON, BLOB, CUT_BLOB];
const MOST_BLOB: usize = 100_000_000;
