//! `http`: takes events from requests, as JSON or as they are.
//!
//! Source: Flume 1.11 `HTTPSource` and its handlers, with these differences: a request without a body and an event that is
//! `null` are answered 400, not 500; text is UTF-8 unless the request says otherwise, whatever its content type; no
//! parameter is mandatory for the BLOB handler unless it is named.

mod handler;
mod session;
#[cfg(test)]
mod tests;

use super::budget::Budget;
use super::port::Port;
use super::{IGNORED, MAX_IDLE_SECONDS, NO_BIND, needs_keystore};
use flow::component::{Component, Configure, Site, told};
use flow::source::{Source, SourceContext, Stopping};
use futures_util::future::LocalBoxFuture;
use handler::Handler;
use plan::{Descriptor, Findings, Kind, Problem, Properties, Property, Value};
use runtime::net::{Place, SERVER_TLS, ServerLayers};
use session::Shared;
use std::pin::pin;
use std::rc::Rc;

/// Its row in the catalogue.
pub(crate) const COMPONENT: Component = Component {
    descriptor: DESCRIPTOR,
    configure: Configure::Source(|properties, site, findings| {
        let config = Config::new(properties, site, findings)?;
        Some(Box::new(move || Box::new(Http(config.clone()))))
    }),
};

const DESCRIPTOR: Descriptor = Descriptor::new(
    Kind::Source,
    "http",
    "org.apache.flume.source.http.HTTPSource",
    &[PROPERTIES, OLD_TLS, JETTY, SERVER_TLS],
)
.listens();

/// The same, of which a name for a longer time can be had.
static NAMED: Descriptor = DESCRIPTOR;

const PROPERTIES: &[Property] = &[
    Property::with("bind", Value::Host, "0.0.0.0").bad(NO_BIND),
    Property::required("port", Value::Port).outside(NO_BIND),
    Property::with("handler", Value::Choice(handler::ALL), handler::JSON),
    Property::optional("handler.", Value::Text),
    // Flume takes a body of any size.
    Property::with("maxRequestBytes", Value::at_least(64 << 10, "bytes"), "100663296").bad(IGNORED),
    Property::with("maxConnections", Value::at_least(1, "connections"), "4096").bad(IGNORED),
    MAX_IDLE_SECONDS,
];

/// Names of before 1.9, which count where the new ones are not set.
const OLD_TLS: &[Property] = &[
    Property::optional("enableSSL", Value::Flag),
    Property::optional("excludeProtocols", Value::List),
    Property::optional("keystorePassword", Value::Secret),
];

const RENAMED: [(&str, &str); 3] = [
    ("enableSSL", "ssl"),
    ("excludeProtocols", "exclude-protocols"),
    ("keystorePassword", "keystore-password"),
];

const NO_JETTY: Value = Value::Unused("there is no Jetty here");

const JETTY: &[Property] = &[
    Property::optional("QueuedThreadPool.", NO_JETTY),
    Property::optional("HttpConfiguration.", NO_JETTY),
    Property::optional("SslContextFactory.", NO_JETTY),
    Property::optional("ServerConnector.", NO_JETTY),
];

/// Keys, units and defaults are Flume's: User Guide, "HTTP Source".
#[derive(Debug, Clone)]
struct Config {
    place: Place,
    /// `handler`, `handler.*`
    handler: Handler,
    /// `ssl` and what belongs to it.
    layers: ServerLayers,
    /// `maxRequestBytes`, which Flume does not have: a larger body is answered 413.
    max_request_bytes: usize,
}

impl Config {
    fn new(properties: &Properties, site: &Site, findings: &mut Findings<'_>) -> Option<Config> {
        let handler = match Handler::new(properties) {
            Ok(handler) => Some(handler),
            Err((key, what)) => {
                findings.refuse(&key, &what);
                None
            }
        };
        let layers = layers(properties, site, findings);
        let max_request_bytes = properties.count("maxRequestBytes");
        Some(Config { place: Place::new(properties), handler: handler?, layers: layers?, max_request_bytes })
    }
}

fn layers(properties: &Properties, site: &Site, findings: &mut Findings<'_>) -> Option<ServerLayers> {
    let old =
        RENAMED.iter().filter(|(old, new)| properties.text(old).is_some() && properties.text(new).is_none());
    let old: Vec<_> = old.collect();
    let mut notes = Vec::new();
    if old.is_empty() {
        needs_keystore(properties, site.tls_defaults(), findings)?;
        let built = ServerLayers::tls(properties, site.tls_defaults(), &mut notes);
        return told(built, notes, findings);
    }
    let mut pairs: Vec<_> = properties.iter().collect();
    for (old, new) in old {
        let what = format!("`{}` is the name that 1.8 and earlier have", findings.key(old));
        let note = Problem::note("old-name", findings.at(old), what).here("it counts as the new one");
        findings.add(note.fix(format!("`{} = ...`", findings.key(new))));
        pairs.extend(properties.text(old).map(|value| (*new, value)));
    }
    let renamed = Properties::of(&NAMED, pairs);
    needs_keystore(&renamed, site.tls_defaults(), findings)?;
    let built = ServerLayers::tls(&renamed, site.tls_defaults(), &mut notes);
    told(built, notes, findings)
}

/// Listens, and starts a task for each connection. At a stop it takes no more connections and requests, and answers those
/// it has.
struct Http(Config);

impl Source for Http {
    fn run(self: Box<Self>, context: SourceContext, stop: Stopping) -> LocalBoxFuture<'static, ()> {
        Box::pin(listen(self.0, context, stop))
    }
}

async fn listen(config: Config, mut context: SourceContext, stop: Stopping) {
    let Config { place, handler, layers, max_request_bytes } = config;
    let idle_limit = place.idle_limit;
    let port = Port::new("http", place, layers, &context);
    let budget = Budget::new((BODIES * max_request_bytes).max(LEAST_MEMORY_BYTES));
    let shared = Rc::new(Shared {
        handler,
        max_request_bytes,
        idle_limit,
        processor: context.processor,
        voice: port.voice.clone(),
        budget: budget.clone(),
    });
    let serve = move |stream, guest, stop| session::serve(shared.clone(), stream, guest, stop);
    let mut watch = pin!(budget.watch());
    tokio::select! {
        () = port.serve(&mut context.ready, stop, serve) => {}
        () = &mut watch => {}
    }
}

/// What all clients together may make a source hold, in bodies of the largest size: one and its events, which may be three
/// times as large, and what is kept for smaller ones.
const BODIES: usize = 6;
/// And in any case so much.
const LEAST_MEMORY_BYTES: usize = 8 << 20;
