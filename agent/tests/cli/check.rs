//! What `check` says, the start does.

use super::{Place, SEQ, stderr, stdout};
use std::fs;

/// What `check` prints of `place`'s `a.conf` starts, or is refused by the start with the same findings and exit code.
fn check_and_start_agree(place: &Place, agent: &str) {
    let checked = place.output(&format!("check -n {agent} -f a.conf"));
    let report = stdout(&checked);
    let runs = report.starts_with(&format!("agent `{agent}` runs here"));
    assert_eq!(runs, checked.status.code() == Some(0), "{report}");
    if runs {
        let (code, text) = place.until_ready(&format!("agent -n {agent} -f a.conf --drain-timeout 0"));
        assert!([Some(0), Some(3)].contains(&code), "{code:?} of {report}{text}");
        return;
    }
    let started = place.output(&format!("agent -n {agent} -f a.conf"));
    let log = stderr(&started);
    assert_eq!(started.status.code(), checked.status.code(), "{report}{log}");
    for severity in [": error: ", ": warning: ", ": note: "] {
        for (place, what) in report.lines().filter_map(|line| line.split_once(severity)) {
            let (what, code) = what.rsplit_once(" [").expect("a code");
            let same = |line: &str| {
                line.contains(place) && line.contains(what) && line.ends_with(&format!("[{code}"))
            };
            assert!(log.lines().any(same), "{place}: {what} [{code}\n{log}");
        }
    }
}

#[test]
fn what_check_accepts_starts_and_what_the_start_refuses_check_refuses_alike() {
    for (old, new) in [
        ("", ""),
        (
            "sinks.k1.type = null",
            "sinks.k1.type = avro\na1.sinks.k1.hostname = 127.0.0.1\na1.sinks.k1.port = 1",
        ),
        (
            "sources.r1.type = seq",
            "sources.r1.type = netcat\na1.sources.r1.bind = 127.0.0.1\na1.sources.r1.port = 0",
        ),
        ("sources.r1.type = seq", "sources.r1.type = exec\na1.sources.r1.command = true"),
        (
            "sources.r1.type = seq",
            "sources.r1.type = exec\na1.sources.r1.command = true # c\na1.sources.r1.x = y",
        ),
        ("sinks.k1.type = null", "sinks.k1.type = com.example.Own"),
        ("sinks.k1.type = null", "sinks.k1.type = nul"),
        ("channels.c1.type = memory", "channels.c1.type = memory\na1.channels.c1.capacity = 7"),
        (
            "sources.r1.type = seq",
            "sources.r1.type = avro\na1.sources.r1.bind = h\na1.sources.r1.port = 1\na1.sources.r1.ssl = true\na1.sources.r1.keystore = /no/such\na1.sources.r1.keystore-password = x",
        ),
    ] {
        check_and_start_agree(
            &Place::with("a.conf", &SEQ.replacen(old, new, usize::from(!old.is_empty()))),
            "a1",
        );
    }
}

#[test]
fn a_directory_that_cannot_be_used_is_a_finding_of_check_and_of_the_start() {
    let source = "sources.r1.type = spooldir\na1.sources.r1.spoolDir = no/such";
    let sink = "sinks.k1.type = file_roll\na1.sinks.k1.sink.directory = a.conf";
    let text = SEQ.replacen("sources.r1.type = seq", source, 1).replacen("sinks.k1.type = null", sink, 1);
    let place = Place::with("a.conf", &text);
    let checked = place.output("check -n a1 -f a.conf");
    let (code, log) = place.until_ready("agent -n a1 -f a.conf --drain-timeout 0");
    assert_eq!((checked.status.code(), code), (Some(0), Some(0)), "{log}");
    for text in [stdout(&checked), log] {
        for what in ["the spoolDir no/such cannot be used", "the sink.directory a.conf is a regular file"] {
            let found = |line: &str| line.contains(what) && line.ends_with("[unusable-directory]");
            assert!(text.lines().any(found), "{what}: {text}");
        }
    }
}

#[test]
fn what_is_wrong_with_monitoring_is_a_finding_of_check_and_of_the_start() {
    let place = Place::with("a.conf", SEQ);
    for (option, said) in [
        ("port=x", "write a whole number from 1 to 65535"),
        ("tokenFile=/no/such", "cannot be read"),
        ("ssl=true", "wanted by `ssl = true`"),
    ] {
        let options = format!("-n a1 -f a.conf -Dflume.monitoring.type=http -Dflume.monitoring.{option}");
        let checked = place.output(&format!("check {options}"));
        let started = place.output(&format!("agent {options}"));
        assert_eq!((checked.status.code(), started.status.code()), (Some(2), Some(2)), "{option}");
        for text in [stdout(&checked), stderr(&started)] {
            assert!(text.contains(said) && text.contains("[monitoring]"), "{option}: {text}");
        }
    }
}

/// Commands, ports and paths of published files are replaced by harmless ones, as they would be run, opened and written.
#[test]
#[ignore = "needs FLUME_CONFIGS, a folder of *.conf files"]
fn check_and_start_agree_about_published_files() {
    let folder = std::env::var_os("FLUME_CONFIGS").expect("FLUME_CONFIGS names a folder");
    let reviewed = include_str!("../../../common/components/testdata/verdicts.tsv");
    let mut looked_at = 0;
    for line in reviewed.lines() {
        let mut words = line.split('\t');
        let (Some(file), Some(agent)) = (words.next(), words.next()) else { continue };
        let bytes = fs::read(std::path::Path::new(&folder).join(file)).expect("a file of the folder");
        // Latin-1 keeps all bytes, and a continued line is one for this purpose.
        let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
        let harmless = |line: &str| {
            let Some((key, value)) = line.split_once('=') else { return line.to_owned() };
            let last = key.trim().rsplit('.').next().unwrap_or_default().to_owned();
            let number = value.trim().parse::<u16>().is_ok();
            match last.as_str() {
                "command" if !key.contains("configfilters") => format!("{key}= true"),
                "port" if number && key.contains(".sinks.") => format!("{key}= 1"),
                "port" if number => format!("{key}= 0"),
                "bind" | "hostname" if !value.trim().is_empty() && !value.contains('#') => {
                    format!("{key}= 127.0.0.1")
                }
                "positionFile" => format!("{key}= position.json"),
                "directory" if key.contains("sink.directory") => format!("{key}= ."),
                _ => line.to_owned(),
            }
        };
        let text = text.lines().map(harmless).collect::<Vec<_>>().join("\n") + "\n";
        let bytes: Vec<u8> = text.chars().map(|sign| u8::try_from(u32::from(sign)).unwrap_or(b'?')).collect();
        let place = Place::with("a.conf", "");
        fs::write(place.path("a.conf"), bytes).expect("a file");
        check_and_start_agree(&place, agent);
        looked_at += 1;
    }
    assert!(looked_at > 100, "{looked_at} agents were looked at");
}
