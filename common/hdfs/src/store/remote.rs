//! HDFS, by `hdfs-native`. What it does not bound (calls of a NameNode, the recovery of a pipeline), its caller does.

use super::hadoop::Hadoop;
use super::name_nodes::Askers;
use super::{Store, StoreError, StoreFile};
use bytes::Bytes;
use hdfs_native::file::FileWriter;
use hdfs_native::{Client, WriteOptions};
use std::cell::Cell;
use std::rc::Rc;
use tokio::sync::OnceCell;

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
