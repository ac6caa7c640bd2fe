//! `tool`: Flume's own tools, run with the Flume of this host. Its one tool checks the files of a file channel.

use crate::{
    LACKS, Role, complain,
    java::Words,
    jvm::{self, Given},
};
use std::{
    ffi::{OsStr, OsString},
    path::PathBuf,
    process::ExitCode,
};

/// Becomes Flume's tool, as `flume-ng tool` does; returns only if that cannot be.
pub(crate) fn tool(role: Role, words: &Words) -> ExitCode {
    let (mut given, arguments) = apart(&words.rest);
    given.flags.clone_from(&words.flags);
    given.properties.clone_from(&words.properties);
    let why = jvm::becomes(&given, CLASS, &arguments);
    complain(role, &format!("tool: Flume's tools are Java programs and run with a Flume's jars: {why}"));
    ExitCode::from(LACKS)
}

/// What says where the jars are, apart from what is the tool's.
fn apart(words: &[OsString]) -> (Given, Vec<OsString>) {
    let (mut given, mut rest) = (Given::default(), Vec::new());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let text = |value: Option<&OsString>| value.map(|value| value.to_string_lossy().into_owned());
        match word.to_str() {
            Some("-c" | "--conf") => given.conf = words.next().map(PathBuf::from),
            Some("-C" | "--classpath") => given.class_path = text(words.next()),
            Some("--plugins-path") => given.plugins_path = text(words.next()),
            _ => rest.push(AsRef::<OsStr>::as_ref(word).to_owned()),
        }
    }
    (given, rest)
}

const CLASS: &str = "org.apache.flume.tools.FlumeToolsMain";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_launcher_are_not_the_tools() {
        let words = ["fcintegritytool", "-c", "conf", "-l", "/data", "-C", "a.jar"].map(OsString::from);
        let (given, rest) = apart(&words);
        assert_eq!(rest, ["fcintegritytool", "-l", "/data"]);
        assert_eq!((given.conf, given.class_path.as_deref()), (Some("conf".into()), Some("a.jar")));
    }
}
