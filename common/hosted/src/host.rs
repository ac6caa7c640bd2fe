//! The JVM of an agent: how it is found, started and heard.

use crate::say;
use bridge::{Bridge, BridgeError, Jvm, Settings};
use std::sync::{Arc, OnceLock};
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// Finds the Flume of this host and a Java for it; an error says in an operator's words what there is not, and where it
/// was looked for.
pub type Find = Box<dyn Fn() -> Result<Settings, String> + Send + Sync>;

/// What runs components in a JVM. It looks for one when the first component wants it, and starts it when the first one
/// starts.
pub struct Host {
    find: Find,
    found: OnceLock<Result<Settings, String>>,
    bridge: OnceLock<Arc<Bridge>>,
    thread: OnceLock<Option<Handle>>,
}

impl Host {
    /// Nothing is looked at yet.
    pub fn new(find: Find) -> Host {
        let (found, bridge, thread) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Host { find, found, bridge, thread }
    }

    /// How the JVM is started, or what there is not.
    pub(crate) fn settings(&self) -> Result<&Settings, &str> {
        self.found.get_or_init(&self.find).as_ref().map_err(String::as_str)
    }

    /// The JVM that runs, or a new one. Its pipes are read by a thread of their own, so that no component holds them up.
    pub(crate) async fn jvm(&self, log: &slog::Logger) -> Result<Jvm, BridgeError> {
        let bridge = self.bridge(log)?;
        let (tell, told) = oneshot::channel();
        self.thread()?.spawn(async move {
            let _nobody_waits_any_more = tell.send(bridge.jvm().await);
        });
        told.await.unwrap_or_else(|_| Err(BridgeError::Gone("the agent is stopping".into())))
    }

    /// The thread of the JVM's pipes.
    pub(crate) fn thread(&self) -> Result<&Handle, BridgeError> {
        let none = || BridgeError::Gone("the system gives no thread for its pipes".into());
        self.thread.get_or_init(thread).as_ref().ok_or_else(none)
    }

    /// The JVM, if one runs.
    pub(crate) fn running(&self) -> Option<Jvm> {
        self.bridge.get()?.running()
    }

    /// How often it was started again.
    pub(crate) fn restarts(&self) -> u64 {
        self.bridge.get().map_or(0, |bridge| bridge.restarts())
    }

    /// Ends the JVM when no component has it.
    pub(crate) async fn end_if_idle(&self) {
        if let Some(bridge) = self.bridge.get() {
            bridge.end_if_idle().await;
        }
    }

    pub(crate) fn bridge(&self, log: &slog::Logger) -> Result<Arc<Bridge>, BridgeError> {
        let settings =
            self.settings().map_err(|searched| BridgeError::NoJava { searched: searched.to_owned() })?;
        let made = || Arc::new(Bridge::new(settings.clone(), say::to(log.clone())));
        Ok(self.bridge.get_or_init(made).clone())
    }
}

/// The thread of the JVM's pipes. It ends with the process.
fn thread() -> Option<Handle> {
    let runtime = Builder::new_current_thread().enable_all().build().ok()?;
    let handle = runtime.handle().clone();
    let run = move || runtime.block_on(std::future::pending::<()>());
    std::thread::Builder::new().name("java".into()).spawn(run).ok()?;
    Some(handle)
}
