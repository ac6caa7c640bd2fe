//! What an agent is to run: every name checked, every type known, lists in written order.

use crate::context::Context;

/// One agent of a file, ready to be built.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The agent's name, as given with `-n`.
    pub agent: String,
    /// In the order of the agent's `channels` list.
    pub channels: Vec<ChannelPlan>,
    /// In the order of the agent's `sources` list.
    pub sources: Vec<SourcePlan>,
    /// In the order of the agent's `sinks` list, those in groups included.
    pub sinks: Vec<SinkPlan>,
    /// In the order of the agent's `sinkgroups` list. A sink that no group names runs alone.
    pub groups: Vec<GroupPlan>,
}

/// A channel.
#[derive(Clone, Debug)]
pub struct ChannelPlan {
    /// Its name in the file.
    pub name: String,
    /// Flume's alias in lower case: `memory`.
    pub kind: &'static str,
    /// Its keys.
    pub context: Context,
}

/// A source with what stands between it and its channels.
#[derive(Clone, Debug)]
pub struct SourcePlan {
    /// Its name in the file.
    pub name: String,
    /// Flume's alias in lower case: `avro`, `exec`, `netcat`, `seq`, `taildir`.
    pub kind: &'static str,
    /// Its keys, without those of selector and interceptors.
    pub context: Context,
    /// Names of channels of this plan, at least one.
    pub channels: Vec<String>,
    /// Which channels an event goes to.
    pub selector: SelectorPlan,
    /// In the order in which events pass them.
    pub interceptors: Vec<InterceptorPlan>,
}

/// How a source chooses among its channels.
#[derive(Clone, Debug)]
pub struct SelectorPlan {
    /// Flume's alias in lower case: `replicating`, `multiplexing`, `load_balancing`.
    pub kind: &'static str,
    /// Its keys without `selector.`: `header`, `mapping.X`, `default`, `optional`.
    pub context: Context,
}

/// One interceptor.
#[derive(Clone, Debug)]
pub struct InterceptorPlan {
    /// Its name in the file.
    pub name: String,
    /// Flume's alias in lower case: `timestamp`, `static` ...
    pub kind: &'static str,
    /// Its own keys.
    pub context: Context,
}

/// A sink.
#[derive(Clone, Debug)]
pub struct SinkPlan {
    /// Its name in the file.
    pub name: String,
    /// Flume's alias in lower case: `avro`, `logger`, `null`, `file_roll`.
    pub kind: &'static str,
    /// Its keys.
    pub context: Context,
    /// The channel of this plan that it drains.
    pub channel: String,
}

/// A group of sinks that one processor drives.
#[derive(Clone, Debug)]
pub struct GroupPlan {
    /// Its name in the file.
    pub name: String,
    /// The processor, by Flume's alias in lower case: `default`, `failover`, `load_balance`.
    pub kind: &'static str,
    /// The processor's keys without `processor.`: `priority.k1`, `maxpenalty`.
    pub context: Context,
    /// Names of sinks of this plan, in written order, at least one.
    pub sinks: Vec<String>,
}
