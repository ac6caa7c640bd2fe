//! What the client says of a connection that does not come about, in an operator's words.
//!
//! Source: the texts of librdkafka 2.12.1, `rdkafka_ssl.c`, `rdkafka_sasl.c` and `rdkafka_broker.c`.

use crate::java::Side;

/// What `said` means to who has written the file; as it is said where it is no such thing.
pub(crate) fn words(said: &str, side: Side) -> String {
    known(said, side).unwrap_or_else(|| shortened(said))
}

fn known(said: &str, side: Side) -> Option<String> {
    let said = shortened(said);
    let lower = said.to_ascii_lowercase();
    let has = |part: &str| lower.contains(part);
    let prefix = side.prefix();
    let (what, key) = if has("unsupported sasl mechanism") || has("mechanism handshake failed") {
        ("the brokers do not have the mechanism of", "sasl.mechanism")
    } else if has("sasl authentication error") || has("invalid credentials") {
        ("the brokers do not accept the user or the password of", "sasl.jaas.config")
    } else if has("hostname mismatch") || has("ip address mismatch") {
        (
            "the broker's certificate is not for the host of `kafka.bootstrap.servers`, or of the broker's `advertised.listeners`; it is looked at because of",
            "ssl.endpoint.identification.algorithm",
        )
    } else if has("certificate verify failed") || has("certificate could not be verified") {
        (
            "the broker's certificate is not one that the store of this property trusts:",
            "ssl.truststore.location",
        )
    } else if has("certificate required")
        || has("bad certificate")
        || has("client ssl authentication might be")
    {
        ("the broker asks for a certificate that it trusts, of the store of", "ssl.keystore.location")
    } else if has("wrong version number") {
        ("the port of the broker speaks no TLS, but this property asks for it:", "security.protocol")
    // These three the client guesses: a broker that dies at that moment gives the same.
    } else if has("connecting to a plaintext broker listener") {
        (
            "the broker closes the connection; it may speak no TLS, but this property asks for it:",
            "security.protocol",
        )
    } else if has("connecting to a ssl listener") {
        (
            "the broker closes the connection; it may speak TLS, or ask for a log-in, and this property does not:",
            "security.protocol",
        )
    } else if has("broker might require sasl authentication") {
        (
            "the broker closes the connection; it may ask for a log-in, and this property does not:",
            "security.protocol",
        )
    } else if has("brokers are down") {
        // All that is said where a port closes the connection at once, because it waits for TLS.
        (
            "no broker of `kafka.bootstrap.servers` answers; where the port speaks TLS or asks for a log-in, this property has to say so:",
            "security.protocol",
        )
    } else {
        return None;
    };
    Some(format!("{what} `{prefix}{key}` ({said})"))
}

/// What librdkafka says, without the address of its own thread.
fn shortened(reason: &str) -> String {
    let reason = reason
        .split_once("]: ")
        .map_or(reason, |(head, rest)| if head.starts_with("[thrd:") { rest } else { reason });
    reason.chars().take(MOST_SAID).collect()
}

const MOST_SAID: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_client_says_is_told_without_its_threads() {
        assert_eq!(shortened("[thrd:127.0.0.1:1/bootstrap]: 127.0.0.1:1: refused"), "127.0.0.1:1: refused");
        assert_eq!(shortened("a plain word"), "a plain word");
    }

    #[test]
    fn what_is_wrong_is_told_with_the_property_to_look_at() {
        for (said, key) in [
            (
                "SASL authentication error: Authentication failed: Invalid username or password",
                "sasl.jaas.config",
            ),
            ("SASL PLAIN mechanism handshake failed: Broker: Unsupported SASL mechanism", "sasl.mechanism"),
            (
                "SSL handshake failed: error:0A000086:SSL routines::certificate verify failed",
                "ssl.truststore.location",
            ),
            (
                "SSL handshake failed: Disconnected: connecting to a PLAINTEXT broker listener?",
                "security.protocol",
            ),
            (
                "Disconnected while requesting ApiVersion: might be caused by incorrect security.protocol configuration (connecting to a SSL listener?)",
                "security.protocol",
            ),
            ("1/1 brokers are down", "security.protocol"),
            ("error:0A00045C:SSL routines::tlsv13 alert certificate required", "ssl.keystore.location"),
        ] {
            for side in [Side::Producer, Side::Consumer] {
                let words = words(said, side);
                let named = format!("`{}{key}`", side.prefix());
                assert!(words.contains(&named) && words.ends_with(&format!("({said})")), "{words}");
            }
        }
        assert_eq!(
            words("h:1: Connect to ipv4#1 failed: refused", Side::Producer),
            "h:1: Connect to ipv4#1 failed: refused"
        );
    }
}
