//! The Kafka components: sink, source, channel.
//!
//! Decisions are in `beyond.rs`, `java.rs`, `jaas.rs`, `record.rs`, `topic.rs`, `policy.rs` and `trouble.rs`, which know no client; the others talk to
//! librdkafka, which blocks and calls back on threads of its own.

mod beyond;
mod channel;
mod client;
mod jaas;
mod java;
mod policy;
mod producer;
mod record;
mod sink;
mod source;
mod topic;
mod trouble;
mod unanswered;

use flow::component::Component;

/// A line for each component.
pub const COMPONENTS: &[&[&Component]] = &[&[&source::COMPONENT, &channel::COMPONENT, &sink::COMPONENT]];
