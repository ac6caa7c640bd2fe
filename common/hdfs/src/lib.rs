//! The HDFS sink, without a JVM.
//!
//! What is decided stands in `policy.rs`, `path/` and `format/`, without I/O; `store/` is HDFS or a local directory;
//! `sink.rs` writes, `closing.rs` completes files beside it, `ledger.rs` remembers which are unfinished.

mod beyond;
mod closing;
mod config;
mod file;
mod format;
mod ledger;
mod path;
mod policy;
mod sink;
mod sort;
mod store;
mod table;
#[cfg(test)]
mod testing;

use components::missing::hdfs as flumes;
use components::serializer::{CONTAINER_PROPERTIES, judge_container};
use config::{Config, Target};
use flow::component::{Component, Configure};
use flow::sink::{SinkContext, remote};
use plan::{Availability, Bad, Descriptor, Findings, Kind, Problem, Properties, Property, Value};
use sink::HdfsSink;
use store::{LocalStore, RemoteStore};

/// Their rows in the catalogue.
pub const COMPONENTS: &[&[&Component]] = &[&[&SINK, &AVRO_SERIALIZER]];

static SINK: Component = Component {
    descriptor: DESCRIPTOR,
    configure: Configure::Sink(|properties, site, findings| {
        judge(properties, findings);
        let variable = |name: &str| std::env::var(name).ok();
        let directories = store::directories(properties.text("hdfs.confDir"), site.conf_dir(), variable);
        let config = Config::new(properties, &directories, findings)?;
        Some(Box::new(move |context: SinkContext| {
            console::fact::component_started(&context.log, console::fact::ComponentType::Sink, &context.name);
            let config = config.clone();
            Ok(match config.target {
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

const NONE: Bad = Bad::Says("has no such property");

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
    flumes::sink(properties, findings);
    if properties.text("hdfs.minBlockReplicas").is_some() {
        let what = format!("`{}` has no effect here", findings.key("hdfs.minBlockReplicas"));
        let problem = Problem::note("no-effect", &findings.at("hdfs.minBlockReplicas").clone(), what)
            .flume("begins a new file when a block has fewer copies than that")
            .here("a node that fails is left out, and the file goes on; the NameNode makes the copies that are missing");
        findings.add(problem);
    }
}
