//! Files that this agent writes itself, so that it does not read them.

pub(crate) mod own;
pub(crate) mod rules;

use flow::component::Shared;
use plan::{Plan, Report};
use std::sync::Arc;

/// Judges what file sources and file sinks of one agent do to each other; what they share is which files it writes.
pub fn together(plan: &Plan, report: &mut Report) -> Shared {
    rules::judge(plan, report);
    Arc::new(own::OwnFiles::of(plan))
}
