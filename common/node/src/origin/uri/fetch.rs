//! One text of a server's, over HTTP.

use crate::origin::MOST_BYTES;
use base64ct::{Base64, Encoding};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{
    ACCEPT, AUTHORIZATION, ETAG, HOST, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    LAST_MODIFIED, LOCATION,
};
use hyper::{HeaderMap, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use plan::{Descriptor, Kind, Properties, Secret};
use runtime::clock::Duration;
use runtime::net::{CLIENT_TLS, ClientLayers, TcpStream, TlsDefaults, keep_alive};
use std::io;
use tokio::time::timeout;

/// How one gets at what is not for everybody.
pub(crate) struct Access<'a> {
    /// `-user` and `-pwd`
    pub(crate) login: Option<(&'a str, &'a Secret)>,
    pub(crate) tls: &'a TlsDefaults,
}

/// A text of a server's, and what it was when it was last fetched.
pub(crate) struct Fetch {
    /// As messages name it.
    pub(super) name: String,
    uri: Uri,
    layers: ClientLayers,
    authorization: Option<HeaderValue>,
    have: Option<Have>,
}

/// What the server said last.
struct Have {
    bytes: Vec<u8>,
    /// Each is asked about with a header of its own.
    marks: Vec<(HeaderName, HeaderValue)>,
}

/// Why there is no text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(super) why: String,
    /// Waiting does not help.
    pub(super) lasting: bool,
}

impl Failure {
    fn passing(why: impl Into<String>) -> Failure {
        Failure { why: why.into(), lasting: false }
    }

    fn lasting(why: impl Into<String>) -> Failure {
        Failure { why: why.into(), lasting: true }
    }

    pub(super) fn too_long() -> Failure {
        Failure::lasting(format!("it has more than {} MiB: that is no configuration", MOST_BYTES >> 20))
    }
}

impl Fetch {
    pub(super) fn new(text: &str, name: String, access: &Access<'_>) -> Result<Fetch, String> {
        let uri: Uri = text.parse().map_err(|error| format!("it is no URL ({error})"))?;
        let authority = uri.authority().ok_or("it names no host")?;
        if authority.as_str().contains('@') {
            return Err(
                "a user and a password in a URL have no effect, in Flume either; give -user and -pwd"
                    .to_owned(),
            );
        }
        let layers = match uri.scheme_str() {
            Some("https") => tls(access.tls)?,
            _ => ClientLayers::default(),
        };
        let authorization = access.login.map(|(user, password)| basic(user, password)).transpose()?;
        Ok(Fetch { name, uri, layers, authorization, have: None })
    }

    pub(super) fn path(&self) -> &str {
        self.uri.path()
    }

    /// The text as it is now.
    pub(super) async fn get(&mut self) -> Result<Vec<u8>, Failure> {
        let asked = timeout(ANSWERED_WITHIN, self.ask()).await;
        let late = || Failure::passing(format!("no whole answer within {} s", ANSWERED_WITHIN.as_secs()));
        let answer = asked.map_err(|_| late())??;
        if let Some(have) = answer {
            self.have = Some(have);
        }
        self.have
            .as_ref()
            .map(|have| have.bytes.clone())
            .ok_or_else(|| Failure::lasting("it answers 304 (not modified) to one who has nothing yet"))
    }

    /// What is new; `None` when nothing is.
    async fn ask(&self) -> Result<Option<Have>, Failure> {
        let mut uri = self.uri.clone();
        for _ in 0..=MOST_REDIRECTS {
            match self.ask_at(&uri).await? {
                Asked::Text(have) => return Ok(Some(have)),
                Asked::Unchanged => return Ok(None),
                Asked::Elsewhere(next) => uri = next,
            }
        }
        Err(Failure::lasting(format!("it sends from one place to the next more than {MOST_REDIRECTS} times")))
    }

    async fn ask_at(&self, uri: &Uri) -> Result<Asked, Failure> {
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let port = port(uri);
        let dial = async || -> io::Result<TcpStream> {
            let stream = TcpStream::connect((host, port)).await?;
            stream.set_nodelay(true)?;
            keep_alive(&stream)?;
            Ok(stream)
        };
        let layered = self.layers.connect(host, dial).await.map_err(Failure::passing)?;
        let http =
            |error: hyper::Error| Failure::passing(format!("it does not answer as HTTP has it: {error}"));
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(HEAD_BYTES)
            .handshake(TokioIo::new(layered.stream))
            .await
            .map_err(http)?;
        let exchange = async move {
            let answer = sender.send_request(self.request(uri)?).await.map_err(http)?;
            self.judge(uri, answer).await
        };
        let mut exchange = std::pin::pin!(exchange);
        tokio::select! {
            biased;
            asked = &mut exchange => return asked,
            // What has come of an answer may still be to be read.
            _ended = connection => {}
        }
        exchange.await
    }

    fn request(&self, uri: &Uri) -> Result<Request<Empty<Bytes>>, Failure> {
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let mut request = Request::get(path).header(HOST, authority).header(ACCEPT, "text/plain, */*");
        // A password is for those alone to whom it was given.
        let own = uri.authority() == self.uri.authority() && uri.scheme() == self.uri.scheme();
        if let Some(authorization) = self.authorization.as_ref().filter(|_| own) {
            request = request.header(AUTHORIZATION, authorization);
        }
        for (name, value) in self.have.iter().flat_map(|have| &have.marks) {
            request = request.header(name, value);
        }
        request.body(Empty::new()).map_err(|error| Failure::lasting(error.to_string()))
    }

    async fn judge(&self, uri: &Uri, answer: Response<Incoming>) -> Result<Asked, Failure> {
        let status = answer.status();
        match status {
            StatusCode::OK => {
                let marks = marks(answer.headers());
                Ok(Asked::Text(Have { marks, bytes: whole(answer.into_body()).await? }))
            }
            StatusCode::NOT_MODIFIED => Ok(Asked::Unchanged),
            _ if status.is_redirection() => elsewhere(uri, answer.headers()).map(Asked::Elsewhere),
            _ => Err(refused(status)),
        }
    }
}

/// An answer.
enum Asked {
    Text(Have),
    Unchanged,
    Elsewhere(Uri),
}

/// What a status means that gives no text.
fn refused(status: StatusCode) -> Failure {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            Failure::lasting(format!("it answers {status}: look at -user and -pwd"))
        }
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
            Failure::passing(format!("it answers {status}"))
        }
        _ if status.is_client_error() => Failure::lasting(format!("it answers {status}")),
        _ => Failure::passing(format!("it answers {status}")),
    }
}

/// Where a redirect leads. As Java's client, it does not go from one scheme to the other.
fn elsewhere(from: &Uri, headers: &HeaderMap) -> Result<Uri, Failure> {
    let nowhere = || Failure::lasting("it sends to another place and does not name one that can be used");
    let to = headers.get(LOCATION).and_then(|to| to.to_str().ok()).ok_or_else(nowhere)?;
    let mut to = to.parse::<Uri>().map_err(|_| nowhere())?.into_parts();
    if to.authority.is_none() {
        to.authority = from.authority().cloned();
        to.scheme = from.scheme().cloned();
    }
    if to.scheme.as_ref() != from.scheme() {
        return Err(Failure::lasting("it sends from http to https, or back: name that place with -u"));
    }
    Uri::from_parts(to).map_err(|_| nowhere())
}

/// By what a server knows again what it has sent.
fn marks(headers: &HeaderMap) -> Vec<(HeaderName, HeaderValue)> {
    [(LAST_MODIFIED, IF_MODIFIED_SINCE), (ETAG, IF_NONE_MATCH)]
        .into_iter()
        .filter_map(|(mark, question)| Some((question, headers.get(mark)?.clone())))
        .collect()
}

async fn whole(mut body: Incoming) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Failure::passing(format!("its answer breaks off: {error}")))?;
        bytes.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
        if bytes.len() as u64 > MOST_BYTES {
            return Err(Failure::too_long());
        }
    }
    Ok(bytes)
}

fn port(uri: &Uri) -> u16 {
    uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 })
}

fn basic(user: &str, password: &Secret) -> Result<HeaderValue, String> {
    let login = Base64::encode_string(format!("{user}:{}", password.reveal()).as_bytes());
    let mut value = HeaderValue::try_from(format!("Basic {login}")).map_err(|error| error.to_string())?;
    value.set_sensitive(true);
    Ok(value)
}

/// By what the process says about TLS. As a client of HTTP does, it looks whether the certificate names the host.
fn tls(defaults: &TlsDefaults) -> Result<ClientLayers, String> {
    let pairs = [("ssl", "true"), ("verify-hostname", "true")];
    let built = ClientLayers::tls(&Properties::of(&TLS, pairs), defaults, &mut Vec::new());
    built.map_err(|error| error.what)
}

static TLS: Descriptor = Descriptor::new(Kind::Sink, "", "", &[CLIENT_TLS]);

/// All of it, from the name of the host to the last byte.
const ANSWERED_WITHIN: Duration = Duration::from_secs(20);
const MOST_REDIRECTS: usize = 5;
/// What a connection holds for an answer's head.
const HEAD_BYTES: usize = 32 << 10;
