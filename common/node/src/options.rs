//! The options, and the texts of `help`.

use crate::origin::Central;
use clap::{ArgAction, Parser};
use std::{path::PathBuf, time::Duration};

/// Options of `agent -n NAME -f FILE`, in Flume's words.
#[derive(Debug, Parser)]
#[command(
    name = "run",
    disable_help_flag = true,
    disable_version_flag = true,
    override_usage = "{role} [agent] -n NAME -f FILE [OPTIONS]
       {role} [agent] -n NAME -z HOSTS [-p PATH] | -u URI [OPTIONS]
       {role} check -n NAME -f FILE
       {role} check -n NAME --diff OLD NEW
       {role} push -n NAME -f FILE -z HOSTS [-p PATH]
       {role} avro-client -H HOST -p PORT [-F FILE]
       {role} storm-spout -n NAME -f FILE
       {role} version | help [COMMAND]",
    long_about = "{lead}

It reads Flume's properties files and speaks Flume's protocols, so it can replace a Flume agent. The options are those
of `flume-ng agent`. The binaries `agent` and `collector` both run any file and differ in their defaults.",
    after_long_help = "Properties, anywhere on the line, -D more than once:
  -Dkey=value                           a value for `sys:key` substitutions in the file
  -Dagent1.sources.r1.port=4141         one of the file's keys; it wins over the file
  -Dflume.root.logger=LEVEL,console     what is printed: OFF FATAL ERROR WARN INFO DEBUG TRACE ALL (INFO)
  -Dflume.root.logger=LEVEL,LOGFILE     the same into ./logs/flume.log (LEVEL,LOGFILE,console: both); -Dflume.log.dir, -Dflume.log.file
                                        name another file. With log4j.properties or log4j2.xml in DIR of -c, that decides
  -Dflume.log.level.LOGGER=LEVEL        the same for one logger: org.apache.flume.sink, components::sink
  -Dflume.monitoring.type=http          counters at http://HOST:41414/metrics, as Flume serves them; for Prometheus at
                                        /metrics/prometheus (or type=prometheus); whether events move at /health
  -Dflume.monitoring.port=PORT          and bind, tokenFile, ssl, keystore, keystore-password, stuckSeconds (30); type=ganglia with hosts
  -Dflume.monitoring.type=CLASS         a monitor of your own, in a JVM with Flume's jars
  -Dcom.sun.management.jmxremote.port=PORT  counters over JMX, by such a JVM; more of jmxremote's properties as for Java
  -Dflume.bridge.heap=SIZE              the heap of the JVM for Java components (64m); -Xmx, JAVA_OPTS count as well
  -Dflume.bridge.aside=DIR              where batches are kept that end the JVM again and again (~/.flume/set-aside)

A changed file is read again: what has changed stops and starts, all else goes on, and a channel keeps what it holds. A
file with errors is not taken. `check --diff OLD NEW` prints what a change does.

Signals: SIGTERM or SIGINT stops the sources, lets the sinks empty the channels, then exits. A second one exits at
once. SIGHUP reads the configuration again; it stops the process with --no-reload-conf, or when its terminal is gone. It
is ignored if it was ignored at the start, as under nohup. SIGQUIT prints what each component is doing. Other signals
are ignored.

Exit codes: 0 stopped as requested; 1 could not start or continue; 2 the command line or the configuration is wrong;
3 stopped, but events were lost or a component did not stop; 4 this build or this host lacks a component that the
configuration names; 130 or 143 ended at once by a second signal.

Examples:
  {role} -n a1 -f flume.conf
  {role} agent -n agent1 -c ../conf -f flume-client.conf -Dflume.root.logger=DEBUG,console
  {role} -n a1 -z zk1:2181,zk2:2181,zk3:2181
  {role} check -n a1 -f flume.conf

Defaults of options may stand in /etc/flume/flume.opts, or else in a `flume.opts` of the configuration directory: lines
such as `zkConnString = zk1:2181`. What the command line says wins."
)]
pub(crate) struct RunOptions {
    /// Which agent of the file to run
    #[arg(short, long, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// A properties file. Repeat it for several files; a key in a later file wins
    #[arg(short = 'f', long, value_name = "FILE")]
    pub(crate) conf_file: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) java: JavaOptions,

    /// Do not read a changed file again while the process runs; SIGHUP stops it then
    #[arg(long)]
    pub(crate) no_reload_conf: bool,

    /// Check the configuration, print the findings and do not start
    #[arg(short, long)]
    pub(crate) dryrun: bool,

    #[command(flatten)]
    pub(crate) ours: Ours,

    /// How long to drain channels at shutdown, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub(crate) drain_timeout: Duration,

    /// Format of log lines: `flume`, or `json` for one object per line
    #[arg(long, value_name = "FORMAT", default_value = "flume", value_parser = ["flume", "json"],
        hide_possible_values = true)]
    pub(crate) log_format: String,

    /// Print this text
    #[arg(short, long, action = ArgAction::HelpLong)]
    help: Option<bool>,

    #[command(flatten)]
    pub(crate) central: Central,
}

/// Where a JVM and its classes come from, should a component need them.
#[derive(Debug, clap::Args)]
pub(crate) struct JavaOptions {
    /// Flume's configuration directory: its `log4j2.xml` or `log4j.properties` counts, and its `flume-env.sh` when a component needs a JVM
    #[arg(short, long, value_name = "DIR")]
    pub(crate) conf: Option<PathBuf>,

    /// Jars and folders for Java components, with colons between, besides those of FLUME_HOME
    #[arg(short = 'C', long, value_name = "PATH")]
    pub(crate) classpath: Option<String>,

    /// Folders of plugins, in place of FLUME_HOME/plugins.d
    #[arg(long, value_name = "DIRS")]
    pub(crate) plugins_path: Option<String>,
}

/// Options of `check`.
#[derive(Debug, Parser)]
#[command(
    name = "check",
    disable_help_flag = true,
    disable_version_flag = true,
    override_usage = "{role} check -n NAME -f FILE [OPTIONS]
       {role} check -n NAME --diff OLD NEW [OPTIONS]",
    long_about = "Checks an agent's configuration. The first line says whether the agent runs here and in Flume, and what prevents it.
Then comes all that is wrong or doubtful: where it is, what Flume would do with it, what happens here, how to write it
correctly. Nothing is started, and no port is opened. Where a component needs a JVM, one is started to see whether its
class is there and takes its properties.",
    after_long_help = "-Dkey=value has the same effect as at the start: in substitutions, and as -Dagent1.sources.r1.port=4141.

Exit codes: 0 nothing is wrong, or there are warnings only; 1 warnings, with --deny-warnings; 2 the configuration is
wrong; 4 nothing is wrong with it, and this build or this host lacks a component that it names, a class, or a JVM."
)]
pub(crate) struct CheckOptions {
    /// Which agent of the file to check
    #[arg(short, long, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// A properties file. Repeat it for several files; a key in a later file wins
    #[arg(short = 'f', long, value_name = "FILE")]
    pub(crate) conf_file: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) java: JavaOptions,

    /// Print one JSON object, for programs
    #[arg(long)]
    pub(crate) json: bool,

    /// Print what a running agent does when the file OLD becomes NEW: what stops, what starts, what goes on
    #[arg(long, value_names = ["OLD", "NEW"], num_args = 2, conflicts_with_all = ["conf_file", "json"])]
    pub(crate) diff: Vec<PathBuf>,

    /// Exit with 1 if there are warnings
    #[arg(long)]
    pub(crate) deny_warnings: bool,

    #[command(flatten)]
    pub(crate) ours: Ours,

    /// Accepted
    #[arg(long, hide = true)]
    pub(crate) no_reload_conf: bool,

    /// Print this text
    #[arg(short, long, action = ArgAction::HelpLong)]
    help: Option<bool>,

    #[command(flatten)]
    pub(crate) central: Central,
}

/// Options of `avro-client`, in Flume's words.
#[derive(Debug, Parser)]
#[command(
    name = "avro-client",
    disable_help_flag = true,
    disable_version_flag = true,
    override_usage = "{role} avro-client -H HOST -p PORT [-F FILE | --dirname DIR] [-R FILE]
       {role} avro-client -P FILE [-F FILE | --dirname DIR] [-R FILE]",
    long_about = "Sends lines to collectors, native nodes or Flumes, one event per line: the lines of a file, of all files of a directory,
or of standard input. It prints nothing if all of them arrive. Lines end at LF, CR or CRLF, as in Flume's client.",
    after_long_help = "Properties for -P:
  hosts = h1 h2                     names, each with an address: hosts.h1 = collector1:4141
  client.type                       default: the first host; default_failover: the next host when one fails;
                                    default_loadbalance: another host for each batch; thrift: the first host, a
                                    Thrift source; or a Java class, for which Flume's own client runs: Kerberos over
                                    Thrift is org.apache.flume.api.SecureThriftRpcClient
  protocol                          of thrift: compact, as unless it is set, or binary
  batch-size                        events in a batch (100)
  connect-timeout, request-timeout  milliseconds (20000)
  max-attempts                      of default_failover: tries for a batch (the number of hosts)
  host-selector                     of default_loadbalance: ROUND_ROBIN, RANDOM or a Java class, as for client.type
  backoff, maxBackoff               of default_loadbalance: with true a failed host is not tried for 2, 4, 8 seconds
                                    and so on, up to maxBackoff milliseconds (30000)
  compression-type                  deflate or none; compression-level 0 to 9 (6)
  ssl, truststore, truststore-password, verify-hostname, ... as for an avro sink

-Dflume.root.logger=DEBUG,console prints each step.

Exit codes: 0 all events arrived; 1 some did not; 2 the command line or the properties are wrong, and nothing was sent;
4 a Java class is asked for, and there is no JVM or no Flume. With a Java class the exit code is that of Flume's client,
which is 0 whatever becomes of the events.

Examples:
  {role} avro-client -H localhost -p 4141 -F app.log
  tail -n 100 app.log | {role} avro-client -P collectors.properties -R headers.properties"
)]
pub(crate) struct ClientOptions {
    /// The collector's host
    #[arg(short = 'H', long, value_name = "HOST")]
    pub(crate) host: Option<String>,

    /// The collector's port
    #[arg(short, long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: Option<u16>,

    /// A properties file that names the hosts and how to send to them
    #[arg(short = 'P', long = "rpcProps", value_name = "FILE")]
    pub(crate) rpc_props: Option<PathBuf>,

    /// Send the lines of this file instead of standard input
    #[arg(short = 'F', long, value_name = "FILE")]
    pub(crate) filename: Option<PathBuf>,

    /// Send the files of this directory, the oldest first. Each is renamed to FILE.COMPLETED when it has arrived
    #[arg(long, value_name = "DIR")]
    pub(crate) dirname: Option<PathBuf>,

    /// A properties file whose entries become headers of every event
    #[arg(short = 'R', long = "headerFile", value_name = "FILE")]
    pub(crate) header_file: Option<PathBuf>,

    /// For a Java class: Flume's configuration directory, with its `flume-env.sh` and its file of log4j
    #[arg(short, long, value_name = "DIR")]
    pub(crate) conf: Option<PathBuf>,

    /// For a Java class: jars and folders, with colons between, besides those of FLUME_HOME
    #[arg(short = 'C', long, value_name = "PATH")]
    pub(crate) classpath: Option<String>,

    /// For a Java class: folders of plugins, in place of FLUME_HOME/plugins.d
    #[arg(long, value_name = "DIRS")]
    pub(crate) plugins_path: Option<String>,

    /// Print this text
    #[arg(short, long, action = ArgAction::HelpLong)]
    help: Option<bool>,
}

/// Options of `push`.
#[derive(Debug, Parser)]
#[command(
    name = "push",
    disable_help_flag = true,
    disable_version_flag = true,
    override_usage = "{role} push -n NAME -f FILE -z HOSTS [-p PATH] [OPTIONS]",
    long_about = "Checks an agent's file and writes it into ZooKeeper, as node PATH/NAME. Agents that run with -z, native or Flume's, read
it there. It prints the findings of `check` and what it wrote; a file with errors is not written. What somebody else has
written meanwhile is not overwritten.",
    after_long_help = "Exit codes: 0 the node has the text; 1 ZooKeeper is away, or somebody else was faster; 2 the command line or the file
is wrong; 4 this build or this host lacks a component that the file names.

Example:
  {role} push -z zk1:2181,zk2:2181 -n a1 -f flume.conf"
)]
pub(crate) struct PushOptions {
    /// Which agent of the file it is
    #[arg(short, long, value_name = "NAME")]
    pub(crate) name: String,

    /// The properties file
    #[arg(short = 'f', long, value_name = "FILE")]
    pub(crate) conf_file: PathBuf,

    /// ZooKeeper's servers: HOST:PORT,HOST:PORT
    #[arg(short = 'z', long = "zkConnString", value_name = "HOSTS")]
    pub(crate) zk_connection: String,

    /// Where in ZooKeeper the nodes of agents are (/flume)
    #[arg(short = 'p', long = "zkBasePath", value_name = "PATH")]
    pub(crate) zk_base_path: Option<String>,

    /// Write only if the node is at this version: the one that your file was made from
    #[arg(long, value_name = "VERSION")]
    pub(crate) if_version: Option<i32>,

    #[command(flatten)]
    pub(crate) java: JavaOptions,

    #[command(flatten)]
    pub(crate) ours: Ours,

    /// Print this text
    #[arg(short, long, action = ArgAction::HelpLong)]
    help: Option<bool>,
}

/// Options of `storm-spout`: those of a run.
#[derive(Debug, Parser)]
#[command(
    name = "storm-spout",
    disable_help_flag = true,
    disable_version_flag = true,
    override_usage = "{role} storm-spout -n NAME -f FILE [OPTIONS]",
    long_about = "Runs an agent whose sources feed a Storm topology. Storm's ShellSpout starts it: standard input and output belong to
Storm's multilang protocol, and log lines go to the worker's log.

The file has a channel of type `storm` and no sink behind it. What a source puts there is acknowledged to its sender when
Storm has acknowledged all its tuples. A tuple has three fields: headers, body, and `utf-8` or, for a body that is not
UTF-8, `base64`.",
    after_long_help = "The file is not read again while the process runs: restart the topology's worker instead. The process ends with its
standard input, and when it is told to by SIGTERM; its senders keep what was not acknowledged.

Example of a file:
  a1.sources = r1
  a1.channels = c1
  a1.sources.r1.type = avro
  a1.sources.r1.bind = 0.0.0.0
  a1.sources.r1.port = 4141
  a1.sources.r1.channels = c1
  a1.channels.c1.type = storm
  a1.channels.c1.ackTimeout = 15

ackTimeout (seconds) is how long a batch may wait for its acknowledgements before it is refused, so that its sender tries
again or takes another host; capacity (10000 events) is what may wait at a time.

Exit codes are those of a run."
)]
pub(crate) struct SpoutOptions {
    #[command(flatten)]
    pub(crate) run: RunOptions,
}

/// How a file is read.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Ours {
    /// Read values exactly as Flume does: ` # text` behind a value is part of it
    #[arg(long)]
    pub(crate) strict_flume: bool,

    /// Start an agent that Flume runs in part, as Flume does: without what has errors, which is told
    #[arg(long)]
    pub(crate) start_in_part: bool,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}
