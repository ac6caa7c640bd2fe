//! An HDFS in one process, and further DataNodes.

use super::Jvm;
use super::jvm::hadoops_java;
use crate::flume::fetched_program;
use crate::node::Error;
use crate::ports;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::{fs, io};
use tempfile::TempDir;

/// A NameNode and DataNodes, with a directory for their files that lives as long as they do.
pub struct Hdfs {
    directory: TempDir,
    port: u16,
    class_path: String,
    data_nodes: u32,
    settings: Vec<String>,
    options: &'static [&'static str],
    jvm: Jvm,
}

/// Files by their paths.
pub type Files = BTreeMap<String, Vec<u8>>;

impl Hdfs {
    /// Starts one with so many DataNodes in its process; `settings` are `KEY=VALUE` of Hadoop.
    ///
    /// # Errors
    /// When there is none to be had, or it does not start.
    pub fn start(data_nodes: u32, settings: &[&str]) -> Result<Hdfs, Error> {
        Hdfs::start_with(&[], data_nodes, settings)
    }

    /// The same to be measured: as fast as it can be after a while.
    ///
    /// # Errors
    /// As [`Hdfs::start`].
    pub fn start_fast(data_nodes: u32, settings: &[&str]) -> Result<Hdfs, Error> {
        Hdfs::start_with(&["-XX:TieredStopAtLevel=4"], data_nodes, settings)
    }

    fn start_with(
        options: &'static [&'static str],
        data_nodes: u32,
        settings: &[&str],
    ) -> Result<Hdfs, Error> {
        let class_path = class_path()?;
        let directory = tempfile::tempdir().map_err(Error::io("cannot make a temporary directory"))?;
        let port = ports::free(&["127.0.0.1"]).map_err(Error::io("no free port for HDFS"))?;
        let settings: Vec<String> = settings.iter().map(|text| (*text).to_owned()).collect();
        let jvm = run(directory.path(), &class_path, port, data_nodes, options, &settings)?;
        Ok(Hdfs { directory, port, class_path, data_nodes, settings, options, jvm })
    }

    /// `hdfs://HOST:PORT`
    pub fn url(&self) -> String {
        format!("hdfs://127.0.0.1:{}", self.port)
    }

    /// Its files on this machine.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Ends NameNode and DataNodes with SIGKILL.
    pub fn kill(&mut self) {
        self.jvm.kill();
    }

    /// Starts them again with what their disks have.
    ///
    /// # Errors
    /// When they do not come up.
    pub fn start_again(&mut self) -> Result<(), Error> {
        let Hdfs { class_path, port, data_nodes, options, settings, .. } = self;
        self.jvm = run(self.directory.path(), class_path, *port, *data_nodes, options, settings)?;
        Ok(())
    }

    /// What it answers to a command of `Hdfs.java`.
    ///
    /// # Errors
    /// When it fails.
    pub fn ask(&mut self, command: &str) -> Result<Vec<String>, Error> {
        self.jvm.ask(command)
    }

    /// All files below `path` as Hadoop's client reads them, and which of them are open.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn files(&mut self, path: &str) -> Result<(Files, Vec<String>), Error> {
        read_all(&mut self.jvm, path)
    }

    /// How another DataNode is started, as a process of its own in the directory of that number, and the port at which it is
    /// up then.
    ///
    /// # Errors
    /// When its files cannot be written.
    pub fn data_node(&self, number: u32) -> io::Result<(Command, u16)> {
        let directory = self.directory.path().join(format!("dn{number}"));
        let port = || ports::free(&["127.0.0.1"]);
        let ports = [port()?, port()?, port()?];
        let pairs = [
            ("fs.defaultFS", self.url()),
            ("dfs.datanode.data.dir", directory.join("data").display().to_string()),
            ("dfs.datanode.address", format!("127.0.0.1:{}", ports[0])),
            ("dfs.datanode.ipc.address", format!("127.0.0.1:{}", ports[1])),
            ("dfs.datanode.http.address", format!("127.0.0.1:{}", ports[2])),
            ("dfs.datanode.hostname", "127.0.0.1".to_owned()),
        ];
        fs::create_dir_all(directory.join("data"))?;
        for name in ["core-site.xml", "hdfs-site.xml"] {
            fs::write(directory.join(name), site(&pairs))?;
        }
        let mut java = hadoop_java(&format!("{}:{}", directory.display(), self.class_path));
        java.arg("org.apache.hadoop.hdfs.server.datanode.DataNode");
        Ok((java, ports[0]))
    }
}

/// A file of settings, as Hadoop has them.
pub fn site<V: std::fmt::Display>(pairs: &[(&str, V)]) -> String {
    let property =
        |(name, value): &(&str, V)| format!("<property><name>{name}</name><value>{value}</value></property>");
    format!("<configuration>{}</configuration>", pairs.iter().map(property).collect::<String>())
}

/// All files below `path` as Hadoop's client in `jvm` reads them, and which of them are open.
pub(super) fn read_all(jvm: &mut Jvm, path: &str) -> Result<(Files, Vec<String>), Error> {
    let to = tempfile::tempdir().map_err(Error::io("cannot make a temporary directory"))?;
    let open = jvm.ask(&format!("get {path} {}", to.path().display()))?;
    let open = open.iter().filter_map(|line| line.strip_prefix("open ")).map(str::to_owned).collect();
    let mut files = Files::new();
    read(to.path(), to.path(), &mut files).map_err(Error::io("cannot read what HDFS has given"))?;
    Ok((files, open))
}

/// The class path of the server, fetched and compiled once.
fn class_path() -> Result<String, Error> {
    fetched_program("hdfs", "Hdfs").map_err(|why| Error::Missing(format!("HDFS cannot be run here: {why}")))
}

/// A JVM with what Hadoop opens of it, no more memory than it needs, and up soon: its second compiler takes half of the processor
/// time of a test.
pub fn hadoop_java(class_path: &str) -> Command {
    let mut java = hadoops_java();
    java.args(["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]);
    java.args(["-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", class_path]);
    java
}

fn run(
    directory: &Path,
    class_path: &str,
    port: u16,
    data_nodes: u32,
    options: &[&str],
    settings: &[String],
) -> Result<Jvm, Error> {
    let mut java = hadoop_java(class_path);
    java.args(options)
        .arg("Hdfs")
        .arg(directory.join("data"))
        .arg(port.to_string())
        .arg(data_nodes.to_string());
    java.args(settings).current_dir(directory);
    Jvm::start(java, &directory.join("HDFS.log"))
}

/// All files below a directory of this machine.
///
/// # Panics
/// When it cannot be read.
pub(super) fn read_below(directory: &Path) -> Files {
    let mut files = Files::new();
    let mut tries = 0..MOST_TRIES;
    while let Err(error) = read(directory, directory, &mut files) {
        files.clear(); // one that goes while it is read
        assert!(tries.next().is_some(), "{}: {error}", directory.display());
    }
    files
}

const MOST_TRIES: u32 = 20;

fn read(root: &Path, directory: &Path, files: &mut Files) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            read(root, &path, files)?;
        } else {
            let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            files.insert(format!("/{name}"), fs::read(&path)?);
        }
    }
    Ok(())
}
