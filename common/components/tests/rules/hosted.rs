//! What is said of the keys of components that run in a JVM.

use super::{said, text};

const JAVA: &str = "error needs-java";

/// The base with this sink, and what is said besides that it needs a JVM.
fn sink(lines: &[&str]) -> Vec<String> {
    said(lines).into_iter().filter(|said| said != JAVA).collect()
}

fn hdfs(lines: &[&str]) -> Vec<String> {
    let path = lines.iter().all(|line| !line.contains("sinks.k.hdfs.path"));
    let base = ["sinks.k.type = hdfs", "sinks.k.hdfs.path = hdfs://n/x"];
    sink(&[&base[..1 + usize::from(path)], lines].concat())
}

fn kafka_sink<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let base = [
        "sinks.k.type = org.apache.flume.sink.kafka.KafkaSink",
        "sinks.k.kafka.bootstrap.servers = b:9092",
        "sinks.k.kafka.topic = t",
    ];
    [&base, lines].concat()
}

fn kafka_source<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let base = [
        "-sources.r.bind",
        "-sources.r.port",
        "sources.r.type = org.apache.flume.source.kafka.KafkaSource",
        "sources.r.kafka.bootstrap.servers = b:9092,c:9092",
        "sources.r.batchSize = 100",
    ];
    [&base, lines].concat()
}

#[test]
fn keys_of_the_hdfs_sink() {
    let timed = vec!["warning no-timestamp", "note path-without-scheme"];
    for (lines, expected) in [
        (vec![], vec![]),
        (vec!["sinks.k.hdfs.rollIntervall = 1"], vec!["warning unknown-property"]),
        (vec!["sinks.k.rollSize = 1"], vec!["warning unknown-property"]),
        (vec!["sinks.k.hdfs.rollSize = -1", "sinks.k.hdfs.idleTimeout = -1"], vec![]),
        (vec!["sinks.k.hdfs.rollSize = 128M"], vec!["error bad-value"]),
        (vec!["sinks.k.hdfs.batchSize = 0"], vec!["error bad-value"]),
        (vec!["sinks.k.hdfs.batchSize = 1000"], vec!["error batch-too-large"]),
        (vec!["sinks.k.hdfs.fileType = DataFlow"], vec!["error bad-value"]),
        (vec!["sinks.k.hdfs.fileType = datastream", "sinks.k.hdfs.codeC = gzip"], vec!["error bad-value"]),
        (vec!["sinks.k.hdfs.fileType = CompressedStream"], vec!["error bad-value"]),
        (vec!["sinks.k.hdfs.fileType = CompressedStream", "sinks.k.hdfs.codeC = snappy"], vec![]),
        (vec!["sinks.k.hdfs.codeC = gz"], vec!["warning unknown-codec"]),
        (vec!["sinks.k.hdfs.writeFormat = text"], vec!["error bad-value"]),
        (vec!["sinks.k.hdfs.writeFormat = text", "sinks.k.hdfs.fileType = DataStream"], vec![]),
        (vec!["sinks.k.hdfs.round = true", "sinks.k.hdfs.roundValue = 90"], vec!["error bad-value"]),
        (vec!["sinks.k.hdfs.round = false", "sinks.k.hdfs.roundValue = 90"], vec![]),
        (vec!["sinks.k.hdfs.kerberosPrincipal = p"], vec!["error missing-property"]),
        (vec!["sinks.k.serializer = avro_event", "sinks.k.serializer.compressionCodec = snappy"], vec![]),
        (vec!["sinks.k.serializer = text", "sinks.k.serializer.x = 1"], vec!["warning unknown-property"]),
        (vec!["sinks.k.serializer = txt"], vec!["error unknown-type"]),
        (vec!["sinks.k.serializer = com.example.Own$Builder", "sinks.k.serializer.x = 1"], vec![]),
        (vec!["sinks.k.hdfs.path = /x"], vec!["note path-without-scheme"]),
        (vec!["sinks.k.hdfs.path = x/%Y"], timed.clone()),
        (vec!["sinks.k.hdfs.path = namenode:8020/x"], vec!["error bad-value"]),
        (vec!["sinks.k.hdfs.path = hdfs:x/y"], vec!["error bad-value"]),
        (vec!["sinks.k.hdfs.path = x/%H:%M"], timed.clone()),
        (vec!["sinks.k.hdfs.path = s3a://b/x"], vec![]),
        (vec!["sinks.k.hdfs.path = s3n://b/x"], vec!["warning old-file-system"]),
        (vec!["-sinks.k.hdfs.path"], vec!["error missing-property"]),
    ] {
        assert_eq!(hdfs(&lines), expected, "{lines:?}");
    }
    let keys = text(&["sinks.k.type = hdfs", "sinks.k.hdfs.path = s3n://AKIA:hun/ter2@b/x"]);
    assert!(keys.contains("`a.sinks.k.hdfs.path = s3a://b/x`, and the keys as"), "{keys}");
    assert!(!keys.contains("AKIA") && !keys.contains("ter2"), "{keys}");
    let misspelt =
        text(&["sinks.k.type = hdfs", "sinks.k.hdfs.path = hdfs://n/x", "sinks.k.hdfs.serializer = text"]);
    assert!(misspelt.contains("`a.sinks.k.serializer = text`, if that is meant"), "{misspelt}");
}

#[test]
fn the_batch_of_what_only_the_jvm_has_is_compared_with_the_channel_as_well() {
    let roll = |lines: &[&str]| {
        let base = ["sinks.k.type = file_roll", "sinks.k.sink.directory = /x"];
        sink(&[&base, lines].concat())
    };
    for moves in ["sinks.k.sink.serializer = com.example.Own$Builder", "flume.bridge = k"] {
        let large = roll(&[moves, "sinks.k.sink.batchSize = 1000"]);
        assert_eq!(large, ["error batch-too-large"], "{moves}");
        assert!(roll(&[moves]).is_empty(), "{moves}");
    }
    let room = ["flume.bridge = c", "channels.c.transactionCapacity = 1000", "channels.c.capacity = 1000"];
    let said = roll(&[&room[..], &["sinks.k.sink.batchSize = 1000"]].concat());
    assert!(!said.contains(&"error batch-too-large".to_owned()), "{said:?}");
}

#[test]
fn a_date_in_a_path_needs_a_date_in_each_event() {
    let with = |lines: &[&str]| {
        let path = lines.iter().any(|line| line.starts_with("sinks.k.hdfs.path"));
        hdfs(&[if path { &[] } else { &["sinks.k.hdfs.path = hdfs://n/x/%Y/%m"][..] }, lines].concat())
    };
    let told = ["warning no-timestamp"];
    assert_eq!(with(&[]), told);
    assert_eq!(
        with(&["sinks.k.hdfs.useLocalTimeStamp = yes"]),
        ["warning no-timestamp", "warning bad-value"]
    );
    assert!(with(&["sinks.k.hdfs.useLocalTimeStamp = TRUE"]).is_empty());
    assert!(with(&["sinks.k.hdfs.path = hdfs://n/%{Y}/%[localhost]"]).is_empty());
    assert_eq!(with(&["sinks.k.hdfs.path = hdfs://n/", "sinks.k.hdfs.filePrefix = a-%t"]), told);
    let i = |more: &[&'static str]| [&["sources.r.interceptors = i"], more].concat();
    assert!(with(&i(&["sources.r.interceptors.i.type = timestamp"])).is_empty());
    assert!(with(&i(&["sources.r.interceptors.i.type = com.example.Own$Builder"])).is_empty());
    assert_eq!(with(&i(&["sources.r.interceptors.i.type = host"])), told);
    let named = ["sources.r.interceptors.i.type = timestamp", "sources.r.interceptors.i.headerName = time"];
    assert_eq!(with(&i(&named)), told);
    let fixed = ["sources.r.interceptors.i.type = static", "sources.r.interceptors.i.key = timestamp"];
    assert!(with(&i(&fixed)).is_empty());
    for knows in ["avro", "thrift", "syslogtcp"] {
        assert!(
            with(&[&format!("sources.r.type = {knows}"), "sources.r.host = h", "-sources.r.bind"])
                .iter()
                .all(|said| !said.contains("no-timestamp"))
        );
    }
}

#[test]
fn keys_of_the_hbase_sinks() {
    let told = |lines: &[&str]| {
        let kind = lines.iter().all(|line| !line.starts_with("sinks.k.type"));
        let base = ["sinks.k.table = t", "sinks.k.columnFamily = c", "sinks.k.type = hbase2"];
        sink(&[&base[..2 + usize::from(kind)], lines].concat())
    };
    let regex = "sinks.k.serializer = org.apache.flume.sink.hbase2.RegexHBase2EventSerializer";
    let own = "sinks.k.serializer = com.example.Own";
    for (lines, expected) in [
        (vec![], vec![]),
        (vec!["sinks.k.zookeeperQuorum = a:1,b:1", "sinks.k.serializer.suffix = nano"], vec![]),
        (vec!["sinks.k.zookeeperQuorum = a,b"], vec!["error bad-value"]),
        (vec!["sinks.k.zookeeperQuorum = a:1,b:2"], vec!["error bad-value"]),
        (vec!["sinks.k.type = asynchbase", "sinks.k.zookeeperQuorum = a,b:2", "sinks.k.async.x = 1"], vec![]),
        (vec!["sinks.k.serializer.suffix = timestamp"], vec!["warning rows-overwritten"]),
        (vec!["sinks.k.serializer.suffix = Uuid"], vec!["warning bad-value"]),
        (vec![regex, "sinks.k.serializer.regex = (a)(b)"], vec!["error bad-value"]),
        (
            vec![
                regex,
                "sinks.k.serializer.regex = (a)(b)",
                "sinks.k.serializer.colNames = ROW_KEY,x,,",
                "sinks.k.serializer.rowKeyIndex = 0",
            ],
            vec![],
        ),
        (vec![regex, "sinks.k.serializer.rowKeyIndex = 0"], vec!["error bad-value"]),
        (vec![regex, "sinks.k.serializer.charset = klingon"], vec!["error bad-value"]),
        (vec!["sinks.k.serializer = SimpleHBase2EventSerializer"], vec!["error bad-value"]),
        // Its keys are its own affair.
        (vec![own, "sinks.k.serializer.suffix = timestamp", "sinks.k.serializer.x = # y"], vec![]),
        (vec!["sinks.k.columFamily = c"], vec!["warning unknown-property"]),
    ] {
        assert_eq!(told(&lines), expected, "{lines:?}");
    }
}

#[test]
fn keys_of_kafkas_components() {
    assert_eq!(said(&kafka_sink(&[])), [JAVA]);
    assert_eq!(said(&kafka_source(&["sources.r.kafka.topics = t,u"])), [JAVA]);
    assert_eq!(said(&kafka_source(&["sources.r.kafka.topics.regex = t.*"])), [JAVA]);
    for (lines, expected) in [
        (kafka_sink(&["sinks.k.kafka.flumeBatchSize = 1"]), "warning unknown-property"),
        (kafka_sink(&["sinks.k.kafka.topic = a b"]), "error bad-value"),
        (kafka_sink(&["sinks.k.kafka.bootstrap.servers = b"]), "error bad-value"),
        (kafka_sink(&["sinks.k.flumeBatchSize = 1000"]), "error batch-too-large"),
        (kafka_source(&[]), "error missing-property"),
        (kafka_source(&["sources.r.kafka.topics = a b"]), "error bad-value"),
        (kafka_source(&["sources.r.kafka.topics.regex = (a"]), "error bad-value"),
        (kafka_source(&["sources.r.kafka.topic = a"]), "error missing-property"),
    ] {
        let got = said(&lines);
        assert!(got.iter().any(|said| said == expected), "{lines:?}: {expected} in {}", text(&lines));
    }
    let named =
        kafka_source(&["sources.r.kafka.topics = t", "sources.r.kafka.bootstrap.servers = ${NO_HOST}"]);
    let one: Vec<&str> = named.into_iter().filter(|line| !line.ends_with("c:9092")).collect();
    assert_eq!(said(&one), [JAVA, "error unknown-variable"], "{}", text(&one));
    let source = text(&kafka_source(&["sources.r.auto.offset.reset = earliest"]));
    assert!(
        source.contains("`a.sources.r.kafka.consumer.auto.offset.reset = earliest`, if that"),
        "{source}"
    );
    let whole = text(&kafka_sink(&["sinks.k.kafka.flumeBatchSize = 1", "sinks.k.kafka.acks = all"]));
    for line in ["`a.sinks.k.flumeBatchSize = 1`", "`a.sinks.k.kafka.producer.acks = all`"] {
        assert!(whole.contains(&format!("write:    {line}, if that is meant")), "{whole}");
    }
}
