//! Who has started the process, and what that changes.

use crate::{Role, load::Checked};
use components::{LinesForStorm, feeds_storm};
use console::{Console, Format, Settings};
use std::sync::Arc;

/// Who has started the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Starter {
    /// A person, systemd, a script.
    Anybody,
    /// A topology, which has standard input and output, and the log lines.
    Storm,
}

impl Starter {
    /// Where log lines go.
    pub(crate) fn console(self, mut settings: Settings) -> Arc<Console> {
        match self {
            Starter::Anybody => Console::stderr(settings),
            Starter::Storm => {
                // Its log has no colours.
                if matches!(settings.format, Format::Coloured) {
                    settings.format = Format::Flume;
                }
                Console::to(LinesForStorm, settings)
            }
        }
    }

    /// What prevents an agent that could run from being run by this one.
    pub(crate) fn objection(self, role: Role, loaded: &Checked) -> Option<String> {
        let plan = &loaded.assembly.as_ref()?.plan;
        match (self, feeds_storm(plan)) {
            (Starter::Storm, false) => Some(format!(
                "the agent {0} has no channel of type `storm`, so nothing of it would reach the topology. Write `{0}.channels.NAME.type = storm`",
                plan.agent
            )),
            (Starter::Anybody, true) => Some(format!(
                "the agent {} has a channel of type `storm`, which feeds the topology that has started the process. Have Storm's ShellSpout start `{role} storm-spout` with the same options: deploy/storm has a topology to start from",
                plan.agent
            )),
            _ => None,
        }
    }
}
