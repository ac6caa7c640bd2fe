//! A node of OpenSearch or Elasticsearch alone.

use crate::console::Console;
use crate::flume::{fetched, jdk};
use crate::http::get;
use crate::{ports, process::Process};
use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A node, with a directory for its indices that lives as long as it does.
pub struct SearchNode {
    directory: TempDir,
    port: u16,
    class_path: String,
    console: Console,
    process: Process,
}

impl SearchNode {
    /// Starts an OpenSearch that has nothing yet.
    ///
    /// # Panics
    /// When there is none to be had: a test that did not run must not look as if it had.
    pub fn opensearch() -> SearchNode {
        SearchNode::start("opensearch", OF_TODAY)
    }

    /// Starts an Elasticsearch 7 that has nothing yet.
    ///
    /// # Panics
    /// As [`SearchNode::opensearch`].
    pub fn elasticsearch_7() -> SearchNode {
        // The same classes in a package of its own.
        SearchNode::start("elasticsearch-7", &OF_TODAY.replace("opensearch", "elasticsearch"))
    }

    /// Starts an Elasticsearch 6 that has nothing yet.
    ///
    /// # Panics
    /// As [`SearchNode::opensearch`].
    pub fn elasticsearch_6() -> SearchNode {
        SearchNode::start("elasticsearch-6", include_str!("../../stores/elasticsearch-6/Alone.java"))
    }

    fn start(set: &str, program: &str) -> SearchNode {
        let class_path = fetched(set).unwrap_or_else(|why| panic!("{set} cannot be run here: {why}"));
        let directory = tempfile::tempdir().expect("a folder");
        fs::write(directory.path().join(PROGRAM), program).expect("a file");
        for folder in ["config", "modules", "plugins"] {
            fs::create_dir(directory.path().join(folder)).expect("a folder");
        }
        let port = ports::free(&["127.0.0.1"]).expect("a port");
        let console = Console::default();
        let process = run(directory.path(), port, &class_path, &console);
        let mut node = SearchNode { directory, port, class_path, console, process };
        node.wait();
        node
    }

    /// Its port of HTTP.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends it with SIGKILL.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again with what its disk has.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start_again(&mut self) {
        self.process = run(self.directory.path(), self.port, &self.class_path, &self.console);
        self.wait();
    }

    /// How many documents `indices` have; `None` where it cannot say.
    pub fn count(&self, indices: &str) -> Option<u64> {
        let (_, page) = get(self.port, &format!("/{indices}/_refresh")).ok()?;
        drop(page);
        let (_, page) = get(self.port, &format!("/{indices}/_count")).ok()?;
        page.split("\"count\":").nth(1)?.split([',', '}']).next()?.parse().ok()
    }

    fn wait(&mut self) {
        let deadline = Instant::now() + UP;
        while get(self.port, "/").is_err() {
            assert!(self.process.is_running(), "it has ended: {:?}", self.console.lines_from(0));
            assert!(Instant::now() < deadline, "it is not up after {UP:?}: {:?}", self.console.lines_from(0));
            sleep(LOOK);
        }
    }
}

fn run(directory: &Path, port: u16, class_path: &str, console: &Console) -> Process {
    let transport = ports::free(&["127.0.0.1"]).expect("a port");
    let mut java = jdk("java");
    java.args(["-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]);
    java.args(["-Dopensearch.security.manager.enabled=false", "-cp", class_path]);
    java.arg(PROGRAM).arg(directory).args([port.to_string(), transport.to_string()]).current_dir(directory);
    Process::spawn(java, console, 0).expect("java runs")
}

const OF_TODAY: &str = include_str!("../../stores/opensearch/Alone.java");
const PROGRAM: &str = "Alone.java";
const UP: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_millis(50);
