//! `netcat`: takes lines of text over TCP and answers each.

mod lines;
mod session;
#[cfg(test)]
mod tests;

use super::{Doing, Seat};
use crate::message::{Describe, Stop};
use crate::net::{Listener, Place};
use actix::prelude::*;
use java::Charset;
use session::{Shared, serve};
use std::rc::Rc;
use tokio::sync::watch;

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
    pub(crate) fn new(context: &plan::Context) -> NetcatConfig {
        NetcatConfig {
            place: Place::new(context, MOST_CONNECTIONS),
            max_line_length: context.number("max-line-length", 512),
            ack_every_event: context.flag("ack-every-event", true),
            // The check has refused all others.
            encoding: context.text("encoding").and_then(Charset::for_name).unwrap_or(Charset::UTF_8),
        }
    }
}

/// The actor of a netcat source: listens, and starts a task for each connection.
pub(crate) struct Netcat {
    config: NetcatConfig,
    seat: Option<Seat>,
    doing: Doing,
    stop: watch::Sender<bool>,
}

impl Netcat {
    pub(crate) fn new(config: NetcatConfig, seat: Seat) -> Netcat {
        let doing = seat.doing.clone();
        doing.set(format!("listens on {}:{}, or tries to", config.place.bind, config.place.port));
        Netcat { config, seat: Some(seat), doing, stop: watch::Sender::new(false) }
    }
}

impl Actor for Netcat {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let Some(seat) = self.seat.take() else { return };
        // The seat's guard lives in this task: should it panic, the source has died.
        let listening = listen(self.config.clone(), seat, self.stop.subscribe()).into_actor(self);
        ctx.spawn(listening.map(|(), _, ctx| ctx.stop()));
    }
}

impl Handler<Stop> for Netcat {
    type Result = ResponseFuture<()>;

    /// Takes no more connections and lines; answers those it has, then closes.
    fn handle(&mut self, _: Stop, _: &mut Self::Context) -> Self::Result {
        self.stop.send_replace(true);
        let stop = self.stop.clone();
        Box::pin(async move { stop.closed().await })
    }
}

impl Handler<Describe> for Netcat {
    type Result = MessageResult<Describe>;

    fn handle(&mut self, _: Describe, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.doing.text())
    }
}

async fn listen(config: NetcatConfig, mut seat: Seat, mut stop: watch::Receiver<bool>) {
    let what = format!("netcat source {}", seat.name);
    slog::info!(seat.log, #STARTING, "Source starting");
    let mut listener = tokio::select! {
        listener = Listener::open(&what, &config.place, &mut seat.ready, &seat.log) => listener,
        _ = stop.changed() => return seat.guard.release(),
    };
    slog::info!(seat.log, #LISTENING, "Created serverSocket:sun.nio.ch.ServerSocketChannelImpl[/{}:{}]",
        config.place.bind, config.place.port);
    seat.ready.done();
    let shared = Rc::new(Shared::new(config, &seat.name, seat.intake, seat.log.clone()));
    loop {
        tokio::select! { biased;
            _ = stop.changed() => break,
            (stream, guest) = listener.accept() => {
                actix_rt::spawn(serve(shared.clone(), stream, guest, stop.clone()));
            }
        }
    }
    slog::info!(seat.log, #STOPPING, "Source stopping");
    seat.guard.release();
}

/// Each may have a read under way, so they are fewer than an avro source takes.
const MOST_CONNECTIONS: usize = 4096;

/// Source: the console of Flume 1.9.0.
const STARTING: &str =
    "lifecycleSupervisor-1-3|org.apache.flume.source.NetcatSource.start(NetcatSource.java:155)";
const LISTENING: &str =
    "lifecycleSupervisor-1-3|org.apache.flume.source.NetcatSource.start(NetcatSource.java:166)";
const STOPPING: &str = "agent-shutdown-hook|org.apache.flume.source.NetcatSource.stop(NetcatSource.java:197)";
