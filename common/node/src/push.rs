//! `push`: writes an agent's text into ZooKeeper, where agents with `-z` find it.

use crate::{
    FAILED, Role, WRONG, check, complain,
    java::{self, Words},
    jvm::Given,
    kerberos::JavaKerberos,
    load::{Loader, Wanted},
    options::PushOptions,
    origin::{Texts, ensemble, settings},
    print,
};
use rpc::zookeeper::{Client, Ensemble, Trouble};
use runtime::kerberos::Kerberos;
use std::{collections::HashMap, process::ExitCode, sync::Arc};
use tokio::runtime::Builder;
use wire::zookeeper::code;

/// Checks the file that `options` name, and writes it.
pub(crate) fn push(role: Role, options: &PushOptions, words: &Words) -> ExitCode {
    let properties = java::all_properties(words);
    let jvm = Given::new(&options.java, words);
    let kerberos = JavaKerberos::of(&jvm);
    settings(&properties, &kerberos).notices().iter().for_each(|text| complain(role, text));
    let place = ensemble(&options.zk_connection, &properties, &kerberos).and_then(|ensemble| {
        let path = ensemble.node(options.zk_base_path.as_deref(), &options.name)?;
        Ok((ensemble, path))
    });
    let read = place.and_then(|place| Ok((place, checked(role, options, properties, (jvm, kerberos))?)));
    let ((ensemble, path), bytes) = match read {
        Ok((place, Ok(bytes))) => (place, bytes),
        Ok((_, Err(code))) => return code,
        Err(text) => {
            complain(role, &format!("{NAME}: {text}"));
            return ExitCode::from(WRONG);
        }
    };
    let written = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("the system gives no means to ask a server: {error}"))
        .and_then(|runtime| runtime.block_on(write(&ensemble, &path, &bytes, options.if_version)));
    match written {
        Ok(text) => print(&format!("{text}\n")),
        Err(text) => {
            complain(role, &format!("{NAME}: {text}"));
            ExitCode::from(FAILED)
        }
    }
}

/// The file's bytes, when they may be written; else how the process ends.
fn checked(
    role: Role,
    options: &PushOptions,
    properties: Vec<(String, String)>,
    (jvm, kerberos): (Given, Arc<dyn Kerberos>),
) -> Result<Result<Vec<u8>, ExitCode>, String> {
    let wanted = Wanted {
        name: Some(options.name.clone()),
        properties,
        strict_flume: options.ours.strict_flume,
        in_part: options.ours.start_in_part,
        jvm,
        kerberos,
    };
    let read = Texts::of_file(&options.conf_file, &wanted)?.read();
    let bytes = read.texts.first().map(|text| text.bytes.clone()).unwrap_or_default();
    let mut loaded = Loader::new(wanted).load(read)?;
    loaded.probe();
    print(&check::text(&loaded.report, &options.name));
    let code = check::exit_code(&loaded.report, false);
    if code != 0 {
        complain(role, &format!("{NAME}: nothing is written, because of the errors above"));
        return Ok(Err(ExitCode::from(code)));
    }
    may_be_written(&bytes).map(|()| Ok(bytes))
}

/// What a node's text must be besides right.
fn may_be_written(bytes: &[u8]) -> Result<(), String> {
    if std::str::from_utf8(bytes).is_err() {
        return Err(
            "the file is not UTF-8, and Flume reads a node as UTF-8: save it in UTF-8; nothing is written"
                .to_owned(),
        );
    }
    if bytes.len() > MOST_BYTES {
        return Err(format!(
            "the file has {} bytes, and a node of ZooKeeper takes {MOST_BYTES} (`jute.maxbuffer`); nothing is written",
            bytes.len()
        ));
    }
    Ok(())
}

/// Writes what is not there yet, over nothing that has not been seen. Says what was done.
async fn write(ensemble: &Ensemble, path: &str, bytes: &[u8], wanted: Option<i32>) -> Result<String, String> {
    let away = |trouble: Trouble| format!("{path} is not written to ZooKeeper at {ensemble}: {trouble}");
    let mut client = Client::connect(ensemble).await.map_err(away)?;
    let old = client.get(path, false).await.map_err(away)?;
    let place = format!("{path} in ZooKeeper at {}", client.server());
    let size = format!("{} bytes", bytes.len());
    let text = match (&old, wanted) {
        (Some((_, version)), Some(wanted)) if *version != wanted => Err(format!(
            "{place} is at version {version}, not {wanted}: somebody has changed it; nothing is written"
        )),
        (None, Some(wanted)) => {
            Err(format!("there is no {place}, and so no version {wanted}; nothing is written"))
        }
        (None, None) => match client.create(path, bytes).await {
            Ok(()) => Ok(format!("wrote {place}: new, {size}, version 0")),
            Err(Trouble::Refused(code::NODE_EXISTS)) => Err(format!(
                "somebody else has made {place} just now; nothing is written: look at it and push again"
            )),
            Err(trouble) => Err(away(trouble)),
        },
        (Some((same, version)), _) if same == bytes => {
            Ok(format!("{place} has this text already (version {version}); nothing is written"))
        }
        (Some((before, version)), _) => match client.set(path, bytes, *version).await {
            Ok(now) => Ok(format!(
                "wrote {place}: {size}, version {now} after {version}, {}",
                difference(before, bytes)
            )),
            Err(Trouble::Refused(code::BAD_VERSION | code::NO_NODE)) => Err(format!(
                "somebody else has changed {place} just now; nothing is written: look at it and push again"
            )),
            Err(trouble) => Err(away(trouble)),
        },
    };
    client.close().await;
    text
}

/// How many lines one has and the other has not.
fn difference(before: &[u8], after: &[u8]) -> String {
    let mut lines: HashMap<&[u8], i64> = HashMap::new();
    after.split(|byte| *byte == b'\n').for_each(|line| *lines.entry(line).or_default() += 1);
    before.split(|byte| *byte == b'\n').for_each(|line| *lines.entry(line).or_default() -= 1);
    let new: i64 = lines.values().filter(|count| **count > 0).sum();
    let gone: i64 = lines.values().filter(|count| **count < 0).sum();
    format!("{new} lines new, {} gone", -gone)
}

const NAME: &str = "push";

/// A server takes 1048575 bytes in a request, unless its `jute.maxbuffer` was raised, and more than the text is in one.
const MOST_BYTES: usize = (1 << 20) - 1025;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_and_gone_is_counted_by_lines() {
        assert_eq!(difference(b"a\nb\nb\n", b"a\nb\nc\nd\n"), "2 lines new, 1 gone");
    }

    #[test]
    fn what_no_node_takes_is_told() {
        assert_eq!(may_be_written("a = \u{e9}".as_bytes()), Ok(()));
        assert!(may_be_written(b"a = \xe9").unwrap_err().contains("not UTF-8"));
        assert!(may_be_written(&vec![b'a'; 1 << 20]).unwrap_err().contains("1048576 bytes"));
    }
}
