//! A sink processor of the class path, with its selector: it decides which sink is asked; the sinks are the holder's.

use crate::{
    BridgeError, ComponentKind, Jvm, Made, Outcome, Spec,
    component::Component,
    protocol::{FromJvm, to_jvm},
    sink::passes,
};
use tokio::sync::mpsc;

/// A group of sinks whose processor is in a JVM.
pub struct Group {
    component: Component,
    events: mpsc::UnboundedReceiver<FromJvm>,
}

impl Group {
    /// Creates it: the properties are those of the group (`processor.*`), the names those of its sinks.
    ///
    /// # Errors
    /// When a class is missing or it cannot be configured.
    pub async fn create(jvm: &Jvm, spec: &Spec) -> Result<Group, BridgeError> {
        debug_assert_eq!(spec.kind, ComponentKind::Group);
        let (inbox, events) = passes();
        Ok(Group { component: Component::create(jvm, spec, inbox).await?, events })
    }

    /// What is known of it.
    pub fn made(&self) -> &Made {
        &self.component.made
    }

    /// Starts it.
    ///
    /// # Errors
    /// When it fails.
    pub async fn start(&self) -> Result<(), BridgeError> {
        self.component.start().await
    }

    /// One round of the processor. It asks sinks by their index; `ask` runs one and says how that ended.
    ///
    /// # Errors
    /// When the JVM is gone.
    pub async fn process(
        &mut self,
        mut ask: impl AsyncFnMut(usize) -> Outcome,
    ) -> Result<Outcome, BridgeError> {
        let Component { id, title, jvm, .. } = &self.component;
        jvm.send(to_jvm::plain(to_jvm::PROCESS, *id));
        loop {
            match jvm.patiently(*id, title, "process()", self.events.recv()).await {
                Some(FromJvm::Ask { index }) => {
                    let outcome = ask(index).await;
                    jvm.send(to_jvm::answer(*id, index, &outcome));
                }
                Some(FromJvm::Done { outcome, .. }) => return Ok(outcome),
                Some(_) => {}
                None => return Err(jvm.gone()),
            }
        }
    }

    /// Stops it.
    ///
    /// # Errors
    /// When it fails.
    pub async fn stop(&self) -> Result<(), BridgeError> {
        self.component.stop().await
    }
}
