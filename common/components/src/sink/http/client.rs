//! Posts to one endpoint, a request at a time.

use super::Config;
use crate::sink::http1::{in_words, read};
use bytes::Bytes;
use event::Batch;
use flow::counters::SinkCounters;
use flow::error::DeliveryError;
use flow::message::Window;
use flow::sink::remote::AsyncSink;
use http_body_util::Full;
use hyper::Request;
use hyper::client::conn::http1::SendRequest;
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST};
use runtime::clock::{self, Duration};
use runtime::told::Told;
use std::sync::Arc;
use tokio::time::{sleep, timeout};

pub(super) struct HttpClient {
    config: Config,
    log: slog::Logger,
    counters: Arc<SinkCounters>,
    connection: Option<SendRequest<Full<Bytes>>>,
    /// Answers in a row after which a pause is to be made.
    pauses: u64,
    told_empty: Told,
}

impl HttpClient {
    /// Counts in `counters` what counts as delivered: not all does that is.
    pub(super) fn new(config: Config, log: slog::Logger, counters: Arc<SinkCounters>) -> HttpClient {
        counters.counts_arrived_itself();
        let told_empty = Told::every(NEWS_PAUSE);
        HttpClient { config, log, counters, connection: None, pauses: 0, told_empty }
    }

    fn peer(&self) -> String {
        let endpoint = &self.config.endpoint;
        format!("{}{}", endpoint.origin(), endpoint.path)
    }

    async fn connect(&mut self) -> Result<(), String> {
        let Config { endpoint, layers, connect_timeout, .. } = &self.config;
        self.connection = Some(endpoint.connect(layers, *connect_timeout).await?);
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
            Ok::<_, hyper::Error>((status, read(answer.into_body(), MOST_PASSED).await.is_some()))
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
        if verdict.counts {
            self.counters.drain_success.add(1);
        }
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

/// Events that wait here while one is posted.
const WAITING: usize = 16;
/// Of an answer's body, which nobody wants: a connection with more of it is not used again.
const MOST_PASSED: usize = 1 << 20;
/// Flume's, in seconds.
const LONGEST_PAUSE: u64 = 5;
const NEWS_PAUSE: Duration = Duration::from_secs(60);
