//! Log lines to another host: syslog's, or as an appender's pattern prints them. Their thread may wait for that host, and nobody
//! waits for their thread.
//!
//! Source: log4j 1.2.17 `SyslogAppender`, `SyslogWriter`; log4j 2.18 `SocketAppender`, `TcpSocketManager`, `DatagramSocketManager`.

use crate::{
    lines::LogOutput,
    output::{Cut, Place},
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
    /// Each in a datagram.
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
    console: Arc<LogOutput>,
}

enum Open {
    Tcp(Tcp),
    Udp(Udp, SocketAddr),
}

impl LogSocket {
    pub(crate) fn new(settings: SocketSettings, console: Arc<LogOutput>) -> LogSocket {
        let name = format!("{}:{}", settings.host, settings.port);
        LogSocket { settings, name, open: None, rests_until: None, is_told: false, console }
    }

    fn send(&mut self, lines: &[u8], written: &mut usize) -> io::Result<()> {
        if self.rests_until.is_some_and(|until| Instant::now() < until) {
            return Err(ErrorKind::NotConnected.into());
        }
        let open = match self.open.take() {
            Some(open) => open,
            None => connect(&self.settings)?,
        };
        let open = self.open.insert(open); // it goes with any error
        match open {
            Open::Tcp(stream) => {
                while *written < lines.len() {
                    match stream.write(&lines[*written..]) {
                        Ok(0) => return Err(ErrorKind::WriteZero.into()),
                        Ok(taken) => *written += taken,
                        Err(error) if error.kind() == ErrorKind::Interrupted => {}
                        Err(error) => return Err(error),
                    }
                }
            }
            Open::Udp(socket, to) => {
                for line in lines[*written..].split_inclusive(|byte| *byte == b'\n') {
                    for datagram in datagrams(line, &self.settings) {
                        socket.send_to(&datagram, *to)?;
                    }
                    *written += line.len();
                }
            }
        }
        Ok(())
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
        if lines.is_empty() {
            return Ok(());
        }
        let mut written = 0;
        let outcome = self.send(lines, &mut written);
        self.tell(&outcome);
        outcome.map_err(|error| {
            if self.open.take().is_some() || self.rests_until.is_none_or(|until| Instant::now() >= until) {
                self.rests_until = Some(Instant::now() + self.settings.rest);
            }
            Cut { written, error }
        })
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

/// Tries the addresses of the host, one after the other.
fn connect(settings: &SocketSettings) -> io::Result<Open> {
    let mut last = io::Error::from(ErrorKind::AddrNotAvailable);
    for address in (settings.host.as_str(), settings.port).to_socket_addrs()? {
        let open = if settings.by == Transport::Tcp {
            Tcp::connect_timeout(&address, PATIENCE).and_then(|stream| {
                stream.set_write_timeout(Some(PATIENCE))?;
                Ok(Open::Tcp(stream))
            })
        } else {
            let any: SocketAddr =
                if address.is_ipv4() { ([0u8; 4], 0).into() } else { ([0u16; 8], 0).into() };
            Udp::bind(any).map(|socket| Open::Udp(socket, address))
        };
        match open {
            Ok(open) => return Ok(open),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// A line, as it goes over UDP.
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
