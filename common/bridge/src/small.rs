//! What the small JVMs have in common that are for no components: how they are started, and frames behind their lengths.

use crate::launch;
use std::{collections::BTreeMap, ffi::OsStr, io, path::Path, process::Stdio};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    process::Command,
};

/// A JVM that is to be started.
pub(crate) struct Small<'a> {
    /// What the shell does first, and the name of its process until it is the JVM.
    pub(crate) before: (&'static str, &'static str),
    pub(crate) java: &'a Path,
    pub(crate) class_path: &'a OsStr,
    /// Its class.
    pub(crate) main: &'static str,
    pub(crate) environment: &'a BTreeMap<String, String>,
}

impl Small<'_> {
    /// Its command, with `options` of its own. Its input and output are pipes, and it ends when the child is dropped.
    pub(crate) fn command(&self, options: &[String]) -> Command {
        let (before, name) = self.before;
        let mut command = Command::new("/bin/sh");
        command
            .arg("-c")
            .arg(format!("{before}{}", launch::MOVE_PIPES))
            .arg(name)
            .arg(self.java)
            // No collector: a second one beside that of JAVA_TOOL_OPTIONS ends a JVM.
            .args(["-Xmx64m", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"])
            .args(options)
            .arg("-cp")
            .arg(self.class_path)
            .args([self.main, "/proc/self/fd/3", "/proc/self/fd/4"])
            .envs(self.environment)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        command
    }
}

/// Why the shell was not started.
pub(crate) fn not_started(error: io::Error) -> String {
    format!("/bin/sh, which is to become it, cannot be started: {error}")
}

/// These bytes behind their length; `None`: they are more than `most`.
pub(crate) fn framed(bytes: &[u8], most: usize) -> Option<Vec<u8>> {
    let length = u32::try_from(bytes.len()).ok().filter(|_| bytes.len() <= most)?;
    Some([&length.to_be_bytes()[..], bytes].concat())
}

/// Writes a frame, if there is still somebody to write to.
pub(crate) async fn write(to: Option<&mut (impl AsyncWrite + Unpin)>, frame: &[u8]) -> io::Result<()> {
    if let Some(to) = to {
        to.write_all(frame).await?;
        to.flush().await?;
    }
    Ok(())
}

/// The next frame; `None`: it is longer than `most`.
pub(crate) async fn next(from: &mut (impl AsyncRead + Unpin), most: usize) -> io::Result<Option<Vec<u8>>> {
    let length = from.read_u32().await? as usize;
    if length > most {
        return Ok(None);
    }
    let mut frame = vec![0; length];
    from.read_exact(&mut frame).await?;
    Ok(Some(frame))
}
