//! Every source, sink and channel of the catalogue keeps the promises of its kind: `flow::compliance` has the tests, here is
//! a bench for each component. To add one: a struct in `sources.rs`, `sinks.rs` or `channels.rs`, and a line below.

#![expect(clippy::unwrap_used, reason = "a bench is part of a test")]

mod channels;
mod sinks;
mod sources;

use components::COMPONENTS;
use flow::compliance::{channel, sink, source};
use flow::component::Component;
use plan::Kind;

flow::comply! { source SOURCES source_suite {
    avro_source "avro" sources::Avro::default();
    http_source "http" sources::Http::default();
    multiport_syslogtcp_source "multiport_syslogtcp" sources::Syslog::at("ports");
    netcat_source "netcat" sources::Netcat::default();
    netcatudp_source "netcatudp" sources::NetcatUdp::default();
    seq_source "seq" sources::Seq;
    spooldir_source "spooldir" sources::SpoolDir::default();
    syslogtcp_source "syslogtcp" sources::Syslog::at("port");
    syslogudp_source "syslogudp" sources::SyslogUdp::default();
    taildir_source "taildir" sources::Taildir::default();
    thrift_source "thrift" sources::Thrift::default();
} }

flow::comply! { sink SINKS sink_suite {
    avro_sink "avro" sinks::Peer::start("avro").await;
    elasticsearch_sink "elasticsearch" sinks::Store::start().await;
    file_roll_sink "file_roll" sinks::FileRoll::default();
    http_sink "http" sinks::Peer::start("http").await;
    logger_sink "logger" sinks::Logger::default();
    null_sink "null" sinks::Null;
    thrift_sink "thrift" sinks::Peer::start("thrift").await;
} }

flow::comply! { channel CHANNELS channel_suite {
    memory_channel "memory" channels::Memory;
} }

fn source_suite<B>(alias: &str, bench: B) -> source::Suite<B> {
    source::Suite {
        source: component(Kind::Source, alias),
        channel: component(Kind::Channel, "memory"),
        bench,
    }
}

fn sink_suite<B>(alias: &str, bench: B) -> sink::Suite<B> {
    sink::Suite { sink: component(Kind::Sink, alias), channel: component(Kind::Channel, "memory"), bench }
}

fn channel_suite<B>(alias: &str, bench: B) -> channel::Suite<B> {
    channel::Suite { channel: component(Kind::Channel, alias), bench }
}

/// Components that do not run here, each with the reason.
const EXEMPT: &[(Kind, &str, &str)] = &[
    (
        Kind::Source,
        "exec",
        "its command runs under a keeper, which is the agent's own program: integration/tests/commands.rs has real agents",
    ),
    (Kind::Source, "", "all events of StressSource are alike: nobody can tell which of them are missing"),
    (Kind::Channel, "", "PseudoTxnMemoryChannel is the memory channel under another name"),
    (Kind::Channel, "storm", "nothing is taken from it: its own tests play Storm"),
];

/// The component of the catalogue that has this kind and alias.
fn component(kind: Kind, alias: &str) -> &'static Component {
    let all = COMPONENTS.iter().flat_map(|family| family.iter().copied());
    let mut found = all
        .filter(|component| component.descriptor.kind == kind && component.descriptor.names.alias == alias);
    found.next().unwrap_or_else(|| panic!("the catalogue has no {alias}"))
}

#[test]
fn every_source_sink_and_channel_of_the_catalogue_has_a_bench() {
    let covered = [(Kind::Source, SOURCES), (Kind::Sink, SINKS), (Kind::Channel, CHANNELS)];
    for component in COMPONENTS.iter().flat_map(|family| family.iter()) {
        let (kind, alias) = (component.descriptor.kind, component.descriptor.names.alias);
        let Some((_, benches)) = covered.iter().find(|(of, _)| *of == kind) else { continue };
        let exempt =
            EXEMPT.iter().any(|(of, name, reason)| (*of, *name) == (kind, alias) && !reason.is_empty());
        assert!(
            exempt != benches.contains(&alias),
            "{kind:?} {alias} has no bench here (or is exempt and has one): see the head of this file"
        );
    }
}
