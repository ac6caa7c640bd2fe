//! Shows the counters of native components in a JVM: as Flume's MBeans, and to an operator's own monitor.

use crate::{
    BridgeError, ComponentKind, Jvm, Spec,
    component::Component,
    jvm::Inbox,
    protocol::{FromJvm, to_jvm},
};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// The MBeans of an agent, with a monitor that reads them if there is one. When it is dropped the MBeans are taken away.
pub struct Monitor {
    component: Arc<Component>,
    asked: Receiver<()>,
}

/// The counters of a component.
#[derive(Debug, Clone, PartialEq)]
pub struct Bean {
    /// `SOURCE`, as Flume has it.
    pub kind: String,
    /// Its name: `r1`.
    pub name: String,
    /// By their names.
    pub attributes: Vec<(String, Attribute)>,
}

/// What an attribute of an MBean is.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribute {
    /// A `long`.
    Long(i64),
    /// A `double`.
    Double(f64),
    /// A `String`.
    Text(String),
}

/// Keeps that the JVM has asked; empty when it has ended.
struct Asked(Mutex<Option<Sender<()>>>);

impl Monitor {
    /// Loads the class and configures it; without a class there are the MBeans alone.
    ///
    /// # Errors
    /// When the class is missing, is no monitor or refuses its properties.
    pub async fn create(jvm: &Jvm, spec: &Spec) -> Result<Monitor, BridgeError> {
        debug_assert_eq!(spec.kind, ComponentKind::Monitor);
        let (tell, asked) = channel(1);
        let component = Component::create(jvm, spec, Arc::new(Asked(Mutex::new(Some(tell))))).await?;
        Ok(Monitor { component: Arc::new(component), asked })
    }

    /// These are all components, and what they count.
    pub fn show(&self, beans: &[Bean]) {
        self.component.jvm.send(to_jvm::counters(self.component.id, beans));
    }

    /// Starts it. Show something before, and go on answering [`Monitor::asked`]: a monitor may read while it starts.
    pub fn start(&self) -> impl Future<Output = Result<(), BridgeError>> + use<> {
        let component = self.component.clone();
        async move { component.start().await }
    }

    /// Somebody reads and waits for [`Monitor::show`]; `None` when the JVM is gone. May be dropped and called again.
    pub async fn asked(&mut self) -> Option<()> {
        self.asked.recv().await
    }

    /// Stops it. It may read while it stops.
    pub fn stop(&self) -> impl Future<Output = Result<(), BridgeError>> + use<> {
        let component = self.component.clone();
        async move { component.stop().await }
    }

    /// Why its JVM has ended.
    pub fn gone(&self) -> BridgeError {
        self.component.jvm.gone()
    }
}

impl Inbox for Asked {
    fn take(&self, message: FromJvm) {
        if let (FromJvm::Count, Some(tell)) =
            (message, &*self.0.lock().unwrap_or_else(PoisonError::into_inner))
        {
            // One that waits already is answered for both.
            let _ = tell.try_send(());
        }
    }

    fn ended(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
