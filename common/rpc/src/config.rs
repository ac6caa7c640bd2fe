//! What a connection to a collector is made from.

use runtime::build::BuildError;
use runtime::clock::Duration;
use runtime::net::{ClientLayers, TlsDefaults};

/// Keys, units and defaults are Flume's: User Guide, "Avro Sink".
#[derive(Debug, Clone)]
pub struct AvroSinkConfig {
    /// `hostname`.
    pub host: String,
    /// `port`.
    pub port: u16,
    /// `connect-timeout`, milliseconds; 20,000 unless set, or set below 1,000.
    pub connect_timeout: Duration,
    /// `request-timeout`, milliseconds; likewise.
    pub request_timeout: Duration,
    /// `reset-connection-interval`, seconds; never unless set.
    pub reset_interval: Option<Duration>,
    /// `ssl` and what belongs to it, `compression-type`, `compression-level`.
    pub layers: ClientLayers,
}

impl AvroSinkConfig {
    /// Opens the stores that the properties name. `notes` are for an operator to read.
    ///
    /// # Errors
    /// [`BuildError`] for a store that does not open.
    pub fn build(
        properties: &plan::Properties,
        tls_defaults: &TlsDefaults,
        notes: &mut Vec<String>,
    ) -> Result<AvroSinkConfig, BuildError> {
        let (host, port) = AvroSinkConfig::place(properties);
        Ok(AvroSinkConfig {
            host,
            port,
            connect_timeout: properties.millis("connect-timeout"),
            request_timeout: properties.millis("request-timeout"),
            reset_interval: Some(properties.seconds("reset-connection-interval"))
                .filter(|time| !time.is_zero()),
            layers: ClientLayers::build(properties, tls_defaults, notes)?,
        })
    }

    /// The host and port that the properties name.
    pub fn place(properties: &plan::Properties) -> (String, u16) {
        first_host(properties)
            .unwrap_or_else(|| (properties.word("hostname").to_owned(), properties.count("port")))
    }

    /// The collector's address, for people.
    pub fn peer(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// The client's own keys work on a sink as well, and win: `hosts = h1`, `hosts.h1 = name:port`. Only the first is used.
fn first_host(properties: &plan::Properties) -> Option<(String, u16)> {
    let alias = properties.words("hosts").into_iter().next()?;
    let (host, port) = properties.text(&format!("hosts.{alias}"))?.rsplit_once(':')?;
    Some((host.trim_matches(['[', ']']).to_owned(), port.trim().parse().ok()?))
}
