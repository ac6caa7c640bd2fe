//! TLS as Flume's sources and sinks have it: `ssl = true`, Java's stores, JSSE's names.
//!
//! What differs from Flume: TLS 1.3 and 1.2 only; a store is read when its component starts, and not again for each
//! connection; `need-client-auth`, a sink's `keystore` and `verify-hostname` are ours.

mod defaults;
mod name_filter;
mod pace;
mod verify;
mod words;

pub use defaults::TlsDefaults;
pub(crate) use words::Refusal;

use super::Stream;
use super::keystore::{Identity, Store, StoreError};
use crate::build::BuildError;
use crate::clock;
use name_filter::NameFilter;
use pace::Paced;
use plan::Properties;
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use verify::{Judge, Trust};
use words::{refused_by_client, refused_by_server};

/// The TLS of a source.
#[derive(Debug, Clone)]
pub(crate) struct ServerTls(Arc<ServerConfig>);

/// The TLS of a sink.
#[derive(Debug, Clone)]
pub(crate) struct ClientTls {
    config: Arc<ClientConfig>,
    /// `verify-hostname`
    names: bool,
}

impl ServerTls {
    /// As the properties of a source say; `None` without `ssl = true`. `notes` are for an operator to read.
    ///
    /// # Errors
    /// [`BuildError`] for stores that do not open, and names that leave nothing.
    pub(crate) fn build(
        properties: &Properties,
        tls_defaults: &TlsDefaults,
        notes: &mut Vec<String>,
    ) -> Result<Option<ServerTls>, BuildError> {
        let settings = Settings { properties, tls_defaults };
        if !properties.flag("ssl") {
            return Ok(None);
        }
        let (provider, versions) = settings.offer(notes)?;
        let Identity { alias, key, chain, of } =
            settings.own_key(true)?.ok_or_else(|| settings.error("keystore", NO_KEYSTORE))?;
        if of > 1 {
            notes.push(format!("its keystore holds {of} keys, of which {alias} is used"));
        }
        let own = verify::certified(chain, key, &provider)
            .map_err(|error| settings.error("keystore", words::bad_key(&alias, &error)))?;
        let builder = ServerConfig::builder_with_details(provider.clone(), Arc::new(Clock))
            .with_protocol_versions(&versions)
            .map_err(|error| settings.error("include-cipher-suites", error.to_string()))?;
        let builder = match properties.flag("need-client-auth") {
            false => builder.with_no_client_auth(),
            true => builder.with_client_cert_verifier(settings.clients(provider)?),
        };
        Ok(Some(ServerTls(Arc::new(builder.with_cert_resolver(own)))))
    }

    /// Shakes hands with whoever is at the other end of `stream`.
    ///
    /// # Errors
    /// Why not, in an operator's words.
    pub(crate) async fn accept<S: super::Duplex + 'static>(&self, stream: S) -> Result<Stream, String> {
        let accepted = TlsAcceptor::from(self.0.clone()).accept(Paced::new(stream)).await;
        accepted.map(|stream| Box::new(Lenient(stream)) as Stream).map_err(|error| refused_by_server(&error))
    }
}

impl ClientTls {
    /// As the properties of a sink say; `None` without `ssl = true`. `notes` are for an operator to read.
    ///
    /// # Errors
    /// [`BuildError`] for stores that do not open, and names that leave nothing.
    pub(crate) fn build(
        properties: &Properties,
        tls_defaults: &TlsDefaults,
        notes: &mut Vec<String>,
    ) -> Result<Option<ClientTls>, BuildError> {
        let settings = Settings { properties, tls_defaults };
        if !properties.flag("ssl") {
            return Ok(None);
        }
        let (provider, versions) = settings.offer(notes)?;
        let trust = match properties.flag("trust-all-certs") {
            false => settings.trust()?,
            true => {
                notes.push(
                    "trust-all-certs = true: whoever answers at that address gets the events".to_owned(),
                );
                Trust::Anybody
            }
        };
        let names = properties.flag("verify-hostname");
        let judge = Judge { trust, names, algorithms: provider.signature_verification_algorithms };
        let builder = ClientConfig::builder_with_details(provider.clone(), Arc::new(Clock))
            .with_protocol_versions(&versions)
            .map_err(|error| settings.error("include-cipher-suites", error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(judge));
        let mut config = match settings.own_key(false)? {
            None => builder.with_no_client_auth(),
            Some(Identity { alias, key, chain, .. }) => builder.with_client_cert_resolver(
                verify::certified(chain, key, &provider)
                    .map_err(|error| settings.error("keystore", words::bad_key(&alias, &error)))?,
            ),
        };
        config.enable_sni = false; // neither does Flume
        config.resumption = Resumption::in_memory_sessions(SESSIONS);
        Ok(Some(ClientTls { config: Arc::new(config), names }))
    }

    /// Shakes hands with the collector at the other end of `stream`, which is called `host`.
    ///
    /// # Errors
    /// [`Refusal`]
    pub(crate) async fn connect<S: super::Duplex + 'static>(
        &self,
        host: &str,
        stream: S,
    ) -> Result<Stream, Refusal> {
        // The name is not sent. What is not looked at may be any.
        let name = match self.names {
            true => ServerName::try_from(host.to_owned()).map_err(|_| words::no_name(host))?,
            false => ServerName::from(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        };
        let connected = TlsConnector::from(self.config.clone()).connect(name, stream).await;
        connected.map(|stream| Box::new(Lenient(stream)) as Stream).map_err(|error| refused_by_client(&error))
    }
}

/// A component's properties, with the process's behind them.
struct Settings<'a> {
    properties: &'a Properties,
    tls_defaults: &'a TlsDefaults,
}

impl Settings<'_> {
    fn error(&self, key: &str, what: impl Into<String>) -> BuildError {
        let global = match key {
            "keystore" => "javax.net.ssl.keyStore",
            "keystore-password" => "javax.net.ssl.keyStorePassword",
            "truststore" => "javax.net.ssl.trustStore",
            "include-protocols" => "flume.ssl.include.protocols",
            "include-cipher-suites" => "flume.ssl.include.cipherSuites",
            _ => "",
        };
        if self.properties.text(key).is_none() && self.tls_defaults.get(global).is_some() {
            return BuildError::of_process(global, what);
        }
        BuildError::new(self.properties, "", key, what)
    }

    fn text(&self, key: &str, global: &str) -> Option<&str> {
        self.properties.text(key).or_else(|| self.tls_defaults.get(global))
    }

    /// Lists of the component are cut at blanks, those of the process at commas too.
    fn list(&self, key: &str, global: &str) -> Vec<String> {
        match self.properties.text(key) {
            Some(text) => text.split_whitespace().map(str::to_owned).collect(),
            None => {
                let words = self.tls_defaults.get(global).unwrap_or_default().split([',', ' ']);
                words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
            }
        }
    }

    fn name_filter(&self, key: &str, global: &str) -> NameFilter {
        NameFilter {
            include: self.list(&format!("include-{key}"), &format!("flume.ssl.include.{global}")),
            exclude: self.list(&format!("exclude-{key}"), &format!("flume.ssl.exclude.{global}")),
        }
    }

    /// The protocols and cipher suites to offer.
    fn offer(
        &self,
        notes: &mut Vec<String>,
    ) -> Result<(Arc<CryptoProvider>, Vec<&'static SupportedProtocolVersion>), BuildError> {
        let versions = name_filter::protocols(&self.name_filter("protocols", "protocols"), notes)
            .map_err(|what| self.error("include-protocols", what))?;
        let cipher_suites =
            name_filter::cipher_suites(&self.name_filter("cipher-suites", "cipherSuites"), notes)
                .map_err(|what| self.error("include-cipher-suites", what))?;
        Ok((Arc::new(CryptoProvider { cipher_suites, ..ring::default_provider() }), versions))
    }

    /// The key of `keystore`, from the component or, for a source, from the process.
    fn own_key(&self, source: bool) -> Result<Option<Identity>, BuildError> {
        let given = |key, global| if source { self.text(key, global) } else { self.properties.text(key) };
        let Some(path) = given("keystore", "javax.net.ssl.keyStore") else { return Ok(None) };
        let password = given("keystore-password", "javax.net.ssl.keyStorePassword").ok_or_else(|| {
            self.error("keystore-password", "the password of the keystore and of the key in it")
        })?;
        let identity =
            Store::open(Path::new(path), Some(password)).and_then(|store| store.identity(password));
        identity.map(Some).map_err(|error| self.bad_store("keystore", path, &error))
    }

    /// The certificates of `truststore`; `None` when none is set.
    fn truststore(&self) -> Result<Option<Vec<CertificateDer<'static>>>, BuildError> {
        let Some(path) = self.text("truststore", "javax.net.ssl.trustStore") else { return Ok(None) };
        let password = self.text("truststore-password", "javax.net.ssl.trustStorePassword");
        let trusted = Store::open(Path::new(path), password).and_then(Store::trusted);
        trusted.map(Some).map_err(|error| self.bad_store("truststore", path, &error))
    }

    fn bad_store(&self, key: &str, path: &str, error: &StoreError) -> BuildError {
        let from_process = if self.properties.text(key).is_some() {
            String::new()
        } else {
            format!("{path}, set for the whole process, ")
        };
        self.error(key, format!("{from_process}{error}"))
    }

    /// Whom a sink trusts: `truststore`, else the authorities of the system as a JVM has its own.
    fn trust(&self) -> Result<Trust, BuildError> {
        let (certificates, nothing) = match self.truststore()? {
            Some(certificates) => (certificates, "holds no certificate"),
            None => (
                rustls_native_certs::load_native_certs().certs,
                "this system has no list of authorities (package ca-certificates); set one",
            ),
        };
        Trust::listed(certificates).ok_or_else(|| self.error("truststore", nothing))
    }

    /// Whom a source lets in, when it asks.
    fn clients(
        &self,
        provider: Arc<CryptoProvider>,
    ) -> Result<Arc<dyn rustls::server::danger::ClientCertVerifier>, BuildError> {
        let certificates = self.truststore()?.ok_or_else(|| {
            self.error(
                "truststore",
                "need-client-auth asks every sender for a certificate: say here which are good",
            )
        })?;
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates);
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
        verifier.map(|verifier| verifier as _).map_err(|error| self.error("truststore", error.to_string()))
    }
}

/// The time by which certificates are judged.
#[derive(Debug)]
struct Clock;

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        let millis = u64::try_from(clock::epoch_millis()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_millis(millis)))
    }
}

/// A TLS stream whose peer may leave without TLS's good-bye: frames tell their own end, and a process that is killed
/// says nothing.
struct Lenient<S>(S);

impl<S: AsyncRead + Unpin> AsyncRead for Lenient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.0).poll_read(cx, buf) {
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(())),
            Poll::Ready(Err(error)) => Poll::Ready(Err(words::in_words(error))),
            other => other,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Lenient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

const NO_KEYSTORE: &str =
    "the JKS or PKCS12 file with this source's key and certificate, wanted by `ssl = true`";
/// Sessions kept for a shorter handshake with the same collector.
const SESSIONS: usize = 8;
