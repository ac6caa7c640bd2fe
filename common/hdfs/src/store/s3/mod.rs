//! `s3a://`: files are written on this machine and become objects when they are complete. S3 has no files that grow: what is
//! acknowledged stands on this machine's disk until its object is there, and the next start uploads what a kill has left.

mod courier;
mod settings;
mod spool;

pub(crate) use settings::Bucket;
pub(crate) use spool::SpoolFile;

use crate::store::error::short;
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
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::rc::Rc;
use tokio::sync::{OnceCell, Semaphore};
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
    layers: Option<ClientLayers>,
    spool: Spool,
    /// For each request.
    limit: Duration,
    /// Each has a part in memory.
    at_once: Semaphore,
    /// Files whose last upload has failed. With many of them no new file begins: they would fill the disk.
    late: RefCell<HashSet<String>>,
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
    pub(crate) fn new(
        bucket: Bucket,
        layers: Option<ClientLayers>,
        directory: PathBuf,
        limit: Duration,
    ) -> S3Store {
        let shared = Shared {
            bucket,
            layers,
            spool: Spool::new(directory),
            limit,
            at_once: Semaphore::new(AT_ONCE),
            late: RefCell::default(),
            uploads: RefCell::default(),
        };
        S3Store { shared: Rc::new(shared), client: Rc::default() }
    }

    /// One request, with its limit.
    async fn ask<'a, T>(
        &'a self,
        request: impl AsyncFnOnce(&'a AmazonS3) -> object_store::Result<T>,
    ) -> Result<T, StoreError> {
        let Shared { bucket, layers, limit, .. } = &*self.shared;
        let make = || async {
            let retry = RetryConfig { max_retries: RETRIES, retry_timeout: *limit, ..RetryConfig::default() };
            let courier = Courier::start(layers.clone());
            bucket.builder().with_retry(retry).with_http_connector(courier).build()
        };
        let client = self.client.get_or_try_init(make).await?;
        let answer = timeout(*limit, request(client)).await;
        Ok(answer.map_err(|_| StoreError::Late(limit.as_millis()))??)
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

    /// Uploads a file. An object that an earlier try has made, whose answer was lost, is known by its mark.
    async fn complete(&self, from: &str, to: &str) -> Result<(), StoreError> {
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

    async fn upload(&self, from: &str, to: &str, length: u64, mark: &str) -> Result<(), StoreError> {
        let attributes: Attributes =
            [(Attribute::Metadata(MARK.into()), mark.to_owned())].into_iter().collect();
        let uploads = &self.shared.uploads;
        let path = key(to)?;
        if length <= PART_BYTES {
            let bytes = self.part(from, 0, length).await?;
            let options = PutOptions { attributes, ..PutOptions::default() };
            let put = self.ask(async |client| client.put_opts(&path, bytes.into(), options).await).await;
            return put.map(drop).map_err(|error| self.no_bucket(error));
        }
        let kept = uploads.borrow().get(from).filter(|upload| upload.to == to).cloned();
        let mut upload = match kept {
            Some(upload) => upload,
            None => self.begin(from, to, attributes).await?,
        };
        let part_bytes = part_bytes(length);
        while (upload.parts.len() as u64) * part_bytes < length {
            let at = upload.parts.len() as u64 * part_bytes;
            let bytes = self.part(from, at, length.min(at + part_bytes)).await?;
            let (id, number) = (upload.id.clone(), upload.parts.len());
            let part = self.ask(async |client| client.put_part(&path, &id, number, bytes.into()).await).await;
            upload.parts.push(self.or_anew(from, part)?);
            uploads.borrow_mut().insert(from.to_owned(), upload.clone());
        }
        let Upload { id, parts, .. } = upload;
        let complete = self.ask(async |client| client.complete_multipart(&path, &id, parts).await).await;
        // After any error it is begun anew: parts that S3 does not take now, it never takes. Where the object was made all
        // the same, the next try finds it by its mark.
        uploads.borrow_mut().remove(from);
        self.or_anew(from, complete).map(drop)
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
        let begun = self.ask(async |client| client.create_multipart_opts(&path, options).await).await;
        let id = begun.map_err(|error| self.no_bucket(error))?;
        self.shared.spool.note(from, &format!("{id}\n{to}")).await?;
        let upload = Upload { to: to.to_owned(), id, parts: Vec::new() };
        self.shared.uploads.borrow_mut().insert(from.to_owned(), upload.clone());
        Ok(upload)
    }

    /// The bytes `at..to` of a file, all of them: what is missing would be missing for ever.
    async fn part(&self, from: &str, at: u64, to: u64) -> Result<Bytes, StoreError> {
        let bytes = self.shared.spool.read(from, at, to).await?;
        if bytes.len() as u64 == to - at {
            return Ok(bytes);
        }
        Err(StoreError::Failed(format!("its file in hdfs.stateDir ends at byte {}", at + bytes.len() as u64)))
    }

    /// What a request means by "not found" that names no object that was there.
    fn no_bucket(&self, error: StoreError) -> StoreError {
        let Bucket { name, .. } = &self.shared.bucket;
        match error {
            StoreError::Missing => {
                StoreError::Failed(format!("there is no bucket {name} at {}", self.shared.bucket.place()))
            }
            error => error,
        }
    }

    /// An upload that S3 does not know any more, or does not take as it is, is begun anew at the next try.
    fn or_anew<T>(&self, from: &str, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        if matches!(answer, Err(StoreError::Missing | StoreError::Refused(_) | StoreError::BadPath(_))) {
            self.shared.uploads.borrow_mut().remove(from);
        }
        answer.map_err(|error| match error {
            StoreError::Missing => {
                StoreError::Failed("its upload in parts is gone from S3; it is uploaded anew".to_owned())
            }
            error => error,
        })
    }
}

impl Store for S3Store {
    type File = SpoolFile;

    const MOST_CLOSING: usize = 32;
    const KEPT_HERE: bool = true;

    async fn probe(&self) -> Result<(), StoreError> {
        let nothing = Path::from(PROBE);
        let listed =
            self.ask(async |client| client.list(Some(&nothing)).next().await.transpose().map(drop)).await;
        listed.map_err(|error| self.no_bucket(error))
    }

    async fn create(&self, path: &str, _: Option<u32>) -> Result<SpoolFile, StoreError> {
        let object = key(path)?;
        let bytes = AsRef::<str>::as_ref(&object).len();
        if bytes > MOST_KEY_BYTES {
            return Err(StoreError::BadPath(format!(
                "its key has {bytes} bytes: S3 takes 1024, of which 8 are kept for a number behind it"
            )));
        }
        let late = self.shared.late.borrow().len();
        if late >= Self::MOST_CLOSING {
            return Err(StoreError::Failed(format!(
                "{late} files are not uploaded yet; no new file is begun until S3 takes some"
            )));
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

    /// Uploads it.
    async fn rename(&self, from: &str, to: &str) -> Result<(), StoreError> {
        let _turn = self.shared.at_once.acquire().await;
        let done = self.complete(from, to).await;
        let mut late = self.shared.late.borrow_mut();
        match done {
            Ok(()) | Err(StoreError::Missing | StoreError::Exists) => late.remove(from),
            Err(_) => late.insert(from.to_owned()),
        };
        done
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
                let words = in_words(&source.to_string());
                StoreError::Refused(format!(
                    "{words}; look at fs.s3a.access.key and what it may do in the bucket"
                ))
            }
            S3Error::Generic { source, .. } => StoreError::Failed(in_words(&source.to_string())),
            other => StoreError::Failed(in_words(&other.to_string())),
        }
    }
}

/// What the library says without the request, and of S3's answer only its code and message.
fn in_words(text: &str) -> String {
    let why = text.split_once(" - ").map_or(text, |(_, why)| why);
    let element = |name: &str| {
        let (_, rest) = why.split_once(&format!("<{name}>"))?;
        Some(rest.split_once(&format!("</{name}>"))?.0)
    };
    match (element("Code"), element("Message")) {
        (Some(code), Some(message)) => short(&format!("{code}: {message}")),
        _ => {
            let why = why.strip_prefix("Server returned non-2xx status code: ").unwrap_or(why);
            short(why.trim_end_matches([' ', ':']))
        }
    }
}

/// The key of an object: no slash before it, and one between its parts, as Hadoop has it.
fn key(object: &str) -> Result<Path, StoreError> {
    let parts: Vec<&str> = object.split('/').filter(|part| !part.is_empty()).collect();
    Path::parse(parts.join("/")).map_err(|error| StoreError::BadPath(error.to_string()))
}

/// S3 takes 10,000 parts of at least 5 MiB.
fn part_bytes(length: u64) -> u64 {
    PART_BYTES.max(length.div_ceil(MOST_PARTS))
}

/// S3's limit is 1024; a name that is taken gets a number behind it, and a copy has an ending of its own.
const MOST_KEY_BYTES: usize = 1024 - 8;
const PART_BYTES: u64 = 8 << 20;
/// Files that are uploaded at a time.
const AT_ONCE: usize = 4;
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
    use crate::store::{SiteFiles, StoreFile};
    use futures_util::future::join_all;

    #[test]
    fn a_key_is_the_path_as_it_stands() {
        assert_eq!(key("//a/b=%41 ~#//c.tmp").unwrap().as_ref(), "a/b=%41 ~#/c.tmp");
    }

    #[test]
    fn what_s3_answers_is_one_line_without_keys() {
        let answer = "Error performing PUT http://h:1/b/k in 5ms - Server returned non-2xx status code: 403 Forbidden: <?xml \
            version=\"1.0\"?>\n<Error><Code>InvalidAccessKeyId</Code><Message>There is none.</Message>\
            <AWSAccessKeyId>AKIA1</AWSAccessKeyId></Error>";
        assert_eq!(in_words(answer), "InvalidAccessKeyId: There is none.");
        let head = "Error performing HEAD http://h:1/b/k in 5ms - Server returned non-2xx status code: 403 Forbidden: ";
        assert_eq!(in_words(head), "403 Forbidden");
    }

    #[actix::test]
    async fn with_many_files_that_s3_does_not_take_no_new_one_begins() {
        let folder = tempfile::tempdir().unwrap();
        let nobody = [("fs.s3a.endpoint", "http://127.0.0.1:1"), ("fs.s3a.path.style.access", "true")];
        let keys = [("fs.s3a.access.key", "a"), ("fs.s3a.secret.key", "s")];
        let bucket = Bucket::new("logs", &SiteFiles::of(&[nobody, keys].concat())).unwrap();
        let limit = Duration::from_millis(100);
        let store = S3Store::new(bucket, None, folder.path().to_owned(), limit);
        let names: Vec<String> = (0..S3Store::MOST_CLOSING).map(|number| format!("/{number}")).collect();
        for name in &names {
            let mut file = store.create(name, None).await.unwrap();
            file.append(Bytes::from_static(b"x")).await.unwrap();
            file.sync().await.unwrap();
        }
        let renamed = join_all(names.iter().map(|name| store.rename(name, "/complete"))).await;
        assert!(renamed.iter().all(Result::is_err), "{renamed:?}");
        let told = store.create("/next", None).await.unwrap_err().to_string();
        assert_eq!(told, "32 files are not uploaded yet; no new file is begun until S3 takes some");
    }

    #[actix::test]
    async fn a_key_that_s3_never_takes_is_refused_before_anything_is_acknowledged() {
        let folder = tempfile::tempdir().unwrap();
        let bucket = Bucket::new("logs", &SiteFiles::of(&[])).unwrap();
        let store = S3Store::new(bucket, None, folder.path().to_owned(), Duration::from_millis(100));
        let long = "/x".repeat(MOST_KEY_BYTES / 2);
        assert!(store.create(&long, None).await.is_ok());
        let refused = store.create(&format!("{long}/xy"), None).await;
        assert!(matches!(&refused, Err(StoreError::BadPath(_))), "{refused:?}");
    }

    #[test]
    fn the_parts_of_a_huge_file_are_larger() {
        assert_eq!(part_bytes(PART_BYTES + 1), PART_BYTES);
        let huge = 5 << 40;
        assert!(part_bytes(huge) * MOST_PARTS >= huge);
    }
}
