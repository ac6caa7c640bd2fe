//! `netcat`: takes lines of text over TCP and answers each.

mod lines;
mod session;
#[cfg(test)]
mod tests;

use super::{IGNORED, MAX_IDLE_SECONDS, NO_BIND};
use flow::component::{Component, Configure};
use flow::counters::Counted;
use flow::source::{Source, SourceContext, Stopping};
use futures_util::future::LocalBoxFuture;
use java::Charset;
use plan::{Bad, Descriptor, Kind, Property, Value};
use runtime::net::{Listener, Place};
use session::{Shared, serve};
use std::rc::Rc;

/// Its row in the catalogue.
pub(crate) const COMPONENT: Component = Component {
    descriptor: Descriptor::new(
        Kind::Source,
        "netcat",
        "org.apache.flume.source.NetcatSource",
        &[PROPERTIES],
    )
    .listens(),
    configure: Configure::Source(|properties, _, _| {
        let config = NetcatConfig::new(properties);
        Some(Box::new(move || Box::new(Netcat(config.clone()))))
    }),
};

const PROPERTIES: &[Property] = &[
    Property::required("bind", Value::Host).bad(NO_BIND),
    Property::required("port", Value::Port).outside(NO_BIND),
    Property::with("max-line-length", Value::at_least(1, "characters"), "512")
        .outside(Bad::Says("refuses every line")),
    Property::with("ack-every-event", Value::Flag, "true"),
    Property::with("encoding", Value::Charset, "utf-8")
        .bad(Bad::Says("knows more of them; with one that it does not know, every connection fails")),
    // Each may have a read under way, so they are fewer than an avro source takes.
    Property::with("maxConnections", Value::at_least(1, "connections"), "4096").bad(IGNORED),
    MAX_IDLE_SECONDS,
];

/// Keys, units and defaults are Flume's: User Guide, "NetCat TCP Source".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NetcatConfig {
    pub(crate) place: Place,
    /// `max-line-length`, UTF-16 units with the LF; 512 unless set. A longer line ends its session.
    pub(crate) max_line_length: usize,
    /// `ack-every-event`: whether `OK` is answered to each line that is stored; true unless set. `FAILED` always is.
    pub(crate) ack_every_event: bool,
    /// `encoding` of what comes in; `utf-8` unless set. A body is UTF-8 whatever it is, and answers are ASCII.
    encoding: Charset,
}

impl NetcatConfig {
    pub(crate) fn new(properties: &plan::Properties) -> NetcatConfig {
        NetcatConfig {
            place: Place::new(properties),
            max_line_length: properties.count("max-line-length"),
            ack_every_event: properties.flag("ack-every-event"),
            // The check has refused all others.
            encoding: Charset::for_name(properties.word("encoding")).unwrap_or(Charset::UTF_8),
        }
    }
}

/// A netcat source: listens, and starts a task for each connection. At a stop it takes no more connections and lines, answers
/// those it has, then closes.
struct Netcat(NetcatConfig);

impl Source for Netcat {
    fn counted(&self) -> Counted {
        Counted::Events
    }

    fn run(self: Box<Self>, context: SourceContext, stop: Stopping) -> LocalBoxFuture<'static, ()> {
        Box::pin(listen(self.0, context, stop))
    }
}

async fn listen(config: NetcatConfig, mut context: SourceContext, mut stop: Stopping) {
    context.doing.set(format!("listens on {}:{}, or tries to", config.place.bind, config.place.port));
    let what = format!("netcat source {}", context.name);
    slog::info!(context.log, #STARTING, "Source starting");
    let mut listener = tokio::select! {
        listener = Listener::open(&what, &config.place, &mut context.ready, &context.log) => listener,
        _ = stop.changed() => return,
    };
    slog::info!(context.log, #LISTENING, "Created serverSocket:sun.nio.ch.ServerSocketChannelImpl[/{}:{}]",
        config.place.bind, config.place.port);
    context.ready.done();
    let shared = Rc::new(Shared::new(config, &context.name, context.processor, context.log.clone()));
    loop {
        tokio::select! { biased;
            _ = stop.changed() => break,
            (stream, guest) = listener.accept() => {
                actix_rt::spawn(serve(shared.clone(), stream, guest, stop.clone()));
            }
        }
    }
    slog::info!(context.log, #STOPPING, "Source stopping");
}

/// Source: the console of Flume 1.9.0.
const STARTING: &str =
    "lifecycleSupervisor-1-3|org.apache.flume.source.NetcatSource.start(NetcatSource.java:155)";
const LISTENING: &str =
    "lifecycleSupervisor-1-3|org.apache.flume.source.NetcatSource.start(NetcatSource.java:166)";
const STOPPING: &str = "agent-shutdown-hook|org.apache.flume.source.NetcatSource.stop(NetcatSource.java:197)";
