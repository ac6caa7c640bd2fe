//! The contracts of sources, channels and sinks, and the actors that host them. It knows no component by name:
//! [`configure`] is given the components of the build. [`run`] is the only way in.

pub mod channel;
#[cfg(any(test, feature = "testing"))]
#[doc(hidden)]
pub mod compliance;
pub mod component;
mod configure;
pub mod counters;
mod describe;
mod drain;
pub mod error;
pub mod interceptor;
pub mod message;
mod placement;
#[cfg(any(test, feature = "testing"))]
mod poison;
pub mod processor;
mod reload;
pub mod selector;
mod signals;
pub mod sink;
pub mod source;
pub mod start;
mod stop;
pub mod supervise;
#[cfg(any(test, feature = "testing"))]
#[doc(hidden)]
pub mod testing;

pub use component::Site;
pub use configure::{Assembly, configure};
pub use reload::Reloading;

use actix_rt::System;
use signals::{Signals, StopRequests, Wish};
use start::{Environment, Flow};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// What a flow is run with.
pub struct Settings {
    /// All its own lines go here.
    pub log: slog::Logger,
    /// What its logger sinks print goes here.
    pub console: Arc<console::Console>,
    /// How long a stop waits for the channels to run dry.
    pub drain_timeout: Duration,
    /// Where its components count.
    pub counters: counters::Registry,
    /// Where new configurations come from; with `None` SIGHUP stops the process.
    pub reloading: Option<Reloading>,
    /// Called once, when every source has opened its way in or has told why it could not.
    pub on_ready: Box<dyn FnOnce() + Send>,
    /// Called once, when a stop begins.
    pub on_stop: Box<dyn FnOnce() + Send>,
}

/// How a flow ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// In order, after a signal: everything was delivered, or is read again by the next start.
    Stopped,
    /// After a signal, but events were lost or a component did not stop: an error line says so.
    Lost,
    /// At once, by a second signal of this number.
    Cut(i32),
}

/// Runs `assembly`, and what takes its place, until the process is told to stop: SIGTERM or SIGINT once to finish, twice to
/// stop at once. Call it once in a process, which ends when this has returned: a thread that hangs is left behind.
///
/// # Errors
/// The operating system refused something that every flow needs; then nothing was started.
pub fn run(assembly: Assembly, settings: Settings) -> io::Result<Ended> {
    let system = System::new();
    let ended = system.block_on(async move {
        let Settings { log, console, drain_timeout, counters, mut reloading, on_ready, on_stop } = settings;
        let mut signals = Signals::new(reloading.is_some())?;
        let mut flow = Flow::start(assembly, &Environment { log, console, counters }).await;
        let mut stop_requests = StopRequests::default();
        let mut on_ready = Some(on_ready);
        loop {
            let wish = tokio::select! {
                () = flow.ready(), if on_ready.is_some() => {
                    on_ready.take().into_iter().for_each(|ready| ready());
                    continue;
                }
                Some(assembly) = next(&mut reloading), if on_ready.is_none() => {
                    match reload(&mut flow, assembly, drain_timeout, &mut signals).await {
                        After::GoOn(None) => continue,
                        After::GoOn(Some(wish)) => wish,
                        After::Cut(number) => {
                            on_stop();
                            flow.cut().await;
                            return Ok(Ended::Cut(number));
                        }
                    }
                }
                (_, wish) = signals.next() => wish,
            };
            match wish {
                Wish::Describe => flow.describe().await,
                Wish::Reload => reloading.iter().for_each(|reloading| (reloading.look)()),
                wish => {
                    stop_requests.is_second(wish);
                    break;
                }
            }
        }
        on_stop();
        Ok(stop(&flow, drain_timeout, &mut signals, stop_requests).await)
    });
    // Its end would wait for calls that block, such as looking up a name, however long they do.
    std::mem::forget(system);
    ended
}

/// The next configuration; none any more when their sender has gone.
async fn next(reloading: &mut Option<Reloading>) -> Option<Assembly> {
    match reloading {
        Some(reloading) => reloading.assemblies.recv().await,
        None => None,
    }
}

/// How it goes on after a reload.
enum After {
    /// With what a signal asked for meanwhile.
    GoOn(Option<Wish>),
    /// It ends at once, by this signal.
    Cut(i32),
}

/// Has `flow` take over `assembly`. A stop that is asked for meanwhile is for afterwards, which is then soon.
async fn reload(
    flow: &mut Flow,
    assembly: Assembly,
    drain_timeout: Duration,
    signals: &mut Signals,
) -> After {
    let (hurry, is_hurried) = watch::channel(false);
    let mut then = None;
    let mut reloading = std::pin::pin!(flow.reload(assembly, drain_timeout, is_hurried));
    loop {
        let (number, wish) = tokio::select! {
            _taken_over = &mut reloading => return After::GoOn(then),
            told = signals.next() => told,
        };
        match wish {
            Wish::Stop | Wish::HangUp => {
                // A second stop: one that was told before is told again when the stop begins.
                if then == Some(Wish::Stop) && wish == Wish::Stop {
                    return After::Cut(number);
                }
                hurry.send_replace(true);
                then = Some(wish);
            }
            wish => then = then.or(Some(wish)),
        }
    }
}

async fn stop(
    flow: &Flow,
    drain_timeout: Duration,
    signals: &mut Signals,
    mut stop_requests: StopRequests,
) -> Ended {
    let mut stopping = std::pin::pin!(flow.stop(drain_timeout));
    loop {
        let (number, wish) = tokio::select! {
            ended = &mut stopping => return ended,
            told = signals.next() => told,
        };
        if stop_requests.is_second(wish) {
            flow.cut().await;
            return Ended::Cut(number);
        }
        if wish == Wish::Describe {
            tokio::select! {
                ended = &mut stopping => return ended,
                () = flow.describe() => {}
            }
        }
    }
}
