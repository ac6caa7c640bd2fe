//! The JVM's side of the bridge, as it travels inside of the binary.

use crate::BridgeError;
use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// The jar. `java/` has its source; a test of the JVM tier compiles that and compares (decisions/0015).
pub const JAR: &[u8] = include_bytes!("../java/bridge.jar");

/// Puts the jar where a JVM finds it: into a folder of this user alone, below `directory`, under a name that its content
/// gives. So an update does not touch the file of a JVM that runs, and nothing piles up.
///
/// # Errors
/// [`BridgeError::Jar`].
pub(crate) fn unpack(directory: &Path) -> Result<PathBuf, BridgeError> {
    let own = directory.join(format!("logcluster-bridge-{}", rustix::process::geteuid().as_raw()));
    let path = own.join(format!("bridge-{:016x}.jar", fingerprint(JAR)));
    write(&own, &path, JAR).map_err(|source| BridgeError::Jar { path: path.clone(), source })?;
    Ok(path)
}

fn write(own: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(own) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let folder = fs::symlink_metadata(own)?;
    if !folder.is_dir() || folder.uid() != rustix::process::geteuid().as_raw() || folder.mode() & 0o022 != 0 {
        let text = "its folder is not this user's alone: remove it";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
    }
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    // Several processes may start at once: each writes a file of its own and renames it.
    let draft = own.join(format!("draft-{}", std::process::id()));
    let _ = fs::remove_file(&draft); // of a process of that number which was killed; mostly there is none
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(bytes)?;
    fs::rename(&draft, path)
}

/// FNV-1a: tells versions apart; whether the file is the right one is decided by its content.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_jar_is_written_once_and_mended() {
        let directory = tempfile::tempdir().expect("a folder");
        let path = unpack(directory.path()).expect("it can be written");
        let first = fs::metadata(&path).expect("a file").modified().expect("a time");
        assert_eq!(unpack(directory.path()).expect("it is there"), path);
        assert_eq!(fs::metadata(&path).expect("a file").modified().expect("a time"), first);
        fs::write(&path, "cut").expect("it can be damaged");
        unpack(directory.path()).expect("it can be mended");
        assert_eq!(fs::read(&path).expect("a file"), JAR);
        assert_eq!(fs::read_dir(path.parent().expect("a folder")).expect("a folder").count(), 1, "no drafts");
    }

    #[test]
    fn a_folder_that_others_may_write_is_not_trusted() {
        let directory = tempfile::tempdir().expect("a folder");
        let path = unpack(directory.path()).expect("it can be written");
        let own = path.parent().expect("a folder");
        fs::set_permissions(own, fs::Permissions::from_mode(0o777)).expect("ours");
        let error = unpack(directory.path()).expect_err("anybody may have put a jar there");
        assert!(matches!(error, BridgeError::Jar { .. }));
    }
}
