//! The channels.

use super::{Property, Type, Value, at_least, long, not_here, optional, runs, with};

pub(super) const CHANNELS: &[Type] = &[
    runs("memory", "org.apache.flume.channel.MemoryChannel", &[MEMORY], None),
    not_here("file", "org.apache.flume.channel.file.FileChannel"),
    not_here("spillablememory", "org.apache.flume.channel.SpillableMemoryChannel"),
    not_here("jdbc", "org.apache.flume.channel.jdbc.JdbcChannel"),
    not_here("", "org.apache.flume.channel.kafka.KafkaChannel"),
    not_here("", "org.apache.flume.channel.PseudoTxnMemoryChannel"),
];

const MEMORY: &[Property] = &[
    with("capacity", at_least(1, "events"), "100").lenient(),
    with("transactionCapacity", at_least(1, "events"), "100").lenient(),
    with("keep-alive", at_least(0, "s"), "3").lenient(),
    optional("byteCapacity", long(0, "bytes")).lenient(),
    with("byteCapacityBufferPercentage", Value::Number { min: 0, max: 100, unit: "percent" }, "20").lenient(),
];
