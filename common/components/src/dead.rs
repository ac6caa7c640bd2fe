//! Where events go that can never be written: a directory of this machine, so that those behind them are not held up.

use crate::serializer::{AvroConfig, Serializer, SerializerConfig};
use event::{Batch, BatchBuilder, Event};
use runtime::random::Random;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// These events, each with the reason why it cannot be written as the header `name`.
pub fn with_reasons<'e>(events: impl IntoIterator<Item = (Event<'e>, &'e str)>, name: &str) -> Batch {
    let mut builder = BatchBuilder::default();
    for (event, reason) in events {
        let headers = event.headers().filter_map(|(key, value)| {
            Some((std::str::from_utf8(key).ok()?, std::str::from_utf8(value).ok()?))
        });
        builder.push(headers.chain([(name, reason)]), event.body());
    }
    builder.finish()
}

/// Writes `events` into a new file of `directory`, and says which file it is. It is an Avro container as the serializer
/// `avro_event` writes it: a `spooldir` source can read it again.
///
/// # Errors
/// The system's.
pub fn bury(directory: &Path, events: &Batch, millis: i64) -> io::Result<PathBuf> {
    fs::create_dir_all(directory)?;
    let config = SerializerConfig::Avro(AvroConfig { sync_interval: 2_048_000, codec: None });
    let mut serializer = Serializer::new(config, Random::from_system());
    let mut out = Vec::new();
    serializer.begin(&mut out);
    serializer.write(events, &mut out);
    for number in 0.. {
        let path = directory.join(format!("{millis}-{number}.avro"));
        match File::options().write(true).create_new(true).open(&path) {
            Ok(mut file) => {
                file.write_all(&out)?;
                file.sync_all()?;
                return Ok(path);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_buried_can_be_read_again_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("dead");
        let mut builder = BatchBuilder::default();
        builder.push([("host", "h1")], b"one");
        builder.push([], b"two");
        let batch = builder.finish();
        let batch = with_reasons(batch.events().map(|event| (event, "no schema")), "why");
        let first = bury(&directory, &batch, 5).unwrap();
        let second = bury(&directory, &batch, 5).unwrap();
        assert_ne!(first, second);
        let bytes = fs::read(first).unwrap();
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
