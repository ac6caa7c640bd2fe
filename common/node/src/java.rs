//! What a command line holds for the JVM: `-D` properties, which count, and flags, which do not.

use std::{
    ffi::{OsStr, OsString},
    fmt,
};

/// The words of a command line, apart by whom they are for.
#[derive(Default, PartialEq, Eq)]
pub(crate) struct Words {
    /// `-Dkey=value`, in order; without `=` the value is empty, as Java has it.
    pub(crate) properties: Vec<(String, String)>,
    /// `-Xmx20m`, `-agentlib:…` and their like.
    pub(crate) flags: Vec<String>,
    /// What cannot be read, in an operator's words.
    pub(crate) unreadable: Option<String>,
    /// All others, in order, with two dashes in front of long names.
    pub(crate) rest: Vec<OsString>,
}

/// Shows no value.
impl fmt::Debug for Words {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.properties.iter().map(|(name, _)| name).collect::<Vec<_>>();
        let (flags, rest) = (self.flags.len(), self.rest.len());
        write!(out, "Words {{ properties: {names:?}, {flags} flags, {rest} others }}")
    }
}

/// Takes a command line apart. `-D` and JVM flags may stand anywhere, as `flume-ng` has it.
pub(crate) fn split(arguments: impl IntoIterator<Item = OsString>) -> Words {
    let mut words = Words::default();
    for word in arguments {
        match word.to_str() {
            Some(text) if text.starts_with("-D") => words.properties.push(property(text)),
            Some(text) if FLAGS.iter().any(|flag| text.starts_with(flag)) => {
                words.flags.push(text.to_owned())
            }
            None if word.as_encoded_bytes().starts_with(b"-D") => words.unreadable = Some(not_text(&word)),
            None if is_flag(&word) => words.flags.push(word.to_string_lossy().into_owned()),
            _ => words.rest.push(two_dashes(word)),
        }
    }
    words
}

/// The properties in the text of `JAVA_OPTS`; `flume-ng` hands that to the JVM in front of the command line's own.
pub(crate) fn properties_of(java_opts: &str) -> Vec<(String, String)> {
    java_opts.split_whitespace().filter(|word| word.starts_with("-D")).map(property).collect()
}

/// Properties of `JAVA_OPTS` and `FLUME_JAVA_OPTS`.
pub(crate) fn properties_of_environment() -> Vec<(String, String)> {
    let variables = ["JAVA_OPTS", "FLUME_JAVA_OPTS"].into_iter().filter_map(|name| std::env::var(name).ok());
    variables.flat_map(|text| properties_of(&text)).collect()
}

/// Properties of `JAVA_OPTS` and `FLUME_JAVA_OPTS`, which `flume-ng` hands to the JVM first, then the command line's.
pub(crate) fn all_properties(words: &Words) -> Vec<(String, String)> {
    let mut properties = properties_of_environment();
    properties.extend(words.properties.iter().cloned());
    properties
}

/// Variables of `environment` that would count if they were text, each with what to do.
pub(crate) fn not_text_variables(environment: impl Iterator<Item = (OsString, OsString)>) -> Vec<String> {
    let counts = |name: &str| name == "JAVA_OPTS" || name.starts_with("FLUME_");
    let told = |(name, value): (OsString, OsString)| {
        let name = name.to_string_lossy();
        (counts(&name) && value.to_str().is_none()).then(|| {
            format!(
                "the environment variable {} is not UTF-8 text, so that it has no effect; write it in UTF-8",
                plan::cut(&name, 80)
            )
        })
    };
    environment.filter_map(told).collect()
}

/// The value of `key`, the last one that was given.
pub(crate) fn last<'a>(properties: &'a [(String, String)], key: &str) -> Option<&'a str> {
    properties.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
}

fn is_flag(word: &OsStr) -> bool {
    FLAGS.iter().any(|flag| word.as_encoded_bytes().starts_with(flag.as_bytes()))
}

/// About a word whose bytes are no UTF-8. What stands behind its `=` may be a password and is not shown.
pub(crate) fn not_text(word: &OsStr) -> String {
    let text = word.to_string_lossy();
    let name = text.split_once('=').map_or(&*text, |(name, _)| name);
    format!(
        "`{}`: its bytes are not UTF-8 text, so it cannot be taken; write it in UTF-8, as a terminal with a UTF-8 locale does",
        plan::cut(name, 80).escape_debug()
    )
}

fn property(word: &str) -> (String, String) {
    let text = word.strip_prefix("-D").unwrap_or(word);
    let (key, value) = text.split_once('=').unwrap_or((text, ""));
    (key.to_owned(), value.to_owned())
}

/// Java's option parser takes a long name behind one dash too: `-name a1`, `-conf-file=x`.
fn two_dashes(word: OsString) -> OsString {
    let Some(text) = word.to_str() else { return word };
    let Some(name) = text.strip_prefix('-') else { return word };
    let long = name.split_once('=').map_or(name, |(name, _)| name);
    if !LONG_NAMES.contains(&long) {
        return word;
    }
    let mut long = OsString::from("--");
    long.push(OsStr::new(name));
    long
}

/// Fronts of words that `flume-ng` hands to the JVM.
const FLAGS: &[&str] = &["-X", "-agentlib", "-agentpath", "-javaagent"];

/// Flume's long names, and its short ones of more than one letter.
const LONG_NAMES: &[&str] = &[
    "name",
    "conf",
    "conf-file",
    "no-reload-conf",
    "help",
    "zkConnString",
    "zkBasePath",
    "conf-uri",
    "conf-provider",
    "prov",
    "auth-provider",
    "user",
    "conf-user",
    "pwd",
    "conf-password",
    "poll-interval",
    "backup-directory",
    "if-version",
    "classpath",
    "plugins-path",
    "dryrun",
    "version",
    "host",
    "port",
    "rpcProps",
    "filename",
    "headerFile",
    "dirname",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn split_text(line: &str) -> Words {
        split(line.split(' ').map(OsString::from))
    }

    #[test]
    fn properties_and_flags_stand_anywhere() {
        let words = split_text("-Da=b=c agent -n a1 -Xmx20m -f x -agentlib:jdwp=transport=dt -Dempty -a me");
        assert_eq!(words.properties, [("a".into(), "b=c".into()), ("empty".into(), String::new())]);
        assert_eq!(words.flags, ["-Xmx20m", "-agentlib:jdwp=transport=dt"]);
        assert_eq!(words.rest, ["agent", "-n", "a1", "-f", "x", "-a", "me"]);
    }

    #[test]
    fn long_names_may_have_one_dash() {
        let words = split_text("-name a1 -conf-file=x -conf . -n a1 -user me -confx");
        let expected = ["--name", "a1", "--conf-file=x", "--conf", ".", "-n", "a1", "--user", "me", "-confx"];
        assert_eq!(words.rest, expected);
    }

    #[test]
    fn bytes_that_are_no_text_are_told_by_the_name_alone() {
        use std::os::unix::ffi::OsStringExt;
        let word = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
        let words = split([word(b"-Dkey=hunter2\xff"), word(b"-Xa\xff"), word(b"-f"), word(b"\xff.conf")]);
        let told = words.unreadable.expect("a word that is no text");
        assert!(told.starts_with("`-Dkey`: its bytes are not UTF-8") && !told.contains("hunter2"), "{told}");
        assert_eq!((words.flags.len(), words.rest.len()), (1, 2));
        let words = split([word(b"-Dpwd=hunter2")]);
        assert_eq!(format!("{words:?}"), "Words { properties: [\"pwd\"], 0 flags, 0 others }");
    }

    #[test]
    fn variables_that_are_no_text_are_told() {
        use std::os::unix::ffi::OsStringExt;
        let pair = |name: &str, value: &[u8]| (OsString::from(name), OsString::from_vec(value.to_vec()));
        let told = not_text_variables(
            [
                pair("JAVA_OPTS", b"-Da=\xff"),
                pair("FLUME_SSL_KEYSTORE_PASSWORD", b"hunter2\xff"),
                pair("LANG", b"\xff"),
            ]
            .into_iter()
            .chain([pair("FLUME_JAVA_OPTS", "-Da=\u{fc}".as_bytes())]),
        );
        assert!(told.len() == 2 && told[0].contains("JAVA_OPTS is not UTF-8 text"), "{told:?}");
        assert!(!told.concat().contains("hunter2"), "{told:?}");
    }

    #[test]
    fn the_last_of_a_property_counts() {
        let properties = properties_of("-Xmx1g -Dx=1 -Dy=2  -Dx=3");
        assert_eq!((last(&properties, "x"), last(&properties, "z")), (Some("3"), None));
    }
}
