//! `avro`: takes events from agents, ours and Flume's, over Flume's Avro protocol.

mod budget;
mod complaints;
mod connection;

use super::{Intake, Seat};
use crate::message::Stop;
use crate::net::{Listener, TcpStream};
use actix::prelude::*;
use budget::Budget;
use complaints::Complaints;
use connection::Connection;
use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use tokio::sync::watch;
use wire::avro::{Hello, ProtocolCache};

/// Keys, units and defaults are Flume's: User Guide, "Avro Source".
#[derive(Debug, Clone)]
pub(crate) struct AvroSourceConfig {
    /// `bind`: the address to listen at.
    pub(crate) bind: String,
    pub(crate) port: u16,
}

impl AvroSourceConfig {
    pub(crate) fn new(context: &plan::Context) -> AvroSourceConfig {
        AvroSourceConfig { bind: context.text_or("bind", "0.0.0.0").to_owned(), port: context.number("port", 0) }
    }
}

/// What the connections of one source share. All live on one thread.
struct Shared {
    log: slog::Logger,
    intake: Intake,
    protocols: RefCell<ProtocolCache>,
    complaints: RefCell<Complaints>,
    budget: Budget,
}

/// The actor of an avro source: listens, and starts a task for each connection.
pub(crate) struct AvroSource {
    config: AvroSourceConfig,
    seat: Option<Seat>,
    stop: watch::Sender<bool>,
}

impl AvroSource {
    pub(crate) fn new(config: AvroSourceConfig, seat: Seat) -> AvroSource {
        AvroSource { config, seat: Some(seat), stop: watch::Sender::new(false) }
    }
}

impl Actor for AvroSource {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let Some(seat) = self.seat.take() else { return };
        let (config, stop) = (self.config.clone(), self.stop.subscribe());
        // The seat's guard lives in this task: should it panic, the source has died.
        let listening = listen(config, seat, stop).into_actor(self);
        ctx.spawn(listening.map(|(), _, ctx| ctx.stop()));
    }
}

impl Handler<Stop> for AvroSource {
    type Result = ResponseFuture<()>;

    /// Takes no more connections and calls, answers those it has, and says good-bye.
    fn handle(&mut self, _: Stop, _: &mut Self::Context) -> Self::Result {
        self.stop.send_replace(true);
        let stop = self.stop.clone();
        Box::pin(async move { stop.closed().await })
    }
}

async fn listen(config: AvroSourceConfig, mut seat: Seat, mut stop: watch::Receiver<bool>) {
    let AvroSourceConfig { bind, port } = config;
    let what = format!("avro source {}", seat.name);
    journal::fact::avro_source_starting(&seat.log, &seat.name, &bind, port);
    let mut listener = tokio::select! {
        listener = Listener::open(&what, &bind, port, &mut seat.ready, &seat.log) => listener,
        _ = stop.changed() => return seat.guard.release(),
    };
    journal::fact::component_started(&seat.log, journal::fact::Kind::Source, &seat.name);
    journal::fact::avro_source_started(&seat.log, &seat.name);
    seat.ready.done();
    let shared = Rc::new(Shared {
        log: seat.log,
        intake: seat.intake,
        protocols: RefCell::default(),
        complaints: RefCell::default(),
        budget: Budget::new(MOST_PARTIAL_BYTES),
    });
    let mut number = 0;
    loop {
        tokio::select! { biased;
            _ = stop.changed() => break,
            (stream, peer) = listener.accept() => {
                number += 1;
                actix_rt::spawn(serve(shared.clone(), stream, peer, number, stop.clone()));
            }
        }
    }
    journal::fact::avro_source_stopping(&shared.log, &seat.name, &bind, port);
    seat.guard.release();
}

async fn serve(shared: Rc<Shared>, stream: TcpStream, peer: SocketAddr, number: u32, stop: watch::Receiver<bool>) {
    let lines = stream.local_addr().map(|local| journal::fact::Connection::new(id(number), peer, local, number)).ok();
    let log = shared.log.clone();
    if let Some(lines) = &lines {
        lines.opened(&log);
    }
    Connection::new(shared, Box::new(stream), peer).serve(stop).await;
    if let Some(lines) = &lines {
        lines.closed(&log);
    }
}

/// Any number that sets a connection apart, spread as Netty's are.
fn id(number: u32) -> u32 {
    number.wrapping_mul(0x9e37_79b1) ^ std::process::id().rotate_left(16)
}

/// What peers of ours are allowed: enough to keep both ends busy, little enough to be held for each.
const HELLO: Hello = Hello { window: 16, window_bytes: MOST_WAITING_BYTES as u64 };
/// Bytes of calls that wait for the one that is being stored, per connection. One call may be larger.
const MOST_WAITING_BYTES: usize = 2 << 20;
/// A larger frame ends its connection. A batch of 64 MiB passes.
const MOST_FRAME_BYTES: usize = 96 << 20;
/// Bytes of incomplete frames, all connections together.
const MOST_PARTIAL_BYTES: usize = 256 << 20;
