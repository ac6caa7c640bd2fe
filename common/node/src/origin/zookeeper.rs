//! A node of ZooKeeper's with the text of an agent in it: Flume's own layout, `BASE/NAME`.
//!
//! Source: Flume 1.11 `PollingZooKeeperConfigurationProvider`, with these differences: a node that is deleted, or empty, leaves
//! the configuration that runs; at the start the agent says what it waits for.

use super::{Backup, Origin, Waiting, away};
use crate::zookeeper::{Client, Ensemble, Trouble};
use plan::{Place, Problem, Report, Text};
use runtime::clock::Duration;
use slog::{Logger, info, warn};
use tokio::time::{sleep, timeout};

/// A node, watched.
pub(crate) struct Node {
    ensemble: Ensemble,
    path: String,
    /// How long a first look waits for the node; `None`: until it is there.
    patience: Option<Duration>,
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
    /// No server answers, or it refuses.
    Away,
}

impl Node {
    /// The node at `path`.
    pub(crate) fn new(
        ensemble: Ensemble,
        path: String,
        patience: Option<Duration>,
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
        let mut client = match self.client.take() {
            Some(client) => client,
            None => Client::connect(&self.ensemble).await?,
        };
        let found = client.get(&self.path, true).await?;
        self.client = Some(client);
        self.pause = away::FIRST_PAUSE;
        Ok(found.map(|(bytes, _version)| bytes).filter(|bytes| !bytes.is_empty()))
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
                        self.state = State::Away;
                        return (backup.path().display().to_string(), bytes);
                    }
                    self.tell(State::Away, reason);
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
                let mut reason = String::new();
                let patience = self.patience.unwrap_or(Duration::MAX);
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
                    Err(trouble) => self.tell(State::Away, &trouble.to_string()),
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
