//! Who waits for what a JVM says.

use crate::{
    life::{Life, Made},
    protocol::{FromJvm, Metrics},
};
use std::{collections::HashMap, sync::Arc};
use tokio::sync::{mpsc, oneshot};

/// The components of a JVM, and all who have asked it something.
#[derive(Default)]
pub(super) struct Registry {
    pub(super) components: HashMap<u32, Entry>,
    pub(super) dumps: HashMap<u32, Vec<oneshot::Sender<(String, String)>>>,
    /// One asks for counters at a time.
    pub(super) metrics: Option<oneshot::Sender<Metrics>>,
    pub(super) pongs: u64,
}

pub(super) struct Entry {
    pub(super) title: String,
    /// Its classes, once it is created.
    pub(super) classes: String,
    pub(super) life: mpsc::UnboundedSender<Life>,
    pub(super) inbox: Arc<dyn Inbox>,
}

/// Takes what a component says. Called by the task that reads the pipe: it must not wait.
pub(crate) trait Inbox: Send + Sync {
    /// A frame of the component's own kind.
    fn take(&self, message: FromJvm);

    /// Nothing comes any more: all that the JVM has written was handed over before.
    fn ended(&self);
}

impl Entry {
    pub(super) fn ways(&self) -> (mpsc::UnboundedSender<Life>, Arc<dyn Inbox>) {
        (self.life.clone(), self.inbox.clone())
    }
}

/// A step of the life cycle goes one way, anything else the other.
pub(super) fn hand_over(steps: &mpsc::UnboundedSender<Life>, inbox: &dyn Inbox, message: FromJvm) {
    let step = match message {
        FromJvm::Created { class, batch_size, how } => Life::Created(Made { class, batch_size, how }),
        FromJvm::Started => Life::Started,
        FromJvm::Stopped => Life::Stopped,
        FromJvm::Error { phase, thrown } if !phase.starts_with("call ") => Life::Failed { phase, thrown },
        other => return inbox.take(other),
    };
    let _ = steps.send(step); // nobody waits for it when its component is dropped
}
