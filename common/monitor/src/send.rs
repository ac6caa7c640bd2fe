//! Sends all counters to Ganglia, now and again.

use crate::ganglia::{Ganglia, packets};
use crate::json;
use flow::counters::Registry;
use runtime::clock::{self, Duration};
use runtime::net::UdpSocket;
use runtime::told::Told;
use tokio::time::{MissedTickBehavior, interval};

/// Sends for ever.
pub(crate) async fn send(ganglia: &Ganglia, registry: &Registry, log: &slog::Logger) {
    let mut told = Told::every(NEWS_PAUSE);
    let host = gethostname::gethostname().to_string_lossy().into_owned();
    let mut beat = interval(ganglia.every);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        for (name, port) in &ganglia.hosts {
            if let Err(error) = send_to(ganglia, registry, &host, (name, *port)).await
                && told.tell(clock::now()).is_some()
            {
                slog::warn!(
                    log,
                    "monitoring: counters cannot be sent to {name}:{port}: {error}; it is tried again in {} s",
                    ganglia.every.as_secs()
                );
            }
        }
    }
}

async fn send_to(ganglia: &Ganglia, registry: &Registry, host: &str, to: (&str, u16)) -> std::io::Result<()> {
    let to = tokio::net::lookup_host(to).await?.next();
    let to = to.ok_or_else(|| std::io::Error::other("the host has no address"))?;
    let any = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(any).await?;
    for (component, figures) in json::components(registry, registry.elsewhere().await) {
        let figures = figures.as_object().into_iter().flatten();
        for (key, value) in figures.filter_map(|(key, value)| Some((key, value.as_str()?))) {
            for packet in packets(ganglia, host, &format!("flume.{component}.{key}"), value) {
                socket.send_to(&packet, to).await?;
            }
        }
    }
    Ok(())
}

const NEWS_PAUSE: Duration = Duration::from_secs(600);
