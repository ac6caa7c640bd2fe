//! A name service of HDFS with two NameNodes, each a process of its own: one can be frozen or killed while the other serves.

use super::hdfs::{read_all, site};
use super::{Files, Jvm, hadoop_java};
use crate::flume::with_programs;
use crate::node::Error;
use crate::ports;
use rustix::process::Signal;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use tempfile::TempDir;

/// The name service `ns1` with the NameNodes `nn1` and `nn2` and one DataNode, whose files live as long as this does.
pub struct NameService {
    directory: TempDir,
    class_path: String,
    name_nodes: [Jvm; 2],
    data_node: Jvm,
}

impl NameService {
    /// Starts it; `nn1` serves.
    ///
    /// # Errors
    /// When there is none to be had, or it does not start.
    pub fn start() -> Result<NameService, Error> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("stores/hdfs");
        let programs = ["Hdfs.java", "NameService.java"].map(|name| source.join(name));
        let classes = with_programs("hdfs", "NameService", &programs);
        let classes = classes.map_err(|why| Error::Missing(format!("HDFS cannot be run here: {why}")))?;
        let directory = tempfile::tempdir().map_err(Error::io("cannot make a temporary directory"))?;
        let conf = configure(directory.path()).map_err(Error::io("no settings for HDFS"))?;
        let class_path = format!("{}:{classes}", conf.display());
        // The second NameNode begins with a copy of the first one's files.
        let first = run(directory.path(), &class_path, "nn1")?;
        let (second, data_node) = thread::scope(|scope| {
            let second = scope.spawn(|| run(directory.path(), &class_path, "nn2"));
            let data_node = run(directory.path(), &class_path, "datanode");
            (second.join(), data_node)
        });
        let second = second.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        let mut service =
            NameService { directory, class_path, name_nodes: [first, second], data_node: data_node? };
        service.activate(0)?;
        Ok(service)
    }

    /// Where its `core-site.xml` and `hdfs-site.xml` are.
    pub fn conf_dir(&self) -> PathBuf {
        self.directory.path().join("conf")
    }

    /// This NameNode (0 or 1) serves from now on.
    ///
    /// # Errors
    /// When it does not.
    pub fn activate(&mut self, name_node: usize) -> Result<(), Error> {
        self.data_node.ask(&format!("active {}", ID[name_node])).map(drop)
    }

    /// Stops a NameNode as SIGSTOP does: its host still accepts connections for it.
    pub fn freeze(&self, name_node: usize) {
        self.name_nodes[name_node].signal(Signal::STOP);
    }

    /// Ends a NameNode with SIGKILL.
    pub fn kill(&mut self, name_node: usize) {
        self.name_nodes[name_node].kill();
    }

    /// Starts a NameNode again with what its disk has; it does not serve yet.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start_again(&mut self, name_node: usize) -> Result<(), Error> {
        self.name_nodes[name_node] = run(self.directory.path(), &self.class_path, ID[name_node])?;
        Ok(())
    }

    /// All files below `path` as Hadoop's client reads them, and which of them are open.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn files(&mut self, path: &str) -> Result<(Files, Vec<String>), Error> {
        read_all(&mut self.data_node, path)
    }
}

const ID: [&str; 2] = ["nn1", "nn2"];

fn run(directory: &Path, class_path: &str, id: &str) -> Result<Jvm, Error> {
    let mut java = hadoop_java(class_path);
    java.arg("NameService").arg(directory).arg(id).current_dir(directory);
    Jvm::start(java, &directory.join(format!("{id}.log")))
}

fn configure(directory: &Path) -> std::io::Result<PathBuf> {
    let address = || Ok::<_, std::io::Error>(format!("127.0.0.1:{}", ports::free(&["127.0.0.1"])?));
    let at = |path: &str| format!("file://{}/{path}", directory.display());
    let core = [("fs.defaultFS", "hdfs://ns1".to_owned())];
    let hdfs = [
        ("dfs.nameservices", "ns1".to_owned()),
        ("dfs.ha.namenodes.ns1", "nn1,nn2".to_owned()),
        ("dfs.namenode.rpc-address.ns1.nn1", address()?),
        ("dfs.namenode.rpc-address.ns1.nn2", address()?),
        ("dfs.namenode.http-address.ns1.nn1", address()?),
        ("dfs.namenode.http-address.ns1.nn2", address()?),
        (
            "dfs.client.failover.proxy.provider.ns1",
            "org.apache.hadoop.hdfs.server.namenode.ha.ConfiguredFailoverProxyProvider".to_owned(),
        ),
        ("dfs.namenode.shared.edits.dir", at("edits")),
        ("dfs.datanode.data.dir", at("data")),
        ("dfs.datanode.address", "127.0.0.1:0".to_owned()),
        ("dfs.datanode.ipc.address", "127.0.0.1:0".to_owned()),
        ("dfs.datanode.http.address", "127.0.0.1:0".to_owned()),
        ("dfs.datanode.hostname", "127.0.0.1".to_owned()),
        ("dfs.permissions.enabled", "false".to_owned()),
        ("dfs.replication", "1".to_owned()),
        ("dfs.heartbeat.interval", "1".to_owned()),
        ("dfs.ha.tail-edits.period", "1".to_owned()),
        ("dfs.namenode.safemode.extension", "0".to_owned()),
    ];
    let conf = directory.join("conf");
    fs::create_dir_all(&conf)?;
    fs::write(conf.join("core-site.xml"), site(&core))?;
    fs::write(conf.join("hdfs-site.xml"), site(&hdfs))?;
    Ok(conf)
}
