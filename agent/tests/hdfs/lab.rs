//! A real HDFS, and agents that write to it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// The limit of every wait.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

/// A NameNode and DataNodes in one JVM.
pub(crate) struct Hdfs {
    pub(crate) port: u16,
    child: Child,
    input: ChildStdin,
    said: Receiver<String>,
    pub(crate) folder: tempfile::TempDir,
}

/// Where jars and classes are kept between runs.
fn kept() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("hdfs")
}

fn sources() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/hdfs")
}

/// The jars that a `pom.xml` names, fetched once, as a class path.
pub(crate) fn jars(pom: &str) -> String {
    let directory = kept().join(pom.replace('/', "-"));
    let stamp = directory.join("stamp");
    let pom = sources().join(pom);
    let wanted = fs::read_to_string(&pom).expect("a pom");
    if fs::read_to_string(&stamp).ok().as_ref() != Some(&wanted) {
        let _none = fs::remove_dir_all(&directory);
        let mut maven = Command::new("mvn");
        maven.args(["-B", "-q", "-ntp", "-f"]).arg(&pom).arg("dependency:copy-dependencies");
        maven.args(["-DincludeScope=runtime"]).arg(format!("-DoutputDirectory={}", directory.display()));
        run(&mut maven);
        fs::write(stamp, wanted).expect("a stamp");
    }
    format!("{}/*", directory.display())
}

/// The class path of the servers, compiled once.
fn servers() -> String {
    static ONCE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _one = ONCE.lock().expect("no test has panicked here");
    let (jars, classes, source) = (jars("pom.xml"), kept().join("classes"), sources().join("Hdfs.java"));
    let stamp = classes.join("Hdfs.java");
    let wanted = fs::read_to_string(&source).expect("the program");
    if fs::read_to_string(&stamp).ok().as_ref() != Some(&wanted) {
        fs::create_dir_all(&classes).expect("a directory");
        run(Command::new("javac").args(["-nowarn", "-cp", &jars, "-d"]).arg(&classes).arg(&source));
        fs::write(stamp, wanted).expect("a stamp");
    }
    format!("{}:{jars}", classes.display())
}

fn run(command: &mut Command) {
    let ended = command.stdin(Stdio::null()).output().expect("it starts");
    let said = [ended.stdout, ended.stderr].concat();
    assert!(ended.status.success(), "{command:?}: {}", String::from_utf8_lossy(&said));
}

/// A JVM with what Hadoop opens of it, and no more memory than it needs.
pub(crate) fn java(class_path: &str) -> Command {
    let mut java = Command::new("java");
    for package in ["lang", "util", "nio", "io", "net", "util.concurrent", "lang.reflect"] {
        java.arg(format!("--add-opens=java.base/java.{package}=ALL-UNNAMED"));
    }
    java.arg("--add-opens=java.base/sun.nio.ch=ALL-UNNAMED");
    java.args([
        "-Xmx512m",
        "-XX:+UseSerialGC",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
        "-cp",
        class_path,
    ]);
    java
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address").port()
}

impl Hdfs {
    /// One with so many DataNodes of its own.
    pub(crate) fn start(data_nodes: u32, settings: &[&str]) -> Hdfs {
        let (folder, port) = (tempfile::tempdir().expect("a directory"), free_port());
        let mut java = java(&servers());
        java.arg("Hdfs").arg(folder.path().join("data")).arg(port.to_string()).arg(data_nodes.to_string());
        java.args(settings).current_dir(folder.path());
        let log = fs::File::create(folder.path().join("log")).expect("a log");
        let mut child =
            java.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log).spawn().expect("a JVM starts");
        let (tell, said) = channel();
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        let input = child.stdin.take().expect("a pipe");
        let hdfs = Hdfs { port, child, input, said, folder };
        while hdfs.hear() != "UP" {}
        hdfs
    }

    fn hear(&self) -> String {
        self.said.recv_timeout(LIMIT).unwrap_or_else(|error| {
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            panic!("HDFS says nothing: {error}; {log}")
        })
    }

    /// What it answers to a command.
    pub(crate) fn ask(&mut self, command: &str) -> Vec<String> {
        writeln!(self.input, "{command}").expect("it lives");
        let mut lines = Vec::new();
        loop {
            let line = self.hear();
            assert!(!line.starts_with("FAILED"), "{command}: {line}");
            if line == "DONE" {
                return lines;
            }
            lines.push(line);
        }
    }

    /// All files below `path` as Hadoop's client reads them, and which of them are open.
    pub(crate) fn files(&mut self, path: &str) -> (BTreeMap<String, Vec<u8>>, Vec<String>) {
        let to = tempfile::tempdir().expect("a directory");
        let open = self.ask(&format!("get {path} {}", to.path().display()));
        let open = open.iter().filter_map(|line| line.strip_prefix("open ")).map(str::to_owned).collect();
        let mut files = BTreeMap::new();
        read(to.path(), to.path(), &mut files);
        (files, open)
    }

    /// Waits until the files below `path` are as they should be.
    pub(crate) fn until(
        &mut self,
        path: &str,
        what: &str,
        holds: impl Fn(&BTreeMap<String, Vec<u8>>, &[String]) -> bool,
    ) -> BTreeMap<String, Vec<u8>> {
        let begun = Instant::now();
        loop {
            let (files, open) = self.files(path);
            if holds(&files, &open) {
                return files;
            }
            let names: Vec<_> = files.iter().map(|(name, body)| (name, body.len())).collect();
            assert!(
                begun.elapsed() < LIMIT,
                "waited {LIMIT:?} for {what}; there is {names:?}, open {open:?}"
            );
            thread::sleep(Duration::from_millis(200));
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("hdfs://127.0.0.1:{}", self.port)
    }

    /// Another DataNode, as a process of its own.
    pub(crate) fn data_node(&self, number: u32) -> Process {
        let directory = self.folder.path().join(format!("dn{number}"));
        let ports: [u16; 3] = std::array::from_fn(|_| free_port());
        let pairs = [
            ("fs.defaultFS", self.url()),
            ("dfs.datanode.data.dir", directory.join("data").display().to_string()),
            ("dfs.datanode.address", format!("127.0.0.1:{}", ports[0])),
            ("dfs.datanode.ipc.address", format!("127.0.0.1:{}", ports[1])),
            ("dfs.datanode.http.address", format!("127.0.0.1:{}", ports[2])),
            ("dfs.datanode.hostname", "127.0.0.1".to_owned()),
        ];
        let pairs: String = pairs
            .iter()
            .map(|(name, value)| format!("<property><name>{name}</name><value>{value}</value></property>"))
            .collect();
        fs::create_dir_all(directory.join("data")).expect("a directory");
        for name in ["core-site.xml", "hdfs-site.xml"] {
            fs::write(directory.join(name), format!("<configuration>{pairs}</configuration>"))
                .expect("a file");
        }
        let mut java = java(&format!("{}:{}", directory.display(), servers()));
        java.arg("org.apache.hadoop.hdfs.server.datanode.DataNode");
        let node = Process::spawn(java, &directory.join("log"));
        node.wait_for_port(ports[0]);
        node
    }
}

fn read(root: &Path, directory: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            read(root, &path, files);
        } else {
            let name = path.strip_prefix(root).expect("it is below").display().to_string();
            files.insert(format!("/{name}"), fs::read(&path).expect("a file"));
        }
    }
}

impl Drop for Hdfs {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// A process that ends with its test.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    pub(crate) fn spawn(mut command: Command, log: &Path) -> Process {
        let file = fs::File::create(log).expect("a log");
        let errors = file.try_clone().expect("the same log");
        command.stdin(Stdio::null()).stdout(file).stderr(errors);
        Process { child: command.spawn().expect("it starts"), log: log.to_owned() }
    }

    /// An agent with this configuration.
    pub(crate) fn agent(configuration: &str, folder: &Path, name: &str) -> Process {
        let file = folder.join(format!("{name}.conf"));
        fs::write(&file, configuration).expect("a file");
        let mut agent = Command::new(env!("CARGO_BIN_EXE_agent"));
        agent.args(["-n", "a", "-f"]).arg(file);
        Process::spawn(agent, &folder.join(format!("{name}.log")))
    }

    pub(crate) fn wait_for_port(&self, port: u16) {
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < LIMIT, "waited {LIMIT:?} for port {port}; {}", self.said());
            thread::sleep(Duration::from_millis(100));
        }
    }

    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        run(Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()));
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it lived");
        self.child.wait().expect("it ends");
    }

    /// Stops it in good order.
    pub(crate) fn stop(&mut self) {
        self.signal("TERM");
        let begun = Instant::now();
        while self.child.try_wait().expect("it can be asked").is_none() {
            assert!(begun.elapsed() < LIMIT, "waited {LIMIT:?} for its end; {}", self.said());
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _ended = self.child.wait();
    }
}
