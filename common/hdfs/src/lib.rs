//! The HDFS sink, without a JVM.
//!
//! What is decided stands in `policy.rs`, `path/` and `format/`, without I/O; `store/` is HDFS, S3 or a local directory;
//! `sink.rs` writes, `closing.rs` completes files beside it, `ledger.rs` remembers which are unfinished.

mod beyond;
mod closing;
mod config;
mod file;
mod format;
mod home;
mod http;
mod ledger;
mod path;
mod policy;
mod sink;
mod sort;
mod store;
mod table;
mod target;
#[cfg(test)]
mod testing;

use components::http1;
use components::missing::hdfs as flumes;
use components::serializer::{CONTAINER_PROPERTIES, judge_container};
use config::Config;
use flow::component::{Component, Configure};
use flow::sink::{SinkContext, remote};
use format::Content;
use plan::{
    Availability, Bad, Descriptor, Findings, Kind, Owner, Problem, Properties, Property, Report, Value,
};
use sink::HdfsSink;
use store::{LocalStore, RemoteStore, S3Store};
use target::Target;

/// Their rows in the catalogue.
pub const COMPONENTS: &[&[&Component]] = &[&[&SINK, &AVRO_SERIALIZER]];

static SINK: Component = Component {
    descriptor: DESCRIPTOR,
    configure: Configure::Sink(|properties, site, findings| {
        judge(properties, findings);
        let variable = |name: &str| std::env::var(name).ok();
        let directories = store::directories(properties.text("hdfs.confDir"), site.conf_dir(), variable);
        let config = Config::new(properties, &directories, site.properties(), findings)?;
        let tls = |findings: &mut Findings<'_>| http1::trusting(std::iter::empty(), site, findings);
        let layers = match (&config.target, &config.content) {
            (Target::S3(bucket), _) if bucket.is_tls() => Some(tls(findings)?),
            // Only the events say whether a schema is ever asked for over TLS.
            (Target::S3(_), _) | (_, Content::Container(..)) => {
                tls(&mut Findings::new(&Owner::nobody(), properties, &mut Report::default()))
            }
            _ => None,
        };
        let config = Config { layers, ..config };
        Some(Box::new(move |context: SinkContext| {
            console::fact::component_started(&context.log, console::fact::ComponentType::Sink, &context.name);
            let config = config.clone();
            Ok(match config.target.clone() {
                Target::S3(bucket) => {
                    let directory = config.state.join("s3").join(&bucket.name);
                    let store = S3Store::new(bucket, config.layers.clone(), directory, config.call_timeout);
                    remote::start(HdfsSink::new(store, config, &context), context)
                }
                Target::Local => remote::start(HdfsSink::new(LocalStore, config, &context), context),
                Target::Hadoop => {
                    let store = RemoteStore::new(config.hadoop.clone());
                    remote::start(HdfsSink::new(store, config, &context), context)
                }
            })
        }))
    }),
};

static DESCRIPTOR: Descriptor = Descriptor {
    properties: &[flumes::SINK.properties[0], OWN],
    availability: Availability::Here,
    beyond: beyond::beyond,
    ..flumes::SINK
};

const NONE: Bad = Bad::Ours("");

/// Ours.
const OWN: &[Property] = &[
    Property::optional("hdfs.stateDir", Value::Path).bad(NONE),
    Property::optional("hdfs.deadLetterDir", Value::Path).bad(NONE),
    Property::optional("hdfs.confDir", Value::Path).bad(NONE),
];

/// `AvroEventSerializer`, for this sink alone.
static AVRO_SERIALIZER: Component = Component {
    descriptor: Descriptor::new(
        Kind::Serializer,
        "",
        SCHEMA_SERIALIZER,
        &[CONTAINER_PROPERTIES, &[Property::optional("schemaURL", Value::Text)]],
    ),
    configure: Configure::Part(judge_container),
};

/// Its name: it has no alias.
const SCHEMA_SERIALIZER: &str = "org.apache.flume.sink.hdfs.AvroEventSerializer$Builder";

/// What no property says alone: Flume's rules, and what is different here.
fn judge(properties: &Properties, findings: &mut Findings<'_>) {
    flumes::keys(properties, findings);
    // Of another one more is known, when its file system is.
    if !flumes::is_relative(properties.word("hdfs.path")) {
        flumes::path(properties, findings);
    }
    for (key, flume, here) in WITHOUT_EFFECT {
        if properties.is_written(key) {
            let what = format!("`{}` has no effect here", findings.key(key));
            let problem = Problem::note("no-effect", &findings.at(key).clone(), what);
            findings.add(problem.flume(*flume).here(*here));
        }
    }
    if target::is_s3(properties.word("hdfs.path")) {
        let what = format!("`{}` is in S3, where no file grows", findings.key("hdfs.path"));
        let problem = Problem::note("acknowledged-here", &findings.at("hdfs.path").clone(), what)
            .flume("acknowledges events that only its memory or its buffers have: a kill loses the files that are open")
            .here("acknowledges what is on this machine's disk, in hdfs.stateDir; a file is an object when it is rolled, \
                whatever hdfs.closeTries says, and the next start with this path uploads what a kill has left");
        findings.add(problem);
    }
}

/// Keys of Flume's that change nothing: what they are for in Flume, and what is here.
const WITHOUT_EFFECT: &[(&str, &str, &str)] = &[
    (
        "hdfs.minBlockReplicas",
        "begins a new file when a block has fewer copies than that",
        "a node that fails is left out, and the file goes on; the NameNode makes the copies that are missing",
    ),
    (
        "hdfs.rollTimerPoolSize",
        "closes files whose time has come in so many threads",
        "one timer looks at all files, and hdfs.threadsPoolSize says how many are closed at a time",
    ),
    (
        "hdfs.useRawLocalFileSystem",
        "if it is true, writes no .crc file beside a file on the local disk",
        "no file has one",
    ),
];
