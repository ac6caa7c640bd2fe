//! The actor that builds the others, and builds them again.
//!
//! actix's own `Supervisor` revives an actor that stopped, not one that panicked. Here every actor carries a
//! [`DeathWatch`]; when the actor goes, however it goes, its death watch tells the supervisor.

use super::policy::RestartPolicy;
use actix::prelude::*;
use runtime::clock;
use std::sync::Arc;

/// Builds an actor and makes it known; called again after each death. An error is told and tried again later.
pub type Build = Box<dyn FnMut(DeathWatch) -> Result<(), String> + Send>;

/// Lives in an actor and reports its end.
pub struct DeathWatch {
    child: usize,
    supervisor: Option<Recipient<Died>>,
}

impl DeathWatch {
    /// For an actor that nobody watches: in tests.
    #[cfg(any(test, feature = "testing"))]
    pub fn unwatched() -> DeathWatch {
        DeathWatch { child: 0, supervisor: None }
    }

    /// The actor ends because it was asked to: nobody is to be told.
    pub fn release(&mut self) {
        self.supervisor = None;
    }
}

impl Drop for DeathWatch {
    fn drop(&mut self) {
        if let Some(supervisor) = &self.supervisor {
            supervisor.do_send(Died(self.child));
        }
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Died(usize);

/// Builds a child now and whenever it has died.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Watch {
    /// Its name, for people.
    pub name: Arc<str>,
    /// Builds it.
    pub build: Build,
}

/// The supervisor of a flow.
pub struct Supervisor {
    log: slog::Logger,
    children: Vec<Child>,
}

struct Child {
    name: Arc<str>,
    build: Build,
    restarts: RestartPolicy,
}

impl Supervisor {
    /// One without children.
    pub fn new(log: slog::Logger) -> Supervisor {
        Supervisor { log, children: Vec::new() }
    }

    fn build(&mut self, index: usize, ctx: &mut Context<Self>) {
        let death_watch = DeathWatch { child: index, supervisor: Some(ctx.address().recipient()) };
        let child = &mut self.children[index];
        // A death watch that is dropped because the build failed reports a death, and so the next try.
        if let Err(error) = (child.build)(death_watch) {
            slog::error!(self.log, "cannot start {}: {error}", child.name);
        }
    }
}

impl Actor for Supervisor {
    type Context = Context<Self>;
}

impl Handler<Watch> for Supervisor {
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

impl Handler<Died> for Supervisor {
    type Result = ();

    fn handle(&mut self, Died(index): Died, ctx: &mut Self::Context) {
        let child = &mut self.children[index];
        let pause = child.restarts.died(clock::now());
        slog::error!(
            self.log,
            "{} crashed (internal error); restarting in {} ms. What its channels hold is kept. Please report this.",
            child.name,
            pause.as_millis()
        );
        ctx.run_later(pause, move |supervisor, ctx| supervisor.build(index, ctx));
    }
}
