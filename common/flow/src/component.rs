//! What a component is to the rest: what it says of itself, and how it is made from its properties.
//!
//! A component costs its own folder and one line in a table. The check and the start call the same `configure`: it is the
//! only place where properties are judged, and what it gives can make the component as often as it has to be built anew.

use crate::channel::memory::Limits;
use crate::channel::{ChannelAddress, ChannelContext, Holds};
use crate::files::own::OwnFiles;
use crate::processor::Grouping;
use crate::selector::MakeSelector;
use crate::sink::SinkContext;
use crate::source::Source;
use plan::{ComponentPlan, Descriptor, Findings, GroupPlan, Problem, Properties};
use runtime::build::BuildError;
use runtime::net::Globals;
use std::sync::Arc;

/// One type of component.
pub(crate) struct Component {
    /// What it says of itself.
    pub(crate) descriptor: Descriptor,
    /// How it is made.
    pub(crate) configure: Configure,
}

/// Judges the properties of one component: says what is wrong or doubtful, and how to make it; `None` when it cannot be.
/// It opens what the properties name to be read (a key store), and starts nothing.
pub(crate) enum Configure {
    Source(fn(&Properties, &Site, &mut Findings<'_>) -> Option<MakeSource>),
    Channel(fn(&Properties, &Site, &mut Findings<'_>) -> Option<NewChannel>),
    Sink(fn(&Properties, &Site, &mut Findings<'_>) -> Option<MakeSink>),
    Interceptor(fn(&ComponentPlan, &Site, &mut Findings<'_>) -> Option<()>),
    Selector(fn(&Properties, &[String], &mut Findings<'_>) -> Option<MakeSelector>),
    Processor(fn(&GroupPlan, &mut Findings<'_>) -> Option<Grouping>),
    /// It is made by the component that it is a part of; this says what is doubtful in it.
    Part(fn(&Properties, &mut Findings<'_>)),
}

/// Of a part that has nothing to say.
pub(crate) const PART: Configure = Configure::Part(|_, _| {});

/// What all components of a process may need to be configured.
pub struct Site {
    /// What the process says about TLS.
    pub(crate) globals: Arc<Globals>,
    /// What the agent that is configured writes itself.
    pub(crate) own: Arc<OwnFiles>,
}

impl Site {
    /// This process. `properties` are Java's system properties, as given with `-D`; those about TLS count for every
    /// component that says nothing itself.
    pub fn new(properties: &[(String, String)]) -> Site {
        Site {
            globals: Arc::new(Globals::new(properties, |name| std::env::var(name).ok())),
            own: Arc::default(),
        }
    }

    /// As [`Site::new`], with this environment.
    pub fn with(properties: &[(String, String)], environment: &[(String, String)]) -> Site {
        let variable = |name: &str| environment.iter().rev().find(|(key, _)| key == name);
        let value = |name: &str| variable(name).map(|(_, value)| value.clone());
        Site { globals: Arc::new(Globals::new(properties, value)), own: Arc::default() }
    }
}

/// What came of building something: its notes and its refusal are findings.
pub(crate) fn told<T>(
    built: Result<T, BuildError>,
    notes: Vec<String>,
    findings: &mut Findings<'_>,
) -> Option<T> {
    for note in notes {
        let problem = Problem::warning("note", &findings.owner.at.clone(), note);
        findings.add(problem);
    }
    match built {
        Ok(built) => Some(built),
        Err(error) => {
            findings.refuse(&error.key, &error.what);
            None
        }
    }
}

/// Makes a source.
pub(crate) type MakeSource = Box<dyn Fn() -> Box<dyn Source> + Send>;

/// Starts a sink; an error is in an operator's words, and the start is tried again later.
pub(crate) type MakeSink = Box<dyn Fn(SinkContext) -> Result<crate::processor::SinkAddress, String> + Send>;

/// A channel that can be started.
pub(crate) struct NewChannel {
    /// Events in one transaction, at most.
    pub(crate) transaction: usize,
    /// How much it takes at all, where that is known.
    pub(crate) limits: Option<Limits>,
    /// What it holds, as it can be asked without its actor.
    pub(crate) held: Option<Arc<dyn Holds>>,
    /// Starts its actor. What the channel holds outlives the actor.
    pub(crate) start: Box<dyn Fn(ChannelContext) -> ChannelAddress + Send>,
}
