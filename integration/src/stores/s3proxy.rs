//! An S3 on this machine: S3Proxy, which keeps objects as files.

use super::Files;
use super::hdfs::{read_below, site};
use super::jvm::hadoops_java;
use crate::console::Console;
use crate::flume::fetched;
use crate::node::Error;
use crate::ports;
use crate::process::Process;
use rustix::process::Signal;
use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// An S3Proxy, with a directory for its objects that lives as long as it does.
pub struct S3Proxy {
    directory: TempDir,
    port: u16,
    class_path: String,
    console: Console,
    process: Process,
}

impl S3Proxy {
    /// Starts one with an empty bucket.
    ///
    /// # Errors
    /// When there is none to be had, or it does not start.
    pub fn start(bucket: &str) -> Result<S3Proxy, Error> {
        let missing = |why| Error::Missing(format!("S3Proxy cannot be run here: {why}"));
        let class_path = fetched("s3proxy").map_err(missing)?;
        let directory = tempfile::tempdir().map_err(Error::io("cannot make a temporary directory"))?;
        let port = ports::free(&["127.0.0.1"]).map_err(Error::io("no free port for S3Proxy"))?;
        let objects = directory.path().join("objects");
        let settings = format!(
            "s3proxy.endpoint=http://127.0.0.1:{port}\ns3proxy.authorization=aws-v2-or-v4\ns3proxy.identity={ACCESS}\n\
             s3proxy.credential={SECRET}\njclouds.provider=filesystem-nio2\njclouds.filesystem.basedir={}\n\
             jclouds.identity=x\njclouds.credential=x\n",
            objects.display()
        );
        let write = || {
            fs::create_dir_all(objects.join(bucket))?;
            fs::write(directory.path().join("logback.xml"), WARNINGS)?;
            fs::write(directory.path().join("s3proxy.conf"), settings)
        };
        write().map_err(Error::io("no settings for S3Proxy"))?;
        let console = Console::default();
        let process = run(directory.path(), &class_path, &console)?;
        let mut proxy = S3Proxy { directory, port, class_path, console, process };
        proxy.wait()?;
        Ok(proxy)
    }

    /// Hadoop's settings for it.
    pub fn core_site(&self) -> String {
        site(&[
            ("fs.s3a.endpoint", format!("http://127.0.0.1:{}", self.port).as_str()),
            ("fs.s3a.path.style.access", "true"),
            ("fs.s3a.access.key", ACCESS),
            ("fs.s3a.secret.key", SECRET),
        ])
    }

    /// The objects of a bucket that are complete.
    ///
    /// # Panics
    /// When its directory cannot be read.
    pub fn objects(&self, bucket: &str) -> Files {
        let mut files = read_below(&self.directory.path().join("objects").join(bucket));
        files.retain(|name, _| !name.contains("/.mpus-") && !name.contains("/.jclouds-"));
        files
    }

    /// Ends it with SIGKILL.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again with what its disk has.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start_again(&mut self) -> Result<(), Error> {
        self.process = run(self.directory.path(), &self.class_path, &self.console)?;
        self.wait()
    }

    /// Stops it as SIGSTOP does.
    pub fn freeze(&self) {
        self.process.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.process.signal(Signal::CONT);
    }

    fn wait(&mut self) -> Result<(), Error> {
        let deadline = Instant::now() + UP;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let lines: Vec<_> = self.console.lines_from(0).into_iter().map(|line| line.text).collect();
            if !self.process.is_running() || Instant::now() > deadline {
                return Err(Error::Missing(format!("S3Proxy is not up after {UP:?}: {lines:?}")));
            }
            sleep(LOOK);
        }
        Ok(())
    }
}

fn run(directory: &Path, class_path: &str, console: &Console) -> Result<Process, Error> {
    let mut java = hadoops_java();
    java.arg(format!("-Dlogback.configurationFile={}", directory.join("logback.xml").display()));
    java.args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", class_path]);
    java.args(["org.gaul.s3proxy.Main", "--properties"]);
    java.arg(directory.join("s3proxy.conf")).current_dir(directory);
    Process::spawn(java, console, 0).map_err(Error::io("cannot start S3Proxy"))
}

/// It tells each step of each request otherwise.
const WARNINGS: &str = r#"<configuration><appender name="out" class="ch.qos.logback.core.ConsoleAppender"><encoder>
<pattern>%level %logger %msg%n</pattern></encoder></appender><root level="warn"><appender-ref ref="out"/></root></configuration>"#;
const ACCESS: &str = "lab";
const SECRET: &str = "labsecret";
const UP: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(50);
