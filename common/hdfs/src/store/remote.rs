//! HDFS, by `hdfs-native`. What it does not bound (calls of a NameNode, the recovery of a pipeline), its caller does.

use super::{Store, StoreError, StoreFile, site};
use bytes::Bytes;
use hdfs_native::file::FileWriter;
use hdfs_native::{Client, ClientBuilder, WriteOptions};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Which HDFS, and as whom.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hadoop {
    /// `hdfs://HOST:PORT`, `hdfs://NAMESERVICE` or `viewfs://NAME`; empty for `fs.defaultFS`.
    pub(crate) url: String,
    /// Where `core-site.xml` and `hdfs-site.xml` are; `None` as the environment says.
    pub(crate) directory: Option<String>,
    /// `hdfs.proxyUser`
    pub(crate) user: Option<String>,
    /// `hdfs.kerberosPrincipal` and `hdfs.kerberosKeytab`
    pub(crate) kerberos: Option<(String, String)>,
}

impl Hadoop {
    fn client(&self) -> Result<Client, StoreError> {
        let mut builder = ClientBuilder::new().with_config(CONFIG);
        if !self.url.is_empty() {
            builder = builder.with_url(&self.url);
        }
        if let Some(directory) = &self.directory {
            builder = builder.with_config_dir(directory);
        }
        if let Some(user) = &self.user {
            builder = builder.with_user(user);
        }
        if let Some((principal, keytab)) = &self.kerberos {
            builder = builder.with_kerberos_principal(principal).with_kerberos_keytab(keytab);
        }
        Ok(builder.build()?)
    }
}

/// The crate tries 15 times with ever longer pauses; a sink has its own.
const CONFIG: [(&str, &str); 1] = [("dfs.client.failover.max.attempts", "4")];

/// One HDFS.
#[derive(Debug, Clone)]
pub(crate) struct RemoteStore {
    hadoop: Arc<Hadoop>,
    client: Result<Client, StoreError>,
    /// `dfs.replication` of the client's own files; the NameNode's unless set.
    own_copies: Option<u32>,
    /// Copies that the first file had; 0 before.
    usual_copies: Arc<AtomicU32>,
}

/// One of its files.
pub(crate) struct RemoteFile(FileWriter);

impl RemoteStore {
    /// Connects when it is asked for something.
    pub(crate) fn new(hadoop: Hadoop) -> RemoteStore {
        let client = hadoop.client();
        let directory = site::directory(hadoop.directory.as_deref(), |name| std::env::var(name).ok());
        let own_copies = directory.as_deref().and_then(site::replication);
        RemoteStore { hadoop: Arc::new(hadoop), client, own_copies, usual_copies: Arc::default() }
    }

    fn client(&self) -> Result<&Client, StoreError> {
        self.client.as_ref().map_err(Clone::clone)
    }
}

impl Store for RemoteStore {
    type File = RemoteFile;

    async fn probe(&self) -> Result<(), StoreError> {
        self.client()?.get_file_info("/").await?;
        Ok(())
    }

    async fn create(&self, path: &str, copies: Option<u32>) -> Result<RemoteFile, StoreError> {
        let mut options = WriteOptions::default();
        if let Some(copies) = copies.or(self.own_copies) {
            options = options.replication(copies);
        }
        let client = self.client()?;
        let file = RemoteFile(client.create(path, &options).await?);
        if copies.is_none() && self.usual_copies.load(Ordering::Relaxed) == 0 {
            let made = client.get_file_info(path).await?;
            self.usual_copies.store(made.replication.unwrap_or(0), Ordering::Relaxed);
        }
        Ok(file)
    }

    async fn length(&self, path: &str) -> Result<Option<u64>, StoreError> {
        match self.client()?.get_file_info(path).await.map_err(StoreError::from) {
            Ok(status) => Ok(Some(status.length as u64)),
            Err(StoreError::Missing) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn recover(&self, path: &str) -> Result<bool, StoreError> {
        Ok(self.client()?.recover_lease(path).await?)
    }

    async fn rename(&self, from: &str, to: &str) -> Result<(), StoreError> {
        Ok(self.client()?.rename(from, to, false).await?)
    }

    async fn remove(&self, path: &str) -> Result<(), StoreError> {
        self.client()?.delete(path, false).await?;
        Ok(())
    }

    async fn restore_copies(&self, path: &str) -> Result<(), StoreError> {
        let copies = match self.usual_copies.load(Ordering::Relaxed) {
            0 => USUAL_COPIES,
            copies => copies,
        };
        self.client()?.set_replication(path, copies).await?;
        Ok(())
    }

    async fn read(&self, path: &str, from: u64, to: u64) -> Result<Bytes, StoreError> {
        let reader = self.client()?.read(path).await?;
        let to = to.min(reader.file_length() as u64);
        Ok(reader.read_range(from as usize, to.saturating_sub(from) as usize).await?)
    }

    fn renewed(&self) -> RemoteStore {
        RemoteStore {
            hadoop: self.hadoop.clone(),
            client: self.hadoop.client(),
            own_copies: self.own_copies,
            usual_copies: self.usual_copies.clone(),
        }
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
