//! Avro RPC over Flume's framing, by hand and apart from `common/wire`, so that a mistake there is not made twice.
//!
//! Made to be looked into, not to be quick: every part of a call and of an answer is a public field, and a test may send
//! what no Flume would.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// An event; its headers in the order they have on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Event {
    /// Keys and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body's bytes.
    pub body: Vec<u8>,
}

impl Event {
    /// An event of text.
    pub fn new(headers: &[(&str, &str)], body: &str) -> Event {
        let headers = headers.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Event { headers, body: body.as_bytes().to_vec() }
    }
}

/// Bytes by name: what a handshake's `meta` and a call's metadata hold.
pub type Meta = Vec<(String, Vec<u8>)>;

/// What a caller says before its first call.
#[derive(Debug, Clone)]
pub struct Hello {
    /// The caller's hash.
    pub client: [u8; 16],
    /// The caller's protocol text; `None` is a null.
    pub protocol: Option<String>,
    /// What the caller takes the server's hash to be.
    pub server: [u8; 16],
    /// `None` is a null, which real Flume never sends.
    pub meta: Option<Meta>,
}

impl Default for Hello {
    fn default() -> Hello {
        Hello { client: RELEASED, protocol: None, server: RELEASED, meta: Some(Meta::new()) }
    }
}

/// What a server says before its first answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Welcome {
    /// 0 both, 1 client, 2 none.
    pub matches: i64,
    /// The server's protocol text.
    pub protocol: Option<String>,
    /// The server's hash.
    pub hash: Option<Vec<u8>>,
    /// Its `meta`.
    pub meta: Option<Meta>,
}

/// A call, taken apart.
#[derive(Debug, Clone)]
pub struct Call {
    /// The frame's serial.
    pub serial: i32,
    /// Present in the first call of a connection.
    pub hello: Option<Hello>,
    /// The call's metadata.
    pub meta: Meta,
    /// `append`, `appendBatch`, or nothing in a ping.
    pub message: String,
    /// The events of the call.
    pub events: Vec<Event>,
}

/// An answer, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The serial of its call.
    pub serial: i32,
    /// Present when the call had a handshake.
    pub welcome: Option<Welcome>,
    /// `None` when the answer ends with the handshake, or is empty.
    pub outcome: Option<Outcome>,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// `OK` is 0, `FAILED` 1.
    Status(i64),
    /// The text of an error.
    Error(String),
}

/// The server's hash in all releases from 1.4 to 1.11.0.
pub const RELEASED: [u8; 16] =
    [0x86, 0xaa, 0xda, 0xe2, 0xc4, 0x54, 0x74, 0xc0, 0xfe, 0x93, 0xff, 0xd0, 0xf2, 0x35, 0x0a, 0x65];

/// The hash of the snapshot after 1.11.0.
pub const SNAPSHOT: [u8; 16] =
    [0x80, 0x76, 0xc5, 0x37, 0x14, 0xe0, 0x1f, 0x6e, 0x2c, 0x1d, 0xeb, 0x95, 0x44, 0xe7, 0xb1, 0xfe];

/// A connection to an Avro source.
pub struct Connection {
    stream: TcpStream,
    serial: i32,
    greeted: bool,
}

impl Connection {
    /// Connects; reads wait at most [`PATIENCE`].
    ///
    /// # Errors
    /// When nothing listens there.
    pub fn open(at: SocketAddr) -> io::Result<Connection> {
        let stream = TcpStream::connect(at)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Connection { stream, serial: 0, greeted: false })
    }

    /// Sends `events` in one `appendBatch`, with Flume's own handshake when it is the first call.
    ///
    /// # Errors
    /// When the connection ends or the answer is no Avro.
    pub fn append_batch(&mut self, events: &[Event]) -> io::Result<Answer> {
        let hello = if self.greeted { None } else { Some(Hello::default()) };
        self.call(hello.as_ref(), &Meta::new(), "appendBatch", &parameters(events))
    }

    /// Makes any call at all. After an answer with a handshake that matched, the connection counts as connected.
    ///
    /// # Errors
    /// When the connection ends or the answer is no Avro.
    pub fn call(
        &mut self,
        hello: Option<&Hello>,
        meta: &Meta,
        message: &str,
        parameters: &[u8],
    ) -> io::Result<Answer> {
        self.serial += 1;
        let mut bytes = Vec::new();
        if let Some(hello) = hello {
            put_hello(&mut bytes, hello);
        }
        put_meta(&mut bytes, meta);
        put_bytes(&mut bytes, message.as_bytes());
        bytes.extend_from_slice(parameters);
        self.stream.write_all(&frame(self.serial, &bytes))?;
        let (serial, body) = read_frame(&mut self.stream)?;
        let answer = read_answer(serial, &body, hello.is_some())?;
        self.greeted |= answer.welcome.as_ref().is_some_and(|welcome| welcome.matches != 2);
        Ok(answer)
    }
}

/// The parameters of an `appendBatch`.
pub fn parameters(events: &[Event]) -> Vec<u8> {
    let mut bytes = Vec::new();
    if !events.is_empty() {
        put_long(&mut bytes, events.len() as i64);
    }
    events.iter().for_each(|event| put_event(&mut bytes, event));
    put_long(&mut bytes, 0);
    bytes
}

/// Reads the next call of a connection; `None` at its orderly end. `greeted` says whether it is connected already.
///
/// # Errors
/// When the bytes are no call.
pub fn read_call(stream: &mut TcpStream, greeted: bool) -> io::Result<Option<Call>> {
    let (serial, body) = match read_frame(stream) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    };
    let mut reader = Reader(&body);
    let hello = if greeted { None } else { Some(reader.hello()?) };
    let meta = reader.meta()?;
    let message = reader.text()?;
    let events = match message.as_str() {
        "append" => vec![reader.event()?],
        "appendBatch" => reader.blocks(Reader::event)?,
        _ => vec![],
    };
    Ok(Some(Call { serial, hello, meta, message, events }))
}

/// Answers `call` with `status`, with a handshake that matches when the call had one. `meta` goes into the handshake and
/// into the answer's own metadata.
///
/// # Errors
/// When the connection is gone.
pub fn write_answer(stream: &mut TcpStream, call: &Call, meta: Option<&Meta>, status: i64) -> io::Result<()> {
    let mut bytes = Vec::new();
    if call.hello.is_some() {
        bytes.extend([0, 0, 0]);
        put_optional_meta(&mut bytes, meta);
    }
    if !call.message.is_empty() {
        put_meta(&mut bytes, meta.unwrap_or(&Meta::new()));
        bytes.push(0);
        put_long(&mut bytes, status);
    }
    stream.write_all(&frame(call.serial, &bytes))
}

/// How long a read waits: longer than the four seconds in which a full channel is answered `FAILED`.
pub const PATIENCE: Duration = Duration::from_secs(20);

fn frame(serial: i32, bytes: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(bytes.len() + 12);
    for word in [serial, 1, bytes.len() as i32] {
        frame.extend(word.to_be_bytes());
    }
    frame.extend_from_slice(bytes);
    frame
}

fn read_frame(stream: &mut TcpStream) -> io::Result<(i32, Vec<u8>)> {
    let mut word = || -> io::Result<i32> {
        let mut bytes = [0; 4];
        stream.read_exact(&mut bytes)?;
        Ok(i32::from_be_bytes(bytes))
    };
    let (serial, buffers) = (word()?, word()?);
    let mut body = Vec::new();
    for _ in 0..buffers {
        let mut length = [0; 4];
        stream.read_exact(&mut length)?;
        let length = u32::from_be_bytes(length);
        if u64::from(length) != stream.take(u64::from(length)).read_to_end(&mut body)? as u64 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok((serial, body))
}

fn read_answer(serial: i32, body: &[u8], greeted: bool) -> io::Result<Answer> {
    let mut reader = Reader(body);
    let welcome = if greeted { Some(reader.welcome()?) } else { None };
    if reader.0.is_empty() {
        return Ok(Answer { serial, welcome, outcome: None });
    }
    reader.meta()?;
    let outcome = match reader.byte()? {
        0 => Outcome::Status(reader.long()?),
        _ => {
            reader.long()?; // the index of the one declared error, a string
            Outcome::Error(reader.text()?)
        }
    };
    Ok(Answer { serial, welcome, outcome: Some(outcome) })
}

fn put_hello(bytes: &mut Vec<u8>, hello: &Hello) {
    bytes.extend(hello.client);
    match &hello.protocol {
        None => put_long(bytes, 0),
        Some(text) => {
            put_long(bytes, 1);
            put_bytes(bytes, text.as_bytes());
        }
    }
    bytes.extend(hello.server);
    put_optional_meta(bytes, hello.meta.as_ref());
}

fn put_optional_meta(bytes: &mut Vec<u8>, meta: Option<&Meta>) {
    put_long(bytes, i64::from(meta.is_some()));
    if let Some(meta) = meta {
        put_meta(bytes, meta);
    }
}

fn put_meta(bytes: &mut Vec<u8>, meta: &Meta) {
    if !meta.is_empty() {
        put_long(bytes, meta.len() as i64);
    }
    for (key, value) in meta {
        put_bytes(bytes, key.as_bytes());
        put_bytes(bytes, value);
    }
    put_long(bytes, 0);
}

fn put_event(bytes: &mut Vec<u8>, event: &Event) {
    let headers =
        event.headers.iter().map(|(key, value)| (key.clone(), value.clone().into_bytes())).collect();
    put_meta(bytes, &headers);
    put_bytes(bytes, &event.body);
}

fn put_bytes(bytes: &mut Vec<u8>, value: &[u8]) {
    put_long(bytes, value.len() as i64);
    bytes.extend_from_slice(value);
}

fn put_long(bytes: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest > 0x7f {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
}

/// Reads Avro's primitives from the front of what is left.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, bytes: usize) -> io::Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(bytes).ok_or(io::ErrorKind::InvalidData)?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> io::Result<u8> {
        Ok(self.take(1)?[0])
    }

    fn long(&mut self) -> io::Result<i64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok((value >> 1) as i64 ^ -((value & 1) as i64));
            }
        }
        Err(io::ErrorKind::InvalidData.into())
    }

    fn bytes(&mut self) -> io::Result<Vec<u8>> {
        let length = usize::try_from(self.long()?).map_err(|_| io::ErrorKind::InvalidData)?;
        Ok(self.take(length)?.to_vec())
    }

    fn text(&mut self) -> io::Result<String> {
        String::from_utf8(self.bytes()?).map_err(|_| io::ErrorKind::InvalidData.into())
    }

    fn blocks<T>(&mut self, item: impl Fn(&mut Self) -> io::Result<T>) -> io::Result<Vec<T>> {
        let mut items = Vec::new();
        loop {
            let count = self.long()?;
            if count == 0 {
                return Ok(items);
            }
            if count < 0 {
                self.long()?; // the block's size in bytes
            }
            for _ in 0..count.unsigned_abs() {
                items.push(item(self)?);
            }
        }
    }

    fn meta(&mut self) -> io::Result<Meta> {
        self.blocks(|reader| Ok((reader.text()?, reader.bytes()?)))
    }

    fn event(&mut self) -> io::Result<Event> {
        let headers = self.blocks(|reader| Ok((reader.text()?, reader.text()?)))?;
        Ok(Event { headers, body: self.bytes()? })
    }

    fn optional<T>(&mut self, value: impl Fn(&mut Self) -> io::Result<T>) -> io::Result<Option<T>> {
        Ok(if self.long()? == 0 { None } else { Some(value(self)?) })
    }

    fn hash(&mut self) -> io::Result<[u8; 16]> {
        let mut hash = [0; 16];
        hash.copy_from_slice(self.take(16)?);
        Ok(hash)
    }

    fn hello(&mut self) -> io::Result<Hello> {
        Ok(Hello {
            client: self.hash()?,
            protocol: self.optional(Reader::text)?,
            server: self.hash()?,
            meta: self.optional(Reader::meta)?,
        })
    }

    fn welcome(&mut self) -> io::Result<Welcome> {
        Ok(Welcome {
            matches: self.long()?,
            protocol: self.optional(Reader::text)?,
            hash: self.optional(|reader| Ok(reader.take(16)?.to_vec()))?,
            meta: self.optional(Reader::meta)?,
        })
    }
}
