//! `s3a://`: files are written on this machine and become objects when they are complete. S3 has no files that grow: what is
//! acknowledged stands on this machine's disk until its object is there, and the next start uploads what a kill has left.

mod courier;
mod settings;
mod spool;

pub(crate) use settings::Bucket;
pub(crate) use spool::SpoolFile;

use crate::store::{Store, StoreError};
use bytes::Bytes;
use courier::Courier;
use futures_util::StreamExt;
use object_store::aws::AmazonS3;
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, GetOptions, ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions,
    RetryConfig,
};
use runtime::clock::Duration;
use runtime::net::ClientLayers;
use spool::Spool;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::path::PathBuf;
use std::rc::Rc;
use tokio::sync::OnceCell;
use tokio::time::timeout;

/// A bucket, and the files that are to become its objects.
#[derive(Debug, Clone)]
pub(crate) struct S3Store {
    shared: Rc<Shared>,
    /// Made at the first call.
    client: Rc<OnceCell<AmazonS3>>,
}

#[derive(Debug)]
struct Shared {
    bucket: Bucket,
    layers: ClientLayers,
    spool: Spool,
    /// For each request.
    limit: Duration,
    /// The last request has not been answered well: files are not made without a question whether the bucket is there, as
    /// they would fill the disk while it is not.
    doubtful: Cell<bool>,
    /// Uploads in parts that have begun, by their files: a try that fails goes on where the last one stopped.
    uploads: RefCell<HashMap<String, Upload>>,
}

#[derive(Debug, Clone)]
struct Upload {
    to: String,
    id: String,
    parts: Vec<PartId>,
}

impl S3Store {
    /// Files are kept in `directory`; each request is given up after `limit`.
    pub(crate) fn new(bucket: Bucket, layers: ClientLayers, directory: PathBuf, limit: Duration) -> S3Store {
        let shared = Shared {
            bucket,
            layers,
            spool: Spool::new(directory),
            limit,
            doubtful: Cell::new(true),
            uploads: RefCell::default(),
        };
        S3Store { shared: Rc::new(shared), client: Rc::default() }
    }

    /// One request, with its limit.
    async fn ask<'a, T>(
        &'a self,
        request: impl AsyncFnOnce(&'a AmazonS3) -> object_store::Result<T>,
    ) -> Result<T, StoreError> {
        let Shared { bucket, layers, limit, doubtful, .. } = &*self.shared;
        let make = || async {
            let retry = RetryConfig { max_retries: RETRIES, retry_timeout: *limit, ..RetryConfig::default() };
            let courier = Courier::start(layers.clone(), *limit);
            bucket.builder().with_retry(retry).with_http_connector(courier).build()
        };
        let client = self.client.get_or_try_init(make).await?;
        let before = doubtful.replace(true);
        let answer = timeout(*limit, request(client)).await;
        let answer = answer.map_err(|_| StoreError::Late(limit.as_millis()))?;
        match &answer {
            Ok(_) => doubtful.set(false),
            Err(object_store::Error::NotFound { .. }) => doubtful.set(before),
            Err(_) => {}
        }
        Ok(answer?)
    }

    /// The mark of an object, if there is one. One that somebody else has made may have none.
    async fn mark_of(&self, object: &str) -> Result<Option<String>, StoreError> {
        let path = key(object)?;
        let options = GetOptions { head: true, ..GetOptions::default() };
        match self.ask(async |client| client.get_opts(&path, options).await).await {
            Ok(found) => {
                let mark = found.attributes.get(&Attribute::Metadata(MARK.into()));
                Ok(Some(mark.map(|mark| mark.to_string()).unwrap_or_default()))
            }
            Err(StoreError::Missing) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn upload(&self, from: &str, to: &str, length: u64, mark: &str) -> Result<(), StoreError> {
        let attributes: Attributes =
            [(Attribute::Metadata(MARK.into()), mark.to_owned())].into_iter().collect();
        let Shared { spool, uploads, .. } = &*self.shared;
        let path = key(to)?;
        if length <= PART_BYTES {
            let bytes = spool.read(from, 0, length).await?;
            let options = PutOptions { attributes, ..PutOptions::default() };
            self.ask(async |client| client.put_opts(&path, bytes.into(), options).await).await?;
            return Ok(());
        }
        let kept = uploads.borrow().get(from).filter(|upload| upload.to == to).cloned();
        let mut upload = match kept {
            Some(upload) => upload,
            None => self.begin(from, to, attributes).await?,
        };
        let part_bytes = part_bytes(length);
        while (upload.parts.len() as u64) * part_bytes < length {
            let at = upload.parts.len() as u64 * part_bytes;
            let bytes = spool.read(from, at, length.min(at + part_bytes)).await?;
            let (id, number) = (upload.id.clone(), upload.parts.len());
            let part = self.ask(async |client| client.put_part(&path, &id, number, bytes.into()).await).await;
            upload.parts.push(self.or_anew(from, part)?);
            uploads.borrow_mut().insert(from.to_owned(), upload.clone());
        }
        let Upload { id, parts, .. } = upload;
        let complete = self.ask(async |client| client.complete_multipart(&path, &id, parts).await).await;
        self.or_anew(from, complete)?;
        uploads.borrow_mut().remove(from);
        Ok(())
    }

    /// Begins an upload in parts, and ends the one that an earlier process may have begun.
    async fn begin(&self, from: &str, to: &str, attributes: Attributes) -> Result<Upload, StoreError> {
        let path = key(to)?;
        if let Some(noted) = self.shared.spool.noted(from).await
            && let Some((id, to)) = noted.split_once('\n')
        {
            let (id, to) = (id.to_owned(), key(to)?);
            let _gone = self.ask(async |client| client.abort_multipart(&to, &id).await).await;
        }
        let options = PutMultipartOptions { attributes, ..PutMultipartOptions::default() };
        let id = self.ask(async |client| client.create_multipart_opts(&path, options).await).await?;
        self.shared.spool.note(from, &format!("{id}\n{to}")).await?;
        let upload = Upload { to: to.to_owned(), id, parts: Vec::new() };
        self.shared.uploads.borrow_mut().insert(from.to_owned(), upload.clone());
        Ok(upload)
    }

    /// An upload that S3 does not know any more, or does not take as it is, is begun anew at the next try.
    fn or_anew<T>(&self, from: &str, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        if matches!(answer, Err(StoreError::Missing | StoreError::Refused(_) | StoreError::BadPath(_))) {
            self.shared.uploads.borrow_mut().remove(from);
        }
        answer.map_err(|error| match error {
            StoreError::Missing => StoreError::Failed("S3 does not know its upload any more".to_owned()),
            error => error,
        })
    }
}

impl Store for S3Store {
    type File = SpoolFile;

    const MOST_CLOSING: usize = 32;
    const RENAMES_AT_ONCE: bool = false;

    async fn probe(&self) -> Result<(), StoreError> {
        let nothing = Path::from(PROBE);
        let listed =
            self.ask(async |client| client.list(Some(&nothing)).next().await.transpose().map(drop)).await;
        let Shared { bucket, .. } = &*self.shared;
        listed.map_err(|error| match error {
            StoreError::Missing => {
                StoreError::Failed(format!("there is no bucket {} at {}", bucket.name, bucket.place()))
            }
            error => error,
        })
    }

    async fn create(&self, path: &str, _: Option<u32>) -> Result<SpoolFile, StoreError> {
        if self.shared.doubtful.get() {
            self.probe().await?;
        }
        self.shared.spool.create(path).await
    }

    async fn length(&self, path: &str) -> Result<Option<u64>, StoreError> {
        if let Some(length) = self.shared.spool.length(path).await? {
            return Ok(Some(length));
        }
        let object = key(path)?;
        match self.ask(async |client| client.head(&object).await).await {
            Ok(found) => Ok(Some(found.size)),
            Err(StoreError::Missing) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn recover(&self, _: &str) -> Result<bool, StoreError> {
        Ok(true)
    }

    /// Uploads it. An object that an earlier try has made, whose answer was lost, is known by its mark.
    async fn rename(&self, from: &str, to: &str) -> Result<(), StoreError> {
        let spool = &self.shared.spool;
        let Some(length) = spool.length(from).await? else { return Err(StoreError::Missing) };
        let mark = spool.mark(from).await?;
        match self.mark_of(to).await? {
            None => self.upload(from, to, length, &mark).await?,
            Some(found) if found == mark => {}
            Some(_) => return Err(StoreError::Exists),
        }
        spool.remove(from).await
    }

    async fn remove(&self, path: &str) -> Result<(), StoreError> {
        self.shared.spool.remove(path).await
    }

    async fn restore_copies(&self, _: &str) -> Result<(), StoreError> {
        Ok(())
    }

    async fn read(&self, path: &str, from: u64, to: u64) -> Result<Bytes, StoreError> {
        self.shared.spool.read(path, from, to).await
    }

    fn renewed(&self) -> S3Store {
        S3Store { shared: self.shared.clone(), client: Rc::default() }
    }
}

impl From<object_store::Error> for StoreError {
    fn from(error: object_store::Error) -> StoreError {
        use object_store::Error as S3Error;
        match error {
            S3Error::NotFound { .. } => StoreError::Missing,
            S3Error::AlreadyExists { .. } => StoreError::Exists,
            S3Error::InvalidPath { source } => StoreError::BadPath(source.to_string()),
            S3Error::PermissionDenied { source, .. } | S3Error::Unauthenticated { source, .. } => {
                StoreError::Refused(super::error::short(&source.to_string()))
            }
            S3Error::Generic { source, .. } => StoreError::Failed(super::error::short(&source.to_string())),
            other => StoreError::Failed(super::error::short(&other.to_string())),
        }
    }
}

/// The key of an object: no stroke before it, and one between its parts, as Hadoop has it.
fn key(object: &str) -> Result<Path, StoreError> {
    let parts: Vec<&str> = object.split('/').filter(|part| !part.is_empty()).collect();
    Path::parse(parts.join("/")).map_err(|error| StoreError::BadPath(error.to_string()))
}

/// S3 takes 10,000 parts of at least 5 MiB.
fn part_bytes(length: u64) -> u64 {
    PART_BYTES.max(length.div_ceil(MOST_PARTS))
}

const PART_BYTES: u64 = 8 << 20;
const MOST_PARTS: u64 = 9_000;
/// The library tries a request again where that does no harm; the sink has its own tries beyond that.
const RETRIES: usize = 2;
/// A name in an object's metadata.
const MARK: &str = "flume-file";
/// No object is called so.
const PROBE: &str = ".flume-probe";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_path_as_it_stands() {
        assert_eq!(key("//a/b=%41 ~#//c.tmp").unwrap().as_ref(), "a/b=%41 ~#/c.tmp");
    }

    #[test]
    fn the_parts_of_a_huge_file_are_larger() {
        assert_eq!(part_bytes(PART_BYTES + 1), PART_BYTES);
        let huge = 5 << 40;
        assert!(part_bytes(huge) * MOST_PARTS >= huge);
    }
}
