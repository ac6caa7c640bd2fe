//! How messages name a component.

use crate::component::Kind;
use crate::fate::Dropped;
use crate::place::Place;

/// Whose properties are checked, as messages name it.
#[derive(Clone, Debug)]
pub struct Owner {
    /// ``source `r1` ``.
    pub noun: String,
    /// `a1.sources.r1.`.
    pub prefix: String,
    /// What Flume does when it does not take it: ``removes the source `r1` ``.
    pub dropped: Dropped,
    /// Where it begins.
    pub at: Place,
}

impl Owner {
    /// One that stands in a list of the agent.
    pub(crate) fn new(kind: Kind, list: &'static str, agent: &str, name: &str, at: &Place) -> Owner {
        let noun = format!("{} `{name}`", kind.noun());
        let dropped = Dropped::unconfigured(&noun, list, name);
        Owner { dropped, noun, prefix: format!("{agent}.{list}.{name}."), at: at.clone() }
    }

    /// Something inside: a selector, an interceptor, a serializer. What drops it drops the owner.
    pub(crate) fn inner(&self, noun: String, prefix: &str, at: &Place) -> Owner {
        let prefix = format!("{}{prefix}", self.prefix);
        Owner { noun, prefix, dropped: self.dropped.clone(), at: at.clone() }
    }

    /// For a component that no file has: in tests.
    pub fn nobody() -> Owner {
        let text = || String::from("test");
        Owner {
            noun: text(),
            prefix: String::new(),
            dropped: Dropped::says("test"),
            at: Place::whole("test"),
        }
    }
}
