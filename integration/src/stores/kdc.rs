//! A Kerberos.

use super::Jvm;
use crate::flume::{fetched_program, jdk};
use std::path::PathBuf;
use tempfile::TempDir;

/// One of the realm EXAMPLE.COM, with a directory for its files that lives as long as it does.
pub struct Kdc {
    directory: TempDir,
    jvm: Jvm,
}

impl Kdc {
    /// Starts one with these users.
    ///
    /// # Panics
    /// When there is none to be had: a test that did not run must not look as if it had.
    pub fn start(users: &[&str]) -> Kdc {
        let class_path =
            fetched_program("kdc", "Kdc").unwrap_or_else(|why| panic!("Kerberos cannot be run here: {why}"));
        let directory = tempfile::tempdir().expect("a folder");
        let mut java = jdk("java");
        java.args(["-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", &class_path, "Kdc"]);
        java.arg(directory.path()).args(users);
        let jvm = Jvm::start(java, &directory.path().join("KDC.log")).unwrap_or_else(|why| panic!("{why}"));
        Kdc { directory, jvm }
    }

    /// The word that shows it to a JVM.
    pub fn option(&self) -> String {
        format!("-Djava.security.krb5.conf={}", self.directory.path().join("krb5.conf").display())
    }

    /// Ends it as `kill -9` does.
    pub fn kill(&mut self) {
        self.jvm.kill();
    }

    /// The keys of all users.
    pub fn keytab(&self) -> PathBuf {
        self.directory.path().join("all.keytab")
    }

    /// How JAAS logs one of them in.
    pub fn jaas(&self, user: &str) -> String {
        format!(
            "com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true storeKey=true keyTab=\"{}\" \
             principal=\"{user}@EXAMPLE.COM\";",
            self.keytab().display()
        )
    }
}
