//! The lesson's agent while both its collectors are down, and up again: Flume's exec source is dead after that, ours is not.

use crate::our_agent;
use integration::{
    flume::{
        self, Version,
        oracle::{Node, Side},
        stand_in::StandIn,
    },
    solo::until,
};
use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::Path,
    time::Duration,
};

/// The agent with its two collectors, and what it follows.
struct Scene {
    dir: tempfile::TempDir,
    collectors: [StandIn; 2],
    node: Node,
}

impl Scene {
    /// Starts it and sees one line through, so that everything is connected.
    fn start(side: &Side) -> Scene {
        let dir = tempfile::tempdir().expect("a folder");
        let collectors = [StandIn::listen().expect("a port"), StandIn::listen().expect("a port")];
        let file = dir.path().join("client.properties");
        let text = crate::cases::SEED_AGENT
            .replace("$SINK1", &collectors[0].address().port().to_string())
            .replace("$SINK2", &collectors[1].address().port().to_string())
            .replace("$DIR", &dir.path().display().to_string());
        fs::write(&file, text).expect("a file");
        append(dir.path(), ["ready".to_owned()]);
        let node = Node::start(side, &file, "agent1", dir.path()).expect("a process");
        assert!(collectors[0].wait_for(1, PATIENCE), "the first line arrives");
        Scene { dir, collectors, node }
    }

    /// Both down, 3,000 lines, and both up again when `enough` is over.
    fn outage(&mut self, enough: impl FnOnce(&Node)) {
        self.collectors.iter_mut().for_each(StandIn::close);
        append(self.dir.path(), (0..LINES).map(|n| format!("line {n}")));
        enough(&self.node);
        for collector in &mut self.collectors {
            collector.open().expect("the port is still free");
        }
    }

    /// The lines that both have, each once, in the order of the first time.
    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for event in self.collectors.iter().flat_map(StandIn::events) {
            let line = String::from_utf8(event.body).expect("text");
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        lines
    }
}

fn append(dir: &Path, lines: impl IntoIterator<Item = String>) {
    let text: String = lines.into_iter().map(|line| line + "\n").collect();
    let file = OpenOptions::new().create(true).append(true).open(dir.join("test.log"));
    file.and_then(|mut file| file.write_all(text.as_bytes())).expect("the file can be written");
}

#[test]
fn ours_keeps_every_line() {
    let mut scene = Scene::start(&our_agent());
    // The three seconds for which Flume's channel waits, and five more.
    scene.outage(|_| std::thread::sleep(Duration::from_secs(8)));
    append(scene.dir.path(), ["after the outage".to_owned()]);
    until("all lines arrive", || scene.lines().len() >= LINES + 2);
    assert_eq!(scene.lines().len(), LINES + 2);
    // What one collector has is in order. Between the two there is none: both were up, and one was still resting.
    for collector in &scene.collectors {
        let bodies = collector.events().into_iter().filter_map(|event| String::from_utf8(event.body).ok());
        let numbers: Vec<usize> = bodies
            .filter_map(|body| body.strip_prefix("line ").and_then(|number| number.parse().ok()))
            .collect();
        assert!(numbers.is_sorted(), "{numbers:?}");
    }
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn flume_loses_most_and_never_comes_back() {
    flume::require();
    let mut scene = Scene::start(&Side::Flume(Version::V1_11));
    scene.outage(|node| {
        let dead = "Failed while running command: tail -F";
        node.console.wait_from(0, PATIENCE, dead, |line| line.text.contains(dead)).expect("its source dies");
    });
    append(scene.dir.path(), ["after the outage".to_owned()]);
    until("what the channel held arrives", || scene.lines().len() >= 900);
    std::thread::sleep(Duration::from_secs(5)); // what must not come
    let lines = scene.lines();
    assert!((900..1_100).contains(&lines.len()), "a channel full: {}", lines.len());
    assert!(!lines.contains(&"after the outage".to_owned()));
    assert!(scene.node.process.is_running());
}

const LINES: usize = 3_000;
const PATIENCE: Duration = Duration::from_secs(120);
