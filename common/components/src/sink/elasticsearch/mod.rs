//! `elasticsearch`: makes a document of each event, in Elasticsearch or OpenSearch, over HTTP.
//!
//! Source: Flume 1.9 `ElasticSearchSink`, with these differences: it speaks HTTP whatever `client` is, for no store speaks the
//! transport protocol of Elasticsearch 0.90 any more; the fate of each document is looked at (`RestClient` looks at none), only
//! what was not taken is sent again, and what is never taken is put aside; documents have ids, so that one whose answer was lost
//! is not made twice; `indexNameBuilder.dateFormat` and `indexNameBuilder.timeZone` have an effect.

mod bulk;
mod client;
mod document;
mod identity;
mod index;
mod policy;
#[cfg(test)]
mod tests;

use super::http1::{Endpoint, TRUST, layers};
use crate::escapes::{Piece, Template, host, named_zone};
use base64ct::{Base64, Encoding};
use client::ElasticSearchClient;
use document::Format;
use flow::component::{Component, Configure, Site};
use flow::sink::{SinkContext, remote};
use hyper::header::HeaderValue;
use index::Names;
use java::DatePrinter;
use jiff::tz::TimeZone;
use plan::{Bad, Descriptor, Findings, Kind, Problem, Properties, Property, Value};
use runtime::clock::Duration;
use runtime::net::ClientLayers;
use std::path::PathBuf;

/// Its row in the catalogue.
pub(crate) const COMPONENT: Component = Component {
    descriptor: Descriptor::new(
        Kind::Sink,
        "elasticsearch",
        "org.apache.flume.sink.elasticsearch.ElasticSearchSink",
        &[PROPERTIES, OWN, TRUST],
    )
    .batch("batchSize")
    .until("1.9.0"),
    configure: Configure::Sink(|properties, site, findings| {
        let config = Config::new(properties, site, findings)?;
        Some(Box::new(move |context: SinkContext| {
            console::fact::component_started(&context.log, console::fact::ComponentType::Sink, &context.name);
            let (counters, log) = (context.counters.clone(), context.log.clone());
            let client = ElasticSearchClient::new(config.clone(), &context.name, counters, log);
            Ok(remote::start(client, context))
        }))
    }),
};

const PROPERTIES: &[Property] = &[
    Property::required("hostNames", Value::Text),
    Property::with("indexName", Value::Text, "flume"),
    Property::with("indexType", Value::Text, "log"),
    Property::with("clusterName", Value::Text, "elasticsearch"),
    Property::with("batchSize", Value::at_least(1, "events"), "100"),
    Property::optional("ttl", Value::Text),
    Property::with("client", Value::Choice(&["transport", "rest"]), "transport")
        .bad(Bad::Says("starts, and fails with every batch")),
    Property::optional("client.", Value::Unused("Flume's clients read none of them")),
    Property::with("serializer", Value::Choice(&[LOG_STASH, DYNAMIC]), LOG_STASH),
    Property::optional("serializer.", Value::Free),
    Property::with("indexNameBuilder", Value::Choice(&[TIME_BASED, SIMPLE]), TIME_BASED),
    Property::optional("indexNameBuilder.", Value::Text),
    Property::with("indexNameBuilder.dateFormat", Value::Text, "yyyy-MM-dd"),
    Property::with("indexNameBuilder.timeZone", Value::Text, "Etc/UTC"),
];

const LOG_STASH: &str = "org.apache.flume.sink.elasticsearch.ElasticSearchLogStashEventSerializer";
const DYNAMIC: &str = "org.apache.flume.sink.elasticsearch.ElasticSearchDynamicSerializer";
const TIME_BASED: &str = "org.apache.flume.sink.elasticsearch.TimeBasedIndexNameBuilder";
const SIMPLE: &str = "org.apache.flume.sink.elasticsearch.SimpleIndexNameBuilder";

const NONE: Bad = Bad::Ours("");

/// Ours.
const OWN: &[Property] = &[
    Property::optional("httpPort", Value::Port).bad(NONE),
    Property::with("connectTimeout", Value::at_least(1, "ms"), "5000").bad(NONE),
    Property::with("requestTimeout", Value::at_least(1, "ms"), "60000").bad(NONE),
    Property::optional("deadLetterDir", Value::Path).bad(NONE),
    Property::optional("username", Value::Text).bad(NONE),
    Property::optional("password", Value::Secret).bad(NONE),
];

/// Keys, units and defaults are Flume's: User Guide of 1.9, "ElasticSearchSink".
#[derive(Debug, Clone)]
struct Config {
    /// `hostNames`, with the port of HTTP; their paths do not end with a `/`.
    hosts: Vec<Endpoint>,
    /// `indexName`, `indexType`, `indexNameBuilder`
    names: Names,
    /// `serializer`
    format: Format,
    /// `clusterName`, where the file has it and Flume would look at it.
    cluster: Option<String>,
    /// `ttl` in milliseconds.
    ttl: Option<u64>,
    /// `connectTimeout`
    connect_timeout: Duration,
    /// `requestTimeout`
    request_timeout: Duration,
    /// `deadLetterDir`: where events go that are never taken; `~/.flume/elasticsearch/dead-letters` unless set.
    dead_letters: PathBuf,
    /// `username` and `password`
    authorization: Option<HeaderValue>,
    /// Of hosts with `https`.
    layers: ClientLayers,
    plain: ClientLayers,
}

impl Config {
    fn new(properties: &Properties, site: &Site, findings: &mut Findings<'_>) -> Option<Config> {
        let hosts = hosts(properties, findings);
        let names = names(properties, findings);
        let ttl = ttl(properties, findings);
        let authorization = authorization(properties, findings);
        let hosts = hosts?;
        let is_transport = properties.word("client").eq_ignore_ascii_case("transport");
        Some(Config {
            layers: layers(hosts.iter().any(|host| host.tls), properties, site, findings)?,
            plain: ClientLayers::default(),
            hosts,
            names: names?,
            format: if properties.word("serializer") == DYNAMIC { Format::Dynamic } else { Format::LogStash },
            cluster: properties.text("clusterName").filter(|_| is_transport).map(str::to_owned),
            ttl: ttl?,
            connect_timeout: properties.millis("connectTimeout"),
            request_timeout: properties.millis("requestTimeout"),
            dead_letters: match properties.text("deadLetterDir") {
                Some(directory) => directory.into(),
                None => std::env::home_dir().unwrap_or_default().join(".flume/elasticsearch/dead-letters"),
            },
            authorization: authorization?,
        })
    }

    /// All hosts, for people.
    fn everybody(&self) -> String {
        let hosts: Vec<String> = self.hosts.iter().map(Endpoint::origin).collect();
        format!("the store at {}", hosts.join(", "))
    }
}

/// The hosts, each with its port of HTTP.
fn hosts(properties: &Properties, findings: &mut Findings<'_>) -> Option<Vec<Endpoint>> {
    let text: String = properties.word("hostNames").split_whitespace().collect();
    let port = properties.given("httpPort");
    let is_rest = properties.word("client").eq_ignore_ascii_case("rest");
    let mut told = false;
    let words = text.trim_end_matches(',').split(',');
    let hosts = words.map(|word| {
        let url = if word.contains("://") {
            word.to_owned()
        } else if is_rest {
            format!("http://{word}")
        } else {
            let (host, given) = host_and_port(word)?;
            let http = port.unwrap_or_else(|| http_port(given));
            told |= http != given;
            format!("http://{host}:{http}")
        };
        if let Some((_, host)) = word.rsplit_once('@') {
            return Err(format!(
                "the account in front of {} is not used: set `username` and `password`",
                plan::quoted(host)
            ));
        }
        let mut host = Endpoint::parse(&url).map_err(|what| format!("{}: {what}", plan::quoted(word)))?;
        host.path.truncate(host.path.trim_end_matches('/').len());
        Ok(host)
    });
    let hosts: Result<Vec<_>, String> = hosts.collect();
    let hosts = hosts.map_err(|what| findings.refuse("hostNames", &what)).ok()?;
    if told {
        let ports: Vec<&str> = hosts.iter().map(|host| host.authority.as_str()).collect();
        let what = format!("`{}` names the transport port", findings.key("hostNames"));
        let problem = Problem::note("transport-port", &findings.at("hostNames").clone(), what)
            .flume(
                "speaks the transport protocol of Elasticsearch 0.90 there, which later releases do not know",
            )
            .here(format!(
                "speaks HTTP with {}; `{}` names another port",
                ports.join(", "),
                findings.key("httpPort")
            ));
        findings.add(problem);
    }
    Some(hosts)
}

/// The host and the port of `transport`.
fn host_and_port(word: &str) -> Result<(&str, u16), String> {
    let wrong = |_| format!("the port of {} is none", plan::quoted(word));
    match word.rsplit_once(':') {
        Some((host, port)) if !host.ends_with(':') && !port.ends_with(']') => {
            Ok((host, port.parse().map_err(wrong)?))
        }
        _ => Ok((word, TRANSPORT_PORT)),
    }
}

/// Elasticsearch takes the first free one of 9300 to 9399 for transport, and of 9200 to 9299 for HTTP. Another port may well be
/// one of HTTP: Flume's own guide has 9200 in its example.
fn http_port(given: u16) -> u16 {
    if (TRANSPORT_PORT..TRANSPORT_PORT + 100).contains(&given) { given - 100 } else { given }
}

/// `ElasticSearchSinkConstants.DEFAULT_PORT`
const TRANSPORT_PORT: u16 = 9300;

fn names(properties: &Properties, findings: &mut Findings<'_>) -> Option<Names> {
    let mut template = |key: &str| {
        Template::parse(properties.word(key), &host).map_err(|what| findings.refuse(key, &what)).ok()
    };
    let (index, type_name) = (template("indexName"), template("indexType"));
    let date = date(properties, findings);
    let index = index?;
    let is_bad =
        |text: &str| text.contains(|sign: char| sign.is_uppercase() || "\\/*?\"<>| ,#".contains(sign));
    if index.pieces.iter().any(|piece| matches!(piece, Piece::Text(text) if is_bad(text))) {
        let what = format!(
            "`{} = {}` cannot be the name of an index: it has capital letters, a blank or one of \\ / * ? \" < > | , #",
            findings.key("indexName"),
            properties.word("indexName")
        );
        let problem = Problem::warning("never-delivered", &findings.at("indexName").clone(), what)
            .flume("sends the first batch again and again, and the store refuses it")
            .here("the same");
        findings.add(problem);
    }
    Some(Names { index, date: date?, type_name: type_name? })
}

/// What stands behind the name of an index; the inner `None`: nothing does.
fn date(properties: &Properties, findings: &mut Findings<'_>) -> Option<Option<DatePrinter>> {
    if properties.word("indexNameBuilder") == SIMPLE {
        return Some(None);
    }
    let keys = ["indexNameBuilder.dateFormat", "indexNameBuilder.timeZone"];
    for key in keys.into_iter().filter(|key| properties.text(key).is_some()) {
        let what = format!("`{}` has an effect here", findings.key(key));
        let problem = Problem::warning("other-index", &findings.at(key).clone(), what)
            .flume("does not hand it to its index name builder: indices are named by `yyyy-MM-dd` in UTC")
            .here("indices have the names that it says: leave it out for those that Flume makes");
        findings.add(problem);
    }
    let [format, zone] = keys.map(|key| properties.word(key));
    let zone = match named_zone(zone) {
        Some(zone) => zone,
        None => {
            findings.refuse(keys[1], "no such time zone is known");
            TimeZone::UTC
        }
    };
    DatePrinter::compile(format, zone).map_err(|what| findings.refuse(keys[0], &what)).ok().map(Some)
}

/// `5d`; without a unit it is days. The inner `None`: documents stay.
fn ttl(properties: &Properties, findings: &mut Findings<'_>) -> Option<Option<u64>> {
    let Some(text) = properties.text("ttl") else { return Some(None) };
    let digits = text.len() - text.trim_start_matches(|sign: char| sign.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let unit = match unit {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        "" | "d" => Some(DAY),
        "w" => Some(7 * DAY),
        _ => None,
    };
    let millis = number.parse::<u64>().ok().zip(unit).and_then(|(number, unit)| number.checked_mul(unit));
    let Some(millis) = millis.filter(|millis| *millis > 0) else {
        findings.refuse("ttl", "a number above zero and one of ms, s, m, h, d, w are expected");
        return None;
    };
    let what = format!("`{}` has an effect up to Elasticsearch 4 only", findings.key("ttl"));
    let problem = Problem::note("no-effect", &findings.at("ttl").clone(), what)
        .flume("the same")
        .here("it is not sent to a later one: have the store remove old indices (index lifecycle, state management)");
    findings.add(problem);
    Some(Some(millis))
}

const DAY: u64 = 24 * 3_600_000;

/// The header that says who asks; the inner `None`: nobody in particular.
fn authorization(properties: &Properties, findings: &mut Findings<'_>) -> Option<Option<HeaderValue>> {
    let password = properties.secret("password");
    let Some(name) = properties.text("username") else {
        if password.is_some() {
            findings.refuse("username", "`password` needs it");
            return None;
        }
        return Some(None);
    };
    let password = password.as_ref().map(plan::Secret::reveal).unwrap_or_default();
    let text = Base64::encode_string(format!("{name}:{password}").as_bytes());
    let mut value = HeaderValue::from_str(&format!("Basic {text}")).ok()?;
    value.set_sensitive(true);
    Some(Some(value))
}
