//! Files of this machine that become objects: what is acknowledged stands here until its object is there.
//!
//! Beside each file stands how many bytes of it count. It is written last, so what a kill or a loss of power has cut off in
//! the middle of a batch counts for nothing. Behind that number stands a mark, which no other file has: an object that was
//! made of this file is known by it.

use crate::ledger::make_directory;
use crate::store::StoreError;
use bytes::Bytes;
use ring::digest::{SHA256, digest};
use runtime::random::Unique;
use std::io::{ErrorKind, SeekFrom};
use std::path::PathBuf;
use tokio::fs::{self, File};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

/// A directory of such files.
#[derive(Debug, Clone)]
pub(super) struct Spool(PathBuf);

/// One of them that is being written.
#[derive(Debug)]
pub(crate) struct SpoolFile {
    data: File,
    counts: File,
    length: u64,
}

impl Spool {
    pub(super) fn new(directory: PathBuf) -> Spool {
        Spool(directory)
    }

    /// The file of an object. Its name is a digest: a path with partitions is longer than a file's name may be.
    pub(super) fn path(&self, object: &str) -> PathBuf {
        let digest = digest(&SHA256, object.as_bytes());
        let name: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        self.0.join(name)
    }

    fn beside(&self, object: &str, extension: &str) -> PathBuf {
        self.path(object).with_extension(extension)
    }

    /// A new file for `object`.
    pub(super) async fn create(&self, object: &str) -> Result<SpoolFile, StoreError> {
        if !fs::try_exists(&self.0).await? {
            make_directory(&self.0)?; // the first file of a bucket waits for the disk here
        }
        let data = File::options().write(true).create_new(true).open(self.path(object)).await?;
        let mut counts = File::create(self.beside(object, COUNTS)).await?;
        counts.write_all(&[0; COUNT_BYTES]).await?;
        counts.write_all(&Unique::from_system().draw().to_be_bytes()).await?;
        counts.flush().await?;
        File::open(&self.0).await?.sync_all().await?;
        Ok(SpoolFile { data, counts, length: 0 })
    }

    /// The bytes of it that count; `None` without a file.
    pub(super) async fn length(&self, object: &str) -> Result<Option<u64>, StoreError> {
        if !fs::try_exists(self.path(object)).await? {
            return Ok(None);
        }
        let counts = self.counts(object).await?;
        Ok(Some(counts.first_chunk::<COUNT_BYTES>().copied().map(u64::from_be_bytes).unwrap_or(0)))
    }

    /// Nothing where a kill came before it was written.
    async fn counts(&self, object: &str) -> Result<Vec<u8>, StoreError> {
        match fs::read(self.beside(object, COUNTS)).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            read => Ok(read?),
        }
    }

    /// What tells this file from all others that were ever to become an object of this name.
    pub(super) async fn mark(&self, object: &str) -> Result<String, StoreError> {
        let counts = self.counts(object).await?;
        let mark = counts.get(COUNT_BYTES..).filter(|mark| !mark.is_empty());
        let mark = mark.ok_or_else(|| self.unmarked(object))?;
        Ok(mark.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    fn unmarked(&self, object: &str) -> StoreError {
        StoreError::Failed(format!(
            "the file {} in hdfs.stateDir is missing or cut off, so it cannot be told whether its object is there already; \
            look for it in S3, upload {} yourself if it is not there, and then remove that file",
            self.beside(object, COUNTS).display(),
            self.path(object).display()
        ))
    }

    /// The bytes `from..to`.
    pub(super) async fn read(&self, object: &str, from: u64, to: u64) -> Result<Bytes, StoreError> {
        let mut file = File::open(self.path(object)).await?;
        file.seek(SeekFrom::Start(from)).await?;
        let size = to.saturating_sub(from);
        let mut out = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        file.take(size).read_to_end(&mut out).await?;
        Ok(out.into())
    }

    /// Writes down that an upload in parts was begun, so that who comes after a kill can end it.
    pub(super) async fn note(&self, object: &str, upload: &str) -> Result<(), StoreError> {
        Ok(fs::write(self.beside(object, UPLOAD), upload).await?)
    }

    /// The upload that was begun, if there is one.
    pub(super) async fn noted(&self, object: &str) -> Option<String> {
        fs::read_to_string(self.beside(object, UPLOAD)).await.ok()
    }

    /// Removes it, with what stands beside it.
    pub(super) async fn remove(&self, object: &str) -> Result<(), StoreError> {
        fs::remove_file(self.path(object)).await?;
        for extension in [COUNTS, UPLOAD] {
            match fs::remove_file(self.beside(object, extension)).await {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }
}

impl crate::store::StoreFile for SpoolFile {
    async fn append(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        self.length += bytes.len() as u64;
        Ok(self.data.write_all(&bytes).await?)
    }

    async fn sync(&mut self) -> Result<(), StoreError> {
        self.data.flush().await?;
        self.data.sync_data().await?;
        self.counts.seek(SeekFrom::Start(0)).await?;
        self.counts.write_all(&self.length.to_be_bytes()).await?;
        self.counts.flush().await?;
        Ok(self.counts.sync_data().await?)
    }

    async fn close(self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// How many bytes count, and the file's mark.
const COUNTS: &str = "synced";
const COUNT_BYTES: usize = 8;
/// An upload in parts.
const UPLOAD: &str = "upload";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreFile;

    #[actix::test]
    async fn what_is_not_synced_counts_for_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::new(folder.path().join("s3"));
        assert_eq!(spool.length("/a/b").await, Ok(None));
        let mut file = spool.create("/a/b").await.unwrap();
        assert_eq!(spool.create("/a/b").await.unwrap_err(), StoreError::Exists);
        assert_eq!(spool.length("/a/b").await, Ok(Some(0)));
        file.append(Bytes::from_static(b"one\n")).await.unwrap();
        file.sync().await.unwrap();
        file.append(Bytes::from_static(b"tw")).await.unwrap();
        drop(file);
        assert_eq!(spool.length("/a/b").await, Ok(Some(4)));
        assert_eq!(spool.read("/a/b", 1, 4).await.unwrap(), &b"ne\n"[..]);
        spool.note("/a/b", "id").await.unwrap();
        assert_eq!(spool.noted("/a/b").await.as_deref(), Some("id"));
        spool.remove("/a/b").await.unwrap();
        assert_eq!(spool.length("/a/b").await, Ok(None));
        assert_eq!(std::fs::read_dir(folder.path().join("s3")).unwrap().count(), 0);
    }

    #[actix::test]
    async fn each_file_has_a_mark_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::new(folder.path().to_owned());
        let (_one, _two) = (spool.create("/a").await.unwrap(), spool.create("/b").await.unwrap());
        let marks = [spool.mark("/a").await.unwrap(), spool.mark("/b").await.unwrap()];
        assert_ne!(marks[0], marks[1]);
        assert_eq!(spool.mark("/a").await.unwrap(), marks[0]);
        std::fs::write(spool.beside("/a", COUNTS), [0_u8; COUNT_BYTES]).unwrap();
        let told = spool.mark("/a").await.unwrap_err().to_string();
        assert!(told.contains(".synced in hdfs.stateDir is missing or cut off"), "{told}");
    }
}
