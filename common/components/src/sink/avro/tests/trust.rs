//! Which certificates pass, and what is said of the others.

use super::*;

fn source(name: &str) -> String {
    format!("ssl=true keystore={name}.p12 keystore-password=changeit")
}

fn trusts(name: &str) -> String {
    format!("ssl=true truststore={name}-trust.p12 truststore-password=changeit")
}

#[actix::test]
async fn a_chain_to_a_trusted_authority_passes_and_one_that_has_expired_does_not() {
    let expired = "its certificate is not trusted: it has expired";
    for (name, trust, refused) in [
        ("named", trusts("root"), None),
        ("unnamed", trusts("root"), None),
        ("named", trusts("authority"), Some("neither it nor its authority is in the truststore")),
        ("expired", trusts("root"), Some(expired)),
        // What is pinned is trusted as it is, as Java does.
        ("expired", trusts("expired"), None),
        ("expired", "ssl=true trust-all-certs=true".to_owned(), None),
    ] {
        assert_passes(name, "127.0.0.1", &trust, refused).await;
    }
}

#[actix::test]
async fn with_verify_hostname_the_certificate_names_the_host() {
    let names = format!("{} verify-hostname=true", trusts("root"));
    let no_names = "it does not name 127.0.0.1, which verify-hostname asks for; its names: none";
    for (name, host, keys, refused) in [
        ("named", "127.0.0.1", names.clone(), None),
        ("named", "localhost", names.clone(), None),
        ("misnamed", "127.0.0.1", trusts("root"), None),
        ("misnamed", "127.0.0.1", names.clone(), Some("it does not name 127.0.0.1")),
        ("misnamed", "localhost", names.clone(), Some("elsewhere.test")),
        ("unnamed", "127.0.0.1", names.clone(), Some(no_names)),
        // No other trust makes a wrong name right.
        (
            "misnamed",
            "localhost",
            "ssl=true trust-all-certs=true verify-hostname=true".to_owned(),
            Some("elsewhere.test"),
        ),
        ("version-1", "127.0.0.1", format!("{} verify-hostname=true", trusts("version-1")), Some(no_names)),
        ("named", "127.0.0.1", format!("{names} {DEFLATE}"), None),
    ] {
        assert_passes(name, host, &keys, refused).await;
    }
    let running = Running::start(&source("named")).await;
    let config = AvroSinkConfig { host: "no name".to_owned(), ..sink(&names, running.port) };
    let address = ("127.0.0.1", running.port);
    let connected =
        config.layers.connect(&config.host, async || runtime::net::TcpStream::connect(address).await);
    let refused = connected.within("the handshake").await.err().unwrap();
    assert!(refused.starts_with("`no name` is no name that a certificate can have"), "{refused}");
}

/// Whether a sink with `keys` that connects to `host` takes a source with the store `name`, or why not.
async fn assert_passes(name: &str, host: &str, keys: &str, refused: Option<&str>) {
    let compressed = if keys.contains(DEFLATE) { DEFLATE } else { "" };
    let running = Running::start(&format!("{} {compressed}", source(name))).await;
    let config = AvroSinkConfig { host: host.to_owned(), ..sink(keys, running.port) };
    let said = match refused {
        None => {
            carry(&running, &config, 100).await;
            None
        }
        Some(_) => {
            let opened = Connection::<PendingDelivery>::open(&config).within("the handshake").await;
            running.heard.wait(1).await;
            Some(opened.err().unwrap_or_else(|| panic!("{name} passes at {host} with {keys}")).to_string())
        }
    };
    let heard = running.stop().await;
    assert_eq!(heard.len(), usize::from(refused.is_some()), "{name} at {host} with {keys}: {heard:?}");
    let (said, part) = (said.unwrap_or_default(), refused.unwrap_or_default());
    assert!(said.contains(part) && !said.contains('\n'), "{name} at {host} with {keys}: {said}");
}

#[test]
fn a_short_rsa_key_is_told_with_what_is_taken() {
    let words = "its key short cannot be used: ";
    let at_source = |tls_defaults: &TlsDefaults, text: &str| {
        AvroSourceConfig::build(&keys(&SOURCE, text, 1), tls_defaults, &mut Vec::new())
            .unwrap_err()
            .to_string()
    };
    let said = at_source(&TlsDefaults::default(), &source("rsa-1024"));
    assert!(said.contains(words) && said.contains("RSA of 2,048 bits or more"), "{said}");
    let process = [
        ("javax.net.ssl.keyStore", store("rsa-1024.p12")),
        ("javax.net.ssl.keyStorePassword", "changeit".to_owned()),
    ];
    let process = TlsDefaults::new(&process.map(|(key, value)| (key.to_owned(), value)), |_| None);
    let said = at_source(&process, "ssl=true");
    assert!(said.starts_with(&format!("javax.net.ssl.keyStore: {words}")), "{said}");
}
