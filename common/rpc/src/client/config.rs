//! The properties of a client: to whom, and how.

use super::policy::{Balance, Failover, Order, Route};
use crate::{AvroSinkConfig, ThriftConfig};
use plan::{Descriptor, Kind, Properties, Property, Value, cut, secret::without_log_ins};
use runtime::net::{CLIENT_TLS, COMPRESSION, ClientLayers, TlsDefaults};
use runtime::random::Random;
use std::str::FromStr;
use std::time::Duration;
use wire::thrift::Protocol;

/// Keys, units and defaults are those of Flume's client SDK: Developer Guide, "Client".
pub(super) struct Config {
    /// `client.type` and `hosts`
    pub(super) way: Way,
    /// `batch-size`
    pub(super) batches: Batches,
}

/// To whom.
pub(super) enum Way {
    Avro(Hosts),
    Thrift(ThriftConfig),
}

/// Avro sources.
pub(super) struct Hosts {
    /// In the order written; the default client has one.
    pub(super) hosts: Vec<AvroSinkConfig>,
    pub(super) route: Route,
}

/// How events are cut into batches.
pub(super) struct Batches {
    /// Events in a call at most; 100 unless set.
    pub(super) most: usize,
    /// Nobody has said how large batches are to be, so that smaller ones can be tried.
    pub(super) may_shrink: bool,
}

impl Config {
    /// `notes` are for an operator to read.
    ///
    /// # Errors
    /// What cannot be used, and what to write instead.
    pub(super) fn build(
        properties: &[(String, String)],
        tls_defaults: &TlsDefaults,
        notes: &mut Vec<String>,
    ) -> Result<Config, String> {
        let properties = read(properties);
        let kind = kind(&properties)?;
        remarks(&properties, kind, notes);
        let mut hosts = hosts(&properties)?;
        if [ClientType::Default, ClientType::Thrift].contains(&kind) && hosts.len() > 1 {
            let (first, port) = &hosts[0];
            notes.push(format!(
                "hosts names {}; a client of the type {} uses the first alone, {first}:{port}: for more, \
                 set client.type to default_failover or default_loadbalance",
                hosts.len(),
                if kind == ClientType::Default { "default" } else { "thrift" }
            ));
            hosts.truncate(1);
        }
        let most = checked(&properties, "batch-size", unset().count("batch-size"), notes);
        let may_shrink = properties.text("batch-size").is_none();
        let way = match kind {
            ClientType::Thrift => Way::Thrift(thrift(&properties, hosts.remove(0), tls_defaults, notes)?),
            _ => Way::Avro(Hosts {
                route: route(&properties, kind, hosts.len(), notes)?,
                hosts: connections(&properties, &hosts, tls_defaults, notes)?,
            }),
        };
        Ok(Config { way, batches: Batches { most, may_shrink } })
    }
}

pub(super) fn read(properties: &[(String, String)]) -> Properties {
    Properties::of(&CLIENT, properties.iter().map(|(key, value)| (key.trim(), value.trim())))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClientType {
    Default,
    Failover,
    Balance,
    Thrift,
}

/// Aliases in any case, or the names of Flume's classes.
pub(super) fn kind(properties: &Properties) -> Result<ClientType, String> {
    let text = properties.word("client.type");
    match text.to_ascii_lowercase().as_str() {
        "default" | "org.apache.flume.api.nettyavrorpcclient" => Ok(ClientType::Default),
        "default_failover" | "org.apache.flume.api.failoverrpcclient" => Ok(ClientType::Failover),
        "default_loadbalance" | "org.apache.flume.api.loadbalancingrpcclient" => Ok(ClientType::Balance),
        "thrift" | "org.apache.flume.api.thriftrpcclient" => Ok(ClientType::Thrift),
        _ => Err(format!(
            "client.type = {text}: it is default, default_failover, default_loadbalance, thrift or a Java class with its \
             package",
            text = shown(text)
        )),
    }
}

/// `hosts = h1 h2`, `hosts.h1 = name:port`.
fn hosts(properties: &Properties) -> Result<Vec<(String, u16)>, String> {
    let names = properties.words("hosts");
    if names.is_empty() {
        return Err("hosts is empty: write `hosts = h1` and `hosts.h1 = name:port`".to_owned());
    }
    names
        .into_iter()
        .map(|name| {
            let key = format!("hosts.{name}");
            let text = properties
                .text(&key)
                .ok_or_else(|| format!("{key} is not set: write `{key} = name:port`"))?;
            address(text).ok_or_else(|| {
                format!("{key} = {text}: that is no address, write `{key} = name:port`", text = shown(text))
            })
        })
        .collect()
}

/// `name:port`; an address of IPv6 may stand in brackets.
fn address(text: &str) -> Option<(String, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let host = host.trim().trim_matches(['[', ']']);
    let port = port.trim().parse().ok().filter(|port| *port > 0)?;
    Some((host.to_owned(), port)).filter(|(host, _)| !host.is_empty())
}

fn route(
    properties: &Properties,
    kind: ClientType,
    hosts: usize,
    notes: &mut Vec<String>,
) -> Result<Route, String> {
    match kind {
        ClientType::Default | ClientType::Thrift => Ok(Route::Failover(Failover::new(1, 1))),
        ClientType::Failover => {
            let attempts = checked(properties, "max-attempts", hosts, notes);
            Ok(Route::Failover(Failover::new(hosts, attempts)))
        }
        ClientType::Balance if hosts < 2 => {
            Err("client.type = default_loadbalance needs two hosts or more: name them in `hosts`".to_owned())
        }
        ClientType::Balance => {
            Ok(Route::Balance(Balance::new(hosts, order(properties)?, most_rest(properties)?)))
        }
    }
}

pub(super) fn order(properties: &Properties) -> Result<Order, String> {
    let text = properties.word("host-selector");
    match text.to_ascii_lowercase().as_str() {
        "round_robin" => Ok(Order::RoundRobin(0)),
        "random" => Ok(Order::Random(Random::from_system())),
        _ => Err(format!(
            "host-selector = {text}: it is ROUND_ROBIN, RANDOM or a Java class with its package",
            text = shown(text)
        )),
    }
}

/// How long a host that failed is left alone at most.
fn most_rest(properties: &Properties) -> Result<Duration, String> {
    let most = match properties.text("maxBackoff") {
        None => 0,
        Some(text) => text.parse().map_err(|_| {
            format!("maxBackoff = {text}: write a number of milliseconds", text = shown(text))
        })?,
    };
    Ok(match (properties.flag("backoff"), most) {
        (false, _) => WITHOUT_BACKOFF,
        (true, 0) => unset().millis("maxBackoff"),
        (true, most) => Duration::from_millis(most),
    })
}

/// How each host is connected to. `ssl` and its like are the same for all.
fn connections(
    properties: &Properties,
    hosts: &[(String, u16)],
    tls_defaults: &TlsDefaults,
    notes: &mut Vec<String>,
) -> Result<Vec<AvroSinkConfig>, String> {
    let mut of_one = Vec::new();
    let connection = |(host, port): &(String, u16)| {
        of_one.clear();
        Ok(AvroSinkConfig {
            host: host.clone(),
            port: *port,
            connect_timeout: within(properties, "connect-timeout"),
            request_timeout: within(properties, "request-timeout"),
            reset_interval: None,
            layers: ClientLayers::build(properties, tls_defaults, &mut of_one)
                .map_err(|error| error.to_string())?,
        })
    };
    let built = hosts.iter().map(connection).collect::<Result<_, String>>();
    notes.append(&mut of_one);
    built
}

fn within(properties: &Properties, key: &str) -> Duration {
    let millis = properties.given(key).filter(|millis| *millis >= LEAST_TIMEOUT);
    millis.map_or_else(|| unset().millis(key), Duration::from_millis)
}

/// How the one host of a Thrift client is connected to. Flume takes every word but `binary` for `compact`, without case.
fn thrift(
    properties: &Properties,
    (host, port): (String, u16),
    tls_defaults: &TlsDefaults,
    notes: &mut Vec<String>,
) -> Result<ThriftConfig, String> {
    if properties.flag("kerberos") {
        return Err("kerberos = true: a client of the type thrift does not log in by Kerberos, in Flume neither; write \
                    client.type = org.apache.flume.api.SecureThriftRpcClient, which runs with a Flume's jars"
            .to_owned());
    }
    let is_binary = properties.word("protocol").eq_ignore_ascii_case("binary");
    Ok(ThriftConfig {
        host,
        port,
        protocol: if is_binary { Protocol::Binary } else { Protocol::Compact },
        request_timeout: within(properties, "request-timeout"),
        reset_interval: None,
        layers: ClientLayers::tls(properties, tls_defaults, notes).map_err(|error| error.to_string())?,
    })
}

/// Says what of the properties has no effect.
fn remarks(properties: &Properties, kind: ClientType, notes: &mut Vec<String>) {
    let is_thrift = kind == ClientType::Thrift;
    let name = if is_thrift { "a Thrift client" } else { "an Avro client" };
    for (key, _) in properties.iter() {
        let others = if is_thrift { AVROS_ALONE } else { THRIFTS_ALONE };
        if CLIENT.property(key).is_none() || others.contains(&key) {
            // Its value may be a password whose key is misspelt.
            let key = cut(key, MOST_SHOWN);
            notes.push(format!("{key}: not a property of {name}; it has no effect"));
        }
    }
    for key in ["connect-timeout", "request-timeout"] {
        if let Some(text) = properties.text(key)
            && text.parse::<u64>().ok().is_none_or(|millis| millis < LEAST_TIMEOUT)
        {
            notes.push(format!(
                "{key} = {text}: write {LEAST_TIMEOUT} milliseconds or more; {default} is taken",
                text = shown(text),
                default = unset().word(key)
            ));
        }
    }
    if let Some(text) = properties.text("compression-type")
        && !["deflate", "none"].iter().any(|known| text.eq_ignore_ascii_case(known))
    {
        notes.push(format!(
            "compression-type = {text}: it is deflate or none; none is taken",
            text = shown(text)
        ));
    }
}

/// A value in a message.
pub(super) fn shown(text: &str) -> String {
    cut(&without_log_ins(text), MOST_SHOWN)
}

/// A number of at least 1; what is not becomes `default`, with a note.
fn checked<T: FromStr + Copy + PartialOrd + From<u8> + std::fmt::Display>(
    properties: &Properties,
    key: &str,
    default: T,
    notes: &mut Vec<String>,
) -> T {
    let Some(text) = properties.text(key) else { return default };
    text.parse().ok().filter(|number| *number >= T::from(1)).unwrap_or_else(|| {
        notes.push(format!(
            "{key} = {text}: write a number of 1 or more; {default} is taken",
            text = shown(text)
        ));
        default
    })
}

/// Bytes of a key or a value that are shown.
const MOST_SHOWN: usize = 80;
/// Milliseconds.
const LEAST_TIMEOUT: u64 = 1000;
/// Flume leaves no host alone then, and waits for a dead one each time its turn comes.
const WITHOUT_BACKOFF: Duration = Duration::from_secs(5);

/// A client that has its defaults alone.
fn unset() -> Properties {
    Properties::new(&CLIENT)
}

const THRIFTS_ALONE: &[&str] = &["protocol", "kerberos", "maxConnections"];
const AVROS_ALONE: &[&str] = &["compression-type", "compression-level", "connect-timeout", "maxIoWorkers"];

/// A client of Flume's SDK.
const CLIENT: Descriptor =
    Descriptor::new(Kind::Sink, "avro-client", "org.apache.flume.api.RpcClient", &[PROPERTIES, CLIENT_TLS]);

const PROPERTIES: &[Property] = &[
    Property::with("client.type", Value::Text, "default"),
    Property::required("hosts", Value::List),
    Property::optional("hosts.", Value::Text),
    Property::with("batch-size", Value::at_least(1, "events"), "100"),
    Property::optional("max-attempts", Value::at_least(1, "attempts")),
    Property::with("host-selector", Value::Text, "round_robin"),
    Property::with("backoff", Value::Flag, "false"),
    Property::with("maxBackoff", Value::long(0, "ms"), "30000"),
    Property::with("connect-timeout", Value::long(LEAST_TIMEOUT as i64, "ms"), "20000"),
    Property::with("request-timeout", Value::long(LEAST_TIMEOUT as i64, "ms"), "20000"),
    Property::with("compression-type", Value::Choice(COMPRESSION), "none"),
    Property::with("compression-level", Value::Number { min: 0, max: 9, unit: "" }, "6"),
    Property::with("protocol", Value::Text, "compact"),
    Property::with("kerberos", Value::Flag, "false"),
    Property::optional("maxConnections", Value::Unused("lines go over one connection")),
    Property::optional("maxIoWorkers", Value::Unused("it has had no effect in Flume either, since 1.10")),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn built(text: &str) -> (Result<Config, String>, Vec<String>) {
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        let pairs: Vec<_> = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        let mut notes = Vec::new();
        let config = Config::build(&pairs, &TlsDefaults::default(), &mut notes);
        (config, notes)
    }

    #[test]
    fn flumes_properties_are_understood_without_a_word() {
        let text = "client.type = default_failover\nhosts = a  b\nhosts.a = one:1 \nhosts.b = [::1]:2\nmax-attempts = 5\n\
                    batch-size = 7\nconnect-timeout = 1500\ncompression-type = DEFLATE\nssl = true\ntrust-all-certs = false";
        let (config, notes) = built(text);
        let Config { way: Way::Avro(Hosts { hosts, .. }), batches } = config.unwrap() else {
            panic!("{notes:?}")
        };
        let peers: Vec<String> = hosts.iter().map(AvroSinkConfig::peer).collect();
        assert_eq!(
            (peers, batches.most, batches.may_shrink),
            (vec!["one:1".into(), "::1:2".into()], 7, false)
        );
        assert_eq!(hosts[1].connect_timeout, Duration::from_millis(1500));
        assert!(notes.is_empty(), "{notes:?}");
    }

    #[test]
    fn what_does_not_count_is_told() {
        let secret = "hosts = h\nhosts.h = a:1\ntruststore-pasword = hunter2\nunheard-of = hunter2";
        let (_, notes) = built(secret);
        assert!(notes.len() == 2 && !notes.concat().contains("hunter2"), "{notes:?}");
        for (line, part) in [
            ("batch-size = 0", "batch-size = 0: write a number of 1 or more; 100 is taken"),
            ("batch-size = many", "100 is taken"),
            ("connect-timeout = 999", "20000 is taken"),
            ("request-timeout = soon", "20000 is taken"),
            ("max-atempts = 3", "max-atempts: not a property"),
            ("compression-type = gzip", "none is taken"),
        ] {
            let (config, notes) = built(&format!("hosts = h\nhosts.h = a:1\n{line}"));
            assert_eq!((config.unwrap().batches.most, notes.len()), (100, 1), "{line}");
            assert!(notes[0].contains(part), "{notes:?}");
        }
        let (_, notes) =
            built(&format!("hosts = h\nhosts.h = a:1\nbatch-size = http://me:hunter2{}@b", "x".repeat(5000)));
        assert!(notes[0].len() < 300 && !notes[0].contains("hunter2"), "{notes:?}");
        let (config, notes) = built("hosts = a b\nhosts.a = one:1\nhosts.b = two:2");
        let Way::Avro(Hosts { hosts, .. }) = config.unwrap().way else { panic!("{notes:?}") };
        assert_eq!((hosts.len(), notes.len()), (1, 1));
        assert!(notes[0].contains("the first alone, one:1"));
    }

    #[test]
    fn a_thrift_client_has_one_host_and_properties_of_its_own() {
        let text = "client.type = THRIFT\nhosts = a b\nhosts.a = one:1\nhosts.b = two:2\nprotocol = Binary\n\
                    request-timeout = 1500\ncompression-type = deflate";
        let (config, notes) = built(text);
        let Way::Thrift(config) = config.unwrap().way else { panic!("{notes:?}") };
        assert_eq!((config.peer().as_str(), config.protocol), ("one:1", Protocol::Binary));
        assert_eq!(config.request_timeout, Duration::from_millis(1500));
        assert_eq!(notes.len(), 2, "{notes:?}");
        assert!(notes[0].contains("compression-type: not a property of a Thrift client"), "{notes:?}");
        assert!(notes[1].contains("type thrift uses the first alone, one:1"), "{notes:?}");
        let (_, notes) = built("hosts = a\nhosts.a = one:1\nprotocol = binary");
        assert!(
            notes.len() == 1 && notes[0].contains("protocol: not a property of an Avro client"),
            "{notes:?}"
        );
    }

    #[test]
    fn what_cannot_be_is_refused_with_the_right_way() {
        for (text, part) in [
            ("", "hosts is empty"),
            ("hosts = h", "hosts.h is not set"),
            ("hosts = h\nhosts.h = nowhere", "that is no address"),
            ("hosts = h\nhosts.h = a:0", "that is no address"),
            ("hosts = h\nhosts.h = a:66000", "that is no address"),
            ("client.type = thrift\nhosts = h\nhosts.h = a:1\nkerberos = true", "Kerberos"),
            ("client.type = thrif", "thrift or a Java class"),
            ("client.type = default_loadbalance\nhosts = h\nhosts.h = a:1", "needs two hosts or more"),
            (
                "client.type = default_loadbalance\nhosts = h i\nhosts.h = a:1\nhosts.i = a:2\nhost-selector = X",
                "ROUND_ROBIN",
            ),
            (
                "client.type = default_loadbalance\nhosts = h i\nhosts.h = a:1\nhosts.i = a:2\nmaxBackoff = x",
                "milliseconds",
            ),
            ("hosts = h\nhosts.h = a:1\nssl = true\ntruststore = /no/such/store", "/no/such/store"),
        ] {
            let error = built(text).0.map(|_| ()).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
