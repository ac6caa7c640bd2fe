//! HDFS, by `hdfs-native`. What it does not bound (calls of a NameNode, the recovery of a pipeline), its caller does.

use super::name_nodes::{ATTEMPTS, Askers};
use super::{SiteFiles, Store, StoreError, StoreFile};
use bytes::Bytes;
use hdfs_native::file::FileWriter;
use hdfs_native::{Client, ClientBuilder, WriteOptions};
use std::cell::Cell;
use std::rc::Rc;
use tokio::sync::OnceCell;

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

const CONFIG: [(&str, &str); 1] = [(ATTEMPTS, "4")];
/// The files are read already, in Java's order, which the library does not know.
const NOWHERE: &str = "/dev/null";

/// One HDFS.
#[derive(Debug, Clone)]
pub(crate) struct RemoteStore {
    hadoop: Rc<Hadoop>,
    /// Made at the first call.
    client: Rc<OnceCell<Client>>,
    askers: Askers,
    /// Copies that the first file had; 0 before.
    usual_copies: Rc<Cell<u32>>,
}

/// One of its files.
pub(crate) struct RemoteFile(FileWriter);

impl RemoteStore {
    /// Connects when it is asked for something.
    pub(crate) fn new(hadoop: Hadoop) -> RemoteStore {
        RemoteStore {
            hadoop: Rc::new(hadoop),
            client: Rc::default(),
            askers: Askers::default(),
            usual_copies: Rc::default(),
        }
    }

    async fn client(&self) -> Result<&Client, StoreError> {
        self.client.get_or_try_init(|| self.askers.client(&self.hadoop)).await
    }
}

impl Store for RemoteStore {
    type File = RemoteFile;

    async fn probe(&self) -> Result<(), StoreError> {
        self.client().await?.get_file_info("/").await?;
        Ok(())
    }

    async fn create(&self, path: &str, copies: Option<u32>) -> Result<RemoteFile, StoreError> {
        if !self.hadoop.site.is_mounted(&self.hadoop.url()?, path) {
            return Err(StoreError::BadPath("no link of the mount table holds it".to_owned()));
        }
        let mut options = WriteOptions::default();
        if let Some(copies) = copies.or(self.hadoop.site.replication()) {
            options = options.replication(copies);
        }
        let client = self.client().await?;
        let file = RemoteFile(client.create(path, &options).await?);
        if copies.is_none() && self.usual_copies.get() == 0 {
            let made = client.get_file_info(path).await?;
            self.usual_copies.set(made.replication.unwrap_or(0));
        }
        Ok(file)
    }

    async fn length(&self, path: &str) -> Result<Option<u64>, StoreError> {
        match self.client().await?.get_file_info(path).await.map_err(StoreError::from) {
            Ok(status) => Ok(Some(status.length as u64)),
            Err(StoreError::Missing) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn recover(&self, path: &str) -> Result<bool, StoreError> {
        Ok(self.client().await?.recover_lease(path).await?)
    }

    async fn rename(&self, from: &str, to: &str) -> Result<(), StoreError> {
        Ok(self.client().await?.rename(from, to, false).await?)
    }

    async fn remove(&self, path: &str) -> Result<(), StoreError> {
        self.client().await?.delete(path, false).await?;
        Ok(())
    }

    async fn restore_copies(&self, path: &str) -> Result<(), StoreError> {
        let copies = match self.usual_copies.get() {
            0 => USUAL_COPIES,
            copies => copies,
        };
        self.client().await?.set_replication(path, copies).await?;
        Ok(())
    }

    async fn read(&self, path: &str, from: u64, to: u64) -> Result<Bytes, StoreError> {
        let reader = self.client().await?.read(path).await?;
        let to = to.min(reader.file_length() as u64);
        Ok(reader.read_range(from as usize, to.saturating_sub(from) as usize).await?)
    }

    fn renewed(&self) -> RemoteStore {
        RemoteStore { client: Rc::default(), ..self.clone() }
    }
}

/// `dfs.replication`, unless set; where it is not known yet.
const USUAL_COPIES: u32 = 3;

impl StoreFile for RemoteFile {
    async fn append(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        self.0.write_bytes(bytes).await?;
        Ok(())
    }

    async fn sync(&mut self) -> Result<(), StoreError> {
        Ok(self.0.hsync().await?)
    }

    async fn close(mut self) -> Result<(), StoreError> {
        Ok(self.0.close().await?)
    }
}
