//! The sources.

use super::{
    Bad, COMPRESSION, Property, SERVER_TLS, Type, Value, at_least, long, not_here, optional, required, runs,
    with,
};

pub(super) const SOURCES: &[Type] = &[
    runs("avro", "org.apache.flume.source.AvroSource", &[AVRO, SERVER_TLS], None),
    runs("exec", "org.apache.flume.source.ExecSource", &[EXEC], Some("batchSize")),
    runs("netcat", "org.apache.flume.source.NetcatSource", &[NETCAT], None),
    runs("seq", "org.apache.flume.source.SequenceGeneratorSource", &[SEQ, POLLED], Some("batchSize")),
    runs("taildir", "org.apache.flume.source.taildir.TaildirSource", &[TAILDIR, POLLED], Some("batchSize")),
    not_here("thrift", "org.apache.flume.source.ThriftSource"),
    not_here("jms", "org.apache.flume.source.jms.JMSSource"),
    not_here("spooldir", "org.apache.flume.source.SpoolDirectorySource"),
    not_here("", "org.apache.flume.source.kafka.KafkaSource"),
    not_here("netcatudp", "org.apache.flume.source.NetcatUdpSource"),
    not_here("syslogtcp", "org.apache.flume.source.SyslogTcpSource"),
    not_here("multiport_syslogtcp", "org.apache.flume.source.MultiportSyslogTCPSource"),
    not_here("syslogudp", "org.apache.flume.source.SyslogUDPSource"),
    not_here("http", "org.apache.flume.source.http.HTTPSource"),
    not_here("", "org.apache.flume.source.StressSource"),
    not_here("", "org.apache.flume.source.scribe.ScribeSource"),
    not_here("", "org.apache.flume.source.avroLegacy.AvroLegacySource"),
    not_here("", "org.apache.flume.source.thriftLegacy.ThriftLegacySource"),
    not_here("", "org.apache.flume.source.twitter.TwitterSource"),
];

const NO_BIND: Bad = Bad::Says("never opens the port, and tries again every 3 s for ever");

const NO_PAUSE: Bad = Bad::Says("starts, and fails where it should pause");

const AVRO: &[Property] = &[
    required("bind", Value::Host).bad(NO_BIND),
    required("port", Value::Port).outside(NO_BIND),
    with(
        "threads",
        Value::Unused(
            "connections have no threads of their own; Flume reads it since 1.10 and does not use it",
        ),
        "0",
    ),
    with("compression-type", Value::Choice(COMPRESSION), "none").lenient(),
    with("ipFilter", Value::Flag, "false"),
    optional("ipFilterRules", Value::Text),
    MAX_FRAME_BYTES,
    optional("maxMemoryBytes", long(0, "bytes")).bad(IGNORED),
    with("maxConnections", at_least(1, "connections"), "16384").bad(IGNORED),
    MAX_IDLE_SECONDS,
];

const IGNORED: Bad = Bad::Says("has no such property and ignores it");

/// Ours: Flume takes frames of any size. 96 MiB, so that a batch of 64 MiB passes; the least holds any handshake.
const MAX_FRAME_BYTES: Property =
    with("maxFrameBytes", at_least(64 << 10, "bytes"), "100663296").bad(IGNORED);

/// Ours: Flume keeps a silent connection for ever. A day; 0 is for ever.
const MAX_IDLE_SECONDS: Property = with("maxIdleSeconds", at_least(0, "seconds"), "86400").bad(IGNORED);

const EXEC: &[Property] = &[
    required("command", Value::Free),
    optional("shell", Value::Text),
    with("restart", Value::Flag, "false"),
    with("restartThrottle", long(0, "ms"), "10000")
        .outside(Bad::Says("does not wait before it runs the command again")),
    with("logStdErr", Value::Flag, "false"),
    with("batchSize", at_least(1, "events"), "20").outside(Bad::Says("sends each line by itself")),
    with("batchTimeout", long(1, "ms"), "3000").outside(Bad::Says("fails as soon as it runs the command")),
    with("charset", Value::Charset, "UTF-8"),
];

const NETCAT: &[Property] = &[
    required("bind", Value::Host).bad(NO_BIND),
    required("port", Value::Port).outside(NO_BIND),
    with("max-line-length", at_least(1, "characters"), "512").outside(Bad::Says("refuses every line")),
    with("ack-every-event", Value::Flag, "true"),
    with("encoding", Value::Charset, "utf-8")
        .bad(Bad::Says("knows more of them; with one that it does not know, every connection fails")),
    with("maxConnections", at_least(1, "connections"), "4096").bad(IGNORED),
    MAX_IDLE_SECONDS,
];

const SEQ: &[Property] = &[
    with("batchSize", at_least(1, "events"), "1"),
    with("totalEvents", long(0, "events"), "9223372036854775807").outside(Bad::Says("sends nothing")),
];

const TAILDIR: &[Property] = &[
    required("filegroups", Value::List),
    optional("filegroups.", Value::Path),
    optional("positionFile", Value::Path),
    optional("headers.", Value::Text),
    with("byteOffsetHeader", Value::Flag, "false"),
    with("skipToEnd", Value::Flag, "false"),
    with("idleTimeout", at_least(0, "ms"), "120000")
        .outside(Bad::Says("closes each file as soon as it looks")),
    with("writePosInterval", at_least(1, "ms"), "3000")
        .outside(Bad::Says("fails to start, and tries again every 3 s for ever")),
    with("batchSize", at_least(1, "events"), "100").outside(Bad::Says("reads nothing")),
    with("maxBatchCount", long(1, "batches"), "9223372036854775807").outside(Bad::Default),
    with("cachePatternMatching", Value::Flag, "true"),
    with("fileHeader", Value::Flag, "false"),
    with("fileHeaderKey", Value::Text, "file"),
];

const POLLED: &[Property] = &[
    with("backoffSleepIncrement", long(0, "ms"), "1000").outside(NO_PAUSE),
    with("maxBackoffSleep", long(0, "ms"), "5000").outside(NO_PAUSE),
];
