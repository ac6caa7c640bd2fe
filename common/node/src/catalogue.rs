//! All components: the only place that knows them.

use flow::component::{Component, Components};
use std::sync::LazyLock;

/// What a file may name, and how it is made.
pub static COMPONENTS: LazyLock<Components> = LazyLock::new(|| {
    let families = [components::COMPONENTS, HBASE, HDFS, KAFKA].concat();
    Components::new(
        &families,
        components::MISSING,
        components::interceptors,
        components::together,
        components::ties,
    )
});

/// The families of a store's crate, in a build that has its feature.
type Families = &'static [&'static [&'static Component]];

#[cfg(feature = "hbase")]
const HBASE: Families = hbase::COMPONENTS;
#[cfg(not(feature = "hbase"))]
const HBASE: Families = &[];
#[cfg(feature = "hdfs")]
const HDFS: Families = hdfs::COMPONENTS;
#[cfg(not(feature = "hdfs"))]
const HDFS: Families = &[];
#[cfg(feature = "kafka")]
const KAFKA: Families = kafka::COMPONENTS;
#[cfg(not(feature = "kafka"))]
const KAFKA: Families = &[];
