//! Where lines are sent, as configurations of log4j say it.

use super::{Logging, tests::of};
use console::{SocketSettings, Transport};
use std::time::Duration;

/// What one `SyslogAppender` with these options comes to.
fn log4j_1(options: &str) -> Logging {
    let options = options.replace("S.", "log4j.appender.s.");
    let text = format!(
        "log4j.rootLogger=INFO,s\nlog4j.appender.s=org.apache.log4j.net.SyslogAppender\n\
        log4j.appender.s.layout=org.apache.log4j.SimpleLayout\n{options}\n"
    );
    of("log4j.properties", &text, &[])
}

fn log4j_2(appender: &str) -> Logging {
    let text = format!(
        "<Configuration><Appenders>{appender}</Appenders>\
        <Loggers><Root level='INFO'><AppenderRef ref='s'/></Root></Loggers></Configuration>"
    );
    of("log4j2.xml", &text, &[])
}

/// The one socket of a configuration of which so much is told.
fn socket(logging: &Logging, told: usize) -> SocketSettings {
    assert_eq!((logging.settings.sockets.len(), logging.notices.len()), (1, told), "{logging:?}");
    assert!(!logging.on_console && logging.settings.files.is_empty());
    logging.settings.sockets[0].socket.clone()
}

fn to(host: &str, port: u16, by: Transport, with_end: bool, seconds: u64) -> SocketSettings {
    SocketSettings { host: host.to_owned(), port, by, with_end, rest: Duration::from_secs(seconds) }
}

#[test]
fn log4j_1s_syslog_is_read() {
    let short = Transport::ShortUdp { header: 0 };
    let logging = log4j_1("S.SyslogHost=log1:1514\nS.Facility=LOCAL3\nS.FacilityPrinting=true");
    assert_eq!(socket(&logging, 0), to("log1", 1514, short, true, 1));
    let place = logging.place.unwrap();
    assert!(place.contains("log lines go to log1:1514 (s), and not to the console"), "{place}");
    assert_eq!(socket(&log4j_1("S.syslogHost=log1\nS.facility=OWN"), 1).port, 514);
    let Transport::ShortUdp { header } = socket(&log4j_1("S.SyslogHost=h\nS.Header=true"), 0).by else {
        panic!()
    };
    assert!(header > "Nov  3 16:32:01 ".len());
    for options in ["", "S.SyslogHost=h:x"] {
        let logging = log4j_1(options);
        assert!(logging.settings.sockets.is_empty() && logging.on_console, "{options}");
        assert_eq!(logging.notices.len(), 2, "{options}: {:?}", logging.notices);
    }
}

#[test]
fn log4j_2s_sockets_are_read() {
    let logging = log4j_2("<Syslog name='s'/>");
    assert_eq!(socket(&logging, 0), to("localhost", 4560, Transport::Tcp, false, 30));
    let logging =
        log4j_2("<Syslog name='s' host='h' port='514' protocol='udp' newLine='true' facility='OWN'/>");
    assert_eq!(socket(&logging, 1), to("h", 514, Transport::Udp, true, 30));
    let pattern = "<PatternLayout pattern='%m%n'/>";
    let logging = log4j_2(&format!(
        "<Socket name='s' host='h' port='1' reconnectionDelayMillis='2000'>{pattern}</Socket>"
    ));
    assert_eq!(socket(&logging, 0), to("h", 1, Transport::Tcp, true, 2));
    for appender in [
        "<Syslog name='s' format='RFC5424'/>",
        "<Syslog name='s' protocol='SSL'/>",
        "<Syslog name='s' port='many'/>",
        "<Socket name='s'/>",
        "<Socket name='s'><JsonLayout/></Socket>",
    ] {
        let logging = log4j_2(appender);
        assert!(logging.settings.sockets.is_empty() && logging.on_console, "{appender}");
        assert_eq!(logging.notices.len(), 2, "{appender}: {:?}", logging.notices);
    }
}
