//! `syslogtcp`, `multiport_syslogtcp`, `syslogudp`: take syslog messages; see [`wire::syslog`].
//!
//! A sender of syslog is answered nothing. Over TCP it is not read while the channel is full, so that its messages wait with it;
//! Flume drops them. What was sent without a line feed behind it is a message when its sender ends the connection; Flume
//! drops it.

mod config;
mod session;
#[cfg(test)]
mod tests;
mod udp;

use super::port::{Port, Voice};
use super::{IGNORED, MAX_IDLE_SECONDS, NO_BIND};
use config::Config;
use flow::component::{Component, Configure};
use flow::counters::Counted;
use flow::source::{Source, SourceContext, Stopping};
use futures_util::future::{LocalBoxFuture, join_all};
use plan::{Bad, Descriptor, Kind, Property, Value};
use runtime::net::SERVER_TLS;
use runtime::ready::Ready;
use session::Shared;
use std::rc::Rc;
use tokio::sync::mpsc;

/// The rows in the catalogue.
pub(crate) const COMPONENTS: &[&Component] = &[
    &Component {
        descriptor: Descriptor::new(
            Kind::Source,
            "syslogtcp",
            "org.apache.flume.source.SyslogTcpSource",
            &[TCP, CLASSIC, SENDER, CONNECTIONS, SERVER_TLS],
        )
        .listens(),
        configure: Configure::Source(|properties, site, findings| {
            let config = Config::tcp(properties, site, findings)?;
            Some(Box::new(move || Box::new(SyslogTcp(config.clone()))))
        }),
    },
    &Component {
        descriptor: Descriptor::new(
            Kind::Source,
            "multiport_syslogtcp",
            "org.apache.flume.source.MultiportSyslogTCPSource",
            &[MULTIPORT, SENDER, CONNECTIONS, SERVER_TLS],
        )
        .batch("batchSize"),
        configure: Configure::Source(|properties, site, findings| {
            let config = Config::multiport(properties, site, findings)?;
            Some(Box::new(move || Box::new(SyslogTcp(config.clone()))))
        }),
    },
    &Component {
        descriptor: Descriptor::new(
            Kind::Source,
            "syslogudp",
            "org.apache.flume.source.SyslogUDPSource",
            &[UDP, CLASSIC, SENDER],
        ),
        configure: Configure::Source(|properties, _, findings| {
            let config = Config::udp(properties, findings)?;
            Some(Box::new(move || Box::new(udp::SyslogUdp(config.clone()))))
        }),
    },
];

const TCP: &[Property] = &[
    Property::with("host", Value::Host, "0.0.0.0").bad(Bad::Says("logs an error once, and never listens")),
    Property::required("port", Value::Port).outside(Bad::Says("logs an error once, and never listens")),
    EVENT_SIZE,
];

const MULTIPORT: &[Property] = &[
    Property::with("host", Value::Host, "0.0.0.0").bad(Bad::Says("opens none of its ports")),
    Property::required("ports", Value::List),
    EVENT_SIZE,
    Property::optional("portHeader", Value::Text),
    Property::with("charset.default", Value::Charset, "UTF-8"),
    Property::optional("charset.port.", Value::Charset),
    Property::with("batchSize", Value::at_least(1, "events"), "100").outside(Bad::Says("stores nothing")),
    Property::with(
        "readBufferBytes",
        Value::Unused("reads are as large as what has come, up to 64 KiB"),
        "1024",
    ),
    Property::optional("numProcessors", Value::Unused("connections have no threads of their own")),
];

const UDP: &[Property] = &[
    Property::with("host", Value::Host, "0.0.0.0").bad(NO_BIND),
    Property::required("port", Value::Port).outside(NO_BIND),
];

/// Of the sources whose parser knows forms.
const CLASSIC: &[Property] = &[
    Property::optional("format.regex", Value::Regex).bad(Bad::Says("fails at every connection")),
    Property::optional("format.search", Value::Regex).bad(Bad::Says("fails at every message")),
    Property::optional("format.replace", Value::Free),
    Property::optional("format.dateFormat", Value::Free).bad(Bad::Says("fails at every connection")),
];

const SENDER: &[Property] = &[
    Property::with("keepFields", Value::Text, "none"),
    Property::optional("clientIPHeader", Value::Text),
    Property::optional("clientHostnameHeader", Value::Text),
];

const CONNECTIONS: &[Property] = &[
    Property::with("maxConnections", Value::at_least(1, "connections"), "4096").bad(IGNORED),
    MAX_IDLE_SECONDS,
];

const EVENT_SIZE: Property = Property::with("eventSize", Value::at_least(10, "bytes"), "2500")
    .outside(Bad::Says("cuts messages within their priority, or takes them of any length"));

/// Listens at one port or at several, and starts a task for each connection. At a stop it takes no more connections and
/// messages, and stores those it has.
struct SyslogTcp(Config);

impl Source for SyslogTcp {
    fn counted(&self) -> Counted {
        Counted::Events
    }

    fn run(self: Box<Self>, context: SourceContext, stop: Stopping) -> LocalBoxFuture<'static, ()> {
        Box::pin(listen(self.0, context, stop))
    }
}

async fn listen(config: Config, mut context: SourceContext, stop: Stopping) {
    let what = format!("{} source {}", config.kind, context.name);
    let voice = Voice::new(&what, &context.log);
    let ports = config.ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    context.doing.set(format!("listens on {}, port {ports}, or tries to", config.host));
    let (tell, mut told) = mpsc::unbounded_channel();
    let serving = config.ports.iter().map(|port| {
        let shared = Rc::new(Shared::new(
            &config,
            *port,
            &what,
            context.processor.clone(),
            &context.log,
            voice.clone(),
        ));
        let (place, layers) = (config.place(*port), config.layers.clone());
        let port = Port { what: what.clone(), place, layers, voice: voice.clone() };
        let (mut ready, stop) = (Ready::new(tell.clone()), stop.clone());
        async move {
            let serve = move |stream, guest, stop| session::serve(shared.clone(), stream, guest, stop);
            port.serve(&mut ready, stop, serve).await;
        }
    });
    let mut serving = std::pin::pin!(join_all(serving));
    for _ in &config.ports {
        tokio::select! { biased;
            _ = told.recv() => {}
            _ = &mut serving => return,
        }
    }
    console::fact::component_started(&context.log, console::fact::ComponentType::Source, &context.name);
    context.ready.done();
    serving.await;
}
