//! The HDFS sink and clusters as they are run: two NameNodes, mount tables, Kerberos.

use crate::lab::{Hdfs, LIMIT, Process, free_port};
use crate::{agent_at, drained, is_complete, lost_and_doubled, numbers};
use integration::stores::{NameService, SecuredHdfs, site};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

#[test]
#[ignore = "needs a JVM and Maven"]
fn with_the_name_node_that_serves_frozen_or_killed_events_are_synced_again_within_two_call_timeouts() {
    const CALL_TIMEOUT: Duration = Duration::from_secs(8);
    let mut service = NameService::start().unwrap_or_else(|why| panic!("{why}"));
    let conf_dir = service.conf_dir();
    let (monitor, folder) = (free_port(), tempfile::tempdir().expect("a directory"));
    let keys = format!(
        "hdfs.rollCount = 0\nhdfs.rollInterval = 2\nhdfs.fileType = DataStream\nhdfs.callTimeout = {}\nhdfs.retryInterval = 2",
        CALL_TIMEOUT.as_millis()
    );
    let start = |events| {
        let text = agent_at("hdfs://ns1", folder.path(), events, &[("text", &keys)]);
        let file = folder.path().join("ha.conf");
        std::fs::write(&file, text).expect("a file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_agent"));
        command.args(["-n", "a", "-Dflume.monitoring.type=http"]).env("HADOOP_CONF_DIR", &conf_dir);
        command.arg(format!("-Dflume.monitoring.port={monitor}")).arg("-f").arg(file);
        Process::spawn(command, &folder.path().join(format!("{events}.log")))
    };
    let mut agent = start(100_000_000);
    agent.wait_for_port(monitor);
    let more_than = |agent: &Process, events: u64, limit: Duration| {
        let begun = Instant::now();
        while drained(monitor) <= events {
            assert!(begun.elapsed() < limit, "nothing was synced for {limit:?}; {}", agent.said());
            sleep(Duration::from_millis(50));
        }
        begun.elapsed()
    };
    more_than(&agent, 1_000, LIMIT);
    service.freeze(0);
    service.activate(1).unwrap_or_else(|why| panic!("{why}"));
    more_than(&agent, drained(monitor) + 2_000, 2 * CALL_TIMEOUT);
    let took = more_than(&agent, drained(monitor) + 500, CALL_TIMEOUT);
    assert!(took < CALL_TIMEOUT, "nothing waits for the frozen one: {took:?}");
    service.kill(0);
    service.start_again(0).unwrap_or_else(|why| panic!("{why}"));
    service.kill(1);
    service.activate(0).unwrap_or_else(|why| panic!("{why}"));
    more_than(&agent, drained(monitor) + 2_000, 2 * CALL_TIMEOUT);
    agent.stop();
    let next = start(1); // it completes what the stop did not wait for
    let acknowledged = numbers(&complete(&mut service, &next));
    let highest = acknowledged.iter().max().expect("events") + 1;
    assert_eq!(lost_and_doubled(&acknowledged, highest).0, 0, "{}", agent.said());
}

/// Answers every request with this text.
fn page(text: &'static str) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut asked = [0; 1024];
            let _head = stream.read(&mut asked);
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", text.len());
            let _sent = stream.write_all(format!("{head}{text}").as_bytes());
        }
    });
    port
}

#[test]
#[ignore = "needs a JVM and Maven"]
fn a_mount_table_leads_to_the_cluster_as_another_user_and_a_schema_comes_over_http() {
    const SCHEMA: &str = r#"{"type":"bytes","from":"http"}"#;
    let mut hdfs = Hdfs::start(1, &["dfs.permissions.enabled=true"]);
    hdfs.ask("mkdir /real/logs alice");
    let folder = tempfile::tempdir().expect("a directory");
    let core = [("fs.viewfs.mounttable.all.link./logs", format!("{}/real/logs", hdfs.url()))];
    std::fs::write(folder.path().join("core-site.xml"), site(&core)).expect("a file");
    let common = "hdfs.fileType = DataStream\nhdfs.rollInterval = 1\nhdfs.rollCount = 0";
    let avro = format!(
        "{common}\nhdfs.proxyUser = alice\nserializer = org.apache.flume.sink.hdfs.AvroEventSerializer$Builder\n\
         serializer.schemaURL = http://127.0.0.1:{}/s",
        page(SCHEMA)
    );
    let (alice, bob) =
        (format!("{common}\nhdfs.proxyUser = alice"), format!("{common}\nhdfs.proxyUser = bob"));
    let sinks = [("text", alice.as_str()), ("avro", &avro), ("bob", &bob)];
    let text = agent_at("viewfs://all/logs", hdfs.folder(), 100, &sinks);
    let file = folder.path().join("mounted.conf");
    std::fs::write(&file, text).expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_agent"));
    command.args(["-n", "a", "-c"]).arg(folder.path()).arg("-f").arg(file);
    let mut agent = Process::spawn(command, &folder.path().join("mounted.log"));
    let text = hdfs.until("/real/logs/text", "all lines", |files, open| {
        is_complete(files, open) && numbers(files).len() >= 100
    });
    assert_eq!(lost_and_doubled(&numbers(&text), 100), (0, 0));
    let avro = hdfs.until("/real/logs/avro", "a container", is_complete);
    assert!(avro.values().all(|body| String::from_utf8_lossy(body).contains(SCHEMA)), "{avro:?}");
    let owners = hdfs.ask("owners /real/logs");
    assert!(!owners.is_empty() && owners.iter().all(|owner| owner == "alice"), "{owners:?}");
    agent.stop();
    assert!(agent.said().contains("Permission denied: user=bob"), "{}", agent.said());
}

#[test]
#[ignore = "needs a JVM and Maven"]
fn a_keytab_logs_in_to_a_secured_cluster_also_for_another_user() {
    let mut hdfs = SecuredHdfs::start().unwrap_or_else(|why| panic!("{why}"));
    for user in ["flume", "alice"] {
        hdfs.ask(&format!("mkdir /{user} {user}")).unwrap_or_else(|why| panic!("{why}"));
    }
    let folder = tempfile::tempdir().expect("a directory");
    std::fs::write(folder.path().join("core-site.xml"), hdfs.core_site()).expect("a file");
    let as_principal = |principal: &str| {
        format!(
            "hdfs.fileType = DataStream\nhdfs.rollInterval = 1\nhdfs.rollCount = 0\n\
             hdfs.kerberosPrincipal = {principal}@EXAMPLE.COM\nhdfs.kerberosKeytab = {}",
            hdfs.keytab().display()
        )
    };
    let flume = as_principal("flume");
    let alice = format!("{}\nhdfs.proxyUser = alice", as_principal("flume/_HOST"));
    let text = agent_at(&hdfs.url(), folder.path(), 100, &[("flume", flume.as_str()), ("alice", &alice)]);
    let file = folder.path().join("secured.conf");
    std::fs::write(&file, text).expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_agent"));
    command
        .env("KRB5_CONFIG", hdfs.krb5_conf())
        .args(["-n", "a", "-c"])
        .arg(folder.path())
        .arg("-f")
        .arg(file);
    let mut agent = Process::spawn(command, &folder.path().join("secured.log"));
    for user in ["flume", "alice"] {
        let begun = Instant::now();
        let files = loop {
            let (files, open) = hdfs.files(&format!("/{user}")).unwrap_or_else(|why| panic!("{why}"));
            if is_complete(&files, &open) && numbers(&files).len() >= 100 {
                break files;
            }
            assert!(begun.elapsed() < LIMIT, "{user}: {:?}, {open:?} open; {}", files.keys(), agent.said());
            sleep(Duration::from_millis(200));
        };
        assert_eq!(lost_and_doubled(&numbers(&files), 100), (0, 0), "{user}");
        let owners = hdfs.ask(&format!("owners /{user}")).unwrap_or_else(|why| panic!("{why}"));
        assert!(owners.iter().all(|owner| owner == user), "{owners:?}");
    }
    agent.stop();
}

/// All files when none is in use any more.
fn complete(service: &mut NameService, agent: &Process) -> BTreeMap<String, Vec<u8>> {
    let begun = Instant::now();
    loop {
        let (files, open) = service.files("/").unwrap_or_else(|why| panic!("{why}"));
        if is_complete(&files, &open) && agent.said().contains("Creating") {
            return files;
        }
        assert!(begun.elapsed() < LIMIT, "{:?} are in use, {open:?} open; {}", files.keys(), agent.said());
        sleep(Duration::from_millis(200));
    }
}
