//! `file://`: a directory of this machine, written as HDFS is.

use super::{Store, StoreError, StoreFile};
use bytes::Bytes;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use tokio::fs::{self, File};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

/// The file system of this machine.
#[derive(Debug, Clone)]
pub(crate) struct LocalStore;

/// One of its files.
#[derive(Debug)]
pub(crate) struct LocalFile(File);

impl Store for LocalStore {
    type File = LocalFile;

    async fn probe(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn create(&self, path: &str, _: Option<u32>) -> Result<LocalFile, StoreError> {
        let mut options = File::options();
        options.write(true).create_new(true);
        let file = match options.open(path).await {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                fs::create_dir_all(Path::new(path).parent().unwrap_or(Path::new("/"))).await?;
                options.open(path).await?
            }
            opened => opened?,
        };
        Ok(LocalFile(file))
    }

    async fn length(&self, path: &str) -> Result<Option<u64>, StoreError> {
        match fs::metadata(path).await {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn recover(&self, _: &str) -> Result<bool, StoreError> {
        Ok(true)
    }

    async fn rename(&self, from: &str, to: &str) -> Result<(), StoreError> {
        // A second name is refused where there is one; a rename would replace the file.
        if let Err(error) = fs::hard_link(from, to).await {
            // A kill between these two steps has left both names.
            let is_done = error.kind() == std::io::ErrorKind::AlreadyExists && is_one(from, to).await;
            if !is_done {
                return Err(error.into());
            }
        }
        Ok(fs::remove_file(from).await?)
    }

    async fn remove(&self, path: &str) -> Result<(), StoreError> {
        Ok(fs::remove_file(path).await?)
    }

    async fn restore_copies(&self, _: &str) -> Result<(), StoreError> {
        Ok(())
    }

    async fn read(&self, path: &str, from: u64, to: u64) -> Result<Bytes, StoreError> {
        let mut file = File::open(PathBuf::from(path)).await?;
        file.seek(std::io::SeekFrom::Start(from)).await?;
        let mut out = Vec::new();
        file.take(to.saturating_sub(from)).read_to_end(&mut out).await?;
        Ok(out.into())
    }

    fn renewed(&self) -> LocalStore {
        LocalStore
    }
}

/// Whether two names are those of one file.
async fn is_one(one: &str, other: &str) -> bool {
    let (one, other) = (fs::metadata(one).await, fs::metadata(other).await);
    let known = one.and_then(|one| Ok((one, other?)));
    known.is_ok_and(|(one, other)| (one.dev(), one.ino()) == (other.dev(), other.ino()))
}

impl StoreFile for LocalFile {
    async fn append(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        Ok(self.0.write_all(&bytes).await?)
    }

    async fn sync(&mut self) -> Result<(), StoreError> {
        self.0.flush().await?;
        Ok(self.0.sync_data().await?)
    }

    async fn close(mut self) -> Result<(), StoreError> {
        Ok(self.0.flush().await?)
    }
}
