//! The released client side against the tests' own collector: what each program sends, in every detail that ours sees.

use integration::flume::{
    self, Version,
    avro::Event,
    client::{self, Client},
    stand_in::StandIn,
};
use std::{fs, time::Duration};

fn finish(mut client: Client) -> Vec<String> {
    let (ended, lines) = client.finish(PATIENCE).expect("it ends");
    assert!(ended.status.success(), "{lines:#?}");
    lines
}

fn bodies(events: &[Event]) -> Vec<String> {
    events.iter().map(|event| String::from_utf8_lossy(&event.body).into_owned()).collect()
}

fn numbered(name: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{name}-{n}")).collect()
}

fn hosts(stand_ins: &[&StandIn]) -> String {
    let names: Vec<String> = (0..stand_ins.len()).map(|n| format!("h{n}")).collect();
    let mut text = format!("hosts = {}\n", names.join(" "));
    for (name, stand_in) in names.iter().zip(stand_ins) {
        text.push_str(&format!("hosts.{name} = {}\n", stand_in.address()));
    }
    text
}

fn the_default_client(version: Version) {
    flume::require();
    let dir = tempfile::tempdir().expect("a folder");
    let stand_in = StandIn::listen().expect("a port");
    let how = hosts(&[&stand_in]);
    finish(client::sdk(version, &how, 250, 250, "many", dir.path()).expect("a JVM"));
    assert_eq!(bodies(&stand_in.events()), numbered("many", 250));
    let sizes: Vec<usize> = stand_in.calls().iter().map(|call| call.events.len()).collect();
    assert_eq!(sizes, [100, 100, 50], "batch-size is 100 and cuts a longer list");
    assert_eq!(stand_in.events()[7].headers, Event::new(&[("name", "many"), ("n", "7")], "").headers);

    finish(client::sdk(version, &how, 3, 1, "single", dir.path()).expect("a JVM"));
    assert!(stand_in.calls()[3..].iter().all(|call| call.message == "append"));
    assert_eq!(bodies(&stand_in.events())[250..], numbered("single", 3));
}

fn the_failover_client(version: Version) {
    flume::require();
    let dir = tempfile::tempdir().expect("a folder");
    let (mut first, second) = (StandIn::listen().expect("a port"), StandIn::listen().expect("a port"));
    let how = format!("client.type = default_failover\n{}", hosts(&[&first, &second]));
    first.close();
    finish(client::sdk(version, &how, 30, 10, "away", dir.path()).expect("a JVM"));
    assert_eq!(bodies(&second.events()), numbered("away", 30));

    first.open().expect("the port is still free");
    first.answer(&[1]);
    finish(client::sdk(version, &how, 30, 10, "refused", dir.path()).expect("a JVM"));
    let all = [bodies(&first.events()), bodies(&second.events())[30..].to_vec()].concat();
    assert_eq!(all.len(), 30, "a refused call goes to the next host, whole");
}

fn the_load_balancing_client(version: Version) {
    flume::require();
    let dir = tempfile::tempdir().expect("a folder");
    let (first, mut second) = (StandIn::listen().expect("a port"), StandIn::listen().expect("a port"));
    let how = format!(
        "client.type = default_loadbalance\nhost-selector = round_robin\nbackoff = true\n{}",
        hosts(&[&first, &second])
    );
    finish(client::sdk(version, &how, 40, 10, "even", dir.path()).expect("a JVM"));
    assert_eq!((first.events().len(), second.events().len()), (20, 20), "in turn");

    second.close();
    finish(client::sdk(version, &how, 40, 10, "one", dir.path()).expect("a JVM"));
    assert_eq!(bodies(&first.events())[20..], numbered("one", 40));
}

fn the_command_line_client(version: Version) {
    flume::require();
    let dir = tempfile::tempdir().expect("a folder");
    let stand_in = StandIn::listen().expect("a port");
    let (lines, headers) = (dir.path().join("lines.txt"), dir.path().join("headers.properties"));
    fs::write(&lines, "one\ntwo\r\nthree\n\nfive\nsix\nno end").expect("a file");
    fs::write(&headers, "Type = LOGIN\nCollector : x\n").expect("a file");
    let port = stand_in.address().port().to_string();
    let (file, extra) = (lines.display().to_string(), headers.display().to_string());
    let options = ["-H", "127.0.0.1", "-p", &port, "-F", &file, "-R", &extra];
    finish(client::avro_client(version, &options, None, dir.path()).expect("a JVM"));
    assert_eq!(bodies(&stand_in.events()), ["one", "two", "three", "", "five", "six", "no end"]);
    let sizes: Vec<usize> = stand_in.calls().iter().map(|call| call.events.len()).collect();
    assert_eq!(sizes, [5, 2], "five events a call");
    let mut headers = stand_in.events()[0].headers.clone();
    headers.sort();
    assert_eq!(headers, Event::new(&[("Collector", "x"), ("Type", "LOGIN")], "").headers);

    let options = ["-H", "127.0.0.1", "-p", &port];
    finish(client::avro_client(version, &options, Some(&lines), dir.path()).expect("a JVM"));
    assert_eq!(stand_in.events().len(), 14, "the same from standard input");
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn the_log4j_2_appender() {
    flume::require();
    let dir = tempfile::tempdir().expect("a folder");
    let (mut first, second) = (StandIn::listen().expect("a port"), StandIn::listen().expect("a port"));
    let ports = [first.address().port(), second.address().port()];
    finish(client::log4j2(&ports, 20, "log", dir.path()).expect("a JVM"));
    assert_eq!(bodies(&first.events()), numbered("log", 20));
    assert!(first.calls().iter().all(|call| call.message == "append" || call.events.len() == 1));
    let keys: Vec<String> = first.events()[0].headers.iter().map(|(key, _)| key.clone()).collect();
    assert_eq!(keys, ["timeStamp", "guId"]);

    first.close();
    finish(client::log4j2(&ports, 20, "other", dir.path()).expect("a JVM"));
    assert_eq!(bodies(&second.events()), numbered("other", 20));
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn the_log4j_1_appender() {
    flume::require();
    let dir = tempfile::tempdir().expect("a folder");
    let stand_in = StandIn::listen().expect("a port");
    finish(client::log4j1(stand_in.address().port(), 20, "log", dir.path()).expect("a JVM"));
    assert_eq!(bodies(&stand_in.events()), numbered("log", 20));
    let mut headers = stand_in.events()[0].headers.clone();
    headers.sort();
    let value = |key: &str| headers.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
    assert_eq!(value("flume.client.log4j.logger.name"), Some("Log4j1Lines"));
    assert_eq!(value("flume.client.log4j.log.level"), Some("20000"));
    assert_eq!(value("flume.client.log4j.message.encoding"), Some("UTF8"));
    assert_eq!(headers.len(), 5, "{headers:?}");
}

macro_rules! clients {
    ($($client:ident),* $(,)?) => {$(
        mod $client {
            use super::*;

            #[test]
            #[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
            fn of_1_9() {
                super::$client(Version::V1_9);
            }

            #[test]
            #[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
            fn of_1_11() {
                super::$client(Version::V1_11);
            }
        }
    )*};
}

clients!(the_default_client, the_failover_client, the_load_balancing_client, the_command_line_client);

const PATIENCE: Duration = Duration::from_secs(120);
