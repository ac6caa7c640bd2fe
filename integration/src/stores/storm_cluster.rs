//! A Storm cluster as an operator has one: a Nimbus, a supervisor, and the workers that it starts, each a process.

use super::Storm;
use crate::console::Console;
use crate::flume::{jdk, zookeeper::ZooKeeper};
use crate::process::Process;
use crate::solo::until;
use crate::{limit, ports};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Its processes, with a directory for their files. The workers end with their supervisor.
pub struct StormCluster {
    directory: TempDir,
    class_path: String,
    /// The ports of its workers.
    slots: [u16; WORKERS],
    console: Console,
    _supervisor: Process,
    _nimbus: Process,
    _zookeeper: ZooKeeper,
}

impl StormCluster {
    /// Starts one that runs no topology yet.
    ///
    /// # Panics
    /// When there is none to be had: a test that did not run must not look as if it had.
    pub fn start() -> StormCluster {
        let class_path = Storm::class_path().unwrap_or_else(|why| panic!("{why}"));
        let directory = tempfile::tempdir().expect("a folder");
        let port = || ports::free(&["127.0.0.1"]).expect("a port");
        let slots = [(); WORKERS].map(|()| port());
        let mut zookeeper = ZooKeeper::new();
        zookeeper.start();
        lay_out(directory.path(), &class_path, &zookeeper.place(), [port(), port()], slots);
        let console = Console::default();
        let daemon = |class: &str| {
            let mut java = java(directory.path(), &class_path);
            java.arg(class);
            Process::spawn(java, &console, 0).expect("java runs")
        };
        let nimbus = daemon("org.apache.storm.daemon.nimbus.Nimbus");
        let supervisor = daemon("org.apache.storm.daemon.supervisor.Supervisor");
        let cluster = StormCluster {
            directory,
            class_path,
            slots,
            console,
            _supervisor: supervisor,
            _nimbus: nimbus,
            _zookeeper: zookeeper,
        };
        for daemon in ["nimbus", "supervisor"] {
            cluster.wait_for(&format!("Starting thrift server {daemon}-thrift-server"));
        }
        cluster
    }

    /// Gives it the topology of `Lab.java` whose spout is this, to be run by three workers.
    ///
    /// # Panics
    /// When it does not take it.
    pub fn submit(&self, topology: &[&str]) {
        let (programs, _) = self.class_path.split_once(':').expect("classes and jars");
        let jar = self.directory.path().join("lab.jar");
        let made = limit::output(jdk("jar").arg("cf").arg(&jar).args(["-C", programs, "."]));
        assert!(made.status.success(), "{made:?}");
        let mut client = java(self.directory.path(), &self.class_path);
        client.arg(format!("-Dstorm.jar={}", jar.display())).arg("Lab").arg(self.file("acknowledged"));
        let ended = limit::output(client.args(topology));
        assert!(ended.status.success(), "{ended:?}");
    }

    /// The bodies that its bolts have acknowledged, of each bolt by itself; those not written down in full left out.
    pub fn acknowledged(&self) -> Vec<Vec<String>> {
        let files = fs::read_dir(self.directory.path()).expect("a folder").flatten();
        let files = files.filter(|file| file.file_name().to_string_lossy().starts_with("acknowledged"));
        let texts = files.map(|file| fs::read_to_string(file.path()).unwrap_or_default());
        let lines = |text: String| {
            let whole = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
            whole.map(str::to_owned).collect()
        };
        texts.map(lines).collect()
    }

    /// Ends with SIGKILL the worker that has the spout, or one that has not; and waits until its supervisor has started another.
    ///
    /// # Panics
    /// When there is none such, or no other one comes.
    pub fn kill_worker(&self, of_spout: bool) {
        let has_spout = |slot: &u16| {
            let log = fs::read_to_string(self.file("logs").join(format!("{slot}.log")));
            log.is_ok_and(|log| log.contains("Launched subprocess with pid"))
        };
        let slot = self.slots.iter().find(|slot| has_spout(slot) == of_spout).expect("such a worker");
        let pid = self.worker(*slot).expect("it runs");
        kill_process(pid, Signal::KILL).expect("it runs");
        until("the supervisor starts another worker", || self.worker(*slot).is_some_and(|now| now != pid));
    }

    fn worker(&self, slot: u16) -> Option<Pid> {
        let mut topologies = fs::read_dir(self.file("logs/workers-artifacts")).ok()?.flatten();
        let pid = fs::read_to_string(topologies.next()?.path().join(format!("{slot}/worker.pid"))).ok()?;
        Pid::from_raw(pid.trim().parse().ok()?)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn wait_for(&self, part: &str) {
        until(part, || self.console.visit(0, |line| line.text.contains(part).then_some(())).len() == 1);
    }
}

impl Drop for StormCluster {
    /// Says what all have said, where the test has failed.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        self.console.lines_from(0).iter().for_each(|line| eprintln!("{}", line.text));
        for slot in self.slots {
            let log = fs::read_to_string(self.file("logs").join(format!("{slot}.log")));
            eprintln!("worker {slot}:\n{}", log.unwrap_or_default());
        }
    }
}

/// What a released Storm's folder has, as far as its daemons look at it.
fn lay_out(
    home: &Path,
    class_path: &str,
    zookeeper: &str,
    [nimbus, supervisor]: [u16; 2],
    slots: [u16; WORKERS],
) {
    for folder in ["conf", "log4j2", "logs", "extlib", "local"] {
        fs::create_dir(home.join(folder)).expect("a folder");
    }
    let jars =
        class_path.rsplit(':').next().and_then(|jars| jars.strip_suffix("/*")).expect("a folder of jars");
    symlink(fs::canonicalize(jars).expect("a folder"), home.join("lib-worker")).expect("a link");
    let (_, port) = zookeeper.rsplit_once(':').expect("a port");
    let settings = format!(
        "storm.zookeeper.servers: [127.0.0.1]\nstorm.zookeeper.port: {port}\nstorm.local.hostname: 127.0.0.1\n\
         nimbus.seeds: [127.0.0.1]\nnimbus.thrift.port: {nimbus}\nsupervisor.thrift.port: {supervisor}\n\
         supervisor.slots.ports: {slots:?}\nstorm.local.dir: {home}/local\nstorm.log.dir: {home}/logs\n\
         worker.childopts: -Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1\nworker.profiler.enabled: false\n\
         topology.worker.logwriter.childopts: -Xmx32m -XX:+UseSerialGC -XX:TieredStopAtLevel=1\n\
         nimbus.monitor.freq.secs: 1\nsupervisor.monitor.frequency.secs: 1\ntask.refresh.poll.secs: 1\n\
         topology.disable.loadaware.messaging: true\n",
        home = home.display()
    );
    fs::write(home.join("conf/storm.yaml"), settings).expect("a file");
    let log = |to: &str| {
        format!(
            "<Configuration><Appenders>{to}</Appenders><Loggers><Root level=\"info\"><AppenderRef ref=\"A\"/></Root></Loggers></Configuration>"
        )
    };
    let pattern = "<PatternLayout pattern=\"%d %p %c{1} %m%n\"/>";
    let file = "fileName=\"${sys:storm.log.dir}/${sys:worker.port}.log\"";
    let worker = log(&format!("<File name=\"A\" {file}>{pattern}</File>"));
    fs::write(home.join("log4j2/worker.xml"), worker).expect("a file");
    fs::write(home.join("log4j2/daemon.xml"), log(&format!("<Console name=\"A\">{pattern}</Console>")))
        .expect("a file");
}

fn java(home: &Path, class_path: &str) -> Command {
    let mut java = jdk("java");
    java.args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dstorm.conf.file=storm.yaml"]);
    let home_of = |option: &str, place: PathBuf| format!("-D{option}={}", place.display());
    java.arg(home_of("storm.home", home.to_owned())).arg(home_of("storm.log.dir", home.join("logs")));
    java.arg(home_of("log4j2.configurationFile", home.join("log4j2/daemon.xml")));
    java.arg("-cp").arg(format!("{}:{class_path}", home.join("conf").display())).current_dir(home);
    java
}

const WORKERS: usize = 3;
