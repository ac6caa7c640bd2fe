//! What `flume-env.sh` would have set.

use crate::java;
use std::path::Path;

/// One line about `conf/flume-env.sh` when it hands the JVM properties that count here too, and nothing otherwise: it is
/// a shell script, and is not run.
pub(crate) fn notice(conf: &Path) -> Option<String> {
    let path = conf.join("flume-env.sh");
    let text = match plan::input::read(&path, MOST_BYTES, PATIENCE_SECONDS, &|_| {}) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => return Some(format!("{} is not looked at: {error}", path.display())),
    };
    let names = properties(&String::from_utf8_lossy(&text)).into_iter();
    let mut names: Vec<String> =
        names.filter(|(name, value)| !counts(name, value)).map(|(name, _)| name).collect();
    names.dedup();
    (!names.is_empty()).then(|| {
        let names = names.iter().map(|name| format!("-D{name}")).collect::<Vec<_>>().join(", ");
        format!("{} is not run; it sets {names}: give that on the command line", path.display())
    })
}

/// The properties that it sets and that say how lines are logged. They count without the script being run, as long as no
/// variable stands in them.
pub(crate) fn of_logging(conf: &Path) -> Vec<(String, String)> {
    let text = plan::input::read(&conf.join("flume-env.sh"), MOST_BYTES, PATIENCE_SECONDS, &|_| {});
    let text = text.unwrap_or_default(); // what is wrong with it is told by `notice`
    let all = properties(&String::from_utf8_lossy(&text)).into_iter();
    all.filter(|(name, value)| counts(name, value)).collect()
}

/// Whether a property of the script is taken.
fn counts(name: &str, value: &str) -> bool {
    OF_LOGGING.iter().any(|front| name.starts_with(front)) && !value.contains(['$', '`'])
}

/// Properties in lines that set `JAVA_OPTS`.
fn properties(script: &str) -> Vec<(String, String)> {
    let lines = script
        .lines()
        .map(str::trim_start)
        .filter(|line| !line.starts_with('#') && line.contains("JAVA_OPTS"));
    let words = lines.map(|line| line.replace(['"', '\''], " ").replace("=-D", "= -D"));
    let mut all = java::properties_of(&words.collect::<Vec<_>>().join("\n"));
    all.retain(|(name, _)| MATTER.iter().any(|front| name.starts_with(front)));
    all
}

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
    fn only_properties_that_matter_and_are_set_are_told_of() {
        let script = "# export JAVA_OPTS=\"-Dflume.comment=1\"\n\
                      export JAVA_OPTS=\"-Xms100m -Dcom.sun.management.jmxremote -Dflume.monitoring.type=http\"\n\
                      JAVA_OPTS=\"$JAVA_OPTS -Dflume.root.logger=INFO,console\"\nOTHER=\"-Dflume.x=1\"\n";
        let names: Vec<_> = properties(script).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["flume.monitoring.type", "flume.root.logger"]);
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
