//! An HBase: ZooKeeper, master and region server in one JVM; and its own client, which tables are made and read with.

use super::Jvm;
use super::jvm::hadoops_java;
use super::{Kdc, site};
use crate::console::Console;
use crate::flume::{fetched, fetched_program};
use crate::{node::Error, ports, process::Process};
use rustix::process::Signal;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use std::{fs, io};
use tempfile::TempDir;

/// A server, with a directory for its files that lives as long as it does.
pub struct Hbase {
    directory: TempDir,
    zookeeper: u16,
    class_path: String,
    console: Console,
    process: Process,
    admin: Jvm,
}

impl Hbase {
    /// Starts one that has nothing yet.
    ///
    /// # Panics
    /// When there is none to be had: a test that did not run must not look as if it had.
    pub fn start() -> Hbase {
        Hbase::start_with(&[])
    }

    /// The same, with further settings of its `hbase-site.xml`.
    ///
    /// # Panics
    /// As [`Hbase::start`].
    pub fn start_with(settings: &[(&str, &str)]) -> Hbase {
        Hbase::open(settings).unwrap_or_else(|why| panic!("{why}"))
    }

    /// One for users of `kdc`, of whom it is [`HBASE_USER`].
    ///
    /// # Panics
    /// As [`Hbase::start`].
    pub fn of_kerberos(kdc: &Kdc) -> Hbase {
        let (name, keytab) = (format!("{HBASE_USER}@EXAMPLE.COM"), kdc.keytab().display().to_string());
        let own = ["hbase.master.keytab.file", "hbase.regionserver.keytab.file", "hbase.client.keytab.file"];
        let own = own.map(|key| (key, keytab.as_str()));
        let settings = [&of_kerberos(&name)[..], &own, &[("hbase.client.keytab.principal", &name)]].concat();
        Hbase::open_with(&settings, &kdc.option()).unwrap_or_else(|why| panic!("{why}"))
    }

    /// Starts one, as [`Hbase::start_with`] does.
    ///
    /// # Errors
    /// When there is none to be had, or it does not start.
    pub fn open(settings: &[(&str, &str)]) -> Result<Hbase, Error> {
        Hbase::open_with(settings, "")
    }

    fn open_with(settings: &[(&str, &str)], option: &str) -> Result<Hbase, Error> {
        let class_path = fetched_program("hbase", "HbaseAdmin")
            .map_err(|why| Error::Missing(format!("HBase cannot be run here: {why}")))?;
        let directory = tempfile::tempdir().map_err(Error::io("cannot make a temporary directory"))?;
        let port = || ports::free(&["127.0.0.1"]).map_err(Error::io("no free port for HBase"));
        let ports = [port()?, port()?, port()?];
        let zookeeper = ports[0];
        let files = write(directory.path(), ports, settings);
        files
            .and_then(|()| fs::write(directory.path().join("jvm.options"), option))
            .map_err(Error::io("cannot write HBase's files"))?;
        let console = Console::default();
        let process = run(directory.path(), &class_path, &console)?;
        let admin = client(directory.path(), &class_path, zookeeper);
        let admin = Jvm::start(admin, &directory.path().join("HbaseAdmin.log"))?;
        let hbase = Hbase { directory, zookeeper, class_path, console, process, admin };
        hbase.wait(0)?;
        Ok(hbase)
    }

    /// Where its ZooKeeper is, `HOST:PORT`.
    pub fn quorum(&self) -> String {
        format!("127.0.0.1:{}", self.zookeeper)
    }

    /// Ends it with SIGKILL.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Stops it in its tracks, and lets it go on. It ends itself where its ZooKeeper's sessions are shorter than that.
    pub fn freeze(&self, frozen: bool) {
        self.process.signal(if frozen { Signal::STOP } else { Signal::CONT });
    }

    /// Starts it again with what its disk has.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start_again(&mut self) {
        self.open_again().unwrap_or_else(|why| panic!("{why}"));
    }

    /// As [`Hbase::start_again`].
    ///
    /// # Errors
    /// When it does not come up.
    pub fn open_again(&mut self) -> Result<(), Error> {
        let mark = self.console.mark();
        self.process = run(self.directory.path(), &self.class_path, &self.console)?;
        self.wait(mark)
    }

    /// HBase's own client, which does what `HbaseAdmin.java` says.
    pub fn client(&mut self) -> &mut Jvm {
        &mut self.admin
    }

    /// What that answers to a command.
    ///
    /// # Panics
    /// When it fails.
    pub fn ask(&mut self, command: &str) -> Vec<String> {
        self.admin.ask(command).unwrap_or_else(|why| panic!("{why}"))
    }

    /// One more: a command of `HbaseAdmin.java` in each line of its input.
    pub fn another_client(&self) -> Command {
        client(self.directory.path(), &self.class_path, self.zookeeper)
    }

    fn wait(&self, mark: usize) -> Result<(), Error> {
        let up = format!("HBase: \"{UP}\"");
        self.console.wait_from(mark, WITHIN, &up, |line| line.text.contains(UP))?;
        Ok(())
    }
}

/// The class path of the HBase sink of Flume 1.11.
///
/// # Panics
/// When it is not to be had.
pub fn flumes_hbase() -> String {
    fetched("flume-hbase").unwrap_or_else(|why| panic!("Flume's HBase sink cannot be run here: {why}"))
}

fn run(directory: &Path, class_path: &str, console: &Console) -> Result<Process, Error> {
    let mut server = java(directory, class_path, "-Xmx768m");
    server.args(["org.apache.hadoop.hbase.master.HMaster", "start"]);
    Process::spawn(server, console, 0).map_err(Error::io("cannot start HBase"))
}

fn client(directory: &Path, class_path: &str, zookeeper: u16) -> Command {
    let mut client = java(directory, class_path, "-Xmx256m");
    client.arg("HbaseAdmin").arg(zookeeper.to_string());
    client
}

fn java(directory: &Path, class_path: &str, heap: &str) -> Command {
    let mut java = hadoops_java();
    java.arg("--add-exports=java.base/jdk.internal.misc=ALL-UNNAMED");
    java.args([heap, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "@jvm.options", "-cp"]);
    java.arg(format!("{}:{class_path}", directory.display())).current_dir(directory);
    java
}

fn write(
    directory: &Path,
    [zookeeper, master, region]: [u16; 3],
    settings: &[(&str, &str)],
) -> io::Result<()> {
    let at = |name: &str| directory.join(name).display().to_string();
    let own = [
        ("hbase.cluster.distributed", "false".to_owned()),
        ("hbase.rootdir", format!("file://{}", at("root"))),
        ("hbase.tmp.dir", at("tmp")),
        ("hbase.zookeeper.property.dataDir", at("zookeeper")),
        ("hbase.zookeeper.property.clientPort", zookeeper.to_string()),
        ("hbase.zookeeper.quorum", "127.0.0.1".to_owned()),
        ("hbase.unsafe.stream.capability.enforce", "false".to_owned()),
        ("hbase.wal.provider", "filesystem".to_owned()),
        ("hbase.master.port", master.to_string()),
        ("hbase.regionserver.port", region.to_string()),
        ("hbase.master.info.port", "-1".to_owned()),
        ("hbase.regionserver.info.port", "-1".to_owned()),
        ("hbase.master.hostname", "localhost".to_owned()),
        ("hbase.regionserver.hostname", "localhost".to_owned()),
        ("hbase.localcluster.assign.random.ports", "false".to_owned()),
        ("hbase.regionserver.handler.count", "8".to_owned()),
    ];
    let more = settings.iter().map(|(name, value)| (*name, (*value).to_owned()));
    fs::write(directory.join("core-site.xml"), site(settings))?;
    fs::write(directory.join("hbase-site.xml"), site(&own.into_iter().chain(more).collect::<Vec<_>>()))?;
    // Without such a file it says nothing, not even that it is up.
    let log = "log4j.rootLogger=WARN,c\nlog4j.appender.c=org.apache.log4j.ConsoleAppender\n\
        log4j.appender.c.target=System.err\nlog4j.appender.c.layout=org.apache.log4j.PatternLayout\n\
        log4j.appender.c.layout.ConversionPattern=%d %p %c{1}: %m%n\n\
        log4j.logger.org.apache.hadoop.hbase.master.HMaster=INFO\n";
    fs::write(directory.join("log4j.properties"), log)
}

/// What everybody is told of an HBase whose user is `name`.
pub fn of_kerberos(name: &str) -> [(&'static str, &str); 4] {
    [
        ("hadoop.security.authentication", "kerberos"),
        ("hbase.security.authentication", "kerberos"),
        ("hbase.master.kerberos.principal", name),
        ("hbase.regionserver.kerberos.principal", name),
    ]
}

/// What an HBase is to Kerberos.
pub const HBASE_USER: &str = "hbase/localhost";
/// A port that accepts is not a server that serves: it says so itself.
const UP: &str = "Master has completed initialization";
const WITHIN: Duration = Duration::from_secs(120);
