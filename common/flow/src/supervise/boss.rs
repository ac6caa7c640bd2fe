//! The actor that builds the others, and builds them again.
//!
//! actix's own `Supervisor` revives an actor that stopped, not one that panicked. Here every actor carries a [`Guard`];
//! when the actor goes, however it goes, its guard tells the boss.

use super::policy::RestartPolicy;
use actix::prelude::*;
use runtime::clock;
use std::sync::Arc;

/// Builds an actor and makes it known; called again after each death. An error is told and tried again later.
pub(crate) type Build = Box<dyn FnMut(Guard) -> Result<(), String> + Send>;

/// Lives in an actor and reports its end.
pub(crate) struct Guard {
    child: usize,
    boss: Option<Recipient<Died>>,
}

impl Guard {
    /// For an actor that nobody watches: in tests.
    #[cfg(test)]
    pub(crate) fn unwatched() -> Guard {
        Guard { child: 0, boss: None }
    }

    /// The actor ends because it was asked to: nobody is to be told.
    pub(crate) fn release(&mut self) {
        self.boss = None;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(boss) = &self.boss {
            boss.do_send(Died(self.child));
        }
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Died(usize);

/// Builds a child now and whenever it has died.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Watch {
    pub(crate) name: Arc<str>,
    pub(crate) build: Build,
}

/// The supervisor of a flow.
pub(crate) struct Boss {
    log: slog::Logger,
    children: Vec<Child>,
}

struct Child {
    name: Arc<str>,
    build: Build,
    restarts: RestartPolicy,
}

impl Boss {
    pub(crate) fn new(log: slog::Logger) -> Boss {
        Boss { log, children: Vec::new() }
    }

    fn build(&mut self, index: usize, ctx: &mut Context<Self>) {
        let guard = Guard { child: index, boss: Some(ctx.address().recipient()) };
        let child = &mut self.children[index];
        // A guard that is dropped because the build failed reports a death, and so the next try.
        if let Err(error) = (child.build)(guard) {
            slog::error!(self.log, "cannot start {}: {error}", child.name);
        }
    }
}

impl Actor for Boss {
    type Context = Context<Self>;
}

impl Handler<Watch> for Boss {
    type Result = ();

    fn handle(&mut self, watch: Watch, ctx: &mut Self::Context) {
        self.children.push(Child {
            name: watch.name,
            build: watch.build,
            restarts: RestartPolicy::default(),
        });
        self.build(self.children.len() - 1, ctx);
    }
}

impl Handler<Died> for Boss {
    type Result = ();

    fn handle(&mut self, Died(index): Died, ctx: &mut Self::Context) {
        let child = &mut self.children[index];
        let pause = child.restarts.died(clock::now());
        slog::error!(
            self.log,
            "{} stopped working by a fault of ours; it is started again in {} ms and what its channels hold is kept. Please report this.",
            child.name,
            pause.as_millis()
        );
        ctx.run_later(pause, move |boss, ctx| boss.build(index, ctx));
    }
}
