//! Why a store did not do what it was asked.

use hdfs_native::HdfsError;
use std::io;
use thiserror::Error;

/// Why, in an operator's words.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub(crate) enum StoreError {
    /// There is a file of that name.
    #[error("there is a file of that name already")]
    Exists,
    /// There is no file of that name.
    #[error("there is no such file")]
    Missing,
    /// It will never take this path.
    #[error("{0}")]
    BadPath(String),
    /// It has not done it, and may do it later.
    #[error("{0}")]
    Refused(String),
    /// It may have done it, or may do it later.
    #[error("{0}")]
    Failed(String),
    /// It did not answer in time.
    #[error("no answer within {0} ms (hdfs.callTimeout)")]
    Late(u128),
}

impl From<HdfsError> for StoreError {
    fn from(error: HdfsError) -> StoreError {
        match &error {
            HdfsError::AlreadyExists(text) if !text.contains("lease") => StoreError::Exists,
            HdfsError::FileNotFound(_) => StoreError::Missing,
            HdfsError::RPCError(class, text) if is_bad_path(class) => StoreError::BadPath(short(text)),
            HdfsError::RPCError(class, _) if class.ends_with(".FileNotFoundException") => StoreError::Missing,
            HdfsError::RPCError(class, _) if class.ends_with(".FileAlreadyExistsException") => {
                StoreError::Exists
            }
            HdfsError::RPCError(class, text) | HdfsError::FatalRPCError(class, text) => {
                let class = class.rsplit('.').next().unwrap_or_default();
                StoreError::Refused(format!("{class}: {}", short(text)))
            }
            HdfsError::IOError(error) => StoreError::Failed(error.to_string()),
            other => StoreError::Failed(short(&other.to_string())),
        }
    }
}

fn is_bad_path(class: &str) -> bool {
    let bad = ["InvalidPathException", "PathComponentTooLongException", "ParentNotDirectoryException"];
    bad.iter().any(|bad| class.ends_with(bad))
}

/// The first line, without the names of Java's files behind it.
pub(super) fn short(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let line = line.split(" at org.apache.").next().unwrap_or(line);
    let cut = line.char_indices().nth(MOST_CHARS).map_or(line.len(), |(at, _)| at);
    line[..cut].to_owned()
}

const MOST_CHARS: usize = 300;

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> StoreError {
        match error.kind() {
            io::ErrorKind::AlreadyExists => StoreError::Exists,
            io::ErrorKind::NotFound => StoreError::Missing,
            io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename => {
                StoreError::BadPath(error.to_string())
            }
            _ => StoreError::Failed(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_java_stack_is_one_line_and_a_path_that_is_never_taken_is_told_apart() {
        let rpc = |class: &str, text: &str| {
            StoreError::from(HdfsError::RPCError(class.to_owned(), text.to_owned()))
        };
        assert_eq!(
            rpc(
                "org.apache.hadoop.security.AccessControlException",
                "Permission denied: user=x\n\tat org.apache.A\n"
            ),
            StoreError::Refused("AccessControlException: Permission denied: user=x".to_owned())
        );
        let limits = "org.apache.hadoop.hdfs.protocol.FSLimitException$PathComponentTooLongException";
        assert!(matches!(rpc(limits, "too long"), StoreError::BadPath(_)));
        assert_eq!(rpc("java.io.FileNotFoundException", "x"), StoreError::Missing);
        assert_eq!(StoreError::from(HdfsError::AlreadyExists("x".to_owned())), StoreError::Exists);
    }
}
