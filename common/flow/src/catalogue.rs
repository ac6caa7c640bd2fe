//! All components: the only place that knows them.

use crate::component::Component;
use crate::{channel, filters, interceptor, missing, processor, selector, serializer, sink, source};
use plan::{Catalogue, Descriptor};
use std::sync::LazyLock;

/// A line for each component, or for each family of small ones.
const COMPONENTS: &[&[&Component]] = &[
    &[
        &source::avro::COMPONENT,
        &source::exec::COMPONENT,
        &source::netcat::COMPONENT,
        &source::netcat_udp::COMPONENT,
        &source::seq::COMPONENT,
        &source::taildir::COMPONENT,
    ],
    &[&channel::memory::COMPONENT],
    &[&sink::avro::COMPONENT, &sink::file_roll::COMPONENT, &sink::logger::COMPONENT, &sink::null::COMPONENT],
    processor::COMPONENTS,
    selector::COMPONENTS,
    interceptor::COMPONENTS,
    interceptor::SERIALIZERS,
    serializer::COMPONENTS,
    sink::file_roll::PATH_MANAGERS,
    filters::COMPONENTS,
];

/// What a file may name.
pub static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let here = components().map(|component| &component.descriptor);
    Catalogue::new(here.chain(missing::MISSING))
});

/// The component of this type, if it runs here.
pub(crate) fn find(descriptor: &'static Descriptor) -> Option<&'static Component> {
    components().find(|component| component.descriptor.names.class == descriptor.names.class)
}

fn components() -> impl Iterator<Item = &'static Component> {
    COMPONENTS.iter().flat_map(|family| family.iter().copied())
}
