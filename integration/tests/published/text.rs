//! A published file, pointed at the test's own servers, ports and folders: what is changed is where things are, and classes that
//! nobody else has, in whose place something native of the same kind stands.

use crate::OWN_IN_FLUMES_PACKAGE;
use integration::ports;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Where the stores are.
pub(crate) struct Servers {
    pub(crate) hdfs: String,
    pub(crate) kafka: String,
    pub(crate) hbase: String,
    pub(crate) search: u16,
}

/// One agent of a file, pointed here.
pub(crate) struct Case {
    pub(crate) file: String,
    pub(crate) agent: String,
    /// Latin-1, which keeps all bytes.
    pub(crate) text: String,
    pub(crate) feeds: Vec<Feed>,
    /// What comes last in each line, so that a selector has something for each of its channels.
    pub(crate) words: Vec<String>,
    /// The header with that word.
    pub(crate) header: String,
    pub(crate) stores: Vec<Expected>,
    /// Of HBase, with their families.
    pub(crate) tables: Vec<(String, String)>,
    /// Classes in whose place something stands.
    pub(crate) replaced: BTreeSet<String>,
}

/// How an event gets to a source.
pub(crate) enum Feed {
    Avro(u16),
    Lines(u16),
    Http(u16),
    SyslogUdp(u16),
    /// A file that is followed.
    File(PathBuf),
    /// A folder whose files are read.
    Folder(PathBuf),
    Topic(String),
}

/// Where events are counted: enough of them in all of these together.
#[derive(Debug)]
pub(crate) struct Expected {
    pub(crate) store: &'static str,
    pub(crate) counters: Vec<(String, &'static str)>,
}

/// The store of a component of this type.
fn store_of(kind: &str) -> Option<&'static str> {
    let kind = kind.to_ascii_lowercase();
    ["hdfs", "kafka", "hbase", "elasticsearch"].into_iter().find(|store| kind.contains(store))
}

/// A class that neither Flume nor a build without a JVM has.
fn is_own(class: &str) -> bool {
    class.contains('.') && !class.starts_with("org.apache.flume.")
        || OWN_IN_FLUMES_PACKAGE.contains(&class)
        || class.contains(".morphline.MorphlineInterceptor")
}

struct Keys<'a> {
    agent: &'a str,
    of: BTreeMap<String, String>,
}

impl Keys<'_> {
    fn get(&self, key: &str) -> &str {
        self.of.get(&format!("{}.{key}", self.agent)).map_or("", String::as_str)
    }

    fn list(&self, key: &str) -> Vec<&str> {
        self.get(key).split_whitespace().collect()
    }
}

fn pair(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start_matches("\u{ef}\u{bb}\u{bf}");
    let (key, value) = line.split_once('=').filter(|_| !line.trim_start().starts_with('#'))?;
    Some((key.trim(), value.trim()))
}

/// The agents of a file, as many as have a store; `place` is a folder for each.
pub(crate) fn cases(
    file: &str,
    bytes: &[u8],
    servers: &Servers,
    place: impl Fn(&str) -> PathBuf,
) -> Vec<Case> {
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    let of: BTreeMap<String, String> =
        text.lines().filter_map(pair).map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    let names: BTreeSet<&str> =
        of.keys().filter(|key| key.ends_with(".type")).filter_map(|key| key.split('.').next()).collect();
    let cases = names.into_iter().map(|agent| {
        let keys = Keys { agent, of: of.clone() };
        let mut case = Case {
            file: file.to_owned(),
            agent: agent.to_owned(),
            text: String::new(),
            feeds: Vec::new(),
            words: Vec::new(),
            header: "own".to_owned(),
            stores: expected(&keys),
            tables: tables(&keys),
            replaced: BTreeSet::new(),
        };
        case.look_at_selectors(&keys);
        let place = place(agent);
        case.text = text.lines().map(|line| case.pointed(line, &keys, servers, &place) + "\n").collect();
        case
    });
    cases.filter(|case| !case.stores.is_empty()).collect()
}

fn tables(keys: &Keys) -> Vec<(String, String)> {
    let of = |sink: &str, key: &str| keys.get(&format!("sinks.{sink}.{key}")).to_owned();
    let named = keys.list("sinks").into_iter().map(|sink| (of(sink, "table"), of(sink, "columnFamily")));
    named.filter(|(table, _)| !table.is_empty()).collect()
}

/// Sinks of one channel share its events.
fn expected(keys: &Keys) -> Vec<Expected> {
    let type_of = |kind: &str, name: &str| keys.get(&format!("{kind}.{name}.type")).to_owned();
    let mut fed = BTreeSet::new();
    for source in keys.list("sources") {
        let selector = format!("sources.{source}.selector.");
        let mapped = keys.of.iter().filter(|(key, _)| {
            key.strip_prefix(&format!("{}.{selector}", keys.agent))
                .is_some_and(|key| key.starts_with("mapping.") || key == "default")
        });
        let mapped: Vec<&str> = mapped.flat_map(|(_, value)| value.split_whitespace()).collect();
        let all = keys.list(&format!("sources.{source}.channels"));
        fed.extend(if mapped.is_empty() { all } else { mapped });
    }
    let mut expected = Vec::new();
    for channel in keys.list("channels").into_iter().filter(|channel| fed.contains(channel)) {
        let of_channel = |sink: &&str| keys.get(&format!("sinks.{sink}.channel")) == channel;
        let sinks = keys.list("sinks").into_iter().filter(of_channel);
        let sinks = sinks.filter_map(|sink| Some((sink, store_of(&type_of("sinks", sink))?)));
        let sinks: Vec<_> = sinks.collect();
        if let Some((_, store)) = sinks.first() {
            let count = |(sink, _): &(&str, _)| (format!("SINK.{sink}"), "EventDrainSuccessCount");
            expected.push(Expected { store, counters: sinks.iter().map(count).collect() });
        }
        if let Some(store) = store_of(&type_of("channels", channel)) {
            let counters = vec![(format!("CHANNEL.{channel}"), "EventPutSuccessCount")];
            expected.push(Expected { store, counters });
        }
    }
    for source in keys.list("sources") {
        if let Some(store) = store_of(&type_of("sources", source)) {
            let counters = vec![(format!("SOURCE.{source}"), "EventAcceptedCount")];
            expected.push(Expected { store, counters });
        }
    }
    expected
}

impl Case {
    fn look_at_selectors(&mut self, keys: &Keys) {
        for source in keys.list("sources") {
            let selector = format!("{}.sources.{source}.selector.", keys.agent);
            if let Some(header) = keys.of.get(&format!("{selector}header")) {
                header.clone_into(&mut self.header);
            }
            let mapping = format!("{selector}mapping.");
            self.words.extend(keys.of.keys().filter_map(|key| Some(key.strip_prefix(&mapping)?.to_owned())));
        }
        if self.words.is_empty() {
            self.words.push("own".to_owned());
        }
    }

    /// What is to be seen where these components are left out: ``the sink `k1` ``.
    pub(crate) fn stores_without(&self, left_out: &str) -> Vec<&Expected> {
        let is_left_out = |(component, _): &(String, _)| {
            let name = component.rsplit('.').next().unwrap_or_default();
            left_out.contains(&format!("`{name}`"))
        };
        self.stores.iter().filter(|one| !one.counters.iter().all(is_left_out)).collect()
    }

    /// A line as it is to be here.
    fn pointed(&mut self, line: &str, keys: &Keys, servers: &Servers, place: &Path) -> String {
        let Some((key, value)) = pair(line) else { return line.to_owned() };
        let words: Vec<&str> = key.splitn(4, '.').collect();
        let [agent, kind, name, property] = words[..] else { return line.to_owned() };
        if agent != self.agent {
            return line.to_owned();
        }
        let to = |value: &str| format!("{key} = {value}");
        let below = |path: &str| place.join(path.trim_start_matches(['.', '/']));
        if is_own(value) && (property.ends_with("type") || property.ends_with("erializer")) {
            self.replaced.insert(value.to_owned());
            return self.stand_in(key, kind, property);
        }
        match (kind, property) {
            ("sources", "bind" | "host") => to("127.0.0.1"),
            ("sources", "port") => {
                let port = ports::free(&["127.0.0.1"]).expect("a port");
                let of = keys.get(&format!("sources.{name}.type")).to_ascii_lowercase();
                self.feeds.extend(match of.as_str() {
                    "avro" => Some(Feed::Avro(port)),
                    "netcat" => Some(Feed::Lines(port)),
                    "syslogudp" => Some(Feed::SyslogUdp(port)),
                    of if of.contains("http") => Some(Feed::Http(port)),
                    _ => None, // what stands in for it needs nobody
                });
                to(&port.to_string())
            }
            (_, "kafka.bootstrap.servers" | "brokerList" | "metadata.broker.list") => to(&servers.kafka),
            // A Kafka of today has no ZooKeeper that knows its brokers.
            ("sources", "zookeeperConnect") => {
                format!("{agent}.sources.{name}.kafka.bootstrap.servers = {}", servers.kafka)
            }
            ("sources", "kafka.topics" | "topic") => {
                self.feeds.extend(value.split(',').map(|topic| Feed::Topic(topic.trim().to_owned())));
                line.to_owned()
            }
            ("sinks", "zookeeperQuorum") => to(&servers.hbase),
            ("sinks", "clusterName") => to("lab"),
            ("sinks", "hostNames") => to(&format!("127.0.0.1:{}", servers.search)),
            ("sinks", "hdfs.path") => {
                let folder = place.file_name().unwrap_or_default().to_string_lossy();
                match value.split_once("://") {
                    Some((_, rest)) => {
                        let path = rest.split_once('/').map_or("", |(_, path)| path);
                        to(&format!("{}/{folder}/{path}", servers.hdfs))
                    }
                    None => to(&format!("/{folder}{value}")), // of `core-site.xml`'s file system
                }
            }
            ("sources", "spoolDir") => {
                self.feeds.push(Feed::Folder(below(value)));
                to(&below(value).display().to_string())
            }
            ("sources", "command") => to(&self.command(value, &below)),
            ("sources", _) if property.starts_with("filegroups.") => {
                let (folder, pattern) = value.rsplit_once('/').unwrap_or(("", value));
                let name = pattern.replace('\\', "").replace(".*", "a").replace(".+", "a");
                self.feeds.push(Feed::File(below(folder).join(name)));
                to(&format!("{}/{pattern}", below(folder).display()))
            }
            (_, "positionFile" | "checkpointDir" | "dataDirs" | "sink.directory") => {
                to(&below(value).display().to_string())
            }
            _ => line.to_owned(),
        }
    }

    /// A `tail` is fed by its file; programs that are nowhere else become one.
    fn command(&mut self, command: &str, below: &dyn Fn(&str) -> PathBuf) -> String {
        let words: Vec<&str> = command.split_whitespace().collect();
        let path = match words[..] {
            ["tail", _, path] => path,
            ["seq", ..] => return command.to_owned(),
            _ => "/own.log",
        };
        self.feeds.push(Feed::File(below(path)));
        format!("tail -F {}", below(path).display())
    }

    fn stand_in(&self, key: &str, kind: &str, property: &str) -> String {
        let native = match (kind, property) {
            ("sources", "type") => {
                return format!("{key} = seq\n{}totalEvents = 100", key.trim_end_matches("type"));
            }
            ("sinks", "type") => "null",
            ("channels", "type") => "memory",
            ("sources", _) if property.starts_with("interceptors.") => {
                let own = key.trim_end_matches(".type");
                return format!(
                    "{key} = regex_extractor\n{own}.regex = (\\\\S+)$\n{own}.serializers = s\n{own}.serializers.s.name = {}",
                    self.header
                );
            }
            _ => return format!("# {key}: what is native without it"),
        };
        format!("{key} = {native}")
    }
}
