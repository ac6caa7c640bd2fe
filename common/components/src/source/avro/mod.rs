//! `avro`: takes events from agents, ours and Flume's, over Flume's Avro protocol.

mod complaints;
mod connection;
mod ip_filter;
mod rules;
#[cfg(test)]
mod tests;
mod vigil;

use super::budget::Budget;
use super::{IGNORED, MAX_IDLE_SECONDS, NO_BIND, needs_keystore};
use complaints::Complaints;
use connection::Connection;
use flow::component::{Component, Configure, Site, told};
use flow::counters::{Connected, Counted};
use flow::error::ChannelError;
use flow::source::{ChannelProcessor, Source, SourceContext, Stopping};
use futures_util::future::LocalBoxFuture;
use ip_filter::{IpFilter, SystemNames};
use plan::{Descriptor, Findings, Kind, Problem, Properties, Property, Value};
use runtime::build::BuildError;
use runtime::clock::Duration;
use runtime::net::{
    BufferPool, COMPRESSION, Guest, Layered, Listener, NotTaken, Place, SERVER_TLS, ServerLayers, TcpStream,
    TlsDefaults,
};
use std::cell::RefCell;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use tokio::sync::Semaphore;
use wire::avro::{Fault, FrameError, Hello, ProtocolCache};

/// Its row in the catalogue.
pub(crate) const COMPONENT: Component = Component {
    descriptor: Descriptor::new(
        Kind::Source,
        "avro",
        "org.apache.flume.source.AvroSource",
        &[PROPERTIES, SERVER_TLS],
    )
    .listens(),
    configure: Configure::Source(|properties, site, findings| {
        let config = AvroSourceConfig::judged(properties, site, findings)?;
        Some(Box::new(move || Box::new(AvroSource(config.clone()))))
    }),
};

const PROPERTIES: &[Property] = &[
    Property::required("bind", Value::Host).bad(NO_BIND),
    Property::required("port", Value::Port).outside(NO_BIND),
    Property::with(
        "threads",
        Value::Unused(
            "connections have no threads of their own; Flume reads it since 1.10 and does not use it",
        ),
        "0",
    ),
    Property::with("compression-type", Value::Choice(COMPRESSION), "none").lenient(),
    Property::with("ipFilter", Value::Flag, "false"),
    Property::optional("ipFilterRules", Value::Text),
    // Flume takes frames of any size. 96 MiB, so that a batch of 64 MiB passes; the least holds any handshake.
    Property::with("maxFrameBytes", Value::at_least(64 << 10, "bytes"), "100663296").bad(IGNORED),
    Property::optional("maxMemoryBytes", Value::long(0, "bytes")).bad(IGNORED),
    Property::with("maxConnections", Value::at_least(1, "connections"), "16384").bad(IGNORED),
    MAX_IDLE_SECONDS,
];

/// Keys, units and defaults are Flume's: User Guide, "Avro Source".
#[derive(Debug, Clone)]
pub(crate) struct AvroSourceConfig {
    place: Place,
    /// `ssl` and what belongs to it, `compression-type`.
    layers: ServerLayers,
    /// `ipFilter`, `ipFilterRules`.
    ip_filter: Option<IpFilter>,
    /// `maxFrameBytes`, which Flume does not have: a larger frame ends its connection. A batch of 64 MiB passes unless
    /// it is set.
    max_frame_bytes: usize,
    /// `maxMemoryBytes`, which Flume does not have: what all peers together may make this source hold. Three frames of the
    /// largest size, and 8 MiB, unless it is set; the check has refused less than the former.
    max_memory_bytes: usize,
}

impl AvroSourceConfig {
    /// Opens the stores that the properties name. `notes` are for an operator to read.
    ///
    /// # Errors
    /// [`BuildError`] for a store that does not open, and for a rule that is none.
    pub(crate) fn build(
        properties: &plan::Properties,
        tls_defaults: &TlsDefaults,
        notes: &mut Vec<String>,
    ) -> Result<AvroSourceConfig, BuildError> {
        let max_frame_bytes = properties.count("maxFrameBytes");
        let memory = properties.given("maxMemoryBytes").unwrap_or(LEAST_MEMORY_BYTES);
        Ok(AvroSourceConfig {
            place: Place::new(properties),
            layers: ServerLayers::build(properties, tls_defaults, notes)?,
            ip_filter: ip_filter(properties)?,
            max_frame_bytes,
            max_memory_bytes: memory.max(FRAMES * max_frame_bytes),
        })
    }
}

impl AvroSourceConfig {
    /// As [`AvroSourceConfig::build`]; what is wrong is among the findings.
    fn judged(properties: &Properties, site: &Site, findings: &mut Findings<'_>) -> Option<AvroSourceConfig> {
        let sound = [
            needs_keystore(properties, site.tls_defaults(), findings),
            rules::judge(properties, findings),
            memory(properties, findings),
        ];
        let mut notes = Vec::new();
        sound.into_iter().collect::<Option<()>>()?;
        let built = AvroSourceConfig::build(properties, site.tls_defaults(), &mut notes);
        told(built, notes, findings)
    }
}

/// A frame of the largest size must pass, with the index of its events, beside what is kept for smaller ones.
fn memory(properties: &Properties, findings: &mut Findings<'_>) -> Option<()> {
    let frame: usize = properties.count("maxFrameBytes");
    let memory = properties.given::<usize>("maxMemoryBytes").filter(|memory| *memory < frame * FRAMES);
    let Some(memory) = memory else { return Some(()) };
    let key = findings.key("maxMemoryBytes");
    let what = format!("`{key}` is {memory}: a frame of `maxFrameBytes` ({frame}) could not pass");
    let problem = Problem::error("bad-value", findings.at("maxMemoryBytes"), what)
        .flume("has neither of them and ignores both");
    let fix = format!(
        "`{key} = {}` or more, or `{} = {}` or less",
        frame * FRAMES,
        findings.key("maxFrameBytes"),
        memory / FRAMES
    );
    findings.add(problem.fix(fix));
    None
}

fn ip_filter(properties: &plan::Properties) -> Result<Option<IpFilter>, BuildError> {
    if !properties.flag("ipFilter") {
        return Ok(None);
    }
    let rules = properties
        .text("ipFilterRules")
        .ok_or_else(|| "`ipFilter = true` needs them: allow:ip:10.*,deny:ip:*".to_owned());
    let filter = rules.and_then(IpFilter::parse);
    filter.map(Some).map_err(|what| BuildError::new(properties, "", "ipFilterRules", what))
}

/// What the connections of one source share. All live on one thread.
struct Shared {
    log: slog::Logger,
    processor: ChannelProcessor,
    protocols: RefCell<ProtocolCache>,
    complaints: RefCell<Complaints>,
    budget: Budget,
    max_frame_bytes: usize,
    idle_limit: Option<Duration>,
    /// A call of more events is refused before any of them is kept.
    most_events: usize,
    layers: ServerLayers,
    ip_filter: Option<IpFilter>,
    pool: BufferPool,
    /// Questions to a name server under way.
    asking: Semaphore,
    /// Connections that have ended are given up one at a time.
    closing: Semaphore,
}

/// An avro source: listens, and starts a task for each connection. At a stop it takes no more connections and calls, answers
/// those it has, and says good-bye.
struct AvroSource(AvroSourceConfig);

impl Source for AvroSource {
    fn counted(&self) -> Counted {
        Counted::Itself
    }

    fn run(self: Box<Self>, context: SourceContext, stop: Stopping) -> LocalBoxFuture<'static, ()> {
        Box::pin(listen(self.0, context, stop))
    }
}

async fn listen(config: AvroSourceConfig, mut context: SourceContext, mut stop: Stopping) {
    let AvroSourceConfig { place, layers, ip_filter, max_frame_bytes, max_memory_bytes } = config;
    let Place { bind, port, idle_limit, .. } = &place;
    context.doing.set(format!("listens on {bind}:{port}, or tries to"));
    let what = format!("avro source {}", context.name);
    console::fact::avro_source_starting(&context.log, &context.name, bind, *port);
    let mut listener = tokio::select! {
        listener = Listener::open(&what, &place, &mut context.ready, &context.log) => listener,
        _ = stop.changed() => return,
    };
    console::fact::component_started(&context.log, console::fact::ComponentType::Source, &context.name);
    console::fact::avro_source_started(&context.log, &context.name);
    context.ready.done();
    let narrowest = context.processor.narrowest().map_or(usize::MAX, |channel| channel.transaction);
    let shared = Rc::new(Shared {
        log: context.log,
        processor: context.processor,
        protocols: RefCell::default(),
        complaints: RefCell::default(),
        budget: Budget::new(max_memory_bytes),
        max_frame_bytes,
        idle_limit: *idle_limit,
        most_events: narrowest.min(max_frame_bytes / size_of::<event::Span>()),
        layers,
        ip_filter,
        pool: BufferPool::default(),
        asking: Semaphore::new(MOST_ASKED),
        closing: Semaphore::new(1),
    });
    let mut watch = pin!(shared.budget.watch());
    loop {
        tokio::select! { biased;
            _ = stop.changed() => break,
            (stream, guest) = listener.accept() => {
                actix_rt::spawn(serve(shared.clone(), stream, guest, stop.clone()));
            }
            () = &mut watch => {}
        }
    }
    console::fact::avro_source_stopping(&shared.log, &context.name, bind, *port);
}

async fn serve(shared: Rc<Shared>, stream: TcpStream, guest: Guest, mut stop: Stopping) {
    let _open = Connected::count(shared.processor.counters());
    let (peer, number, door) = (guest.peer(), guest.number(), guest.door());
    let allowed = tokio::select! {
        allowed = shared.allows(peer) => allowed,
        _ = door.sent_away() => return,
        _ = stop.changed() => return,
    };
    if !allowed {
        return shared.complain(peer, &"ipFilterRules do not let it in; it is closed");
    }
    let lines =
        stream.local_addr().map(|local| console::fact::Connection::new(id(number), peer, local, number)).ok();
    let log = shared.log.clone();
    if let Some(lines) = &lines {
        lines.opened(&log);
    }
    let taken = tokio::select! {
        taken = shared.take(stream, peer) => taken,
        _ = door.sent_away() => None,
        _ = stop.changed() => None,
    };
    let ended = match taken {
        Some(stream) => Some(Connection::new(shared.clone(), stream, guest).serve(stop.clone()).await),
        None => None,
    };
    // Thousands may end at once: what others wait for comes in between.
    let _turn = shared.closing.acquire().await;
    drop(ended);
    if let Some(lines) = &lines {
        lines.closed(&log);
    }
}

impl Shared {
    /// What `ipFilter` says. Names are asked for elsewhere: a name server may take its time.
    async fn allows(&self, peer: SocketAddr) -> bool {
        let Some(filter) = &self.ip_filter else { return true };
        if !filter.needs_names() {
            return filter.allows(peer.ip(), &SystemNames);
        }
        let _turn = self.asking.acquire().await;
        let filter = filter.clone();
        let asked = actix_rt::task::spawn_blocking(move || filter.allows(peer.ip(), &SystemNames)).await;
        asked.unwrap_or(false) // only a panic
    }

    /// Takes TLS and zlib off a new connection, or tells why that cannot be.
    async fn take(&self, stream: TcpStream, peer: SocketAddr) -> Option<Layered> {
        match self.layers.accept(stream).await {
            Ok(stream) => Some(stream),
            Err(NotTaken::Silent) => {
                slog::debug!(self.log, "{peer}: has not sent a byte");
                None
            }
            Err(NotTaken::Mismatch(what)) => {
                self.complain(peer, &what);
                None
            }
        }
    }

    /// What a frame of so many bytes, and where its events stand, may take. For a small one the latter is accounted for when
    /// it is known.
    fn claim(&self, frame: usize) -> usize {
        let least_event = 2;
        let index = self.most_events.min(frame / least_event) * size_of::<event::Span>();
        if frame <= SMALL_FRAME { frame } else { frame + index }
    }

    /// Why a call of more than [`Shared::most_events`] is refused: what its channel would say, could it see it.
    fn too_many(&self, events: usize) -> ChannelError {
        match self.processor.narrowest() {
            Some(channel) if events > channel.transaction => {
                let (channel, limit) = (channel.name.to_string(), channel.transaction);
                ChannelError::TooLarge { channel, events, limit }
            }
            _ => ChannelError::TooManyEvents { events, limit: self.most_events },
        }
    }

    fn complain(&self, peer: SocketAddr, what: &dyn std::fmt::Display) {
        self.complaints.borrow_mut().about(&self.log, peer, what, runtime::clock::now());
    }
}

/// What to do about a frame that cannot be taken, when it is one.
fn advice(error: &FrameError) -> &'static str {
    match (error.fault, error.foreign) {
        (Fault::Large { .. }, None) => {
            "; if it is a batch, send smaller ones or raise maxFrameBytes of this source"
        }
        _ => "",
    }
}

/// Any number that sets a connection apart, spread as Netty's are.
fn id(number: u32) -> u32 {
    number.wrapping_mul(0x9e37_79b1) ^ std::process::id().rotate_left(16)
}

/// Names asked for at a time.
const MOST_ASKED: usize = 16;
/// What native nodes are allowed: enough to keep both ends busy, little enough to be held for each.
const HELLO: Hello = Hello { window: 16, window_bytes: 2 << 20 };
/// What all peers together may make a source hold, in frames of the largest size: one, the index of its events, which may
/// be as large, and what is kept for smaller ones.
const FRAMES: usize = 3;
/// And in any case so much.
const LEAST_MEMORY_BYTES: usize = 8 << 20;
/// Bytes of calls that wait for the one that is being stored, per connection: what a native node may send, and what its
/// calls take besides. One call may be larger.
const MOST_WAITING_BYTES: usize = 4 << 20;
/// Answers that wait to be read by the peer, per connection.
const MOST_OUTPUT_BYTES: usize = 64 << 10;
const SMALL_FRAME: usize = 64 << 10;
