//! `syslogudp`: a message a datagram.
//!
//! The first line of a datagram counts, as in Flume. Flume since 1.10 cuts datagrams at 2048 bytes; here they are whole.

use super::config::{Config, MOST_DATAGRAM};
use super::session::Shared;
use crate::source::port::{Voice, open_datagrams};
use flow::counters::Counted;
use flow::message::PutTimeout;
use flow::source::{Source, SourceContext, Stopping};
use futures_util::future::LocalBoxFuture;
use runtime::clock;
use runtime::net::Datagrams;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use wire::syslog::Line;

/// At a stop it takes no more datagrams and stores those that it has read.
pub(super) struct SyslogUdp(pub(super) Config);

impl Source for SyslogUdp {
    fn counted(&self) -> Counted {
        Counted::Events
    }

    fn run(self: Box<Self>, context: SourceContext, stop: Stopping) -> LocalBoxFuture<'static, ()> {
        Box::pin(run(self.0, context, stop))
    }
}

async fn run(config: Config, mut context: SourceContext, mut stop: Stopping) {
    let (what, port) = (format!("syslogudp source {}", context.name), config.ports[0]);
    let socket = open_datagrams("syslogudp", &config.host, port, &mut context, &mut stop).await;
    let Some(socket) = socket else { return };
    console::fact::component_started(&context.log, console::fact::ComponentType::Source, &context.name);
    context.ready.done();
    let voice = Voice::new(&what, &context.log);
    let shared = Shared::new(&config, port, &what, context.processor, &context.log, voice);
    let known = BTreeMap::new();
    let mut reader = Reader { shared, socket, buffer: vec![0; MOST_DATAGRAM], known };
    loop {
        let first = tokio::select! { biased;
            _ = stop.changed() => return,
            first = reader.socket.next(&mut reader.buffer) => first,
        };
        match first {
            Ok((length, sender)) => reader.store_all(length, sender).await,
            // About a peer, such as an answer to nobody; the port stays.
            Err(error) => slog::debug!(context.log, "{what}: {error}"),
        }
    }
}

struct Reader {
    shared: Shared,
    socket: Datagrams,
    buffer: Vec<u8>,
    /// The headers about senders, so that no name is asked for again and again.
    known: BTreeMap<IpAddr, Vec<(String, String)>>,
}

impl Reader {
    /// Stores the datagram in the buffer and all that have come meanwhile.
    async fn store_all(&mut self, mut length: usize, mut sender: SocketAddr) {
        let mut builder = self.shared.processor.builder();
        let now = clock::epoch_millis();
        loop {
            self.know(sender).await;
            let headers = self.known.get(&sender.ip()).into_iter().flatten();
            let extra: Vec<_> = headers.map(|(name, value)| (name.as_str(), value.as_str())).collect();
            if let Some(bytes) = first_line(&self.buffer[..length]) {
                let line = Line { bytes, cut: length == MOST_DATAGRAM };
                let found = self.shared.reader.borrow_mut().push(line, now, &extra, &mut builder);
                self.shared.tell(sender, found);
            }
            if builder.len() == self.shared.most || builder.bytes() > MOST_BATCH {
                break;
            }
            match self.socket.more(&mut self.buffer) {
                Some(more) => (length, sender) = more,
                None => break,
            }
        }
        if !builder.is_empty() {
            let batch = self.shared.processor.finish(builder);
            self.shared.store(batch, PutTimeout::KeepAlive).await;
        }
    }

    async fn know(&mut self, sender: SocketAddr) {
        if self.known.contains_key(&sender.ip()) {
            return;
        }
        if self.known.len() == MOST_KNOWN {
            self.known.clear();
        }
        let headers = self.shared.headers(sender).await;
        self.known.insert(sender.ip(), headers);
    }
}

/// The first line that has a byte.
fn first_line(datagram: &[u8]) -> Option<&[u8]> {
    datagram.split(|byte| *byte == b'\n').find(|line| !line.is_empty())
}

/// Bytes in a batch, about.
const MOST_BATCH: usize = 1 << 20;
/// Senders whose headers are known at a time.
const MOST_KNOWN: usize = 1024;
