//! Channel selectors: which of a source's channels an event goes to.

mod multiplexing;

use crate::build::BuildError;
use crate::random::Random;
use event::Batch;
use multiplexing::Multiplexing;
use plan::{Context, SelectorPlan};

/// Chooses channels, by their place in the source's list. No event is copied.
#[derive(Debug)]
pub(crate) struct Selector {
    kind: Kind,
    channels: usize,
}

#[derive(Debug)]
enum Kind {
    /// To all of them.
    Replicating { required: Vec<usize>, optional: Vec<usize> },
    /// By the value of a header.
    Multiplexing(Multiplexing),
    /// To one after the other; a batch stays together, unlike in Flume, which goes by events.
    RoundRobin { next: usize },
    /// To any.
    Random(Random),
}

/// Where the events of a batch go: channels in the order in which they are first used, each with its events.
#[derive(Debug, Default)]
pub(crate) struct Selected {
    /// The source hears of their failures.
    pub(crate) required: Vec<(usize, Batch)>,
    /// Come after the required ones; these may go without.
    pub(crate) optional: Vec<(usize, Batch)>,
    /// Events that go nowhere. Flume accepts and forgets them, too.
    pub(crate) dropped: usize,
}

impl Selector {
    /// Builds the selector of a source with these `channels`.
    ///
    /// # Errors
    /// [`BuildError`] for a channel that is none of the source's, and for a policy that is none.
    pub(crate) fn build(plan: &SelectorPlan, channels: &[String]) -> Result<Selector, BuildError> {
        Selector::build_with(plan, channels, Random::from_system())
    }

    /// As [`Selector::build`], with the numbers that `load_balancing` draws from.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn build_with(
        plan: &SelectorPlan,
        channels: &[String],
        random: Random,
    ) -> Result<Selector, BuildError> {
        let context = &plan.context;
        let kind = match plan.kind {
            "replicating" => {
                let optional = named(context, "optional", channels)?;
                let required = (0..channels.len()).filter(|channel| !optional.contains(channel)).collect();
                Kind::Replicating { required, optional }
            }
            "multiplexing" => Kind::Multiplexing(Multiplexing::build(context, channels)?),
            "load_balancing" => {
                match context.text_or("policy", "round_robin").to_ascii_lowercase().as_str() {
                    "round_robin" => Kind::RoundRobin { next: 0 },
                    "random" => Kind::Random(random),
                    _ => {
                        return Err(wrong(
                            context,
                            "policy",
                            "no such policy; there are round_robin and random",
                        ));
                    }
                }
            }
            other => {
                let context = Context::from_pairs([("type", other)]);
                return Err(wrong(&context, "type", "there is no such selector here"));
            }
        };
        Ok(Selector { kind, channels: channels.len() })
    }

    /// Whether there is nothing to choose: every event must go to the one channel.
    pub(crate) fn is_plain(&self) -> bool {
        let to_all = match &self.kind {
            Kind::Replicating { optional, .. } => optional.is_empty(),
            Kind::RoundRobin { .. } | Kind::Random(_) => true,
            Kind::Multiplexing(_) => false,
        };
        self.channels == 1 && to_all
    }

    /// The channels that must have every event, whatever it is; none where each event, or chance, decides.
    pub(crate) fn required(&self) -> &[usize] {
        match &self.kind {
            Kind::Replicating { required, .. } => required,
            _ => &[],
        }
    }

    /// Says where the events of `batch` go.
    pub(crate) fn select(&mut self, batch: &Batch) -> Selected {
        let one = |channel| Selected { required: vec![(channel, batch.clone())], ..Selected::default() };
        match &mut self.kind {
            Kind::Replicating { required, optional } => {
                let each =
                    |channels: &[usize]| channels.iter().map(|channel| (*channel, batch.clone())).collect();
                Selected { required: each(required), optional: each(optional), dropped: 0 }
            }
            Kind::Multiplexing(multiplexing) => multiplexing.select(batch),
            Kind::RoundRobin { next } => {
                let channel = *next % self.channels.max(1);
                *next = channel + 1;
                one(channel)
            }
            Kind::Random(random) => {
                let channel = random.peek_below(self.channels);
                random.advance();
                one(channel)
            }
        }
    }
}

/// The channels that `key` lists, each once. Any white space splits, where Flume's multiplexing wants single spaces.
fn named(context: &Context, key: &str, channels: &[String]) -> Result<Vec<usize>, BuildError> {
    let mut found = Vec::new();
    for name in context.words(key) {
        let channel = channels.iter().position(|channel| channel == name).ok_or_else(|| {
            let known = channels.join(" ");
            wrong(context, key, &format!("{name} is none of the source's channels, which are: {known}"))
        })?;
        if !found.contains(&channel) {
            found.push(channel);
        }
    }
    Ok(found)
}

fn wrong(context: &Context, key: &str, what: &str) -> BuildError {
    BuildError::new(context, "selector.", key, what)
}

#[cfg(test)]
mod tests;
