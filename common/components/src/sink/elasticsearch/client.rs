//! Sends documents to whichever host takes them.

use super::bulk::{self, Item, Server, items, push_action};
use super::identity::{Identities, Identity};
use super::index::Place;
use super::policy::{Fate, Hosts, PATIENCE, Verdict, fate, pause, verdict};
use super::{Config, document};
use crate::dead::{News, bury, with_reasons};
use crate::sink::http1::{in_words, read};
use bytes::Bytes;
use event::{Batch, Event};
use flow::counters::SinkCounters;
use flow::error::DeliveryError;
use flow::message::Window;
use flow::sink::remote::AsyncSink;
use http_body_util::Full;
use hyper::client::conn::http1::SendRequest;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use runtime::clock::{self, Duration};
use runtime::random::Random;
use runtime::told::{LastTold, Told};
use std::sync::Arc;
use tokio::time::{sleep, timeout};

pub(super) struct ElasticSearchClient {
    config: Config,
    name: String,
    log: slog::Logger,
    counters: Arc<SinkCounters>,
    hosts: Hosts,
    /// One for each host, while it works.
    lines: Vec<Option<Line>>,
    identities: Identities,
    /// Deliveries in a row that have failed for want of an index.
    misplaced: u32,
    /// The last round had documents without one.
    misplaces: bool,
    told_server: LastTold,
    told_host: Told,
    told_untimed: Told,
    dead_news: News,
}

/// A connection, and who is at its other end.
struct Line {
    sender: SendRequest<Full<Bytes>>,
    server: Server,
}

/// An event, and what it is called.
#[derive(Clone, Copy)]
struct Document<'e> {
    event: Event<'e>,
    identity: Identity,
}

impl ElasticSearchClient {
    pub(super) fn new(
        config: Config,
        name: &str,
        counters: Arc<SinkCounters>,
        log: slog::Logger,
    ) -> ElasticSearchClient {
        let often = || Told::every(NEWS_PAUSE);
        ElasticSearchClient {
            hosts: Hosts::new(config.hosts.len()),
            lines: config.hosts.iter().map(|_| None).collect(),
            config,
            name: name.to_owned(),
            log,
            counters,
            identities: Identities::new(Random::from_system().next()),
            misplaced: 0,
            misplaces: false,
            told_server: LastTold::default(),
            told_host: often(),
            told_untimed: often(),
            dead_news: News::default(),
        }
    }

    /// Asks one host after the other, until one answers.
    async fn ask_around<T>(
        &mut self,
        mut ask: impl AsyncFnMut(&mut ElasticSearchClient, usize) -> Result<T, DeliveryError>,
    ) -> Result<T, DeliveryError> {
        let (mut tried, mut failure) = (Vec::new(), DeliveryError::Gone);
        while let Some(host) = self.hosts.pick(&tried, clock::now()) {
            tried.push(host);
            match ask(self, host).await {
                Ok(answer) => {
                    self.hosts.answered(host);
                    return Ok(answer);
                }
                Err(error) => {
                    self.lines[host] = None;
                    self.hosts.failed(host, clock::now());
                    if tried.len() < self.config.hosts.len() && self.told_host.tell(clock::now()).is_some() {
                        slog::warn!(self.log, "sink {}: {error}; another host is asked", self.name);
                    }
                    failure = error;
                }
            }
        }
        Err(failure)
    }

    /// Connects to a host, unless it is connected, and asks who is there.
    async fn connect(&mut self, host: usize) -> Result<(), DeliveryError> {
        if self.lines[host].as_ref().is_some_and(|line| !line.sender.is_closed()) {
            return Ok(());
        }
        let endpoint = &self.config.hosts[host];
        let unreachable = |reason| DeliveryError::Unreachable { peer: endpoint.origin(), reason };
        let layers = if endpoint.tls { &self.config.layers } else { &self.config.plain };
        let mut sender = endpoint.connect(layers, self.config.connect_timeout).await.map_err(unreachable)?;
        let path = if endpoint.path.is_empty() { "/" } else { &endpoint.path };
        let answer = self.ask(&mut sender, host, (Method::GET, path), Bytes::new(), MOST_HELLO).await;
        let server = match answer.map_err(unreachable)? {
            (200..=299, text) => bulk::server(&text).map_err(unreachable)?,
            (403 | 404, _) => bulk::unknown_server(),
            (status, text) => return Err(unreachable(refusal(status, &text))),
        };
        if let (Some(wanted), Some(cluster)) = (&self.config.cluster, &server.cluster)
            && wanted != cluster
        {
            let reason =
                format!("it is of the cluster {}, and `clusterName` is {wanted}", plan::quoted(cluster));
            return Err(unreachable(reason));
        }
        if self.told_server.tell(&server.name) {
            let has = |has: bool| if has { "" } else { "no " };
            slog::info!(
                self.log,
                "sink {}: {} is {}; its documents have {}types and {}ttl",
                self.name,
                endpoint.origin(),
                server.name,
                has(server.types),
                has(server.ttl)
            );
        }
        self.lines[host] = Some(Line { sender, server });
        Ok(())
    }

    /// A request and its answer: the status, and at most so many bytes of text.
    async fn ask(
        &self,
        sender: &mut SendRequest<Full<Bytes>>,
        host: usize,
        (method, path): (Method, &str),
        body: Bytes,
        most: usize,
    ) -> Result<(u16, Vec<u8>), String> {
        let Config { hosts, authorization, request_timeout, .. } = &self.config;
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, &hosts[host].authority)
            .header(CONTENT_TYPE, "application/x-ndjson");
        if let Some(value) = authorization {
            request = request.header(AUTHORIZATION, value);
        }
        let request = request.body(Full::new(body)).map_err(|error| error.to_string())?;
        let asked = timeout(*request_timeout, async {
            sender.ready().await?;
            let answer = sender.send_request(request).await?;
            let status = answer.status().as_u16();
            Ok::<_, hyper::Error>((status, read(answer.into_body(), most).await))
        });
        match asked.await {
            Ok(Ok((status, Some(text)))) => Ok((status, text)),
            Ok(Ok((_, None))) => Err(format!("its answer breaks off, or has more than {most} bytes")),
            Ok(Err(error)) => Err(in_words(&error)),
            Err(_) => Err(format!("no answer within requestTimeout ({} ms)", request_timeout.as_millis())),
        }
    }

    /// Sends documents to a host; `None`: they are too large together.
    async fn post(
        &mut self,
        host: usize,
        documents: &[Document<'_>],
        arrival: i64,
    ) -> Result<Option<Vec<Item>>, DeliveryError> {
        self.connect(host).await?;
        let Some(mut line) = self.lines[host].take() else { return Err(DeliveryError::Gone) };
        let body = self.encode(documents, &line.server, arrival);
        let path = format!("{}/_bulk?filter_path=items.*.status,items.*.error", self.config.hosts[host].path);
        let most = MOST_HELLO + documents.len() * MOST_ITEM + MOST_ECHOES * body.len();
        let answer = self.ask(&mut line.sender, host, (Method::POST, &path), body, most).await;
        let peer = self.config.hosts[host].origin();
        let lost = |reason| DeliveryError::Lost { peer: peer.clone(), reason };
        let (status, text) = answer.map_err(lost)?;
        self.lines[host] = Some(line);
        let refused = || DeliveryError::Refused {
            peer: peer.clone(),
            events: documents.len(),
            reason: refusal(status, &text),
        };
        match verdict(status) {
            Verdict::Read => Ok(Some(items(&text, documents.len()).map_err(lost)?)),
            Verdict::Halve => Ok(None),
            Verdict::Elsewhere | Verdict::Refused => Err(refused()),
        }
    }

    /// The lines of a bulk.
    fn encode(&mut self, documents: &[Document<'_>], server: &Server, arrival: i64) -> Bytes {
        let (mut out, mut place, mut id) = (Vec::new(), Place::default(), String::new());
        let mut untimed = 0;
        for Document { event, identity } in documents {
            untimed += usize::from(!self.config.names.find(event, arrival, &mut place));
            id.clear();
            self.identities.push(*identity, &mut id);
            push_action(&place, &id, self.config.ttl, server, &mut out);
            document::push(self.config.format, event, &mut out);
            out.push(b'\n');
        }
        if untimed > 0 && self.told_untimed.tell(clock::now()).is_some() {
            slog::warn!(
                self.log,
                "sink {}: {untimed} events of a batch have no `timestamp` in milliseconds: the index of each is that of its arrival here; add a timestamp interceptor",
                self.name
            );
        }
        out.into()
    }

    /// Sends all of these once. Answers what is to be sent again, and why; puts into `never` what is never taken.
    async fn round<'e>(
        &mut self,
        documents: Vec<Document<'e>>,
        never: &mut Vec<(Document<'e>, String)>,
        arrival: i64,
    ) -> Result<Vec<(Document<'e>, String)>, DeliveryError> {
        let mut left = Vec::new();
        let mut chunks: Vec<&[Document<'e>]> = chunks(&documents);
        chunks.reverse();
        while let Some(chunk) = chunks.pop() {
            let answer = self.ask_around(async |this, host| this.post(host, chunk, arrival).await).await?;
            let Some(items) = answer else {
                match chunk {
                    [alone] => never.push((*alone, "it is larger than the store takes".to_owned())),
                    _ => {
                        let (first, second) = chunk.split_at(chunk.len() / 2);
                        chunks.extend([second, first]);
                    }
                }
                continue;
            };
            let own = self.config.names.is_named_by_events() && self.misplaced >= PATIENCE;
            for (document, Item { status, kind, reason }) in chunk.iter().zip(items) {
                let reason = format!("{status} {reason}");
                match fate(status, &kind) {
                    Fate::Stored => self.identities.settle(document.identity),
                    Fate::Never => never.push((*document, reason)),
                    Fate::Place if own => never.push((*document, reason)),
                    Fate::Again => left.push((*document, reason)),
                    Fate::Place => {
                        self.misplaces = true;
                        left.push((*document, reason));
                    }
                }
            }
        }
        Ok(left)
    }

    /// Delivers what is not settled yet.
    async fn settle(&mut self, batches: &[Batch]) -> Result<(), DeliveryError> {
        let arrival = clock::epoch_millis();
        let identities = self.identities.begin(batches);
        let events = batches.iter().flat_map(Batch::events).zip(identities);
        let documents = events.map(|(event, identity)| Document { event, identity });
        let mut open: Vec<_> =
            documents.filter(|document| !self.identities.is_settled(document.identity)).collect();
        for tries in 1.. {
            let mut never = Vec::new();
            self.misplaces = false;
            let left = self.round(open, &mut never, arrival).await?;
            self.put_aside(never, arrival).await?;
            let Some((_, reason)) = left.first() else { break };
            let Some(pause) = pause(tries) else {
                let (peer, events) = (self.config.everybody(), left.len());
                return Err(DeliveryError::Refused { peer, events, reason: reason.clone() });
            };
            sleep(pause).await;
            open = left.into_iter().map(|(document, _)| document).collect();
        }
        Ok(())
    }

    /// Writes what the store never takes where the file says.
    async fn put_aside(
        &mut self,
        never: Vec<(Document<'_>, String)>,
        arrival: i64,
    ) -> Result<(), DeliveryError> {
        let Some((_, first)) = never.first() else { return Ok(()) };
        let events = never.iter().map(|(document, reason)| (document.event, reason.as_str()));
        let batch = with_reasons(events, REASON);
        let directory = &self.config.dead_letters;
        let written = bury(directory.clone(), batch, arrival).await;
        let path = written.map_err(|error| DeliveryError::Write {
            what: format!("dead letters to {}", directory.display()),
            reason: error.to_string(),
        })?;
        never.iter().for_each(|(document, _)| self.identities.settle(document.identity));
        self.counters.event_write_fail.add(never.len());
        let store = format!("sink {}: {}", self.name, self.config.everybody());
        self.dead_news.tell(&self.log, clock::now(), &store, never.len(), path.display(), first);
        Ok(())
    }
}

impl AsyncSink for ElasticSearchClient {
    async fn open(&mut self) -> Result<Window, DeliveryError> {
        self.ask_around(async |this, host| this.connect(host).await).await?;
        Ok(Window::LOCK_STEP)
    }

    async fn deliver(&mut self, batches: &[Batch]) -> Result<(), DeliveryError> {
        let outcome = self.settle(batches).await;
        self.identities.end(outcome.is_ok());
        self.misplaced = match outcome {
            Ok(()) => 0,
            Err(_) => self.misplaced + u32::from(std::mem::take(&mut self.misplaces)),
        };
        outcome
    }

    async fn close(&mut self) {
        self.lines.iter_mut().for_each(|line| *line = None);
    }
}

/// In requests of bounded size; a large event has one of its own.
fn chunks<'a, 'e>(documents: &'a [Document<'e>]) -> Vec<&'a [Document<'e>]> {
    let (mut chunks, mut from, mut bytes) = (Vec::new(), 0, 0);
    for (at, Document { event, .. }) in documents.iter().enumerate() {
        let size = event.header_bytes().len() + event.body().len();
        if at > from && (bytes + size > MOST_BYTES || at - from >= MOST_DOCUMENTS) {
            chunks.push(&documents[from..at]);
            (from, bytes) = (at, 0);
        }
        bytes += size;
    }
    chunks.push(&documents[from..]);
    chunks.retain(|chunk| !chunk.is_empty());
    chunks
}

fn refusal(status: u16, text: &[u8]) -> String {
    let text = String::from_utf8_lossy(&text[..text.len().min(MOST_HELLO)]);
    match status {
        401 => "it answered 401: it does not know this account: `username` and `password`".to_owned(),
        _ if text.trim().is_empty() => format!("it answered {status}"),
        _ => format!("it answered {status}: {}", bulk::cut(text.trim())),
    }
}

/// Says why an event is a dead letter.
pub(super) const REASON: &str = "elasticsearch.reason";
/// Of the answer to a request about nothing.
const MOST_HELLO: usize = 64 << 10;
/// Of what is answered about a document.
const MOST_ITEM: usize = 8 << 10;
/// How often an answer may hold what it refuses: it is quoted in the reason and in its cause, with escapes.
const MOST_ECHOES: usize = 8;
/// Of headers and bodies in a request, and of documents.
const MOST_BYTES: usize = 4 << 20;
const MOST_DOCUMENTS: usize = 1_000;
const NEWS_PAUSE: Duration = Duration::from_secs(60);
