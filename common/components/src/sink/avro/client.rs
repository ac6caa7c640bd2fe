//! `client.type`: the clients that an avro sink may have besides its own.

use flow::Site;
use flow::component::{MakeSink, told};
use flow::sink::{SinkContext, remote};
use plan::{Findings, Properties};
use rpc::client::{RoutedClient, Routes};
use rpc::{AvroSinkConfig, ThriftClient, ThriftConfig};

/// `default_failover`, `default_loadbalance`: hosts of the client's own, one after the other or in turn.
pub(super) fn routed(properties: &Properties, site: &Site, findings: &mut Findings<'_>) -> Option<MakeSink> {
    let of_client = |key: &str| !OF_SINK.contains(&key);
    let pairs = properties.iter().filter(|(key, _)| of_client(key));
    let pairs: Vec<_> = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    let mut notes = Vec::new();
    let routes = match Routes::build(&pairs, site.globals(), &mut notes) {
        Ok(routes) => routes,
        Err(what) => {
            findings.refuse("client.type", &what);
            return None;
        }
    };
    told(Ok(()), notes, findings)?;
    Some(Box::new(move |context: SinkContext| {
        console::fact::component_started(&context.log, console::fact::Kind::Sink, &context.name);
        Ok(remote::start(RoutedClient::new(routes.clone()), context))
    }))
}

/// `thrift`: the first of `hosts`, or `hostname` and `port`.
pub(super) fn thrift(properties: &Properties, site: &Site, findings: &mut Findings<'_>) -> Option<MakeSink> {
    let place = AvroSinkConfig::place(properties);
    let mut notes = Vec::new();
    let built = ThriftConfig::build(properties, site.globals(), place, &mut notes);
    let config = told(built, notes, findings)?;
    Some(Box::new(move |context: SinkContext| {
        console::fact::component_started(&context.log, console::fact::Kind::Sink, &context.name);
        Ok(remote::start(ThriftClient::new(config.clone()), context))
    }))
}

/// Keys that the sink and its channel read; all others go to the client.
const OF_SINK: &[&str] =
    &["type", "channel", "hostname", "port", "reset-connection-interval", "maxIoWorkers", "protocol"];
