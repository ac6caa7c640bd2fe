//! Where files are: HDFS, S3, or a directory of this machine. Nothing here waits with a limit, unless it says so: whoever
//! calls does.

mod error;
mod hadoop;
mod local;
mod name_nodes;
mod remote;
mod s3;
mod site;

pub(crate) use error::StoreError;
pub(crate) use hadoop::Hadoop;
pub(crate) use local::LocalStore;
pub(crate) use remote::RemoteStore;
pub(crate) use s3::{Bucket, S3Store};
pub(crate) use site::{SiteFiles, directories};

use bytes::Bytes;

/// A file system. Clones are the same one.
pub(crate) trait Store: Clone + Unpin + 'static {
    /// A file that is being written.
    type File: StoreFile;

    /// Files that are being completed, before writing waits for some of them.
    const MOST_CLOSING: usize = 256;

    /// Whether a file is on this machine until it is complete. Then its list is all that knows what it is to become, and is
    /// forced to the disk before it is made; `rename` sends it where it belongs, and bounds each of its calls itself.
    const KEPT_HERE: bool = false;

    /// Whether it answers.
    fn probe(&self) -> impl Future<Output = Result<(), StoreError>>;

    /// Makes a file, and the directories above it. A file that is there already is left as it is.
    fn create(&self, path: &str, copies: Option<u32>)
    -> impl Future<Output = Result<Self::File, StoreError>>;

    /// How long a file is; `None` when there is none.
    fn length(&self, path: &str) -> impl Future<Output = Result<Option<u64>, StoreError>>;

    /// Ends what somebody else had open, who is gone; `false` while that takes.
    fn recover(&self, path: &str) -> impl Future<Output = Result<bool, StoreError>>;

    /// Gives a file another name; one of that name that is there already is left as it is.
    fn rename(&self, from: &str, to: &str) -> impl Future<Output = Result<(), StoreError>>;

    /// Removes a file.
    fn remove(&self, path: &str) -> impl Future<Output = Result<(), StoreError>>;

    /// Has a file as many copies as the store makes unless told otherwise.
    fn restore_copies(&self, path: &str) -> impl Future<Output = Result<(), StoreError>>;

    /// Reads the bytes `from..to` of a file that is complete.
    fn read(&self, path: &str, from: u64, to: u64) -> impl Future<Output = Result<Bytes, StoreError>>;

    /// The same file system, with connections of its own: those it had may hang.
    fn renewed(&self) -> Self;
}

/// A file that is being written. Dropping it leaves it as it is.
pub(crate) trait StoreFile: Unpin + 'static {
    /// Appends `bytes`. Only [`StoreFile::sync`] says whether they are there.
    fn append(&mut self, bytes: Bytes) -> impl Future<Output = Result<(), StoreError>>;

    /// Forces all that was appended to the disks of those that keep it.
    fn sync(&mut self) -> impl Future<Output = Result<(), StoreError>>;

    /// The file is complete.
    fn close(self) -> impl Future<Output = Result<(), StoreError>>;
}
