//! `http`: posts the body of each event.
//!
//! Source: Flume 1.11 `HttpSink`, with these differences: connections are kept; a redirect is an answer like any other and is
//! not followed, since a request that follows one carries no body; an event without a body is left out.

mod client;
mod policy;
#[cfg(test)]
mod tests;

use super::http1::{Endpoint, TRUST, layers};
use client::HttpClient;
use flow::component::{Component, Configure, Site};
use flow::sink::{SinkContext, remote};
use hyper::header::HeaderValue;
use plan::{Descriptor, Findings, Kind, Problem, Properties, Property, Value};
use policy::Rules;
use runtime::clock::Duration;
use runtime::net::ClientLayers;

/// Its row in the catalogue.
pub(crate) const COMPONENT: Component = Component {
    descriptor: Descriptor::new(
        Kind::Sink,
        "http",
        "org.apache.flume.sink.http.HttpSink",
        &[PROPERTIES, TRUST],
    )
    .since("1.9.0")
    .single(),
    configure: Configure::Sink(|properties, site, findings| {
        let config = Config::new(properties, site, findings)?;
        Some(Box::new(move |context: SinkContext| {
            console::fact::component_started(&context.log, console::fact::ComponentType::Sink, &context.name);
            let client = HttpClient::new(config.clone(), context.log.clone(), context.counters.clone());
            Ok(remote::start(client, context))
        }))
    }),
};

const PROPERTIES: &[Property] = &[
    Property::required("endpoint", Value::Text),
    Property::with("connectTimeout", Value::at_least(1, "ms"), "5000"),
    Property::with("requestTimeout", Value::at_least(1, "ms"), "5000"),
    Property::with("contentTypeHeader", Value::Text, "text/plain"),
    Property::with("acceptHeader", Value::Text, "text/plain"),
    Property::with("defaultBackoff", Value::Flag, "true"),
    Property::with("defaultRollback", Value::Flag, "true"),
    Property::with("defaultIncrementMetrics", Value::Flag, "false"),
    Property::optional("backoff.", Value::Flag),
    Property::optional("rollback.", Value::Flag),
    Property::optional("incrementMetrics.", Value::Flag),
];

/// Keys, units and defaults are Flume's: User Guide, "HTTP Sink".
#[derive(Debug, Clone)]
struct Config {
    /// `endpoint`
    endpoint: Endpoint,
    /// `connectTimeout`
    connect_timeout: Duration,
    /// `requestTimeout`
    request_timeout: Duration,
    /// `contentTypeHeader`
    content_type: HeaderValue,
    /// `acceptHeader`
    accept: HeaderValue,
    rules: Rules,
    layers: ClientLayers,
}

impl Config {
    fn new(properties: &Properties, site: &Site, findings: &mut Findings<'_>) -> Option<Config> {
        let endpoint = Endpoint::parse(properties.word("endpoint"));
        if let Err(what) = &endpoint {
            findings.refuse("endpoint", what);
        }
        let mut header = |key: &str| match HeaderValue::from_str(properties.word(key)) {
            Ok(value) => Some(value),
            Err(_) => {
                findings.refuse(key, "it has characters that cannot stand in a header of HTTP");
                None
            }
        };
        let (content_type, accept) = (header("contentTypeHeader"), header("acceptHeader"));
        let endpoint = endpoint.ok()?;
        let rules = Rules::new(properties);
        if rules.verdict(200).again {
            never_done(findings);
        }
        Some(Config {
            layers: layers(endpoint.tls, properties, site, findings)?,
            endpoint,
            connect_timeout: properties.millis("connectTimeout"),
            request_timeout: properties.millis("requestTimeout"),
            content_type: content_type?,
            accept: accept?,
            rules,
        })
    }
}

/// Flume's defaults roll back whatever is answered.
fn never_done(findings: &mut Findings<'_>) {
    let what =
        format!("the {} takes no answer for a success: `rollback.200` is not false", findings.owner.noun);
    let problem = Problem::warning("never-delivered", &findings.owner.at.clone(), what)
        .flume("posts the first event again and again, whatever is answered")
        .here("the same");
    let [rollback, backoff, metrics] =
        ["rollback.2XX", "backoff.2XX", "incrementMetrics.2XX"].map(|key| findings.key(key));
    findings.add(problem.fix(format!("`{rollback} = false`, `{backoff} = false`, `{metrics} = true`")));
}
