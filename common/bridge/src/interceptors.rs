//! Interceptors and a channel selector of a native source: a batch in, a batch out.

use crate::{
    Answer, BridgeError, ComponentKind, Fault, Jvm, Made, Spec, answer,
    component::Component,
    jvm::Inbox,
    protocol::{FromJvm, Kept, Thrown, to_jvm},
};
use bytes::Bytes;
use event::Batch;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::{Semaphore, oneshot};

/// A chain of interceptors, a channel selector, or both. Calls may overlap; they are answered in their order.
pub struct Interceptors {
    component: Component,
    calls: Arc<Calls>,
    next: AtomicU64,
    room: Semaphore,
    channels: usize,
}

type Answered = Result<(Bytes, Option<Kept>), Thrown>;

#[derive(Default)]
struct Calls(Mutex<Option<HashMap<u64, oneshot::Sender<Answered>>>>);

impl Interceptors {
    /// Creates them: `interceptors`, `interceptors.NAME.*` and `selector.*` of the properties count.
    ///
    /// # Errors
    /// When a class is missing or a builder has failed.
    pub async fn create(jvm: &Jvm, spec: &Spec) -> Result<Interceptors, BridgeError> {
        debug_assert_eq!(spec.kind, ComponentKind::Interceptors);
        let calls = Arc::new(Calls(Mutex::new(Some(HashMap::new()))));
        let component = Component::create(jvm, spec, calls.clone()).await?;
        let room = Semaphore::new(UNDER_WAY.min(jvm.most_frame_bytes()).max(1));
        Ok(Interceptors { component, calls, next: AtomicU64::new(0), room, channels: spec.names.len() })
    }

    /// What is known of them.
    pub fn made(&self) -> &Made {
        &self.component.made
    }

    /// Calls `initialize` of each interceptor.
    ///
    /// # Errors
    /// When one of them fails.
    pub async fn start(&self) -> Result<(), BridgeError> {
        self.component.start().await
    }

    /// Sends `batch` through the chain. `single`: each event goes through `intercept(Event)`, as in Flume's sources that
    /// store events one by one; else all go through `intercept(List)`. Nothing of the batch is copied on the way in.
    ///
    /// # Errors
    /// When an interceptor throws: the batch counts as not stored, the next one may pass. When the JVM is gone.
    pub async fn call(&self, batch: &Batch, single: bool) -> Result<Answer, BridgeError> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let frame = to_jvm::call(self.component.id, number, single, batch);
        self.component.check_size(frame.bytes())?;
        let most = UNDER_WAY.min(self.component.jvm.most_frame_bytes()).max(1);
        let permits = u32::try_from(frame.bytes().min(most)).unwrap_or(u32::MAX);
        // The semaphore is never closed.
        let _room = self.room.acquire_many(permits).await.map_err(|_| self.component.jvm.gone())?;
        let (tell, told) = oneshot::channel();
        match &mut *self.calls.lock() {
            Some(calls) => drop(calls.insert(number, tell)),
            None => return Err(self.component.jvm.gone()),
        }
        self.component.jvm.send(frame);
        let Component { id, title, jvm, .. } = &self.component;
        match jvm.patiently(*id, title, "a call", told).await {
            Ok(Ok((bytes, objects))) => match answer::read(batch, self.channels, bytes) {
                Ok(Answer { batch, routes }) => {
                    let batch = match objects {
                        Some(objects) => batch.with_beside(objects),
                        None => batch,
                    };
                    Ok(Answer { batch, routes })
                }
                Err(malformed) => {
                    let error = BridgeError::from(malformed);
                    jvm.kill(&error.to_string());
                    Err(error)
                }
            },
            Ok(Err(thrown)) => Err(self.component.failed("a call".into(), thrown)),
            Err(_) => Err(jvm.gone()),
        }
    }

    /// Whether their JVM has ended.
    pub fn is_gone(&self) -> bool {
        self.component.jvm.died_at().is_some()
    }

    /// Why its JVM has ended.
    pub fn gone(&self) -> BridgeError {
        self.component.jvm.gone()
    }

    /// What they have to do with that.
    pub fn fault(&self) -> Fault {
        self.component.jvm.fault(&self.component.title)
    }

    /// Calls `close` of each interceptor.
    ///
    /// # Errors
    /// When one of them fails.
    pub async fn stop(&self) -> Result<(), BridgeError> {
        self.component.stop().await
    }
}

impl Calls {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<HashMap<u64, oneshot::Sender<Answered>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settle(&self, call: u64, answer: Answered) {
        let waiting = self.lock().as_mut().and_then(|calls| calls.remove(&call));
        // Whoever has stopped waiting does not want it.
        waiting.map(|tell| tell.send(answer));
    }
}

impl Inbox for Calls {
    fn take(&self, message: FromJvm) {
        match message {
            FromJvm::Result { call, answer, objects } => self.settle(call, Ok((answer, objects))),
            FromJvm::Error { phase, thrown } => {
                if let Some(call) = phase.strip_prefix("call ").and_then(|number| number.parse().ok()) {
                    self.settle(call, Err(thrown));
                }
            }
            _ => {}
        }
    }

    fn ended(&self) {
        self.lock().take();
    }
}

/// Bytes of calls that are with the JVM at a time: enough to keep both sides at work.
const UNDER_WAY: usize = 4 << 20;
