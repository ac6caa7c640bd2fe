//! `avro`: hands events to a collector, ours or a Flume's, over Flume's Avro protocol.

mod client;
#[cfg(test)]
mod peer_tests;
#[cfg(test)]
mod tests;

use actix::prelude::*;
use flow::component::{Component, Configure, told};
use flow::error::DeliveryError;
use flow::message::{Deliver, PendingDelivery, Probe, State, Stop};
use flow::processor::SinkAddress;
use flow::sink::{Member, SinkContext};
use flow::supervise::DeathWatch;
use plan::{Bad, Descriptor, Findings, Kind, Problem, Properties, Property, Value};
use rpc::{AvroSinkConfig, Connection, End};
use runtime::net::{CLIENT_TLS, COMPRESSION};
use tokio::sync::mpsc;

/// Its row in the catalogue.
pub(crate) const COMPONENT: Component = Component {
    descriptor: Descriptor::new(
        Kind::Sink,
        "avro",
        "org.apache.flume.sink.AvroSink",
        &[PROPERTIES, CLIENT, CLIENT_TLS],
    )
    .batch("batch-size"),
    configure: Configure::Sink(|properties, site, findings| {
        client_hosts(properties, findings);
        match properties.word("client.type").to_ascii_lowercase().as_str() {
            "default" => {}
            "thrift" => return client::thrift(properties, site, findings),
            _ => return client::routed(properties, site, findings),
        }
        let mut notes = Vec::new();
        let built = AvroSinkConfig::build(properties, site.tls_defaults(), &mut notes);
        let config = told(built, notes, findings)?;
        Some(Box::new(move |context: SinkContext| {
            console::fact::rpc_sink_starting(&context.log, &context.name, &config.host, config.port);
            console::fact::component_started(&context.log, console::fact::ComponentType::Sink, &context.name);
            let sink = AvroSink::new(config.clone(), context.member, context.death_watch);
            Ok(SinkAddress::of(&sink.start()))
        }))
    }),
};

const NEVER_CONNECTS: Bad = Bad::Says("never connects, and tries again every 5 s for ever");

const PROPERTIES: &[Property] = &[
    Property::required("hostname", Value::Host).bad(NEVER_CONNECTS),
    Property::required("port", Value::Port).outside(NEVER_CONNECTS),
    Property::with("batch-size", Value::at_least(1, "events"), "100").lenient(),
    Property::with("connect-timeout", Value::at_least(1000, "ms"), "20000").lenient(),
    Property::with("request-timeout", Value::at_least(1000, "ms"), "20000").lenient(),
    Property::with("reset-connection-interval", Value::at_least(0, "s"), "0").outside(Bad::Default),
    Property::with("compression-type", Value::Choice(COMPRESSION), "none").lenient(),
    Property::with("compression-level", Value::Number { min: 0, max: 9, unit: "" }, "6")
        .bad(Bad::Says("takes 6 for a word, and fails at every connect for a number out of range")),
    Property::optional(
        "maxIoWorkers",
        Value::Unused("connections have no threads of their own; Flume warns of it since 1.10"),
    ),
];

/// Flume hands all keys of the sink to its client factory, so the client's own work here too.
const CLIENT: &[Property] = &[
    Property::with(
        "client.type",
        Value::Choice(&["default", "default_failover", "default_loadbalance", "thrift"]),
        "default",
    )
    .bad(Bad::Says("never gets a client, and tries again every 5 s for ever")),
    Property::optional("hosts", Value::List),
    Property::optional("hosts.", Value::Text),
    Property::optional("max-attempts", Value::at_least(0, "attempts")).lenient(),
    Property::with("host-selector", Value::Choice(&["round_robin", "random"]), "round_robin").lenient(),
    Property::with("backoff", Value::Flag, "false"),
    Property::with("maxBackoff", Value::at_least(0, "ms"), "30000").lenient(),
    Property::with("protocol", Value::Choice(&["compact", "binary"]), "compact").lenient(),
];

/// The sink hands its keys to a client that may have hosts of its own.
fn client_hosts(properties: &Properties, findings: &mut Findings<'_>) {
    let port = |text: &str| {
        text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
    };
    for alias in properties.words("hosts") {
        let key = format!("hosts.{alias}");
        if properties.text(&key).is_some_and(port) {
            continue;
        }
        let at = properties.place(&key).unwrap_or(findings.at("hosts"));
        let key = findings.key(&key);
        let problem = Problem::error("bad-value", at, format!("`{key}` is not `HOST:PORT`"))
            .flume("never gets a client, and tries again every 5 s for ever");
        findings.add(problem.fix(format!("`{key} = HOST:PORT`")));
    }
}

/// The actor of an avro sink: connects when it is probed, and tells its group how it stands.
pub(crate) struct AvroSink {
    config: AvroSinkConfig,
    member: Member,
    state: Connected,
    death_watch: DeathWatch,
}

enum Connected {
    No,
    /// Pending deliveries that come meanwhile (a reset is not told to the group) wait for the new connection.
    Soon(Vec<PendingDelivery>),
    Yes(mpsc::UnboundedSender<PendingDelivery>),
}

impl AvroSink {
    pub(crate) fn new(config: AvroSinkConfig, member: Member, death_watch: DeathWatch) -> AvroSink {
        AvroSink { config, member, state: Connected::No, death_watch }
    }

    fn connect(&mut self, ctx: &mut Context<Self>) {
        self.state = Connected::Soon(Vec::new());
        let config = self.config.clone();
        let opened = async move { Connection::open(&config).await }.into_actor(self);
        ctx.spawn(opened.map(|opened, sink, ctx| match opened {
            Ok(connection) => sink.connected(connection, ctx),
            Err(error) => sink.down(error),
        }));
    }

    fn connected(&mut self, mut connection: Connection<PendingDelivery>, ctx: &mut Context<Self>) {
        let (sender, mut all_pending) = mpsc::unbounded_channel();
        if let Connected::Soon(held) = std::mem::replace(&mut self.state, Connected::No) {
            held.into_iter().for_each(|pending| give(&sender, pending, &self.config));
        }
        self.state = Connected::Yes(sender);
        self.member.tell(State::Up(connection.window));
        let member = self.member.clone();
        let run = async move {
            let end = connection.run(&mut all_pending, || member.tell(State::Leaving)).await;
            all_pending.close();
            let mut unsent = Vec::new();
            while let Ok(pending) = all_pending.try_recv() {
                unsent.push(pending);
            }
            (end, unsent)
        };
        ctx.spawn(run.into_actor(self).map(|(end, unsent), sink, ctx| sink.ended(end, unsent, ctx)));
    }

    fn ended(&mut self, end: End, unsent: Vec<PendingDelivery>, ctx: &mut Context<Self>) {
        match end {
            // It was told to stop meanwhile.
            End::Reset if matches!(self.state, Connected::No) => ctx.stop(),
            End::Reset => {
                self.connect(ctx);
                self.state = Connected::Soon(unsent);
            }
            End::Stopped => ctx.stop(),
            End::Failed(error) => {
                self.state = Connected::No;
                unsent.into_iter().for_each(|pending| pending.failed(self.not_connected()));
                self.down(error);
            }
        }
    }

    fn down(&mut self, error: DeliveryError) {
        if let Connected::Soon(held) = std::mem::replace(&mut self.state, Connected::No) {
            held.into_iter().for_each(|pending| pending.failed(self.not_connected()));
        }
        self.member.tell(State::Down(error));
    }

    fn not_connected(&self) -> DeliveryError {
        DeliveryError::Unreachable { peer: self.config.peer(), reason: "not connected".to_owned() }
    }
}

fn give(
    connection: &mpsc::UnboundedSender<PendingDelivery>,
    pending: PendingDelivery,
    config: &AvroSinkConfig,
) {
    if let Err(mpsc::error::SendError(pending)) = connection.send(pending) {
        pending.failed(DeliveryError::Closed { peer: config.peer(), reason: "it has just ended".to_owned() });
    }
}

impl Actor for AvroSink {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(0); // bounded by the window it gives to its group
        self.member.tell(State::Started);
    }
}

impl Handler<Probe> for AvroSink {
    type Result = ();

    fn handle(&mut self, _: Probe, ctx: &mut Self::Context) {
        // One that is connected already will be heard of when that connection ends, which it is about to.
        if matches!(self.state, Connected::No) {
            self.connect(ctx);
        }
    }
}

impl Handler<Deliver> for AvroSink {
    type Result = ();

    fn handle(&mut self, Deliver(pending): Deliver, _: &mut Self::Context) {
        match &mut self.state {
            Connected::Yes(connection) => give(connection, pending, &self.config),
            Connected::Soon(held) => held.push(pending),
            Connected::No => pending.failed(self.not_connected()),
        }
    }
}

impl Handler<Stop> for AvroSink {
    type Result = ();

    fn handle(&mut self, _: Stop, ctx: &mut Self::Context) {
        self.death_watch.release();
        // A connection without a sender closes in its own time, and then stops the actor.
        if !matches!(std::mem::replace(&mut self.state, Connected::No), Connected::Yes(_)) {
            ctx.stop();
        }
    }
}
