//! The client of Flume's Thrift protocol.

use bytes::BytesMut;
use event::Batch;
use flow::error::DeliveryError;
use flow::message::Window;
use flow::sink::remote::AsyncSink;
use plan::Properties;
use runtime::build::BuildError;
use runtime::clock::{self, Duration, Instant};
use runtime::net::{BufferPool, ClientLayers, Link, TcpStream, TlsDefaults, Worked, keep_alive};
use std::io;
use tokio::time::timeout;
use wire::thrift::{Frames, HEAD_BYTES, Protocol, Status, call, read_answer};

/// Keys, units and defaults are Flume's: User Guide, "Thrift Sink".
#[derive(Debug, Clone)]
pub struct ThriftConfig {
    /// `hostname`
    pub host: String,
    /// `port`
    pub port: u16,
    /// `protocol`
    pub protocol: Protocol,
    /// `request-timeout`; it bounds the connect as well, which Flume lets take as long as the system does.
    pub request_timeout: Duration,
    /// `reset-connection-interval`; never unless set.
    pub reset_interval: Option<Duration>,
    /// `ssl` and what belongs to it.
    pub layers: ClientLayers,
}

impl ThriftConfig {
    /// Opens the stores that the properties name. `notes` are for an operator to read.
    ///
    /// # Errors
    /// [`BuildError`] for a store that does not open.
    pub fn build(
        properties: &Properties,
        tls_defaults: &TlsDefaults,
        (host, port): (String, u16),
        notes: &mut Vec<String>,
    ) -> Result<ThriftConfig, BuildError> {
        let reset = properties.seconds("reset-connection-interval");
        let is_binary = properties.word("protocol").eq_ignore_ascii_case("binary");
        Ok(ThriftConfig {
            host,
            port,
            protocol: if is_binary { Protocol::Binary } else { Protocol::Compact },
            request_timeout: properties.millis("request-timeout"),
            reset_interval: Some(reset).filter(|time| !time.is_zero()),
            layers: ClientLayers::tls(properties, tls_defaults, notes)?,
        })
    }

    /// The collector's address, for people.
    pub fn peer(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// Hands events to one Thrift source, a call at a time.
pub struct ThriftClient {
    config: ThriftConfig,
    link: Option<Link>,
    sequence: i32,
    until: Option<Instant>,
}

impl ThriftClient {
    /// A client that is not connected.
    pub fn new(config: ThriftConfig) -> ThriftClient {
        ThriftClient { config, link: None, sequence: 0, until: None }
    }

    async fn connect(&mut self) -> Result<(), DeliveryError> {
        let ThriftConfig { host, port, layers, request_timeout, reset_interval, .. } = &self.config;
        let unreachable = |reason| DeliveryError::Unreachable { peer: self.config.peer(), reason };
        let dial = async || -> io::Result<TcpStream> {
            let stream = TcpStream::connect((host.as_str(), *port)).await?;
            stream.set_nodelay(true)?;
            keep_alive(&stream)?;
            Ok(stream)
        };
        let connected = timeout(*request_timeout, layers.connect(host, dial)).await;
        let within = || format!("no answer within request-timeout ({} ms)", request_timeout.as_millis());
        let layered = connected.map_err(|_| unreachable(within()))?.map_err(unreachable)?;
        self.link = Some(Link::new(layered, BufferPool::default()));
        self.until = reset_interval.map(|interval| clock::now() + interval);
        self.sequence = 0;
        Ok(())
    }

    /// Sends one call and reads its answer.
    async fn call(&mut self, batches: &[Batch]) -> Result<Result<Status, String>, String> {
        let Some(link) = &mut self.link else { return Err("not connected".to_owned()) };
        self.sequence = self.sequence.wrapping_add(1);
        let (protocol, frames) = (self.config.protocol, Frames::new(MOST_ANSWER_BYTES));
        let mut frame = BytesMut::new();
        call(protocol, self.sequence, batches, &mut frame);
        if frame.len() - HEAD_BYTES > i32::MAX as usize {
            return Err("the batch is larger than a frame can be".to_owned());
        }
        link.queue(frame.freeze());
        loop {
            match link.work(true).await.map_err(|error| error.to_string())? {
                Worked::Written => {}
                Worked::Closed => return Err(CLOSED.to_owned()),
                Worked::Read => {
                    if let Some(message) = frames.decode(&mut link.input).map_err(|bad| bad.to_string())? {
                        let answer = read_answer(protocol, self.sequence, &message);
                        return answer.map_err(|malformed| malformed.to_string());
                    }
                }
            }
        }
    }

    fn is_due(&self) -> bool {
        self.until.is_some_and(|until| until <= clock::now())
    }
}

impl AsyncSink for ThriftClient {
    async fn open(&mut self) -> Result<Window, DeliveryError> {
        self.connect().await.map(|()| Window::LOCK_STEP)
    }

    async fn deliver(&mut self, batches: &[Batch]) -> Result<(), DeliveryError> {
        if self.is_due() {
            self.close().await;
            self.connect().await?;
        }
        let within = self.config.request_timeout;
        let answered = timeout(within, self.call(batches)).await;
        let answer = answered.unwrap_or_else(|_| {
            Err(format!("it is connected but has answered nothing for {} ms", within.as_millis()))
        });
        let (peer, events) = (self.config.peer(), batches.iter().map(Batch::len).sum());
        let reason = match answer {
            Ok(Ok(Status::Ok)) => return Ok(()),
            Ok(Ok(Status::Failed)) => {
                "it answered FAILED: its channel is full, or the batch is larger than its transactionCapacity"
                    .to_owned()
            }
            Ok(Ok(status)) => format!("it answered {status:?}"),
            Ok(Err(said)) => format!("it answered with an error: {said}"),
            Err(reason) => {
                self.link = None;
                return Err(DeliveryError::Lost { peer, reason });
            }
        };
        Err(DeliveryError::Refused { peer, events, reason })
    }

    async fn ended(&mut self) -> DeliveryError {
        let peer = self.config.peer();
        let reason = match &mut self.link {
            Some(link) => match link.work(true).await {
                Ok(Worked::Read | Worked::Written) => "it has said something unasked".to_owned(),
                Ok(Worked::Closed) => CLOSED.to_owned(),
                Err(error) => error.to_string(),
            },
            None => "not connected".to_owned(),
        };
        self.link = None;
        DeliveryError::Closed { peer, reason }
    }

    async fn close(&mut self) {
        if let Some(mut link) = self.link.take() {
            let _closed = timeout(CLOSE_WITHIN, link.finish()).await;
        }
    }
}

const CLOSED: &str = "it closed the connection: are `ssl` and `protocol` the same on both sides?";
/// Answers are a few dozen bytes.
const MOST_ANSWER_BYTES: usize = 1 << 20;
const CLOSE_WITHIN: Duration = Duration::from_millis(500);
