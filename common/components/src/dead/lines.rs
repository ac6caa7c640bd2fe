//! Where events go that a store never takes: a file of one JSON object a line, with the reason.

use event::{Batch, Event};
use runtime::clock;
use serde_json::{Map, Value, json};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use tokio::task::spawn_blocking;

/// The file of one sink.
#[derive(Debug, Clone)]
pub struct DeadLetters {
    directory: PathBuf,
    file: PathBuf,
}

impl DeadLetters {
    /// Of `sink`, in `directory`.
    pub fn new(directory: &str, sink: &str) -> DeadLetters {
        let directory = PathBuf::from(directory);
        DeadLetters { file: directory.join(format!("{sink}.dead.json")), directory }
    }

    /// Where they are, for people.
    pub fn place(&self) -> String {
        self.file.display().to_string()
    }

    /// Writes `lines`, and waits until the disk has them.
    ///
    /// # Errors
    /// What the system says; then some may be written.
    pub async fn write(&self, lines: String) -> io::Result<()> {
        let (directory, path) = (self.directory.clone(), self.file.clone());
        let written = spawn_blocking(move || {
            std::fs::create_dir_all(&directory)?;
            let mut file = OpenOptions::new().create(true).append(true).open(path)?;
            let before = file.metadata()?.len();
            if let Err(error) = file.write_all(lines.as_bytes()) {
                let _half_a_line = file.set_len(before);
                return Err(error);
            }
            file.sync_all()?;
            // The name of a new file as well.
            if before == 0 { File::open(&directory)?.sync_all() } else { Ok(()) }
        });
        written.await.map_err(io::Error::other)?
    }
}

/// The event at `place` of `batches`, as a line with the `reason`.
pub fn line(batches: &[Batch], place: usize, reason: &str) -> String {
    let found = batches.iter().flat_map(Batch::events).nth(place);
    found.map(|event| letter(&event, reason)).unwrap_or_default()
}

/// An event, as a line with the `reason`.
pub fn letter(event: &Event<'_>, reason: &str) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers: Map<String, Value> =
        event.headers().map(|(name, value)| (text(name), Value::String(text(value)))).collect();
    let mut line = json!({ "time": clock::epoch_millis(), "reason": reason, "headers": headers });
    // Text where it is text; else the bytes in hexadecimal digits.
    match std::str::from_utf8(event.body()) {
        Ok(body) => line["body"] = body.into(),
        Err(_) => {
            line["bodyHex"] = event.body().iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
        }
    }
    format!("{line}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::BatchBuilder;

    #[tokio::test]
    async fn an_event_is_a_line_with_its_reason_and_its_bytes() {
        let mut builder = BatchBuilder::default();
        builder.push([("k", "v")], b"one\ntwo");
        builder.push([], &[0xff, 0x00]);
        let batches = [builder.finish()];
        let place = tempfile::tempdir().unwrap();
        let dead = DeadLetters::new(&place.path().join("made").display().to_string(), "k1");
        for (index, reason) in [(0, "too large"), (1, "no topic")] {
            dead.write(line(&batches, index, reason)).await.unwrap();
        }
        let written = std::fs::read_to_string(dead.place()).unwrap();
        let lines: Vec<Value> = written.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!((&lines[0]["body"], &lines[0]["headers"]["k"]), (&json!("one\ntwo"), &json!("v")));
        assert_eq!((&lines[1]["bodyHex"], &lines[1]["reason"]), (&json!("ff00"), &json!("no topic")));
    }
}
