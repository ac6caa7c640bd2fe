//! A channel of the class path: `file`, `jdbc`, `SPILLABLEMEMORY`, own ones.

use crate::{
    BridgeError, ComponentKind, Jvm, Made, Spec,
    component::Component,
    jvm::Inbox,
    protocol::{FromJvm, Thrown, to_jvm},
};
use event::Batch;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::mpsc;

/// A channel in a JVM. Transactions may overlap as far as the channel allows it.
pub struct Channel {
    component: Component,
    transactions: Arc<Transactions>,
    next: AtomicU64,
}

/// Events that a transaction has taken. Dropping it rolls back.
pub struct Taking {
    /// The events; none when the channel was empty.
    pub batch: Batch,
    number: u64,
    component: u32,
    title: String,
    jvm: Jvm,
    steps: mpsc::UnboundedReceiver<Step>,
    open: bool,
}

enum Step {
    Taken(Batch),
    Done(Result<(), (bool, Thrown)>),
}

#[derive(Default)]
struct Transactions(Mutex<Option<HashMap<u64, mpsc::UnboundedSender<Step>>>>);

impl Channel {
    /// Creates it.
    ///
    /// # Errors
    /// When a class is missing or `configure` has failed.
    pub async fn create(jvm: &Jvm, spec: &Spec) -> Result<Channel, BridgeError> {
        debug_assert_eq!(spec.kind, ComponentKind::Channel);
        let transactions = Arc::new(Transactions(Mutex::new(Some(HashMap::new()))));
        let component = Component::create(jvm, spec, transactions.clone()).await?;
        Ok(Channel { component, transactions, next: AtomicU64::new(0) })
    }

    /// What is known of it; its batch size is its transaction capacity.
    pub fn made(&self) -> &Made {
        &self.component.made
    }

    /// Starts it: Flume's file channel replays its log then.
    ///
    /// # Errors
    /// When it fails.
    pub async fn start(&self) -> Result<(), BridgeError> {
        self.component.start().await
    }

    /// Stores a batch in one transaction.
    ///
    /// # Errors
    /// When the channel is full ([`BridgeError::is_full`]) or has failed: nothing is stored. When the JVM is gone while
    /// the transaction is under way, it may be stored or not.
    pub async fn put(&self, batch: &Batch) -> Result<(), BridgeError> {
        let (number, mut steps) = self.open()?;
        let frame = to_jvm::channel_put(self.component.id, number, batch, self.component.jvm.objects(batch));
        if let Err(error) = self.component.check_size(frame.bytes()) {
            self.transactions.forget(number);
            return Err(error);
        }
        self.component.jvm.send(frame);
        let Component { id, title, jvm, .. } = &self.component;
        match jvm.patiently(*id, title, "a put", steps.recv()).await {
            Some(Step::Done(answer)) => answer.map_err(|(full, thrown)| self.failed("a put", full, thrown)),
            Some(Step::Taken(_)) => Err(BridgeError::Garbled("an answer to a take after a put".into())),
            None => Err(jvm.gone()),
        }
    }

    /// Takes up to `most` events in a transaction that stays open. Waits as long as the channel does when it is empty.
    ///
    /// # Errors
    /// When the channel has failed, or the JVM is gone.
    pub async fn take(&self, most: usize) -> Result<Taking, BridgeError> {
        let (number, steps) = self.open()?;
        let Component { id, title, jvm, .. } = &self.component;
        let (component, batch) = (*id, Batch::default());
        jvm.send(to_jvm::channel_take(component, number, most));
        // From here on it rolls back when it is dropped: also while it is waited for.
        let mut taking =
            Taking { batch, number, component, title: title.clone(), jvm: jvm.clone(), steps, open: true };
        let step = jvm.patiently(component, title, "a take", taking.steps.recv()).await;
        if let Some(Step::Taken(batch)) = step {
            taking.batch = batch;
            return Ok(taking);
        }
        taking.open = false;
        match step {
            Some(Step::Done(Err((full, thrown)))) => Err(self.failed("a take", full, thrown)),
            _ => Err(jvm.gone()),
        }
    }

    /// Stops it. Transactions that are open are rolled back.
    ///
    /// # Errors
    /// When it fails.
    pub async fn stop(&self) -> Result<(), BridgeError> {
        self.component.stop().await
    }

    fn open(&self) -> Result<(u64, mpsc::UnboundedReceiver<Step>), BridgeError> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (tell, told) = mpsc::unbounded_channel();
        match &mut *self.transactions.lock() {
            Some(open) => drop(open.insert(number, tell)),
            None => return Err(self.component.jvm.gone()),
        }
        Ok((number, told))
    }

    fn failed(&self, phase: &str, full: bool, thrown: Thrown) -> BridgeError {
        if full {
            return BridgeError::Full { component: self.component.title.clone(), text: thrown.message };
        }
        self.component.failed(phase.into(), thrown)
    }
}

impl Taking {
    /// The channel forgets the events.
    ///
    /// # Errors
    /// When it fails: they are still in the channel. When the JVM is gone: they may be.
    pub async fn commit(mut self) -> Result<(), BridgeError> {
        self.end(true).await
    }

    /// The channel has them again.
    ///
    /// # Errors
    /// When it fails.
    pub async fn rollback(mut self) -> Result<(), BridgeError> {
        self.end(false).await
    }

    async fn end(&mut self, commit: bool) -> Result<(), BridgeError> {
        self.open = false;
        self.jvm.send(to_jvm::channel_end(self.component, self.number, commit));
        let step = self.jvm.patiently(self.component, &self.title, "a commit", self.steps.recv()).await;
        match step {
            Some(Step::Done(Ok(()))) => Ok(()),
            Some(Step::Done(Err((_, thrown)))) => {
                let (component, phase) = (self.title.clone(), "a commit".to_owned());
                Err(BridgeError::Failed { component, phase, thrown: Box::new(thrown) })
            }
            Some(Step::Taken(_)) => Err(BridgeError::Garbled("a second answer to a take".into())),
            None => Err(self.jvm.gone()),
        }
    }
}

impl Drop for Taking {
    fn drop(&mut self) {
        if self.open {
            self.jvm.send(to_jvm::channel_end(self.component, self.number, false));
        }
    }
}

impl Transactions {
    fn lock(&self) -> MutexGuard<'_, Option<HashMap<u64, mpsc::UnboundedSender<Step>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget(&self, number: u64) {
        self.lock().as_mut().map(|open| open.remove(&number));
    }
}

impl Inbox for Transactions {
    fn take(&self, message: FromJvm) {
        let mut open = self.lock();
        let Some(open) = open.as_mut() else { return };
        // Whoever has dropped a transaction does not want its steps.
        match message {
            FromJvm::Taken { transaction, batch } => {
                open.get(&transaction).map(|tell| tell.send(Step::Taken(batch)));
            }
            FromJvm::TransactionDone { transaction, answer } => {
                open.remove(&transaction).map(|tell| tell.send(Step::Done(answer)));
            }
            _ => {}
        }
    }

    fn ended(&self) {
        self.lock().take();
    }
}
