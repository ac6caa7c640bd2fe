//! Where events go that can never be written: a directory of this machine, so that those behind them are not held up.

use components::serializer::{AvroConfig, Serializer, SerializerConfig};
use event::{Batch, BatchBuilder};
use runtime::files::whole;
use runtime::random::Random;
use std::io;
use std::path::PathBuf;
use tokio::task::spawn_blocking;

/// Writes the events of `batches` into a new file of `directory`, with `reason` as a header more, and says which file it is.
/// It is an Avro container as the serializer `avro_event` writes it: a `spooldir` source can read it again.
///
/// # Errors
/// The system's.
pub(crate) async fn bury(
    directory: PathBuf,
    batches: Vec<Batch>,
    reason: String,
    millis: i64,
) -> io::Result<PathBuf> {
    let written = spawn_blocking(move || {
        whole::create_numbered(&directory, &millis.to_string(), "avro", &contents(&batches, &reason))
    });
    written.await.map_err(io::Error::other)?
}

fn contents(batches: &[Batch], reason: &str) -> Vec<u8> {
    let mut builder = BatchBuilder::default();
    for event in batches.iter().flat_map(Batch::events) {
        let text = |bytes| String::from_utf8_lossy(bytes);
        let headers: Vec<_> = event.headers().map(|(key, value)| (text(key), text(value))).collect();
        let headers = headers.iter().map(|(key, value)| (&**key, &**value));
        builder.push(headers.chain([(REASON, reason)]), event.body());
    }
    let config = SerializerConfig::Avro(AvroConfig { sync_interval: 2_048_000, codec: None });
    let mut serializer = Serializer::new(config, Random::from_system());
    let mut out = Vec::new();
    serializer.begin(&mut out);
    serializer.write(&builder.finish(), &mut out);
    out
}

/// Says why an event could not be written.
pub(crate) const REASON: &str = "hdfs.reason";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::events;

    #[tokio::test]
    async fn what_is_buried_can_be_read_again_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("dead");
        let batches = [events([(&[("host", "h1")][..], "one")]), events([(&[][..], "two")])];
        let bury = || bury(directory.clone(), batches.to_vec(), "no schema".to_owned(), 5);
        let (first, second) = (bury().await.unwrap(), bury().await.unwrap());
        assert_ne!(first, second);
        let bytes = std::fs::read(first).unwrap();
        let head = wire::container::head(&bytes).unwrap().unwrap();
        let block = wire::container::block(&bytes[head.size..], &head.sync, 1 << 20).unwrap().unwrap();
        let data = bytes[head.size..][block.data].to_vec();
        let read = Batch::parse(data.into()).unwrap();
        let seen: Vec<_> = read
            .events()
            .map(|event| {
                (
                    event.header("host").map(str::to_owned),
                    event.header(REASON).map(str::to_owned),
                    event.body().to_vec(),
                )
            })
            .collect();
        let why = Some("no schema".to_owned());
        assert_eq!(
            seen,
            [(Some("h1".to_owned()), why.clone(), b"one".to_vec()), (None, why, b"two".to_vec())]
        );
    }
}
