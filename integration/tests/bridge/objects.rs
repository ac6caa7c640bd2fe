//! Classes that pass objects beside headers and body, here and in real Flume.

use super::agent::{kill_jvm, lines};
use integration::{
    console::Console,
    flume::{
        Flume, Launch, Version,
        bridge::{environment, plugins},
    },
    solo::{Solo, until},
};
use std::{collections::BTreeMap, fs, path::Path};

/// A source whose events go to sinks that cast them, behind memory channels and one in the JVM, and to a native one; and a native
/// source whose interceptor makes such events.
const ALL_WAYS: &str = "a1.sources = r1 r2\na1.channels = c1 c2 c3 c4 c5\na1.sinks = k1 k2 k3 k4 k5\n\
    a1.channels.c1.type = memory\na1.channels.c2.type = memory\na1.channels.c3.type = memory\na1.channels.c4.type = memory\n\
    a1.channels.c1.capacity = 1000\na1.channels.c2.capacity = 1000\na1.channels.c3.capacity = 1000\na1.channels.c4.capacity = 1000\n\
    a1.channels.c5.type = org.acme.Carrying$Queue\na1.channels.c5.capacity = 1000\n\
    a1.sinks.k5.type = org.acme.Carrying$Writer\na1.sinks.k5.channel = c5\na1.sinks.k5.file = DIR/out/k5\n\
    a1.sources.r1.type = org.acme.Carrying$Maker\na1.sources.r1.channels = c1 c2 c4 c5\na1.sources.r1.interceptors = i1 i2\n\
    a1.sources.r1.interceptors.i1.type = org.acme.Carrying$Noting$Builder\n\
    a1.sources.r1.interceptors.i2.type = static\na1.sources.r1.interceptors.i2.key = s\na1.sources.r1.interceptors.i2.value = v\n\
    a1.sources.r2.type = exec\na1.sources.r2.command = seq 0 299\na1.sources.r2.channels = c3\n\
    a1.sources.r2.interceptors = i1\na1.sources.r2.interceptors.i1.type = org.acme.Carrying$Noting$Builder\n\
    a1.sources.r2.interceptors.i1.wrap = true\n\
    a1.sinks.k1.type = org.acme.Carrying$Writer\na1.sinks.k1.channel = c1\na1.sinks.k1.file = DIR/out/k1\n\
    a1.sinks.k2.type = org.acme.Carrying$Writer\na1.sinks.k2.channel = c2\na1.sinks.k2.file = DIR/out/k2\n\
    a1.sinks.k3.type = org.acme.Carrying$Writer\na1.sinks.k3.channel = c3\na1.sinks.k3.file = DIR/out/k3\n\
    a1.sinks.k4.type = file_roll\na1.sinks.k4.channel = c4\na1.sinks.k4.sink.directory = DIR/plain\n\
    a1.sinks.k4.sink.rollInterval = 0\na1.sinks.k4.sink.serializer = avro_event\n";

/// A folder for the files of `text`.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    ["out", "plain"].iter().for_each(|name| fs::create_dir(folder.path().join(name)).expect("a folder"));
    folder
}

fn written(dir: &Path) -> [BTreeMap<String, usize>; 4] {
    ["k1", "k2", "k5", "k3"].map(|name| lines(&dir.join("out").join(name)))
}

fn are_all_there(dir: &Path) -> bool {
    written(dir).map(|lines| lines.len()) == [100, 100, 100, 300]
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn a_class_gets_the_very_objects_that_another_has_made_as_in_flume() {
    let classes = plugins().unwrap_or_else(|why| panic!("{why}"));
    for version in Version::ALL {
        let (here, there) = (folder(), folder());
        let file = there.path().join("a1.properties");
        fs::write(&file, ALL_WAYS.replace("DIR/", &format!("{}/", there.path().display()))).expect("a file");
        let launch = Launch { classes: Some(classes.clone()), ..Launch::default() };
        let _flume = Flume::start_as(version, &file, "a1", there.path(), &launch, &Console::default())
            .expect("it starts");
        let words = environment(version);
        let solo = Solo::start_in(here, ALL_WAYS, &words.iter().map(String::as_str).collect::<Vec<_>>());
        until("all come here", || are_all_there(&solo.path("")));
        until("all come in Flume", || are_all_there(there.path()));
        assert_eq!(written(&solo.path("")), written(there.path()), "Flume {version:?}");
        let [first, second, own, third] = written(&solo.path(""));
        assert_eq!([&second, &own], [&first, &first]);
        assert_eq!(first.get("7{noted=yes, s=v}[made, noted]"), Some(&1), "{first:?}");
        assert_eq!(third.get("7{}[wrapped]"), Some(&1), "{third:?}");
        let plain = |dir: &Path| {
            let files = fs::read_dir(dir).expect("a folder").flatten();
            files.map(|entry| fs::metadata(entry.path()).map_or(0, |file| file.len())).sum::<u64>()
        };
        until("the native sink has them", || plain(&solo.path("plain")) > 0);
        let bytes: Vec<u8> = fs::read_dir(solo.path("plain"))
            .expect("a folder")
            .flatten()
            .flat_map(|entry| fs::read(entry.path()).expect("a file"))
            .collect();
        let has = |text: &[u8]| bytes.windows(text.len()).any(|part| part == text);
        assert!(has(b"\x0anoted\x06yes") && !has(b"made"), "nothing of the objects is seen elsewhere");
    }
}

/// The sink waits for a file.
const HELD: &str = "a1.sources = r1\na1.channels = c1\na1.sinks = k1\na1.channels.c1.type = memory\n\
    a1.sources.r1.type = org.acme.Carrying$Maker\na1.sources.r1.channels = c1\na1.sources.r1.end = 90\na1.sources.r1.done = DIR/done\n\
    a1.sinks.k1.type = org.acme.Carrying$Writer\na1.sinks.k1.channel = c1\na1.sinks.k1.file = DIR/out/k1\na1.sinks.k1.from = DIR/go\n";

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn events_whose_objects_have_ended_with_their_jvm_are_set_aside_and_new_ones_arrive() {
    let directory = folder();
    let mut words = environment(Version::V1_11);
    words.push(format!("HOME={}", directory.path().display()));
    let solo = Solo::start_in(directory, HELD, &words.iter().map(String::as_str).collect::<Vec<_>>());
    until("events wait", || solo.path("done").exists());
    kill_jvm(&solo);
    fs::write(solo.path("go"), "").expect("a file");
    until("the new source's events arrive", || lines(&solo.path("out/k1")).len() >= 90);
    solo.wait_for("came with objects of Java classes, which are gone");
    assert!(fs::read_dir(solo.path(".flume/set-aside")).is_ok_and(|mut files| files.next().is_some()));
}

/// Some objects do not take their headers, on the way to a sink and into a channel of the JVM.
const STUBBORN: &str = "a1.sources = r1\na1.channels = c1 c2\na1.sinks = k1 k2\na1.channels.c1.type = memory\n\
    a1.channels.c2.type = org.acme.Carrying$Queue\na1.channels.c2.capacity = 1000\n\
    a1.sources.r1.type = org.acme.Carrying$Maker\na1.sources.r1.channels = c1 c2\na1.sources.r1.stubborn = true\n\
    a1.sinks.k1.type = org.acme.Carrying$Writer\na1.sinks.k1.channel = c1\na1.sinks.k1.file = DIR/out/k1\n\
    a1.sinks.k2.type = org.acme.Carrying$Writer\na1.sinks.k2.channel = c2\na1.sinks.k2.file = DIR/out/k2\n";

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn an_object_that_does_not_take_its_headers_goes_on_without_itself_and_ends_nothing() {
    let words = environment(Version::V1_11);
    let solo = Solo::start_in(folder(), STUBBORN, &words.iter().map(String::as_str).collect::<Vec<_>>());
    for sink in ["out/k1", "out/k2"] {
        until("all arrive", || lines(&solo.path(sink)).len() == 100);
        let lines = lines(&solo.path(sink));
        let is = |line: &str| lines.get(line) == Some(&1);
        assert!(is("7{}[made]"), "{lines:?}");
        assert!(is("6{asked=false}") || is("6{asked=true}"), "{lines:?}");
    }
    solo.wait_for("an event of class org.acme.Carrying$Stubborn does not take its headers and body");
}
