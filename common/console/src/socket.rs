//! Log lines to another host: syslog's, or as an appender's pattern prints them. Their thread may wait for that host, and nobody
//! waits for their thread.
//!
//! Source: log4j 1.2.17 `SyslogAppender`, `SyslogWriter`; log4j 2.18 `SocketAppender`, `TcpSocketManager`, `DatagramSocketManager`.

use crate::{
    lines::LogOutput,
    output::{Cut, Place},
    stamp,
};
use slog::Level;
use std::{
    io::{self, ErrorKind, Write},
    net::{SocketAddr, ToSocketAddrs},
    sync::Arc,
    time::{Duration, Instant},
};

#[expect(
    clippy::disallowed_types,
    reason = "what an operator's configuration of log4j sends to another host"
)]
type Tcp = std::net::TcpStream;
#[expect(clippy::disallowed_types, reason = "as above")]
type Udp = std::net::UdpSocket;

/// Where a socket's lines go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketSettings {
    /// A name or an address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How they go there.
    pub by: Transport,
    /// Whether a line's end is sent, too. Over TCP it always is.
    pub with_end: bool,
    /// How long a host that does not take lines is left alone.
    pub rest: Duration,
}

/// How lines go to another host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// One after the other.
    Tcp,
    /// Each in a datagram, whatever lines it has.
    Udp,
    /// The same in datagrams of syslog, which are short: a long line goes in several, each with the priority and the `header`
    /// bytes behind it.
    ShortUdp {
        /// Bytes of date and host.
        header: usize,
    },
}

/// A connection, or none.
pub(crate) struct LogSocket {
    settings: SocketSettings,
    name: String,
    open: Option<Open>,
    /// Until then it is left alone.
    rests_until: Option<Instant>,
    /// That it does not take lines.
    is_told: bool,
    /// When datagrams were last refused there, until that is over.
    refused: Option<Instant>,
    /// Messages that no datagram can hold, and what the system said.
    unfit: Option<(u64, io::Error)>,
    console: Arc<LogOutput>,
}

enum Open {
    Tcp(Tcp),
    Udp(Udp),
}

impl LogSocket {
    pub(crate) fn new(settings: SocketSettings, console: Arc<LogOutput>) -> LogSocket {
        let name = format!("{}:{}", settings.host, settings.port);
        let (open, rests_until, is_told, refused, unfit) = (None, None, false, None, None);
        LogSocket { settings, name, open, rests_until, is_told, refused, unfit, console }
    }

    /// Sends messages. What is open goes with any error.
    fn send(&mut self, messages: &[u8], ends: &[usize], written: &mut usize) -> io::Result<()> {
        let known = self.open.take();
        let is_known = known.is_some();
        let mut open = known.map_or_else(|| connect(&self.settings), Ok)?;
        if is_known
            && let Open::Tcp(stream) = &mut open
            && let Err(error) = write(stream, messages, written)
        {
            if is_slow(&error) {
                return Err(error);
            }
            // The host may have been started anew: it is asked once more, from the line that it has not whole.
            let whole = messages[..*written].iter().rposition(|byte| *byte == b'\n');
            *written = whole.map_or(0, |at| at + 1);
            open = connect(&self.settings)?;
        }
        match &mut open {
            Open::Tcp(stream) => write(stream, messages, written)?, // what is not written yet
            Open::Udp(socket) => self.send_datagrams(socket, messages, ends, written)?,
        }
        self.open = Some(open);
        Ok(())
    }

    fn send_datagrams(
        &mut self,
        socket: &Udp,
        messages: &[u8],
        ends: &[usize],
        written: &mut usize,
    ) -> io::Result<()> {
        let mut refused = None;
        for end in ends {
            for datagram in datagrams(&messages[*written..*end], &self.settings) {
                let mut sent = socket.send(&datagram);
                if let Err(error) = sent.as_ref().map_err(io::Error::kind)
                    && error == ErrorKind::ConnectionRefused
                {
                    // That is about an earlier one: this one has not been sent yet.
                    refused = sent.err();
                    sent = socket.send(&datagram);
                }
                match sent {
                    Ok(_) => {}
                    Err(error) if never_fits(&error) => {
                        let (count, _) = self.unfit.take().unwrap_or((0, ErrorKind::Other.into()));
                        self.unfit = Some((count + 1, error));
                    }
                    Err(error) => return Err(error),
                }
            }
            *written = *end;
        }
        self.tell_refused(refused, Instant::now());
        Ok(())
    }

    /// Says that datagrams are refused, and when they have not been for a while: nobody says of any that it was taken.
    fn tell_refused(&mut self, error: Option<io::Error>, now: Instant) {
        let name = &self.name;
        match (error, self.refused) {
            (Some(error), None) => {
                let text = format!(
                    "log lines that are sent to {name} are refused there: {error}. They go on being sent, events go on; see that something listens there"
                );
                self.console.tell(Level::Error, &text);
                self.refused = Some(now);
            }
            (Some(_), Some(_)) => self.refused = Some(now),
            (None, Some(last)) if now.duration_since(last) >= self.settings.rest => {
                self.refused = None;
                self.console.tell(
                    Level::Info,
                    &format!("log lines that are sent to {name} are not refused any more"),
                );
            }
            (None, _) => {}
        }
    }

    fn tell(&mut self, outcome: &io::Result<()>) {
        let name = &self.name;
        let (level, text) = match (outcome, self.is_told) {
            (Err(error), false) => (
                Level::Error,
                format!(
                    "log lines cannot be sent to {name}: {error}. They are left out there, events go on, and it is tried again every {} s",
                    self.settings.rest.as_secs()
                ),
            ),
            (Ok(()), true) => (Level::Info, format!("log lines are sent to {name} again")),
            _ => return,
        };
        self.is_told = outcome.is_err();
        self.console.tell(level, &text);
    }
}

impl Place for LogSocket {
    fn write_lines(&mut self, lines: &[u8]) -> Result<(), Cut> {
        self.write_messages(lines, &[lines.len()])
    }

    fn write_messages(&mut self, messages: &[u8], ends: &[usize]) -> Result<(), Cut> {
        if messages.is_empty() {
            return Ok(());
        }
        if self.rests_until.is_some_and(|until| Instant::now() < until) {
            return Err(Cut { written: 0, error: ErrorKind::NotConnected.into() });
        }
        let mut written = 0;
        let outcome = self.send(messages, ends, &mut written);
        self.tell(&outcome);
        outcome.map_err(|error| {
            self.rests_until = Some(stamp::later(Instant::now(), self.settings.rest));
            Cut { written, error }
        })
    }

    fn take_unfit(&mut self) -> Option<(u64, io::Error)> {
        self.unfit.take()
    }

    fn what(&self) -> &'static str {
        "the host"
    }

    fn left_out_events(&self) -> &'static str {
        "What logger sinks print may be among them; no other event was lost by that."
    }

    fn gives_way(&self) -> bool {
        true
    }
}

/// Tries the addresses of the host, one after the other: first those of IPv4, as Java does.
fn connect(settings: &SocketSettings) -> io::Result<Open> {
    let mut last = io::Error::from(ErrorKind::AddrNotAvailable);
    for address in in_order((settings.host.as_str(), settings.port).to_socket_addrs()?) {
        let open = if settings.by == Transport::Tcp {
            Tcp::connect_timeout(&address, PATIENCE).and_then(|stream| {
                stream.set_write_timeout(Some(PATIENCE))?;
                Ok(Open::Tcp(stream))
            })
        } else {
            let any: SocketAddr =
                if address.is_ipv4() { ([0u8; 4], 0).into() } else { ([0u16; 8], 0).into() };
            // Without a connection the system would not tell that nobody listens.
            Udp::bind(any).and_then(|socket| socket.connect(address).map(|()| Open::Udp(socket)))
        };
        match open {
            Ok(open) => return Ok(open),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn in_order(addresses: impl Iterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let mut all: Vec<_> = addresses.collect();
    all.sort_by_key(SocketAddr::is_ipv6); // which keeps the order of those of a kind
    all
}

/// Writes what is not `written` yet.
fn write(stream: &mut Tcp, bytes: &[u8], written: &mut usize) -> io::Result<()> {
    while *written < bytes.len() {
        match stream.write(&bytes[*written..]) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(taken) => *written += taken,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The host is there, and takes nothing for [`PATIENCE`].
fn is_slow(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// Whether it is too long for a datagram.
fn never_fits(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::MSGSIZE.raw_os_error())
}

/// A message, as it goes over UDP.
fn datagrams(line: &[u8], settings: &SocketSettings) -> Vec<Vec<u8>> {
    let line = if settings.with_end { line } else { line.strip_suffix(b"\n").unwrap_or(line) };
    let Transport::ShortUdp { header } = settings.by else { return vec![line.to_vec()] };
    let priority = line.iter().position(|byte| *byte == b'>').map_or(0, |at| at + 1);
    let (priority, packet) = line.split_at(priority);
    let mut parts = Vec::new();
    split(packet.to_vec(), header.min(packet.len()), &mut parts);
    parts.into_iter().map(|part| [priority, &part].concat()).collect()
}

/// Cuts in the middle what is too long, and each part of it again, with dots where it is cut.
fn split(packet: Vec<u8>, header: usize, parts: &mut Vec<Vec<u8>>) {
    let mut middle = header + (packet.len() - header) / 2;
    while middle > header && packet.get(middle).is_some_and(|byte| byte & 0xc0 == 0x80) {
        middle -= 1; // not within a character
    }
    if packet.len() <= MOST_SYSLOG_BYTES || middle <= header + DOTS.len() {
        return parts.push(packet);
    }
    split([&packet[..middle], DOTS].concat(), header, parts);
    split([&packet[..header], DOTS, &packet[middle..]].concat(), header, parts);
}

/// Of a datagram behind its priority, as log4j 1.2 has it.
const MOST_SYSLOG_BYTES: usize = 1019;

const DOTS: &[u8] = b"...";

/// For a connection, and for one write to it.
const PATIENCE: Duration = Duration::from_secs(5);

#[cfg(test)]
#[path = "socket_tests.rs"]
mod tests;
