//! `http`: posts the body of each event.
//!
//! Source: Flume 1.11 `HttpSink`, with these differences: connections are kept; a redirect is an answer like any other and is
//! not followed, since a request that follows one carries no body; an event without a body is left out.

mod client;
mod policy;
#[cfg(test)]
mod tests;

use client::{Endpoint, HttpClient};
use flow::component::{Component, Configure, Site, told};
use flow::sink::{SinkContext, remote};
use hyper::Uri;
use hyper::header::HeaderValue;
use plan::{Bad, Descriptor, Findings, Kind, Problem, Properties, Property, Value};
use policy::Rules;
use runtime::clock::Duration;
use runtime::net::{CLIENT_TLS, ClientLayers};

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
            let client = HttpClient::new(config.clone(), context.log.clone());
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

const OWN: Bad = Bad::Says("has no such property and trusts what its JVM does");

/// Ours.
const TRUST: &[Property] = &[
    Property::optional("truststore", Value::Path).bad(OWN),
    Property::optional("truststore-password", Value::Secret).bad(OWN),
    Property::with("truststore-type", Value::Choice(&["JKS", "PKCS12"]), "JKS").bad(OWN),
];

/// What the TLS of an `https` endpoint is made of.
static TLS: Descriptor = Descriptor::new(Kind::Sink, "", "", &[CLIENT_TLS]);

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
        let endpoint = endpoint(properties.word("endpoint"));
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
            layers: layers(&endpoint, properties, site, findings)?,
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

fn endpoint(text: &str) -> Result<Endpoint, String> {
    let uri: Uri =
        text.trim().parse().map_err(|error| format!("it is no URL ({error}); `http://HOST:PORT/PATH`"))?;
    let tls = match uri.scheme_str() {
        Some("http") => false,
        Some("https") => true,
        _ => return Err("it must begin with `http://` or `https://`".to_owned()),
    };
    let host = uri.host().filter(|host| !host.is_empty()).ok_or("it has no host")?;
    Ok(Endpoint {
        host: host.trim_matches(['[', ']']).to_owned(),
        port: uri.port_u16().unwrap_or(if tls { 443 } else { 80 }),
        authority: match uri.port_u16() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        },
        path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        tls,
    })
}

/// Whom an `https` endpoint is trusted by. As a client of HTTP does, and other than those of Avro and Thrift, it looks whether
/// the certificate names the host.
fn layers(
    endpoint: &Endpoint,
    properties: &Properties,
    site: &Site,
    findings: &mut Findings<'_>,
) -> Option<ClientLayers> {
    if !endpoint.tls {
        return Some(ClientLayers::default());
    }
    let trust = ["truststore", "truststore-password", "truststore-type"];
    let trust = trust.into_iter().filter_map(|key| Some((key, properties.text(key)?)));
    let pairs = [("ssl", "true"), ("verify-hostname", "true")].into_iter().chain(trust);
    let mut notes = Vec::new();
    let built = ClientLayers::tls(&Properties::of(&TLS, pairs), site.tls_defaults(), &mut notes);
    told(built, notes, findings)
}
