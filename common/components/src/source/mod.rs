//! Where events come from; and what several sources say of their properties.

pub(crate) mod avro;
mod budget;
pub(crate) mod exec;
pub(crate) mod http;
mod names;
pub(crate) mod netcat;
pub(crate) mod netcat_udp;
mod port;
pub(crate) mod seq;
pub(crate) mod spooldir;
pub(crate) mod stress;
pub(crate) mod syslog;
pub(crate) mod taildir;
pub(crate) mod thrift;

use plan::{Bad, Findings, Problem, Properties, Property, Value};
use runtime::net::TlsDefaults;

/// What Flume does with an address that it cannot listen at.
pub(crate) const NO_BIND: Bad = Bad::Says("never opens the port, and tries again every 3 s for ever");

/// What Flume does with properties of ours.
pub(crate) const IGNORED: Bad = Bad::Ours("ignores it");

/// Ours: Flume keeps a silent connection for ever. A day; 0 is for ever.
pub(crate) const MAX_IDLE_SECONDS: Property =
    Property::with("maxIdleSeconds", Value::at_least(0, "seconds"), "86400").bad(IGNORED);

const NO_PAUSE: Bad = Bad::Says("starts, and fails where it should pause");

/// Properties of all sources that Flume polls.
pub(crate) const POLLED: &[Property] = &[
    Property::with("backoffSleepIncrement", Value::long(0, "ms"), "1000").outside(NO_PAUSE),
    Property::with("maxBackoffSleep", Value::long(0, "ms"), "5000").outside(NO_PAUSE),
];

/// A key store is needed as soon as `ssl` is true, from the component or from the process.
pub(crate) fn needs_keystore(
    properties: &Properties,
    tls_defaults: &TlsDefaults,
    findings: &mut Findings<'_>,
) -> Option<()> {
    if !properties.flag("ssl") {
        return Some(());
    }
    let needed =
        [("keystore", "javax.net.ssl.keyStore"), ("keystore-password", "javax.net.ssl.keyStorePassword")];
    let missing = needed.map(|(key, global)| {
        let missing = properties.text(key).is_none() && tls_defaults.get(global).is_none();
        if missing {
            let what = format!("the {} has `ssl = true` and no `{key}`", findings.owner.noun);
            let problem = Problem::error("missing-property", findings.at("ssl"), what)
                .flume(&findings.owner.dropped)
                .fix(format!("`{} = ...`", findings.key(key)));
            findings.add(problem);
        }
        missing
    });
    (missing == [false, false]).then_some(())
}
