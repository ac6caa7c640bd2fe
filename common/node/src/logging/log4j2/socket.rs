//! `<Syslog>` and `<Socket>`.
//!
//! Source: log4j 2.18, the builders of `SyslogAppender` and `SocketAppender`, `SyslogLayout`.

use super::{
    super::{
        model::{Appender, MOST_NAME, To},
        syslog,
    },
    Reader, elements, is, kind,
};
use console::{SocketSettings, Transport};
use roxmltree::Node;
use std::time::Duration;

impl Reader<'_> {
    /// Syslog's lines, in the form of BSD, which has the message alone.
    pub(super) fn syslog(&self, node: Node<'_, '_>, appender: &mut Appender) {
        let format = self.get(node, "format").unwrap_or_default();
        if format.eq_ignore_ascii_case("RFC5424") {
            let text = "its format RFC5424 is not there, so that nothing is sent; write BSD";
            return appender.lack("RFC5424", text);
        }
        let name = self.get(node, "facility").unwrap_or_else(|| "LOCAL0".to_owned());
        let facility = syslog::facility(&name);
        if facility.is_none() {
            let name = plan::cut(&name, MOST_NAME);
            appender
                .say(format_args!("its facility {name} is none of syslog's; LOCAL0 is taken, as by Flume"));
        }
        let with_end = self.flag(node, "newLine", false);
        let Some(socket) = self.host(node, with_end, appender) else { return };
        appender.pattern = format!("{}%m%n", syslog::head());
        appender.facility = Some(facility.unwrap_or(LOCAL0));
        appender.to = To::Socket(Box::new(socket));
    }

    /// Lines of a pattern. In another layout, another program would not know them.
    pub(super) fn socket(&self, node: Node<'_, '_>, appender: &mut Appender) {
        let layout = elements(node).find(|element| kind(*element).to_ascii_lowercase().ends_with("layout"));
        let Some(layout) = layout else {
            return appender
                .say("it has no layout, so that nothing is sent, by Flume neither; write a <PatternLayout>");
        };
        if !is(layout, "PatternLayout") {
            return appender.lack(
                &format!("<{}>", kind(layout)),
                format_args!(
                    "<{}> is there with a <PatternLayout> alone, so that nothing is sent",
                    kind(node)
                ),
            );
        }
        let pattern = self.get(layout, "pattern").unwrap_or_else(|| "%m%n".to_owned());
        let with_end = pattern.trim_end().ends_with("%n");
        let Some(socket) = self.host(node, with_end, appender) else { return };
        appender.pattern = pattern;
        appender.to = To::Socket(Box::new(socket));
    }

    fn host(&self, node: Node<'_, '_>, with_end: bool, appender: &mut Appender) -> Option<SocketSettings> {
        let by = self.get(node, "protocol").unwrap_or_else(|| "TCP".to_owned());
        let by = match by.trim().to_ascii_uppercase().as_str() {
            "TCP" if !elements(node).any(|element| is(element, "Ssl")) => Transport::Tcp,
            "UDP" => Transport::Udp,
            "TCP" | "SSL" => {
                appender
                    .lack("TLS", "it is there over TCP and UDP, without TLS, alone, so that nothing is sent");
                return None;
            }
            other => {
                let other = plan::cut(other, MOST_NAME);
                appender.say(format_args!(
                    "its protocol {other} is none of TCP, UDP and SSL, so that nothing is sent"
                ));
                return None;
            }
        };
        let text = self.get(node, "port");
        let port = match text.as_deref().map(|text| text.trim().parse::<u16>()) {
            None | Some(Ok(0)) => PORT,
            Some(Ok(port)) => port,
            Some(Err(_)) => {
                let text = text.unwrap_or_default();
                appender.say(format_args!(
                    "port={} is no port, so that nothing is sent",
                    plan::cut(&text, MOST_NAME)
                ));
                return None;
            }
        };
        let rest = ["reconnectionDelayMillis", "reconnectDelayMillis", "reconnectionDelay"];
        let rest = rest.iter().find_map(|name| self.get(node, name)?.trim().parse::<u64>().ok());
        let rest = rest.filter(|millis| *millis > 0).map_or(REST, Duration::from_millis);
        let host = self.get(node, "host").unwrap_or_else(|| "localhost".to_owned()).trim().to_owned();
        Some(SocketSettings { host, port, by, with_end, rest })
    }
}

const PORT: u16 = 4560;

const LOCAL0: u8 = 16;

/// log4j 2's own.
const REST: Duration = Duration::from_secs(30);
