//! Log files, where a configuration of log4j asks for them: of the real program, and beside real Flume.

mod beside_flume;
mod by_log4j;

use integration::{binaries, console::Console, process::Process};
use rustix::process::Signal;
use std::{fs, path::PathBuf, process::Command, time::Duration};
use tempfile::TempDir;

/// A directory to run in, with a configuration directory `conf` and the agent's file.
struct Place(TempDir);

impl Place {
    fn with(name: &str, text: &str) -> Place {
        let place = Place(tempfile::tempdir().expect("a folder"));
        fs::create_dir(place.path("conf")).expect("a folder");
        fs::write(place.path("conf").join(name), text).expect("a file");
        fs::write(place.path("a1.conf"), AGENT).expect("a file");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs the agent until `done`, stops it, and gives what it has printed.
    fn run(&self, options: &[&str], done: impl Fn(&Console) -> bool) -> Vec<String> {
        let mut command = self.command();
        command.args(options);
        Place::run_as(command, done)
    }

    /// The agent, on a host without a Flume.
    fn command(&self) -> Command {
        let mut command = Command::new(binaries::directory().expect("binaries").join("agent"));
        command.args(["agent", "-n", "a1", "-c", "conf", "-f", "a1.conf"]);
        for name in ["JAVA_OPTS", "FLUME_JAVA_OPTS", "FLUME_HOME", "FLUME_CLASSPATH"] {
            command.env_remove(name);
        }
        command.current_dir(self.0.path());
        command
    }

    fn run_as(command: Command, done: impl Fn(&Console) -> bool) -> Vec<String> {
        let console = Console::default();
        let mut agent = Process::spawn(command, &console, 0).expect("it starts");
        assert!(done(&console), "{:?}", console.lines_from(0));
        agent.signal(Signal::TERM);
        assert_eq!(agent.wait(LONG).expect("it ends").status.code(), Some(0));
        assert!(console.drained(LONG));
        console.lines_from(0).into_iter().map(|line| line.text).collect()
    }

    /// The same until a log file has the last event.
    fn run_until(&self, file: &str, options: &[&str]) -> Vec<String> {
        self.run(options, |_| self.has_last(file))
    }

    /// Waits for the last event: the line that fills a file is in the one that was rolled.
    fn has_last(&self, file: &str) -> bool {
        let rolled = format!("{file}.1");
        wait_until(|| [file, &rolled].iter().any(|file| self.read(file).contains(LAST)))
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).expect("a folder");
        let name = |entry: fs::DirEntry| entry.file_name().into_string().expect("text");
        let mut names: Vec<_> = entries.map(|entry| name(entry.expect("a file"))).collect();
        names.sort();
        names
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap_or_default()
    }
}

/// Asks again and again: nobody tells of a line in a file of another process.
fn wait_until(done: impl Fn() -> bool) -> bool {
    (0..600).any(|_| {
        let is_done = done();
        if !is_done {
            std::thread::sleep(Duration::from_millis(100));
        }
        is_done
    })
}

#[test]
fn flume_1_9s_file_writes_logs_flume_log_and_the_console_says_where() {
    let place = Place::with("log4j.properties", OF_1_9);
    let printed = place.run_until("logs/flume.log", &[]);
    assert_eq!(printed.len(), 1, "{printed:?}");
    assert!(
        printed[0].contains("log lines go to ./logs/flume.log (LOGFILE), and not to the console"),
        "{printed:?}"
    );
    let text = place.read("logs/flume.log");
    let event = " INFO  [SinkRunner-PollingRunner-DefaultSinkProcessor] (org.apache.flume.sink.LoggerSink.process:95)  - Event: { headers:{} body: 30 ";
    assert!(text.contains(event) && text.contains("Component type: SOURCE, name: r1 started"), "{text}");
    // The next start writes behind that.
    place.run(&["-Dflume.root.logger=INFO,LOGFILE,console"], |console| {
        console.wait_from(0, LONG, LAST, |line| line.text.contains(LAST)).is_ok()
    });
    assert_eq!(place.read("logs/flume.log").matches(LAST).count(), 2);
}

#[test]
fn with_the_console_named_nothing_is_as_before() {
    let place = Place::with("log4j.properties", OF_1_9);
    let printed = place.run(&["-Dflume.root.logger=INFO,console"], |console| {
        console.wait_from(0, LONG, LAST, |line| line.text.contains(LAST)).is_ok()
    });
    assert!(printed.iter().all(|line| !line.contains("log lines go to")), "{printed:?}");
    assert!(!place.path("logs").exists());
}

#[test]
fn flume_1_11s_file_writes_flume_log() {
    let place = Place::with("log4j2.xml", OF_1_11);
    let printed = place.run_until("flume.log", &[]);
    assert!(
        printed.len() == 1
            && printed[0].contains("log lines go to ./flume.log (LogFile), as conf/log4j2.xml says"),
        "{printed:?}"
    );
    assert!(place.read("flume.log").contains(" INFO  [SinkRunner-PollingRunner-DefaultSinkProcessor] (org.apache.flume.sink.LoggerSink.process:95)  - Event: {"));
}

#[test]
fn small_files_are_rolled_and_levels_of_loggers_hold() {
    let text = OF_1_9.replace("100MB", "1KB").replace("BackupIndex=10", "BackupIndex=2");
    let quiet = "log4j.logger.org.apache.flume.instrumentation = WARN\n";
    let place = Place::with("log4j.properties", &format!("{text}{quiet}"));
    let environment = "export JAVA_OPTS=\"-Xmx64m -Dflume.log.file=own.log\"\n";
    fs::write(place.path("conf/flume-env.sh"), environment).expect("a file");
    place.run_until("logs/own.log", &["-Dflume.log.dir=logs"]);
    let names = place.names("logs");
    assert_eq!(names, ["own.log", "own.log.1", "own.log.2"]);
    let all: String = names.iter().map(|name| place.read(&format!("logs/{name}"))).collect();
    assert!(!all.contains("Component type:"), "{all}");
    assert!(place.read("logs/own.log.1").len() >= 1024);
}

#[test]
fn a_file_that_cannot_be_written_stops_no_event() {
    let place = Place::with("log4j.properties", OF_1_9);
    fs::write(place.path("logs"), "a file in the folder's place").expect("a file");
    let printed = place.run(&["-Dflume.root.logger=INFO,LOGFILE,console"], |console| {
        console.wait_from(0, LONG, LAST, |line| line.text.contains(LAST)).is_ok()
    });
    let told = printed.iter().filter(|line| line.contains("log lines cannot be written to ./logs/flume.log"));
    assert_eq!(told.count(), 1, "{printed:?}");
}

#[test]
fn what_only_log4j_has_is_told_where_there_is_none_and_the_rest_counts() {
    let json = r#"<File name="J" fileName="j.log"><JsonLayout/></File></Appenders>"#;
    let text = OF_1_11.replace("</Appenders>", json);
    let text = text.replace(r#"<Root level="INFO">"#, r#"<Root level="INFO"><AppenderRef ref="J"/>"#);
    let place = Place::with("log4j2.xml", &text);
    place.run_until("flume.log", &[]);
    let told = "conf/log4j2.xml: only log4j itself has <JsonLayout>, and it cannot be had: FLUME_HOME is not set, and there is no jar of log4j 2";
    assert_eq!(place.read("flume.log").matches(told).count(), 1, "{}", place.read("flume.log"));
    assert!(place.read("j.log").contains(LAST));
}

const LONG: Duration = Duration::from_secs(60);

/// In the text of the last event.
const LAST: &str = "body: 31 39 ";

const AGENT: &str = "a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.channels.c1.type = memory
a1.channels.c1.transactionCapacity = 10
a1.sources.r1.type = seq
a1.sources.r1.totalEvents = 20
a1.sources.r1.channels = c1
a1.sinks.k1.type = logger
a1.sinks.k1.channel = c1
";

/// What Flume 1.9's conf/log4j.properties says.
const OF_1_9: &str = "# INFO,LOGFILE unless the command line says otherwise
flume.root.logger=INFO,LOGFILE
flume.log.dir=./logs
flume.log.file=flume.log

log4j.logger.org.apache.flume.lifecycle = INFO
log4j.logger.org.jboss = WARN
log4j.logger.org.apache.avro.ipc.NettyTransceiver = WARN
log4j.rootLogger=${flume.root.logger}

log4j.appender.LOGFILE=org.apache.log4j.RollingFileAppender
log4j.appender.LOGFILE.MaxFileSize=100MB
log4j.appender.LOGFILE.MaxBackupIndex=10
log4j.appender.LOGFILE.File=${flume.log.dir}/${flume.log.file}
log4j.appender.LOGFILE.layout=org.apache.log4j.PatternLayout
log4j.appender.LOGFILE.layout.ConversionPattern=%d{dd MMM yyyy HH:mm:ss,SSS} %-5p [%t] (%C.%M:%L) %x - %m%n

log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.target=System.err
log4j.appender.console.layout=org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern=%d (%t) [%p - %l] %m%n
";

/// What Flume 1.11's conf/log4j2.xml says.
const OF_1_11: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="ERROR">
  <Properties>
    <Property name="LOG_DIR">.</Property>
  </Properties>
  <Appenders>
    <Console name="Console" target="SYSTEM_ERR">
      <PatternLayout pattern="%d (%t) [%p - %l] %m%n" />
    </Console>
    <RollingFile name="LogFile" fileName="${LOG_DIR}/flume.log" filePattern="${LOG_DIR}/archive/flume.log.%d{yyyyMMdd}-%i">
      <PatternLayout pattern="%d{dd MMM yyyy HH:mm:ss,SSS} %-5p [%t] (%C.%M:%L) %equals{%x}{[]}{} - %m%n" />
      <Policies>
        <SizeBasedTriggeringPolicy size="100 MB"/>
        <CronTriggeringPolicy schedule="0 0 0 * * ?"/>
      </Policies>
      <DefaultRolloverStrategy min="1" max="20">
        <Delete basePath="${LOG_DIR}/archive">
          <IfFileName glob="flume.log.*">
            <IfAccumulatedFileSize exceeds="1 GB"/>
          </IfFileName>
        </Delete>
      </DefaultRolloverStrategy>
    </RollingFile>
  </Appenders>
  <Loggers>
    <Logger name="org.apache.flume.lifecycle" level="info"/>
    <Logger name="org.jboss" level="WARN"/>
    <Root level="INFO">
      <AppenderRef ref="LogFile" />
    </Root>
  </Loggers>
</Configuration>
"#;
