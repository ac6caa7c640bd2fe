//! The drill with a real store behind slave3 and slave4: `--store NAME`.
//!
//! The collectors write to the store what the lesson's files have them print. What comes there is watched and shown; at the
//! end everything is read back, and every line is accounted for.

mod account;
mod chance;
mod channel;
mod hbase;
mod hdfs;
mod kafka;
mod load;
mod storm;
mod watch;

use super::{Figure, Options, Report, Stage, setup, steps};
use crate::{
    binaries,
    cluster::{Cluster, Setup, Wrap},
    event_line::Seen,
    lesson,
    node::Error,
    stores::{Broker, Jvm},
};
use channel::Channels;
use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};
use watch::Watch;

/// A store that can be had.
#[derive(Debug, Clone)]
pub struct Kind {
    /// As the command line has it.
    pub name: &'static str,
    /// As people write it.
    pub title: &'static str,
    /// What the agents must be built with, if anything.
    feature: Option<&'static str>,
    /// It runs the collectors as parts of itself: they go down with it, and have no channels of their own.
    hosts: bool,
    /// Fetches its programs.
    fetch: fn() -> Result<(), Error>,
    /// Starts one that is empty.
    start: fn() -> Result<Box<dyn Store>, Error>,
}

/// All of them. To add one: its file beside this one, and its line here.
pub const STORES: [&Kind; 4] = [&hdfs::KIND, &hbase::KIND, &kafka::KIND, &storm::KIND];

/// A store that runs. Lines of it are `{HEADERS} BODY`, headers as Flume prints a map.
trait Store: Send {
    /// Lines behind a collector's file that have it write to this store. `NODE_DIR` is the collector's directory,
    /// `NODE_NAME` its name.
    fn sink(&self) -> String;

    /// Kills it without a warning.
    fn kill(&mut self);

    /// Starts it again with what its disk has.
    fn start_again(&mut self) -> Result<(), Error>;

    /// What has come since the last call. Some of it may come again after a kill.
    fn news(&mut self) -> Result<Vec<String>, Error>;

    /// All that it holds, read anew, in the order in which each collector has written it.
    fn all(&mut self) -> Result<Vec<String>, Error>;

    /// The command that runs a collector, where the store does that.
    fn host(&self) -> Option<Wrap> {
        None
    }

    /// The Kafka that it is, and a client.
    fn kafka(&mut self) -> Option<(&Broker, &mut Jvm)> {
        None
    }

    /// What the collectors have not completed.
    fn unfinished(&mut self) -> Result<Vec<String>, Error> {
        Ok(Vec::new())
    }
}

/// The store of this name.
///
/// # Errors
/// Which there are.
pub fn find(name: &str) -> Result<&'static Kind, String> {
    let names = STORES.map(|kind| kind.name).join(", ");
    STORES.into_iter().find(|kind| kind.name == name).ok_or(format!("one of {names}"))
}

/// A cluster and the store it writes to.
pub struct Scene {
    kind: &'static Kind,
    cluster: Cluster,
    store: Shared,
    channels: Option<Channels>,
}

/// The thread that watches it has it as well.
#[derive(Clone)]
struct Shared(Arc<Mutex<Box<dyn Store>>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Box<dyn Store>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Scene {
    /// Fetches the store, builds the agents with what they need for it, starts the store, and writes the cluster's files. With
    /// `durable` the collectors' channels outlive them.
    ///
    /// # Errors
    /// What is missing on this machine, or what failed.
    pub fn set(
        kind: &'static Kind,
        options: &Options,
        durable: bool,
        directory: &Path,
        stage: &Stage,
    ) -> Result<Scene, Error> {
        let Kind { title, feature, fetch, start, .. } = kind;
        if durable && kind.hosts {
            return Err(Error::Missing(format!(
                "--store {} goes without --durable: its collectors have no channels of their own, and a kill of one takes no event as it is",
                kind.name
            )));
        }
        stage.say(format!("--- fetching {title} (from Maven Central, once)"));
        fetch()?;
        let channels = durable.then_some(CHANNELS_FEATURE).filter(|channels| *feature != Some(*channels));
        let features: Vec<&str> = feature.iter().copied().chain(channels).collect();
        let with =
            if features.is_empty() { String::new() } else { format!(" with {}", features.join(" and ")) };
        stage.say(format!("--- building agent and collector{with} (the first time takes minutes)"));
        let features = features.join(",");
        let built = binaries::with_features(&features, directory).map_err(Error::Missing)?;
        stage.say(format!("--- starting {title}"));
        let mut store = start()?;
        let channels = durable.then(|| Channels::make(store.as_mut())).transpose()?;
        let channel = channels.as_ref().map_or("", |channels| channels.text.as_str());
        let server_extra = EXTRA.to_owned() + channel + &store.sink();
        let plain = setup(options)?;
        let host = store.host().map(|host| (storm::WORD, host));
        let cluster = Cluster::lay_out(&Setup { server_extra, host, binaries: Some(built), ..plain })?;
        Ok(Scene { kind, cluster, store: Shared(Arc::new(Mutex::new(store))), channels })
    }

    /// What a collector's channel takes with it when that is killed.
    fn holds(&self) -> usize {
        if self.channels.is_some() || self.kind.hosts { 0 } else { lesson::CAPACITY }
    }

    /// The cluster.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Plays the lesson's steps, then load through kills, and says what came of it. `seed` decides about the kills.
    ///
    /// # Errors
    /// When a node or the store does not start, or a line that must come does not come at all.
    pub fn play(&mut self, options: &Options, seed: u64, stage: &Stage) -> Result<Report, Error> {
        let title = self.kind.title;
        let watch = Watch::start(&self.store).map_err(Error::io("cannot make a pipe"))?;
        self.cluster.arrive_at(watch.consoles());
        stage.listen_to(title, &watch.consoles()[0]);
        stage.listen_to(title, &watch.consoles()[1]);
        for node in self.cluster.nodes() {
            stage.listen(node);
        }
        let mut report = Report::default();
        steps::play(
            &mut self.cluster,
            stage,
            &mut report,
            &steps::Course { freeze: options.freeze, store: Some(title) },
        )?;
        self.outage(stage, &mut report)?;
        if options.lines > 0 || options.kills > 0 {
            load::play(self, options, seed, stage, &mut report)?;
        }
        Ok(report)
    }

    /// A line is written while the store is away.
    fn outage(&mut self, stage: &Stage, report: &mut Report) -> Result<(), Error> {
        let title = self.kind.title;
        stage.step(&format!(
            "kill -9 of {title}, then [root@slave1] echo \"hello outage\" >> test.log; {title} again"
        ));
        self.kill_store();
        self.cluster.echo(0, "hello outage")?;
        let up = self.start_store_again()?;
        let came = self.arrival(b"hello outage")?;
        let what = format!("{title} up again, line that came meanwhile in it");
        report.push(Figure::new(
            what,
            vec![came.saturating_duration_since(up)],
            Duration::from_secs(12),
            "not measured",
        ));
        Ok(())
    }

    /// When a line came to the store, by either collector: where both went down with it, the first that is back has it.
    fn arrival(&self, body: &[u8]) -> Result<Instant, Error> {
        let deadline = Instant::now() + LONG;
        while Instant::now() < deadline {
            for node in 0..2 {
                let events = self.cluster.arrivals(node).events_from(0);
                if let Some((line, _)) = events.iter().find(|(_, seen)| seen.body == body) {
                    return Ok(line.at);
                }
            }
            thread::sleep(LOOK);
        }
        let line = String::from_utf8_lossy(body);
        Err(Error::Missing(format!("\"{line}\" did not come to {} within {LONG:?}", self.kind.title)))
    }

    fn kill_store(&mut self) {
        self.store.lock().kill();
        if self.kind.hosts {
            (0..2).for_each(|node| self.cluster.collector(node).kill_process());
        }
    }

    /// When it was up.
    fn start_store_again(&mut self) -> Result<Instant, Error> {
        self.store.lock().start_again()?;
        if self.kind.hosts {
            self.cluster.start_collectors()?;
        }
        Ok(Instant::now())
    }
}

/// A stored line, and which collector has written it.
fn parse(line: &str) -> Option<(usize, Seen)> {
    let (headers, body) = line.strip_prefix('{')?.split_once("} ")?;
    let seen = Seen { headers: headers.to_owned(), body: body.as_bytes().to_vec() };
    let node = lesson::COLLECTORS
        .iter()
        .position(|name| seen.header("Collector") == Some(&lesson::full_name(name)))?;
    Some((node, seen))
}

/// What agents need for channels in Kafka.
const CHANNELS_FEATURE: &str = "kafka";

/// When an event came to its collector tells which life of it that was.
const ARRIVED: &str = "arrived";

const EXTRA: &str = "a1.sources.r1.interceptors = i1 i2
a1.sources.r1.interceptors.i2.type = timestamp
a1.sources.r1.interceptors.i2.headerName = arrived
";

/// Longer than the slowest recovery: a sink group that has failed for long rests for ten seconds.
const LONG: Duration = Duration::from_secs(180);

const LOOK: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_store_is_refused_with_the_list() {
        assert_eq!(find("hive").err().as_deref(), Some("one of hdfs, hbase, kafka, storm"));
        assert_eq!(find("kafka").map(|kind| kind.title), Ok("Kafka"));
    }

    #[test]
    fn what_a_spout_has_no_channel_for_is_refused_before_anything_is_built() {
        let options = Options {
            kinds: [crate::node::Implementation::Ours; 4],
            lines: 0,
            rate: 1,
            kills: 0,
            freeze: false,
            java: None,
            netns: false,
        };
        let storm = find("storm").expect("it is one of them");
        let refused = Scene::set(storm, &options, true, Path::new("/"), &Stage::silent()).err();
        let said = refused.map(|error| error.to_string()).unwrap_or_default();
        assert!(said.starts_with("--store storm goes without --durable: "), "{said}");
    }

    #[test]
    fn a_stored_line_says_who_has_written_it() {
        let (node, seen) =
            parse("{Type=LOGIN, Collector=slave4.hanli.com, arrived=17} a {b} c").expect("a line");
        assert_eq!((node, seen.text().as_str(), seen.header(ARRIVED)), (1, "a {b} c", Some("17")));
        assert!(parse("{Collector=slave9.hanli.com} hello").is_none());
        assert!(parse("hello").is_none());
    }
}
