//! Carries the library's requests over connections of this project: its TLS, its sockets.

use crate::http::connect_to;
use bytes::Bytes;
use components::http1::{Endpoint, in_words, read};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::SendRequest;
use hyper::header::{HOST, HeaderValue};
use hyper::{Request, Response};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody,
    HttpService,
};
use runtime::net::ClientLayers;
use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::rc::Rc;
use tokio::sync::{mpsc, oneshot};

/// Hands requests to the thread of the sink, where its connections are.
#[derive(Debug, Clone)]
pub(super) struct Courier(mpsc::UnboundedSender<Job>);

type Job = (HttpRequest, oneshot::Sender<Result<HttpResponse, HttpError>>);

/// Connections that wait for the next request, by whom they reach.
type Idle = Rc<RefCell<HashMap<String, Vec<SendRequest<Full<Bytes>>>>>>;

impl Courier {
    /// One that works on this thread as long as it is asked.
    pub(super) fn start(layers: Option<ClientLayers>) -> Courier {
        let (requests, mut jobs) = mpsc::unbounded_channel::<Job>();
        let (idle, layers) = (Idle::default(), Rc::new(layers));
        actix::spawn(async move {
            while let Some((request, mut tell)) = jobs.recv().await {
                let (idle, layers) = (idle.clone(), layers.clone());
                actix::spawn(async move {
                    let answer = tokio::select! {
                        () = tell.closed() => return, // nobody waits any more
                        answer = exchange(&idle, &layers, request) => answer,
                    };
                    let _unheard = tell.send(answer);
                });
            }
        });
        Courier(requests)
    }
}

impl HttpConnector for Courier {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait::async_trait]
impl HttpService for Courier {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (tell, told) = oneshot::channel();
        let gone = || failure(HttpErrorKind::Unknown, "the sink has ended".to_owned());
        self.0.send((request, tell)).map_err(|_| gone())?;
        told.await.map_err(|_| gone())?
    }
}

fn failure(kind: HttpErrorKind, why: String) -> HttpError {
    HttpError::new(kind, io::Error::other(why))
}

async fn exchange(
    idle: &Idle,
    layers: &Option<ClientLayers>,
    request: HttpRequest,
) -> Result<HttpResponse, HttpError> {
    let (mut head, body) = request.into_parts();
    let endpoint =
        Endpoint::parse(&head.uri.to_string()).map_err(|why| failure(HttpErrorKind::Unknown, why))?;
    head.uri = endpoint.path.parse().map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
    let host = HeaderValue::from_str(&endpoint.authority);
    head.headers.insert(HOST, host.map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?);
    let request = Request::from_parts(head, Full::new(body.collect().await?.to_bytes()));
    let whom = endpoint.origin();
    let mut line = match waiting(idle, &whom).await {
        Some(line) => line,
        None => {
            let line = connect_to(&endpoint, layers.as_ref()).await;
            line.map_err(|why| failure(HttpErrorKind::Connect, why))?
        }
    };
    let broken = |error: &hyper::Error| {
        let kind = if error.is_parse() { HttpErrorKind::Decode } else { HttpErrorKind::Interrupted };
        failure(kind, in_words(error))
    };
    let answer = line.send_request(request).await.map_err(|error| broken(&error))?;
    let (head, body) = answer.into_parts();
    let body = read(body, MOST_ANSWER_BYTES).await;
    let body = body.ok_or_else(|| failure(HttpErrorKind::Interrupted, "its answer broke off".to_owned()))?;
    let mut idle = idle.borrow_mut();
    let lines = idle.entry(whom).or_default();
    if lines.len() < MOST_IDLE {
        lines.push(line);
    }
    Ok(Response::from_parts(head, HttpResponseBody::from(body)))
}

/// A connection that is still there.
async fn waiting(idle: &Idle, whom: &str) -> Option<SendRequest<Full<Bytes>>> {
    loop {
        let mut line = idle.borrow_mut().get_mut(whom)?.pop()?;
        if line.ready().await.is_ok() {
            return Some(line);
        }
    }
}

/// Answers are lists and messages: objects are written here, not read.
const MOST_ANSWER_BYTES: usize = 8 << 20;
/// Connections to one host that are kept.
const MOST_IDLE: usize = 16;
