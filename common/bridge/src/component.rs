//! What all components behind the bridge have: creation, start, stop, and what is told when they are silent.

use crate::{
    BridgeError, Spec,
    jvm::{Inbox, Jvm, START},
    life::{Life, Made},
    protocol::{Thrown, to_jvm},
};
use std::sync::Arc;
use tokio::sync::{Mutex, mpsc};

/// A component of a JVM. Dropping it makes the JVM forget it.
pub(crate) struct Component {
    pub(crate) id: u32,
    pub(crate) title: String,
    pub(crate) jvm: Jvm,
    pub(crate) made: Made,
    life: Mutex<mpsc::UnboundedReceiver<Life>>,
}

impl Component {
    /// Creates it: loads its classes and configures it.
    pub(crate) async fn create(
        jvm: &Jvm,
        spec: &Spec,
        inbox: Arc<dyn Inbox>,
    ) -> Result<Component, BridgeError> {
        let (tell, life) = mpsc::unbounded_channel();
        let (id, title) = (jvm.enter(spec.title(), tell, inbox), spec.title());
        let made = Made { class: String::new(), batch_size: None, how: String::new() };
        let mut component = Component { id, title, jvm: jvm.clone(), made, life: Mutex::new(life) };
        jvm.send(to_jvm::create(id, spec));
        match component.step("create").await? {
            Life::Created(made) => component.made = made,
            _ => return Err(BridgeError::Garbled("an answer to something that was not asked".into())),
        }
        Ok(component)
    }

    pub(crate) async fn start(&self) -> Result<(), BridgeError> {
        self.jvm.send(to_jvm::plain(to_jvm::START, self.id));
        self.step(START).await.map(drop)
    }

    pub(crate) async fn stop(&self) -> Result<(), BridgeError> {
        self.jvm.send(to_jvm::plain(to_jvm::STOP, self.id));
        self.step("stop").await.map(drop)
    }

    /// Waits for the end of a step.
    async fn step(&self, what: &'static str) -> Result<Life, BridgeError> {
        let answer = async { self.life.lock().await.recv().await };
        match self.jvm.patiently(self.id, &self.title, what, answer).await {
            Some(Life::Failed { phase, thrown }) => Err(self.failed(phase, thrown)),
            Some(life) => Ok(life),
            None => Err(self.jvm.gone()),
        }
    }

    /// The error for something that was thrown.
    pub(crate) fn failed(&self, phase: String, thrown: Thrown) -> BridgeError {
        let (component, thrown) = (self.title.clone(), Box::new(thrown));
        match thrown.missing.clone() {
            Some(class) => {
                BridgeError::Missing { component, class, thrown, searched: self.jvm.searched().to_owned() }
            }
            None => BridgeError::Failed { component, phase, thrown },
        }
    }

    /// A frame of events must leave the JVM room to work.
    pub(crate) fn check_size(&self, bytes: usize) -> Result<(), BridgeError> {
        let most = self.jvm.most_frame_bytes();
        if bytes > most {
            return Err(BridgeError::TooLarge { component: self.title.clone(), bytes, most });
        }
        Ok(())
    }
}

impl Drop for Component {
    fn drop(&mut self) {
        self.jvm.leave(self.id);
    }
}
