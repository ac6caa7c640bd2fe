//! Counters over HTTP, as Flume serves them, and as Prometheus reads them; to Ganglia; and whether events move.

mod ganglia;
mod health;
mod http;
mod json;
mod lag;
mod prometheus;
mod send;
mod server;
mod settings;
#[cfg(test)]
mod tests;
mod text;
mod trend;
mod view;

pub use json::figures;
pub use settings::{Settings, own_class};

use flow::counters::Registry;
use settings::Way;
use std::io;

/// Starts the thread that answers.
///
/// # Errors
/// The operating system gives no thread.
pub fn start(settings: Settings, registry: Registry, log: slog::Logger) -> io::Result<()> {
    std::thread::Builder::new().name("monitoring".to_owned()).spawn(move || {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                return slog::error!(
                    log,
                    "monitoring: cannot start: {error}; the agent runs, and its counters cannot be read"
                );
            }
        };
        let local = tokio::task::LocalSet::new();
        match settings.0 {
            Way::Http(http) => local.block_on(&runtime, server::serve(*http, registry, log)),
            Way::Ganglia(ganglia) => local.block_on(&runtime, send::send(&ganglia, &registry, &log)),
        }
    })?;
    Ok(())
}
