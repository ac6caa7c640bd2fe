//! The lesson's two files, and what must differ in them when its four hosts are one machine.

use std::path::Path;

/// `flume-client.conf`, as printed in the lesson.
pub const CLIENT: &str = include_str!("../../deploy/conf/flume-client.conf");

/// `flume-server.conf`, as printed in the lesson, with its comments behind two values.
pub const SERVER: &str = include_str!("../../deploy/conf/flume-server.conf");

/// The agent's name in [`CLIENT`].
pub const CLIENT_NAME: &str = "agent1";

/// The agent's name in [`SERVER`].
pub const SERVER_NAME: &str = "a1";

/// The port of both collectors.
pub const PORT: u16 = 52020;

/// What the channels of both files hold.
pub const CAPACITY: usize = 1000;

/// Where the collectors are to be found.
#[derive(Debug, Clone)]
pub struct Whereabouts {
    /// Addresses or names of slave3 and slave4.
    pub hosts: [String; 2],
    /// The port of both.
    pub port: u16,
}

impl Whereabouts {
    /// The lesson's own names and port.
    pub fn as_printed() -> Whereabouts {
        Whereabouts { hosts: [0, 1].map(|index| full_name(COLLECTORS[index])), port: PORT }
    }
}

/// The agents' short names.
pub const AGENTS: [&str; 2] = ["slave1", "slave2"];

/// The collectors' short names, the one with the higher priority first.
pub const COLLECTORS: [&str; 2] = ["slave3", "slave4"];

/// `slave3` as the files name it.
pub fn full_name(node: &str) -> String {
    format!("{node}.hanli.com")
}

/// The client file with the log, the hosts and the port of this machine.
pub fn client(log: &Path, whereabouts: &Whereabouts) -> String {
    let [primary, standby] = &whereabouts.hosts;
    CLIENT
        .replace("/root/test.log", &log.display().to_string())
        .replace(&full_name(COLLECTORS[0]), primary)
        .replace(&full_name(COLLECTORS[1]), standby)
        .replace(&PORT.to_string(), &whereabouts.port.to_string())
}

/// The server file of collector 0 or 1. Its `Collector` header keeps the name from the lesson; only where it binds differs.
pub fn server(index: usize, whereabouts: &Whereabouts) -> String {
    let bind = format!("bind = {}", full_name(COLLECTORS[0]));
    SERVER
        .replace(&bind, &format!("bind = {}", whereabouts.hosts[index]))
        .replace(&full_name(COLLECTORS[0]), &full_name(COLLECTORS[index]))
        .replace(&PORT.to_string(), &whereabouts.port.to_string())
}

/// The file with what stands behind a value and a blank and a `#` taken away, as a reader of the lesson does by hand.
pub fn without_comments(file: &str) -> String {
    let value = |line: &str| line.split(" #").next().unwrap_or_default().trim_end().to_owned() + "\n";
    file.lines().map(|line| if line.starts_with('#') { format!("{line}\n") } else { value(line) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_differs_but_what_must() {
        let here = Whereabouts { hosts: ["127.0.0.3".into(), "127.0.0.4".into()], port: 4141 };
        let changed = |ours: &str, printed: &str| -> Vec<String> {
            ours.lines()
                .zip(printed.lines())
                .filter(|(a, b)| a != b)
                .map(|(line, _)| line.to_owned())
                .collect()
        };
        assert_eq!(
            changed(&client(Path::new("/tmp/x.log"), &here), CLIENT),
            [
                "agent1.sources.r1.command = tail -F /tmp/x.log",
                "agent1.sinks.k1.hostname = 127.0.0.3",
                "agent1.sinks.k1.port = 4141",
                "agent1.sinks.k2.hostname = 127.0.0.4",
                "agent1.sinks.k2.port = 4141",
            ]
        );
        assert_eq!(
            changed(&server(1, &here), SERVER),
            [
                "a1.sources.r1.bind = 127.0.0.4   #此处修改",
                "a1.sources.r1.port = 4141",
                "a1.sources.r1.interceptors.i1.value = slave4.hanli.com  #此处修改",
            ]
        );
    }

    #[test]
    fn comments_behind_values_go_and_comment_lines_stay() {
        let text = without_comments(SERVER);
        assert!(
            text.contains("a1.sources.r1.bind = slave3.hanli.com\n")
                && text.contains("\n# other node,nna to nns\n")
        );
        assert_eq!(text.lines().count(), SERVER.lines().count());
    }

    #[test]
    fn on_its_own_hosts_the_first_collectors_file_is_as_printed() {
        assert_eq!(server(0, &Whereabouts::as_printed()), SERVER);
        assert_eq!(client(Path::new("/root/test.log"), &Whereabouts::as_printed()), CLIENT);
    }
}
