//! Interceptors and a channel selector in the JVM, of a native source.

use crate::aside::{self, Why};
use crate::host::Host;
use bridge::{Answer, BridgeError, Interceptors, Poison, Routes, Spec};
use event::Batch;
use flow::error::ChannelError;
use flow::interceptor::{Elsewhere, Passed};
use flow::message::PutTimeout;
use flow::selector::Selected;
use futures_util::future::LocalBoxFuture;
use runtime::clock::{self, Duration};
use runtime::told::Told;
use std::cell::{Cell, RefCell};
use std::hash::{DefaultHasher, Hasher};
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::{Mutex, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};
use tokio::time::{sleep, timeout};

/// A source's chain. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Chain(Rc<Inner>);

struct Inner {
    host: Arc<Host>,
    spec: Spec,
    /// Whether Flume's source hands events over one by one.
    single: bool,
    log: slog::Logger,
    made: Mutex<Option<Rc<Interceptors>>>,
    told: RefCell<Told>,
    poison: RefCell<Poison>,
    /// A batch under suspicion passes alone.
    turns: Arc<RwLock<()>>,
    /// Calls that are with the JVM, and whether somebody has given one up.
    under_way: Cell<usize>,
    stuck: Cell<bool>,
    last_end: RefCell<String>,
}

/// While it lives, a call may be under way: among others, or alone.
enum Turn {
    Among { _guard: OwnedRwLockReadGuard<()> },
    Alone { _guard: OwnedRwLockWriteGuard<()> },
}

impl Chain {
    pub(crate) fn new(host: Arc<Host>, spec: Spec, single: bool, log: slog::Logger) -> Chain {
        Chain(Rc::new(Inner {
            host,
            spec,
            single,
            log,
            made: Mutex::default(),
            told: RefCell::new(Told::every(TELL_EVERY)),
            poison: RefCell::default(),
            turns: Arc::default(),
            under_way: Cell::new(0),
            stuck: Cell::new(false),
            last_end: RefCell::default(),
        }))
    }
}

impl Elsewhere for Chain {
    fn pass(&self, batch: Batch, wait: PutTimeout) -> LocalBoxFuture<'static, Result<Passed, ChannelError>> {
        let chain = self.0.clone();
        Box::pin(async move {
            match wait {
                // The sender reads a file or a pipe, which waits too: nothing is lost while a class fails.
                PutTimeout::Forever => Ok(chain.until_it_passes(&batch).await),
                PutTimeout::KeepAlive | PutTimeout::Now if chain.is_stuck() => {
                    Err(refused("its interceptors do not answer"))
                }
                PutTimeout::KeepAlive | PutTimeout::Now => {
                    let passing = chain.while_the_jvm_dies(&batch);
                    match timeout(PATIENCE, passing).await {
                        Ok(passed) => passed.map_err(|reason| refused(&reason)),
                        Err(_) => {
                            chain.stuck.set(true);
                            Err(refused("the JVM of its interceptors is not there"))
                        }
                    }
                }
            }
        })
    }
}

impl Inner {
    async fn until_it_passes(self: &Rc<Self>, batch: &Batch) -> Passed {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.while_the_jvm_dies(batch).await {
                Ok(passed) => return passed,
                Err(error) => {
                    if self.told.borrow_mut().tell(clock::now()).is_some() {
                        slog::error!(
                            self.log,
                            "{error}; the source waits and tries the same {} events again",
                            batch.len()
                        );
                    }
                    sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// Nothing of a call whose JVM has died is stored: it is made again, until it turns out that it is the batch.
    async fn while_the_jvm_dies(self: &Rc<Self>, batch: &Batch) -> Result<Passed, String> {
        loop {
            let key = (!self.poison.borrow_mut().is_calm(clock::now())).then(|| key(batch));
            if let Some(key) = key.filter(|key| self.poison.borrow().is_poison(*key)) {
                return self.set_aside(batch, key).await;
            }
            let turn = match key {
                Some(key) if self.poison.borrow().is_suspect(key) => {
                    Turn::Alone { _guard: self.turns.clone().write_owned().await }
                }
                _ => Turn::Among { _guard: self.turns.clone().read_owned().await },
            };
            let made = self.made().await.map_err(|error| error.to_string())?;
            // A call goes on though nobody waits for it any more: one that hangs is to be told about, and ended.
            let (chain, batch) = (self.clone(), batch.clone());
            let called = actix_rt::spawn(async move { chain.call(made, &batch, key, turn).await }).await;
            match called.map_err(|_| "the agent is stopping".to_owned())? {
                Ok(passed) => return Ok(passed),
                Err(BridgeError::Gone(_)) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
    }

    async fn call(
        &self,
        made: Rc<Interceptors>,
        batch: &Batch,
        key: Option<u64>,
        turn: Turn,
    ) -> Result<Passed, BridgeError> {
        self.under_way.set(self.under_way.get() + 1);
        let called = made.call(batch, self.single).await;
        self.under_way.set(self.under_way.get() - 1);
        self.stuck.set(false);
        match called {
            Ok(Answer { batch, routes }) => {
                self.poison.borrow_mut().passed(key);
                let routes = routes.map(|routes| deal(&batch, &routes, self.spec.names.len()));
                Ok(Passed { routes, batch })
            }
            Err(error) => {
                if matches!(error, BridgeError::Gone(_)) {
                    let (key, alone) =
                        (key.unwrap_or_else(|| self::key(batch)), matches!(turn, Turn::Alone { .. }));
                    self.poison.borrow_mut().died(key, alone, made.fault(), clock::now());
                    *self.last_end.borrow_mut() = error.to_string();
                }
                Err(error)
            }
        }
    }

    /// Whether a call is under way that somebody has given up.
    fn is_stuck(&self) -> bool {
        self.stuck.get() && self.under_way.get() > 0
    }

    async fn set_aside(&self, batch: &Batch, key: u64) -> Result<Passed, String> {
        let (who, because) = (format!("source {}", self.spec.name), self.last_end.borrow().clone());
        let folder = &self.host.settings()?.aside;
        aside::set_aside(folder, &who, Why::EndsEveryJvm(&because), std::slice::from_ref(batch), &self.log)
            .await?;
        self.poison.borrow_mut().set_aside(key);
        Ok(Passed { batch: batch.filter(|_| false), routes: None })
    }

    async fn made(&self) -> Result<Rc<Interceptors>, BridgeError> {
        let mut made = self.made.lock().await;
        if let Some(made) = made.as_ref().filter(|made| !made.is_gone()) {
            return Ok(made.clone());
        }
        let jvm = self.host.jvm(&self.log).await?;
        let new = Interceptors::create(&jvm, &self.spec).await?;
        new.start().await?;
        Ok(made.insert(Rc::new(new)).clone())
    }
}

/// What is the same for a batch that its sender sends again.
fn key(batch: &Batch) -> u64 {
    let mut hasher = DefaultHasher::new();
    batch.runs().for_each(|run| hasher.write(&run));
    hasher.finish()
}

fn refused(reason: &str) -> ChannelError {
    ChannelError::Class { reason: reason.to_owned() }
}

/// Deals events out to their channels.
fn deal(batch: &Batch, routes: &Routes, channels: usize) -> Selected {
    let mut selected = Selected::default();
    let of = |index: usize| routes.of(index);
    let part = |goes: &dyn Fn(usize) -> bool| {
        let mut at = 0..;
        let part = batch.filter(|_| at.next().is_some_and(goes));
        Some(part).filter(|part| !part.is_empty())
    };
    for channel in 0..channels {
        let named = |list: &[u32]| list.iter().any(|one| *one as usize == channel);
        let required = part(&|index| of(index).is_some_and(|route| named(&route.required)));
        selected.required.extend(required.map(|part| (channel, part)));
        let optional =
            part(&|index| of(index).is_some_and(|route| named(&route.optional) && !named(&route.required)));
        selected.optional.extend(optional.map(|part| (channel, part)));
    }
    let goes_nowhere =
        |index: &usize| of(*index).is_none_or(|route| route.required.is_empty() && route.optional.is_empty());
    selected.dropped = (0..batch.len()).filter(goes_nowhere).count();
    selected
}

/// How long a sender waits that has somebody of its own to answer to: a JVM that has died is there again by then.
const PATIENCE: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Between two lines about a class that fails.
const TELL_EVERY: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;
    use bridge::Route;
    use flow::testing::{batch, numbers};

    #[test]
    fn events_go_to_the_channels_that_a_selector_names() {
        let route = |required: &[u32], optional: &[u32]| Route {
            required: required.into(),
            optional: optional.into(),
        };
        let routes = Routes::new([route(&[0], &[]), route(&[1], &[0, 1]), route(&[0], &[]), route(&[], &[])]);
        let selected = deal(&batch(0..4), &routes, 2);
        let told = |parts: &[(usize, Batch)]| {
            parts
                .iter()
                .map(|(channel, part)| (*channel, numbers(std::slice::from_ref(part))))
                .collect::<Vec<_>>()
        };
        assert_eq!(told(&selected.required), [(0, vec![0, 2]), (1, vec![1])]);
        assert_eq!((told(&selected.optional), selected.dropped), (vec![(0, vec![1])], 1));
    }
}
