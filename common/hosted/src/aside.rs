//! Batches that no JVM can do anything with: they are kept on disk, and what is behind them moves on.

use event::{Batch, Zigzag};
use runtime::clock;
use runtime::files::whole;
use runtime::random::Random;
use std::io;
use std::path::Path;
use tokio::task::spawn_blocking;
use wire::container::{FLUME_EVENT, Marker, push_head};

/// Why a batch is set aside, with how the last JVM has ended.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Why<'a> {
    /// Each JVM that gets it ends.
    EndsEveryJvm(&'a str),
    /// Its events came with objects of their classes, which have ended with their JVM; a class has failed without.
    LacksObjects(&'a str),
}

impl Why<'_> {
    fn because(&self) -> String {
        match self {
            Why::EndsEveryJvm(end) => (*end).to_owned(),
            Why::LacksObjects(end) => format!("its objects ended with their JVM: {end}"),
        }
    }

    /// What it has done, and what is to be done.
    fn told(&self) -> (&'static str, &'static str) {
        match self {
            Why::EndsEveryJvm(_) => {
                ("has ended the JVM again and again", "mend the class and deliver the file's events by hand")
            }
            Why::LacksObjects(_) => (
                "came with objects of Java classes, which are gone, and the class here does not do without",
                "headers and bodies are left: let its source make the events again, or deliver the file's events by hand",
            ),
        }
    }
}

/// Writes the events of `batches` to the disk, into a new file of `folder`: an Avro file as the serializer `avro_event`
/// writes it, with the reason in its head. What is logged says where it is and what to do.
///
/// # Errors
/// Why they are not kept, with the file or folder.
pub(crate) async fn set_aside(
    folder: &Path,
    who: &str,
    why: Why<'_>,
    batches: &[Batch],
    log: &slog::Logger,
) -> Result<(), String> {
    let events: usize = batches.iter().map(Batch::len).sum();
    let (because, (did, to_do)) = (why.because(), why.told());
    let text = encode(who, &because, batches);
    let (to, name) = (folder.to_owned(), file_name(who));
    let written = match spawn_blocking(move || whole::create_numbered(&to, &name, "avro", &text)).await {
        Ok(written) => written,
        Err(_) => Err(io::Error::other("the agent is stopping")),
    };
    let path = written.map_err(|error| {
        format!(
            "a batch of {events} events {did} ({because}), and it cannot be set aside in {}: {error}; the events \
             behind it wait: make the folder writable, or name another one with -Dflume.bridge.aside",
            folder.display()
        )
    })?;
    slog::error!(
        log,
        "{who}: a batch of {events} events {did} ({because}); it is set aside in {}, not delivered, and the events behind \
         it go on; {to_do}: it is an Avro file, as the serializer avro_event writes it",
        path.display()
    );
    Ok(())
}

fn encode(who: &str, because: &str, batches: &[Batch]) -> Vec<u8> {
    let mut random = Random::from_system();
    let mut sync = Marker::default();
    sync.chunks_exact_mut(8).for_each(|half| half.copy_from_slice(&random.next().to_be_bytes()));
    let pairs: [(&[u8], &[u8]); 3] = [
        (b"set-aside-by", who.as_bytes()),
        (b"set-aside-because", because.as_bytes()),
        (b"avro.schema", FLUME_EVENT),
    ];
    let mut out = Vec::new();
    push_head(&pairs, &sync, &mut out);
    for batch in batches.iter().filter(|batch| !batch.is_empty()) {
        let batch = batch.in_place();
        out.extend_from_slice(&Zigzag::new(batch.len() as i64));
        out.extend_from_slice(&Zigzag::new(batch.event_bytes() as i64));
        batch.runs().for_each(|run| out.extend_from_slice(&run));
        out.extend_from_slice(&sync);
    }
    out
}

/// `sink-k1-1700000000000`.
fn file_name(who: &str) -> String {
    let who: String = who
        .chars()
        .map(|sign| if sign.is_alphanumeric() || "._".contains(sign) { sign } else { '-' })
        .collect();
    format!("{who}-{}", clock::epoch_millis())
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::testing::batch;
    use std::fs;
    use wire::container;

    #[tokio::test]
    async fn a_batch_is_kept_whole_with_the_reason_and_nothing_is_written_over() {
        let directory = tempfile::tempdir().unwrap();
        let (folder, log) = (directory.path().join("a/b"), slog::Logger::root(slog::Discard, slog::o!()));
        let batches = [batch(0..3), batch(3..5)];
        for _ in 0..2 {
            set_aside(&folder, "sink k/1", Why::EndsEveryJvm("it exits"), &batches, &log).await.unwrap();
        }
        let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files.len(), 2);
        let bytes = fs::read(&files[0]).unwrap();
        let head = container::head(&bytes).unwrap().unwrap();
        assert!(head.meta("set-aside-because").is_some_and(|reason| reason == b"it exits"));
        let mut at = head.size;
        for batch in &batches {
            let block = container::block(&bytes[at..], &head.sync, bytes.len()).unwrap().unwrap();
            let events = &bytes[at..][block.data.clone()];
            assert_eq!(
                (block.records as usize, events),
                (batch.len(), &batch.runs().collect::<Vec<_>>().concat()[..])
            );
            at += block.end;
        }
        assert_eq!(at, bytes.len());
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        let error =
            set_aside(&file, "sink k1", Why::LacksObjects("it exits"), &batches, &log).await.unwrap_err();
        assert!(
            error.contains("cannot be set aside in") && error.contains("-Dflume.bridge.aside"),
            "{error}"
        );
    }
}
