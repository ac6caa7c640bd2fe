//! On which thread a component lives.
//!
//! Sources, channels and sinks that hang together live on one thread: a batch never waits for another thread to wake up,
//! and stays in one processor's cache. A source that reads files may be held up by a disk; so what hangs together with
//! one has a thread of its own, and only that waits with it. All the rest shares the first thread.

use crate::channel::NewChannel;
use crate::source::NewSource;
use crate::supervise::Supervisor;
use actix::prelude::*;
use std::collections::HashMap;

/// The supervisor of each channel, and of the sources and sinks that hang together with it, on the thread where they all
/// live.
pub(crate) fn supervisors(
    channels: &[(String, NewChannel)],
    sources: &[NewSource],
    log: &slog::Logger,
) -> HashMap<String, Addr<Supervisor>> {
    let blocks =
        |channel: &String| sources.iter().any(|source| source.blocks && source.channels.contains(channel));
    let channels = channels.iter().map(|(name, _)| name.as_str());
    let fills = sources.iter().map(|source| source.channels.as_slice());
    let first = Supervisor::new(log.clone()).start();
    let mut supervisors = HashMap::new();
    for together in together(channels, fills) {
        let supervisor = if together.iter().any(blocks) {
            let log = log.clone();
            Supervisor::start_in_arbiter(&Arbiter::new().handle(), move |_| Supervisor::new(log))
        } else {
            first.clone()
        };
        supervisors.extend(together.into_iter().map(|channel| (channel, supervisor.clone())));
    }
    supervisors
}

/// Channels by what joins them: a source that stores into several. `fills` has the channels of each source.
fn together<'a>(
    channels: impl Iterator<Item = &'a str>,
    fills: impl Iterator<Item = &'a [String]>,
) -> Vec<Vec<String>> {
    let mut parts: Vec<Vec<String>> = channels.map(|channel| vec![channel.to_owned()]).collect();
    for fills in fills {
        let (joined, apart): (Vec<_>, Vec<_>) =
            parts.into_iter().partition(|part| part.iter().any(|channel| fills.contains(channel)));
        parts = apart;
        parts.push(joined.concat());
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_source_joins_is_together() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let fills = [names(&["a", "b"]), names(&["c"]), names(&["b", "d"])];
        let mut parts = together(["a", "b", "c", "d", "e"].into_iter(), fills.iter().map(Vec::as_slice));
        parts.iter_mut().for_each(|part| part.sort());
        parts.sort();
        assert_eq!(parts, [vec!["a", "b", "d"], vec!["c"], vec!["e"]]);
    }
}
