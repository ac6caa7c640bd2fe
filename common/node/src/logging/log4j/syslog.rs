//! `org.apache.log4j.net.SyslogAppender`.
//!
//! Source: log4j 1.2.17 `SyslogAppender`, `SyslogWriter`.

use super::{
    super::{
        model::{Appender, MOST_NAME, To},
        syslog,
    },
    Options, layout,
};
use console::{SocketSettings, Transport};
use std::time::Duration;

/// Reads where it sends lines, and how they look.
pub(super) fn read(appender: &mut Appender, options: &Options<'_>) {
    let Some(host) = options.get("syslogHost").map(str::trim).filter(|host| !host.is_empty()) else {
        return appender.say("it has no SyslogHost, so that nothing is sent; write one");
    };
    let Some((host, port)) = host_and_port(host) else {
        let host = plan::cut(host, MOST_NAME);
        return appender
            .say(format_args!("SyslogHost={host} is no host with a port, so that nothing is sent"));
    };
    let name = options.get("facility").unwrap_or("USER").trim().to_owned();
    let facility = syslog::facility(&name);
    if facility.is_none() {
        let name = plan::cut(&name, MOST_NAME);
        appender.say(format_args!("Facility={name} is none of syslog's; USER is taken, as by Flume"));
    }
    layout(appender, options);
    let with_head = options.flag("header", false);
    let front = if with_head { syslog::head() } else { String::new() };
    let name = if facility.is_some() { name.to_ascii_lowercase() } else { "user".to_owned() };
    let printed = if options.flag("facilityPrinting", false) { format!("{name}:") } else { String::new() };
    // A datagram ends where it ends: one without `%n` is whole, too.
    let with_end = appender.pattern.trim_end().ends_with("%n");
    let end = if with_end { "" } else { "%n" };
    appender.pattern = format!("{front}{printed}{}{end}", appender.pattern);
    appender.facility = Some(facility.unwrap_or(USER));
    let header = if with_head { syslog::head_bytes() } else { 0 };
    appender.to = To::Socket(Box::new(SocketSettings {
        host,
        port,
        by: Transport::ShortUdp { header },
        with_end,
        rest: REST,
    }));
}

/// `host`, `host:port`, `[::1]:port` or a bare address of IPv6.
fn host_and_port(text: &str) -> Option<(String, u16)> {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, behind)) => (host, behind.strip_prefix(':')),
        None if text.matches(':').count() == 1 => {
            text.split_once(':').map(|(host, port)| (host, Some(port)))?
        }
        None => (text, None),
    };
    Some((host.to_owned(), port.map_or(Some(PORT), |port| port.parse().ok())?))
}

const PORT: u16 = 514;

const USER: u8 = 1;

/// Datagrams are tried again soon: nothing waits for them.
const REST: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_may_have_a_port() {
        let read = |text| host_and_port(text).map(|(host, port)| format!("{host} {port}"));
        for (text, expected) in [
            ("log1", "log1 514"),
            ("log1:1514", "log1 1514"),
            ("::1", "::1 514"),
            ("[::1]:1514", "::1 1514"),
            ("[::1]", "::1 514"),
        ] {
            assert_eq!(read(text).as_deref(), Some(expected));
        }
        assert_eq!((read("log1:x"), read("log1:70000")), (None, None));
    }
}
