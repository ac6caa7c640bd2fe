//! A node of ZooKeeper's with the text of an agent in it: Flume's own layout, `BASE/NAME`.
//!
//! Source: Flume 1.11 `PollingZooKeeperConfigurationProvider`, with these differences: a node that is deleted, or empty, leaves
//! the configuration that runs; at the start the agent says what it waits for.

use super::{Backup, Origin, Patience, Waiting, away};
use plan::{Place, Problem, Report, Text};
use rpc::zookeeper::{Client, Ensemble, Trouble};
use runtime::clock::Duration;
use slog::{Logger, info, warn};
use tokio::time::{sleep, timeout};

/// A node, watched.
pub(crate) struct Node {
    ensemble: Ensemble,
    path: String,
    patience: Patience,
    backup: Option<Backup>,
    log: Logger,
    client: Option<Client>,
    /// What was read last.
    last: Option<Vec<u8>>,
    /// What has been seen since.
    next: Option<Vec<u8>>,
    state: State,
    pause: Duration,
}

/// What was told last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Well,
    /// There is no such node, or it is empty.
    Missing,
    /// No server answers.
    Away,
    /// A server answers, and does not give it.
    Refused,
}

impl State {
    fn of(trouble: &Trouble) -> State {
        match trouble {
            Trouble::Lost(_) => State::Away,
            Trouble::Refused(_) | Trouble::Login(_) => State::Refused,
        }
    }
}

impl Node {
    /// The node at `path`.
    pub(crate) fn new(
        ensemble: Ensemble,
        path: String,
        patience: Patience,
        backup: Option<Backup>,
        log: Logger,
    ) -> Node {
        Node {
            ensemble,
            path,
            patience,
            backup,
            log,
            client: None,
            last: None,
            next: None,
            state: State::Well,
            pause: away::FIRST_PAUSE,
        }
    }

    /// What the node holds, which is watched from now on. Half way through, the connection is nobody's: it ends with a look
    /// that is dropped.
    async fn look(&mut self) -> Result<Option<Vec<u8>>, Trouble> {
        let old = self.client.take();
        let had_one = old.is_some();
        let (client, found) = match self.ask(old).await {
            // A connection that was lost meanwhile means nothing while some server serves.
            Err(Trouble::Lost(_)) if had_one => self.ask(None).await?,
            asked => asked?,
        };
        self.client = Some(client);
        self.pause = away::FIRST_PAUSE;
        Ok(found.map(|(bytes, _version)| bytes).filter(|bytes| !bytes.is_empty()))
    }

    async fn ask(&self, client: Option<Client>) -> Result<(Client, Option<(Vec<u8>, i32)>), Trouble> {
        let mut client = match client {
            Some(client) => client,
            None => Client::connect(&self.ensemble).await?,
        };
        let found = client.get(&self.path, true).await?;
        Ok((client, found))
    }

    /// Waits until another look is worth while.
    async fn wait(&mut self) {
        match &mut self.client {
            Some(client) => {
                if client.changed().await.is_err() {
                    // Whether that matters is known when no other server serves.
                    self.client = None;
                }
            }
            None => {
                sleep(self.pause).await;
                self.pause = away::next_pause(self.pause);
            }
        }
    }

    /// Says how things stand, once for as long as they do.
    fn tell(&mut self, state: State, why: &str) {
        let before = std::mem::replace(&mut self.state, state);
        let (log, ensemble, path) = (&self.log, &self.ensemble, &self.path);
        let runs = self.last.is_some();
        if !runs && before == State::Well && state != State::Well {
            (self.patience.begins)(log);
        }
        match (state, runs) {
            _ if before == state => {}
            (State::Well, _) => info!(log, "ZooKeeper at {ensemble} has the configuration {path} again"),
            (State::Missing, true) => warn!(
                log,
                "{path} is gone from ZooKeeper at {ensemble}, or is empty: the agent goes on with the configuration that it has"
            ),
            (State::Missing, false) => warn!(
                log,
                "there is no {path} in ZooKeeper at {ensemble}, or it is empty: the agent waits for it; `agent push` writes it"
            ),
            (State::Away, true) => warn!(
                log,
                "ZooKeeper at {ensemble} is away: the agent goes on with the configuration that it has, and asks again"; "error" => why
            ),
            (State::Away, false) => {
                warn!(log, "ZooKeeper at {ensemble} is away: the agent waits for it"; "error" => why);
            }
            (State::Refused, true) => warn!(
                log,
                "ZooKeeper at {ensemble} does not give {path}: the agent goes on with the configuration that it has, and asks again"; "error" => why
            ),
            (State::Refused, false) => warn!(
                log,
                "ZooKeeper at {ensemble} does not give {path}: the agent waits, and asks again"; "error" => why
            ),
        }
    }

    /// The first text: waited for, or the backup when ZooKeeper is away.
    async fn first(&mut self, reason: &mut String) -> (String, Vec<u8>) {
        loop {
            match self.look().await {
                Ok(Some(bytes)) => {
                    self.tell(State::Well, "");
                    return (self.name(), bytes);
                }
                Ok(None) => {
                    "there is no such node, or it is empty".clone_into(reason);
                    self.tell(State::Missing, "");
                }
                Err(trouble) => {
                    *reason = trouble.to_string();
                    if let Some(backup) = &self.backup
                        && let Some(bytes) = backup.read(&self.log)
                    {
                        away::tell_backup(&self.log, &self.name(), reason, backup);
                        self.state = State::of(&trouble);
                        return (backup.path().display().to_string(), bytes);
                    }
                    self.tell(State::of(&trouble), reason);
                }
            }
            self.wait().await;
        }
    }

    fn name(&self) -> String {
        format!("zookeeper:{}", self.path)
    }

    /// Another look by order: what is away is an error, since what was read before is known.
    async fn again(&mut self) -> Result<Vec<u8>, String> {
        match self.look().await {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => Err("there is no such node, or it is empty".to_owned()),
            Err(trouble) => Err(trouble.to_string()),
        }
    }

    async fn text(&mut self) -> Result<Text, String> {
        let (name, bytes) = match (self.next.take(), self.last.is_some()) {
            (Some(bytes), _) => (self.name(), bytes),
            (None, true) => (self.name(), self.again().await?),
            (None, false) => {
                let mut reason = NO_ANSWER_YET.to_owned();
                let patience = self.patience.limit.unwrap_or(Duration::MAX);
                match timeout(patience, self.first(&mut reason)).await {
                    Ok(found) => found,
                    Err(_) => return Err(reason),
                }
            }
        };
        self.last = Some(bytes.clone());
        Ok(Text { name, bytes })
    }
}

impl Origin for Node {
    fn names(&self) -> Vec<String> {
        vec![self.name()]
    }

    fn read<'a>(&'a mut self, report: &'a mut Report) -> Waiting<'a, Vec<Text>> {
        Box::pin(async move {
            match self.text().await {
                Ok(text) => vec![text],
                Err(why) => {
                    let what =
                        format!("{} cannot be read from ZooKeeper at {}: {why}", self.path, self.ensemble);
                    let problem = Problem::error("unreadable-file", &Place::whole(self.name()), what);
                    report.add(problem.flume("waits for it, silently"));
                    Vec::new()
                }
            }
        })
    }

    fn changed(&mut self) -> Waiting<'_, ()> {
        Box::pin(async move {
            loop {
                match self.look().await {
                    Ok(Some(bytes)) => {
                        self.tell(State::Well, "");
                        if self.last.as_ref() != Some(&bytes) {
                            self.next = Some(bytes);
                            return;
                        }
                    }
                    Ok(None) => self.tell(State::Missing, ""),
                    Err(trouble) => self.tell(State::of(&trouble), &trouble.to_string()),
                }
                self.wait().await;
            }
        })
    }

    fn kept(&mut self) {
        if let (Some(backup), Some(bytes)) = (&self.backup, &self.last) {
            backup.keep(bytes, &self.log);
        }
    }
}

/// Of a first look that takes longer than anybody waits.
const NO_ANSWER_YET: &str = "no answer until now";

#[cfg(test)]
mod tests {
    use super::*;
    use flow::testing::{Heard, silent};
    use rpc::zookeeper::stand_in::{asked, fire, give, greet, head, listen, say};
    use runtime::within::Within;
    use wire::zookeeper::code::NO_NODE;

    fn node(ensemble: Ensemble, backup: Option<Backup>) -> (Node, Heard) {
        let said = Heard::default();
        let log = Logger::root(said.clone(), slog::o!());
        let limit = if backup.is_some() { None } else { Some(Duration::from_millis(300)) };
        let patience = Patience { limit, begins: |log| slog::warn!(log, "it waits") };
        (Node::new(ensemble, "/flume/a1".to_owned(), patience, backup, log), said)
    }

    async fn read(node: &mut Node) -> Result<String, String> {
        let mut report = Report::default();
        let texts = node.read(&mut report).within("a text").await;
        match report.problems.first() {
            Some(problem) => Err(problem.what.clone()),
            None => Ok(texts.iter().map(|text| String::from_utf8_lossy(&text.bytes).into_owned()).collect()),
        }
    }

    #[tokio::test]
    async fn a_node_is_waited_for_and_watched_and_what_is_away_is_said_once() {
        let (listener, ensemble) = listen().await;
        let directory = tempfile::tempdir().unwrap();
        let backup = Backup::new(directory.path(), "a1");
        let (mut node, said) = node(ensemble, Some(backup.clone()));
        let server = async {
            let mut stream = greet(&listener, 60_000).await;
            for _ in 0..2 {
                let question = asked(&mut stream).await;
                say(&mut stream, &head(&question, NO_NODE)).await;
            }
            fire(&mut stream).await;
            give(&mut stream, b"a = 1").await;
            // Watched: the same, and then another text.
            give(&mut stream, b"a = 1").await;
            fire(&mut stream).await;
            give(&mut stream, b"").await;
            fire(&mut stream).await;
            give(&mut stream, b"a = 2").await;
            drop(stream);
            // Away, and back with the text of before.
            let mut stream = greet(&listener, 60_000).await;
            give(&mut stream, b"a = 2").await;
            fire(&mut stream).await;
            give(&mut stream, b"a = 3").await;
        };
        let agent = async {
            assert_eq!(read(&mut node).await, Ok("a = 1".to_owned()));
            node.kept();
            for text in ["a = 2", "a = 3"] {
                node.changed().within("a change").await;
                assert_eq!(read(&mut node).await, Ok(text.to_owned()));
            }
        };
        tokio::join!(server, agent);
        drop(listener);
        let told = read(&mut node).await.unwrap_err();
        assert!(told.contains("/flume/a1 cannot be read from ZooKeeper at 127.0.0.1:"), "{told}");
        let log = said.lines();
        let has = |line: &str, part: &str| assert!(line.contains(part), "{part}: {log:?}");
        assert_eq!(log[0], "it waits");
        has(&log[1], "there is no /flume/a1");
        has(&log[2], "is gone from ZooKeeper");
        assert_eq!(
            log.len(),
            3,
            "the log has no line of a connection that the next one takes over from: {log:?}"
        );
        assert_eq!(backup.read(&silent()).as_deref(), Some(&b"a = 1"[..]), "only what was good is kept");
    }

    #[tokio::test]
    async fn a_start_without_zookeeper_goes_by_the_backup_or_says_why_not() {
        let (listener, ensemble) = listen().await;
        drop(listener);
        let directory = tempfile::tempdir().unwrap();
        let backup = Backup::new(directory.path(), "a1");
        backup.keep(b"a = 1", &silent());
        let (mut with, said) = node(ensemble.clone(), Some(backup));
        assert_eq!(read(&mut with).await, Ok("a = 1".to_owned()));
        assert!(said.lines()[0].contains("starts with the last good configuration"));
        let (mut without, said) = node(ensemble, None);
        assert!(read(&mut without).await.unwrap_err().contains("refused"));
        assert!(said.lines()[1].contains("is away: the agent waits for it"));
    }
}
