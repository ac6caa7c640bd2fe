//! Which HDFS is written to, and a client of it.

use super::{SiteFiles, StoreError};
use hdfs_native::{Client, ClientBuilder};

/// Which HDFS, and as whom.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hadoop {
    /// `hdfs://HOST:PORT`, `hdfs://NAMESERVICE` or `viewfs://NAME`; empty for `fs.defaultFS`.
    pub(crate) url: String,
    /// `core-site.xml` and `hdfs-site.xml`
    pub(crate) site: SiteFiles,
    /// `hdfs.proxyUser`
    pub(crate) user: Option<String>,
    /// `hdfs.kerberosPrincipal` and `hdfs.kerberosKeytab`
    pub(crate) kerberos: Option<(String, String)>,
}

impl Hadoop {
    /// The URL of its file system.
    pub(super) fn url(&self) -> Result<String, StoreError> {
        let none = "hdfs.path names no NameNode, and no core-site.xml says which (fs.defaultFS)";
        self.site.complete(&self.url).ok_or_else(|| StoreError::Failed(none.to_owned()))
    }

    /// A client of `url`, with these settings before those of the files.
    pub(super) fn client(
        &self,
        url: &str,
        settings: impl Iterator<Item = (String, String)>,
    ) -> Result<Client, StoreError> {
        let fallback = self.site.missing_fallback(url);
        let own = self.site.pairs().chain(CONFIG).map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut builder = ClientBuilder::new()
            .with_url(url)
            .with_config_dir(NOWHERE)
            .with_config(own.chain(fallback).chain(settings));
        if let Some(user) = &self.user {
            builder = builder.with_user(user);
        }
        if let Some((principal, keytab)) = &self.kerberos {
            builder = builder.with_kerberos_principal(principal).with_kerberos_keytab(keytab);
        }
        Ok(builder.build()?)
    }
}

/// How often the library goes round the NameNodes. It would try 15 times with ever longer pauses; a sink has its own.
pub(super) const ATTEMPTS: &str = "dfs.client.failover.max.attempts";
const CONFIG: [(&str, &str); 1] = [(ATTEMPTS, "4")];
/// The files are read already, in Java's order, which the library does not know.
const NOWHERE: &str = "/dev/null";
