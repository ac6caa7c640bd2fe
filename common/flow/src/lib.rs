//! Sources, channels and sinks as actors: [`run`] is the only way in.

#[cfg(test)]
mod allocations;
mod build;
mod channel;
pub mod client;
mod clock;
mod drain;
mod error;
mod interceptor;
mod message;
mod net;
mod placement;
mod processor;
mod random;
mod registry;
mod selector;
mod serializer;
mod sink;
mod source;
mod start;
mod supervise;
#[cfg(test)]
mod testing;

pub use error::StartError;

use actix_rt::System;
use start::{Flow, Surroundings};
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a flow is run with.
pub struct Settings {
    /// All its own lines go here.
    pub log: slog::Logger,
    /// What its logger sinks print goes here.
    pub console: Arc<journal::Console>,
    /// How long a stop waits for the channels to run dry.
    pub drain_timeout: Duration,
    /// Called once, when every source has opened its way in or has told why it could not.
    pub on_ready: Box<dyn FnOnce() + Send>,
    /// Called once, when a stop begins.
    pub on_stop: Box<dyn FnOnce() + Send>,
    /// Java's system properties, as given with `-D`; those about TLS count for every component that says nothing itself.
    pub properties: Vec<(String, String)>,
}

/// How a flow ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// In order, after a signal: everything that could be delivered was.
    Stopped,
    /// At once, by a second signal of this number.
    Cut(i32),
}

/// Runs `plan` until the process is told to stop: SIGTERM or SIGINT once to finish, twice to stop at once.
///
/// # Errors
/// [`StartError`]; then nothing was started.
pub fn run(plan: plan::Plan, settings: Settings) -> Result<Ended, StartError> {
    System::new().block_on(async move {
        let Settings { log, console, drain_timeout, on_ready, on_stop, properties } = settings;
        let globals = net::Globals::new(&properties, |name| std::env::var(name).ok());
        let mut signals = Signals::new()?;
        let mut flow =
            Flow::start(plan, &Surroundings { log: log.clone(), console, globals: Arc::new(globals) })
                .await?;
        tokio::select! {
            () = flow.ready() => on_ready(),
            _ = signals.next() => {
                on_stop();
                return Ok(stop(flow, drain_timeout, &mut signals).await);
            }
        }
        signals.next().await;
        on_stop();
        Ok(stop(flow, drain_timeout, &mut signals).await)
    })
}

async fn stop(flow: Flow, drain_timeout: Duration, signals: &mut Signals) -> Ended {
    tokio::select! {
        () = flow.stop(drain_timeout) => Ended::Stopped,
        number = signals.next() => Ended::Cut(number),
    }
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Signals> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// The number of the next signal.
    async fn next(&mut self) -> i32 {
        tokio::select! {
            _ = self.terminate.recv() => SignalKind::terminate().as_raw_value(),
            _ = self.interrupt.recv() => SignalKind::interrupt().as_raw_value(),
        }
    }
}
