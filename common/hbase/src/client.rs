//! Talks to HBase: where regions are, and mutations to their servers. What is decided about answers stands in `ledger.rs` and
//! `policy.rs`.

use crate::config::Config;
use crate::connection::{Connection, Lost, Said};
use crate::lanes::lanes;
use crate::ledger::{Call, Ledger};
use crate::policy::{self, Fate};
use crate::regions::Regions;
use crate::wire::message::{
    Action, GetResponse, MultiRequest, MultiResponse, NameBytesPair, RegionAction, ScanResponse, region,
};
use crate::wire::{Row, State, located, meta_server, row_of, state, state_of};
use bytes::Bytes;
use futures_util::future::join_all;
use prost::Message;
use rpc::zookeeper;
use runtime::clock::{self, Duration, Instant};
use runtime::random::Unique;
use std::collections::{BTreeMap, HashMap};
use tokio::time::{timeout, timeout_at};

/// Why something was not had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It may work in a moment. Why not yet.
    Later(String),
    /// The table is not there.
    NoTable,
    /// The table is switched off.
    Disabled,
}

/// A client of one table.
pub(crate) struct Client {
    config: Config,
    regions: Regions,
    /// By server and lane.
    connections: HashMap<(String, usize), Connection>,
    /// Who has `hbase:meta`.
    meta: Option<String>,
    /// Nonces are this client's own.
    nonce_group: u64,
}

/// What a round of calls has come to.
#[derive(Debug, Default)]
pub(crate) struct Round {
    /// Actions that are settled.
    pub(crate) settled: usize,
    /// Why some are not.
    pub(crate) why: Option<String>,
    /// A region was not where it was looked for.
    pub(crate) moved: bool,
    /// A call had no answer.
    pub(crate) lost: bool,
}

impl Client {
    pub(crate) fn new(config: &Config) -> Client {
        Client {
            config: config.clone(),
            regions: Regions::default(),
            connections: HashMap::new(),
            meta: None,
            nonce_group: (Unique::from_system().draw() as u64).max(1), // 0 is none
        }
    }

    /// Whether the table is there and is served.
    ///
    /// # Errors
    /// Why not.
    pub(crate) async fn probe(&mut self, deadline: Instant) -> Result<(), Trouble> {
        if self.state(deadline).await? == Some(State::Disabled) {
            return Err(Trouble::Disabled);
        }
        self.look_up(b"", deadline).await
    }

    /// Finds the region of `row`, and takes note of it.
    ///
    /// # Errors
    /// Why it is not found.
    pub(crate) async fn look_up(&mut self, row: &[u8], deadline: Instant) -> Result<(), Trouble> {
        let request = located(&self.config.table, row);
        let found: ScanResponse = self.ask_meta("Scan", &request, deadline).await?;
        let Some(found) = found.rows.first() else { return Err(Trouble::NoTable) };
        let unserved = || Trouble::Later(format!("a region of `{}` is served by nobody", self.config.table));
        let region: Row =
            row_of(found).map_err(|error| Trouble::Later(error.to_string()))?.ok_or_else(unserved)?;
        if row < &region.start[..] || !region.end.is_empty() && row >= &region.end[..] {
            return Err(unserved()); // the one behind it is not written yet
        }
        if self.regions.insert(region) { Ok(()) } else { Err(unserved()) }
    }

    /// What the table is; `None` where HBase does not say.
    ///
    /// # Errors
    /// Why it is not known.
    pub(crate) async fn state(&mut self, deadline: Instant) -> Result<Option<State>, Trouble> {
        let request = state(&self.config.table);
        let found: GetResponse = self.ask_meta("Get", &request, deadline).await?;
        Ok(state_of(found.row.as_ref()))
    }

    async fn ask_meta<A: Message + Default>(
        &mut self,
        method: &str,
        request: &impl Message,
        deadline: Instant,
    ) -> Result<A, Trouble> {
        let (server, deadline) = match &self.meta {
            Some(server) => (server.clone(), deadline),
            None => {
                let server = self.find_meta(deadline + self.config.ensemble.login_time()).await?;
                // What a login has taken is not missing here.
                (server, deadline.max(clock::now() + LEAST_FOR_META))
            }
        };
        let said = self.call(&server, method, request, deadline).await;
        if !matches!(said, Ok(Ok(_))) {
            self.meta = None;
        } else {
            self.meta = Some(server);
        }
        match said {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(exception)) => {
                let why = policy::words(&exception.class, &exception.trace, "hbase:meta", "info");
                Err(Trouble::Later(why))
            }
            Err(Lost(why)) => Err(Trouble::Later(why)),
        }
    }

    async fn call<A: Message + Default>(
        &mut self,
        server: &str,
        method: &str,
        request: &impl Message,
        deadline: Instant,
    ) -> Result<Said<A>, Lost> {
        let place = (server.to_owned(), ASKS);
        let mut connection = match self.connections.remove(&place) {
            Some(connection) => connection,
            None => Connection::open(server, &self.config.user, false, deadline).await?,
        };
        let said = connection.call(server, method, request, [].iter(), deadline).await?;
        self.connections.insert(place, connection);
        Ok(said)
    }

    /// Asks ZooKeeper who has `hbase:meta`.
    async fn find_meta(&self, deadline: Instant) -> Result<String, Trouble> {
        let ensemble = &self.config.ensemble;
        let path = format!("{}/meta-region-server", self.config.parent.trim_end_matches('/'));
        let asked = async {
            let mut client = zookeeper::Client::connect(ensemble).await?;
            let node = client.get(&path, false).await?;
            let _ended_or_gone = timeout(FAREWELL, client.close()).await;
            Ok(node)
        };
        let node: Result<_, zookeeper::Trouble> = timeout_at(deadline, asked)
            .await
            .map_err(|_| Trouble::Later(format!("ZooKeeper at {ensemble}: no answer in time")))?;
        let node = node.map_err(|trouble| Trouble::Later(format!("ZooKeeper at {ensemble}: {trouble}")))?;
        let Some((node, _)) = node else {
            return Err(Trouble::Later(format!(
                "ZooKeeper at {ensemble} has no node `{path}`: HBase is not running there, or `znodeParent` is another one"
            )));
        };
        let server = meta_server(&node).map_err(|error| Trouble::Later(error.to_string()))?;
        server.ok_or_else(|| Trouble::Later("hbase:meta is served by nobody yet".to_owned()))
    }

    /// Which region has a row, and who serves it, as far as it is known.
    pub(crate) fn find(&self, row: &[u8]) -> Option<(&Bytes, &str)> {
        self.regions.find(row).map(|region| (&region.name, region.server.as_str()))
    }

    /// Sends `calls`, to all servers at a time, and settles in `ledger` what they say.
    pub(crate) async fn send(
        &mut self,
        ledger: &mut Ledger,
        calls: BTreeMap<String, Vec<Call>>,
        deadline: Instant,
    ) -> Round {
        let known = &*ledger;
        let shared = calls.into_iter().flat_map(|(server, calls)| {
            let lanes = lanes(calls, |action| &known.action(action).row);
            lanes.into_iter().enumerate().map(move |(lane, calls)| ((server.clone(), lane), calls))
        });
        let talks = shared.map(|(place, calls)| {
            let connection = self.connections.remove(&place);
            let (user, nonce_group) = (self.config.user.clone(), self.nonce_group);
            Talk { place, connection, user, nonce_group, said: Vec::new() }.hold(known, calls, deadline)
        });
        let talks = join_all(talks).await;
        let (mut round, mut lost) = (Round::default(), Vec::new());
        for (Talk { place, connection, said, .. }, end) in talks {
            for (call, answer) in said {
                self.settle(ledger, &mut round, &call, answer);
            }
            if let Err(Lost(why)) = end {
                self.regions.forget_server(&place.0);
                self.meta = None;
                (round.why, round.lost) = (Some(why), true);
                lost.push(place.0);
            } else if let Some(connection) = connection {
                self.connections.insert(place, connection);
            }
        }
        self.connections.retain(|(server, _), _| !lost.contains(server));
        round
    }

    fn settle(&mut self, ledger: &mut Ledger, round: &mut Round, call: &Call, answer: Said<MultiResponse>) {
        let answer = match answer {
            Ok(answer) => answer,
            Err(exception) => {
                let words = self.words(&exception.class, &exception.trace);
                for (name, actions) in &call.regions {
                    let failed =
                        Failed { class: &exception.class, final_word: exception.do_not_retry, words: &words };
                    self.failed(ledger, round, name, actions, failed);
                }
                return;
            }
        };
        let mut answers = answer.regions.into_iter();
        for (name, actions) in &call.regions {
            let Some(result) = answers.next() else {
                round.why = Some("an answer is not complete".to_owned());
                break;
            };
            if let Some(NameBytesPair { class, text }) = &result.exception {
                let words = self.words(class, &String::from_utf8_lossy(text));
                self.failed(ledger, round, name, actions, Failed { class, final_word: false, words: &words });
                continue;
            }
            for one in result.results {
                let Some(index) = actions.get(one.index as usize) else { continue };
                match &one.exception {
                    None => {
                        ledger.done(*index);
                        round.settled += 1;
                    }
                    Some(NameBytesPair { class, text }) => {
                        let words = self.words(class, &String::from_utf8_lossy(text));
                        let failed = Failed { class, final_word: false, words: &words };
                        self.failed(ledger, round, name, std::slice::from_ref(index), failed);
                    }
                }
            }
            if round.why.is_none() && actions.iter().any(|index| ledger.is_open(*index)) {
                round.why = Some("an answer is not complete".to_owned());
            }
        }
    }

    fn failed(
        &mut self,
        ledger: &mut Ledger,
        round: &mut Round,
        region: &[u8],
        actions: &[usize],
        Failed { class, final_word, words }: Failed<'_>,
    ) {
        for index in actions {
            match ledger.failed(*index, class, final_word, words) {
                Fate::Done => round.settled += 1,
                // A row that another region has by now is refused too.
                Fate::Moved | Fate::Never => {
                    self.regions.forget(region);
                    round.moved = true;
                    round.why = Some(words.to_owned());
                }
                Fate::Later => round.why = Some(words.to_owned()),
            }
        }
    }

    fn words(&self, class: &str, text: &str) -> String {
        policy::words(class, text, &self.config.table, &String::from_utf8_lossy(&self.config.family))
    }
}

/// Why actions were not done.
struct Failed<'a> {
    class: &'a str,
    final_word: bool,
    words: &'a str,
}

/// What one server is asked in one lane, one call after the other.
struct Talk {
    place: (String, usize),
    connection: Option<Connection>,
    user: String,
    nonce_group: u64,
    said: Vec<(Call, Said<MultiResponse>)>,
}

impl Talk {
    /// Until all calls are answered, or one has no answer.
    async fn hold(
        mut self,
        ledger: &Ledger,
        calls: Vec<Call>,
        deadline: Instant,
    ) -> (Talk, Result<(), Lost>) {
        let end = self.ask(ledger, calls, deadline).await;
        (self, end)
    }

    async fn ask(&mut self, ledger: &Ledger, calls: Vec<Call>, deadline: Instant) -> Result<(), Lost> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => Connection::open(&self.place.0, &self.user, true, deadline).await?,
        };
        for call in calls {
            let request = request(ledger, &call, self.nonce_group);
            let cells = actions(&call).map(|action| &ledger.action(action).cells);
            let answer = connection.call(&self.place.0, "Multi", &request, cells, deadline).await?;
            self.said.push((call, answer));
        }
        self.connection = Some(connection);
        Ok(())
    }
}

/// In the order in which they stand in its request.
fn actions(call: &Call) -> impl Iterator<Item = usize> + Clone {
    call.regions.iter().flat_map(|(_, actions)| actions).copied()
}

fn request(ledger: &Ledger, call: &Call, nonce_group: u64) -> MultiRequest {
    let regions = call.regions.iter().map(|(name, actions)| RegionAction {
        region: region(name.clone()),
        actions: actions
            .iter()
            .zip(0..)
            .map(|(action, index)| Action {
                index: Some(index),
                mutation: ledger.action(*action).mutation.clone(),
            })
            .collect(),
    });
    MultiRequest { regions: regions.collect(), nonce_group: Some(nonce_group) }
}

/// The place of a connection for questions, beside the lanes. What answers them has its cells within its messages.
const ASKS: usize = usize::MAX;
/// How long ZooKeeper is given to hear that a session ends.
const FAREWELL: Duration = Duration::from_secs(1);
/// For what `hbase:meta` is asked when it has just been found.
const LEAST_FOR_META: Duration = Duration::from_secs(2);
