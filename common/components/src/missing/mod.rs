//! What Flume has and this crate has not: it runs in a crate of its own, or in a JVM with Flume's jars. What their properties
//! are stands here all the same, so that a wrong key is told wherever they run.

pub mod hdfs;
pub mod kafka;

use plan::{ComponentPlan, Descriptor, Findings, Kind, Plan, Property, Report, Value};

/// Headers from outside, by the name that the event has for them.
const HEADERS: &[Property] = &[Property::optional("header.", Value::Text)];

/// Judges what runs in a JVM as far as its properties tell. What runs natively judges itself.
pub(crate) fn judge(plan: &Plan, report: &mut Report) {
    let sources = plan.sources.iter().map(|source| &source.component);
    let sinks = plan.sinks.iter().map(|sink| &sink.component);
    for component in plan.channels.iter().chain(sources).chain(sinks) {
        if component.hosted().is_some() {
            one(component, report);
        }
    }
}

fn one(component: &ComponentPlan, report: &mut Report) {
    let rules = match component.descriptor.names.class {
        class if class == kafka::SOURCE.names.class => kafka::source,
        class if class == kafka::CHANNEL.names.class => kafka::channel,
        class if class == kafka::SINK.names.class => kafka::sink,
        class if class == hdfs::SINK.names.class => hdfs::sink,
        _ => return,
    };
    rules(&component.properties, &mut Findings::new(&component.owner, &component.properties, report));
}

/// One row each.
pub const MISSING: &[Descriptor] = &[
    source("jms", "org.apache.flume.source.jms.JMSSource"),
    kafka::SOURCE,
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
    kafka::CHANNEL,
    hdfs::SINK,
    kafka::SINK,
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
    Descriptor::missing(Kind::Serializer, "", "org.apache.flume.sink.hdfs.AvroEventSerializer$Builder")
        .in_builds_with("hdfs"),
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
