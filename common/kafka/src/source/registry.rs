//! The brokers as ZooKeeper knows them: `zookeeperConnect` without `kafka.bootstrap.servers`, as files of Flume 1.6 have it.
//!
//! Source: Flume 1.11 `KafkaSource.lookupBootstrap`, Kafka 3.9 `BrokerIdZNode`, with these differences: Flume asks once, when it
//! is configured, and drops the source when ZooKeeper is away; a broker without a listener of that name is looked through for
//! one that speaks the protocol.

use super::{NEWS_PAUSE, REST};
use crate::client::named_brokers;
use crate::java::Side;
use flow::Site;
use flow::source::{SourceContext, Stopping};
use plan::{Findings, Problem, Properties};
use rpc::zookeeper::{Client, Ensemble, Settings, Trouble};
use runtime::clock;
use runtime::told::{LastTold, Told, left_out};
use serde_json::Value;
use std::fmt;
use tokio::time::timeout;

/// Where the brokers are.
#[derive(Clone)]
pub(super) enum Brokers {
    /// Here: `kafka.bootstrap.servers`.
    Named(String),
    /// ZooKeeper knows.
    Registered(Registry),
}

/// The ZooKeeper of a Kafka's brokers.
#[derive(Clone)]
pub(super) struct Registry {
    ensemble: Ensemble,
    /// `kafka.consumer.security.protocol`
    protocol: String,
}

impl Brokers {
    /// As the file says; `None` when it does not, which is told.
    pub(super) fn new(properties: &Properties, site: &Site, findings: &mut Findings<'_>) -> Option<Brokers> {
        let given = |key: &str| properties.text(key).map(str::trim).filter(|text| !text.is_empty());
        match given(ZOOKEEPER) {
            Some(servers) if given(SERVERS).is_none() => {
                Registry::new(servers, properties, site, findings).map(Brokers::Registered)
            }
            _ => named_brokers(properties, findings).map(Brokers::Named),
        }
    }

    /// The ZooKeeper that knows them, if it is asked.
    pub(super) fn ensemble(&self) -> Option<&Ensemble> {
        match self {
            Brokers::Named(_) => None,
            Brokers::Registered(registry) => Some(&registry.ensemble),
        }
    }

    /// Their addresses. ZooKeeper is waited for until it knows some; `None`: the source is to stop.
    pub(super) async fn addresses(&self, context: &SourceContext, stop: &mut Stopping) -> Option<String> {
        let registry = match self {
            Brokers::Named(servers) => return Some(servers.clone()),
            Brokers::Registered(registry) => registry,
        };
        let (mut told, mut last) = (Told::every(NEWS_PAUSE), LastTold::default());
        context.doing.set(format!("asks ZooKeeper at {registry} for the brokers"));
        loop {
            let found = tokio::select! { biased;
                _ = stop.changed() => return None,
                found = registry.look_up() => found,
            };
            let why = match found {
                Ok(servers) => {
                    slog::info!(
                        context.log,
                        "Kafka source {}: ZooKeeper at {registry} names the brokers {}",
                        context.name,
                        plan::cut(&servers, MOST_SHOWN)
                    );
                    return Some(servers);
                }
                Err(why) => why,
            };
            if last.tell(&why) {
                told = Told::every(NEWS_PAUSE);
            }
            if let Some(before) = told.tell(clock::now()) {
                slog::warn!(
                    context.log,
                    "Kafka source {}: ZooKeeper at {registry} names no broker: {why}; it is asked again every {} s{}",
                    context.name,
                    REST.as_secs(),
                    left_out(before)
                );
            }
            if timeout(REST, stop.changed()).await.is_ok() {
                return None;
            }
        }
    }
}

impl Registry {
    fn new(
        servers: &str,
        properties: &Properties,
        site: &Site,
        findings: &mut Findings<'_>,
    ) -> Option<Registry> {
        let ensemble = reach(servers, site, findings)?;
        let prefix = Side::Consumer.prefix();
        let protocol = properties.under(prefix).find(|(name, _)| *name == "security.protocol");
        let protocol = protocol.map(|(_, word)| word.trim()).filter(|word| !word.is_empty());
        let protocol = protocol.unwrap_or("PLAINTEXT").to_ascii_uppercase();
        let what = format!(
            "`{}` is not set; `{}` is Flume 1.6's way to find the brokers",
            findings.key(SERVERS),
            findings.key(ZOOKEEPER)
        );
        let problem = Problem::note("old-name", findings.at(ZOOKEEPER), what)
            .flume("asks ZooKeeper for the brokers when it starts, up to 1.11")
            .here("ZooKeeper is asked whenever the source begins to read")
            .fix(format!(
                "`{} = HOST:9092,HOST:9092`: brokers without ZooKeeper (KRaft) are not found otherwise",
                findings.key(SERVERS)
            ));
        findings.add(problem);
        Some(Registry { ensemble, protocol })
    }

    /// The addresses of all brokers that are there now, as `bootstrap.servers` has them.
    async fn look_up(&self) -> Result<String, String> {
        let mut client = Client::connect(&self.ensemble).await.map_err(|trouble| trouble.to_string())?;
        let found = self.ask(&mut client).await;
        client.close().await;
        found
    }

    async fn ask(&self, client: &mut Client) -> Result<String, String> {
        let told = |trouble: Trouble| trouble.to_string();
        let place = self.ensemble.below("/brokers/ids");
        let names = client.children(&place).await.map_err(told)?;
        let mut names = names.ok_or_else(|| format!("there is no {place}; {NOT_HERE}"))?;
        names.sort_by_key(|name| name.parse::<i64>().unwrap_or(i64::MAX));
        let (mut servers, mut others) = (Vec::new(), Vec::new());
        for name in names.iter().take(MOST_BROKERS) {
            // One that has gone meanwhile is none.
            let Some((bytes, _)) = client.get(&format!("{place}/{name}"), false).await.map_err(told)? else {
                continue;
            };
            let broker = Broker::read(&bytes)
                .ok_or_else(|| format!("what {place}/{} holds is no broker of Kafka", plan::quoted(name)))?;
            match broker.serves(&self.protocol) {
                Some(server) => servers.push(server.to_owned()),
                None => others.extend(broker.listeners.into_iter().map(|listener| listener.url)),
            }
        }
        if servers.is_empty() && others.is_empty() {
            return Err(format!("there is none below {place} now; {NOT_HERE}"));
        }
        if servers.is_empty() {
            return Err(format!(
                "none of the brokers has a listener for {}, which `kafka.consumer.security.protocol` says; they have {}",
                self.protocol,
                plan::cut(&others.join(", "), MOST_SHOWN)
            ));
        }
        Ok(servers.join(","))
    }
}

/// The servers, as messages name them.
impl fmt::Display for Registry {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}{}", self.ensemble, self.ensemble.below(""))
    }
}

/// The ZooKeeper of `zookeeperConnect`; `None` when it cannot be reached as asked, which is told.
pub(super) fn reach(servers: &str, site: &Site, findings: &mut Findings<'_>) -> Option<Ensemble> {
    let settings = Settings::of(site);
    let reached = Ensemble::read(servers)
        .map_err(|why| format!("{why}; write HOST:2181,HOST:2181"))
        .and_then(|ensemble| {
            let reached = settings.reach(ensemble, site.tls_defaults());
            reached.map_err(|why| format!("the connection to ZooKeeper: {why}"))
        });
    let ensemble = reached.map_err(|why| findings.refuse(ZOOKEEPER, &why)).ok()?;
    for notice in settings.notices() {
        findings.add(Problem::note("no-effect", findings.at(ZOOKEEPER), notice));
    }
    Some(ensemble)
}

/// What a broker says of itself in ZooKeeper.
struct Broker {
    listeners: Vec<Listener>,
}

struct Listener {
    /// `SSL://host:9093`; in front stands the listener's name, which is the protocol's unless the brokers' file says otherwise.
    url: String,
    protocol: String,
}

impl Broker {
    /// Brokers before 0.9 have a host and a port, without a word on listeners.
    fn read(bytes: &[u8]) -> Option<Broker> {
        let node: Value = serde_json::from_slice(bytes).ok()?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let Some(endpoints) = node["endpoints"].as_array() else {
            let (host, port) = (node["host"].as_str()?, node["port"].as_u64()?);
            let url = format!("PLAINTEXT://{host}:{port}");
            return Some(Broker { listeners: vec![Listener { url, protocol: "PLAINTEXT".to_owned() }] });
        };
        let listener = |url: &Value| {
            let url = text(url)
                .filter(|url| url.len() <= MOST_URL && url.chars().all(|sign| sign.is_ascii_graphic()))?;
            let name = url.split_once("://")?.0;
            let protocol = text(&node["listener_security_protocol_map"][name]);
            Some(Listener { protocol: protocol.unwrap_or_else(|| name.to_owned()), url })
        };
        Some(Broker { listeners: endpoints.iter().map(listener).collect::<Option<_>>()? })
    }

    /// Host and port of the listener that has the name of this protocol, or else of the first that speaks it.
    fn serves(&self, protocol: &str) -> Option<&str> {
        let mut parts = self.listeners.iter().filter_map(|one| Some((one, one.url.split_once("://")?)));
        let by_name = parts.clone().find(|(_, (name, _))| name.eq_ignore_ascii_case(protocol));
        let any = || parts.find(|(one, _)| one.protocol.eq_ignore_ascii_case(protocol));
        by_name.or_else(any).map(|(_, (_, server))| server)
    }
}

pub(super) const ZOOKEEPER: &str = "zookeeperConnect";
const SERVERS: &str = "kafka.bootstrap.servers";
/// Brokers that are asked for: any of them knows the others.
const MOST_BROKERS: usize = 100;
/// Bytes of a listener's address.
const MOST_URL: usize = 1000;
/// Bytes of addresses that are shown.
const MOST_SHOWN: usize = 300;
const NOT_HERE: &str =
    "brokers in KRaft mode are not in ZooKeeper, and some are below a path (`HOST:2181/kafka`)";

#[cfg(test)]
mod tests;
