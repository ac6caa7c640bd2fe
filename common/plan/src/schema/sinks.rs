//! The sinks.

use super::{
    Bad, CLIENT_TLS, COMPRESSION, Kind, Property, Type, Value, at_least, not_here, optional, required, runs,
    with,
};

pub(super) const SINKS: &[Type] = &[
    runs("avro", "org.apache.flume.sink.AvroSink", &[AVRO, CLIENT, CLIENT_TLS], Some("batch-size")),
    runs("file_roll", "org.apache.flume.sink.RollingFileSink", &[FILE_ROLL], Some("sink.batchSize")),
    runs("logger", "org.apache.flume.sink.LoggerSink", &[LOGGER], None),
    runs("null", "org.apache.flume.sink.NullSink", &[NULL], Some("batchSize")),
    not_here("thrift", "org.apache.flume.sink.ThriftSink"),
    not_here("hdfs", "org.apache.flume.sink.hdfs.HDFSEventSink"),
    not_here("", "org.apache.flume.sink.kafka.KafkaSink"),
    not_here("http", "org.apache.flume.sink.http.HttpSink"),
    not_here("irc", "org.apache.flume.sink.irc.IRCSink"),
    not_here("hive", "org.apache.flume.sink.hive.HiveSink"),
    not_here("hbase2", "org.apache.flume.sink.hbase2.HBase2Sink"),
    not_here("hbase", "org.apache.flume.sink.hbase.HBaseSink"),
    not_here("asynchbase", "org.apache.flume.sink.hbase.AsyncHBaseSink"),
    not_here("", "org.apache.flume.sink.kudu.KuduSink"),
    not_here("morphline_solr", "org.apache.flume.sink.solr.morphline.MorphlineSolrSink"),
    not_here("", "org.apache.flume.sink.solr.morphline.MorphlineSink"),
    not_here("elasticsearch", "org.apache.flume.sink.elasticsearch.ElasticSearchSink"),
    not_here("", "org.apache.flume.sink.kite.DatasetSink"),
];

const NEVER_CONNECTS: Bad = Bad::Says("never connects, and tries again every 5 s for ever");

const AVRO: &[Property] = &[
    required("hostname", Value::Host).bad(NEVER_CONNECTS),
    required("port", Value::Port).outside(NEVER_CONNECTS),
    with("batch-size", at_least(1, "events"), "100").lenient(),
    with("connect-timeout", at_least(1000, "ms"), "20000").lenient(),
    with("request-timeout", at_least(1000, "ms"), "20000").lenient(),
    with("reset-connection-interval", at_least(0, "s"), "0").outside(Bad::Default),
    with("compression-type", Value::Choice(COMPRESSION), "none").lenient(),
    with("compression-level", Value::Number { min: 0, max: 9, unit: "" }, "6")
        .bad(Bad::Says("takes 6 for a word, and fails at every connect for a number out of range")),
    optional(
        "maxIoWorkers",
        Value::Unused("connections have no threads of their own; Flume warns of it since 1.10"),
    ),
];

/// Flume hands all keys of the sink to its client factory, so the client's own work here too.
const CLIENT: &[Property] = &[
    with("client.type", Value::Choice(&["default", "default_failover", "default_loadbalance"]), "default")
        .bad(Bad::Says("never gets a client, and tries again every 5 s for ever")),
    optional("hosts", Value::List),
    optional("hosts.", Value::Text),
    optional("max-attempts", at_least(0, "attempts")).lenient(),
    with("host-selector", Value::Choice(&["round_robin", "random"]), "round_robin").lenient(),
    with("backoff", Value::Flag, "false"),
    with("maxBackoff", at_least(0, "ms"), "30000").lenient(),
];

const LOGGER: &[Property] = &[with("maxBytesToLog", at_least(0, "bytes"), "16").lenient()];

const NULL: &[Property] = &[
    with("batchSize", at_least(1, "events"), "100"),
    with("logEveryNEvents", at_least(1, "events"), "10000"),
];

const FILE_ROLL: &[Property] = &[
    required("sink.directory", Value::Path),
    with("sink.rollInterval", Value::Number { min: i64::MIN, max: i64::MAX, unit: "s" }, "30"),
    with("sink.batchSize", at_least(1, "events"), "100").outside(Bad::Says("delivers nothing")),
    with("sink.serializer", Value::Type(Kind::Serializer), "TEXT"),
    optional("sink.serializer.", Value::Text),
    with("sink.pathManager", Value::Type(Kind::PathManager), "DEFAULT"),
    optional("sink.pathManager.", Value::Text),
];
