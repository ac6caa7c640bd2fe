//! What came out of a run, as text in which nothing depends on the place, the ports or the hour.

use crate::flume::avro::Event;
use std::{
    fmt, fs,
    net::{SocketAddr, ToSocketAddrs},
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

/// Everything a case looks at. Its text is what is recorded and compared.
#[derive(Debug, Default)]
pub struct Outcome {
    pub(super) console: Vec<String>,
    pub(super) notes: Vec<String>,
    pub(super) sinks: Vec<(usize, Vec<Event>)>,
    pub(super) folders: Vec<(String, Vec<u8>)>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.console.iter().try_for_each(|line| writeln!(f, "console: {line}"))?;
        self.notes.iter().try_for_each(|note| writeln!(f, "{note}"))?;
        for (number, events) in &self.sinks {
            for event in events {
                let headers: Vec<String> =
                    event.headers.iter().map(|(key, value)| format!("{key}={value}")).collect();
                let body = event.body.escape_ascii();
                writeln!(f, "sink {number}: {{{}}} {body}", headers.join(", "))?;
            }
        }
        for (folder, bytes) in &self.folders {
            for line in bytes.split_inclusive(|byte| *byte == b'\n') {
                writeln!(f, "{folder}: {}", line.escape_ascii())?;
            }
        }
        Ok(())
    }
}

/// Which words of a run stand for what.
pub(super) struct Words {
    pairs: Vec<(String, String)>,
    ports: Vec<(String, String)>,
    started_ms: u128,
}

impl Words {
    pub(super) fn new(dir: &Path, ports: &[(String, u16)]) -> Words {
        let mut pairs = vec![(dir.display().to_string(), "$DIR".to_owned())];
        pairs.extend(this_host());
        let ports = ports.iter().map(|(name, port)| (port.to_string(), name.clone())).collect();
        Words { pairs, ports, started_ms: now_ms() }
    }

    /// `text` with the names in place of what they stood for, and `<ms>` for the times of this very run.
    pub(super) fn neutral(&self, text: &str) -> String {
        let replace = |text: String, (value, name): &(String, String)| text.replace(value, name);
        self.without_numbers(&self.pairs.iter().fold(text.to_owned(), replace))
    }

    /// Numbers as a whole: the digits of a port may stand within another one.
    fn without_numbers(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
            let length = rest[start..].find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len() - start);
            let (before, number) = (&rest[..start], &rest[start..start + length]);
            out.push_str(before);
            let port = self.ports.iter().find(|(port, _)| port == number).map(|(_, name)| name.as_str());
            out.push_str(if self.is_now(number) { "<ms>" } else { port.unwrap_or(number) });
            rest = &rest[start + length..];
        }
        out + rest
    }

    /// Whether `number` is a time in milliseconds between the start of the run and now.
    fn is_now(&self, number: &str) -> bool {
        number.len() == 13 && number.parse().is_ok_and(|ms: u128| (self.started_ms..=now_ms()).contains(&ms))
    }
}

/// What a `host` interceptor says on this machine, as it stands behind a header's name.
fn this_host() -> Vec<(String, String)> {
    let Ok(name) = fs::read_to_string("/proc/sys/kernel/hostname") else { return vec![] };
    let name = name.trim();
    let found =
        (name, 0).to_socket_addrs().ok().and_then(|mut addresses| addresses.find(SocketAddr::is_ipv4));
    let address = found.map(|address| (format!("host={}", address.ip()), "host=$IP".to_owned()));
    address.into_iter().chain([(format!("host={name}"), "host=$HOST".to_owned())]).collect()
}

fn now_ms() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis())
}

/// What stands behind the date of a console line: `(thread) [LEVEL - place] text`. `None` for other lines.
pub(super) fn behind_date(line: &str) -> Option<&str> {
    let (date, rest) = line.split_at_checked("2018-11-13 16:34:55,386 ".len())?;
    let is_date = date.bytes().zip(*b"dddd-dd-dd dd:dd:dd,ddd ").all(|(byte, form)| match form {
        b'd' => byte.is_ascii_digit(),
        other => byte == other,
    });
    is_date.then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_belongs_to_the_run_is_made_neutral() {
        let words = Words::new(Path::new("/tmp/x"), &[("$PORT1".to_owned(), 40_001)]);
        let now = now_ms();
        let text = format!("/tmp/x/a 127.0.0.1:40001 {now} 1542098088198 {now}0");
        assert_eq!(words.neutral(&text), format!("$DIR/a 127.0.0.1:$PORT1 <ms> 1542098088198 {now}0"));
    }

    #[test]
    fn a_port_whose_digits_stand_in_a_time_is_no_port_there() {
        let now = now_ms().to_string();
        let port: u16 = now[..5].parse().expect("17953 and on");
        let words = Words::new(Path::new("/tmp/x"), &[("$PORT1".to_owned(), port)]);
        let now = now_ms();
        assert_eq!(words.neutral(&format!("{now} {port}")), "<ms> $PORT1");
    }

    #[test]
    fn a_line_without_a_date_goes_on_the_one_before() {
        let line = "2018-11-13 16:34:55,386 (main) [INFO - a.b(C.java:1)] text";
        assert_eq!(behind_date(line), Some("(main) [INFO - a.b(C.java:1)] text"));
        assert_eq!(behind_date("00000010 51 52 53 54 55 56 57 58 59 5A 5B"), None);
        assert_eq!(behind_date("short"), None);
    }
}
