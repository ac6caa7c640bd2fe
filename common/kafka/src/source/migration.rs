//! Offsets that Flume 1.6 has left in ZooKeeper, which a group takes over once: `migrateZookeeperOffsets`.
//!
//! Source: Flume 1.11 `KafkaSource.migrateOffsets`, `KafkaChannel.migrateOffsets`, Kafka 2.7 `ZKGroupTopicDirs`, with these differences:
//! Kafka is asked first, so that a group that has offsets there needs no ZooKeeper; an offset of a partition that the topic has not is
//! left out, and told.

use super::REST;
use super::consumer::Ear;
use super::registry::{ZOOKEEPER, reach};
use crate::producer::plain;
use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError};
use flow::Site;
use plan::{Findings, Problem, Properties};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use rpc::zookeeper::{Client, Ensemble, Trouble};
use runtime::clock::{self, Duration};
use runtime::told::{LastTold, Told, left_out};
use std::collections::BTreeMap;
use std::fmt;
use tokio::time::timeout;

/// Where the offsets of a group are that reads one topic.
#[derive(Clone)]
pub(crate) struct Migration {
    ensemble: Ensemble,
    group: String,
    topic: String,
}

/// The next record of each partition.
type Offsets = BTreeMap<i32, i64>;

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// The group has offsets in Kafka, or the topic is not there.
    Not,
    /// There are none in ZooKeeper either.
    NoneThere,
    /// These were taken over; those of partitions that the topic has not were left out.
    Done(Offsets, Vec<i32>),
}

impl Migration {
    /// As the file says; `None` when it does not, or when something is wrong with it, which is told. Of several topics Flume takes
    /// nothing over, which `topic` without one means. `known` is its ZooKeeper, if that has been looked at already.
    pub(crate) fn new(
        properties: &Properties,
        group: &str,
        topic: Option<&str>,
        known: Option<&Ensemble>,
        site: &Site,
        findings: &mut Findings<'_>,
    ) -> Option<Migration> {
        let servers = properties.text(ZOOKEEPER).map(str::trim).filter(|text| !text.is_empty())?;
        if !properties.flag(MIGRATE) {
            return None;
        }
        let Some(topic) = topic else {
            let what = "offsets that Flume 1.6 has left in ZooKeeper are not looked at: there is more than one topic";
            let problem = Problem::note("no-effect", findings.at(ZOOKEEPER), what.to_owned());
            findings.add(problem.flume("the same"));
            return None;
        };
        let ensemble = known.cloned().or_else(|| reach(servers, site, findings))?;
        Some(Migration { ensemble, group: group.to_owned(), topic: topic.to_owned() })
    }

    /// Has the group's offsets in Kafka before anything is read, however long ZooKeeper and the brokers are away. `false`: nobody wants
    /// to read any more, as the end of `stop` says.
    pub(crate) fn run<T>(&self, client: &ClientConfig, stop: &Receiver<T>, log: &slog::Logger) -> bool {
        let (mut told, mut last) = (Told::every(NEWS_PAUSE), LastTold::default());
        loop {
            let why = match self.once(client, stop, log) {
                Ok(outcome) => {
                    self.tell(&outcome, log);
                    return true;
                }
                Err(why) => why,
            };
            if last.tell(&why) {
                told = Told::every(NEWS_PAUSE);
            }
            if let Some(before) = told.tell(clock::now()) {
                slog::warn!(
                    log,
                    "{self} are not taken over: {why}; nothing is read until they are, which is tried again every {} s; with \
                     `{MIGRATE} = false` they are not looked at{}",
                    REST.as_secs(),
                    left_out(before)
                );
            }
            if stop.recv_timeout(REST).err() == Some(RecvTimeoutError::Disconnected) {
                return false;
            }
        }
    }

    fn tell(&self, outcome: &Outcome, log: &slog::Logger) {
        match outcome {
            Outcome::Not => {}
            Outcome::NoneThere => slog::warn!(
                log,
                "there is nothing in {}: the group begins where `kafka.consumer.auto.offset.reset` says",
                self.place()
            ),
            Outcome::Done(offsets, others) => {
                slog::info!(log, "{self} are taken over: {}", shown(offsets));
                if !others.is_empty() {
                    slog::warn!(
                        log,
                        "{self}: those of partitions that the topic has not are left out: {}",
                        plan::cut(&format!("{others:?}"), MOST_SHOWN)
                    );
                }
            }
        }
    }

    fn once<T>(
        &self,
        client: &ClientConfig,
        stop: &Receiver<T>,
        log: &slog::Logger,
    ) -> Result<Outcome, String> {
        let consumer: BaseConsumer<Ear> =
            client.create_with_context(Ear::new(log.clone())).map_err(|error| plain(&error))?;
        let kafkas = |what: &str, why: String| {
            let said = consumer.context().said().map(|said| format!(" ({said})")).unwrap_or_default();
            format!("Kafka {what}: {why}{said}")
        };
        let Some(partitions) =
            self.partitions(&consumer).map_err(|why| kafkas("does not name the partitions", why))?
        else {
            return Ok(Outcome::Not);
        };
        let has =
            |consumer| self.committed(consumer, &partitions).map_err(|why| kafkas("names no offsets", why));
        if !has(&consumer)?.is_empty() {
            return Ok(Outcome::Not);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime =
            runtime.map_err(|error| format!("the system gives no means to ask ZooKeeper: {error}"))?;
        let found = runtime
            .block_on(async { timeout(LOOK_LIMIT + self.ensemble.login_time(), self.look_up()).await });
        runtime.shutdown_background(); // a name that is being looked up is not waited for
        let found = found.unwrap_or_else(|_| Err("it has not answered in time".to_owned()));
        let found = found.map_err(|why| format!("ZooKeeper: {why}"))?;
        let (offsets, others): (Offsets, Offsets) =
            found.into_iter().partition(|(partition, _)| partitions.contains(partition));
        if offsets.is_empty() {
            return Ok(Outcome::NoneThere);
        }
        let mut list = TopicPartitionList::new();
        for (partition, offset) in &offsets {
            list.add_partition_offset(&self.topic, *partition, Offset::Offset(*offset))
                .map_err(|error| plain(&error))?;
        }
        // Who comes after this one may have taken them over and gone on by now.
        if matches!(stop.try_recv(), Err(TryRecvError::Disconnected)) {
            return Err("nobody wants them any more".to_owned());
        }
        consumer
            .commit(&list, CommitMode::Sync)
            .map_err(|error| kafkas("does not take them", refused(&error)))?;
        if has(&consumer)? != offsets {
            return Err("Kafka has taken them and does not have them".to_owned());
        }
        Ok(Outcome::Done(offsets, others.into_keys().collect()))
    }

    /// Those of the topic; `None` when there is no such topic, so that nothing is committed of it.
    fn partitions(&self, consumer: &BaseConsumer<Ear>) -> Result<Option<Vec<i32>>, String> {
        let known = consumer.fetch_metadata(Some(&self.topic), ASK_LIMIT).map_err(|error| plain(&error))?;
        let Some(topic) = known.topics().first() else { return Ok(None) };
        match topic.error().map(RDKafkaErrorCode::from) {
            None => Ok(Some(topic.partitions().iter().map(|partition| partition.id()).collect())),
            Some(RDKafkaErrorCode::UnknownTopicOrPartition) => Ok(None),
            Some(why) => Err(why.to_string()),
        }
    }

    /// What the group has committed.
    fn committed(&self, consumer: &BaseConsumer<Ear>, partitions: &[i32]) -> Result<Offsets, String> {
        let mut list = TopicPartitionList::new();
        for partition in partitions {
            list.add_partition(&self.topic, *partition);
        }
        let found = consumer.committed_offsets(list, ASK_LIMIT).map_err(|error| plain(&error))?;
        let mut offsets = Offsets::new();
        for one in found.elements() {
            one.error().map_err(|error| plain(&error))?;
            if let Offset::Offset(offset) = one.offset() {
                offsets.insert(one.partition(), offset);
            }
        }
        Ok(offsets)
    }

    /// What ZooKeeper has.
    async fn look_up(&self) -> Result<Offsets, String> {
        let mut client = Client::connect(&self.ensemble).await.map_err(|trouble| trouble.to_string())?;
        let found = self.ask(&mut client).await;
        client.close().await;
        found
    }

    async fn ask(&self, client: &mut Client) -> Result<Offsets, String> {
        let told = |trouble: Trouble| trouble.to_string();
        let place = self.place();
        let names = client.children(&place).await.map_err(told)?.unwrap_or_default();
        let mut offsets = Offsets::new();
        if names.len() > MOST_PARTITIONS {
            return Err(format!("{place} has {} partitions, more than {MOST_PARTITIONS}", names.len()));
        }
        for name in names {
            let Some((bytes, _)) = client.get(&format!("{place}/{name}"), false).await.map_err(told)? else {
                continue; // it has gone meanwhile
            };
            if bytes.is_empty() {
                continue; // as Flume has it
            }
            let offset = std::str::from_utf8(&bytes).ok().and_then(|text| text.trim().parse::<i64>().ok());
            let numbers = name.parse::<i32>().ok().zip(offset.filter(|offset| *offset >= 0));
            let (partition, offset) = numbers.ok_or_else(|| {
                format!("what {place}/{} holds is no offset of a partition", plan::quoted(&name))
            })?;
            offsets.insert(partition, offset);
        }
        Ok(offsets)
    }

    fn place(&self) -> String {
        self.ensemble.below(&format!("/consumers/{}/offsets/{}", self.group, self.topic))
    }
}

/// The offsets, as messages name them.
impl fmt::Display for Migration {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the offsets of group {} in ZooKeeper at {}, {}", self.group, self.ensemble, self.place())
    }
}

/// Why offsets were not taken, and what to do.
fn refused(error: &KafkaError) -> String {
    use RDKafkaErrorCode::{IllegalGeneration, RebalanceInProgress, UnknownMemberId};
    let others = "its group has members at work that have committed nothing yet: stop them until the offsets are taken over";
    match error.rdkafka_error_code() {
        Some(UnknownMemberId | IllegalGeneration | RebalanceInProgress) => others.to_owned(),
        _ => plain(error),
    }
}

fn shown(offsets: &Offsets) -> String {
    let words: Vec<String> =
        offsets.iter().map(|(partition, offset)| format!("partition {partition} at {offset}")).collect();
    plan::cut(&words.join(", "), MOST_SHOWN)
}

const MIGRATE: &str = "migrateZookeeperOffsets";
const NEWS_PAUSE: Duration = Duration::from_secs(60);
/// How long the brokers may take for an answer.
const ASK_LIMIT: Duration = Duration::from_secs(10);
/// How long ZooKeeper may take for all of them.
const LOOK_LIMIT: Duration = Duration::from_secs(30);
/// More than a topic of that time has.
const MOST_PARTITIONS: usize = 10_000;
/// Bytes of a list that are shown.
const MOST_SHOWN: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;
    use components::missing::kafka::SOURCE;
    use plan::{Owner, Report};
    use rpc::zookeeper::stand_in::{asked, give, greet, head, listen, say};
    use wire::zookeeper::code::NO_NODE;

    fn made(pairs: &[(&str, &str)], topic: Option<&str>) -> (Option<Migration>, String) {
        let properties = Properties::of(&SOURCE, pairs.iter().copied());
        let (owner, mut report) = (Owner::nobody(), Report::default());
        let mut findings = Findings::new(&owner, &properties, &mut report);
        let made = Migration::new(&properties, "g", topic, None, &Site::new(&[]), &mut findings);
        (made, report.to_string())
    }

    #[test]
    fn offsets_are_taken_over_of_one_topic_unless_the_file_says_no() {
        let (found, _) = made(&[("zookeeperConnect", "z:2181/kafka")], Some("t"));
        let told = found.map(|found| found.to_string());
        assert_eq!(
            told.as_deref(),
            Some("the offsets of group g in ZooKeeper at z:2181, /kafka/consumers/g/offsets/t")
        );
        assert!(made(&[], Some("t")).0.is_none());
        let no = [("zookeeperConnect", "z:2181"), ("migrateZookeeperOffsets", "false")];
        assert!(made(&no, Some("t")).0.is_none());
        let (several, report) = made(&[("zookeeperConnect", "z:2181")], None);
        assert!(several.is_none() && report.contains("there is more than one topic"), "{report}");
        let (wrong, report) = made(&[("zookeeperConnect", "z:x")], Some("t"));
        assert!(wrong.is_none() && report.contains("no port"), "{report}");
    }

    #[tokio::test]
    async fn what_zookeeper_has_is_read_and_what_is_no_offset_is_told() {
        let (listener, ensemble) = listen().await;
        let migration = Migration { ensemble, group: "g".to_owned(), topic: "t".to_owned() };
        for (value, found) in [(&b"17"[..], Ok(Some(17))), (b"", Ok(None)), (b"x", Err(())), (b"-1", Err(()))]
        {
            let server = async {
                let mut stream = greet(&listener, 60_000).await;
                let children = asked(&mut stream).await;
                assert_eq!(&children[12..children.len() - 1], b"/consumers/g/offsets/t");
                say(&mut stream, &[&head(&children, 0)[..], b"\0\0\0\x01\0\0\0\x013"].concat()).await;
                give(&mut stream, value).await;
                let close = asked(&mut stream).await;
                say(&mut stream, &head(&close, 0)).await;
            };
            let ((), read) = tokio::join!(server, migration.look_up());
            match found {
                Ok(offset) => {
                    assert_eq!(read, Ok(offset.map(|offset| (3, offset)).into_iter().collect()));
                }
                Err(()) => assert!(read.unwrap_err().contains("offsets/t/`3` holds is no offset")),
            }
        }
        let server = async {
            let mut stream = greet(&listener, 60_000).await;
            let children = asked(&mut stream).await;
            say(&mut stream, &head(&children, NO_NODE)).await;
            let close = asked(&mut stream).await;
            say(&mut stream, &head(&close, 0)).await;
        };
        let ((), read) = tokio::join!(server, migration.look_up());
        assert_eq!(read, Ok(Offsets::new()));
    }
}
