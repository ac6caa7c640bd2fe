//! From the command line to where a configuration comes from: `-z`, else `-u`, else `-f`.

use super::{
    Backup, Files, NEVER, Node, Origin, Patience, Texts,
    uri::{Access, Place, Uris, folders},
};
use crate::load::Wanted;
use plan::Secret;
use rpc::zookeeper::{Ensemble, Settings};
use runtime::{clock::Duration, kerberos::Kerberos, net::TlsDefaults};
use slog::Logger;
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Options of a configuration that other hosts have, in Flume's words.
#[derive(Debug, Default, Clone, clap::Args)]
pub(crate) struct Central {
    /// Read the configuration from ZooKeeper, node PATH/NAME, and watch it. Wins over -u and -f
    #[arg(short = 'z', long = "zkConnString", value_name = "HOSTS")]
    pub(crate) zk_connection: Option<String>,

    /// Where in ZooKeeper the nodes of agents are (/flume)
    #[arg(short = 'p', long = "zkBasePath", value_name = "PATH")]
    pub(crate) zk_base_path: Option<String>,

    /// Read the configuration from a URI: http, https, file or classpath. Repeat it for several. Wins over -f
    #[arg(short = 'u', long, value_name = "URI")]
    pub(crate) conf_uri: Vec<String>,

    /// A user's name for -u, with -pwd; it goes to the server as HTTP's Basic authorisation
    #[arg(long, alias = "user", value_name = "NAME")]
    pub(crate) conf_user: Option<String>,

    /// The password, better given in a `flume.opts`, where no other user of the host sees it
    #[arg(long, alias = "pwd", value_name = "PASSWORD")]
    pub(crate) conf_password: Option<Hidden>,

    /// Seconds between two looks (30; 300 when a URI is http or https)
    #[arg(short = 'i', long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) poll_interval: Option<u32>,

    /// Keep the last good text of -z or -u there, and start with it while its place is away
    #[arg(short = 'b', long, value_name = "DIR")]
    pub(crate) backup_directory: Option<PathBuf>,

    #[arg(long, alias = "prov", value_name = "CLASS", hide = true)]
    conf_provider: Option<String>,

    #[arg(short = 'a', long, value_name = "CLASS", hide = true)]
    auth_provider: Option<String>,
}

/// A word of the command line that no message shows.
#[derive(Clone)]
pub(crate) struct Hidden(pub(crate) Secret);

impl From<String> for Hidden {
    fn from(text: String) -> Hidden {
        Hidden(Secret::new(text))
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl Central {
    /// One message for each option that cannot be followed.
    pub(crate) fn messages(&self) -> Vec<String> {
        [
            (
                "-prov, --conf-provider",
                self.conf_provider.is_some(),
                "a Java class cannot give the configuration (Flume 1.11 ends with `wrong number of arguments` when it makes one): name its place with -f, -u or -z",
            ),
            (
                "-a, --auth-provider",
                self.auth_provider.is_some(),
                "a Java class cannot give the authorisation (Flume 1.11 ends with `wrong number of arguments` when it makes one): -user and -pwd do, as HTTP's Basic authorisation",
            ),
        ]
        .into_iter()
        .filter(|(_, given, _)| *given)
        .map(|(option, _, text)| format!("{option}: {text}"))
        .collect()
    }

    /// What was given and has no effect.
    pub(crate) fn notices(
        &self,
        files: &[PathBuf],
        properties: &[(String, String)],
        kerberos: &Arc<dyn Kerberos>,
    ) -> Vec<String> {
        let (z, u, f) = (self.zk_connection.is_some(), !self.conf_uri.is_empty(), !files.is_empty());
        let login = [self.conf_user.is_some(), self.conf_password.is_some()];
        [
            (z && u, "-u has no effect beside -z, in Flume either"),
            ((z || u) && f, "-f has no effect beside -z or -u, in Flume either"),
            (!z && self.zk_base_path.is_some(), "-p has no effect without -z"),
            (login[0] != login[1], "-user and -pwd have an effect only together"),
            (!z && !u && self.backup_directory.is_some(), "-b has no effect with -f: the file is the backup"),
        ]
        .into_iter()
        .filter(|(given, _)| *given)
        .map(|(_, text)| text.to_owned())
        .chain(z.then(|| settings(properties, kerberos).notices()).into_iter().flatten())
        .collect()
    }

    /// Between two looks.
    pub(crate) fn interval(&self) -> Duration {
        let far = self.zk_connection.is_none()
            && self.conf_uri.iter().any(|uri| uri.to_ascii_lowercase().starts_with("http"));
        Duration::from_secs(self.poll_interval.unwrap_or(if far { 300 } else { 30 }).into())
    }

    fn login(&self) -> Option<(&str, &Secret)> {
        let user = self.conf_user.as_deref().filter(|user| !user.is_empty())?;
        let password = self.conf_password.as_ref().map(|Hidden(password)| password)?;
        Some((user, password)).filter(|(_, password)| !password.reveal().is_empty())
    }
}

/// Where to look, and how.
pub(crate) struct Choice<'a> {
    pub(crate) files: &'a [PathBuf],
    pub(crate) central: &'a Central,
    /// The configuration directory: the first on the class path.
    pub(crate) conf: Option<&'a Path>,
    pub(crate) class_path: Option<&'a str>,
    /// It is read once.
    pub(crate) once: bool,
    /// How long a place on another host is waited for; `None`: until it is there.
    pub(crate) patience: Option<Duration>,
    /// Is told when a place on another host begins to be waited for, before anything runs.
    pub(crate) waits: fn(&Logger),
    pub(crate) log: Logger,
}

impl Texts {
    /// Those of the place that was chosen on the command line.
    ///
    /// # Errors
    /// What is missing on the command line, or wrong, for people.
    pub(crate) fn of(choice: Choice<'_>, wanted: &Wanted) -> Result<Texts, String> {
        let Choice { files, central, conf, class_path, once, patience, waits, log } = choice;
        let waiting = Patience { limit: patience, begins: waits };
        let every = if once { NEVER } else { central.interval() };
        let name = wanted.name.as_deref();
        let backup = central.backup_directory.as_deref().zip(name).map(|(dir, name)| Backup::new(dir, name));
        let origin: Box<dyn Origin> = if let Some(servers) = &central.zk_connection {
            let name = name
                .ok_or("which agent? Give its name with -n NAME: it is the name of its node in ZooKeeper")?;
            let ensemble = ensemble(servers, &wanted.properties, &wanted.kerberos)?;
            let path = ensemble.node(central.zk_base_path.as_deref(), name)?;
            Box::new(Node::new(ensemble, path, waiting, backup, log))
        } else if !central.conf_uri.is_empty() {
            let tls = TlsDefaults::new(&wanted.properties, |name| std::env::var(name).ok());
            let access = Access { login: central.login(), tls: &tls };
            let folders = folders(conf, class_path);
            let places = central.conf_uri.iter().map(|uri| Place::parse(uri, &folders, &access));
            Box::new(Uris::new(places.collect::<Result<_, _>>()?, every, waiting, backup, log))
        } else if files.is_empty() {
            return Err("no configuration: give a properties file with -f FILE, or its place with -u or -z"
                .to_owned());
        } else {
            Box::new(Files::new(files.to_vec(), wanted.options(), every))
        };
        Texts::with(origin)
    }

    /// The text of one file, to be read once.
    ///
    /// # Errors
    /// The system has no more means for it.
    pub(crate) fn of_file(path: &Path, wanted: &Wanted) -> Result<Texts, String> {
        Texts::with(Box::new(Files::new(vec![path.to_owned()], wanted.options(), NEVER)))
    }

    fn with(origin: Box<dyn Origin>) -> Result<Texts, String> {
        Texts::new(origin)
            .map_err(|error| format!("the system gives no means to watch a configuration: {error}"))
    }
}

/// The servers that `-z` names, as Java's system properties say that they are reached.
///
/// # Errors
/// What is wrong with either, in an operator's words.
pub(crate) fn ensemble(
    servers: &str,
    properties: &[(String, String)],
    kerberos: &Arc<dyn Kerberos>,
) -> Result<Ensemble, String> {
    let defaults = TlsDefaults::new(properties, |name| std::env::var(name).ok());
    settings(properties, kerberos).reach(Ensemble::parse(servers)?, &defaults)
}

/// What the connection to ZooKeeper is told.
pub(crate) fn settings(properties: &[(String, String)], kerberos: &Arc<dyn Kerberos>) -> Settings {
    Settings::new(properties).logging_in(kerberos.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{jvm::Given, kerberos::JavaKerberos};

    #[test]
    fn what_cannot_be_followed_and_what_has_no_effect_is_told() {
        let central = Central {
            zk_connection: Some("h".to_owned()),
            conf_uri: vec!["http://h/x".to_owned()],
            conf_user: Some("me".to_owned()),
            auth_provider: Some("org.acme.Provider".to_owned()),
            ..Central::default()
        };
        assert_eq!(central.messages().len(), 1);
        let kerberos = JavaKerberos::of(&Given::default());
        assert_eq!(central.notices(&["f".into()], &[], &kerberos).len(), 3);
        assert_eq!(central.interval().as_secs(), 30);
        assert!(central.login().is_none());
        let hidden = Hidden::from("hunter2".to_owned());
        let central = Central { zk_connection: None, conf_password: Some(hidden), ..central };
        assert_eq!((central.interval().as_secs(), central.notices(&[], &[], &kerberos).len()), (300, 0));
        assert!(central.login().is_some() && !format!("{central:?}").contains("hunter2"), "{central:?}");
    }
}
