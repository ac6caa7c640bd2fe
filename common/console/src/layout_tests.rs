//! Lines as they are printed, from a record to the last byte.

use crate::{Console, Format, Levels, Settings, fact, memory::Memory, place};
use slog::{Drain, Level, Logger, debug, error, info, o, warn};
use std::time::Duration;

/// What `say` prints, each line without the time in front.
fn said(format: Format, levels: Levels, say: impl FnOnce(&Logger)) -> Vec<String> {
    let memory = Memory::default();
    let json = matches!(format, Format::Json);
    let console = Console::to(memory.clone(), Settings { format, levels, ..Settings::default() });
    say(&console.logger());
    assert!(console.flush(Duration::from_secs(10)));
    let text = memory.text();
    let time = "2018-11-13 16:32:01,813 ".len();
    text.lines().map(|line| if json { line } else { &line[time..] }.to_owned()).collect()
}

fn plain(say: impl FnOnce(&Logger)) -> Vec<String> {
    said(Format::Flume, Levels::default(), say)
}

#[test]
fn a_fact_of_flumes_is_flumes_line() {
    let lines = plain(|log| {
        let log = log.new(o!("component" => "r1"));
        fact::component_started(&log, fact::ComponentType::Source, "r1");
        fact::avro_source_started(&log, "r1");
        let peer = "192.168.255.121:51624".parse().unwrap();
        let local = "192.168.255.123:52020".parse().unwrap();
        fact::Connection::new(0x079e815e, peer, local, 2).opened(&log);
    });
    let handler = "[INFO - org.apache.avro.ipc.NettyServer$NettyServerAvroHandler.handleUpstream(NettyServer.java:171)]";
    let id = "[id: 0x079e815e, /192.168.255.121:51624 => /192.168.255.123:52020]";
    assert_eq!(
        lines,
        [
            "(lifecycleSupervisor-1-4) [INFO - org.apache.flume.instrumentation.MonitoredCounterGroup.start\
                (MonitoredCounterGroup.java:95)] Component type: SOURCE, name: r1 started"
                .to_owned(),
            "(lifecycleSupervisor-1-4) [INFO - org.apache.flume.source.AvroSource.start(AvroSource.java:260)] \
                Avro source r1 started."
                .to_owned(),
            format!("(New I/O server boss #3) {handler} {id} OPEN"),
            format!("(New I/O worker #2) {handler} {id} BOUND: /192.168.255.123:52020"),
            format!("(New I/O worker #2) {handler} {id} CONNECTED: /192.168.255.121:51624"),
        ]
    );
}

#[test]
fn a_connection_that_goes_says_so_as_netty_3_does() {
    let lines = plain(|log| {
        let (peer, local) = ("[::ffff:127.0.0.1]:52266".parse().unwrap(), "[::1]:42021".parse().unwrap());
        fact::Connection::new(0xea0c4f36, peer, local, 1).closed(log);
    });
    let ends: Vec<&str> = lines.iter().map(|line| line.split_once(")] ").unwrap().1).collect();
    let id = "[id: 0xea0c4f36, /127.0.0.1:52266 :> /0:0:0:0:0:0:0:1:42021]";
    let netty = ["DISCONNECTED", "UNBOUND", "CLOSED"].map(|what| format!("{id} {what}"));
    assert_eq!(ends[..3], netty);
    assert_eq!(ends[3], "Connection to /127.0.0.1:52266 disconnected.");
}

#[test]
fn our_own_lines_name_module_file_and_line_and_keep_the_keys_in_order() {
    let at = line!() + 3;
    let lines = plain(|log| {
        let log = log.new(o!("agent" => "a1")).new(o!("source" => "r1", "type" => "exec"));
        warn!(log, "a {} line", "bad"; "line" => 7, "why" => "no end", "thread" => "hidden");
    });
    let thread = std::thread::current().name().unwrap().to_owned();
    let expected = format!(
        "({thread}) [WARN - console::layout::tests(layout_tests.rs:{at})] \
         a bad line {{line=7, why=no end, agent=a1, source=r1, type=exec}}"
    );
    assert_eq!(lines, [expected]);
}

#[test]
fn a_line_stays_one_line_and_bounded() {
    let lines = plain(|log| {
        info!(log, "forged\n2018 line\x1b[31m\u{9b}\tgrün");
        info!(log, "{}", "x".repeat(100_000));
    });
    assert!(lines[0].ends_with("forged\\n2018 line\\u{1b}[31m\\u{9b}\tgrün"), "{}", lines[0]);
    assert!(lines[1].len() < 17_000 && lines[1].ends_with(" characters left out]"));
    assert_eq!(lines.len(), 2);
}

#[test]
fn a_value_may_log_while_it_is_printed() {
    struct Talks<'a>(&'a Logger);

    impl std::fmt::Display for Talks<'_> {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            info!(self.0, "inner");
            f.write_str("outer")
        }
    }

    let lines = plain(|log| info!(log, "{}", Talks(log)));
    let words: Vec<&str> = lines.iter().map(|line| line.rsplit(' ').next().unwrap()).collect();
    assert_eq!(words, ["inner", "outer"]);
}

#[test]
fn colour_is_for_the_level_alone() {
    let lines = said(Format::Coloured, Levels::default(), |log| {
        error!(log, "red");
        info!(log, "plain");
    });
    assert!(lines[0].contains("[\x1b[1;31mERROR\x1b[0m - console"), "{}", lines[0]);
    assert!(!lines[1].contains('\x1b'));
}

#[test]
fn json_is_one_object_a_line_with_typed_fields() {
    let lines = said(Format::Json, Levels::default(), |log| {
        let log = log.new(o!("sink" => "k1", "n" => 1));
        info!(log, #place::RPC_SINK_STARTED, "Rpc \"sink\"\n"; "n" => 5, "ok" => true, "rate" => 0.5, "thread" => "t9");
    });
    let value: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(value["message"], "Rpc \"sink\"\n");
    assert_eq!((&value["level"], &value["thread"]), (&"INFO".into(), &"t9".into()));
    assert_eq!(value["at"], "org.apache.flume.sink.AbstractRpcSink.start(AbstractRpcSink.java:308)");
    assert_eq!(value["fields"], serde_json::json!({"sink": "k1", "n": 5, "ok": true, "rate": 0.5}));
    let time: jiff::Timestamp = value["time"].as_str().unwrap().parse().expect("RFC 3339");
    assert!(time <= jiff::Timestamp::now());
}

#[test]
fn levels_can_be_switched_while_it_runs() {
    let memory = Memory::default();
    let console = Console::to(memory.clone(), Settings::default());
    let log = console.logger();
    debug!(log, "one");
    let mut levels = Levels::new(Some(Level::Error));
    levels.set("console::layout", Some(Level::Debug));
    console.set_levels(levels);
    assert!(log.is_debug_enabled());
    debug!(log, "two");
    fact::avro_source_started(&log, "three");
    assert!(console.flush(Duration::from_secs(10)));
    let text = memory.text();
    assert_eq!(text.lines().map(|line| line.rsplit(' ').next().unwrap()).collect::<Vec<_>>(), ["two"]);
}
