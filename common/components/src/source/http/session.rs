//! One client of an http source, from its first request to its last.

use super::handler::{Handler, Refusal, Request as Content};
use crate::source::budget::{Budget, Share};
use crate::source::port::Voice;
use bytes::{Bytes, BytesMut};
use flow::message::PutTimeout;
use flow::source::{ChannelProcessor, Stopping};
use futures_util::future::pending;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use runtime::clock::{self, Duration};
use runtime::net::{Guest, Stream};
use std::cell::RefCell;
use std::convert::Infallible;
use std::pin::pin;
use std::rc::Rc;
use tokio::time::{sleep_until, timeout};

/// What the clients of one source share. All live on one thread.
pub(super) struct Shared {
    pub(super) handler: Handler,
    pub(super) max_request_bytes: usize,
    pub(super) idle_limit: Option<Duration>,
    pub(super) processor: ChannelProcessor,
    pub(super) voice: Rc<Voice>,
    pub(super) budget: Budget,
}

/// Serves a client until it goes, says nothing for too long, has to go, or the source stops.
pub(super) async fn serve(shared: Rc<Shared>, stream: Stream, guest: Guest, mut stop: Stopping) {
    let peer = guest.peer();
    let session = Rc::new(Session {
        share: RefCell::new(Some(shared.budget.share(&guest))),
        guest,
        shared: shared.clone(),
    });
    let of_requests = session.clone();
    let service = service_fn(move |request| {
        let session = of_requests.clone();
        async move { Ok::<_, Infallible>(session.answer(request).await) }
    });
    let mut server = http1::Builder::new();
    server.max_buf_size(BUFFER_BYTES);
    let mut connection = pin!(server.serve_connection(TokioIo::new(stream), service));
    tokio::select! { biased;
        outcome = connection.as_mut() => if let Err(error) = outcome {
            // A client that goes without a word is nobody's fault.
            if error.is_parse() {
                shared.voice.complain(peer, &format_args!("what it sends is not HTTP/1: {error}; its connection is closed"));
            }
        },
        _ = stop.wait_for(|stop| *stop) => {
            connection.as_mut().graceful_shutdown();
            let _in_time = timeout(LAST_ANSWER, connection).await;
        }
        () = session.idle() => {
            shared.voice.complain(peer, &"it has sent nothing for as long as maxIdleSeconds allows; its connection is closed");
        }
    }
}

struct Session {
    shared: Rc<Shared>,
    guest: Guest,
    /// Taken by the request that is served.
    share: RefCell<Option<Share>>,
}

impl Session {
    /// Resolves when nothing was heard for too long.
    async fn idle(&self) {
        let Some(limit) = self.shared.idle_limit else { return pending().await };
        loop {
            let until = self.guest.last_heard() + limit;
            if until <= clock::now() {
                return;
            }
            sleep_until(until).await;
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        self.guest.heard(clock::now());
        let share = self.share.borrow_mut().take();
        let Some(mut share) = share else {
            return response(StatusCode::SERVICE_UNAVAILABLE, "one request at a time"); // HTTP/1 has no other
        };
        let answer = self.take(request, &mut share).await;
        share.hold(0);
        share.moved(0, false);
        *self.share.borrow_mut() = Some(share);
        self.guest.served(false);
        self.guest.heard(clock::now());
        match answer {
            Ok(()) => Response::new(Full::default()),
            Err((status, what)) => {
                self.shared
                    .voice
                    .complain(self.guest.peer(), &format_args!("answered {}: {what}", status.as_u16()));
                response(status, &what)
            }
        }
    }

    /// Stores the events of a request.
    async fn take(&self, request: Request<Incoming>, share: &mut Share) -> Result<(), Refusal> {
        match *request.method() {
            Method::POST | Method::GET | Method::HEAD => {}
            Method::TRACE | Method::OPTIONS => return Err((StatusCode::FORBIDDEN, "not allowed".to_owned())),
            _ => return Err((StatusCode::METHOD_NOT_ALLOWED, "POST events to this port".to_owned())),
        }
        let (head, incoming) = request.into_parts();
        let body = self.body(incoming, share).await?;
        share.moved(body.len() as u64, false);
        self.guest.served(true);
        let content_type = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content = Content { query: head.uri.query().unwrap_or_default(), content_type, body: &body };
        let mut builder = self.shared.processor.builder();
        if self.shared.handler.events(&content, &mut builder)? {
            self.shared
                .voice
                .complain(self.guest.peer(), &"a body is longer than maxBlobLength and is cut there");
        }
        drop(body);
        if builder.is_empty() {
            return Ok(());
        }
        let batch = self.shared.processor.finish(builder);
        let stored = self.shared.processor.store(batch, false, PutTimeout::KeepAlive).await;
        stored.map_err(|error| {
            (
                StatusCode::SERVICE_UNAVAILABLE,
                format!("Error appending event to channel. Channel might be full. {error}"),
            )
        })
    }

    /// The whole body, as soon as there is memory for it.
    async fn body(&self, mut incoming: Incoming, share: &mut Share) -> Result<Bytes, Refusal> {
        let most = self.shared.max_request_bytes;
        let large = || {
            let what = format!("the body has more than maxRequestBytes = {most} bytes; send smaller batches");
            (StatusCode::PAYLOAD_TOO_LARGE, what)
        };
        let announced = usize::try_from(incoming.size_hint().lower()).unwrap_or(usize::MAX);
        if announced > most {
            return Err(large());
        }
        self.hold(share, announced).await;
        let mut body = BytesMut::with_capacity(announced.min(MOST_AHEAD));
        while let Some(frame) = incoming.frame().await {
            let cut = |_| (StatusCode::BAD_REQUEST, "the body is not whole".to_owned());
            let Ok(data) = frame.map_err(cut)?.into_data() else { continue };
            if body.len() + data.len() > most {
                return Err(large());
            }
            body.extend_from_slice(&data);
            drop(data);
            self.guest.heard(clock::now());
            if body.len() > announced {
                self.hold(share, body.len()).await;
            }
            share.moved(body.len() as u64, true);
        }
        Ok(body.freeze())
    }

    /// Waits until the source has memory for a body of so many bytes and its events.
    async fn hold(&self, share: &mut Share, bytes: usize) {
        let claim = if bytes > SMALL_BODY { bytes * COPIES } else { bytes };
        while !share.hold(claim) {
            self.guest.served(true);
            share.turn().await;
            self.guest.heard(clock::now()); // its silence was ours
        }
        self.guest.served(false);
    }
}

fn response(status: StatusCode, what: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(format!("{what}\n"))));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// What a connection holds for heads and for its next read.
const BUFFER_BYTES: usize = 32 << 10;
/// Room made because a client has announced so much.
const MOST_AHEAD: usize = 512 << 10;
/// A body, its events, and where they stand.
const COPIES: usize = 3;
/// Of one up to this size the events are not accounted for beforehand.
const SMALL_BODY: usize = 64 << 10;
/// How long a source that stops waits for a request that is under way.
const LAST_ANSWER: Duration = Duration::from_secs(3);
