//! On which thread a component lives.
//!
//! Sources, channels and sinks that hang together live on one thread: a batch never waits for another thread to wake up,
//! and stays in one processor's cache. A source that reads files may be held up by a disk; so what hangs together with
//! one has a thread of its own, and only that waits with it. All the rest shares the first thread.

use crate::supervise::{Build, Care, Order, Supervisor, Watch};
use actix::prelude::*;
use std::collections::HashMap;
use std::sync::Arc;

/// A thread for components, and the supervisor of those that live on it. A thread of its own ends with the last of them.
pub(crate) struct Place {
    supervisor: Addr<Supervisor>,
    own: Option<ArbiterHandle>,
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(thread) = &self.own {
            thread.stop();
        }
    }
}

impl Place {
    /// On this thread.
    pub(crate) fn here(log: &slog::Logger) -> Arc<Place> {
        Arc::new(Place { supervisor: Supervisor::new(log.clone()).start(), own: None })
    }

    /// On a new one.
    pub(crate) fn of_its_own(log: &slog::Logger) -> Arc<Place> {
        let (log, thread) = (log.clone(), Arbiter::new().handle());
        let supervisor = Supervisor::start_in_arbiter(&thread, move |_| Supervisor::new(log));
        Arc::new(Place { supervisor, own: Some(thread) })
    }

    /// Whether others live there too that have nothing to do with each other.
    pub(crate) fn is_shared(&self) -> bool {
        self.own.is_none()
    }
}

/// A component under its supervisor, for as long as it is to be built again.
pub(crate) struct Child {
    place: Arc<Place>,
    name: Arc<str>,
}

impl Child {
    /// Has a component built, and built again, at `place`; to be awaited for its start.
    pub(crate) fn start(place: &Arc<Place>, name: &str, build: Build) -> (Child, Request<Supervisor, Watch>) {
        let child = Child { place: place.clone(), name: name.into() };
        let started = place.supervisor.send(Watch { name: child.name.clone(), build });
        (child, started)
    }

    /// Says what is to become of it.
    pub(crate) fn order(&self, order: Order) {
        self.place.supervisor.do_send(Care { child: self.name.clone(), order });
    }

    /// Has it built again; to be awaited for its start.
    pub(crate) fn resume(&self) -> Request<Supervisor, Care> {
        self.place.supervisor.send(Care { child: self.name.clone(), order: Order::Resume })
    }
}

/// The place of each of the channels in `fresh`. `sources` are all that are to run: the channels of each, and whether it
/// may wait for a disk. What joins a channel that runs already, in `kept`, lives where that one does.
pub(crate) fn places(
    fresh: &[String],
    kept: &HashMap<String, Arc<Place>>,
    sources: &[(&[String], bool)],
    first: &Arc<Place>,
    log: &slog::Logger,
) -> HashMap<String, Arc<Place>> {
    let blocks = |channel: &String| sources.iter().any(|(fills, blocks)| *blocks && fills.contains(channel));
    let channels = kept.keys().chain(fresh).map(String::as_str);
    let mut places = HashMap::new();
    for together in together(channels, sources.iter().map(|(fills, _)| *fills)) {
        let mut new = together.iter().filter(|channel| fresh.contains(channel)).peekable();
        if new.peek().is_none() {
            continue;
        }
        let place = match together.iter().find_map(|channel| kept.get(channel)) {
            Some(place) => place.clone(),
            None if together.iter().any(blocks) => Place::of_its_own(log),
            None => first.clone(),
        };
        places.extend(new.map(|channel| (channel.clone(), place.clone())));
    }
    places
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
