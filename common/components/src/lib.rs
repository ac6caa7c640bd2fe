//! The light components: a folder each, and a line here.

#[cfg(test)]
mod allocations;
mod channel;
#[cfg(feature = "counts")]
#[doc(hidden)]
pub mod counts;
pub mod dead;
mod deserializer;
mod directory;
pub mod escapes;
mod filters;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod hadoop;
mod interceptor;
pub mod missing;
mod processor;
mod selector;
pub mod serializer;
mod sink;
mod source;
#[cfg(test)]
mod testing;
mod together;

pub use channel::storm::{LinesForStorm, end as end_storm, feeds_storm, leave as leave_storm};
pub use interceptor::host::look_up as look_up_host;
pub use interceptor::make as interceptors;
pub use missing::MISSING;
pub use sink::http1;
pub use source::exec::keeper::{KEEPER, keep};
pub use together::{ties, together};

use flow::component::{Component, Components};
use std::sync::LazyLock;

/// A line for each component, or for each family of small ones.
pub const COMPONENTS: &[&[&Component]] = &[
    &[
        &source::avro::COMPONENT,
        &source::exec::COMPONENT,
        &source::http::COMPONENT,
        &source::netcat::COMPONENT,
        &source::netcat_udp::COMPONENT,
        &source::seq::COMPONENT,
        &source::spooldir::COMPONENT,
        &source::stress::COMPONENT,
        &source::taildir::COMPONENT,
        &source::thrift::COMPONENT,
    ],
    source::syslog::COMPONENTS,
    &[&channel::memory::COMPONENT, &channel::pseudo_txn::COMPONENT, &channel::storm::COMPONENT],
    &[
        &sink::avro::COMPONENT,
        &sink::elasticsearch::COMPONENT,
        &sink::file_roll::COMPONENT,
        &sink::http::COMPONENT,
        &sink::logger::COMPONENT,
        &sink::null::COMPONENT,
        &sink::thrift::COMPONENT,
    ],
    processor::COMPONENTS,
    selector::COMPONENTS,
    interceptor::COMPONENTS,
    interceptor::SERIALIZERS,
    serializer::COMPONENTS,
    deserializer::COMPONENTS,
    sink::file_roll::PATH_MANAGERS,
    filters::COMPONENTS,
];

/// A build that has these components alone.
pub static LIGHT: LazyLock<Components> =
    LazyLock::new(|| Components::new(COMPONENTS, MISSING, interceptors, together, ties));
