//! What others have published: Flume's components for stores and for other systems, with their clients.

use super::agent::{check, lines};
use integration::{
    flume::{
        Version,
        bridge::{environment, environment_with_stores},
        fetched, fetched_program, jdk,
    },
    ports,
    solo::{Solo, until},
    stores::Jvm,
};
use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// `check` with these jars: its exit code, and what it says.
fn checked(text: &str, agent: &str) -> (Option<i32>, String) {
    let words = environment_with_stores();
    let words: Vec<&str> = words[1..].iter().map(String::as_str).collect();
    let (output, said) = check(&words, text, agent);
    (output.status.code(), said)
}

const SOURCE: &str = "a1.sources = r1\na1.sources.r1.channels = c1\n";
const SEQ: &str = "a1.sources = r1\na1.sources.r1.channels = c1\na1.sources.r1.type = seq\n";
const MEMORY: &str = "a1.channels = c1\na1.channels.c1.type = memory\n";
const NULL: &str = "a1.sinks = k1\na1.sinks.k1.channel = c1\na1.sinks.k1.type = null\n";
const SINK: &str = "a1.sinks = k1\na1.sinks.k1.channel = c1\n";

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn check_creates_flumes_components_for_stores_and_other_systems() {
    let sinks = [
        "type = hdfs\nhdfs.path = /x/%{host}",
        "type = org.apache.flume.sink.kafka.KafkaSink\nkafka.bootstrap.servers = h:9092\nkafka.topic = t",
        "type = hbase\ntable = t\ncolumnFamily = c",
        "type = asynchbase\ntable = t\ncolumnFamily = c",
        "type = irc\nhostname = h\nnick = n\nchan = c",
    ];
    let sources = [
        "type = org.apache.flume.source.kafka.KafkaSource\nkafka.bootstrap.servers = h:9092\nkafka.topics = t\nbatchSize = 100",
        "type = jms\ninitialContextFactory = org.apache.activemq.jndi.ActiveMQInitialContextFactory\n\
         connectionFactory = ConnectionFactory\nproviderURL = tcp://127.0.0.1:1\ndestinationName = q\ndestinationType = QUEUE",
    ];
    let forced = "type = elasticsearch\nhostNames = 127.0.0.1:9300";
    let channel = "type = org.apache.flume.channel.kafka.KafkaChannel\nkafka.bootstrap.servers = h:9092\nkafka.topic = t";
    let of = |component: &str, lines: &str| -> String {
        lines.lines().map(|line| format!("a1.{component}.{line}\n")).collect()
    };
    let files = sinks
        .map(|sink| format!("{SEQ}{MEMORY}{SINK}{}", of("sinks.k1", sink)))
        .into_iter()
        .chain(sources.map(|source| format!("{SOURCE}{MEMORY}{NULL}{}", of("sources.r1", source))))
        .chain([
            format!("{SEQ}a1.channels = c1\n{NULL}{}", of("channels.c1", channel)),
            format!("{SEQ}{MEMORY}{SINK}a1.flume.bridge = k1\n{}", of("sinks.k1", forced)),
        ]);
    for file in files {
        let (code, said) = checked(&file, "a1");
        assert_eq!(code, Some(0), "{file}\n{said}");
        assert!(said.contains("[runs-in-java]"), "{file}\n{said}");
    }
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn a_morphline_flumes_jdbc_channel_and_its_irc_sink_carry_all_events() {
    let irc = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = irc.local_addr().expect("it is bound").port();
    let said = Arc::new(Mutex::new(BTreeSet::new()));
    let to = said.clone();
    thread::spawn(move || {
        let (stream, _) = irc.accept().expect("the sink comes");
        let mut out = stream.try_clone().expect("a second handle");
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if line.starts_with("USER ") {
                out.write_all(b":server 001 flume :welcome\r\n").expect("it listens");
            } else if let Some(text) = line.strip_prefix("PRIVMSG #numbers :") {
                to.lock().expect("nobody panics with it").insert(text.to_owned());
            }
        }
    });
    let text = format!(
        "{SOURCE}a1.sources.r1.type = exec\na1.sources.r1.command = seq 1 200\na1.sources.r1.interceptors = i1\n\
         a1.sources.r1.interceptors.i1.type = org.apache.flume.sink.solr.morphline.MorphlineInterceptor$Builder\n\
         a1.sources.r1.interceptors.i1.morphlineFile = DIR/morphline.conf\na1.sources.r1.interceptors.i1.morphlineId = m1\n\
         a1.sources.r1.channels = c1 c2\na1.channels = c1 c2\na1.channels.c1.type = jdbc\na1.channels.c2.type = memory\n\
         a1.sinks = k1 k2\na1.sinks.k1.type = file_roll\na1.sinks.k1.channel = c1\na1.sinks.k1.sink.directory = DIR/out\n\
         a1.sinks.k1.sink.serializer = header_and_text\na1.sinks.k2.type = irc\na1.sinks.k2.channel = c2\n\
         a1.sinks.k2.hostname = 127.0.0.1\na1.sinks.k2.port = {port}\na1.sinks.k2.nick = flume\na1.sinks.k2.chan = numbers\n"
    );
    let directory = tempfile::tempdir().expect("a folder");
    fs::create_dir(directory.path().join("out")).expect("a folder");
    // Kite looks for `org.kitesdk.**` in the class loader of Java 8 only.
    let morphline = "morphlines : [ { id : m1, importCommands : [\"org.kitesdk.morphline.stdlib.AddValuesBuilder\"], \
        commands : [ { addValues { tag : seen } } ] } ]\n";
    fs::write(directory.path().join("morphline.conf"), morphline).expect("a file");
    let mut words = environment_with_stores();
    let home = directory.path().display();
    words.push(format!("JAVA_OPTS=-Duser.home={home} -Dderby.stream.error.file={home}/derby.log"));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let solo = Solo::start_in(directory, &text, &words);
    until("all come through the jdbc channel, with the morphline's header", || {
        let there = lines(&solo.path("out"));
        (1..=200).all(|number| there.contains_key(&format!("{{tag=seen}} {number}")))
    });
    until("all come to the irc server", || said.lock().expect("nobody panics with it").len() == 200);
}

/// The answers name folders, in which events must arrive.
#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn config_filters_of_ones_own_and_hadoops_remote_stores_are_asked_in_a_jvm() {
    let sinks = ["f1['one']", "f2[\"two\"]"].map(|question| format!("DIR/${{{question}}}"));
    let text = format!(
        "a1.configfilters = f1 f2\na1.configfilters.f1.type = org.acme.Words\na1.configfilters.f1.prefix = X\n\
         a1.configfilters.f2.type = hadoop\na1.configfilters.f2.credential.provider.path = user:///\n\
         {SOURCE}a1.sources.r1.type = exec\na1.sources.r1.command = seq 1 20\n\
         a1.sources.r1.channels = c1 c2\na1.channels = c1 c2\na1.channels.c1.type = memory\na1.channels.c2.type = memory\n\
         a1.sinks = k1 k2\na1.sinks.k1.type = file_roll\na1.sinks.k1.channel = c1\na1.sinks.k1.sink.directory = {}\n\
         a1.sinks.k2.type = file_roll\na1.sinks.k2.channel = c2\na1.sinks.k2.sink.directory = {}\n",
        sinks[0], sinks[1]
    );
    let directory = tempfile::tempdir().expect("a folder");
    for folder in ["XONE", "deux"] {
        fs::create_dir(directory.path().join(folder)).expect("a folder");
    }
    let tokens = directory.path().join("tokens");
    // Hadoop's token file: no tokens, one secret.
    fs::write(&tokens, b"HDTS\0\0\x01\x03two\x04deux").expect("a file");
    let mut words = environment_with_stores();
    words.push(format!("HADOOP_TOKEN_FILE_LOCATION={}", tokens.display()));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let solo = Solo::start_in(directory, &text, &words);
    for folder in ["XONE", "deux"] {
        until("all come to the folder that the filter names", || lines(&solo.path(folder)).len() == 20);
    }
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn a_config_filter_without_an_answer_says_why() {
    let file = |filter: &str, key: &str| {
        format!(
            "a1.configfilters = f1\n{filter}\n{SEQ}{MEMORY}{NULL}a1.channels.c1.capacity = ${{f1['{key}']}}\n"
        )
    };
    let own = "a1.configfilters.f1.type = org.acme.Words";
    let (away, hadoop) = (
        "a1.configfilters.f1.type = org.acme.NotThere",
        "a1.configfilters.f1.type = hadoop\na1.configfilters.f1.credential.provider.path = user:///",
    );
    for (filter, key, why) in [
        (own, "nothing", "org.acme.Words has no answer"),
        (own, "throw", "cannot look for throw"),
        (own, "exit", "config filter f1 has called System.exit, in org.acme.Words.filter"),
        (away, "x", "there is no class org.acme.NotThere on the class path"),
        (hadoop, "x", "`jceks://file/PATH` and `localjceks://file/PATH` are read without a JVM"),
    ] {
        let (_, said) = checked(&file(filter, key), "a1");
        assert!(said.contains("[filter-without-answer]") && said.contains(why), "{key}: {said}");
    }
}

/// The sink from which a stream of Spark pulls: its transactions are on threads of its own, and its `process()` returns at its
/// stop only.
#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn sparks_own_sink_gives_each_event_once_but_for_what_spark_refuses() {
    let jars = fetched("spark-sink").unwrap_or_else(|why| panic!("{why}"));
    let port = ports::free(&["127.0.0.1"]).expect("a port");
    let text = format!(
        "{SOURCE}a1.sources.r1.type = exec\na1.sources.r1.command = seq 1 300\n{MEMORY}{SINK}\
         a1.sinks.k1.type = org.apache.spark.streaming.flume.sink.SparkSink\na1.sinks.k1.hostname = 127.0.0.1\n\
         a1.sinks.k1.port = {port}\n"
    );
    let mut words = environment(Version::V1_9);
    words.iter_mut().filter(|word| word.starts_with("FLUME_CLASSPATH=")).for_each(|word| {
        word.push(':');
        word.push_str(&jars);
    });
    let solo = Solo::start(&text, &words.iter().map(String::as_str).collect::<Vec<_>>());
    until("the sink listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    let class_path = fetched_program("spark-sink", "SparkPull").unwrap_or_else(|why| panic!("{why}"));
    let mut java = jdk("java");
    java.args(["-cp", &class_path, "SparkPull", &port.to_string()]);
    let mut spark = Jvm::start(java, &solo.path("Spark.log")).unwrap_or_else(|why| panic!("{why}"));
    let mut pull = |how: &str| spark.ask(how).unwrap_or_else(|why| panic!("{why}"));
    let refused = pull("nack 10");
    assert_eq!(refused.first().map(String::as_str), Some("1"), "{refused:?}");
    solo.wait_for("Spark was unable to successfully process the events");
    let mut taken = Vec::new();
    while taken.len() < 300 {
        taken.extend(pull("ack 100"));
    }
    let sent: Vec<String> = (1..=300).map(|number| number.to_string()).collect();
    assert_eq!(taken, sent, "what was refused comes again, in its order, and nothing twice");
}
