//! A config filter: it answers a key with a value.

use crate::{
    BridgeError, ComponentKind, Jvm, Spec,
    component::Component,
    jvm::Inbox,
    protocol::{FromJvm, Thrown, to_jvm},
};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// It is asked one word at a time.
pub struct Filter {
    component: Component,
    words: Receiver<Answered>,
}

type Answered = Result<Option<String>, Thrown>;

/// Takes one answer at a time; empty when the JVM has ended.
struct Words(Mutex<Option<Sender<Answered>>>);

impl Filter {
    /// Loads its class and configures it.
    ///
    /// # Errors
    /// When the class is missing or refuses its properties.
    pub async fn create(jvm: &Jvm, spec: &Spec) -> Result<Filter, BridgeError> {
        debug_assert_eq!(spec.kind, ComponentKind::Filter);
        let (tell, words) = channel(1);
        let component = Component::create(jvm, spec, Arc::new(Words(Mutex::new(Some(tell))))).await?;
        Ok(Filter { component, words })
    }

    /// What the filter has for `key`, if anything.
    ///
    /// # Errors
    /// When it throws, or its JVM is gone.
    pub async fn ask(&mut self, key: &str) -> Result<Option<String>, BridgeError> {
        let Component { id, title, jvm, .. } = &self.component;
        jvm.send(to_jvm::question(*id, key));
        match jvm.patiently(*id, title, "a question", self.words.recv()).await {
            Some(Ok(word)) => Ok(word),
            Some(Err(thrown)) => Err(self.component.failed("a question".into(), thrown)),
            None => Err(jvm.gone()),
        }
    }
}

impl Inbox for Words {
    fn take(&self, message: FromJvm) {
        let answer = match message {
            FromJvm::Word(word) => Ok(word),
            FromJvm::Error { thrown, .. } => Err(thrown),
            _ => return,
        };
        if let Some(tell) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            // Whoever has stopped waiting does not want it.
            let _ = tell.try_send(answer);
        }
    }

    fn ended(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
