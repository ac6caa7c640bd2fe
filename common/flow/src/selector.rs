//! The contract of channel selectors: which of a source's channels an event goes to.

use event::Batch;

/// Makes a selector.
pub type MakeSelector = Box<dyn Fn() -> Box<dyn ChannelSelector> + Send>;

/// Chooses channels, by their place in the source's list. No event is copied.
pub trait ChannelSelector: std::fmt::Debug {
    /// Whether there is nothing to choose: every event must go to the one channel.
    fn is_plain(&self) -> bool;

    /// The channels that must have every event, whatever it is; none where each event, or chance, decides.
    fn required(&self) -> &[usize];

    /// Says where the events of `batch` go.
    fn select(&mut self, batch: &Batch) -> Selected;
}

/// Where the events of a batch go: channels in the order in which they are first used, each with its events.
#[derive(Debug, Default)]
pub struct Selected {
    /// The source hears of their failures.
    pub required: Vec<(usize, Batch)>,
    /// Come after the required ones; these may go without.
    pub optional: Vec<(usize, Batch)>,
    /// Events that go nowhere. Flume accepts and forgets them, too.
    pub dropped: usize,
}
