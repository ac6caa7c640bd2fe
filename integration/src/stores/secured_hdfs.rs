//! An HDFS that wants tickets of Kerberos, and the Kerberos that gives them.

use super::hdfs::read_all;
use super::{Files, Jvm, hadoop_java, site};
use crate::flume::with_programs;
use crate::node::Error;
use crate::ports;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Both in one process, with a directory for their files that lives as long as they do.
pub struct SecuredHdfs {
    directory: TempDir,
    port: u16,
    jvm: Jvm,
}

impl SecuredHdfs {
    /// Starts them. Calls and data are encrypted; the user `flume` may act for others.
    ///
    /// # Errors
    /// When there is none to be had, or it does not start.
    pub fn start() -> Result<SecuredHdfs, Error> {
        let stores = Path::new(env!("CARGO_MANIFEST_DIR")).join("stores");
        let programs =
            ["hdfs/Hdfs.java", "hdfs-kerberos/SecuredHdfs.java"].map(|program| stores.join(program));
        let class_path = with_programs("hdfs-kerberos", "SecuredHdfs", &programs);
        let missing = |why| Error::Missing(format!("HDFS with Kerberos cannot be run here: {why}"));
        let class_path = class_path.map_err(missing)?;
        let directory = tempfile::tempdir().map_err(Error::io("cannot make a temporary directory"))?;
        let port = ports::free(&["127.0.0.1"]).map_err(Error::io("no free port for HDFS"))?;
        let mut java = hadoop_java(&class_path);
        java.arg("SecuredHdfs").arg(directory.path()).arg(port.to_string()).current_dir(directory.path());
        java.args(PROTECTION.map(|(name, value)| format!("{name}={value}")));
        java.args(["hadoop.proxyuser.flume.hosts=*", "hadoop.proxyuser.flume.groups=*"]);
        let jvm = Jvm::start(java, &directory.path().join("HDFS.log"))?;
        Ok(SecuredHdfs { directory, port, jvm })
    }

    /// `hdfs://HOST:PORT`
    pub fn url(&self) -> String {
        format!("hdfs://localhost:{}", self.port)
    }

    /// Where Kerberos is, for its library.
    pub fn krb5_conf(&self) -> PathBuf {
        self.directory.path().join("krb5.conf")
    }

    /// The keys of `flume@EXAMPLE.COM` and, on this host, of `flume/_HOST@EXAMPLE.COM`.
    pub fn keytab(&self) -> PathBuf {
        self.directory.path().join("flume.keytab")
    }

    /// A client's settings.
    pub fn core_site(&self) -> String {
        let principal = ("dfs.namenode.kerberos.principal", "hdfs/localhost@EXAMPLE.COM");
        let kerberos = ("hadoop.security.authentication", "kerberos");
        site(&[PROTECTION[0], PROTECTION[1], principal, kerberos])
    }

    /// What it answers to a command of `Hdfs.java`.
    ///
    /// # Errors
    /// When it fails.
    pub fn ask(&mut self, command: &str) -> Result<Vec<String>, Error> {
        self.jvm.ask(command)
    }

    /// All files below `path` as Hadoop's client reads them, and which of them are open.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn files(&mut self, path: &str) -> Result<(Files, Vec<String>), Error> {
        read_all(&mut self.jvm, path)
    }
}

const PROTECTION: [(&str, &str); 2] =
    [("hadoop.rpc.protection", "privacy"), ("dfs.data.transfer.protection", "privacy")];
