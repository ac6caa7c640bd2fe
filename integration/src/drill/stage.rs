//! What the drill shows: what it does, and the consoles of the nodes as their lines come.

use crate::{console::Console, ledger::LineId, node::Node};
use std::{
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

/// A place to print to that several threads share.
#[derive(Clone)]
pub struct Stage {
    out: Arc<Mutex<Box<dyn Write + Send>>>,
}

impl Stage {
    /// Prints to `out`.
    pub fn new(out: impl Write + Send + 'static) -> Stage {
        Stage { out: Arc::new(Mutex::new(Box::new(out))) }
    }

    /// Prints nothing.
    pub fn silent() -> Stage {
        Stage::new(io::sink())
    }

    /// Prints one line or several.
    pub fn say(&self, text: impl AsRef<str>) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever closed our output does not want to see more; the drill goes on.
        let _ = writeln!(out, "{}", text.as_ref()).and_then(|()| out.flush());
    }

    /// Announces a step.
    pub fn step(&self, text: &str) {
        self.say(format!("\n=== {text}"));
    }

    /// Shows nothing more of the node's console.
    pub fn ignore(&self, node: &Node) {
        node.console().echo(Box::new(|_| {}));
    }

    /// Shows the node's console lines from now on, its name in front. Events of the load are left out.
    pub fn listen(&self, node: &Node) {
        self.listen_to(node.name(), node.console());
    }

    /// Shows the lines of a console from now on, as [`Stage::listen`] does.
    pub fn listen_to(&self, name: &str, console: &Console) {
        let (stage, name) = (self.clone(), name.to_owned());
        console.echo(Box::new(move |line| {
            if !is_load(line) {
                stage.say(format!("{name} | {line}"));
            }
        }));
    }
}

/// Whether a console line is one of the many of a load.
fn is_load(line: &str) -> bool {
    crate::event_line::parse(line).is_some_and(|seen| LineId::parse(&seen.body).is_some())
}
