//! What a source has of its agent.

use super::{ChannelProcessor, Pausing};
use runtime::ready::Ready;
use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// What a source is given by whoever starts it.
pub struct SourceContext {
    /// Its name in the configuration.
    pub name: Arc<str>,
    /// Where it logs.
    pub log: slog::Logger,
    /// Where its events go.
    pub processor: ChannelProcessor,
    /// To be told when its way in is open.
    pub ready: Ready,
    /// What it says it is doing.
    pub doing: Doing,
    /// Of one that can read again, see [`Source::is_rereadable`](super::Source::is_rereadable).
    pub pausing: Option<Pausing>,
}

/// What a source is doing, as its task says it and its actor passes it on.
#[derive(Clone)]
pub struct Doing {
    now: Rc<RefCell<Cow<'static, str>>>,
    processor: ChannelProcessor,
}

impl Doing {
    /// Of a source that stores through `processor`.
    pub fn new(processor: ChannelProcessor) -> Doing {
        Doing { now: Rc::new(RefCell::new("starts".into())), processor }
    }

    /// From now on it does this.
    pub fn set(&self, what: impl Into<Cow<'static, str>>) {
        *self.now.borrow_mut() = what.into();
    }

    /// In words, with what waits for its channels.
    pub fn text(&self) -> String {
        match self.processor.storing.get() {
            0 => self.now.borrow().to_string(),
            puts => format!("{}; {puts} of its stores are under way or wait for room", self.now.borrow()),
        }
    }
}
