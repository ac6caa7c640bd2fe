//! A source: each of its commits comes as a batch and waits for its answer.

use crate::{
    BridgeError, ComponentKind, Jvm, Made, Spec,
    component::Component,
    protocol::{FromJvm, to_jvm},
    sink::passes,
};
use event::Batch;
use tokio::sync::mpsc;

/// A source in a JVM, with its interceptors and its selector.
///
/// Hold a [`Put`] until there is room rather than refuse it: many sources drop what is refused. While the source is
/// stopped, answer all that are open and go on taking new ones, or it does not stop.
pub struct Source {
    component: Component,
    puts: mpsc::UnboundedReceiver<FromJvm>,
}

/// A batch that a source commits. Dropping it without an answer refuses it.
#[derive(Debug)]
pub struct Put {
    /// Its events; slices of the frame.
    pub batch: Batch,
    /// The channel, by its index among the source's.
    pub channel: usize,
    transaction: i64,
    component: u32,
    jvm: Option<Jvm>,
}

/// Why a batch is not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PutError {
    /// A `ChannelFullException` for the source.
    Full(String),
    /// A `ChannelException` for the source.
    Refused(String),
}

impl Source {
    /// Creates it, with the interceptors and the selector of its properties.
    ///
    /// # Errors
    /// When a class is missing or `configure` has failed.
    pub async fn create(jvm: &Jvm, spec: &Spec) -> Result<Source, BridgeError> {
        debug_assert_eq!(spec.kind, ComponentKind::Source);
        let (inbox, puts) = passes();
        Ok(Source { component: Component::create(jvm, spec, inbox).await?, puts })
    }

    /// What is known of it.
    pub fn made(&self) -> &Made {
        &self.component.made
    }

    /// Starts it. Some of Flume's begin to store before this returns, others have not opened their port then. What it
    /// commits on the way is given to `store`, which answers it.
    ///
    /// # Errors
    /// When it fails. Make a new one for the next try: a second start of the same one fails for ever.
    pub async fn start(&mut self, store: impl AsyncFnMut(Put)) -> Result<(), BridgeError> {
        let Source { component, puts } = self;
        storing(component, puts, component.start(), store).await
    }

    /// The next batch; `None` when the JVM is gone. May be dropped and called again.
    pub async fn next(&mut self) -> Option<Put> {
        loop {
            if let FromJvm::Put { transaction, channel, batch } = self.puts.recv().await? {
                let (component, jvm) = (self.component.id, Some(self.component.jvm.clone()));
                return Some(Put { batch, channel, transaction, component, jvm });
            }
        }
    }

    /// Stops it. What it commits on the way is given to `store`, which answers it.
    ///
    /// # Errors
    /// When it fails.
    pub async fn stop(&mut self, store: impl AsyncFnMut(Put)) -> Result<(), BridgeError> {
        let Source { component, puts } = self;
        storing(component, puts, component.stop(), store).await
    }

    /// Why its JVM has ended.
    pub fn gone(&self) -> BridgeError {
        self.component.jvm.gone()
    }
}

/// Waits for the end of a step of `component`, and stores what it commits meanwhile.
async fn storing(
    component: &Component,
    puts: &mut mpsc::UnboundedReceiver<FromJvm>,
    step: impl Future<Output = Result<(), BridgeError>>,
    mut store: impl AsyncFnMut(Put),
) -> Result<(), BridgeError> {
    let mut step = std::pin::pin!(step);
    loop {
        let message = tokio::select! {
            biased;
            Some(message) = puts.recv() => message,
            ended = &mut step => return ended,
        };
        if let FromJvm::Put { transaction, channel, batch } = message {
            let (component, jvm) = (component.id, Some(component.jvm.clone()));
            store(Put { batch, channel, transaction, component, jvm }).await;
        }
    }
}

impl Put {
    /// Answers it: the source goes on with `Ok`, gets an exception with `Err`.
    pub fn answer(mut self, answer: Result<(), PutError>) {
        self.send(&answer);
    }

    fn send(&mut self, answer: &Result<(), PutError>) {
        let Some(jvm) = self.jvm.take() else { return };
        let answer = match answer {
            Ok(()) => Ok(()),
            Err(PutError::Full(text)) => Err((1, text.as_str())),
            Err(PutError::Refused(text)) => Err((2, text.as_str())),
        };
        jvm.send(to_jvm::put_result(self.component, self.transaction, answer));
    }
}

impl Drop for Put {
    fn drop(&mut self) {
        self.send(&Err(PutError::Refused("the agent is stopping".into())));
    }
}
