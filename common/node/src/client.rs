//! `avro-client`: sends lines, with the options of `flume-ng avro-client`; Flume's own program where a Java class is asked for.

use crate::{
    FAILED, LACKS, Role, WRONG, complain,
    java::{self, Words},
    jvm::{self, Given},
    logging,
    options::ClientOptions,
};
use console::Console;
use plan::{
    Report, Severity, cut,
    properties::{Entry, parse},
    secret::{HIDDEN, is_secret},
};
use rpc::client::{self, Failure, Input};
use slog::{Logger, error, warn};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

/// Sends what `options` name and returns when all of it has arrived, or cannot.
pub(crate) fn run(role: Role, options: &ClientOptions, words: &Words) -> ExitCode {
    let mut notices = Vec::new();
    let wrong = |text: String| {
        complain(role, &format!("{NAME}: {text}"));
        ExitCode::from(WRONG)
    };
    let properties = match properties(options, &mut notices) {
        Ok(properties) => properties,
        Err(text) => return wrong(text),
    };
    if let Some(named) = client::java_class(&properties) {
        return by_flume(role, options, words, &named).unwrap_or_else(wrong);
    }
    let headers = options.header_file.as_deref().map(|path| headers(path, &mut notices)).transpose();
    let headers = match headers {
        Ok(headers) => headers.unwrap_or_default(),
        Err(text) => return wrong(text),
    };
    let system = java::all_properties(words);
    let logging = logging::on_the_console(&system, "flume");
    let console = Console::stderr(logging.settings);
    let _flushed = console.flush_on_drop(LAST_LINES);
    let log = console.logger();
    notices.extend(java::not_text_variables(std::env::vars_os()));
    for notice in logging.notices.into_iter().chain(notices) {
        warn!(log, "{notice}");
    }
    let options = client::Options { properties, headers, input: input(options), system, log: log.clone() };
    outcome(&log, client::run(options))
}

/// What is wrong with the options themselves; `None` when they can be used. Where Flume has words for it, they are its.
pub(crate) fn wrong(options: &ClientOptions) -> Option<String> {
    let text = match (&options.rpc_props, &options.host, &options.port) {
        _ if options.filename.is_some() && options.dirname.is_some() => {
            "--filename and --dirname options cannot be used simultaneously"
        }
        (Some(_), _, _) | (None, Some(_), Some(_)) => return None,
        (None, Some(_), None) => "You must specify a port to connect to with --port",
        (None, None, Some(_)) => "You must specify a hostname to connect to with --host",
        (None, None, None) => "Either --rpcProps or both --host and --port must be specified.",
    };
    Some(text.to_owned())
}

/// Becomes Flume's own client, which alone can make the class that `named` has. Returns only if that cannot be.
///
/// # Errors
/// The properties could not be read a second time.
fn by_flume(role: Role, options: &ClientOptions, words: &Words, named: &str) -> Result<ExitCode, String> {
    if let Some(path) = options.rpc_props.as_deref().filter(|path| !path.is_file()) {
        return Err(format!(
            "{} is no regular file: {named} is a Java class, whose client reads the properties itself, and they are read once \
             already; write them to a file",
            path.display()
        ));
    }
    let given = Given {
        conf: options.conf.clone(),
        class_path: options.classpath.clone(),
        plugins_path: options.plugins_path.clone(),
        flags: words.flags.clone(),
        properties: words.properties.clone(),
        ..Given::default()
    };
    let why = jvm::becomes(&given, CLASS, &arguments(options));
    complain(role, &format!("{NAME}: {named} is a Java class and runs with a Flume's jars: {why}"));
    Ok(ExitCode::from(LACKS))
}

/// The command line for Flume's own client: all but the launcher's words.
fn arguments(options: &ClientOptions) -> Vec<OsString> {
    let ClientOptions { host, port, rpc_props, filename, dirname, header_file, .. } = options;
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.clone().into_os_string());
    let words = [
        ("--host", host.as_ref().map(OsString::from)),
        ("--port", port.map(|port| port.to_string().into())),
        ("--rpcProps", path(rpc_props)),
        ("--filename", path(filename)),
        ("--dirname", path(dirname)),
        ("--headerFile", path(header_file)),
    ];
    let given = words.into_iter().filter_map(|(name, value)| Some([name.into(), value?]));
    given.flatten().collect()
}

fn outcome(log: &Logger, sent: Result<u64, Failure>) -> ExitCode {
    match sent {
        Ok(_) => ExitCode::SUCCESS,
        Err(failure) => {
            error!(log, "{NAME}: {failure}");
            ExitCode::from(if matches!(failure, Failure::Settings(_)) { WRONG } else { FAILED })
        }
    }
}

fn input(options: &ClientOptions) -> Input {
    match (&options.filename, &options.dirname) {
        (Some(path), _) => Input::File(path.clone()),
        (None, Some(path)) => Input::Directory(path.clone()),
        (None, None) => Input::Stdin,
    }
}

/// What the client is made from: the file given with `-P`, which wins, or one host.
fn properties(options: &ClientOptions, notices: &mut Vec<String>) -> Result<Vec<(String, String)>, String> {
    let Some(path) = &options.rpc_props else {
        let host = options.host.as_deref().unwrap_or_default();
        let address = format!("{host}:{}", options.port.unwrap_or_default());
        return Ok([("hosts", "h1".to_owned()), ("hosts.h1", address)]
            .map(|(key, value)| (key.to_owned(), value))
            .into());
    };
    if options.host.is_some() || options.port.is_some() {
        notices.push("--host and --port have no effect beside --rpcProps, which names the hosts".to_owned());
    }
    let entries = entries(path, notices)?;
    Ok(entries.into_iter().map(|entry| without_comment(entry, notices)).collect())
}

/// What reads like a comment is one: to Java it belongs to the value, and nothing that a client takes has a `#` in it.
fn without_comment(entry: Entry, notices: &mut Vec<String>) -> (String, String) {
    let Entry { key, value, comment, .. } = entry;
    match comment {
        None => (key, value),
        Some(comment) => {
            let shown = if is_secret(&key) { HIDDEN.to_owned() } else { cut(&comment.text, MOST_SHOWN) };
            notices.push(format!(
                "{}: `{shown}` reads like a comment and is taken for one; in Flume it belongs to the value of {key}: \
                 comments stand on lines of their own",
                comment.at
            ));
            (key, comment.value)
        }
    }
}

/// The last of equal names wins, as in Java.
fn headers(path: &Path, notices: &mut Vec<String>) -> Result<Vec<(String, String)>, String> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for Entry { key, value, .. } in entries(path, notices)? {
        headers.retain(|(name, _)| *name != key);
        headers.push((key, value));
    }
    Ok(headers)
}

fn entries(path: &Path, notices: &mut Vec<String>) -> Result<Vec<Entry>, String> {
    let name = path.display().to_string();
    let bytes = plan::input::read(path, MOST_BYTES, PATIENCE_SECONDS, &|what| eprintln!("{what}"))
        .map_err(|error| format!("cannot read {name}: {error}"))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(format!("{name} has more than {} MiB: that is no properties file", MOST_BYTES >> 20));
    }
    let mut report = Report::default();
    let entries = parse(&name, &bytes, &mut report);
    for problem in &report.problems {
        let text = format!("{}: {}", problem.place, problem.what);
        match problem.severity {
            Severity::Error => return Err(text),
            Severity::Warning => notices.push(text),
            Severity::Note => {}
        }
    }
    Ok(entries)
}

const NAME: &str = "avro-client";
/// Flume's own.
const CLASS: &str = "org.apache.flume.client.avro.AvroCLIClient";

/// A pipe in place of a properties file may be silent for so long, in seconds.
const PATIENCE_SECONDS: u32 = 10;
/// Bytes of a text that is quoted.
const MOST_SHOWN: usize = 80;

/// A properties file is not larger, in bytes.
const MOST_BYTES: u64 = 4 << 20;

/// How long the last log lines may take at the end.
const LAST_LINES: Duration = Duration::from_secs(1);
