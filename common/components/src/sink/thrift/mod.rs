//! `thrift`: hands events to a collector over Flume's Thrift protocol.
//!
//! Source: Flume 1.11 `ThriftSink`. One difference: `protocol = BINARY` is the binary protocol; Flume takes the word and speaks
//! the compact one.

#[cfg(test)]
mod tests;

use super::speaks_thrift;
use crate::missing::kerberos;
use flow::component::{Component, Configure};
use plan::{Bad, Descriptor, Kind, Property, Value};
use runtime::net::CLIENT_TLS;

/// Its row in the catalogue.
pub(crate) const COMPONENT: Component = Component {
    descriptor: Descriptor::new(
        Kind::Sink,
        "thrift",
        "org.apache.flume.sink.ThriftSink",
        &[PROPERTIES, CLIENT_TLS],
    )
    .batch("batch-size")
    .beyond(kerberos),
    configure: Configure::Sink(|properties, site, findings| {
        speaks_thrift(
            properties,
            site,
            (properties.word("hostname").to_owned(), properties.count("port")),
            findings,
        )
    }),
};

const NEVER_CONNECTS: Bad = Bad::Says("never connects, and tries again every 5 s for ever");
const NO_EFFECT: &str = "Flume's Thrift client has no such thing";

const PROPERTIES: &[Property] = &[
    Property::required("hostname", Value::Host).bad(NEVER_CONNECTS),
    Property::required("port", Value::Port).outside(NEVER_CONNECTS),
    Property::with("batch-size", Value::at_least(1, "events"), "100").lenient(),
    Property::with("connect-timeout", Value::Unused("request-timeout bounds the connect as well"), "20000"),
    Property::with("request-timeout", Value::at_least(1000, "ms"), "20000")
        .bad(NEVER_CONNECTS)
        .outside(Bad::Default),
    Property::with("reset-connection-interval", Value::at_least(0, "s"), "0").outside(Bad::Default),
    Property::with("protocol", Value::Choice(&["compact", "binary"]), "compact").lenient(),
    Property::optional("compression-type", Value::Unused(NO_EFFECT)),
    Property::optional("compression-level", Value::Unused(NO_EFFECT)),
    Property::optional("maxConnections", Value::Unused("a sink has one connection")),
    Property::with("kerberos", Value::Flag, "false"),
    Property::optional("client-principal", Value::Text),
    Property::optional("client-keytab", Value::Path),
    Property::optional("server-principal", Value::Text),
];
