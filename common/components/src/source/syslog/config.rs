//! The properties of the three sources, as values.

use crate::source::needs_keystore;
use flow::component::{Site, told};
use java::Charset;
use jiff::tz::TimeZone;
use plan::{Findings, Problem, Properties};
use runtime::clock::Duration;
use runtime::net::{Place, ServerLayers};
use std::collections::BTreeMap;
use wire::syslog::{BadFormat, Classic, Format, Keep};

/// Keys, units and defaults are Flume's: User Guide, "Syslog Sources".
#[derive(Debug, Clone)]
pub(super) struct Config {
    /// The alias of its type.
    pub(super) kind: &'static str,
    /// `host`
    pub(super) host: String,
    /// `port` or `ports`, each once.
    pub(super) ports: Vec<u16>,
    most_connections: usize,
    pub(super) idle_limit: Option<Duration>,
    /// `ssl` and what belongs to it.
    pub(super) layers: ServerLayers,
    /// `eventSize`, bytes.
    pub(super) event_size: usize,
    /// `batchSize`, where there is one.
    pub(super) batch_size: Option<usize>,
    /// `portHeader`
    pub(super) port_header: Option<String>,
    /// `clientIPHeader`
    pub(super) ip_header: Option<String>,
    /// `clientHostnameHeader`
    pub(super) name_header: Option<String>,
    /// Which parser, and what it must know.
    pub(super) parser: Parser,
    /// `keepFields`
    pub(super) keep: Keep,
}

#[derive(Debug, Clone)]
pub(super) enum Parser {
    Classic(Option<FormatText>),
    Multiport { default: Charset, ports: BTreeMap<u16, Charset> },
}

/// `format.regex`, `.search` with `.replace`, `.dateFormat`.
#[derive(Debug, Clone)]
pub(super) struct FormatText {
    regex: String,
    search: Option<(String, String)>,
    date: Option<String>,
}

impl Config {
    pub(super) fn tcp(properties: &Properties, site: &Site, findings: &mut Findings<'_>) -> Option<Config> {
        every_address(properties, findings);
        let parser = classic(properties, findings);
        let layers = layers(properties, site, findings);
        let common = Config::new("syslogtcp", properties, parser?);
        Some(Config {
            ports: vec![properties.count("port")],
            layers: layers?,
            ..common.connected(properties)
        })
    }

    pub(super) fn udp(properties: &Properties, findings: &mut Findings<'_>) -> Option<Config> {
        let parser = classic(properties, findings)?;
        Some(Config { ports: vec![properties.count("port")], ..Config::new("syslogudp", properties, parser) })
    }

    pub(super) fn multiport(
        properties: &Properties,
        site: &Site,
        findings: &mut Findings<'_>,
    ) -> Option<Config> {
        let ports = ports(properties, findings);
        let charsets = charsets(properties, findings);
        let layers = layers(properties, site, findings);
        let default = Charset::for_name(properties.word("charset.default")).unwrap_or(Charset::UTF_8);
        let parser = Parser::Multiport { default, ports: charsets? };
        let common = Config::new("multiport_syslogtcp", properties, parser);
        Some(Config {
            ports: ports?,
            layers: layers?,
            batch_size: Some(properties.count("batchSize")),
            port_header: properties.text("portHeader").map(str::to_owned),
            ..common.connected(properties)
        })
    }

    fn new(kind: &'static str, properties: &Properties, parser: Parser) -> Config {
        let text = |key| properties.text(key).map(str::to_owned);
        Config {
            kind,
            host: properties.word("host").to_owned(),
            ports: Vec::new(),
            most_connections: 0,
            idle_limit: None,
            layers: ServerLayers::default(),
            event_size: MOST_DATAGRAM,
            batch_size: None,
            port_header: None,
            ip_header: text("clientIPHeader"),
            name_header: text("clientHostnameHeader"),
            parser,
            keep: Keep::parse(properties.word("keepFields")),
        }
    }

    /// What a source has that takes connections.
    fn connected(self, properties: &Properties) -> Config {
        let idle: u64 = properties.count("maxIdleSeconds");
        Config {
            most_connections: properties.count("maxConnections"),
            idle_limit: (idle > 0).then(|| Duration::from_secs(idle)),
            event_size: properties.count("eventSize"),
            ..self
        }
    }

    pub(super) fn place(&self, port: u16) -> Place {
        Place { bind: self.host.clone(), port, most: self.most_connections, idle_limit: self.idle_limit }
    }
}

impl FormatText {
    fn compile(&self, zone: &TimeZone) -> Result<Format, BadFormat> {
        let search = self.search.as_ref().map(|(search, replace)| (search.as_str(), replace.as_str()));
        Format::compile(&self.regex, search, self.date.as_deref(), zone)
    }

    /// A parser with this form. Dates without a zone are in this machine's.
    pub(super) fn parser(format: Option<&FormatText>, keep: Keep) -> Classic {
        let zone = TimeZone::system();
        // The check has compiled it.
        let format = format.and_then(|format| format.compile(&zone).ok());
        Classic::new(keep, format, zone)
    }
}

/// Releases of Flume differ where the file names no address.
fn every_address(properties: &Properties, findings: &mut Findings<'_>) {
    if properties.is_written("host") {
        return;
    }
    let what = format!("the {} has no `host`", findings.owner.noun);
    let problem = Problem::note("default-host", &findings.owner.at.clone(), what)
        .flume("listens at every address up to 1.9; 1.11 logs an error once, and never listens")
        .here("listens at every address")
        .fix(format!("`{} = 0.0.0.0`", findings.key("host")));
    findings.add(problem);
}

fn classic(properties: &Properties, findings: &mut Findings<'_>) -> Option<Parser> {
    let text = |key| properties.text(key).map(str::to_owned);
    let Some(regex) = text("format.regex") else { return Some(Parser::Classic(None)) };
    let search = text("format.search").zip(text("format.replace"));
    let format = FormatText { regex, search, date: text("format.dateFormat") };
    match format.compile(&TimeZone::UTC) {
        Ok(_) => Some(Parser::Classic(Some(format))),
        Err(BadFormat { key, what }) => {
            findings.refuse(&format!("format.{key}"), &what);
            None
        }
    }
}

fn layers(properties: &Properties, site: &Site, findings: &mut Findings<'_>) -> Option<ServerLayers> {
    needs_keystore(properties, site.tls_defaults(), findings)?;
    let mut notes = Vec::new();
    let built = ServerLayers::tls(properties, site.tls_defaults(), &mut notes);
    told(built, notes, findings)
}

fn ports(properties: &Properties, findings: &mut Findings<'_>) -> Option<Vec<u16>> {
    let mut ports = Vec::new();
    for word in properties.words("ports") {
        let Ok(port) = word.parse::<u16>() else {
            findings.refuse("ports", &format!("`{word}` is no port; ports stand between blanks"));
            return None;
        };
        if ports.contains(&port) && port != 0 {
            let what = format!("the port {port} stands twice in `{}`", findings.key("ports"));
            let problem = Problem::warning("port-twice", findings.at("ports"), what);
            findings.add(problem.flume("logs an error for the second").here("it is opened once"));
        } else {
            ports.push(port);
        }
    }
    if ports.is_empty() {
        findings.refuse("ports", "it names no port");
        return None;
    }
    Some(ports)
}

fn charsets(properties: &Properties, findings: &mut Findings<'_>) -> Option<BTreeMap<u16, Charset>> {
    let mut charsets = BTreeMap::new();
    for (port, name) in properties.under("charset.port.") {
        let key = format!("charset.port.{port}");
        let Ok(port) = port.parse::<u16>() else {
            findings.refuse(&key, "what stands behind `charset.port.` must be a port");
            return None;
        };
        let Some(charset) = Charset::for_name(name) else {
            findings.refuse(&key, "there is no such charset");
            return None;
        };
        charsets.insert(port, charset);
    }
    Some(charsets)
}

/// Flume's `maxsize` of a datagram.
pub(super) const MOST_DATAGRAM: usize = 65_536;
