//! The properties of TLS and compression, which several components share.

use plan::{Bad, Property, Value};

const NO_STORE: Bad = Bad::Says("fails on it as soon as `ssl` is true");

const STORES: Value = Value::Choice(&["JKS", "PKCS12"]);

/// TLS of a source, see `flume.ssl` of the User Guide. Flume asks no sender for a certificate: the last four are ours.
pub const SERVER_TLS: &[Property] = &[
    Property::with("ssl", Value::Flag, "false"),
    Property::optional("keystore", Value::Path),
    Property::optional("keystore-password", Value::Secret),
    Property::with("keystore-type", STORES, "JKS").bad(NO_STORE),
    Property::with("exclude-protocols", Value::List, "SSLv3"),
    Property::optional("include-protocols", Value::List),
    Property::optional("exclude-cipher-suites", Value::List),
    Property::optional("include-cipher-suites", Value::List),
    Property::with("need-client-auth", Value::Flag, "false"),
    Property::optional("truststore", Value::Path),
    Property::optional("truststore-password", Value::Secret),
    Property::with("truststore-type", STORES, "JKS"),
];

/// TLS of a sink. Flume's shows no certificate and looks at no name: the last four are ours.
pub const CLIENT_TLS: &[Property] = &[
    Property::with("ssl", Value::Flag, "false"),
    Property::with("trust-all-certs", Value::Flag, "false"),
    Property::optional("truststore", Value::Path),
    Property::optional("truststore-password", Value::Secret),
    Property::with("truststore-type", STORES, "JKS").bad(NO_STORE),
    Property::with("exclude-protocols", Value::List, "SSLv3"),
    Property::optional("include-protocols", Value::List),
    Property::optional("exclude-cipher-suites", Value::List),
    Property::optional("include-cipher-suites", Value::List),
    Property::optional("keystore", Value::Path),
    Property::optional("keystore-password", Value::Secret),
    Property::with("keystore-type", STORES, "JKS"),
    Property::with("verify-hostname", Value::Flag, "false"),
];

/// What `compression-type` may be.
pub const COMPRESSION: &[&str] = &["none", "deflate"];
