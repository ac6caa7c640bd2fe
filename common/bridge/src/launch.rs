//! The JVM's command line. No I/O.

use crate::{ClassPath, Settings};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

/// The words for `/bin/sh` that become the JVM.
///
/// The two pipes come in as the shell's input and output and are moved to 3 and 4, where nothing that a component prints
/// or starts can get at them: Java gives its children 0, 1 and 2 only. Its own 0 is empty, its 1 and 2 are the pipe of log
/// lines. `exec` keeps the process, so that its number and its end are the JVM's.
pub(crate) fn words(settings: &Settings, java: &Path, class_path: &ClassPath, jar: &Path) -> Vec<OsString> {
    let mut words: Vec<OsString> = ["-c", MOVE_PIPES, "bridge"].map(OsString::from).into();
    words.push(java.into());
    words.extend(own_options(settings, jar).into_iter().map(OsString::from));
    words.extend(settings.options.iter().filter(|word| keeps(settings, word)).map(OsString::from));
    if !class_path.native.is_empty() {
        words.push(native(class_path).into());
    }
    words.push("-cp".into());
    let mut path = OsString::from(class_path.entries.join(":"));
    if !path.is_empty() {
        path.push(":");
    }
    path.push(jar); // last: an operator's own classes come first, as in Flume
    words.push(path);
    words.extend([MAIN, "/proc/self/fd/3", "/proc/self/fd/4", &settings.level].map(OsString::from));
    words
}

/// Where native libraries are looked for.
pub(crate) fn native(class_path: &ClassPath) -> String {
    format!("-Djava.library.path={}", class_path.native.join(":"))
}

fn own_options(settings: &Settings, jar: &Path) -> Vec<String> {
    let has = |start: &str| settings.options.iter().any(|word| word.starts_with(start));
    let mut options = Vec::new();
    match settings.heap_bytes {
        Some(bytes) => options.push(format!("-Xmx{}k", bytes.div_ceil(1024).max(LEAST_HEAP_KIB))),
        None if !has("-Xmx") => options.push(format!("-Xmx{DEFAULT_HEAP}")),
        None => {}
    }
    // A JVM that is told of two collectors ends.
    if !names_a_collector(settings) {
        options.push("-XX:+UseSerialGC".into());
    }
    // A JVM that is out of memory is of no use to any of its components: it is started again, and says in its report of a
    // crash who has asked for more.
    // One that does not know the first word knows the second.
    let ends = ["-XX:+CrashOnOutOfMemoryError", "-XX:+ExitOnOutOfMemoryError", "-XX:-UsePerfData"];
    options.extend(ends.map(str::to_owned));
    if !has(ERROR_FILE) {
        options.push(format!("{ERROR_FILE}{}", crash_report(jar, "%p").display()));
    }
    if settings.modular {
        options.push("-XX:-CreateCoredumpOnCrash".to_owned());
        options.extend(OPENED.map(|package| format!("--add-opens={package}=ALL-UNNAMED")));
    }
    options
}

/// Whether the operator names a collector: among the options, or in what a JVM reads of its environment.
fn names_a_collector(settings: &Settings) -> bool {
    let is_one = |word: &str| word.starts_with("-XX:+Use") && word.ends_with("GC");
    let read = |name: &&str| settings.environment.get(*name).cloned().or_else(|| std::env::var(name).ok());
    settings.options.iter().any(|word| is_one(word))
        || READ_BY_JVMS.iter().filter_map(read).any(|text| text.split_whitespace().any(is_one))
}

/// Where the JVM of this process number writes its report when it crashes: beside the jar, in a folder of this user alone.
pub(crate) fn crash_report(jar: &Path, process: &str) -> PathBuf {
    jar.with_file_name(format!("crash-{process}.log"))
}

/// Whether a word of the operator's own is handed on: a heap that is set for the bridge is not set twice.
fn keeps(settings: &Settings, word: &str) -> bool {
    settings.heap_bytes.is_none() || !(word.starts_with("-Xmx") || word.starts_with("-Xms"))
}

/// It leaves no core: Java 8 has no word for that.
pub(crate) const MOVE_PIPES: &str = r#"ulimit -S -c 0; exec "$@" 3<&0 4>&1 </dev/null >&2"#;
const ERROR_FILE: &str = "-XX:ErrorFile=";
/// Variables with options that every JVM adds to its own.
const READ_BY_JVMS: [&str; 3] = ["JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"];
const MAIN: &str = "org.logcluster.bridge.Bridge";

/// Enough for batches of 1,000 events in both directions, and for most of Flume's components. Flume's own default is 20m.
const DEFAULT_HEAP: &str = "64m";

/// Less than this, and Flume's classes do not load.
const LEAST_HEAP_KIB: u64 = 16 * 1024;

/// What Flume's own components reach into since Java 9: the file channel of 1.9 into the first two, Hadoop 2 into the others to
/// log in by Kerberos.
const OPENED: [&str; 4] = [
    "java.base/sun.nio.ch",
    "java.base/java.nio",
    "java.security.jgss/sun.security.krb5",
    "java.security.jgss/sun.security.jgss",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn line(settings: &Settings) -> String {
        let class_path =
            ClassPath { entries: vec!["/f/lib/*".into(), "/p/lib/*".into()], native: vec!["/n".into()] };
        let words = words(settings, Path::new("/j/bin/java"), &class_path, Path::new("/x/bridge.jar"));
        let words: Vec<_> = words[3..].iter().map(|word| word.to_string_lossy().into_owned()).collect();
        words.join(" ")
    }

    fn with(options: &[&str]) -> Settings {
        Settings { options: options.iter().map(|word| (*word).to_owned()).collect(), ..Settings::default() }
    }

    #[test]
    fn the_command_line_has_small_defaults() {
        assert_eq!(
            line(&Settings::default()),
            "/j/bin/java -Xmx64m -XX:+UseSerialGC -XX:+CrashOnOutOfMemoryError -XX:+ExitOnOutOfMemoryError -XX:-UsePerfData \
             -XX:ErrorFile=/x/crash-%p.log -Djava.library.path=/n -cp /f/lib/*:/p/lib/*:/x/bridge.jar org.logcluster.bridge.Bridge \
             /proc/self/fd/3 /proc/self/fd/4 INFO"
        );
    }

    #[test]
    fn the_operators_own_words_win_and_what_would_end_the_jvm_is_left_out() {
        let own = line(&with(&["-Xmx1g", "-XX:+UseG1GC", "-Dk=v w"]));
        assert!(
            own.contains(" -Xmx1g -XX:+UseG1GC -Dk=v w ") && !own.contains("Serial") && !own.contains("64m")
        );
        let set = line(&Settings { heap_bytes: Some(200 << 20), ..with(&["-Xmx1g", "-Xms1g", "-Dk=v"]) });
        assert!(set.contains("-Xmx204800k") && !set.contains("1g") && set.contains("-Dk=v"));
        let variable = ("JAVA_TOOL_OPTIONS".to_owned(), "-Da=b -XX:+UseParallelGC".to_owned());
        let theirs = line(&Settings { environment: [variable].into(), ..Settings::default() });
        assert!(!theirs.contains("GC"), "{theirs}");
        let own = line(&with(&["-XX:ErrorFile=/own"]));
        assert!(own.contains("/own") && !own.contains("crash-%p"), "{own}");
        let modular = line(&Settings { modular: true, ..Settings::default() });
        assert!(
            modular.contains("--add-opens=java.base/sun.nio.ch=ALL-UNNAMED"),
            "Java 8 does not know the word"
        );
    }
}
