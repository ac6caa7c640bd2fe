//! What lies around the frames of a connection: TLS, zlib, both or nothing, and in which order.
//!
//! Flume up to 1.9 puts TLS outside, zlib within; since 1.10 it is the other way round. A source tells by the first
//! byte which it has to do with. A sink tries Flume 1.11's order first, then the other one at once, and keeps to
//! what worked. Two native nodes begin in Flume 1.11's order and go over to the other ([`super::swap`]).
//! Source: `flume-wire`, "TLS".

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::time::timeout;
use wire::avro::Foreign;

use super::deflate::Deflate;
use super::swap::{Outside, Swap};
use super::tls::{ClientTls, Refusal, ServerTls, TlsDefaults};
use super::{Duplex, Stream, TcpStream};
use crate::build::BuildError;
use crate::clock::Duration;

/// What a source expects around its frames.
#[derive(Debug, Clone, Default)]
pub struct ServerLayers {
    tls: Option<ServerTls>,
    deflate: bool,
}

/// What a sink puts around its frames.
#[derive(Debug, Clone, Default)]
pub struct ClientLayers {
    tls: Option<ClientTls>,
    /// The level.
    deflate: Option<u8>,
    /// The order to try first when there are both; shared by the copies of one sink.
    order: Remembered,
}

/// A connection with all that lies around its frames.
pub struct Layered {
    /// The bytes as the application sees them.
    pub stream: Stream,
    /// There is zlib outside TLS, and it can go inside.
    pub swap: Option<Swap>,
}

impl From<Stream> for Layered {
    fn from(stream: Stream) -> Layered {
        Layered { stream, swap: None }
    }
}

/// Which of the two is outside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Order {
    /// Flume 1.10 and later.
    #[default]
    Zlib,
    /// Flume up to 1.9.
    Tls,
}

/// Why a connection was not taken.
#[derive(Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// The peer left without a word, or said none for too long: a scanner, a load balancer's look.
    Silent,
    /// What it said is not what this port expects.
    Mismatch(String),
}

impl ServerLayers {
    /// As the properties of a source say.
    ///
    /// # Errors
    /// [`BuildError`] for a TLS that cannot be.
    pub fn build(
        properties: &plan::Properties,
        tls_defaults: &TlsDefaults,
        notes: &mut Vec<String>,
    ) -> Result<ServerLayers, BuildError> {
        Ok(ServerLayers {
            tls: ServerTls::build(properties, tls_defaults, notes)?,
            deflate: deflates(properties),
        })
    }

    /// The same for a source that has TLS alone.
    ///
    /// # Errors
    /// [`BuildError`] for a TLS that cannot be.
    pub fn tls(
        properties: &plan::Properties,
        tls_defaults: &TlsDefaults,
        notes: &mut Vec<String>,
    ) -> Result<ServerLayers, BuildError> {
        Ok(ServerLayers { tls: ServerTls::build(properties, tls_defaults, notes)?, deflate: false })
    }

    /// Takes what lies around the frames off a new connection.
    ///
    /// # Errors
    /// [`NotTaken`]
    pub async fn accept(&self, stream: TcpStream) -> Result<Layered, NotTaken> {
        if self.tls.is_none() && !self.deflate {
            return Ok(plain(stream));
        }
        timeout(HANDSHAKE_WITHIN, self.unwrap(stream)).await.unwrap_or(Err(NotTaken::Silent))
    }

    async fn unwrap(&self, stream: TcpStream) -> Result<Layered, NotTaken> {
        let mut first = [0; FIRST_BYTES];
        let first = match stream.peek(&mut first).await {
            Ok(0) | Err(_) => return Err(NotTaken::Silent),
            Ok(peeked) => &first[..peeked],
        };
        let mismatch = mismatch(first, self.tls.is_some(), self.deflate);
        let Some(tls) = &self.tls else {
            return match mismatch {
                None => Ok(zlib(stream, LEVEL)),
                Some(text) => Err(NotTaken::Mismatch(text)),
            };
        };
        let accepted = match self.deflate {
            true if is_zlib(first) => {
                let (outside, swap) = Outside::new(stream, LEVEL);
                tls.accept(outside).await.map(|stream| Layered { stream, swap: Some(swap) })
            }
            true => tls.accept(stream).await.map(|stream| zlib(stream, LEVEL)),
            // Also with a mismatch: the peer is told by an alert that this is a TLS port.
            false => tls.accept(stream).await.map(Layered::from),
        };
        accepted.map_err(|text| NotTaken::Mismatch(mismatch.unwrap_or(text)))
    }
}

/// The order that worked last.
#[derive(Debug, Clone, Default)]
struct Remembered(Arc<AtomicBool>);

impl Remembered {
    fn get(&self) -> Order {
        if self.0.load(Ordering::Relaxed) { Order::default().other() } else { Order::default() }
    }

    fn set(&self, order: Order) {
        self.0.store(order != Order::default(), Ordering::Relaxed);
    }
}

impl ClientLayers {
    /// As the properties of a sink say.
    ///
    /// # Errors
    /// [`BuildError`] for a TLS that cannot be.
    pub fn build(
        properties: &plan::Properties,
        tls_defaults: &TlsDefaults,
        notes: &mut Vec<String>,
    ) -> Result<ClientLayers, BuildError> {
        let tls = ClientTls::build(properties, tls_defaults, notes)?;
        let deflate = if deflates(properties) { Some(properties.count("compression-level")) } else { None };
        if let Some(10..) = deflate {
            let what = "levels go from 0, not at all, to 9, slow and small";
            return Err(BuildError::new(properties, "", "compression-level", what));
        }
        Ok(ClientLayers { tls, deflate, order: Remembered::default() })
    }

    /// The same for a sink that has TLS alone.
    ///
    /// # Errors
    /// [`BuildError`] for a TLS that cannot be.
    pub fn tls(
        properties: &plan::Properties,
        tls_defaults: &TlsDefaults,
        notes: &mut Vec<String>,
    ) -> Result<ClientLayers, BuildError> {
        let tls = ClientTls::build(properties, tls_defaults, notes)?;
        Ok(ClientLayers { tls, deflate: None, order: Remembered::default() })
    }

    /// As if TLS outside had worked.
    #[cfg(any(test, feature = "testing"))]
    pub fn with_tls_outside(self) -> ClientLayers {
        self.order.set(Order::Tls);
        self
    }

    /// Connects to `host`, and puts around the connection what belongs there.
    ///
    /// # Errors
    /// Why not, in an operator's words.
    pub async fn connect<S: Duplex + 'static>(
        &self,
        host: &str,
        connect: impl AsyncFn() -> io::Result<S>,
    ) -> Result<Layered, String> {
        let dial = async || connect().await.map_err(|error| error.to_string());
        let stream = dial().await?;
        let (tls, level) = match (&self.tls, self.deflate) {
            (None, None) => return Ok(plain(stream)),
            (None, Some(level)) => return Ok(zlib(stream, level)),
            (Some(tls), None) => {
                let connected = tls.connect(host, stream).await.map(Layered::from);
                return connected.map_err(|refusal| refusal.text);
            }
            (Some(tls), Some(level)) => (tls, level),
        };
        let order = self.order.get();
        // Should time run out on the way, the next attempt begins with the other order.
        self.order.set(order.other());
        match wrap((tls, host), level, order, stream).await {
            Err(refusal) if refusal.foreign => {
                let wrapped = wrap((tls, host), level, order.other(), dial().await?).await;
                if wrapped.as_ref().is_err_and(|again| again.foreign) {
                    return Err(format!(
                        "{} (asked with TLS within zlib, and with zlib within TLS)",
                        refusal.text
                    ));
                }
                wrapped.map_err(|refusal| refusal.text)
            }
            wrapped => {
                self.order.set(order);
                wrapped.map_err(|refusal| refusal.text)
            }
        }
    }
}

impl Order {
    fn other(self) -> Order {
        match self {
            Order::Zlib => Order::Tls,
            Order::Tls => Order::Zlib,
        }
    }
}

async fn wrap<S: Duplex + 'static>(
    (tls, host): (&ClientTls, &str),
    level: u8,
    outside: Order,
    stream: S,
) -> Result<Layered, Refusal> {
    match outside {
        Order::Zlib => {
            let (outside, swap) = Outside::new(stream, level);
            tls.connect(host, outside).await.map(|stream| Layered { stream, swap: Some(swap) })
        }
        Order::Tls => tls.connect(host, stream).await.map(|stream| zlib(stream, level)),
    }
}

fn plain(stream: impl Duplex + 'static) -> Layered {
    Layered::from(Box::new(stream) as Stream)
}

fn zlib(inner: impl super::Duplex + 'static, level: u8) -> Layered {
    Layered::from(Box::new(Deflate::new(inner, level)) as Stream)
}

/// `compression-type = deflate` in any case; every other text is none.
fn deflates(properties: &plan::Properties) -> bool {
    properties.word("compression-type").trim().eq_ignore_ascii_case("deflate")
}

/// What is wrong with the first bytes of a connection at a port that has `ssl`, compression or both.
fn mismatch(first: &[u8], tls: bool, deflate: bool) -> Option<String> {
    let (is_tls, is_zlib) = (matches!(first, [HANDSHAKE, ..]), is_zlib(first));
    if (tls && is_tls) || (deflate && is_zlib) {
        return None;
    }
    let known = Foreign::recognise(first);
    if let Some(foreign) = known {
        return Some(foreign.to_string());
    }
    let (does, key) = match (tls, deflate) {
        (true, false) => ("speak TLS", "`ssl`"),
        (false, _) => ("compress", "`compression-type`"),
        (true, true) => ("compress or speak TLS", "`ssl` and `compression-type`"),
    };
    Some(format!("the peer does not {does}, this port does: set {key} alike on both sides"))
}

/// A zlib stream with a window of 32 KiB, as everybody has it.
fn is_zlib(first: &[u8]) -> bool {
    first.first() == Some(&0x78)
}

/// The kind of record in which TLS begins.
const HANDSHAKE: u8 = 0x16;
/// Enough to tell what a peer speaks.
const FIRST_BYTES: usize = 16;
/// A source's level, always; a sink's unless it says otherwise.
const LEVEL: u8 = 6;
/// How long a peer may take to shake hands, or to say its first byte. Netty's default, and so Flume's.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::within::Within;
    use plan::{Descriptor, Kind, Property, Value};
    use tokio::io::AsyncReadExt;

    const BOTH_ENDS: Descriptor = Descriptor::new(
        Kind::Sink,
        "layers",
        "",
        &[COMPRESSED, crate::net::SERVER_TLS, crate::net::CLIENT_TLS],
    );

    const COMPRESSED: &[Property] = &[
        Property::with("compression-type", Value::Text, "none"),
        Property::with("compression-level", Value::Text, "6"),
    ];

    fn keys(text: &str) -> plan::Properties {
        let stores = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/stores/");
        let pair = |word: &str| {
            word.split_once('=').map(|(key, value)| (key.to_owned(), value.replace('@', stores)))
        };
        plan::Properties::of(&BOTH_ENDS, text.split(' ').filter_map(pair))
    }

    /// A source as Flume 1.9 is one: TLS outside, zlib within. Answers which connections passed.
    async fn serve_as_1_9(listener: super::super::TcpListener, connections: usize) -> Vec<bool> {
        let properties = keys("ssl=true keystore=@server.jks keystore-password=changeit");
        let tls = ServerTls::build(&properties, &TlsDefaults::default(), &mut Vec::new()).unwrap().unwrap();
        let mut passed = Vec::new();
        for _ in 0..connections {
            let (stream, _) = listener.accept().within("a connection").await.unwrap();
            let text = match tls.accept(stream).within("the handshake").await {
                Ok(stream) => Deflate::new(stream, LEVEL).read_u8().within("the first byte").await.is_ok(),
                Err(_) => false,
            };
            passed.push(text);
        }
        passed
    }

    #[tokio::test]
    async fn the_order_that_worked_is_tried_first_from_then_on() {
        let listener = super::super::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let properties = keys("ssl=true truststore=@trust.jks compression-type=deflate");
        let layers = ClientLayers::build(&properties, &TlsDefaults::default(), &mut Vec::new()).unwrap();
        let (passed, ()) = tokio::join!(serve_as_1_9(listener, 3), async {
            for _ in 0..2 {
                let connected = layers
                    .connect("a host", async || TcpStream::connect(address).await)
                    .within("the handshake")
                    .await;
                let mut stream = connected.unwrap_or_else(|error| panic!("{error}")).stream;
                tokio::io::AsyncWriteExt::write_all(&mut stream, b"x").within("a write").await.unwrap();
                tokio::io::AsyncWriteExt::flush(&mut stream).within("a flush").await.unwrap();
            }
        });
        assert_eq!(passed, [false, true, true]);
    }

    #[test]
    fn the_first_bytes_tell_a_mismatch() {
        let frame: &[u8] = &[0, 0, 0, 1, 0, 0, 0, 2];
        let hello: &[u8] = &[0x16, 3, 1, 2, 0, 1, 0, 1];
        let zlib: &[u8] = &[0x78, 0x9c, 0x62, 0x60];
        let said = |first: &[u8], tls, deflate| mismatch(first, tls, deflate).unwrap_or_default();
        for (first, tls, deflate, words) in [
            (hello, true, false, ""),
            (zlib, true, false, "the peer compresses, this port does not"),
            (frame, true, false, "the peer does not speak TLS, this port does: set `ssl`"),
            (b"GET / HTTP/1.1\r\n", true, false, "the peer speaks HTTP"),
            (zlib, false, true, ""),
            (hello, false, true, "the peer speaks TLS, this port does not"),
            (frame, false, true, "the peer does not compress, this port does: set `compression-type`"),
            (b"hello\n", false, true, "the peer sends text"),
            (zlib, true, true, ""),
            (hello, true, true, ""),
            (frame, true, true, "the peer does not compress or speak TLS"),
            (&frame[..1], true, true, "the peer does not compress or speak TLS"),
        ] {
            let said = said(first, tls, deflate);
            assert!(
                said.starts_with(words) && said.is_empty() == words.is_empty(),
                "{first:x?} {tls} {deflate}: {said}"
            );
        }
    }
}
