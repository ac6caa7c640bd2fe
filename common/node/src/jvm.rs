//! Where the JVM for Java components comes from: the Flume and the Java of this host, found as `bin/flume-ng` finds them. Flume's
//! own programs run with the same.

use crate::{
    env_file::EnvFile,
    java::{self, Words},
    logging,
    options::JavaOptions,
};
use bridge::{ClassPath, Directory, Disk, Found, Installation, KerberosJvm, LogJvm, Settings};
use slog::Level;
use std::{
    collections::BTreeMap,
    ffi::OsString,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
};

/// What the command line says about it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Given {
    pub(crate) conf: Option<PathBuf>,
    pub(crate) class_path: Option<String>,
    pub(crate) plugins_path: Option<String>,
    /// `-X...` and their like.
    pub(crate) flags: Vec<String>,
    pub(crate) properties: Vec<(String, String)>,
    /// `flume-env.sh` of `conf`.
    pub(crate) env_file: EnvFile,
    /// The least severe level of any line that is printed or written: which goes where is decided here.
    pub(crate) least: Option<Level>,
}

impl Given {
    pub(crate) fn new(options: &JavaOptions, words: &Words) -> Given {
        Given {
            conf: options.conf.clone(),
            class_path: options.classpath.clone(),
            plugins_path: options.plugins_path.clone(),
            flags: words.flags.clone(),
            properties: words.properties.clone(),
            env_file: options.conf.as_deref().map(EnvFile::read).unwrap_or_default(),
            least: Some(Level::Info),
        }
    }
}

/// How the JVM is started.
///
/// # Errors
/// What there is not, and where it was looked for.
pub(crate) fn find(given: &Given) -> Result<Settings, String> {
    let (installation, remarks) = installation(given, true)?;
    let found = installation.find(&Disk);
    let searched = |what: &str| with_remarks(what, remarks.iter().chain(&found.remarks));
    if !has_flume(&Disk, &found.class_path) {
        return Err(searched(&match &installation.flume_home {
            None => format!(
                "FLUME_HOME is not set, no `flume-ng` is on the PATH, and there is no flume-ng-core jar on the class path, {}",
                found.class_path
            ),
            Some(_) => format!("there is no flume-ng-core jar on the class path, {}", found.class_path),
        }));
    }
    let Some(java) = found.java else {
        return Err(searched(NO_JAVA));
    };
    let default = Settings::default();
    // What a file of log4j says is done here, for the JVM's lines as well: it must not write the same files.
    let defined = given.properties.iter().filter(|(key, value)| !logging::is_read_here(key, value));
    let defined = defined.map(|(key, value)| format!("-D{key}={value}"));
    Ok(Settings {
        java,
        modular: found.modular,
        class_path: found.class_path,
        options: found.options.into_iter().chain(given.flags.iter().cloned()).chain(defined).collect(),
        environment: installation.environment,
        heap_bytes: java::last(&given.properties, HEAP).map(heap).transpose()?,
        level: given.least.map_or("OFF", console::level_name).to_owned(),
        aside: java::last(&given.properties, ASIDE).map_or(default.aside, PathBuf::from),
        ..default
    })
}

/// How a JVM is started that logs in by Kerberos: it needs no Flume. It has the properties of `JAVA_OPTS`, also those that only
/// `flume-env.sh` sets, and then the command line's.
///
/// # Errors
/// As [`find`].
pub(crate) fn for_kerberos(given: &Given) -> Result<KerberosJvm, String> {
    let (mut installation, mut remarks) = installation(given, false)?;
    installation.flume_home = None; // whether there is one is no matter
    let found = installation.find(&Disk);
    let properties = properties(given, &found);
    remarks.extend(found.remarks);
    let Some(java) = found.java else { return Err(with_remarks(NO_JAVA, remarks.iter())) };
    Ok(KerberosJvm { java, properties, environment: installation.environment, scratch: std::env::temp_dir() })
}

/// How a JVM is started in which log4j 2, or log4j 1.2, writes log lines: with the class path of Java components, for an appender may be
/// a class of the operator's own.
///
/// # Errors
/// As [`find`].
pub(crate) fn for_log4j(given: &Given, is_2: bool) -> Result<LogJvm, String> {
    let (installation, remarks) = installation(given, true)?;
    let found = installation.find(&Disk);
    let searched = |what: &str| with_remarks(what, remarks.iter().chain(&found.remarks));
    if !has_jar(&Disk, &found.class_path, if is_2 { is_log4j_2 } else { is_log4j_1 }) {
        let which = if is_2 { "log4j 2 (log4j-core)" } else { "log4j 1.2" };
        let home = if installation.flume_home.is_none() { "FLUME_HOME is not set, and " } else { "" };
        return Err(searched(&format!(
            "{home}there is no jar of {which} on the class path, {}",
            found.class_path
        )));
    }
    let properties = properties(given, &found);
    let Some(java) = found.java.clone() else { return Err(searched(NO_JAVA)) };
    Ok(LogJvm {
        java,
        class_path: found.class_path,
        properties,
        environment: installation.environment,
        scratch: std::env::temp_dir(),
    })
}

/// Java's properties: of the environment, of what only `flume-env.sh` sets, of the command line.
fn properties(given: &Given, found: &Found) -> Vec<(String, String)> {
    let mut properties = java::properties_of_environment();
    properties.extend(java::properties_of(&found.options.join(" ")));
    properties.extend(given.properties.iter().cloned());
    properties
}

/// What there is on this host, and what could not be had of it; with `stores` also Hadoop's and HBase's.
fn installation(given: &Given, stores: bool) -> Result<(Installation, Vec<String>), String> {
    let variables = std::env::vars_os();
    let environment: BTreeMap<String, String> = variables
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let mut installation = Installation {
        flume_home: flume_home(&Disk, &environment),
        conf: given.conf.clone(),
        class_path: given.class_path.clone(),
        plugins_path: given.plugins_path.clone(),
        environment,
        ..Installation::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("the system gives no means to ask programs: {error}"))?;
    let remarks = runtime.block_on(bridge::probe(&mut installation, stores));
    Ok((installation, remarks))
}

fn with_remarks<'r>(what: &str, remarks: impl Iterator<Item = &'r String>) -> String {
    let remarks: String = remarks.map(|remark| format!("; {remark}")).collect();
    format!("{what}{remarks}")
}

/// Becomes Flume's own program `class`, as `flume-ng` starts it: signals reach it, and its exit code is this process's. Returns
/// only if that cannot be, and says why.
pub(crate) fn becomes(given: &Given, class: &str, arguments: &[OsString]) -> String {
    let settings = match find(given) {
        Ok(settings) => settings,
        Err(why) => return why,
    };
    // It writes its own log: what says how has to reach it as well.
    let logging = given.properties.iter().filter(|(key, value)| logging::is_read_here(key, value));
    let error = Command::new(&settings.java)
        .args(settings.options)
        .args(logging.map(|(key, value)| format!("-D{key}={value}")))
        .arg("-cp")
        .arg(settings.class_path.entries.join(":"))
        .arg(format!("-Djava.library.path={}", settings.class_path.native.join(":")))
        .arg(class)
        .args(arguments)
        .envs(&settings.environment)
        .exec();
    format!("{} cannot be run: {error}", settings.java.display())
}

/// `FLUME_HOME`, or the folder above that of the first `flume-ng` of the PATH.
fn flume_home(disk: &dyn Directory, environment: &BTreeMap<String, String>) -> Option<PathBuf> {
    if let Some(home) = environment.get("FLUME_HOME").filter(|home| !home.is_empty()) {
        return Some(PathBuf::from(home));
    }
    let folders = environment.get("PATH")?.split(':').filter(|folder| !folder.is_empty());
    let launchers = folders.map(|folder| disk.resolve(&Path::new(folder).join("flume-ng")));
    let homes = launchers.filter_map(|launcher| launcher.ancestors().nth(2).map(Path::to_owned));
    homes.into_iter().find(|home| has_core(disk, &home.join("lib")))
}

fn has_flume(disk: &dyn Directory, path: &ClassPath) -> bool {
    has_jar(disk, path, is_core)
}

/// Whether a jar of such a name is on a class path.
fn has_jar(disk: &dyn Directory, path: &ClassPath, is_it: fn(&str) -> bool) -> bool {
    path.entries.iter().any(|entry| match entry.strip_suffix("/*") {
        Some(folder) => disk.list(Path::new(folder)).iter().any(|name| is_it(name)),
        None => is_it(entry.rsplit('/').next().unwrap_or(entry)) && disk.is_file(Path::new(entry)),
    })
}

fn has_core(disk: &dyn Directory, folder: &Path) -> bool {
    disk.list(folder).iter().any(|name| is_core(name))
}

fn is_log4j_2(name: &str) -> bool {
    name.starts_with("log4j-core") && name.ends_with(".jar")
}

/// log4j-1.2-api has classes of the same names, which hand lines to log4j 2.
fn is_log4j_1(name: &str) -> bool {
    let names = ["log4j-1.2.", "reload4j-"];
    names.iter().any(|front| name.starts_with(front)) && name.ends_with(".jar")
}

fn is_core(name: &str) -> bool {
    name.starts_with("flume-ng-core") && name.ends_with(".jar")
}

/// Bytes of `64m`, as Java writes them.
fn heap(text: &str) -> Result<u64, String> {
    let (digits, unit) = text.split_at(text.trim_end_matches(|sign: char| sign.is_ascii_alphabetic()).len());
    let shift = match unit.to_ascii_lowercase().as_str() {
        "" => Some(0),
        "k" => Some(10),
        "m" => Some(20),
        "g" => Some(30),
        _ => None,
    };
    let number: Option<u64> = digits.parse().ok();
    let bytes = number.zip(shift).and_then(|(number, shift)| number.checked_mul(1 << shift));
    bytes.ok_or_else(|| format!("-D{HEAP}={text} is no size: write 64m, or 1g"))
}

const NO_JAVA: &str = "there is no `java` in JAVA_HOME/bin or on the PATH";

/// Ours: the heap of the JVM for Java components.
const HEAP: &str = "flume.bridge.heap";

/// Ours: where batches are kept that end every JVM.
const ASIDE: &str = "flume.bridge.aside";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_as_for_java() {
        assert_eq!([heap("64m"), heap("1G"), heap("512")], [Ok(64 << 20), Ok(1 << 30), Ok(512)]);
        assert!(heap("many").is_err() && heap("99999999999g").is_err() && heap("").is_err());
    }

    #[test]
    fn a_log4j_is_known_by_the_name_of_its_jar() {
        let names =
            ["log4j-1.2.17.jar", "reload4j-1.2.25.jar", "log4j-1.2-api-2.18.0.jar", "log4j-core-2.18.0.jar"];
        assert_eq!(names.map(is_log4j_1), [true, true, false, false]);
        assert_eq!(names.map(is_log4j_2), [false, false, false, true]);
    }

    #[test]
    fn a_flume_is_found_by_its_variable_or_by_its_launcher() {
        let folder = tempfile::tempdir().unwrap();
        for part in ["bin", "lib"] {
            std::fs::create_dir(folder.path().join(part)).unwrap();
        }
        std::fs::write(folder.path().join("bin/flume-ng"), "").unwrap();
        let path = folder.path().join("bin").display().to_string();
        let by = |pairs: &[(&str, &str)]| {
            flume_home(&Disk, &pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
        };
        assert_eq!(by(&[("PATH", &path)]), None, "a launcher of our own has no jars above it");
        std::fs::write(folder.path().join("lib/flume-ng-core-1.9.0.jar"), "").unwrap();
        assert_eq!(by(&[("PATH", &path)]), Some(folder.path().canonicalize().unwrap()));
        assert_eq!(by(&[("PATH", &path), ("FLUME_HOME", "/f")]), Some("/f".into()));
        let entries = vec![format!("{}/lib/*", folder.path().display())];
        assert!(has_flume(&Disk, &ClassPath { entries, native: vec![] }));
    }
}
