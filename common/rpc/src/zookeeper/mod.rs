//! A client of ZooKeeper's, for nodes with a text in them.
//!
//! It makes no ephemeral nodes, so a session means nothing to it: when a connection ends, the next one begins a new session
//! and reads anew. A call that is dropped half way takes its connection with it; [`Client::changed`] may be dropped and
//! called again.

mod digest;
mod ensemble;
mod jaas;
mod kerberos;
mod login;
mod reach;
mod settings;

pub use ensemble::Ensemble;
pub use settings::Settings;

use runtime::{
    clock::{self, Duration, Instant},
    net::{Stream, TcpStream, keep_alive},
    random::Random,
};
use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr},
    sync::OnceLock,
};
use tokio::{
    io::{AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::{sleep_until, timeout, timeout_at},
};
use wire::zookeeper::{self as protocol, Answer, Frames, Malformed, Request, WATCH, code};

/// A session with one server.
pub struct Client {
    stream: Stream,
    /// As it was asked for.
    host: String,
    /// Which of its addresses it is.
    address: IpAddr,
    server: String,
    frames: Frames,
    /// What is to be written.
    out: Vec<u8>,
    /// What is written may stand in a buffer of TLS.
    unflushed: bool,
    xid: i32,
    /// A watch has fired since the last [`Client::changed`].
    fired: bool,
    /// Between two pings: a third of the session's time.
    beat: Duration,
    heard: Instant,
}

/// Why a call has no answer that can be used.
#[derive(Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The connection is lost; a new one may do.
    Lost(String),
    /// The server does not do it: one of [`code`].
    Refused(i32),
    /// The login has not succeeded, for this reason.
    Login(String),
}

impl Trouble {
    fn late(within: Duration) -> Trouble {
        Trouble::Lost(format!("no answer within {} s", within.as_secs()))
    }
}

/// Why a server is of no use.
enum Failed {
    /// Another one may be.
    There(Trouble),
    /// A login that none would get, for this reason.
    Everywhere(String),
}

impl From<Trouble> for Failed {
    fn from(trouble: Trouble) -> Failed {
        Failed::There(trouble)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Lost(why) | Trouble::Login(why) => out.write_str(why),
            Trouble::Refused(code::NO_AUTH) => write!(
                out,
                "the node's access list does not let this client in (NoAuth): log in as a user whom it names ({HOW_TO_LOG_IN}), \
                 or give `world:anyone` the right to it"
            ),
            Trouble::Refused(code::LOGIN_REQUIRED) => write!(
                out,
                "it serves only clients that log in ({}): {HOW_TO_LOG_IN}",
                code::name(code::LOGIN_REQUIRED)
            ),
            Trouble::Refused(refused) => write!(out, "it answers {} ({refused})", code::name(*refused)),
        }
    }
}

impl Client {
    /// Tries each server once, in any order.
    ///
    /// # Errors
    /// Why none of them serves.
    pub async fn connect(ensemble: &Ensemble) -> Result<Client, Trouble> {
        let mut servers: Vec<_> = ensemble.servers.iter().collect();
        let mut random = Random::from_system();
        for left in (1..servers.len()).rev() {
            servers.swap(left, random.peek_below(left + 1));
            random.advance();
        }
        let (mut reasons, mut refused) = (Vec::new(), None);
        for (host, port) in servers {
            match Client::open(ensemble, host, *port).await {
                Ok(client) => return Ok(client),
                Err(Failed::Everywhere(why)) => return Err(Trouble::Login(why)),
                Err(Failed::There(Trouble::Login(why))) => refused = Some(format!("{host}:{port}: {why}")),
                Err(Failed::There(trouble)) => reasons.push(format!("{host}:{port}: {trouble}")),
            }
        }
        // What one server says of a login all do.
        Err(match refused {
            Some(why) => Trouble::Login(why),
            None => Trouble::Lost(plan::cut(&reasons.join("; "), MOST_SHOWN)),
        })
    }

    /// With a session, logged in if somebody is to.
    async fn open(ensemble: &Ensemble, host: &str, port: u16) -> Result<Client, Failed> {
        let begun = timeout(CONNECTED_WITHIN, Client::begin(ensemble, host, port)).await;
        let mut client = begun.unwrap_or_else(|_| Err(Trouble::late(CONNECTED_WITHIN)))?;
        if let Some(login) = &ensemble.login {
            client.log_in(login).await?;
        }
        Ok(client)
    }

    async fn begin(ensemble: &Ensemble, host: &str, port: u16) -> Result<Client, Trouble> {
        let address = OnceLock::new();
        let dial = async || -> io::Result<TcpStream> {
            let stream = TcpStream::connect((host, port)).await?;
            let _the_same_when_asked_twice = address.set(stream.peer_addr()?.ip());
            stream.set_nodelay(true)?;
            keep_alive(&stream)?;
            Ok(stream)
        };
        let stream = ensemble.layers.connect(host, dial).await.map_err(Trouble::Lost)?.stream;
        let mut client = Client {
            stream,
            host: host.to_owned(),
            address: address.into_inner().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            server: format!("{host}:{port}"),
            frames: Frames::default(),
            out: protocol::hello(SESSION_MS),
            unflushed: false,
            xid: 0,
            fired: false,
            beat: CONNECTED_WITHIN,
            heard: clock::now(),
        };
        let welcome = client.frame().await?;
        let session = protocol::welcome(&welcome).map_err(malformed)?;
        let session = u64::try_from(session).ok().filter(|session| *session > 0);
        let session = session.ok_or_else(|| Trouble::Lost("it gives no session".to_owned()))?;
        client.beat = Duration::from_millis(session.div_ceil(3).max(1));
        Ok(client)
    }

    /// Which server it is.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// What a node holds, and its version; `None` when there is no such node. With `watch`, [`Client::changed`] tells of its
    /// next change, or of its creation.
    pub async fn get(&mut self, path: &str, watch: bool) -> Result<Option<(Vec<u8>, i32)>, Trouble> {
        loop {
            match self.call(&Request::Get { path, watch }).await {
                Ok(frame) => {
                    let (bytes, version) =
                        Answer::new(&frame).and_then(|answer| answer.data()).map_err(malformed)?;
                    return Ok(Some((bytes.to_vec(), version)));
                }
                Err(Trouble::Refused(code::NO_NODE)) if watch => {
                    // A node that is not there is watched by asking whether it is.
                    match self.call(&Request::Exists { path, watch }).await {
                        Ok(_created_meanwhile) => {}
                        Err(Trouble::Refused(code::NO_NODE)) => return Ok(None),
                        Err(trouble) => return Err(trouble),
                    }
                }
                Err(Trouble::Refused(code::NO_NODE)) => return Ok(None),
                Err(trouble) => return Err(trouble),
            }
        }
    }

    /// The names of the nodes right below a node; `None` when there is no such node.
    pub async fn children(&mut self, path: &str) -> Result<Option<Vec<String>>, Trouble> {
        match self.call(&Request::Children { path }).await {
            Ok(frame) => Answer::new(&frame).and_then(|answer| answer.names()).map(Some).map_err(malformed),
            Err(Trouble::Refused(code::NO_NODE)) => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    /// Makes a node, and those above it that are not there; [`code::NODE_EXISTS`] when it is there already.
    pub async fn create(&mut self, path: &str, bytes: &[u8]) -> Result<(), Trouble> {
        let above = path.match_indices('/').map(|(at, _)| &path[..at]).filter(|parent| !parent.is_empty());
        for parent in above {
            match self.call(&Request::Create { path: parent, bytes: b"" }).await {
                Ok(_) | Err(Trouble::Refused(code::NODE_EXISTS)) => {}
                Err(trouble) => return Err(trouble),
            }
        }
        self.call(&Request::Create { path, bytes }).await.map(|_| ())
    }

    /// Replaces what a node holds, if it is at `version`; else [`code::BAD_VERSION`]. Its new version.
    pub async fn set(&mut self, path: &str, bytes: &[u8], version: i32) -> Result<i32, Trouble> {
        let frame = self.call(&Request::Set { path, bytes, version }).await?;
        Answer::new(&frame).and_then(|answer| answer.version()).map_err(malformed)
    }

    /// Waits until a watch has fired.
    pub async fn changed(&mut self) -> Result<(), Trouble> {
        while !std::mem::take(&mut self.fired) {
            let frame = self.frame().await?;
            self.take_note(&frame)?;
        }
        Ok(())
    }

    /// Ends the session, so that the server need not wait for it. That a server does not hear it does no harm.
    pub async fn close(mut self) {
        let _ended_or_gone = timeout(CONNECTED_WITHIN, self.call(&Request::Close)).await;
    }

    async fn call(&mut self, request: &Request<'_>) -> Result<Vec<u8>, Trouble> {
        self.xid = self.xid.wrapping_add(1).max(1);
        self.out.extend(request.frame(self.xid));
        let until = clock::now() + ANSWERED_WITHIN; // answers to pings do not put it off
        loop {
            let frame = timeout_at(until, self.frame())
                .await
                .unwrap_or_else(|_| Err(Trouble::late(ANSWERED_WITHIN)))?;
            let answer = self.take_note(&frame)?;
            match answer.code {
                _ if answer.xid != self.xid => {}
                0 => return Ok(frame),
                code => return Err(Trouble::Refused(code)),
            }
        }
    }

    fn take_note<'f>(&mut self, frame: &'f [u8]) -> Result<Answer<'f>, Trouble> {
        let answer = Answer::new(frame).map_err(malformed)?;
        self.fired |= answer.xid == WATCH;
        Ok(answer)
    }

    /// The next frame; writes what is to be written, and pings, meanwhile.
    async fn frame(&mut self) -> Result<Vec<u8>, Trouble> {
        let mut ping = self.heard + self.beat;
        loop {
            if let Some(frame) = self.frames.take().map_err(malformed)? {
                self.heard = clock::now();
                return Ok(frame);
            }
            let (mut read, mut write) = tokio::io::split(&mut self.stream);
            tokio::select! {
                got = read.read_buf(self.frames.buffer()) => {
                    if got.map_err(lost)? == 0 {
                        return Err(Trouble::Lost("it closed the connection".to_owned()));
                    }
                }
                written = write_or_flush(&mut write, &self.out), if !self.out.is_empty() || self.unflushed => {
                    let written = written.map_err(lost)?;
                    self.out.drain(..written);
                    self.unflushed = written > 0;
                }
                () = sleep_until(ping) => {
                    let now = clock::now();
                    if now >= self.heard + 2 * self.beat {
                        return Err(Trouble::Lost(format!("{} is silent", self.server)));
                    }
                    self.out.extend(Request::Ping.frame(0));
                    ping = now + self.beat;
                }
            }
        }
    }
}

/// How many bytes were written; none when there were none, and all are on their way.
async fn write_or_flush(to: &mut (impl AsyncWrite + Unpin), out: &[u8]) -> io::Result<usize> {
    if out.is_empty() { to.flush().await.map(|()| 0) } else { to.write(out).await }
}

fn lost(error: io::Error) -> Trouble {
    Trouble::Lost(error.to_string())
}

fn malformed(error: Malformed) -> Trouble {
    Trouble::Lost(format!("what answers there is no ZooKeeper: {error}"))
}

/// A server that is silent for two thirds of that counts as dead. The server may give less.
const SESSION_MS: i32 = 15_000;
const CONNECTED_WITHIN: Duration = Duration::from_secs(5);
const ANSWERED_WITHIN: Duration = Duration::from_secs(20);
/// Bytes of reasons that are shown.
const MOST_SHOWN: usize = 500;
const HOW_TO_LOG_IN: &str =
    "-Djava.security.auth.login.config=FILE, whose section `Client` has DigestLoginModule or Krb5LoginModule";

#[cfg(any(test, feature = "testing"))]
pub mod stand_in;
#[cfg(test)]
mod tests;
