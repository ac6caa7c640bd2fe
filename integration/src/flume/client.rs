//! The released client side as real programs: the SDK, Flume's own command line client, the two Log4j appenders.

use super::{
    Version,
    agent::{LEAN, java, logging},
    install,
};
use crate::{
    console::Console,
    process::{Ended, Process},
};
use std::{
    fs, io,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

/// A client program, running or ended.
pub struct Client {
    /// Its process.
    pub process: Process,
    /// What it printed.
    pub console: Console,
}

impl Client {
    /// Waits for its end and for all it printed; `None` when it did not end within `timeout`.
    pub fn finish(&mut self, timeout: Duration) -> Option<(Ended, Vec<String>)> {
        let ended = self.process.wait(timeout)?;
        self.console.drained(timeout);
        Some((ended, self.console.lines_from(0).into_iter().map(|line| line.text).collect()))
    }

    fn run(command: Command) -> io::Result<Client> {
        let console = Console::default();
        Ok(Client { process: Process::spawn(command, &console, 0)?, console })
    }
}

/// Sends `count` events in calls of `batch` with the SDK of `version`, as `properties` say (`client.type`, `hosts` ..).
/// Event n has the body `name-n` and the headers `n` and `name`. The last line is `sent COUNT`; a failed call is one
/// line `again from N: why`.
///
/// # Errors
/// When the file cannot be written or the JVM not started.
pub fn sdk(
    version: Version,
    properties: &str,
    count: usize,
    batch: usize,
    name: &str,
    dir: &Path,
) -> io::Result<Client> {
    let file = dir.join(format!("{name}.client.properties"));
    fs::write(&file, properties)?;
    let mut command = lean(dir);
    command.args(logging(version, false)).args(["-cp", &install::sdk(version), "SendEvents"]);
    command.arg(file).args([count.to_string(), batch.to_string()]).arg(name);
    Client::run(command)
}

/// Runs `flume-ng avro-client` of `version` with its own options, reading `input` on standard input when given.
///
/// # Errors
/// When the input cannot be opened or the JVM not started.
pub fn avro_client(
    version: Version,
    options: &[&str],
    input: Option<&Path>,
    dir: &Path,
) -> io::Result<Client> {
    let mut command = lean(dir);
    command.args(logging(version, false)).args(["-cp", &install::release(version)]);
    command.arg("org.apache.flume.client.avro.AvroCLIClient").args(options);
    let Some(input) = input else { return Client::run(command) };
    let (reader, writer) = io::pipe()?;
    command.stdin(fs::File::open(input)?).stderr(writer.try_clone()?).stdout(writer);
    let console = Console::default();
    console.read(reader, 0);
    Ok(Client { process: Process::spawn_as_is(command)?, console })
}

/// The same with `classes` on its class path, and words for the JVM (`-D`) among `options`.
///
/// # Errors
/// When the JVM cannot be started.
pub fn avro_client_with(
    version: Version,
    classes: &Path,
    options: &[&str],
    dir: &Path,
) -> io::Result<Client> {
    let mut command = lean(dir);
    let (jvms, own): (Vec<&str>, Vec<&str>) = options.iter().partition(|word| word.starts_with("-D"));
    let class_path = format!("{}:{}", install::release(version), classes.display());
    command.args(logging(version, false)).args(jvms).args(["-cp", &class_path]);
    command.arg("org.apache.flume.client.avro.AvroCLIClient").args(own).stdin(Stdio::null());
    Client::run(command)
}

/// Logs `count` lines `name-n` through Log4j 2's Flume appender (type `Avro`) to the first of `ports` that answers.
///
/// # Errors
/// When the configuration cannot be written or the JVM not started.
pub fn log4j2(ports: &[u16], count: usize, name: &str, dir: &Path) -> io::Result<Client> {
    let agents: String =
        ports.iter().map(|port| format!("      <Agent host=\"127.0.0.1\" port=\"{port}\"/>\n")).collect();
    let file = dir.join(format!("{name}.log4j2.xml"));
    fs::write(&file, LOG4J2.replace("AGENTS", &agents))?;
    let mut command = lean(dir);
    command.arg(format!("-Dlog4j2.configurationFile={}", file.display()));
    command.args(["-cp", &install::log4j2(), "Log4j2Lines"]).arg(count.to_string()).arg(name);
    Client::run(command)
}

/// Logs `count` lines `name-n` through the Log4j 1 appender that Flume 1.9 released.
///
/// # Errors
/// When the configuration cannot be written or the JVM not started.
pub fn log4j1(port: u16, count: usize, name: &str, dir: &Path) -> io::Result<Client> {
    let file = dir.join(format!("{name}.log4j.properties"));
    fs::write(&file, LOG4J1.replace("PORT", &port.to_string()))?;
    let mut command = lean(dir);
    command.arg(format!("-Dlog4j.configuration=file:{}", file.display()));
    command.args(["-cp", &install::log4j1(), "Log4j1Lines"]).arg(count.to_string()).arg(name);
    Client::run(command)
}

fn lean(dir: &Path) -> Command {
    let mut command = java(&[]);
    command.args(LEAN).arg(format!("-Duser.home={}", dir.display())).current_dir(dir);
    command
}

/// The appender compresses bodies with gzip unless told not to. What the client below it logs must not go round.
const LOG4J2: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="WARN">
  <Appenders>
    <Console name="console" target="SYSTEM_ERR"><PatternLayout pattern="%p %c %m%n"/></Console>
    <Flume name="flume" type="Avro" compress="false" ignoreExceptions="false">
AGENTS      <PatternLayout pattern="%m" charset="UTF-8"/>
    </Flume>
  </Appenders>
  <Loggers>
    <Logger name="Log4j2Lines" level="INFO" additivity="false"><AppenderRef ref="flume"/></Logger>
    <Root level="WARN"><AppenderRef ref="console"/></Root>
  </Loggers>
</Configuration>
"#;

const LOG4J1: &str = "log4j.rootLogger = OFF
log4j.logger.Log4j1Lines = INFO, flume
log4j.appender.flume = org.apache.flume.clients.log4jappender.Log4jAppender
log4j.appender.flume.Hostname = 127.0.0.1
log4j.appender.flume.Port = PORT
log4j.appender.flume.layout = org.apache.log4j.PatternLayout
log4j.appender.flume.layout.ConversionPattern = %m
";
