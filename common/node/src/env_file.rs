//! What `flume-env.sh` would have set.

use crate::java;
use std::path::Path;

/// One line about `conf/flume-env.sh` when it hands the JVM properties that count here too, and nothing otherwise: it is
/// a shell script, and is not run.
pub(crate) fn notice(conf: &Path) -> Option<String> {
    let path = conf.join(NAME);
    let text = match read(conf) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => return Some(format!("{} is not looked at: {error}", path.display())),
    };
    let names = names(&text);
    (!names.is_empty()).then(|| {
        let names = names.iter().map(|name| format!("-D{name}")).collect::<Vec<_>>().join(", ");
        format!("{} is not run; it sets {names}: give that on the command line", path.display())
    })
}

/// The properties that it sets and that say how lines are logged. They count without the script being run, as long as no
/// variable stands in them.
pub(crate) fn of_logging(conf: &Path) -> Vec<(String, String)> {
    handed_on(conf).into_iter().filter(|(name, value)| counts(name, value)).collect()
}

/// Whether a property of the script is taken.
fn counts(name: &str, value: &str) -> bool {
    OF_LOGGING.iter().any(|front| name.starts_with(front)) && !value.contains(['$', '`'])
}

/// What `conf/flume-env.sh` seems to hand to the JVM, by its text: nothing where it cannot be read, of which [`notice`] tells.
pub(crate) fn handed_on(conf: &Path) -> Vec<(String, String)> {
    read(conf).map(|text| properties(&text)).unwrap_or_default()
}

fn read(conf: &Path) -> std::io::Result<String> {
    let text = plan::input::read(&conf.join(NAME), MOST_BYTES, PATIENCE_SECONDS, &|_| {})?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Names of the properties that matter and are not taken.
fn names(script: &str) -> Vec<String> {
    let matters = |name: &str| MATTER.iter().any(|front| name.starts_with(front));
    let all = properties(script).into_iter();
    let mut names: Vec<String> =
        all.filter(|(name, value)| matters(name) && !counts(name, value)).map(|(name, _)| name).collect();
    names.dedup();
    names
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
        let words = line.replace(['"', '\''], "").replace("JAVA_OPTS=", " ");
        properties.extend(java::properties_of(&words));
    }
    properties
}

const NAME: &str = "flume-env.sh";

/// Fronts of the properties that do something here or should be known to do nothing.
const MATTER: &[&str] =
    &["flume.", "log4j", "javax.net.ssl.", "propertiesImplementation", "org.apache.flume."];

/// Fronts of those that are taken from here.
const OF_LOGGING: &[&str] = &["flume.root.", "flume.log.", "log4j"];

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
        assert_eq!(handed_on(conf.path()), []);
        let script = "JAVA_OPTS=-Da=1\n# JAVA_OPTS=-Db=2\nexport JAVA_OPTS=\"$JAVA_OPTS -Dc.port=9999 \\\n   -Dd='x=y' -De\"\n";
        std::fs::write(conf.path().join(NAME), script).unwrap();
        let expected = [("a", "1"), ("c.port", "9999"), ("d", "x=y"), ("e", "")];
        assert_eq!(handed_on(conf.path()), expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    }

    #[test]
    fn only_properties_that_matter_and_are_set_are_told_of() {
        let script = "# export JAVA_OPTS=\"-Dflume.comment=1\"\n\
                      export JAVA_OPTS=\"-Xms100m -Dcom.sun.management.jmxremote -Dflume.monitoring.type=http\"\n\
                      JAVA_OPTS=\"$JAVA_OPTS -Dflume.root.logger=INFO,console\"\nOTHER=\"-Dflume.x=1\"\n";
        assert_eq!(names(script), ["flume.monitoring.type"]);
        let conf = tempfile::tempdir().unwrap();
        assert_eq!(notice(conf.path()), None);
        std::fs::write(conf.path().join("flume-env.sh"), script).unwrap();
        let line = notice(conf.path()).unwrap();
        assert!(line.ends_with("it sets -Dflume.monitoring.type: give that on the command line"), "{line}");
        let logging = [("flume.root.logger".to_owned(), "INFO,console".to_owned())];
        assert_eq!(of_logging(conf.path()), logging);
        let script =
            "JAVA_OPTS='-Dflume.log.dir=/var/log/flume' # JAVA_OPTS\nJAVA_OPTS=-Dflume.log.file=$NAME.log\n";
        std::fs::write(conf.path().join("flume-env.sh"), script).unwrap();
        let logging = [("flume.log.dir".to_owned(), "/var/log/flume".to_owned())];
        assert_eq!(of_logging(conf.path()), logging);
        assert!(notice(conf.path()).is_some_and(|line| line.contains("it sets -Dflume.log.file:")));
    }
}
