//! What Flume has and this crate has not: it runs in a crate of its own, or in a JVM with Flume's jars. What their properties
//! are stands here all the same, so that a wrong key is told wherever they run.

pub mod hbase;
pub mod hdfs;
pub mod kafka;
mod others;
mod timestamp;

use plan::{ComponentPlan, Descriptor, Findings, Kind, Plan, Properties, Property, Report, Value, Written};

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
    timestamp::judge(plan, report);
}

fn one(component: &ComponentPlan, report: &mut Report) {
    let rules: fn(&Properties, &mut Findings<'_>) = match component.descriptor.names.class {
        class if class == kafka::SOURCE.names.class => kafka::source,
        class if class == kafka::CHANNEL.names.class => kafka::channel,
        class if class == kafka::SINK.names.class => kafka::sink,
        "org.apache.flume.channel.file.FileChannel" => others::file,
        class if class == hdfs::SINK.names.class => hdfs::sink,
        class if hbase::SINKS.iter().any(|sink| class == sink.names.class) => hbase::sink,
        _ => return,
    };
    rules(&component.properties, &mut Findings::new(&component.owner, &component.properties, report));
}

/// That Flume's Thrift logs in by Kerberos, which the native one does not.
pub(crate) fn kerberos(written: &Written<'_>) -> Option<String> {
    written.is_on("kerberos").then(|| "only Flume's own class has `kerberos = true`".to_owned())
}

/// One row each.
pub const MISSING: &[Descriptor] = &[
    source("jms", "org.apache.flume.source.jms.JMSSource", others::JMS).batch("batchSize"),
    kafka::SOURCE,
    source("", "org.apache.flume.source.scribe.ScribeSource", others::SCRIBE),
    source("", "org.apache.flume.source.avroLegacy.AvroLegacySource", others::LEGACY).until("1.9.0"),
    source("", "org.apache.flume.source.thriftLegacy.ThriftLegacySource", others::LEGACY).until("1.9.0"),
    source("", "org.apache.flume.source.twitter.TwitterSource", others::TWITTER),
    channel("file", "org.apache.flume.channel.file.FileChannel", others::FILE)
        .transaction("transactionCapacity")
        .durable()
        .mistaken(&[("disk", ""), ("files", ""), ("disc", ""), ("durable", ""), ("persistent", "")]),
    channel("spillablememory", "org.apache.flume.channel.SpillableMemoryChannel", others::SPILLABLE)
        .transaction("transactionCapacity"),
    channel("jdbc", "org.apache.flume.channel.jdbc.JdbcChannel", others::JDBC).durable(),
    kafka::CHANNEL,
    hdfs::SINK,
    kafka::SINK,
    sink("irc", "org.apache.flume.sink.irc.IRCSink", others::IRC),
    sink("hive", "org.apache.flume.sink.hive.HiveSink", others::HIVE).batch("batchSize").since("1.6.0"),
    hbase::HBASE2,
    hbase::HBASE,
    hbase::ASYNC,
    sink("", "org.apache.flume.sink.kudu.KuduSink", others::KUDU).since("1.9.0"),
    sink("morphline_solr", "org.apache.flume.sink.solr.morphline.MorphlineSolrSink", others::MORPHLINE)
        .batch("batchSize"),
    sink("", "org.apache.flume.sink.solr.morphline.MorphlineSink", others::MORPHLINE).batch("batchSize"),
    sink("", "org.apache.flume.sink.kite.DatasetSink", others::KITE).until("1.9.0"),
    Descriptor::missing(
        Kind::Interceptor,
        "",
        "org.apache.flume.sink.solr.morphline.MorphlineInterceptor$Builder",
    )
    .asks(others::MORPHLINE_INTERCEPTOR),
    Descriptor::missing(Kind::Serializer, "", "org.apache.flume.sink.hdfs.AvroEventSerializer$Builder")
        .asks(others::AVRO_DATA)
        .in_builds_with("hdfs"),
];

type Groups = &'static [&'static [Property]];

const fn source(alias: &'static str, class: &'static str, properties: Groups) -> Descriptor {
    Descriptor::missing(Kind::Source, alias, class).asks(properties)
}

const fn channel(alias: &'static str, class: &'static str, properties: Groups) -> Descriptor {
    Descriptor::missing(Kind::Channel, alias, class).asks(properties)
}

const fn sink(alias: &'static str, class: &'static str, properties: Groups) -> Descriptor {
    Descriptor::missing(Kind::Sink, alias, class).asks(properties)
}
