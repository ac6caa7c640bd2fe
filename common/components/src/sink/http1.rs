//! Connections of the sinks that speak HTTP.

use bytes::Bytes;
use flow::Site;
use flow::component::told;
use http_body_util::{BodyExt, Full};
use hyper::Uri;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use plan::{Bad, Descriptor, Findings, Kind, Properties, Property, Value};
use runtime::clock::Duration;
use runtime::net::{CLIENT_TLS, ClientLayers, TcpStream, keep_alive};
use std::io;
use tokio::time::timeout;

/// Where requests go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Without brackets.
    pub host: String,
    /// As written, or the scheme's.
    pub port: u16,
    /// As it stands in the header `Host`.
    pub authority: String,
    /// With what is asked behind it.
    pub path: String,
    /// Whether it is `https`.
    pub tls: bool,
}

impl Endpoint {
    /// Of a URL.
    ///
    /// # Errors
    /// What is wrong with it, in an operator's words.
    pub fn parse(text: &str) -> Result<Endpoint, String> {
        let uri: Uri = text
            .trim()
            .parse()
            .map_err(|error| format!("it is no URL ({error}); `http://HOST:PORT/PATH`"))?;
        let tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err("it must begin with `http://` or `https://`".to_owned()),
        };
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let port = authority.rsplit_once(':').map(|(_, port)| port).filter(|port| !port.ends_with(']'));
        if uri.port_u16().is_none() && port.is_some_and(|port| !port.is_empty()) {
            return Err("its port is none".to_owned());
        }
        let host = uri.host().filter(|host| !host.is_empty()).ok_or("it has no host")?;
        Ok(Endpoint {
            host: host.trim_matches(['[', ']']).to_owned(),
            port: uri.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            authority: match uri.port_u16() {
                Some(port) => format!("{host}:{port}"),
                None => host.to_owned(),
            },
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            tls,
        })
    }

    /// Its scheme, and whom to ask there.
    pub fn origin(&self) -> String {
        format!("{}://{}", if self.tls { "https" } else { "http" }, self.authority)
    }

    /// Connects.
    ///
    /// # Errors
    /// Why there is no connection, in an operator's words.
    pub async fn connect(
        &self,
        layers: &ClientLayers,
        limit: Duration,
    ) -> Result<SendRequest<Full<Bytes>>, String> {
        let dial = async || -> io::Result<TcpStream> {
            let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
            stream.set_nodelay(true)?;
            keep_alive(&stream)?;
            Ok(stream)
        };
        let connecting = timeout(limit, layers.connect(&self.host, dial)).await;
        let within = |_| format!("no answer within connectTimeout ({} ms)", limit.as_millis());
        let layered = connecting.map_err(within)??;
        let shaken =
            http1::Builder::new().max_buf_size(BUFFER_BYTES).handshake(TokioIo::new(layered.stream)).await;
        let (sender, connection) = shaken.map_err(|error| error.to_string())?;
        // It ends when the sender is dropped, or when the peer closes.
        actix_rt::spawn(async move {
            let _told_to_the_request = connection.await;
        });
        Ok(sender)
    }
}

/// Reads the body of an answer; `None`: it is longer than `most` bytes, or it breaks off.
pub async fn read(mut body: Incoming, most: usize) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.ok()?;
        let bytes = frame.data_ref().map_or(&[][..], |data| data);
        if bytes.len() > most - text.len() {
            return None;
        }
        text.extend_from_slice(bytes);
    }
    Some(text)
}

/// Why a request had no answer.
pub fn in_words(error: &hyper::Error) -> String {
    if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        "it closed the connection before it had answered".to_owned()
    } else if error.is_parse() {
        format!("its answer is not HTTP/1: {error}")
    } else {
        error.to_string()
    }
}

/// Ours.
pub(super) const TRUST: &[Property] = &[
    Property::optional("truststore", Value::Path).bad(OWN),
    Property::optional("truststore-password", Value::Secret).bad(OWN),
    Property::with("truststore-type", Value::Choice(&["JKS", "PKCS12"]), "JKS").bad(OWN),
];

const OWN: Bad = Bad::Ours("trusts what its JVM does");

/// Whom an `https` endpoint is trusted by. As a client of HTTP does, and other than those of Avro and Thrift, it looks whether
/// the certificate names the host.
pub(super) fn layers(
    tls: bool,
    properties: &Properties,
    site: &Site,
    findings: &mut Findings<'_>,
) -> Option<ClientLayers> {
    if !tls {
        return Some(ClientLayers::default());
    }
    let trust = ["truststore", "truststore-password", "truststore-type"];
    trusting(trust.into_iter().filter_map(|key| Some((key, properties.text(key)?))), site, findings)
}

/// The same with these settings of the trust store; without any, those of the process and of the machine are taken.
pub fn trusting<'a>(
    trust: impl Iterator<Item = (&'a str, &'a str)>,
    site: &Site,
    findings: &mut Findings<'_>,
) -> Option<ClientLayers> {
    let pairs = [("ssl", "true"), ("verify-hostname", "true")].into_iter().chain(trust);
    let mut notes = Vec::new();
    let built = ClientLayers::tls(&Properties::of(&TLS, pairs), site.tls_defaults(), &mut notes);
    told(built, notes, findings)
}

/// What the TLS of an `https` endpoint is made of.
static TLS: Descriptor = Descriptor::new(Kind::Sink, "", "", &[CLIENT_TLS]);

/// What a connection holds for heads and for its next read.
const BUFFER_BYTES: usize = 32 << 10;
