//! Reads the schema of events where they say that it stands.

use crate::config::Config;
use crate::http::connect_to;
use crate::store::{Hadoop, RemoteStore, Store, StoreError};
use bytes::Bytes;
use components::http1::{self, Endpoint, in_words};
use http_body_util::Full;
use hyper::Request;
use hyper::header::HOST;
use tokio::fs::File;
use tokio::io::AsyncReadExt;

/// The text at `url`.
///
/// Source: Flume 1.11 `AvroEventSerializer.loadFromUrl`: `hdfs://`, and what Java opens: `file:`, `http://` and `https://`.
pub(super) async fn read(url: &str, config: &Config) -> Result<String, StoreError> {
    let bytes = if let Some(path) = url.strip_prefix("file:") {
        let file = File::open(format!("/{}", path.trim_start_matches('/'))).await?;
        let mut text = Vec::new();
        file.take(MOST_BYTES as u64).read_to_end(&mut text).await?;
        text
    } else if let Some((host, path)) = url.strip_prefix("hdfs://").and_then(|rest| rest.split_once('/')) {
        let store = RemoteStore::new(Hadoop { url: format!("hdfs://{host}"), ..config.hadoop.clone() });
        store.read(&format!("/{path}"), 0, MOST_BYTES as u64).await?.to_vec()
    } else if url.starts_with("http://") || url.starts_with("https://") {
        fetch(url, config).await?
    } else {
        return Err(StoreError::BadPath("only hdfs://, http://, https:// and file:// are read".to_owned()));
    };
    String::from_utf8(bytes).map_err(|_| StoreError::BadPath("it is no text".to_owned()))
}

async fn fetch(url: &str, config: &Config) -> Result<Vec<u8>, StoreError> {
    let endpoint = Endpoint::parse(url).map_err(StoreError::BadPath)?;
    let mut line = connect_to(&endpoint, config.layers.as_ref()).await.map_err(StoreError::Failed)?;
    let request =
        Request::get(&endpoint.path).header(HOST, &endpoint.authority).body(Full::<Bytes>::default());
    let request = request.map_err(|error| StoreError::BadPath(error.to_string()))?;
    let answer = line.send_request(request).await.map_err(|error| StoreError::Failed(in_words(&error)))?;
    match answer.status().as_u16() {
        200 => {
            let text = http1::read(answer.into_body(), MOST_BYTES).await;
            text.ok_or_else(|| StoreError::Failed("its answer breaks off, or has over 4 MiB".to_owned()))
        }
        status => Err(refused(status)),
    }
}

/// What it means that a schema is not handed out. Most of it ends, or somebody can end it: the events wait for that.
fn refused(status: u16) -> StoreError {
    let what = format!("HTTP {status}");
    match status {
        400 | 404 | 410 => StoreError::BadPath(what),
        _ => StoreError::Failed(what),
    }
}

/// Schemas are small.
const MOST_BYTES: usize = 4 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_schema_that_is_not_there_is_given_up() {
        for status in [400, 404, 410] {
            assert!(matches!(refused(status), StoreError::BadPath(_)), "{status}");
        }
        for status in [204, 302, 401, 403, 407, 408, 429, 500, 503] {
            assert_eq!(refused(status), StoreError::Failed(format!("HTTP {status}")));
        }
    }
}
