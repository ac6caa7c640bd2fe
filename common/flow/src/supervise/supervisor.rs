//! The actor that builds the others, and builds them again.
//!
//! actix's own `Supervisor` revives an actor that stopped, not one that panicked. Here every actor carries a
//! [`DeathWatch`]; when the actor goes, however it goes, its death watch tells the supervisor.

use super::policy::RestartPolicy;
use actix::prelude::*;
use runtime::clock;
use std::collections::BTreeMap;
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

/// What is to become of a child. It is told apart by the very name that its [`Watch`] had.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Care {
    /// Its name.
    pub(crate) child: Arc<str>,
    /// What is to become of it.
    pub(crate) order: Order,
}

/// See [`Care`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// It is to be stopped: it is not built again, for the time being.
    Rest,
    /// It has stopped, and is built again now.
    Resume,
    /// It is never built again.
    Forget,
}

/// The supervisor of a flow.
pub struct Supervisor {
    log: slog::Logger,
    children: BTreeMap<usize, Child>,
    next: usize,
}

struct Child {
    name: Arc<str>,
    build: Build,
    restarts: RestartPolicy,
    rests: bool,
}

impl Supervisor {
    /// One without children.
    pub fn new(log: slog::Logger) -> Supervisor {
        Supervisor { log, children: BTreeMap::new(), next: 0 }
    }

    fn build(&mut self, index: usize, ctx: &mut Context<Self>) {
        let death_watch = DeathWatch { child: index, supervisor: Some(ctx.address().recipient()) };
        let Some(child) = self.children.get_mut(&index).filter(|child| !child.rests) else { return };
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
        let index = self.next;
        self.next += 1;
        let Watch { name, build } = watch;
        self.children.insert(index, Child { name, build, restarts: RestartPolicy::default(), rests: false });
        self.build(index, ctx);
    }
}

impl Handler<Care> for Supervisor {
    type Result = ();

    fn handle(&mut self, Care { child, order }: Care, ctx: &mut Self::Context) {
        let is_it = |(_, known): &(&usize, &mut Child)| Arc::ptr_eq(&known.name, &child);
        let Some((index, known)) = self.children.iter_mut().find(is_it) else { return };
        let index = *index;
        match order {
            Order::Rest => known.rests = true,
            Order::Resume => {
                known.rests = false;
                self.build(index, ctx);
            }
            Order::Forget => drop(self.children.remove(&index)),
        }
    }
}

impl Handler<Died> for Supervisor {
    type Result = ();

    fn handle(&mut self, Died(index): Died, ctx: &mut Self::Context) {
        let Some(child) = self.children.get_mut(&index).filter(|child| !child.rests) else { return };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::silent;
    use runtime::within::Within;
    use tokio::sync::mpsc;
    use tokio::time::{Duration, sleep};

    #[actix::test]
    async fn a_child_that_rests_or_is_forgotten_is_not_built_again() {
        tokio::time::pause();
        let supervisor = Supervisor::new(silent()).start();
        let (built, mut births) = mpsc::unbounded_channel();
        let name: Arc<str> = "source r1".into();
        let build =
            Box::new(move |death_watch| built.send(death_watch).map_err(|_| "the test is over".to_owned()));
        let watch = Watch { name: name.clone(), build };
        supervisor.send(watch).within("the first start").await.expect("the supervisor lives");
        let order = |order| supervisor.send(Care { child: name.clone(), order });
        let mut alive = births.recv().await;
        drop(alive.take()); // it dies
        alive = births.recv().within("it to be built anew").await;
        order(Order::Rest).await.expect("the supervisor lives");
        drop(alive);
        sleep(Duration::from_secs(60)).await;
        assert!(births.try_recv().is_err(), "it rests");
        order(Order::Resume).await.expect("the supervisor lives");
        let alive = births.recv().within("it to go on").await;
        order(Order::Forget).await.expect("the supervisor lives");
        drop(alive);
        assert!(births.recv().within("its end").await.is_none(), "its builder is gone");
    }
}
