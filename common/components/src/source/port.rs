//! A TCP port at which a source serves its peers, each in a task of its own; a UDP port.

use flow::source::{SourceContext, Stopping};
use runtime::clock;
use runtime::net::{Datagrams, Guest, Listener, NotTaken, Place, ServerLayers, Stream, TcpStream};
use runtime::ration::{Ration, and_more};
use runtime::ready::Ready;
use std::cell::RefCell;
use std::fmt::Display;
use std::net::SocketAddr;
use std::rc::Rc;

/// Where a source listens, and what it says of peers.
pub(super) struct Port {
    /// As people call the source: `syslogtcp source r1`.
    pub(super) what: String,
    pub(super) place: Place,
    pub(super) layers: ServerLayers,
    pub(super) voice: Rc<Voice>,
}

/// Tells what peers do wrong: the first few faults of a period; the others are counted.
pub(super) struct Voice {
    what: String,
    log: slog::Logger,
    ration: RefCell<Ration>,
}

impl Voice {
    pub(super) fn new(what: &str, log: &slog::Logger) -> Rc<Voice> {
        Rc::new(Voice { what: what.to_owned(), log: log.clone(), ration: RefCell::default() })
    }

    /// `peer` did `what`.
    pub(super) fn complain(&self, peer: SocketAddr, what: &dyn Display) {
        if let Some(untold) = self.ration.borrow_mut().ask(TOLD, clock::now()) {
            slog::warn!(self.log, "{}: {peer}: {what}{}", self.what, and_more(untold));
        }
    }
}

impl Port {
    /// Of the source `kind` that has this context.
    pub(super) fn new(kind: &str, place: Place, layers: ServerLayers, context: &SourceContext) -> Port {
        context.doing.set(format!("listens on {}:{}, or tries to", place.bind, place.port));
        let what = format!("{kind} source {}", context.name);
        let voice = Voice::new(&what, &context.log);
        Port { what, place, layers, voice }
    }

    /// Opens the port, says so, and has `serve` run for each peer, until the source is told to stop. It then takes no
    /// more; who is served goes on.
    pub(super) async fn serve<F: Future<Output = ()> + 'static>(
        self,
        ready: &mut Ready,
        mut stop: Stopping,
        serve: impl Fn(Stream, Guest, Stopping) -> F + Clone + 'static,
    ) {
        let Port { what, place, layers, voice } = self;
        let mut listener = tokio::select! {
            listener = Listener::open(&what, &place, ready, &voice.log) => listener,
            _ = stop.changed() => return,
        };
        slog::info!(voice.log, "{what} listens on {}:{}", place.bind, place.port);
        ready.done();
        loop {
            let (stream, guest) = tokio::select! { biased;
                _ = stop.changed() => return,
                taken = listener.accept() => taken,
            };
            let (layers, voice, stop, serve) = (layers.clone(), voice.clone(), stop.clone(), serve.clone());
            actix_rt::spawn(async move {
                let (peer, mut stops) = (guest.peer(), stop.clone());
                if let Some(stream) = take(&layers, &voice, stream, &guest, &mut stops).await {
                    let door = guest.door();
                    tokio::select! { biased;
                        () = serve(stream, guest, stop) => {}
                        why = door.sent_away() => why.iter().for_each(|why| voice.complain(peer, why)),
                    }
                }
            });
        }
    }
}

/// Opens a UDP port for the source `kind` that has this context, and says so; `None` when it is to stop before.
pub(super) async fn open_datagrams(
    kind: &str,
    bind: &str,
    port: u16,
    context: &mut SourceContext,
    stop: &mut Stopping,
) -> Option<Datagrams> {
    let what = format!("{kind} source {}", context.name);
    context.doing.set(format!("listens on {bind}:{port}, or tries to"));
    let socket = tokio::select! {
        socket = Datagrams::open(&what, bind, port, &mut context.ready, &context.log) => socket,
        _ = stop.changed() => return None,
    };
    slog::info!(context.log, "{what} listens on {bind}:{port}");
    Some(socket)
}

/// Takes TLS off a new connection, or tells why that cannot be.
async fn take(
    layers: &ServerLayers,
    voice: &Voice,
    stream: TcpStream,
    guest: &Guest,
    stop: &mut Stopping,
) -> Option<Stream> {
    let (peer, door) = (guest.peer(), guest.door());
    let taken = tokio::select! {
        taken = layers.accept(stream) => taken,
        _ = door.sent_away() => return None,
        _ = stop.changed() => return None,
    };
    match taken {
        Ok(layered) => Some(layered.stream),
        Err(NotTaken::Silent) => None,
        Err(NotTaken::Mismatch(what)) => {
            voice.complain(peer, &what);
            None
        }
    }
}

/// Faults of peers in ten seconds.
const TOLD: u32 = 10;
