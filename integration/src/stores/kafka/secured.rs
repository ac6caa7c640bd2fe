//! A broker whose further ports ask for TLS, a client's certificate, or a password.

use super::{Broker, Listener, More};
use crate::binaries::workspace;
use crate::stores::Kdc;
use crate::{node::Error, ports};
use std::fmt::Write as _;

/// The ports of a secured broker, beside its plain one.
#[derive(Debug, Clone, Copy)]
pub struct Secured {
    /// TLS in both directions. The broker is `server.jks`, and trusts `trust.jks`.
    pub mutual: u16,
    /// TLS, and a user with a password: PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512. The broker is `named.p12`, which
    /// `root-trust.p12` trusts.
    pub login: u16,
    /// A user with a password, without TLS.
    pub open: u16,
}

/// The user of a secured broker.
pub const USER: &str = "flume";
/// What a broker is to Kerberos.
pub const BROKER_USER: &str = "kafka/localhost";
/// The user's password.
pub const PASSWORD: &str = "let; me in";

/// A key store of the tests, whose password is `changeit`.
pub fn key_store(name: &str) -> String {
    workspace().join("common/runtime/testdata/stores").join(name).display().to_string()
}

impl Broker {
    /// Starts one with further ports that ask who comes.
    ///
    /// # Panics
    /// When there is none to be had.
    pub fn secured() -> (Broker, Secured) {
        let opened = secured_ports().and_then(|ports| {
            let listeners = [
                Listener::new("MUTUAL", "SSL", ports.mutual),
                Listener::new("LOGIN", "SASL_SSL", ports.login),
                Listener::new("OPEN", "SASL_PLAINTEXT", ports.open),
            ];
            let users = ["SCRAM-SHA-256", "SCRAM-SHA-512"]
                .map(|mechanism| format!("{mechanism}=[name={USER},password={PASSWORD}]"));
            let (lines, listeners, users) = (&*settings(), &listeners[..], &users[..]);
            Ok((Broker::open_with(&More { lines, listeners, users, ..More::default() })?, ports))
        });
        opened.unwrap_or_else(|why| panic!("{why}"))
    }

    /// Starts one with a further port, which is given, for users of `kdc`. It is [`BROKER_USER`] itself.
    ///
    /// # Panics
    /// When there is none to be had.
    pub fn of_kerberos(kdc: &Kdc) -> (Broker, u16) {
        let front = "listener.name.kerberos";
        let lines = format!(
            "{front}.sasl.enabled.mechanisms=GSSAPI\n{front}.sasl.kerberos.service.name=kafka\n\
             {front}.gssapi.sasl.jaas.config={}\n",
            kdc.jaas(BROKER_USER)
        );
        let port = ports::free(&["127.0.0.1"]).map_err(Error::io("no free port for Kafka"));
        let opened = port.and_then(|port| {
            let listeners = &[Listener::new("KERBEROS", "SASL_PLAINTEXT", port)];
            let more = More { lines: &lines, listeners, jvm: &kdc.option(), ..More::default() };
            Ok((Broker::open_with(&more)?, port))
        });
        opened.unwrap_or_else(|why| panic!("{why}"))
    }
}

fn secured_ports() -> Result<Secured, Error> {
    let port = || ports::free(&["127.0.0.1"]).map_err(Error::io("no free port for Kafka"));
    Ok(Secured { mutual: port()?, login: port()?, open: port()? })
}

fn settings() -> String {
    let mut text = String::new();
    for (listener, key, store) in [
        ("mutual", "keystore", "server.jks"),
        ("mutual", "truststore", "trust.jks"),
        ("login", "keystore", "named.p12"),
    ] {
        let kind = if store.ends_with("jks") { "JKS" } else { "PKCS12" };
        let front = format!("listener.name.{listener}.ssl.{key}");
        let place = key_store(store);
        let _always =
            writeln!(text, "{front}.type={kind}\n{front}.location={place}\n{front}.password=changeit");
    }
    text.push_str("listener.name.mutual.ssl.client.auth=required\n");
    for listener in ["login", "open"] {
        let front = format!("listener.name.{listener}");
        let package = "org.apache.kafka.common.security";
        let _always = writeln!(
            text,
            "{front}.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
{front}.plain.sasl.jaas.config={package}.plain.PlainLoginModule required user_{USER}=\"{PASSWORD}\";"
        );
        for scram in ["scram-sha-256", "scram-sha-512"] {
            let module = format!("{package}.scram.ScramLoginModule required;");
            let _always = writeln!(text, "{front}.{scram}.sasl.jaas.config={module}");
        }
    }
    text
}
