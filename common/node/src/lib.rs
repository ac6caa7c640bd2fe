//! What the two binaries share: the command line, the start, the console, the exit code.
//!
//! [`main`] reads the command line as `flume-ng agent` does, checks the configuration (crate `plan`), builds the console
//! (crate `console`) and hands the plan to `flow::run`, which returns when the agent has stopped.

mod catalogue;
mod check;
mod client;
mod command;
mod env_file;
mod external;
mod filters;
mod hadoop;
mod java;
mod jmx;
mod jvm;
mod kerberos;
mod limits;
mod load;
mod log4j;
mod logging;
mod options;
mod opts;
mod origin;
mod panic;
mod push;
mod run;
mod spout;
mod starter;
mod tool;
mod version;

pub use catalogue::COMPONENTS;

use command::Command;
use std::{
    fmt,
    io::{self, Write},
    process::ExitCode,
};

/// Which of the two binaries this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// `agent`
    Agent,
    /// `collector`
    Collector,
}

impl Role {
    /// The binary's name.
    pub fn name(self) -> &'static str {
        match self {
            Role::Agent => "agent",
            Role::Collector => "collector",
        }
    }

    /// What it is for, in one sentence.
    fn lead(self) -> &'static str {
        match self {
            Role::Agent => "Follows logs on this host and sends every event on.",
            Role::Collector => "Receives events from agents and prints, stores or forwards them.",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The whole of a binary: reads the process's arguments and does what they say.
///
/// The exit code is 0 when all went well, 1 when it could not start or go on (or `check --deny-warnings` found
/// warnings, or `avro-client` could not deliver everything, `push` could not write), 2 when the command line or the configuration is wrong, 3 when a stop has
/// lost events or had to leave a component behind, 4 when the configuration is well and this build or this host lacks what it
/// needs.
pub fn main(role: Role) -> ExitCode {
    let mut words = std::env::args_os().skip(1).peekable();
    if words.next_if(|word| word == components::KEEPER).is_some() {
        return components::keep(words);
    }
    match command::parse(role, words) {
        Command::Run(options, words) => run::run(role, &options, &words, starter::Starter::Anybody),
        Command::Check(options, words) => check::check(role, &options, &words),
        Command::Client(options, words) => client::run(role, &options, &words),
        Command::Push(options, words) => push::push(role, &options, &words),
        Command::Spout(options, words) => spout::run(role, &options.run, &words),
        Command::Tool(words) => tool::tool(role, &words),
        Command::Version => print(&version::text(role)),
        Command::Help(text) => print(&text),
        Command::Wrong(text) => {
            complain(role, &format!("{text}\nFor more, try: {role} help"));
            ExitCode::from(WRONG)
        }
    }
}

/// Prints what was asked for; a reader that has seen enough is no failure.
fn print(text: &str) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::from(FAILED),
        _ => ExitCode::SUCCESS,
    }
}

/// Says what is wrong before there is a console. When stderr takes nothing, the exit code must do.
fn complain(role: Role, text: &str) {
    let _ = writeln!(io::stderr(), "{role}: {}", for_terminal(text));
}

/// Bounded, and without control characters, which may come from a file or a command line.
fn for_terminal(text: &str) -> String {
    let escape = |sign: char| match sign {
        sign if sign.is_control() && sign != '\n' => sign.escape_default().to_string(),
        sign => sign.to_string(),
    };
    plan::cut(text, MOST_SAID).chars().map(escape).collect()
}

/// Bytes of a message before there is a console.
const MOST_SAID: usize = 4 << 10;

/// Exit code: could not start or go on.
const FAILED: u8 = 1;

/// Exit code: stopped as it was told, but events were lost or a component did not stop.
const LOST: u8 = 3;

/// Exit code: the command line or the configuration is wrong.
const WRONG: u8 = 2;

/// Exit code: the configuration is well, and this build or this host lacks something that it needs.
const LACKS: u8 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_for_a_terminal_is_bounded_and_plain() {
        assert_eq!(for_terminal("a\u{1b}[31m\nb\t"), "a\\u{1b}[31m\nb\\t");
        let long = for_terminal(&"x".repeat(1 << 20));
        assert!(long.len() < 5000 && long.ends_with("(1048576 bytes in all)"), "{} bytes", long.len());
    }
}
