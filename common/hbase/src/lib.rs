//! The HBase sinks, without a JVM: `hbase2`, and by the same code `hbase` and `asynchbase`.
//!
//! What is decided stands without I/O in `serializer/` (rows of events), `ledger.rs` (what is done of a delivery), `regions.rs`
//! (who has which rows), `policy.rs` (what an error means) and `wire/` (the protocol); `connection.rs` and `client.rs` talk
//! to servers, `sink.rs` delivers.

mod client;
mod config;
mod connection;
mod lanes;
mod ledger;
mod policy;
mod regions;
mod serializer;
mod sink;
mod site;
#[cfg(test)]
mod stand_in;
#[cfg(test)]
mod testing;
mod wire;

use components::missing::hbase as flumes;
use config::Config;
use flow::Site;
use flow::component::{Component, Configure, MakeSink};
use flow::sink::{SinkContext, remote};
use plan::{Availability, Bad, Descriptor, Findings, Properties, Property, Value};
use sink::HbaseSink;

/// A line for each component.
pub const COMPONENTS: &[&[&Component]] = &[&[&HBASE2, &HBASE, &ASYNC]];

static HBASE2: Component = sink_of(&flumes::HBASE2, HBASE2_PROPERTIES);
static HBASE: Component = sink_of(&flumes::HBASE, HBASE_PROPERTIES);
static ASYNC: Component = sink_of(&flumes::ASYNC, ASYNC_PROPERTIES);

const fn sink_of(flumes: &Descriptor, properties: &'static [&'static [Property]]) -> Component {
    let here = Descriptor { availability: Availability::Here, properties, ..*flumes };
    let descriptor = here.beyond(flumes::login);
    Component { descriptor, configure: Configure::Sink(configure) }
}

const HBASE2_PROPERTIES: &[&[Property]] = &[flumes::HBASE2.properties[0], flumes::HBASE2.properties[1], OWN];
const HBASE_PROPERTIES: &[&[Property]] = &[flumes::HBASE.properties[0], flumes::HBASE.properties[1], OWN];
const ASYNC_PROPERTIES: &[&[Property]] =
    &[flumes::ASYNC.properties[0], flumes::ASYNC.properties[1], flumes::ASYNC.properties[2], OWN];

/// Ours.
const OWN: &[Property] = &[
    Property::optional("deadLetterDir", Value::Path).bad(Bad::Ours("tries for ever")),
    Property::optional("confDir", Value::Path).bad(Bad::Ours("")),
];

fn configure(properties: &Properties, site: &Site, findings: &mut Findings<'_>) -> Option<MakeSink> {
    flumes::sink(properties, findings);
    let config = Config::new(properties, site, |name| std::env::var(name).ok(), findings)?;
    Some(Box::new(move |context: SinkContext| {
        console::fact::component_started(&context.log, console::fact::ComponentType::Sink, &context.name);
        Ok(remote::start(HbaseSink::new(&config, &context.name, &context.log), context))
    }))
}
