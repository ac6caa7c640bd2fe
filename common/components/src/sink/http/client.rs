//! Posts to one endpoint, a request at a time.

use super::Config;
use bytes::Bytes;
use event::Batch;
use flow::error::DeliveryError;
use flow::message::Window;
use flow::sink::remote::AsyncSink;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST};
use hyper_util::rt::TokioIo;
use runtime::clock::{self, Duration};
use runtime::net::{TcpStream, keep_alive};
use runtime::told::Told;
use std::io;
use tokio::time::{sleep, timeout};

/// `endpoint`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub(super) host: String,
    pub(super) port: u16,
    /// As it stands in the header `Host`.
    pub(super) authority: String,
    pub(super) path: String,
    pub(super) tls: bool,
}

pub(super) struct HttpClient {
    config: Config,
    log: slog::Logger,
    connection: Option<SendRequest<Full<Bytes>>>,
    /// Answers in a row after which a pause is to be made.
    pauses: u64,
    told_empty: Told,
}

impl HttpClient {
    pub(super) fn new(config: Config, log: slog::Logger) -> HttpClient {
        HttpClient { config, log, connection: None, pauses: 0, told_empty: Told::every(NEWS_PAUSE) }
    }

    fn peer(&self) -> String {
        let Endpoint { authority, path, tls, .. } = &self.config.endpoint;
        format!("{}://{authority}{path}", if *tls { "https" } else { "http" })
    }

    async fn connect(&mut self) -> Result<(), String> {
        let Config { endpoint, layers, connect_timeout, .. } = &self.config;
        let dial = async || -> io::Result<TcpStream> {
            let stream = TcpStream::connect((endpoint.host.as_str(), endpoint.port)).await?;
            stream.set_nodelay(true)?;
            keep_alive(&stream)?;
            Ok(stream)
        };
        let connecting = timeout(*connect_timeout, layers.connect(&endpoint.host, dial)).await;
        let within = |_| format!("no answer within connectTimeout ({} ms)", connect_timeout.as_millis());
        let layered = connecting.map_err(within)??;
        let shaken =
            http1::Builder::new().max_buf_size(BUFFER_BYTES).handshake(TokioIo::new(layered.stream)).await;
        let (sender, connection) = shaken.map_err(|error| error.to_string())?;
        // It ends when the sender is dropped, or when the peer closes.
        actix_rt::spawn(async move {
            let _told_to_the_request = connection.await;
        });
        self.connection = Some(sender);
        Ok(())
    }

    /// Posts one body; the status of the answer.
    async fn post(&mut self, body: Bytes) -> Result<u16, String> {
        if self.connection.as_ref().is_none_or(SendRequest::is_closed) {
            self.connect().await?;
        }
        let Config { endpoint, content_type, accept, request_timeout, .. } = &self.config;
        let request = Request::post(&endpoint.path)
            .header(HOST, &endpoint.authority)
            .header(CONTENT_TYPE, content_type)
            .header(ACCEPT, accept)
            .body(Full::new(body))
            .map_err(|error| error.to_string())?;
        let Some(connection) = &mut self.connection else { return Err("not connected".to_owned()) };
        let asked = timeout(*request_timeout, async {
            connection.ready().await?;
            let answer = connection.send_request(request).await?;
            let status = answer.status().as_u16();
            Ok::<_, hyper::Error>((status, pass_over(answer.into_body()).await))
        });
        match asked.await {
            Ok(Ok((status, keeps))) => {
                if !keeps {
                    self.connection = None;
                }
                Ok(status)
            }
            Ok(Err(error)) => {
                self.connection = None;
                Err(in_words(&error))
            }
            Err(_) => {
                self.connection = None;
                Err(format!("no answer within requestTimeout ({} ms)", request_timeout.as_millis()))
            }
        }
    }

    /// Posts one event until its answer is known.
    async fn deliver_one(&mut self, event: &event::Event<'_>, of: &Batch) -> Result<(), DeliveryError> {
        if event.body().is_empty() {
            if let Some(before) = self.told_empty.tell(clock::now()) {
                slog::warn!(
                    self.log,
                    "an event without a body is left out: there is nothing to post ({before} such lines were left out)"
                );
            }
            return Ok(());
        }
        if self.pauses > 0 {
            sleep(Duration::from_secs(self.pauses.min(LONGEST_PAUSE))).await;
        }
        let body = of.buffer().slice_ref(event.body());
        let status =
            self.post(body).await.map_err(|reason| DeliveryError::Lost { peer: self.peer(), reason })?;
        let verdict = self.config.rules.verdict(status);
        // An event that is sent again waits as its group says.
        self.pauses = if verdict.pause && !verdict.again { self.pauses + 1 } else { 0 };
        if verdict.again {
            let reason = format!("it answered {status}, for which `rollback` is true");
            return Err(DeliveryError::Refused { peer: self.peer(), events: 1, reason });
        }
        Ok(())
    }
}

impl AsyncSink for HttpClient {
    /// Connects first, so that a member of a group that cannot be reached is known as one.
    async fn open(&mut self) -> Result<Window, DeliveryError> {
        if self.connection.as_ref().is_none_or(SendRequest::is_closed) {
            let peer = self.config.endpoint.authority.clone();
            self.connect().await.map_err(|reason| DeliveryError::Unreachable { peer, reason })?;
        }
        Ok(Window { deliveries: WAITING, bytes: usize::MAX })
    }

    async fn deliver(&mut self, batches: &[Batch]) -> Result<(), DeliveryError> {
        for batch in batches {
            for event in batch.events() {
                self.deliver_one(&event, batch).await?;
            }
        }
        Ok(())
    }

    async fn close(&mut self) {
        self.connection = None;
    }
}

/// Reads an answer's body, which nobody wants, so that the connection can be used again. `false`: it is too long for that.
async fn pass_over(mut body: Incoming) -> bool {
    let mut left = MOST_PASSED;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return false };
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        if bytes > left {
            return false;
        }
        left -= bytes;
    }
    true
}

fn in_words(error: &hyper::Error) -> String {
    if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        "it closed the connection before it had answered".to_owned()
    } else if error.is_parse() {
        format!("its answer is not HTTP/1: {error}")
    } else {
        error.to_string()
    }
}

/// Events that wait here while one is posted.
const WAITING: usize = 16;
/// What a connection holds for heads and for its next read.
const BUFFER_BYTES: usize = 32 << 10;
/// Of an answer's body.
const MOST_PASSED: usize = 1 << 20;
/// Flume's, in seconds.
const LONGEST_PAUSE: u64 = 5;
const NEWS_PAUSE: Duration = Duration::from_secs(60);
