//! Interceptors and a channel selector in the JVM, of a native source.

use crate::host::Host;
use bridge::{Answer, BridgeError, Interceptors, Routes, Spec};
use event::Batch;
use flow::error::ChannelError;
use flow::interceptor::{Elsewhere, Passed};
use flow::message::PutTimeout;
use flow::selector::Selected;
use futures_util::future::LocalBoxFuture;
use runtime::clock::{self, Duration};
use runtime::told::Told;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::Mutex;
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
}

impl Chain {
    pub(crate) fn new(host: Arc<Host>, spec: Spec, single: bool, log: slog::Logger) -> Chain {
        let (made, told) = (Mutex::default(), RefCell::new(Told::every(TELL_EVERY)));
        Chain(Rc::new(Inner { host, spec, single, log, made, told }))
    }
}

impl Elsewhere for Chain {
    fn pass(&self, batch: Batch, wait: PutTimeout) -> LocalBoxFuture<'static, Result<Passed, ChannelError>> {
        let chain = self.0.clone();
        Box::pin(async move {
            match wait {
                // The sender reads a file or a pipe, which waits too: nothing is lost while a class fails.
                PutTimeout::Forever => Ok(chain.until_it_passes(&batch).await),
                PutTimeout::KeepAlive | PutTimeout::Now => {
                    let passing = chain.while_the_jvm_dies(&batch);
                    match timeout(PATIENCE, passing).await {
                        Ok(passed) => passed.map_err(|error| refused(&error.to_string())),
                        Err(_) => Err(refused("the JVM of its interceptors is not there")),
                    }
                }
            }
        })
    }
}

impl Inner {
    async fn until_it_passes(&self, batch: &Batch) -> Passed {
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

    /// Nothing of a call whose JVM has died is stored: it is made again.
    async fn while_the_jvm_dies(&self, batch: &Batch) -> Result<Passed, BridgeError> {
        loop {
            let made = self.made().await?;
            match made.call(batch, self.single).await {
                Ok(Answer { batch, routes }) => {
                    return Ok(Passed {
                        routes: routes.map(|routes| deal(&batch, &routes, self.spec.names.len())),
                        batch,
                    });
                }
                Err(BridgeError::Gone(_)) => {
                    self.made.lock().await.take_if(|now| Rc::ptr_eq(now, &made));
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn made(&self) -> Result<Rc<Interceptors>, BridgeError> {
        let mut made = self.made.lock().await;
        if let Some(made) = &*made {
            return Ok(made.clone());
        }
        let jvm = self.host.jvm(&self.log).await?;
        let new = Interceptors::create(&jvm, &self.spec).await?;
        new.start().await?;
        Ok(made.insert(Rc::new(new)).clone())
    }
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
