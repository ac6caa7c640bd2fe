//! Where events leave: other collectors, files, the console.

pub(crate) mod avro;
pub(crate) mod elasticsearch;
pub(crate) mod file_roll;
pub(crate) mod http;
pub mod http1;
pub(crate) mod logger;
pub(crate) mod null;
pub(crate) mod thrift;

use flow::Site;
use flow::component::{MakeSink, told};
use flow::sink::{SinkContext, remote};
use plan::{Findings, Properties};
use rpc::{ThriftClient, ThriftConfig};

/// A sink that speaks Thrift to a host and its port.
fn speaks_thrift(
    properties: &Properties,
    site: &Site,
    place: (String, u16),
    findings: &mut Findings<'_>,
) -> Option<MakeSink> {
    let mut notes = Vec::new();
    let built = ThriftConfig::build(properties, site.tls_defaults(), place, &mut notes);
    let config = told(built, notes, findings)?;
    Some(Box::new(move |context: SinkContext| {
        console::fact::component_started(&context.log, console::fact::ComponentType::Sink, &context.name);
        Ok(remote::start(ThriftClient::new(config.clone()), context))
    }))
}
