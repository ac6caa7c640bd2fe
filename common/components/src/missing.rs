//! What Flume has and this has not.

use plan::{Descriptor, Kind};

/// One row each.
pub const MISSING: &[Descriptor] = &[
    source("jms", "org.apache.flume.source.jms.JMSSource"),
    source("", "org.apache.flume.source.kafka.KafkaSource").since("1.6.0"),
    source("", "org.apache.flume.source.scribe.ScribeSource"),
    source("", "org.apache.flume.source.avroLegacy.AvroLegacySource").until("1.9.0"),
    source("", "org.apache.flume.source.thriftLegacy.ThriftLegacySource").until("1.9.0"),
    source("", "org.apache.flume.source.twitter.TwitterSource"),
    channel("file", "org.apache.flume.channel.file.FileChannel").durable().mistaken(&[
        ("disk", ""),
        ("files", ""),
        ("disc", ""),
        ("durable", ""),
        ("persistent", ""),
    ]),
    channel("spillablememory", "org.apache.flume.channel.SpillableMemoryChannel"),
    channel("jdbc", "org.apache.flume.channel.jdbc.JdbcChannel").durable(),
    channel("", "org.apache.flume.channel.kafka.KafkaChannel").durable().shared().since("1.6.0"),
    sink("hdfs", "org.apache.flume.sink.hdfs.HDFSEventSink").durable().mistaken(&[("hadoop", "")]),
    sink("", "org.apache.flume.sink.kafka.KafkaSink").durable().since("1.6.0"),
    sink("irc", "org.apache.flume.sink.irc.IRCSink"),
    sink("hive", "org.apache.flume.sink.hive.HiveSink").since("1.6.0"),
    sink("hbase2", "org.apache.flume.sink.hbase2.HBase2Sink").since("1.9.0"),
    sink("hbase", "org.apache.flume.sink.hbase.HBaseSink"),
    sink("asynchbase", "org.apache.flume.sink.hbase.AsyncHBaseSink"),
    sink("", "org.apache.flume.sink.kudu.KuduSink").since("1.9.0"),
    sink("morphline_solr", "org.apache.flume.sink.solr.morphline.MorphlineSolrSink"),
    sink("", "org.apache.flume.sink.solr.morphline.MorphlineSink"),
    sink("elasticsearch", "org.apache.flume.sink.elasticsearch.ElasticSearchSink").until("1.9.0"),
    sink("", "org.apache.flume.sink.kite.DatasetSink").until("1.9.0"),
    Descriptor::missing(
        Kind::Interceptor,
        "",
        "org.apache.flume.sink.solr.morphline.MorphlineInterceptor$Builder",
    ),
    Descriptor::missing(Kind::Serializer, "", "org.apache.flume.sink.hdfs.AvroEventSerializer$Builder"),
    Descriptor::missing(
        Kind::ConfigFilter,
        "hadoop",
        "org.apache.flume.configfilter.HadoopCredentialStoreConfigFilter",
    ),
];

const fn source(alias: &'static str, class: &'static str) -> Descriptor {
    Descriptor::missing(Kind::Source, alias, class)
}

const fn channel(alias: &'static str, class: &'static str) -> Descriptor {
    Descriptor::missing(Kind::Channel, alias, class)
}

const fn sink(alias: &'static str, class: &'static str) -> Descriptor {
    Descriptor::missing(Kind::Sink, alias, class)
}
