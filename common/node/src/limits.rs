//! What the kernel allows.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Raises the number of files and connections that may be open to what the kernel allows at most: by default that is
/// 1,024, and a collector has a connection for every agent. Returns what to say when it could not be done.
pub(crate) fn raise_open_files() -> Option<String> {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return None;
    }
    let before = limit.current;
    limit.current = limit.maximum;
    let error = setrlimit(Resource::Nofile, limit).err()?;
    let before = before.map_or("unlimited".to_owned(), |files| files.to_string());
    Some(format!("open files stay limited to {before}, connections with them: {error}"))
}
