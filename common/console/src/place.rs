//! Where Flume says what we say too.
//!
//! A place is a thread and a location, as `%t` and `%l` print them, in one string with `|` between: a slog tag. A record
//! with such a tag is printed at Flume's place and without the logger's own key-values, so that its line is Flume's byte
//! for byte; a key `thread` of the record itself names another thread.
//!
//! ```text
//! info!(log, #place::AVRO_SOURCE_STARTED, "Avro source {name} started.");
//! ```
//!
//! Source: the console of Flume 1.9.0, run with `DEBUG,console`; for the avro source's start the lesson's own console
//! (1.8.0). [`fact`](crate::fact) has the texts that belong here.

/// A counter group begins: `Component type: SOURCE, name: r1 started`.
pub const COMPONENT_STARTED: &str = "lifecycleSupervisor-1-4|\
    org.apache.flume.instrumentation.MonitoredCounterGroup.start(MonitoredCounterGroup.java:95)";
/// A counter group ends.
pub const COMPONENT_STOPPED: &str = "agent-shutdown-hook|\
    org.apache.flume.instrumentation.MonitoredCounterGroup.stop(MonitoredCounterGroup.java:149)";
/// One counter of a group that has ended.
pub const SHUTDOWN_METRIC: &str = "agent-shutdown-hook|\
    org.apache.flume.instrumentation.MonitoredCounterGroup.stop(MonitoredCounterGroup.java:177)";

/// `Starting Channel c1`.
pub const STARTING_CHANNEL: &str =
    "main|org.apache.flume.node.Application.startAllComponents(Application.java:169)";
/// `Starting Sink k1`, or the name of its group.
pub const STARTING_SINK: &str =
    "main|org.apache.flume.node.Application.startAllComponents(Application.java:196)";
/// `Starting Source r1`.
pub const STARTING_SOURCE: &str =
    "main|org.apache.flume.node.Application.startAllComponents(Application.java:207)";
/// `Stopping Source r1`.
pub const STOPPING_SOURCE: &str =
    "agent-shutdown-hook|org.apache.flume.node.Application.stopAllComponents(Application.java:129)";
/// `Stopping Sink k1`.
pub const STOPPING_SINK: &str =
    "agent-shutdown-hook|org.apache.flume.node.Application.stopAllComponents(Application.java:139)";
/// `Stopping Channel c1`.
pub const STOPPING_CHANNEL: &str =
    "agent-shutdown-hook|org.apache.flume.node.Application.stopAllComponents(Application.java:149)";

/// An avro source is about to listen.
pub const AVRO_SOURCE_STARTING: &str =
    "lifecycleSupervisor-1-4|org.apache.flume.source.AvroSource.start(AvroSource.java:193)";
/// An avro source listens.
pub const AVRO_SOURCE_STARTED: &str =
    "lifecycleSupervisor-1-4|org.apache.flume.source.AvroSource.start(AvroSource.java:260)";
/// An avro source stops.
pub const AVRO_SOURCE_STOPPING: &str =
    "agent-shutdown-hook|org.apache.flume.source.AvroSource.stop(AvroSource.java:255)";
/// An avro source has stopped.
pub const AVRO_SOURCE_STOPPED: &str =
    "agent-shutdown-hook|org.apache.flume.source.AvroSource.stop(AvroSource.java:281)";
/// An event batch came in (DEBUG).
pub const AVRO_SOURCE_BATCH: &str =
    "New I/O worker #1|org.apache.flume.source.AvroSource.appendBatch(AvroSource.java:336)";
/// What happens to a connection of an avro source.
pub const AVRO_CONNECTION: &str = "New I/O worker #1|org.apache.avro.ipc.NettyServer$NettyServerAvroHandler.handleUpstream(NettyServer.java:171)";
/// A connection of an avro source is gone.
pub const AVRO_CONNECTION_CLOSED: &str = "New I/O worker #1|org.apache.avro.ipc.NettyServer$NettyServerAvroHandler.channelClosed(NettyServer.java:209)";

/// An exec source starts its command.
pub const EXEC_STARTING: &str =
    "lifecycleSupervisor-1-1|org.apache.flume.source.ExecSource.start(ExecSource.java:170)";
/// An exec source is told to stop.
pub const EXEC_STOPPING: &str =
    "agent-shutdown-hook|org.apache.flume.source.ExecSource.stop(ExecSource.java:190)";
/// An exec source's command has ended.
pub const EXEC_EXITED: &str =
    "pool-4-thread-1|org.apache.flume.source.ExecSource$ExecRunnable.run(ExecSource.java:379)";

/// An avro sink starts.
pub const RPC_SINK_STARTING: &str =
    "lifecycleSupervisor-1-0|org.apache.flume.sink.AbstractRpcSink.start(AbstractRpcSink.java:294)";
/// An avro sink has started.
pub const RPC_SINK_STARTED: &str =
    "lifecycleSupervisor-1-0|org.apache.flume.sink.AbstractRpcSink.start(AbstractRpcSink.java:308)";
/// An avro sink connects.
pub const RPC_SINK_BUILDING: &str = "lifecycleSupervisor-1-0|org.apache.flume.sink.AbstractRpcSink.createConnection(AbstractRpcSink.java:212)";
/// An avro sink stops.
pub const RPC_SINK_STOPPING: &str =
    "agent-shutdown-hook|org.apache.flume.sink.AbstractRpcSink.stop(AbstractRpcSink.java:313)";

/// A sink of a failover group has failed (WARN).
pub const FAILOVER_SINK_FAILED: &str = "SinkRunner-PollingRunner-FailoverSinkProcessor|\
    org.apache.flume.sink.FailoverSinkProcessor.process(FailoverSinkProcessor.java:188)";

/// An event that a logger sink prints, on a sink that is in no group.
pub const LOGGER_SINK: &str = "SinkRunner-PollingRunner-DefaultSinkProcessor|\
    org.apache.flume.sink.LoggerSink.process(LoggerSink.java:95)";
/// The same within a failover group.
pub const LOGGER_SINK_FAILOVER: &str = "SinkRunner-PollingRunner-FailoverSinkProcessor|\
    org.apache.flume.sink.LoggerSink.process(LoggerSink.java:95)";
/// The same within a load balancing group.
pub const LOGGER_SINK_LOAD_BALANCING: &str = "SinkRunner-PollingRunner-LoadBalancingSinkProcessor|\
    org.apache.flume.sink.LoggerSink.process(LoggerSink.java:95)";

/// The place of a line that another program's thread has said under this logger's name.
pub fn of(thread: &str, logger: &str) -> String {
    format!("{}|{logger}", thread.replace('|', "/"))
}

/// Thread and location of a tag, or `None` when it is no place.
pub(crate) fn split(tag: &str) -> Option<(&str, &str)> {
    tag.split_once('|')
}
