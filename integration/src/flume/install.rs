//! Fetches the released jars and compiles the client programs, once.

use super::{Flume, Launch, Version};
use crate::{console::Console, ports};
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::Duration,
};

/// Why there is no real Flume here.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Missing {
    /// A program cannot be started.
    #[error("cannot run `{program}` ({error}): install a JDK (17) and Maven, or set JAVA_HOME")]
    Program {
        /// What was called.
        program: String,
        /// What the system said.
        error: String,
    },
    /// Maven or the compiler ended with an error; most often there is no network.
    #[error("`{program}` failed for {what}: {said}")]
    Failed {
        /// What was called.
        program: String,
        /// Which set of jars, or the clients.
        what: String,
        /// The first line of its complaint.
        said: String,
    },
    /// The target folder cannot be written.
    #[error("cannot write below {folder}: {error}")]
    Folder {
        /// Where.
        folder: String,
        /// What the system said.
        error: String,
    },
}

/// Why real Flume cannot be run here, or `None` when it can. The first call fetches what is not there.
pub fn missing() -> Option<String> {
    static ANSWER: OnceLock<Option<String>> = OnceLock::new();
    ANSWER.get_or_init(|| install().err().map(|why| why.to_string())).clone()
}

/// For the first line of a test that needs real Flume.
///
/// # Panics
/// With the reason, when there is none to be had: a test that did not run must not look as if it had.
pub fn require() {
    if let Some(why) = missing() {
        panic!("real Flume cannot be run here: {why}");
    }
}

/// The class path of a release's agent and SDK.
pub(super) fn release(version: Version) -> String {
    jars(version.name())
}

/// The class path of a set of jars that only some tests need: the folder of that name below `integration/stores`. Fetched once.
///
/// # Errors
/// Why it cannot be had.
pub fn fetched(set: &str) -> Result<String, Missing> {
    run(jdk("java").arg("-version"), "java", "a first look")?;
    jars_of(set, &Path::new(env!("CARGO_MANIFEST_DIR")).join("stores"))
}

/// The class path of a program of our own that talks to a store: `NAME.java` in the folder `set` below `integration/stores`,
/// compiled with the jars of that set, and these jars.
///
/// # Errors
/// Why it cannot be had.
pub fn fetched_program(set: &str, name: &str) -> Result<String, Missing> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("stores").join(set);
    with_programs(set, name, &[folder.join(format!("{name}.java"))])
}

/// The class path of such a set, with `programs` compiled against it; `name` tells them from others of that set.
pub(crate) fn with_programs(set: &str, name: &str, programs: &[PathBuf]) -> Result<String, Missing> {
    let path = fetched(set)?;
    let to = target().join(format!("{set}-{name}"));
    let _locked = lock()?;
    once(&to, programs, || {
        let mut javac = jdk("javac");
        javac.args(["-nowarn", "-proc:none", "-cp", &path, "-d"]).arg(&to).args(programs);
        run(&mut javac, "javac", name)
    })?;
    Ok(format!("{}:{path}", to.display()))
}

/// A folder as `FLUME_HOME` is: the release's jars are in its `lib`.
pub(super) fn home(version: Version) -> PathBuf {
    target().join(version.name())
}

/// The class path of what Flume 1.9.0 has for stores and for other systems, with their clients.
pub(super) fn stores() -> Result<String, Missing> {
    on_demand("stores")
}

/// The class path of the Log4j 1 program.
pub(super) fn log4j1() -> String {
    format!("{}:{}", classes().display(), jars("log4j1"))
}

/// The class path of the Log4j 2 program.
pub(super) fn log4j2() -> String {
    format!("{}:{}", classes().display(), jars("log4j2"))
}

/// The class path of the SDK program.
pub(super) fn sdk(version: Version) -> String {
    format!("{}:{}", classes().display(), jars(version.name()))
}

/// A file of a release's folder beside its `pom.xml`.
pub(super) fn shipped(version: Version, file: &str) -> PathBuf {
    sources().join(version.name()).join(file)
}

/// `program` of the JDK: below `JAVA_HOME` when that is set, else from the path.
pub fn jdk(program: &str) -> Command {
    match std::env::var_os("JAVA_HOME") {
        Some(home) if !home.is_empty() => Command::new(Path::new(&home).join("bin").join(program)),
        _ => Command::new(program),
    }
}

/// The class path of a ZooKeeper server.
pub(super) fn zookeeper() -> Result<String, Missing> {
    on_demand("zookeeper")
}

/// The class path of a set that is fetched when a test first asks for it.
fn on_demand(set: &str) -> Result<String, Missing> {
    jars_of(set, &sources())
}

fn jars(set: &str) -> String {
    format!("{}/*", target().join(set).join("lib").display())
}

fn classes() -> PathBuf {
    target().join("classes")
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("flume")
}

fn target() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").filter(|dir| !dir.is_empty()).map(PathBuf::from);
    target.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target")).join("flume")
}

/// The classes of further `sources`, compiled into the folder `name` against both releases and both loggings.
pub(super) fn compiled(name: &str, sources: &[PathBuf]) -> Result<PathBuf, Missing> {
    let _locked = lock()?;
    let to = target().join(name);
    once(&to, sources, || compile(sources, &to))?;
    Ok(to)
}

/// Several test processes may come here at once: one of them works, under a lock, and the others find it done.
fn install() -> Result<(), Missing> {
    run(jdk("java").arg("-version"), "java", "a first look")?;
    let _locked = lock()?;
    for set in SETS {
        fetched_from(&sources(), set)?;
    }
    let programs = PROGRAMS.map(|program| sources().join("clients").join(program));
    once(&classes(), &programs, || compile(&programs, &classes()))?;
    for version in Version::ALL {
        let (to, pom) = (shared_folder(version), sources().join(version.name()).join("pom.xml"));
        once(&to, &[pom], || {
            // Where it cannot be had, a JVM starts without it.
            let _unshared = share(version, &to);
            Ok(())
        })?;
    }
    Ok(())
}

/// The classes of a release as a JVM has them in its memory, which halves what a start costs. A JVM of another release does not
/// mind it and starts as ever.
pub(super) fn shared(version: Version) -> Option<PathBuf> {
    Some(shared_folder(version).join("classes.jsa")).filter(|archive| archive.exists())
}

fn shared_folder(version: Version) -> PathBuf {
    target().join(format!("{}-shared", version.name()))
}

/// With which a JVM ends that has been told to, and has written all it wants.
const AT_SIGTERM: i32 = 143;

/// Has an agent send an event to itself, whose JVM writes down its classes when it ends.
fn share(version: Version, to: &Path) -> io::Result<()> {
    let port = ports::free(&["127.0.0.1"])?;
    let written = to.join("written.jsa");
    let launch =
        Launch { jvm: vec![format!("-XX:ArchiveClassesAtExit={}", written.display())], ..Launch::default() };
    let file = to.join("a1.properties");
    fs::write(&file, TO_ITSELF.replace("PORT", &port.to_string()))?;
    let mut flume = Flume::start_as(version, &file, "a1", to, &launch, &Console::default())?;
    flume.wait_for_line("Event: {", WITHIN).map_err(io::Error::other)?;
    match flume.stop() {
        Some(ended) if ended.status.code() == Some(AT_SIGTERM) => fs::rename(written, to.join("classes.jsa")),
        _ => Ok(()), // what is half written is not taken
    }
}

/// The class path of `set`, whose `pom.xml` stands in its folder below `lists`.
fn jars_of(set: &str, lists: &Path) -> Result<String, Missing> {
    let _locked = lock()?;
    fetched_from(lists, set)?;
    Ok(jars(set))
}

fn fetched_from(lists: &Path, set: &str) -> Result<(), Missing> {
    let pom = lists.join(set).join("pom.xml");
    once(&target().join(set), std::slice::from_ref(&pom), || fetch(&pom, set))
}

/// Held by the one process that works.
fn lock() -> Result<File, Missing> {
    let folder = target();
    fs::create_dir_all(&folder).map_err(unwritable)?;
    let lock = File::create(folder.join("lock")).map_err(unwritable)?;
    lock.lock().map_err(unwritable)?;
    Ok(lock)
}

pub(super) fn unwritable(error: io::Error) -> Missing {
    Missing::Folder { folder: target().display().to_string(), error: error.to_string() }
}

/// Does `work` for the folder `at` unless its stamp says that it was done from these very `inputs`.
fn once(at: &Path, inputs: &[PathBuf], work: impl FnOnce() -> Result<(), Missing>) -> Result<(), Missing> {
    let wanted = inputs.iter().map(fs::read_to_string).collect::<io::Result<String>>().map_err(unwritable)?;
    let stamp = at.join("stamp");
    if fs::read_to_string(&stamp).is_ok_and(|done| done == wanted) {
        return Ok(());
    }
    let _ = fs::remove_dir_all(at); // jars of an older list must not stay; there may be none
    fs::create_dir_all(at).map_err(unwritable)?;
    work()?;
    fs::write(stamp, wanted).map_err(unwritable)
}

fn fetch(pom: &Path, set: &str) -> Result<(), Missing> {
    let mut maven = Command::new("mvn");
    maven
        .args(["-B", "-q", "-ntp", "-Dstyle.color=never", "-f"])
        .arg(pom)
        .arg("dependency:copy-dependencies");
    maven.arg(format!("-DoutputDirectory={}", target().join(set).join("lib").display()));
    run(&mut maven, "mvn", set)
}

fn compile(programs: &[PathBuf], to: &Path) -> Result<(), Missing> {
    let path = [jars(Version::V1_9.name()), jars("log4j1"), jars("log4j2")].join(":");
    let mut javac = jdk("javac");
    javac.args(["-nowarn", "-Xlint:-options", "--release", "8", "-proc:none", "-g:source,lines"]);
    run(javac.args(["-cp", &path, "-d"]).arg(to).args(programs), "javac", &to.display().to_string())
}

/// Compiles `sources` into `to` against 1.9.0 with its components for stores and for other systems.
pub(super) fn compile_with_stores(sources: &[PathBuf], to: &Path) -> Result<(), Missing> {
    let path = [jars(Version::V1_9.name()), stores()?].join(":");
    let mut javac = jdk("javac");
    javac.args(["-nowarn", "-proc:none", "-cp", &path, "-d"]).arg(to).args(sources);
    run(&mut javac, "javac", &to.display().to_string())
}

fn run(command: &mut Command, program: &str, what: &str) -> Result<(), Missing> {
    let ended = command
        .output()
        .map_err(|error| Missing::Program { program: program.to_owned(), error: error.to_string() })?;
    if ended.status.success() {
        return Ok(());
    }
    let said = [ended.stdout, ended.stderr].concat();
    let said = String::from_utf8_lossy(&said).lines().find(|line| !line.trim().is_empty()).map(str::to_owned);
    Err(Missing::Failed {
        program: program.to_owned(),
        what: what.to_owned(),
        said: said.unwrap_or_else(|| ended.status.to_string()),
    })
}

/// Folders with a `pom.xml`, each fetched into a class path of its own.
const SETS: [&str; 4] = ["1.9.0", "1.11.0", "log4j1", "log4j2"];

const TO_ITSELF: &str = "a1.sources = r1 r2
a1.channels = c1 c2
a1.sinks = k1 k2
a1.channels.c1.type = memory
a1.channels.c2.type = memory
a1.sources.r1.type = avro
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = PORT
a1.sources.r1.channels = c1
a1.sources.r2.type = seq
a1.sources.r2.totalEvents = 1
a1.sources.r2.channels = c2
a1.sinks.k1.type = logger
a1.sinks.k1.channel = c1
a1.sinks.k2.type = avro
a1.sinks.k2.hostname = 127.0.0.1
a1.sinks.k2.port = PORT
a1.sinks.k2.channel = c2
";

/// How long that agent may take.
const WITHIN: Duration = Duration::from_secs(120);

/// The programs that use the released client side.
const PROGRAMS: [&str; 3] = ["SendEvents.java", "Log4j1Lines.java", "Log4j2Lines.java"];
