//! `storm-spout`: an agent that a Storm topology has started.

use crate::{
    FAILED, Role, WRONG, complain,
    java::Words,
    load::Checked,
    options::RunOptions,
    run::{self, Starter},
};
use components::{LinesForStorm, end_storm, feeds_storm};
use console::{Console, Format, Settings};
use std::{
    io::{self, IsTerminal},
    process::ExitCode,
    sync::Arc,
};

/// Runs the agent that `options` name until Storm ends it.
pub(crate) fn run(role: Role, options: &RunOptions, words: &Words) -> ExitCode {
    if io::stdin().is_terminal() && !options.dryrun {
        complain(
            role,
            "storm-spout is started by Storm's ShellSpout, not by hand: deploy/storm has a topology to start from",
        );
        return ExitCode::from(WRONG);
    }
    let code = run::run(role, options, words, Starter::Storm);
    // The last lines, and the reason why it does not start.
    if end_storm() { code } else { ExitCode::from(FAILED) }
}

/// Log lines go to Storm; its log has no colours.
pub(crate) fn console(mut settings: Settings) -> Arc<Console> {
    if settings.format == Format::Coloured {
        settings.format = Format::Flume;
    }
    Console::to(LinesForStorm, settings)
}

/// What prevents an agent that could run from being run by `starter`.
pub(crate) fn wrong(role: Role, loaded: &Checked, starter: Starter) -> Option<String> {
    let plan = &loaded.assembly.as_ref()?.plan;
    match (starter, feeds_storm(plan)) {
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
