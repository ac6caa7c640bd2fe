//! Lines that Flume prints, word for word, at the level at which it prints them.

use crate::place;
use slog::{Logger, info, warn};
use std::{
    fmt::{self, Display},
    net::{IpAddr, SocketAddr},
};

/// What a component is, as Flume's counter groups name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComponentType {
    /// `SOURCE`
    Source,
    /// `CHANNEL`
    Channel,
    /// `SINK`
    Sink,
}

impl Display for ComponentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ComponentType::Source => "SOURCE",
            ComponentType::Channel => "CHANNEL",
            ComponentType::Sink => "SINK",
        })
    }
}

/// `Starting Channel c1`, `Starting Sink k1` (a group's name for its sinks), `Starting Source r1`.
pub fn starting(log: &Logger, kind: ComponentType, name: &str) {
    match kind {
        ComponentType::Channel => info!(log, #place::STARTING_CHANNEL, "Starting Channel {name}"),
        ComponentType::Sink => info!(log, #place::STARTING_SINK, "Starting Sink {name}"),
        ComponentType::Source => info!(log, #place::STARTING_SOURCE, "Starting Source {name}"),
    }
}

/// `Stopping Source r1` and its like.
pub fn stopping(log: &Logger, kind: ComponentType, name: &str) {
    match kind {
        ComponentType::Channel => info!(log, #place::STOPPING_CHANNEL, "Stopping Channel {name}"),
        ComponentType::Sink => info!(log, #place::STOPPING_SINK, "Stopping Sink {name}"),
        ComponentType::Source => info!(log, #place::STOPPING_SOURCE, "Stopping Source {name}"),
    }
}

/// `Component type: SOURCE, name: r1 started`.
pub fn component_started(log: &Logger, kind: ComponentType, name: &str) {
    let thread = match kind {
        ComponentType::Source => "lifecycleSupervisor-1-4",
        ComponentType::Channel | ComponentType::Sink => "lifecycleSupervisor-1-0",
    };
    info!(log, #place::COMPONENT_STARTED, "Component type: {kind}, name: {name} started"; "thread" => thread);
}

/// `Component type: SOURCE, name: r1 stopped`.
pub fn component_stopped(log: &Logger, kind: ComponentType, name: &str) {
    info!(log, #place::COMPONENT_STOPPED, "Component type: {kind}, name: {name} stopped");
}

/// `Shutdown Metric for type: SOURCE, name: r1. src.events.received == 2`: `counter` under Flume's name.
pub fn shutdown_metric(log: &Logger, kind: ComponentType, name: &str, counter: &str, value: impl Display) {
    info!(log, #place::SHUTDOWN_METRIC, "Shutdown Metric for type: {kind}, name: {name}. {counter} == {value}");
}

/// `Starting Avro source r1: { bindAddress: slave3.hanli.com, port: 52020 }...`
pub fn avro_source_starting(log: &Logger, name: &str, bind: &str, port: u16) {
    info!(log, #place::AVRO_SOURCE_STARTING, "Starting {}...", avro_source(name, bind, port));
}

/// `Avro source r1 started.`
pub fn avro_source_started(log: &Logger, name: &str) {
    info!(log, #place::AVRO_SOURCE_STARTED, "Avro source {name} started.");
}

/// `Avro source r1 stopping: Avro source r1: { bindAddress: slave3.hanli.com, port: 52020 }`
pub fn avro_source_stopping(log: &Logger, name: &str, bind: &str, port: u16) {
    let source = avro_source(name, bind, port);
    info!(log, #place::AVRO_SOURCE_STOPPING, "Avro source {name} stopping: {source}");
}

fn avro_source(name: &str, bind: &str, port: u16) -> String {
    format!("Avro source {name}: {{ bindAddress: {bind}, port: {port} }}")
}

/// `Exec source starting with command: tail -F /root/test.log`
pub fn exec_starting(log: &Logger, command: &str) {
    info!(log, #place::EXEC_STARTING, "Exec source starting with command: {command}");
}

/// `Stopping exec source with command: tail -F /root/test.log`
pub fn exec_stopping(log: &Logger, command: &str) {
    info!(log, #place::EXEC_STOPPING, "Stopping exec source with command: {command}");
}

/// `Command [tail -F /root/test.log] exited with 143`: 128 and the signal's number for one that was killed.
pub fn exec_exited(log: &Logger, command: &str, code: i32) {
    info!(log, #place::EXEC_EXITED, "Command [{command}] exited with {code}");
}

/// `Starting RpcSink k1 { host: slave3.hanli.com, port: 52020 }...`
pub fn rpc_sink_starting(log: &Logger, name: &str, host: &str, port: u16) {
    info!(log, #place::RPC_SINK_STARTING, "Starting RpcSink {name} {{ host: {host}, port: {port} }}...");
}

/// `Rpc sink k1: Building RpcClient with hostname: slave3.hanli.com, port: 52020`
pub fn rpc_sink_building(log: &Logger, name: &str, host: &str, port: u16) {
    info!(log, #place::RPC_SINK_BUILDING,
        "Rpc sink {name}: Building RpcClient with hostname: {host}, port: {port}");
}

/// `Rpc sink k1 started.`
pub fn rpc_sink_started(log: &Logger, name: &str) {
    info!(log, #place::RPC_SINK_STARTED, "Rpc sink {name} started.");
}

/// `Rpc sink k1 stopping...`
pub fn rpc_sink_stopping(log: &Logger, name: &str) {
    info!(log, #place::RPC_SINK_STOPPING, "Rpc sink {name} stopping...");
}

/// `Sink k1 failed and has been sent to failover list`, at WARN. Flume prints a stack trace behind it; `why` stands
/// there for it.
pub fn failover_sink_failed(log: &Logger, name: &str, why: &dyn Display) {
    warn!(log, #place::FAILOVER_SINK_FAILED, "Sink {name} failed and has been sent to failover list";
        "error" => %why);
}

/// A connection at an avro source, as Netty 3 tells of it.
#[derive(Debug, Clone, Copy)]
pub struct Connection {
    id: u32,
    peer: SocketAddr,
    local: SocketAddr,
    worker: u32,
}

impl Connection {
    /// `id` is any number that sets it apart; `worker` counts the connections from 1 and names the thread, `New I/O
    /// worker #1`.
    pub fn new(id: u32, peer: SocketAddr, local: SocketAddr, worker: u32) -> Connection {
        Connection { id, peer, local, worker }
    }

    /// The three lines of a new connection: `OPEN`, `BOUND: /192.168.255.123:52020`,
    /// `CONNECTED: /192.168.255.121:51624`.
    pub fn opened(&self, log: &Logger) {
        let (peer, local) = (JavaAddress(self.peer), JavaAddress(self.local));
        self.say(log, "New I/O server boss #3", "=>", format_args!("OPEN"));
        self.say(log, &self.thread(), "=>", format_args!("BOUND: {local}"));
        self.say(log, &self.thread(), "=>", format_args!("CONNECTED: {peer}"));
    }

    /// The four lines of a connection that is gone: `DISCONNECTED`, `UNBOUND`, `CLOSED`, and
    /// `Connection to /192.168.255.121:51624 disconnected.`
    pub fn closed(&self, log: &Logger) {
        let thread = self.thread();
        for what in ["DISCONNECTED", "UNBOUND", "CLOSED"] {
            self.say(log, &thread, ":>", format_args!("{what}"));
        }
        let peer = JavaAddress(self.peer);
        info!(log, #place::AVRO_CONNECTION_CLOSED, "Connection to {peer} disconnected."; "thread" => thread);
    }

    fn thread(&self) -> String {
        format!("New I/O worker #{}", self.worker)
    }

    fn say(&self, log: &Logger, thread: &str, arrow: &str, what: fmt::Arguments<'_>) {
        let (id, peer, local) = (self.id, JavaAddress(self.peer), JavaAddress(self.local));
        info!(log, #place::AVRO_CONNECTION, "[id: 0x{id:08x}, {peer} {arrow} {local}] {what}"; "thread" => thread);
    }
}

/// An address as Java 8 prints it: `/192.168.255.121:51624`, `/0:0:0:0:0:0:0:1:51624`.
#[derive(Debug, Clone, Copy)]
pub struct JavaAddress(pub SocketAddr);

impl Display for JavaAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.ip().to_canonical() {
            IpAddr::V4(ip) => write!(f, "/{ip}")?,
            IpAddr::V6(ip) => {
                let segments = ip.segments().map(|segment| format!("{segment:x}"));
                write!(f, "/{}", segments.join(":"))?;
            }
        }
        write!(f, ":{}", self.0.port())
    }
}
