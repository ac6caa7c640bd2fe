//! `thrift`: takes events from clients of Flume's Thrift protocol; see [`wire::thrift`].
//!
//! Source: Flume 1.11 `ThriftSource`. One difference: `protocol = BINARY` is the binary protocol; Flume takes the word and
//! speaks the compact one.

mod session;
#[cfg(test)]
mod tests;

use super::budget::Budget;
use super::port::Port;
use super::{IGNORED, MAX_IDLE_SECONDS, NO_BIND, needs_keystore};
use crate::missing::kerberos;
use flow::component::{Component, Configure, Site, told};
use flow::source::{Source, SourceContext, Stopping};
use futures_util::future::LocalBoxFuture;
use plan::{Bad, Descriptor, Findings, Kind, Properties, Property, Value};
use runtime::net::{BufferPool, Place, SERVER_TLS, ServerLayers};
use session::Shared;
use std::pin::pin;
use std::rc::Rc;
use wire::thrift::Protocol;

/// Its row in the catalogue.
pub(crate) const COMPONENT: Component = Component {
    descriptor: Descriptor::new(
        Kind::Source,
        "thrift",
        "org.apache.flume.source.ThriftSource",
        &[PROPERTIES, SERVER_TLS],
    )
    .listens()
    .beyond(kerberos),
    configure: Configure::Source(|properties, site, findings| {
        let config = Config::new(properties, site, findings)?;
        Some(Box::new(move || Box::new(Thrift(config.clone()))))
    }),
};

const PROPERTIES: &[Property] = &[
    Property::required("bind", Value::Host).bad(NO_BIND),
    Property::required("port", Value::Port).outside(NO_BIND),
    Property::optional("threads", Value::Unused("connections have no threads of their own")),
    Property::with("protocol", Value::Choice(&["compact", "binary"]), "compact"),
    Property::with("kerberos", Value::Flag, "false"),
    Property::optional("agent-principal", Value::Text),
    Property::optional("agent-keytab", Value::Path),
    // As Thrift's own limit.
    Property::with("maxFrameBytes", Value::at_least(64 << 10, "bytes"), "16384000")
        .bad(Bad::Ours("takes frames of up to 16384000 bytes")),
    Property::with("maxConnections", Value::at_least(1, "connections"), "4096").bad(IGNORED),
    MAX_IDLE_SECONDS,
];

/// Keys, units and defaults are Flume's: User Guide, "Thrift Source".
#[derive(Debug, Clone)]
struct Config {
    place: Place,
    /// `protocol`
    protocol: Protocol,
    /// `ssl` and what belongs to it.
    layers: ServerLayers,
    /// `maxFrameBytes`, which Flume does not have: a larger frame ends its connection.
    max_frame_bytes: usize,
}

impl Config {
    fn new(properties: &Properties, site: &Site, findings: &mut Findings<'_>) -> Option<Config> {
        needs_keystore(properties, site.tls_defaults(), findings)?;
        let mut notes = Vec::new();
        let layers = ServerLayers::tls(properties, site.tls_defaults(), &mut notes);
        let layers = told(layers, notes, findings)?;
        let is_binary = properties.word("protocol").eq_ignore_ascii_case("binary");
        let protocol = if is_binary { Protocol::Binary } else { Protocol::Compact };
        Some(Config {
            place: Place::new(properties),
            protocol,
            layers,
            max_frame_bytes: properties.count("maxFrameBytes"),
        })
    }
}

/// Listens, and starts a task for each connection. At a stop it takes no more connections and calls, and answers those it has.
struct Thrift(Config);

impl Source for Thrift {
    fn run(self: Box<Self>, context: SourceContext, stop: Stopping) -> LocalBoxFuture<'static, ()> {
        Box::pin(listen(self.0, context, stop))
    }
}

async fn listen(config: Config, mut context: SourceContext, stop: Stopping) {
    let Config { place, protocol, layers, max_frame_bytes } = config;
    let idle_limit = place.idle_limit;
    let port = Port::new("thrift", place, layers, &context);
    let budget = Budget::new((FRAMES * max_frame_bytes).max(LEAST_MEMORY_BYTES));
    let shared = Rc::new(Shared {
        protocol,
        max_frame_bytes,
        idle_limit,
        processor: context.processor,
        voice: port.voice.clone(),
        budget: budget.clone(),
        pool: BufferPool::default(),
    });
    let serve = move |stream, guest, stop| session::serve(shared.clone(), stream, guest, stop);
    let mut watch = pin!(budget.watch());
    tokio::select! {
        () = port.serve(&mut context.ready, stop, serve) => {}
        () = &mut watch => {}
    }
}

/// What all clients together may make a source hold, in frames of the largest size: one and its events, which may be three
/// times as large, and what is kept for smaller ones.
const FRAMES: usize = 6;
/// And in any case so much.
const LEAST_MEMORY_BYTES: usize = 8 << 20;
