//! What asks for a JVM that shows the counters: a monitor that is a class of the operator's own, or a port for JMX.

use crate::java;
use bridge::{Attribute, Bean};
use flow::counters::Registry;
use hosted::Jmx;
use std::collections::BTreeMap;

/// What is asked for by Java's system properties; `None` when no JVM is needed for it. `script` has those that
/// `flume-env.sh` hands to the JVM.
pub(crate) fn wanted(script: &[(String, String)], properties: &[(String, String)]) -> Option<Jmx> {
    // What a shell would put there is not known.
    let literal = script.iter().filter(|(_, value)| !value.contains('$'));
    let all: Vec<(String, String)> = literal.chain(properties).cloned().collect();
    let monitor = monitor::own_class(&all);
    let clients = [script, properties].iter().any(|of| opens_a_port(of));
    (monitor.is_some() || clients).then_some(Jmx { monitor, clients })
}

/// About JMX that is switched on for tools of the same host alone, which look for a JVM.
pub(crate) fn notice(script: &[(String, String)], properties: &[(String, String)]) -> Option<String> {
    let all = || [script, properties].into_iter().flatten();
    (all().any(|(key, _)| key == JMX) && wanted(script, properties).is_none()).then(|| {
        format!("-D{JMX} opens no port, so no JVM is started for it; to read the counters over JMX add -D{PORT}=PORT")
    })
}

/// Where it happens, in an operator's words.
pub(crate) fn says(wanted: &Jmx) -> String {
    let what = match &wanted.monitor {
        Some(_) => format!("{} runs", title(wanted)),
        None => "JMX clients read the counters".to_owned(),
    };
    format!("{what} in a JVM with Flume's jars")
}

/// What it is.
pub(crate) fn title(wanted: &Jmx) -> String {
    match &wanted.monitor {
        Some((class, _)) => format!("the monitor {}", plan::cut(class, MOST_SHOWN)),
        None => "JMX".to_owned(),
    }
}

fn opens_a_port(properties: &[(String, String)]) -> bool {
    java::last(properties, PORT).or(java::last(properties, FILE)).is_some()
}

/// All components with their counters, in Flume's types.
pub(crate) fn beans(registry: &Registry) -> Vec<Bean> {
    let of = |(component, figures): (String, BTreeMap<String, String>)| {
        let (kind, name) = component.split_once('.')?;
        let attributes = figures.into_iter().map(|(key, value)| {
            let value = attribute(&key, value);
            (key, value)
        });
        Some(Bean { kind: kind.to_owned(), name: name.to_owned(), attributes: attributes.collect() })
    };
    monitor::figures(registry).into_iter().filter_map(of).collect()
}

/// Flume's counters are all `long`, but for one.
fn attribute(key: &str, value: String) -> Attribute {
    match (key, value.parse(), value.parse()) {
        ("Type", _, _) => Attribute::Text(value),
        ("ChannelFillPercentage", _, Ok(double)) => Attribute::Double(double),
        (_, Ok(number), _) => Attribute::Long(number),
        _ => Attribute::Text(value),
    }
}

/// Bytes of a class that are shown.
const MOST_SHOWN: usize = 100;
const JMX: &str = "com.sun.management.jmxremote";
const PORT: &str = "com.sun.management.jmxremote.port";
/// A file that may name the port.
const FILE: &str = "com.sun.management.config.file";

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn asked(script: &[(&str, &str)], given: &[(&str, &str)]) -> Option<(Option<String>, bool)> {
        wanted(&pairs(script), &pairs(given)).map(|jmx| (jmx.monitor.map(|(class, _)| class), jmx.clients))
    }

    #[test]
    fn only_a_class_or_a_port_asks_for_a_jvm() {
        let class = ("flume.monitoring.type", "a.M");
        let http = ("flume.monitoring.type", "http");
        for nothing in [&[][..], &[http], &[(JMX, "")], &[("com.sun.management.jmxremote.ssl", "false")]] {
            assert_eq!(asked(nothing, &[]), None, "{nothing:?}");
            assert_eq!(asked(&[], nothing), None, "{nothing:?}");
        }
        assert_eq!(asked(&[], &[class]), Some((Some("a.M".into()), false)));
        assert_eq!(asked(&[class], &[]), Some((Some("a.M".into()), false)));
        assert_eq!(asked(&[class], &[http]), None, "the command line wins");
        assert_eq!(asked(&[("flume.monitoring.type", "$MONITOR")], &[]), None);
        for port in [(PORT, "9999"), (PORT, "$JMX_PORT"), (FILE, "/etc/jmx")] {
            assert_eq!(asked(&[port], &[http]), Some((None, true)), "{port:?}");
            assert_eq!(asked(&[], &[port, class]), Some((Some("a.M".into()), true)), "{port:?}");
        }
    }

    #[test]
    fn jmx_without_a_port_is_told() {
        let of = |given: &[(&str, &str)]| notice(&[], &pairs(given));
        assert!(of(&[(JMX, "")]).is_some_and(|text| text.contains("jmxremote.port=PORT")));
        assert_eq!(of(&[(JMX, ""), (PORT, "9999")]), None);
        assert_eq!(of(&[]), None);
        assert!(notice(&pairs(&[(JMX, "true")]), &[]).is_some());
    }

    #[test]
    fn attributes_have_flumes_types() {
        let of = |key: &str, value: &str| attribute(key, value.to_owned());
        assert_eq!(of("EventReceivedCount", "7"), Attribute::Long(7));
        assert_eq!(of("ChannelFillPercentage", "0.0"), Attribute::Double(0.0));
        assert_eq!(of("ChannelFillPercentage", "1.7976931348623157E308"), Attribute::Double(f64::MAX));
        assert_eq!(of("Type", "SOURCE"), Attribute::Text("SOURCE".into()));
        assert_eq!(of("Unhealthy", "yes"), Attribute::Text("yes".into()));
    }
}
