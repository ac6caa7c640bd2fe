//! What each component is doing: the answer to SIGQUIT, for an operator who wonders why nothing moves.

use crate::message::Describe;
use crate::start::Flow;
use actix::dev::RecipientRequest;
use futures_util::future::join_all;
use runtime::clock::{self, Duration};
use std::fs;
use tokio::time::timeout_at;

impl Flow {
    /// Prints it, and names who does not answer.
    pub(crate) async fn describe(&self) {
        let mut asked: Vec<(String, Option<RecipientRequest<Describe>>)> = Vec::new();
        for source in &self.sources {
            let request = source.at.with(|source| source.describe.send(Describe));
            asked.push((format!("source {}", source.name), request));
        }
        for channel in self.channels.iter().map(|channel| &channel.at) {
            asked.push((format!("channel {}", channel.name), channel.describe()));
        }
        for group in &self.groups {
            let request = group.at.with(|group| group.describe.send(Describe));
            asked.push((format!("sink group {}", group.name), request));
        }
        let until = clock::now() + ANSWER_WITHIN;
        let lines = join_all(asked.into_iter().map(|(who, request)| async move {
            let what = match request {
                Some(request) => timeout_at(until, request)
                    .await
                    .map(|answer| answer.unwrap_or_else(|_| REBUILT.to_owned())),
                None => Ok(REBUILT.to_owned()),
            };
            format!("{who}: {}", what.unwrap_or_else(|_| HANGS.to_owned()))
        }))
        .await;
        slog::warn!(self.log, "SIGQUIT: what each component is doing follows, {} lines", lines.len() + 1);
        for line in lines {
            slog::warn!(self.log, "{line}");
        }
        slog::warn!(self.log, "threads: {}", threads().join(", "));
    }
}

/// The threads of this process, each with its state and, where the system tells, with what it waits for in the system.
fn threads() -> Vec<String> {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let line = |path: std::path::PathBuf| {
        let stat = fs::read_to_string(path.join("stat")).ok()?;
        let waits = fs::read_to_string(path.join("wchan")).unwrap_or_default();
        thread(&stat, waits.trim())
    };
    tasks.filter_map(|task| line(task.path())).collect()
}

/// `NAME (runs)`, of a line of `/proc/PID/stat`.
fn thread(stat: &str, waits: &str) -> Option<String> {
    let (front, fields) = stat.rsplit_once(')')?;
    let (_, name) = front.split_once('(')?;
    let state = match fields.split_whitespace().next()? {
        "R" => "runs",
        "S" => "waits",
        "D" => "hangs in the system",
        "T" | "t" => "is stopped",
        _ => "has ended",
    };
    let at = if matches!(waits, "" | "0") { String::new() } else { format!(": {waits}") };
    Some(format!("{name} ({state}{at})"))
}

const ANSWER_WITHIN: Duration = Duration::from_millis(500);
const HANGS: &str = "DOES NOT ANSWER; its thread is busy, or hangs in a call of the system";
const REBUILT: &str = "has crashed and is being started again";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_told_in_words() {
        assert_eq!(
            thread("7 (a (b)) D 1 2", "fuse_wait").as_deref(),
            Some("a (b) (hangs in the system: fuse_wait)")
        );
        assert_eq!(thread("7 (main) S 1 2", "0").as_deref(), Some("main (waits)"));
        assert!(threads().iter().any(|thread| thread.contains("(runs")));
    }
}
