//! What stands around a component under test: a source that is told what to store, a sink that remembers, and death.

use crate::component::MakeSink;
use crate::error::DeliveryError;
use crate::message::PutTimeout;
use crate::sink::local::{self, Blocking};
use crate::source::{MakeSource, Source, SourceContext, Stopping};
use event::Batch;
use futures_util::future::LocalBoxFuture;
use runtime::within::Within;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Notify, watch};

/// What a sink of the suite has taken; whether it takes more.
#[derive(Clone, Default)]
pub struct Collected(Arc<(Mutex<Taken>, Notify)>);

#[derive(Default)]
struct Taken {
    numbers: Vec<u64>,
    closed: bool,
}

impl Collected {
    fn open(&self) -> MutexGuard<'_, Taken> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The numbers in the order in which they came.
    pub fn numbers(&self) -> Vec<u64> {
        self.open().numbers.clone()
    }

    /// From now on every delivery fails, or none does any more.
    pub fn close(&self, closed: bool) {
        self.open().closed = closed;
    }

    /// Waits for so many.
    pub async fn wait(&self, count: usize) {
        while self.open().numbers.len() < count {
            let what = format!("event {count} of those that arrive; arrived: {:?}", self.numbers());
            self.0.1.notified().within(&what).await;
        }
    }

    /// The sink that fills it.
    pub(super) fn sink(&self) -> MakeSink {
        let collected = self.clone();
        Box::new(move |context| local::start(Collector(collected.clone()), context))
    }
}

struct Collector(Collected);

impl Collector {
    fn takes(&self) -> Result<(), DeliveryError> {
        let refuses = || DeliveryError::Write { what: "it".to_owned(), reason: "as told".to_owned() };
        if self.0.open().closed { Err(refuses()) } else { Ok(()) }
    }
}

impl Blocking for Collector {
    fn open(&mut self) -> Result<(), DeliveryError> {
        self.takes()
    }

    fn deliver(&mut self, batches: &mut dyn Iterator<Item = &Batch>) -> Result<(), DeliveryError> {
        self.takes()?;
        let batches: Vec<Batch> = batches.cloned().collect();
        self.0.open().numbers.extend(crate::testing::numbers(&batches));
        self.0.0.1.notify_one();
        Ok(())
    }
}

/// Makes a source that stores what it is sent, and waits for room as long as that takes.
pub(super) fn feeder() -> (UnboundedSender<Batch>, MakeSource) {
    let (feed, fed) = unbounded_channel();
    let fed = Arc::new(tokio::sync::Mutex::new(fed));
    (feed, Box::new(move || Box::new(Feeder(fed.clone()))))
}

struct Feeder(Arc<tokio::sync::Mutex<UnboundedReceiver<Batch>>>);

impl Source for Feeder {
    fn run(self: Box<Self>, mut context: SourceContext, mut stop: Stopping) -> LocalBoxFuture<'static, ()> {
        Box::pin(async move {
            context.ready.done();
            let store = async {
                while let Some(batch) = self.0.lock().await.recv().await {
                    context
                        .processor
                        .store(batch, true, PutTimeout::Forever)
                        .await
                        .expect("the channel takes it");
                }
            };
            tokio::select! { biased;
                _ = stop.changed() => {}
                () = store => {}
            }
        })
    }
}

/// Kills a source at any moment, as a panic in its task does.
#[derive(Clone, Default)]
pub(super) struct Death(Arc<watch::Sender<u64>>);

impl Death {
    pub(super) fn strike(&self) {
        self.0.send_modify(|deaths| *deaths += 1);
    }

    /// Makes the source, mortal.
    pub(super) fn of(&self, make: MakeSource) -> MakeSource {
        let death = self.clone();
        Box::new(move || Box::new(Mortal { source: make(), death: death.0.subscribe() }))
    }
}

struct Mortal {
    source: Box<dyn Source>,
    death: watch::Receiver<u64>,
}

impl Source for Mortal {
    fn run(mut self: Box<Self>, context: SourceContext, stop: Stopping) -> LocalBoxFuture<'static, ()> {
        Box::pin(async move {
            tokio::select! {
                () = self.source.run(context, stop) => {}
                Ok(()) = self.death.changed() => panic!("killed by its test"),
            }
        })
    }

    fn is_rereadable(&self) -> bool {
        self.source.is_rereadable()
    }
}
