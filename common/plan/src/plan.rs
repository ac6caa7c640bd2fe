//! What an agent is to run: every name checked, every type known, lists in written order.

use crate::settings::{ComponentPlan, Properties};

/// One agent of a file, ready to be built.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The agent's name, as given with `-n`.
    pub agent: String,
    /// In the order of the agent's `channels` list.
    pub channels: Vec<ComponentPlan>,
    /// In the order of the agent's `sources` list.
    pub sources: Vec<SourcePlan>,
    /// In the order of the agent's `sinks` list, those in groups included.
    pub sinks: Vec<SinkPlan>,
    /// In the order of the agent's `sinkgroups` list. A sink that no group names runs alone.
    pub groups: Vec<GroupPlan>,
    /// What does not run, and whose properties are judged all the same, so that all findings are told at once.
    pub aside: Aside,
}

/// Components that do not run because something else is wrong, or because no list names them.
#[derive(Clone, Debug, Default)]
pub struct Aside {
    /// Where the agent has no list of sources.
    pub sources: Vec<SourcePlan>,
    /// Interceptors of sources that cannot run.
    pub interceptors: Vec<ComponentPlan>,
    /// Sinks without a channel, or where the agent has no list of sinks.
    pub sinks: Vec<ComponentPlan>,
    /// Where the agent has no list of sinks.
    pub groups: Vec<GroupPlan>,
}

impl Plan {
    /// Whether any of it runs in a JVM.
    pub fn needs_java(&self) -> bool {
        let of_sources = self
            .sources
            .iter()
            .flat_map(|source| source.interceptors.iter().chain([&source.component, &source.selector]));
        let sinks = self.sinks.iter().map(|sink| &sink.component);
        let groups = self.groups.iter().map(|group| &group.component);
        let mut all = self.channels.iter().chain(of_sources).chain(sinks).chain(groups);
        all.any(|component| component.hosted().is_some())
    }
}

/// A source with what stands between it and its channels.
#[derive(Clone, Debug)]
pub struct SourcePlan {
    /// The source itself; its properties are without those of selector and interceptors.
    pub component: ComponentPlan,
    /// Names of channels of this plan, at least one.
    pub channels: Vec<String>,
    /// Which channels an event goes to; its properties are without `selector.`.
    pub selector: ComponentPlan,
    /// In the order in which events pass them.
    pub interceptors: Vec<ComponentPlan>,
    /// All keys of the source as they are written, those of selector and interceptors too: what runs in a JVM gets them.
    pub written: Properties,
}

/// A sink.
#[derive(Clone, Debug)]
pub struct SinkPlan {
    /// The sink itself.
    pub component: ComponentPlan,
    /// The channel of this plan that it drains.
    pub channel: String,
}

/// A group of sinks that one processor drives.
#[derive(Clone, Debug)]
pub struct GroupPlan {
    /// The processor; its properties are without `processor.`, its name is the group's.
    pub component: ComponentPlan,
    /// Names of sinks of this plan, in written order, at least one.
    pub sinks: Vec<String>,
}
