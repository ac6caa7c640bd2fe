//! ZooKeeper's protocol, a client's side of it, as far as nodes with a text in them need it.
//!
//! A frame is a length and as many bytes; within stand numbers of a fixed length, most significant byte first, and texts and
//! byte strings behind their length (ZooKeeper calls it Jute). A client sends its `ConnectRequest` first. Each request has
//! a number (`xid`), by which its answer is known; a watch that fires comes as an answer with the number -1.
//!
//! A login is [`Request::Login`] twice, with what `login.rs` makes of the challenge.
//!
//! Source: ZooKeeper 3.9 `zookeeper.jute`, `ClientCnxn`, `KeeperException`.

mod login;

pub use login::{Response, Unanswerable};

use thiserror::Error;

/// The number of a ping and of its answer.
pub const PING: i32 = -2;

/// The number under which a watch tells.
pub const WATCH: i32 = -1;

/// The most bytes of a frame that are taken: a configuration of 4 MiB, with what stands around it. A server sends 1 MiB
/// unless its `jute.maxbuffer` was raised.
pub const MOST_BYTES: usize = (4 << 20) + 1024;

/// Bytes that are no answer of a ZooKeeper's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Malformed {
    /// A length below zero, or above what is taken.
    #[error("a frame of {0} bytes is announced")]
    Length(i32),
    /// It ends before what it says is in it.
    #[error("an answer of it ends too early")]
    Short,
}

/// What is asked of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request<'a> {
    /// The bytes of a node and their version; with a watch, the next change is told.
    Get {
        /// Where the node is.
        path: &'a str,
        /// Whether to watch it.
        watch: bool,
    },
    /// Whether there is such a node; with a watch, also its creation is told.
    Exists {
        /// Where the node is, or would be.
        path: &'a str,
        /// Whether to watch it.
        watch: bool,
    },
    /// Makes a node that everybody may read and write, as Flume's tools and `zkCli.sh` do.
    Create {
        /// Where; its parent must be there.
        path: &'a str,
        /// What it holds.
        bytes: &'a [u8],
    },
    /// Replaces the bytes of a node that is at this version, and of no other.
    Set {
        /// Where the node is.
        path: &'a str,
        /// What it holds from now on.
        bytes: &'a [u8],
        /// At which it must be.
        version: i32,
    },
    /// The names of the nodes right below a node.
    Children {
        /// Where the node is.
        path: &'a str,
    },
    /// A step of a login: none at first, then what the server's token makes of it.
    Login {
        /// What is said.
        token: &'a [u8],
    },
    /// Says that the client is there.
    Ping,
    /// Ends the session.
    Close,
}

impl Request<'_> {
    /// The frame of the request number `xid`.
    pub fn frame(&self, xid: i32) -> Vec<u8> {
        let mut out = Writer::new();
        let (number, kind) = match self {
            Request::Create { .. } => (xid, 1),
            Request::Exists { .. } => (xid, 3),
            Request::Get { .. } => (xid, 4),
            Request::Set { .. } => (xid, 5),
            Request::Children { .. } => (xid, 8),
            Request::Login { .. } => (xid, 102),
            Request::Ping => (PING, 11),
            Request::Close => (xid, -11),
        };
        out.int(number).int(kind);
        match *self {
            Request::Get { path, watch } | Request::Exists { path, watch } => out.text(path).flag(watch),
            // A list of one: all rights, for everybody. Then no flags: it stays when the session ends.
            Request::Create { path, bytes } => {
                out.text(path).bytes(bytes).int(1).int(ALL_RIGHTS).text("world").text("anyone").int(0)
            }
            Request::Set { path, bytes, version } => out.text(path).bytes(bytes).int(version),
            Request::Children { path } => out.text(path).flag(false), // no watch
            Request::Login { token } => out.bytes(token),
            Request::Ping | Request::Close => &mut out,
        };
        out.frame()
    }
}

/// The first frame of a connection; `session_ms` is after how much silence the server may forget the client.
pub fn hello(session_ms: i32) -> Vec<u8> {
    let mut out = Writer::new();
    // Version, the last change that was seen, the wish, no session yet, no password of one, no server that only reads.
    out.int(0).long(0).int(session_ms).long(0).bytes(&[0; 16]).flag(false);
    out.frame()
}

/// How long a session lives without a word, in milliseconds, as the server's first frame says.
///
/// # Errors
/// [`Malformed`]
pub fn welcome(frame: &[u8]) -> Result<i32, Malformed> {
    let mut reader = Reader(frame);
    reader.int()?;
    reader.int()
}

/// A frame of a server's, but the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<'b> {
    /// The number of the request; [`PING`], [`WATCH`].
    pub xid: i32,
    /// 0, or why the server has not done it.
    pub code: i32,
    rest: &'b [u8],
}

impl<'b> Answer<'b> {
    /// Takes a frame apart.
    ///
    /// # Errors
    /// [`Malformed`]
    pub fn new(frame: &'b [u8]) -> Result<Answer<'b>, Malformed> {
        let mut reader = Reader(frame);
        let (xid, _change, code) = (reader.int()?, reader.long()?, reader.int()?);
        Ok(Answer { xid, code, rest: reader.0 })
    }

    /// To [`Request::Get`]: the bytes and their version.
    ///
    /// # Errors
    /// [`Malformed`]
    pub fn data(&self) -> Result<(&'b [u8], i32), Malformed> {
        let mut reader = Reader(self.rest);
        let bytes = reader.bytes()?;
        Ok((bytes, Answer { rest: reader.0, ..*self }.version()?))
    }

    /// To [`Request::Login`]: what the server says; nothing where it has no login, or does not accept one and goes on.
    ///
    /// # Errors
    /// [`Malformed`]
    pub fn token(&self) -> Result<&'b [u8], Malformed> {
        Reader(self.rest).bytes()
    }

    /// To [`Request::Children`]: the names, in no order.
    ///
    /// # Errors
    /// [`Malformed`]
    pub fn names(&self) -> Result<Vec<String>, Malformed> {
        let mut reader = Reader(self.rest);
        let mut names = Vec::new();
        // Each takes memory only when it is there.
        for _ in 0..reader.int()?.max(0) {
            names.push(String::from_utf8_lossy(reader.bytes()?).into_owned());
        }
        Ok(names)
    }

    /// To [`Request::Set`] and [`Request::Exists`]: the version.
    ///
    /// # Errors
    /// [`Malformed`]
    pub fn version(&self) -> Result<i32, Malformed> {
        let mut reader = Reader(self.rest);
        // Created, modified, and when they were.
        for _ in 0..4 {
            reader.long()?;
        }
        reader.int()
    }
}

/// Codes of [`Answer`], each with ZooKeeper's name.
pub mod code {
    /// No such node.
    pub const NO_NODE: i32 = -101;
    /// A server from before there were logins knows none.
    pub const UNIMPLEMENTED: i32 = -6;
    /// The client has not shown that it may.
    pub const NO_AUTH: i32 = -102;
    /// The node is at another version.
    pub const BAD_VERSION: i32 = -103;
    /// There is such a node.
    pub const NODE_EXISTS: i32 = -110;
    /// A login is not accepted.
    pub const AUTH_FAILED: i32 = -115;
    /// Who has not logged in is not served.
    pub const LOGIN_REQUIRED: i32 = -124;

    /// The name, as ZooKeeper's own tools print it.
    pub fn name(code: i32) -> &'static str {
        match code {
            -4 => "ConnectionLoss",
            UNIMPLEMENTED => "Unimplemented",
            -8 => "BadArguments",
            NO_NODE => "NoNode",
            NO_AUTH => "NoAuth",
            BAD_VERSION => "BadVersion",
            -108 => "NoChildrenForEphemerals",
            NODE_EXISTS => "NodeExists",
            -112 => "SessionExpired",
            -114 => "InvalidACL",
            AUTH_FAILED => "AuthFailed",
            -118 => "SessionMoved",
            LOGIN_REQUIRED => "SessionClosedRequireAuth",
            -125 => "QuotaExceeded",
            -127 => "Throttled",
            _ => "an error that has no name here",
        }
    }
}

/// Bytes of a server's, of which frames are made.
#[derive(Debug, Default)]
pub struct Frames {
    bytes: Vec<u8>,
}

impl Frames {
    /// Where what comes is put, at the end.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// The next whole frame, if it is there.
    ///
    /// # Errors
    /// [`Malformed::Length`]
    pub fn take(&mut self) -> Result<Option<Vec<u8>>, Malformed> {
        let Some((head, rest)) = self.bytes.split_first_chunk() else { return Ok(None) };
        let announced = i32::from_be_bytes(*head);
        let length = usize::try_from(announced).ok().filter(|length| *length <= MOST_BYTES);
        let length = length.ok_or(Malformed::Length(announced))?;
        let Some(frame) = rest.get(..length) else { return Ok(None) };
        let frame = frame.to_vec();
        self.bytes.drain(..4 + length);
        Ok(Some(frame))
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn new() -> Writer {
        Writer(vec![0; 4])
    }

    fn int(&mut self, number: i32) -> &mut Writer {
        self.0.extend(number.to_be_bytes());
        self
    }

    fn long(&mut self, number: i64) -> &mut Writer {
        self.0.extend(number.to_be_bytes());
        self
    }

    fn flag(&mut self, flag: bool) -> &mut Writer {
        self.0.push(flag.into());
        self
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Writer {
        self.int(length(bytes));
        self.0.extend_from_slice(bytes);
        self
    }

    fn text(&mut self, text: &str) -> &mut Writer {
        self.bytes(text.as_bytes())
    }

    fn frame(mut self) -> Vec<u8> {
        let bytes = length(&self.0[4..]).to_be_bytes();
        self.0[..4].copy_from_slice(&bytes);
        self.0
    }
}

/// What is sent is far shorter than what a length can say.
fn length(bytes: &[u8]) -> i32 {
    i32::try_from(bytes.len()).unwrap_or(i32::MAX)
}

struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (array, rest) = self.0.split_first_chunk().ok_or(Malformed::Short)?;
        self.0 = rest;
        Ok(*array)
    }

    fn int(&mut self) -> Result<i32, Malformed> {
        self.array().map(i32::from_be_bytes)
    }

    fn long(&mut self) -> Result<i64, Malformed> {
        self.array().map(i64::from_be_bytes)
    }

    /// A length of -1 means that there are none.
    fn bytes(&mut self) -> Result<&'b [u8], Malformed> {
        let length = usize::try_from(self.int()?.max(0)).unwrap_or_default();
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(Malformed::Short)?;
        self.0 = rest;
        Ok(bytes)
    }
}

/// Read, write, create, delete, administer.
const ALL_RIGHTS: i32 = 31;

#[cfg(test)]
mod tests;
