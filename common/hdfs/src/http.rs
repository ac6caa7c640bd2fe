//! HTTP connections to S3 and to servers of schemas.

use bytes::Bytes;
use components::http1::Endpoint;
use http_body_util::Full;
use hyper::client::conn::http1::SendRequest;
use runtime::clock::Duration;
use runtime::net::ClientLayers;

/// Connects, with no limit of its own. `layers` are those of TLS.
///
/// # Errors
/// Why not, in an operator's words.
pub(crate) async fn connect_to(
    endpoint: &Endpoint,
    layers: Option<&ClientLayers>,
) -> Result<SendRequest<Full<Bytes>>, String> {
    let plain = ClientLayers::default();
    let layers = match endpoint.tls {
        true => layers.ok_or("this system has no list of authorities (package ca-certificates)")?,
        false => &plain,
    };
    endpoint.connect(layers, LONGEST).await
}

/// Whoever asks gives up before.
const LONGEST: Duration = Duration::from_secs(3600);
