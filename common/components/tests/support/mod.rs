//! Loads as the binaries do: what the check says, with what each component says of its own properties.
#![allow(dead_code, reason = "each test file takes what it needs")]

use components::LIGHT;
use flow::Site;
use plan::{Loaded, Options, Sources, Text};

/// As the binaries read a file.
pub(crate) fn options() -> Options {
    Options::new(LIGHT.names())
}

/// Of texts in place of files.
pub(crate) fn load_texts(texts: &[Text], sources: &Sources, agent: &str, options: &Options) -> Loaded {
    judged(plan::load_texts(texts, sources, agent, options), sources)
}

/// Of texts, without some of the agent's parts.
pub(crate) fn load_without(texts: &[Text], agent: &str, without: &plan::Without) -> Loaded {
    let sources = Sources::default();
    judged(plan::load_without(texts, &sources, agent, &options(), without), &sources)
}

/// Of the files that `sources` names.
pub(crate) fn load(sources: &Sources, agent: &str, options: &Options) -> Loaded {
    judged(plan::load(sources, agent, options), sources)
}

/// The plan is `None` when there are errors, as nothing starts then.
fn judged(mut loaded: Loaded, sources: &Sources) -> Loaded {
    let site = Site::with(&sources.properties, &sources.environment);
    let plan = loaded.plan.filter(|plan| flow::configure(plan, &LIGHT, &site, &mut loaded.report).is_some());
    Loaded { plan: plan.filter(|_| !loaded.report.has_errors()), ..loaded }
}
