//! Which servers, and which node: `-z` and `-p`.

use super::{kerberos::LOGGED_IN_WITHIN, login::Login};
use runtime::{clock::Duration, net::ClientLayers};
use std::{fmt, sync::Arc};

/// What `-z` names: `h1:2181,h2:2181/chroot`.
#[derive(Debug, Clone)]
pub struct Ensemble {
    pub(super) servers: Vec<(String, u16)>,
    /// What is around a connection.
    pub(super) layers: ClientLayers,
    /// Who logs in; `None`: nobody does.
    pub(super) login: Option<Arc<Login>>,
    /// In front of every path; empty, or `/a/b`.
    chroot: String,
}

impl Ensemble {
    /// Of these servers, each a host and a port, without a path in front of their nodes.
    pub fn new(servers: Vec<(String, u16)>) -> Ensemble {
        Ensemble { servers, layers: ClientLayers::default(), login: None, chroot: String::new() }
    }

    /// Reads what `-z` has.
    ///
    /// # Errors
    /// What is wrong with it, in an operator's words.
    pub fn parse(text: &str) -> Result<Ensemble, String> {
        let wrong =
            |why: String| format!("-z {}: {why}; write HOST:PORT,HOST:PORT", plan::cut(text, MOST_SHOWN));
        Ensemble::read(text).map_err(wrong)
    }

    /// Reads what a property has.
    ///
    /// # Errors
    /// What is wrong with it, in an operator's words.
    pub fn read(text: &str) -> Result<Ensemble, String> {
        let (servers, chroot) = match text.find('/') {
            None => (text, ""),
            Some(at) => text.split_at(at),
        };
        let servers = servers.split(',').map(str::trim).filter(|server| !server.is_empty());
        let servers = servers.map(server).collect::<Result<Vec<_>, _>>()?;
        if servers.is_empty() {
            return Err("it names no server".to_owned());
        }
        let chroot = if chroot == "/" { String::new() } else { path(chroot)? };
        Ok(Ensemble { servers, layers: ClientLayers::default(), login: None, chroot })
    }

    /// The same over TLS.
    #[must_use]
    pub fn with(self, layers: ClientLayers) -> Ensemble {
        Ensemble { layers, ..self }
    }

    /// The same, with a login.
    #[must_use]
    pub(super) fn log_in(self, login: Login) -> Ensemble {
        Ensemble { login: Some(Arc::new(login)), ..self }
    }

    /// What a login may take beside the usual, before anything can be asked.
    pub fn login_time(&self) -> Duration {
        match self.login.as_deref() {
            Some(Login::Kerberos(_)) => LOGGED_IN_WITHIN,
            _ => Duration::ZERO,
        }
    }

    /// Where the node is that its users know as `path`.
    pub fn below(&self, path: &str) -> String {
        format!("{}{path}", self.chroot)
    }

    /// Where the node of the agent `name` below `base` is.
    ///
    /// # Errors
    /// What is wrong with `-p` or `-n`, in an operator's words.
    pub fn node(&self, base: Option<&str>, name: &str) -> Result<String, String> {
        let base = base.filter(|base| !base.is_empty()).unwrap_or(FLUMES);
        let wrong = |why: String| format!("-p {}: {why}", plan::cut(base, MOST_SHOWN));
        if !base.starts_with('/') {
            return Err(wrong(format!("a path in ZooKeeper begins with `/`; write -p /{base}")));
        }
        let base = path(base.trim_end_matches('/')).map_err(wrong)?;
        if name.contains('/') {
            return Err(format!(
                "-n {}: no node of ZooKeeper has a `/` in its name",
                plan::cut(name, MOST_SHOWN)
            ));
        }
        Ok(format!("{}{base}/{name}", self.chroot))
    }
}

/// The servers alone, as a message names them.
impl fmt::Display for Ensemble {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.servers.iter().map(|(host, port)| match host.contains(':') {
            true => format!("[{host}]:{port}"),
            false => format!("{host}:{port}"),
        });
        out.write_str(&plan::cut(&names.collect::<Vec<_>>().join(","), MOST_SHOWN))
    }
}

fn server(text: &str) -> Result<(String, u16), String> {
    // `[::1]:2181` has colons in the host; a port stands behind the last one that is not within the brackets.
    let (host, port) =
        match text.rsplit_once(':').filter(|(host, _)| !host.contains(':') || host.ends_with(']')) {
            Some((host, port)) => {
                (host, port.parse().map_err(|_| format!("`{text}` has no port that is a number"))?)
            }
            None => (text, PORT),
        };
    let host = host.trim_matches(['[', ']']);
    if host.is_empty() || port == 0 {
        return Err(format!("`{text}` names no host and port"));
    }
    Ok((host.to_owned(), port))
}

/// As ZooKeeper takes it, without a `/` at its end.
fn path(text: &str) -> Result<String, String> {
    let parts = text.split('/').skip(1);
    for part in parts {
        if part.is_empty() || part == "." || part == ".." {
            return Err("no part of a path in ZooKeeper is empty, `.` or `..`".to_owned());
        }
    }
    Ok(text.to_owned())
}

/// Where Flume looks without `-p`.
const FLUMES: &str = "/flume";
const PORT: u16 = 2181;
/// Bytes of what was given that are shown.
const MOST_SHOWN: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_and_a_node_are_named_as_for_flume() {
        let ensemble = Ensemble::parse("h1:2182, h2,[::1]:3/team/a").unwrap();
        let servers = [("h1", 2182), ("h2", 2181), ("::1", 3)].map(|(host, port)| (host.to_owned(), port));
        assert_eq!(ensemble.servers, servers);
        assert_eq!(ensemble.to_string(), "h1:2182,h2:2181,[::1]:3");
        let node = |base| ensemble.node(base, "a1");
        assert_eq!(node(None), Ok("/team/a/flume/a1".to_owned()));
        assert_eq!(node(Some("/x/y/")), Ok("/team/a/x/y/a1".to_owned()));
        assert_eq!(node(Some("/")), Ok("/team/a/a1".to_owned()));
        assert_eq!(ensemble.below("/brokers/ids"), "/team/a/brokers/ids");
        assert_eq!(Ensemble::parse("h/").unwrap().node(None, "a1"), Ok("/flume/a1".to_owned()));
    }

    #[test]
    fn what_cannot_be_is_told() {
        for (text, part) in
            [("", "names no server"), ("h:x", "no port"), (":1", "no host"), ("h:1//x", "is empty")]
        {
            assert!(Ensemble::parse(text).unwrap_err().contains(part), "{text}");
        }
        let ensemble = Ensemble::parse("h").unwrap();
        assert!(ensemble.node(Some("flume"), "a1").unwrap_err().contains("write -p /flume"));
        assert!(ensemble.node(None, "a/b").unwrap_err().contains("in its name"));
    }
}
