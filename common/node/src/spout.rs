//! `storm-spout`: an agent that a Storm topology has started.

use crate::{FAILED, Role, WRONG, complain, java::Words, options::RunOptions, run, starter::Starter};
use components::end_storm;
use std::{
    io::{self, IsTerminal},
    process::ExitCode,
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
