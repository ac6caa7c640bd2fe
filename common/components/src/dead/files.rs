//! Where events go that can never be written: a directory of this machine, so that those behind them are not held up.

use crate::serializer::{AvroConfig, Serializer, SerializerConfig};
use event::{Batch, BatchBuilder, Event};
use runtime::files::whole;
use runtime::random::Random;
use std::io;
use std::path::PathBuf;
use tokio::task::spawn_blocking;

/// These events, each with the reason why it cannot be written as the header `name`.
pub fn with_reasons<'e>(events: impl IntoIterator<Item = (Event<'e>, &'e str)>, name: &str) -> Batch {
    let mut builder = BatchBuilder::default();
    for (event, reason) in events {
        let text = |bytes| String::from_utf8_lossy(bytes);
        let headers: Vec<_> = event.headers().map(|(key, value)| (text(key), text(value))).collect();
        let headers = headers.iter().map(|(key, value)| (&**key, &**value));
        builder.push(headers.chain([(name, reason)]), event.body());
    }
    builder.finish()
}

/// Writes `events` into a new file of `directory`, and says which file it is. It is an Avro container as the serializer
/// `avro_event` writes it: a `spooldir` source can read it again.
///
/// # Errors
/// The system's.
pub async fn bury(directory: PathBuf, events: Batch, millis: i64) -> io::Result<PathBuf> {
    let written = spawn_blocking(move || {
        whole::create_numbered(&directory, &millis.to_string(), "avro", &contents(&events))
    });
    written.await.map_err(io::Error::other)?
}

fn contents(events: &Batch) -> Vec<u8> {
    let config = SerializerConfig::Avro(AvroConfig { sync_interval: 2_048_000, codec: None });
    let mut serializer = Serializer::new(config, Random::from_system());
    let mut out = Vec::new();
    serializer.begin(&mut out);
    serializer.write(events, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_buried_can_be_read_again_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("dead");
        let mut builder = BatchBuilder::default();
        builder.push([("host", "h1")], b"one");
        builder.push([], b"two");
        let events = builder.finish();
        let events = with_reasons(events.events().map(|event| (event, "no schema")), "why");
        let bury = || bury(directory.clone(), events.clone(), 5);
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
                    event.header("why").map(str::to_owned),
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
