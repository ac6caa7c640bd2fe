//! What tests of several modules make.

use crate::config::Config;
use components::LIGHT;
use event::{Batch, BatchBuilder};
use plan::{Availability, ComponentPlan, Findings, Kind, Owner, Properties, Report};
use std::path::PathBuf;

/// A batch of events, with headers and a body each.
pub(crate) fn events<'a>(events: impl IntoIterator<Item = (&'a [(&'a str, &'a str)], &'a str)>) -> Batch {
    let mut builder = BatchBuilder::default();
    for (headers, body) in events {
        builder.push(headers.iter().copied(), body.as_bytes());
    }
    builder.finish()
}

/// A batch of one.
pub(crate) fn event(headers: &[(&str, &str)], body: &str) -> Batch {
    events([(headers, body)])
}

/// The settings of a sink with these keys, or what is said of them.
pub(crate) fn configured(pairs: &[(&str, &str)]) -> Result<Config, String> {
    configured_at(pairs, &[])
}

/// The same, with Hadoop's own files from these directories.
pub(crate) fn configured_at(pairs: &[(&str, &str)], directories: &[PathBuf]) -> Result<Config, String> {
    let mut properties = Properties::of(&crate::DESCRIPTOR, pairs.iter().copied());
    if let Some(kind) = properties.text("serializer").map(str::to_owned) {
        let known = LIGHT.names().find(Kind::Serializer, &kind);
        let descriptor = known.filter(|known| known.availability == Availability::Here);
        let descriptor = descriptor.unwrap_or(&crate::AVRO_SERIALIZER.descriptor);
        let below: Vec<_> =
            properties.under("serializer.").map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        let part = ComponentPlan {
            name: "serializer".to_owned(),
            descriptor,
            properties: Properties::of(descriptor, below),
            owner: Owner::nobody(),
        };
        properties.push_part("serializer", part);
    }
    let (owner, mut report) = (Owner::nobody(), Report::default());
    let mut findings = Findings::new(&owner, &properties, &mut report);
    crate::judge(&properties, &mut findings);
    let config = Config::new(&properties, directories, &[], &mut findings);
    config.filter(|_| !report.has_errors()).ok_or_else(|| report.to_string())
}
