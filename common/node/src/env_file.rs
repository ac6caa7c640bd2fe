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
    let names = properties(&String::from_utf8_lossy(&text));
    (!names.is_empty()).then(|| {
        let names = names.iter().map(|name| format!("-D{name}")).collect::<Vec<_>>().join(", ");
        format!("{} is not run; it sets {names}: give that on the command line", path.display())
    })
}

/// Names of properties in lines that set `JAVA_OPTS`.
fn properties(script: &str) -> Vec<String> {
    let lines = script
        .lines()
        .map(str::trim_start)
        .filter(|line| !line.starts_with('#') && line.contains("JAVA_OPTS"));
    let words = lines.map(|line| line.replace(['"', '\'', '='], " ").replace(" -D", " \n-D"));
    let mut names = Vec::new();
    for word in words.collect::<Vec<_>>().join("\n").lines().filter(|word| word.starts_with("-D")) {
        let named = java::properties_of(word).into_iter().map(|(name, _)| name);
        names.extend(named.filter(|name| MATTER.iter().any(|front| name.starts_with(front))));
    }
    names.dedup();
    names
}

/// Fronts of the properties that do something here or should be known to do nothing.
const MATTER: &[&str] = &["flume.", "javax.net.ssl.", "propertiesImplementation", "org.apache.flume."];

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
        assert_eq!(properties(script), ["flume.monitoring.type", "flume.root.logger"]);
        let conf = tempfile::tempdir().unwrap();
        assert_eq!(notice(conf.path()), None);
        std::fs::write(conf.path().join("flume-env.sh"), script).unwrap();
        let line = notice(conf.path()).unwrap();
        assert!(line.ends_with(
            "it sets -Dflume.monitoring.type, -Dflume.root.logger: give that on the command line"
        ));
    }
}
