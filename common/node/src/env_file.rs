//! What `flume-env.sh` would have set.

use crate::java;
use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// `conf/flume-env.sh`, by its text: it is a shell script, and is not run.
#[derive(Debug, Clone, Default)]
pub(crate) struct EnvFile {
    path: PathBuf,
    /// What it seems to hand to the JVM.
    handed_on: Vec<(String, String)>,
    /// Why it was not looked at.
    unread: Option<String>,
}

impl EnvFile {
    /// The one in this directory, if there is one.
    pub(crate) fn read(conf: &Path) -> EnvFile {
        let path = conf.join(NAME);
        match plan::input::read(&path, MOST_BYTES, PATIENCE_SECONDS, &|_| {}) {
            Ok(text) => {
                let handed_on = properties(&String::from_utf8_lossy(&text));
                EnvFile { path, handed_on, unread: None }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => EnvFile::default(),
            Err(error) => EnvFile { path, unread: Some(error.to_string()), ..EnvFile::default() },
        }
    }

    /// What it seems to hand to the JVM.
    pub(crate) fn handed_on(&self) -> &[(String, String)] {
        &self.handed_on
    }

    /// The properties that it sets and that say how lines are logged. They count without the script being run, as long as no
    /// variable stands in them.
    pub(crate) fn of_logging(&self) -> impl Iterator<Item = &(String, String)> {
        self.handed_on.iter().filter(|(name, value)| is_of_logging(name) && is_plain(value))
    }

    /// The same of those that say where counters are shown: all of them or none, for half of them would show counters elsewhere,
    /// or without their token.
    pub(crate) fn of_monitoring(&self) -> impl Iterator<Item = &(String, String)> {
        let all = || self.handed_on.iter().filter(|(name, _)| name.starts_with(OF_MONITORING));
        let is_whole = all().all(|(_, value)| is_plain(value));
        all().filter(move |_| is_whole)
    }

    /// One line when it hands the JVM properties that count here too and are not taken, and nothing otherwise. Where components
    /// run in a JVM, it is run for that one.
    pub(crate) fn notice(&self, has_jvm: bool) -> Option<String> {
        if let Some(why) = &self.unread {
            return Some(format!("{} is not looked at: {why}", self.path.display()));
        }
        let matters = |name: &str| MATTER.iter().any(|front| name.starts_with(front));
        let taken: Vec<_> = self.of_logging().chain(self.of_monitoring()).collect();
        let left = self.handed_on.iter().filter(|property| matters(&property.0) && !taken.contains(property));
        let mut names: Vec<String> = left.map(|(name, _)| format!("-D{name}")).collect();
        names.dedup();
        (!names.is_empty()).then(|| {
            let (path, names) = (self.path.display(), names.join(", "));
            let what = if has_jvm { "counts in the JVM alone" } else { "is not run" };
            format!("{path} {what}; it sets {names}: give that on the command line")
        })
    }
}

fn is_of_logging(name: &str) -> bool {
    OF_LOGGING.iter().any(|front| name.starts_with(front))
}

/// Whether it is what a shell would make of it.
fn is_plain(value: &str) -> bool {
    !value.contains(['$', '`'])
}

/// Properties in lines that set `JAVA_OPTS`.
fn properties(script: &str) -> Vec<(String, String)> {
    let whole = script.replace("\\\n", " ");
    let lines = whole
        .lines()
        .map(str::trim_start)
        .filter(|line| !line.starts_with('#') && line.contains("JAVA_OPTS"));
    let mut properties = Vec::new();
    for line in lines {
        // `JAVA_OPTS=-Dx=1` needs no quotes.
        let words = of_commands(line).replace("JAVA_OPTS=", " ");
        properties.extend(java::properties_of(&words));
    }
    properties
}

/// A line without its quotes, and without what ends a command outside of them.
fn of_commands(line: &str) -> String {
    let mut quote = None;
    let mut words = String::with_capacity(line.len());
    for letter in line.chars() {
        match letter {
            '"' | '\'' if quote.is_none() => quote = Some(letter),
            '"' | '\'' if quote == Some(letter) => quote = None,
            '"' | '\'' => {}
            ';' | '&' | '|' | ')' if quote.is_none() => words.push(' '),
            _ => words.push(letter),
        }
    }
    words
}

const NAME: &str = "flume-env.sh";

/// Fronts of the properties that do something here or should be known to do nothing.
const MATTER: &[&str] = &[
    "flume.",
    "log4j",
    "javax.net.ssl.",
    "propertiesImplementation",
    "org.apache.flume.",
    "java.security.auth.login.config",
    "zookeeper.",
];

/// Fronts of those that are taken from here.
const OF_LOGGING: &[&str] = &["flume.root.", "flume.log.", "log4j"];
const OF_MONITORING: &str = "flume.monitoring.";

/// A pipe in its place may keep the start waiting for so long, in seconds: only a hint depends on it.
const PATIENCE_SECONDS: u32 = 1;

/// A script is short; whatever else stands there is not read to its end.
const MOST_BYTES: u64 = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_found_with_their_values_also_behind_the_end_of_a_line() {
        let conf = tempfile::tempdir().unwrap();
        assert_eq!(EnvFile::read(conf.path()).handed_on(), []);
        let script = "JAVA_OPTS=-Da=1\n# JAVA_OPTS=-Db=2\nexport JAVA_OPTS=\"$JAVA_OPTS -Dc.port=9999 \\\n   -Dd='x=y' -De\"\n";
        std::fs::write(conf.path().join(NAME), script).unwrap();
        let expected = [("a", "1"), ("c.port", "9999"), ("d", "x=y"), ("e", "")];
        let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(EnvFile::read(conf.path()).handed_on(), expected);
    }

    #[test]
    fn only_properties_that_matter_and_are_set_are_told_of() {
        let script = "# export JAVA_OPTS=\"-Dflume.comment=1\"\n\
                      export JAVA_OPTS=\"-Xms100m -Dcom.sun.management.jmxremote -Dflume.monitoring.type=http \
                      -Dflume.monitoring.port=$PORT -Djavax.net.ssl.trustStore=a.jks\"\n\
                      JAVA_OPTS=\"$JAVA_OPTS -Dflume.root.logger=INFO,console\"\nOTHER=\"-Dflume.x=1\"\n";
        let conf = tempfile::tempdir().unwrap();
        let notice_with = |has_jvm| EnvFile::read(conf.path()).notice(has_jvm);
        let notice = || notice_with(false);
        let of_monitoring = || EnvFile::read(conf.path()).of_monitoring().cloned().collect::<Vec<_>>();
        let of_logging = || EnvFile::read(conf.path()).of_logging().cloned().collect::<Vec<_>>();
        assert_eq!(notice(), None);
        std::fs::write(conf.path().join("flume-env.sh"), script).unwrap();
        let line = notice().unwrap();
        let names = "it sets -Dflume.monitoring.type, -Dflume.monitoring.port, -Djavax.net.ssl.trustStore: give that on the command line";
        assert!(line.ends_with(&format!("is not run; {names}")), "{line}");
        let line = notice_with(true).unwrap();
        assert!(line.ends_with(&format!("counts in the JVM alone; {names}")), "{line}");
        assert_eq!(of_monitoring(), [], "not without the port");
        let logging = [("flume.root.logger".to_owned(), "INFO,console".to_owned())];
        assert_eq!(of_logging(), logging);
        let script =
            "JAVA_OPTS='-Dflume.log.dir=/var/log/flume' # JAVA_OPTS\nJAVA_OPTS=-Dflume.log.file=$NAME.log\n";
        std::fs::write(conf.path().join("flume-env.sh"), script).unwrap();
        let logging = [("flume.log.dir".to_owned(), "/var/log/flume".to_owned())];
        assert_eq!(of_logging(), logging);
        assert!(notice().is_some_and(|line| line.contains("it sets -Dflume.log.file:")));
    }

    #[test]
    fn what_ends_a_command_is_no_part_of_a_value() {
        let script = "JAVA_OPTS=\"$JAVA_OPTS -Dflume.monitoring.type=http -Dflume.monitoring.port=5653\"; export JAVA_OPTS\n\
                      test -n 1 && JAVA_OPTS=-Dflume.log.dir=/a;JAVA_OPTS='-Dflume.log.file=a;b'&\n";
        let conf = tempfile::tempdir().unwrap();
        std::fs::write(conf.path().join(NAME), script).unwrap();
        let file = EnvFile::read(conf.path());
        let values =
            |all: Vec<&(String, String)>| all.into_iter().map(|(_, value)| value.clone()).collect::<Vec<_>>();
        assert_eq!(values(file.of_monitoring().collect()), ["http", "5653"]);
        assert_eq!(values(file.of_logging().collect()), ["/a", "a;b"]);
        assert_eq!(file.notice(false), None);
    }
}
