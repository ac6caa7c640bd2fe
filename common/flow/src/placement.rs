//! On which thread a component lives.
//!
//! Sources, channels and sinks that hang together live on one thread: a batch never waits for another thread to wake up,
//! and stays in one processor's cache. A source that reads files may be held up by a disk; so what hangs together with
//! one has a thread of its own, and only that waits with it. All the rest shares the first thread.

use crate::supervise::Boss;
use actix::prelude::*;
use plan::Plan;
use std::collections::HashMap;

/// The supervisor of each channel, and of the sources and sinks that hang together with it, on the thread where they all
/// live.
pub(crate) fn bosses(plan: &Plan, log: &slog::Logger) -> HashMap<String, Addr<Boss>> {
    let reads_files = |channel: &String| {
        plan.sources.iter().any(|source| source.kind == "taildir" && source.channels.contains(channel))
    };
    let first = Boss::new(log.clone()).start();
    let mut bosses = HashMap::new();
    for together in together(plan) {
        let boss = if together.iter().any(reads_files) {
            let log = log.clone();
            Boss::start_in_arbiter(&Arbiter::new().handle(), move |_| Boss::new(log))
        } else {
            first.clone()
        };
        bosses.extend(together.into_iter().map(|channel| (channel, boss.clone())));
    }
    bosses
}

/// Channels by what joins them: a source that stores into several.
fn together(plan: &Plan) -> Vec<Vec<String>> {
    let mut parts: Vec<Vec<String>> =
        plan.channels.iter().map(|channel| vec![channel.name.clone()]).collect();
    for source in &plan.sources {
        let (joined, apart): (Vec<_>, Vec<_>) =
            parts.into_iter().partition(|part| part.iter().any(|channel| source.channels.contains(channel)));
        parts = apart;
        parts.push(joined.concat());
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use plan::{ChannelPlan, Context as Keys, SelectorPlan, SourcePlan};

    #[test]
    fn what_a_source_joins_is_together() {
        let channel =
            |name: &str| ChannelPlan { name: name.to_owned(), kind: "memory", context: Keys::default() };
        let source = |channels: &[&str]| SourcePlan {
            name: "r1".to_owned(),
            kind: "seq",
            context: Keys::default(),
            channels: channels.iter().map(|name| (*name).to_owned()).collect(),
            selector: SelectorPlan { kind: "replicating", context: Keys::default() },
            interceptors: Vec::new(),
        };
        let plan = Plan {
            agent: "a1".to_owned(),
            channels: ["a", "b", "c", "d", "e"].map(channel).to_vec(),
            sources: vec![source(&["a", "b"]), source(&["c"]), source(&["b", "d"])],
            sinks: Vec::new(),
            groups: Vec::new(),
        };
        let mut parts = together(&plan);
        parts.iter_mut().for_each(|part| part.sort());
        parts.sort();
        assert_eq!(parts, [vec!["a", "b", "d"], vec!["c"], vec!["e"]]);
    }
}
