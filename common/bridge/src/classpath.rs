//! The class path of the Flume on this host, as `bin/flume-ng` of 1.9 and 1.11 builds it. Looks at folders through
//! [`Directory`], and at nothing else.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// What is looked at on a disk.
pub trait Directory {
    /// The names in a folder, in the order in which a shell lists them; none when it is no folder.
    fn list(&self, path: &Path) -> Vec<String>;

    /// Whether it is a folder.
    fn is_folder(&self, path: &Path) -> bool;

    /// Whether it is a file.
    fn is_file(&self, path: &Path) -> bool;

    /// Where a link leads in the end; the path itself when it is none.
    fn resolve(&self, path: &Path) -> PathBuf;
}

/// The disk of this host.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

/// Everything that decides on the class path.
#[derive(Debug, Clone, Default)]
pub struct Installation {
    /// `FLUME_HOME`: the variable, or the folder above that of `flume-ng`.
    pub flume_home: Option<PathBuf>,
    /// `--conf`.
    pub conf: Option<PathBuf>,
    /// `--classpath`, `-C`.
    pub class_path: Option<String>,
    /// `--plugins-path`: folders with colons between. A space separates as well, as it does in Flume.
    pub plugins_path: Option<String>,
    /// The environment after `flume-env.sh`.
    pub environment: BTreeMap<String, String>,
    /// What `hadoop classpath` prints.
    pub hadoop_class_path: Option<String>,
    /// What Hadoop says of `java.library.path`.
    pub hadoop_native: Option<String>,
    /// What `hbase classpath` prints.
    pub hbase_class_path: Option<String>,
    /// What HBase says of `java.library.path`.
    pub hbase_native: Option<String>,
}

/// A class path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClassPath {
    /// Jars, folders, and `FOLDER/*` for all jars of a folder, which Java itself looks up.
    pub entries: Vec<String>,
    /// Folders of native libraries.
    pub native: Vec<String>,
}

impl std::fmt::Display for ClassPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.entries.is_empty() { f.write_str("(empty)") } else { f.write_str(&self.entries.join(":")) }
    }
}

/// What an installation comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The class path.
    pub class_path: ClassPath,
    /// `java`, when there is one.
    pub java: Option<PathBuf>,
    /// Whether that is Java 9 or newer.
    pub modular: bool,
    /// Further words for the JVM: `JAVA_OPTS`, `FLUME_JAVA_OPTS`.
    pub options: Vec<String>,
    /// What an operator should know: a folder that is named and not there, a Flume without its core.
    pub remarks: Vec<String>,
}

impl Installation {
    /// Works it out.
    pub fn find(&self, disk: &dyn Directory) -> Found {
        let mut remarks = Vec::new();
        let class_path = self.class_path(disk, &mut remarks);
        let java = self.java(disk, &mut remarks);
        let modular = java.as_deref().is_some_and(|java| is_modular(disk, java));
        let words =
            |name: &str| self.variable(name).unwrap_or_default().split_whitespace().map(str::to_owned);
        let options = words("JAVA_OPTS").chain(words("FLUME_JAVA_OPTS")).collect();
        Found { class_path, java, modular, options, remarks }
    }

    /// In the launcher's order: conf, `FLUME_HOME/lib`, `-C`, `FLUME_CLASSPATH`, plug-ins' `lib`, their `libext`,
    /// Hadoop, HBase, Hive, HCatalog.
    fn class_path(&self, disk: &dyn Directory, remarks: &mut Vec<String>) -> ClassPath {
        let mut path = ClassPath::default();
        if let Some(conf) = &self.conf {
            path.add(conf.display());
        }
        if let Some(home) = &self.flume_home {
            let lib = home.join("lib");
            let has_core = disk.list(&lib).iter().any(|name| name.starts_with("flume-ng-core"));
            if !has_core {
                remarks
                    .push(format!("{} has no flume-ng-core jar: FLUME_HOME is not a Flume", lib.display()));
            }
            path.add(format_args!("{}/*", lib.display()));
        }
        path.add_all(self.class_path.as_deref());
        path.add_all(self.variable("FLUME_CLASSPATH"));
        path.add_native(self.variable("FLUME_JAVA_LIBRARY_PATH"));
        self.plugins(disk, &mut path, remarks);
        path.add_all(self.hadoop_class_path.as_deref());
        path.add_native(self.hadoop_native.as_deref());
        path.add_all(self.hbase_class_path.as_deref());
        path.add_native(self.hbase_native.as_deref());
        if let Some(home) = self.variable("HBASE_HOME").filter(|_| self.hbase_class_path.is_some()) {
            path.add(format_args!("{home}/conf"));
        }
        for (home, lib) in [("HIVE_HOME", "lib"), ("HCAT_HOME", "share/hcatalog")] {
            let folder = self.variable(home).map(|home| Path::new(home).join(lib));
            if let Some(folder) = folder.filter(|folder| disk.is_folder(folder)) {
                path.add(format_args!("{}/*", folder.display()));
            }
        }
        path
    }

    /// `lib`, `libext` and `native` of each folder below those of plug-ins: first all `lib`, then all `libext`.
    fn plugins(&self, disk: &dyn Directory, path: &mut ClassPath, remarks: &mut Vec<String>) {
        let folders: Vec<PathBuf> = match &self.plugins_path {
            Some(named) => named.split([':', ' ']).filter(|one| !one.is_empty()).map(PathBuf::from).collect(),
            None => self.flume_home.iter().map(|home| home.join("plugins.d")).collect(),
        };
        let mut plugins = Vec::new();
        for folder in &folders {
            if self.plugins_path.is_some() && !disk.is_folder(folder) {
                remarks.push(format!("--plugins-path names {}, which is no folder", folder.display()));
            }
            // A shell's `*` leaves out names that begin with a dot.
            let names = disk.list(folder).into_iter().filter(|name| !name.starts_with('.'));
            plugins.extend(names.map(|name| folder.join(name)));
        }
        for part in ["lib", "libext"] {
            for folder in plugins.iter().map(|plugin| plugin.join(part)).filter(|path| disk.is_folder(path)) {
                path.add(format_args!("{}/*", folder.display()));
            }
        }
        for folder in plugins.iter().map(|plugin| plugin.join("native")).filter(|path| disk.is_folder(path)) {
            path.native.push(folder.display().to_string());
        }
    }

    /// `JAVA_HOME/bin/java`, else the first `java` of the `PATH`.
    fn java(&self, disk: &dyn Directory, remarks: &mut Vec<String>) -> Option<PathBuf> {
        if let Some(home) = self.variable("JAVA_HOME") {
            let java = Path::new(home).join("bin/java");
            if disk.is_file(&java) {
                return Some(java);
            }
            remarks.push(format!("JAVA_HOME is {home}, which has no bin/java: the PATH is searched"));
        }
        self.program(disk, "java")
    }

    /// A program of the `PATH`.
    pub(crate) fn program(&self, disk: &dyn Directory, name: &str) -> Option<PathBuf> {
        let folders = self.variable("PATH")?.split(':').filter(|folder| !folder.is_empty());
        folders.map(|folder| Path::new(folder).join(name)).find(|path| disk.is_file(path))
    }

    /// A variable that is set and not empty.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

impl ClassPath {
    fn add(&mut self, entry: impl std::fmt::Display) {
        self.entries.push(entry.to_string());
    }

    fn add_all(&mut self, path: Option<&str>) {
        self.entries.extend(parts(path));
    }

    fn add_native(&mut self, path: Option<&str>) {
        self.native.extend(parts(path));
    }
}

/// The parts of a path with colons. An empty part would be the working directory: nobody means that.
fn parts(path: Option<&str>) -> impl Iterator<Item = String> {
    let parts = path.unwrap_or_default().trim().split(':').filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect::<Vec<_>>().into_iter()
}

/// Since Java 9 a JDK has its classes in `lib/modules`.
fn is_modular(disk: &dyn Directory, java: &Path) -> bool {
    let java = disk.resolve(java);
    java.ancestors().nth(2).is_some_and(|home| disk.is_file(&home.join("lib/modules")))
}

impl Directory for Disk {
    fn list(&self, path: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn is_folder(&self, path: &Path) -> bool {
        path.is_dir()
    }

    fn is_file(&self, path: &Path) -> bool {
        path.is_file()
    }

    fn resolve(&self, path: &Path) -> PathBuf {
        path.canonicalize().unwrap_or_else(|_| path.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Files that are there; their folders are there with them.
    struct Files(BTreeSet<PathBuf>);

    impl Directory for Files {
        fn list(&self, path: &Path) -> Vec<String> {
            let below = self.0.iter().filter_map(|file| file.strip_prefix(path).ok()?.components().next());
            let names: BTreeSet<String> =
                below.map(|name| name.as_os_str().to_string_lossy().into_owned()).collect();
            names.into_iter().collect()
        }

        fn is_folder(&self, path: &Path) -> bool {
            self.0.iter().any(|file| file != path && file.starts_with(path))
        }

        fn is_file(&self, path: &Path) -> bool {
            self.0.contains(path)
        }

        fn resolve(&self, path: &Path) -> PathBuf {
            if path == Path::new("/usr/bin/java") { "/jdk17/bin/java".into() } else { path.to_owned() }
        }
    }

    fn files(names: &[&str]) -> Files {
        Files(names.iter().map(PathBuf::from).collect())
    }

    fn flume() -> Files {
        files(&[
            "/f/lib/flume-ng-core-1.9.0.jar",
            "/f/plugins.d/b/lib/b.jar",
            "/f/plugins.d/a/lib/a.jar",
            "/f/plugins.d/a/libext/x.jar",
            "/f/plugins.d/a/native/x.so",
            "/f/plugins.d/.old/lib/a.jar",
            "/f/plugins.d/readme.txt",
            "/own/c/lib/c.jar",
            "/hive/lib/hive.jar",
            "/jdk8/bin/java",
            "/jdk17/bin/java",
            "/jdk17/lib/modules",
            "/usr/bin/java",
        ])
    }

    fn with(environment: &[(&str, &str)]) -> Installation {
        let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        Installation {
            flume_home: Some("/f".into()),
            environment: environment.iter().map(pair).collect(),
            ..Installation::default()
        }
    }

    #[test]
    fn the_order_is_that_of_the_launcher() {
        let installation = Installation {
            conf: Some("/etc/flume/conf".into()),
            class_path: Some("/c/one.jar:/c/two.jar".into()),
            hadoop_class_path: Some("/h/etc:/h/share/*\n".into()),
            hadoop_native: Some("/h/native".into()),
            hbase_class_path: Some("/hb/lib/*".into()),
            ..with(&[
                ("FLUME_CLASSPATH", "/env/e.jar"),
                ("FLUME_JAVA_LIBRARY_PATH", "/env/native"),
                ("HBASE_HOME", "/hb"),
                ("HIVE_HOME", "/hive"),
                ("HCAT_HOME", "/hcat"),
            ])
        };
        let found = installation.find(&flume()).class_path;
        assert_eq!(
            found.to_string(),
            "/etc/flume/conf:/f/lib/*:/c/one.jar:/c/two.jar:/env/e.jar:/f/plugins.d/a/lib/*:/f/plugins.d/b/lib/*:\
             /f/plugins.d/a/libext/*:/h/etc:/h/share/*:/hb/lib/*:/hb/conf:/hive/lib/*"
        );
        assert_eq!(found.native, ["/env/native", "/f/plugins.d/a/native", "/h/native"]);
    }

    #[test]
    fn plugins_may_be_in_other_folders() {
        let installation = Installation { plugins_path: Some("/own:/away".into()), ..with(&[]) };
        let found = installation.find(&flume());
        assert_eq!(found.class_path.entries, ["/f/lib/*", "/own/c/lib/*"]);
        assert_eq!(found.remarks, ["--plugins-path names /away, which is no folder"]);
    }

    #[test]
    fn java_is_that_of_java_home_or_the_first_of_the_path() {
        let find = |environment: &[(&str, &str)]| {
            let found = with(environment).find(&flume());
            (found.java.map(|path| path.display().to_string()), found.modular, found.remarks.len())
        };
        let is = |path: &str| Some(path.to_owned());
        assert_eq!(find(&[("JAVA_HOME", "/jdk8"), ("PATH", "/usr/bin")]), (is("/jdk8/bin/java"), false, 0));
        assert_eq!(find(&[("PATH", "/bin:/usr/bin")]), (is("/usr/bin/java"), true, 0), "a link into a JDK");
        assert_eq!(find(&[("JAVA_HOME", "/away"), ("PATH", "/usr/bin")]), (is("/usr/bin/java"), true, 1));
        assert_eq!(find(&[("PATH", "/bin")]), (None, false, 0));
    }

    #[test]
    fn without_a_flume_the_operators_own_jars_are_all() {
        let installation =
            Installation { flume_home: None, class_path: Some("/jars/*".into()), ..Installation::default() };
        assert_eq!(installation.find(&flume()).class_path.entries, ["/jars/*"]);
        let wrong = Installation { flume_home: Some("/etc".into()), ..Installation::default() };
        assert_eq!(
            wrong.find(&flume()).remarks,
            ["/etc/lib has no flume-ng-core jar: FLUME_HOME is not a Flume"]
        );
    }

    #[test]
    fn options_are_words_and_empty_parts_are_left_out() {
        let installation = with(&[
            ("JAVA_OPTS", "-Xmx1g  -Da=b"),
            ("FLUME_JAVA_OPTS", "-Dc=d"),
            ("FLUME_CLASSPATH", ":/e.jar::"),
        ]);
        let found = installation.find(&flume());
        assert_eq!(found.options, ["-Xmx1g", "-Da=b", "-Dc=d"]);
        assert!(found.class_path.entries.contains(&"/e.jar".to_owned()));
        assert!(!found.class_path.entries.contains(&String::new()));
    }
}
