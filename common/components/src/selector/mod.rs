//! Channel selectors: which of a source's channels an event goes to.

mod multiplexing;

use event::Batch;
use flow::component::{Component, Configure, told};
use flow::selector::{ChannelSelector, MakeSelector, Selected};
use multiplexing::Multiplexing;
use plan::{Descriptor, Findings, Kind, Problem, Properties, Property, Value};
use runtime::build::BuildError;
use runtime::random::Random;

/// Their rows in the catalogue.
pub(crate) const COMPONENTS: &[&Component] = &[
    &Component {
        descriptor: Descriptor::new(
            Kind::Selector,
            "replicating",
            "org.apache.flume.channel.ReplicatingChannelSelector",
            &[&[Property::optional("optional", Value::Channels)]],
        ),
        configure: Configure::Selector(|properties, channels, findings| {
            let optional = named(properties, "optional", channels);
            made(Ok(Selector::replicating(optional, channels.len())), findings)
        }),
    },
    &Component {
        descriptor: Descriptor::new(
            Kind::Selector,
            "multiplexing",
            "org.apache.flume.channel.MultiplexingChannelSelector",
            &[multiplexing::PROPERTIES],
        ),
        configure: Configure::Selector(|properties, channels, findings| {
            multiplexing::judge(properties, findings);
            let routes = Multiplexing::build(properties, channels);
            made(routes.map(|routes| Selector::new(Routing::Multiplexing(routes), channels.len())), findings)
        }),
    },
    &Component {
        descriptor: Descriptor::new(
            Kind::Selector,
            "load_balancing",
            "org.apache.flume.channel.LoadBalancingChannelSelector",
            &[&[Property::with("policy", Value::Choice(&["round_robin", "random"]), "round_robin")]],
        ),
        configure: Configure::Selector(|properties, channels, findings| {
            let owner = findings.owner;
            let what = format!("the {} is `load_balancing`", owner.noun);
            let problem =
                Problem::note("selector-unusable-in-flume", &owner.at, what).flume(owner.dropped.in_words(
                    format!("cannot configure it, though it has it since 1.10, and {}", owner.dropped),
                ));
            findings.add(problem.here("it works"));
            let random = properties.word("policy").eq_ignore_ascii_case("random");
            let routing =
                if random { Routing::Random(Random::from_system()) } else { Routing::RoundRobin { next: 0 } };
            made(Ok(Selector::new(routing, channels.len())), findings)
        }),
    },
];

fn made(selector: Result<Selector, BuildError>, findings: &mut Findings<'_>) -> Option<MakeSelector> {
    let selector = told(selector, Vec::new(), findings)?;
    Some(Box::new(move || Box::new(selector.clone())))
}

/// Chooses channels, by their place in the source's list. No event is copied.
#[derive(Debug, Clone)]
pub(crate) struct Selector {
    routing: Routing,
    channels: usize,
}

#[derive(Debug, Clone)]
enum Routing {
    /// To all of them.
    Replicating { required: Vec<usize>, optional: Vec<usize> },
    /// By the value of a header.
    Multiplexing(Multiplexing),
    /// To one after the other; a batch stays together, unlike in Flume, which goes by events.
    RoundRobin { next: usize },
    /// To any.
    Random(Random),
}

impl Selector {
    fn new(routing: Routing, channels: usize) -> Selector {
        Selector { routing, channels }
    }

    /// To all `channels`; the source does not hear of failures of the `optional` ones.
    pub(crate) fn replicating(optional: Vec<usize>, channels: usize) -> Selector {
        let required = (0..channels).filter(|channel| !optional.contains(channel)).collect();
        Selector::new(Routing::Replicating { required, optional }, channels)
    }
}

impl ChannelSelector for Selector {
    fn is_plain(&self) -> bool {
        let to_all = match &self.routing {
            Routing::Replicating { optional, .. } => optional.is_empty(),
            Routing::RoundRobin { .. } | Routing::Random(_) => true,
            Routing::Multiplexing(_) => false,
        };
        self.channels == 1 && to_all
    }

    fn required(&self) -> &[usize] {
        match &self.routing {
            Routing::Replicating { required, .. } => required,
            _ => &[],
        }
    }

    fn select(&mut self, batch: &Batch) -> Selected {
        let one = |channel| Selected { required: vec![(channel, batch.clone())], ..Selected::default() };
        match &mut self.routing {
            Routing::Replicating { required, optional } => {
                let each =
                    |channels: &[usize]| channels.iter().map(|channel| (*channel, batch.clone())).collect();
                Selected { required: each(required), optional: each(optional), dropped: 0 }
            }
            Routing::Multiplexing(multiplexing) => multiplexing.select(batch),
            Routing::RoundRobin { next } => {
                let channel = *next % self.channels.max(1);
                *next = channel + 1;
                one(channel)
            }
            Routing::Random(random) => {
                let channel = random.peek_below(self.channels);
                random.advance();
                one(channel)
            }
        }
    }
}

/// The channels that `key` lists, each once; the check has refused all that are none of the source's. Any white space
/// splits, where Flume's multiplexing wants single spaces.
fn named(properties: &Properties, key: &str, channels: &[String]) -> Vec<usize> {
    let mut found = Vec::new();
    for name in properties.words(key) {
        let channel = channels.iter().position(|channel| channel == name);
        found.extend(channel.filter(|channel| !found.contains(channel)));
    }
    found
}

fn wrong(properties: &Properties, key: &str, what: &str) -> BuildError {
    BuildError::new(properties, "", key, what)
}

#[cfg(test)]
mod tests;
