//! The bridge's jar and the classes of the tests, compiled; what a test needs to host a component.

use super::{Missing, Version, install};
use bridge::{Bridge, ClassPath, Notice, Settings};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
    time::Duration,
};

/// What a JVM has said so far.
#[derive(Clone, Default)]
pub struct Said(Arc<Mutex<Vec<Notice>>>);

impl Said {
    /// All notices, as text.
    pub fn all(&self) -> Vec<String> {
        self.0.lock().expect("nobody panics with it").iter().map(|notice| format!("{notice:?}")).collect()
    }

    /// The first notice that contains `text`, waited for at most `timeout`.
    ///
    /// # Panics
    /// When it does not come.
    pub async fn wait_for(&self, text: &str, timeout: Duration) -> String {
        let find = async {
            loop {
                if let Some(found) = self.all().into_iter().find(|notice| notice.contains(text)) {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let found = tokio::time::timeout(timeout, find).await;
        found.unwrap_or_else(|_| panic!("{text} was not said within {timeout:?}, but {:#?}", self.all()))
    }
}

/// A bridge over the jars of `version` and the classes of the tests, with `directory` to work in.
///
/// # Panics
/// When there is no JVM, or the classes cannot be compiled.
pub fn host(version: Version, directory: &Path, change: impl FnOnce(&mut Settings)) -> (Bridge, Said) {
    super::require();
    let plugins = plugins().unwrap_or_else(|why| panic!("{why}"));
    let said = Said::default();
    let mut settings = Settings {
        java: PathBuf::from(install::jdk("java").get_program()),
        modular: true,
        class_path: ClassPath {
            entries: vec![install::release(version), plugins.display().to_string()],
            native: vec![],
        },
        options: vec![SOON_UP.to_owned()],
        directory: directory.to_owned(),
        scratch: directory.to_owned(),
        ..Settings::default()
    };
    change(&mut settings);
    let to = said.clone();
    let notify = Arc::new(move |notice| to.0.lock().expect("nobody panics with it").push(notice));
    (Bridge::new(settings, notify), said)
}

/// The words in front of an agent's command line that show it the Flume of `version` and the classes of the tests. Its JVM is up soon;
/// `JAVA_OPTS=` behind them undoes that.
///
/// # Panics
/// When there is no JVM, or the classes cannot be compiled.
pub fn environment(version: Version) -> Vec<String> {
    super::require();
    let plugins = plugins().unwrap_or_else(|why| panic!("{why}"));
    let home = install::home(version);
    let words = [
        format!("FLUME_HOME={}", home.display()),
        format!("FLUME_CLASSPATH={}", plugins.display()),
        format!("JAVA_OPTS={SOON_UP}"),
    ];
    ["env".to_owned()].into_iter().chain(words).collect()
}

/// The same for 1.9.0 with its components for stores and for other systems, and their clients.
///
/// # Panics
/// When they cannot be had.
pub fn environment_with_stores() -> Vec<String> {
    let mut words = environment(Version::V1_9);
    let stores = install::stores().unwrap_or_else(|why| panic!("{why}"));
    words.iter_mut().filter(|word| word.starts_with("FLUME_CLASSPATH=")).for_each(|word| {
        word.push(':');
        word.push_str(&stores);
    });
    words
}

/// `FLUME_HOME` of 1.9.0, and the class path of its components for stores and for other systems with their clients.
///
/// # Errors
/// They cannot be had.
pub fn home_with_stores() -> Result<(PathBuf, String), String> {
    match super::missing() {
        Some(why) => Err(why),
        None => Ok((install::home(Version::V1_9), install::stores().map_err(|why| why.to_string())?)),
    }
}

/// What Flume's launcher runs as `flume-ng tool`, of 1.9.0, without its words.
///
/// # Panics
/// When it cannot be had.
pub fn flumes_tool() -> Command {
    let (home, stores) = home_with_stores().unwrap_or_else(|why| panic!("{why}"));
    let mut command = install::jdk("java");
    command.args([
        "-cp",
        &format!("{}/lib/*:{stores}", home.display()),
        "org.apache.flume.tools.FlumeToolsMain",
    ]);
    command
}

/// A class of the tests alone in a JVM with the bridge's heap, over the jars of `version`; its arguments are still to come.
///
/// # Errors
/// When the classes cannot be compiled.
pub fn alone(version: Version) -> Result<Command, Missing> {
    let class_path = format!("{}:{}", install::release(version), plugins()?.display());
    let mut command = install::jdk("java");
    command.args(["-Xmx64m", "-XX:+UseSerialGC", "-cp", &class_path, "org.acme.Alone"]);
    Ok(command)
}

/// The operator's classes of the tests, compiled.
///
/// # Errors
/// When they cannot be compiled.
pub fn plugins() -> Result<PathBuf, Missing> {
    install::compiled("plugins", &sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("flume/plugins")))
}

/// The bridge's classes, compiled from their source: their names below the package's root, and their bytes.
///
/// # Errors
/// When they cannot be compiled.
pub fn classes() -> Result<BTreeMap<String, Vec<u8>>, Missing> {
    let root = source();
    let compiled = install::compiled("bridge-classes", &sources(&root))?;
    let mut found = files(&compiled);
    found.remove("stamp");
    found.extend(files(&root).into_iter().filter(|(name, _)| !name.ends_with(".java")));
    Ok(found)
}

/// What is in the jar that the binary carries.
///
/// # Errors
/// When the JDK's `jar` cannot be run.
pub fn carried() -> io::Result<BTreeMap<String, Vec<u8>>> {
    let directory = tempfile::tempdir()?;
    fs::write(directory.path().join("bridge.jar"), bridge::JAR)?;
    run(install::jdk("jar").args(["--extract", "--file", "bridge.jar"]).current_dir(directory.path()))?;
    let mut found = files(directory.path());
    found.remove("bridge.jar");
    found.remove("META-INF/MANIFEST.MF");
    Ok(found)
}

/// Writes the jar anew, from `classes`, in the order of their names and with a fixed date.
///
/// # Errors
/// When it cannot be written.
pub fn write_jar(classes: &BTreeMap<String, Vec<u8>>) -> io::Result<()> {
    let directory = tempfile::tempdir()?;
    for (name, bytes) in classes {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap_or(directory.path()))?;
        fs::write(path, bytes)?;
    }
    let jar = source().with_file_name("bridge.jar");
    let mut command = install::jdk("jar");
    command.args(["--create", "--date=1980-01-01T12:00:00Z", "--file"]).arg(&jar).args(classes.keys());
    run(command.current_dir(directory.path()))
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../common/bridge/java/src")
}

fn run(command: &mut Command) -> io::Result<()> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// All Java sources below `root`.
fn sources(root: &Path) -> Vec<PathBuf> {
    files(root).keys().filter(|name| name.ends_with(".java")).map(|name| root.join(name)).collect()
}

/// All files below `root`, by name.
fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                walk(root, &path, found);
            } else if let (Ok(name), Ok(bytes)) = (path.strip_prefix(root), fs::read(&path)) {
                found.insert(name.display().to_string(), bytes);
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(root, root, &mut found);
    found
}

/// A JVM that lives for seconds is not worth its second compiler, which takes a third of the processor time of these tests.
const SOON_UP: &str = "-XX:TieredStopAtLevel=1";
