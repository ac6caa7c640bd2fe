//! Counters over HTTP and over JMX: real processes, and the same traffic through real Flume.

mod jmx;

use integration::{
    binaries,
    console::Console,
    flume::{
        self, Flume, Launch, Version,
        avro::{Connection, Event, Hello, Meta, parameters},
        stand_in::StandIn,
    },
    http, limit, ports,
    process::Process,
    solo::{LONG, Solo, until},
};
use std::{collections::BTreeMap, fs, io::Read, net::TcpStream, path::Path, process::Command};

fn port() -> u16 {
    ports::free(&["127.0.0.1"]).expect("a port")
}

/// What is said to an agent, so that it answers at `port`.
fn options(port: u16) -> String {
    format!(
        "JAVA_OPTS=-Dflume.monitoring.type=http -Dflume.monitoring.port={port} -Dflume.monitoring.bind=127.0.0.1 \
         -Dflume.monitoring.stuckSeconds=1"
    )
}

fn start(text: &str, port: u16) -> Solo {
    Solo::start(text, &["env", &options(port)])
}

/// `SOURCE.r1` → `EventReceivedCount` → `7`.
type Counters = BTreeMap<String, BTreeMap<String, String>>;

fn counters(port: u16) -> Counters {
    let (status, page) = http::get(port, "/metrics").expect("an answer");
    assert_eq!(status, 200, "{page}");
    serde_json::from_str(&page).unwrap_or_else(|error| panic!("{error}: {page}"))
}

/// Waits until the counter is `value`. A Flume serves its counters some time after it has said that it has started.
fn wait(port: u16, component: &str, key: &str, value: u64) {
    until(&format!("{component} {key} is {value}"), || http::counter(port, component, key) == Some(value));
}

/// Waits until all of [`traffic`] and of the files of [`lay_out`] is counted: a source counts behind its put, when the sink may have
/// the events already.
fn all_is_counted(port: u16) -> Counters {
    for (source, events) in [("SOURCE.r1", 7), ("SOURCE.r2", 10), ("SOURCE.r3", 7)] {
        wait(port, source, "EventAcceptedCount", events);
    }
    wait(port, "SINK.k1", "EventDrainSuccessCount", 24);
    counters(port)
}

/// The sample that begins with `sample`, a name with its labels.
fn sample(port: u16, sample: &str) -> f64 {
    let (_, page) = http::get(port, "/metrics/prometheus").expect("an answer");
    let line = page.lines().find_map(|line| line.strip_prefix(sample));
    let value = line.unwrap_or_else(|| panic!("no {sample} in {page}")).trim();
    value.parse().unwrap_or_else(|_| panic!("{sample} is {value}"))
}

#[test]
fn each_event_is_counted_on_its_way_and_a_collector_that_is_away_makes_the_agent_unwell() {
    let (agent_port, collector_port, avro) = (port(), port(), port());
    let collector_file = COLLECTOR.replace("PORT", &avro.to_string());
    let mut collector = start(&collector_file, collector_port);
    let agent = start(&AGENT.replace("PORT", &avro.to_string()), agent_port);
    collector.wait_for("Avro source r1 started.");
    agent.wait_for("Component type: SOURCE, name: r1 started");
    let log = agent.path("a.log");
    fs::write(&log, "one\ntwo\nthree\n").expect("a file");
    wait(agent_port, "SINK.k1", "EventDrainSuccessCount", 3);
    let here = counters(agent_port);
    for (component, key, value) in [
        ("SOURCE.r1", "EventReceivedCount", "3"),
        ("SOURCE.r1", "EventAcceptedCount", "3"),
        ("CHANNEL.c1", "EventPutSuccessCount", "3"),
        ("CHANNEL.c1", "EventTakeSuccessCount", "3"),
        ("CHANNEL.c1", "ChannelCapacity", "1000"),
        ("CHANNEL.c1", "ChannelFillPercentage", "0.0"),
        ("SINK.k1", "EventDrainAttemptCount", "3"),
        ("SINK.k1", "ConnectionCreatedCount", "1"),
        ("SINK.k1", "Type", "SINK"),
    ] {
        assert_eq!(here[component][key], value, "{component} {key}");
    }
    wait(collector_port, "SOURCE.r1", "EventAcceptedCount", 3);
    assert_eq!(counters(collector_port)["SOURCE.r1"]["OpenConnectionCount"], "1");
    let sink = "{kind=\"sink\",name=\"k1\",group=\"k1\",processor=\"default\"}";
    assert!(sample(agent_port, &format!("flume_sink_acknowledgement_seconds_count{sink}")) >= 1.0);
    assert_eq!(sample(agent_port, &format!("flume_sink_active{sink}")), 1.0);
    let lag =
        format!("flume_followed_file_lag_bytes{{kind=\"source\",name=\"r1\",path=\"{}\"}}", log.display());
    until("the file is looked at and nothing of it is left", || {
        let (_, page) = http::get(agent_port, "/metrics/prometheus").expect("an answer");
        page.lines().any(|line| line.strip_prefix(&lag).is_some_and(|lag| lag.trim() == "0"))
    });
    assert_eq!(sample(agent_port, &lag.replace("bytes", "seconds")), 0.0);
    assert_eq!(http::get(agent_port, "/health").expect("an answer"), (200, "OK\n".to_owned()));

    collector.node.kill();
    collector.node.wait(LONG).expect("it is dead");
    fs::write(agent.path("b.log"), "four\nfive\n").expect("a file");
    until("the agent is unwell", || {
        let (status, page) = http::get(agent_port, "/health").expect("an answer");
        status == 503 && page.contains("channel c1: 2 events wait") && page.contains("sink k1 is down")
    });
    assert_eq!(sample(agent_port, &format!("flume_sink_up{sink}")), 0.0);
    assert!(sample(agent_port, &format!("flume_sink_next_try_timestamp_seconds{sink}")) > 0.0);
    let oldest = "flume_channel_oldest_event_seconds{kind=\"channel\",name=\"c1\"}";
    until("the oldest event has waited for a second", || sample(agent_port, oldest) >= 1.0);

    collector.start_again(&collector_file, &["env", &options(collector_port)]);
    wait(agent_port, "SINK.k1", "EventDrainSuccessCount", 5);
    until("the agent is well", || http::get(agent_port, "/health").is_ok_and(|(status, _)| status == 200));
}

/// Sends the same to both sides and waits until it has come out.
fn traffic(avro: u16, stand_in: &StandIn) {
    let mut connection = Connection::open(([127, 0, 0, 1], avro).into()).expect("a connection");
    let three = ["a", "b", "c"].map(|body| Event::new(&[("k", "v")], body));
    let array = parameters(&three[..1]);
    let one = &array[1..array.len() - 1]; // without the array around it
    connection.call(Some(&Hello::default()), &Meta::new(), "append", one).expect("an answer");
    for _ in 0..2 {
        connection.append_batch(&three).expect("an answer");
    }
    assert!(stand_in.wait_for(24, LONG), "{} of 24 events", stand_in.events().len());
}

/// A directory with what the sources read, and the configuration with its ports.
fn lay_out(dir: &Path, avro: u16, sink: u16) -> String {
    let lines = |count: usize| (0..count).map(|number| format!("line {number}\n")).collect::<String>();
    fs::write(dir.join("ten"), lines(10)).expect("a file");
    fs::write(dir.join("seven.log"), lines(7)).expect("a file");
    ORACLE
        .replace("DIR/", &format!("{}/", dir.display()))
        .replace("PORT", &avro.to_string())
        .replace("SINK", &sink.to_string())
}

/// What real Flume counts.
fn flumes(version: Version) -> Counters {
    let (dir, stand_in, avro, port) =
        (tempfile::tempdir().expect("a folder"), StandIn::listen().expect("a port"), port(), port());
    let text = lay_out(dir.path(), avro, stand_in.address().port());
    let file = dir.path().join("a1.properties");
    fs::write(&file, text).expect("a file");
    let jvm = ["type=http".to_owned(), format!("port={port}")].map(|key| format!("-Dflume.monitoring.{key}"));
    let launch = Launch { jvm: jvm.into(), ..Launch::default() };
    let flume =
        Flume::start_as(version, &file, "a1", dir.path(), &launch, &Default::default()).expect("a JVM");
    flume.wait_for_line("Avro source r1 started.", LONG).expect("it starts");
    traffic(avro, &stand_in);
    all_is_counted(port)
}

/// What a native agent counts.
fn native() -> Counters {
    let (dir, stand_in, avro, port) =
        (tempfile::tempdir().expect("a folder"), StandIn::listen().expect("a port"), port(), port());
    let text = lay_out(dir.path(), avro, stand_in.address().port());
    let agent = Solo::start_in(dir, &text, &["env", &options(port)]);
    agent.wait_for("Avro source r1 started.");
    traffic(avro, &stand_in);
    all_is_counted(port)
}

fn counts_as(version: Version) {
    flume::require();
    let (flumes, native) = (flumes(version), native());
    for (component, theirs) in &flumes {
        let ours = native.get(component).unwrap_or_else(|| panic!("no {component} in {native:?}"));
        assert!(ours.keys().eq(theirs.keys()), "{component}: {ours:?}, in Flume {theirs:?}");
        for (key, value) in theirs.iter().filter(|(key, _)| !DEPENDS_ON_TIME.contains(&key.as_str())) {
            assert_eq!(&ours[key], value, "{component} {key}: {ours:?}, in Flume {theirs:?}");
        }
    }
    assert!(native.keys().eq(flumes.keys()), "{native:?}, in Flume {flumes:?}");
}

#[test]
#[ignore = "needs a JVM, Maven and a registry"]
fn the_same_traffic_counts_as_in_flume_1_9() {
    counts_as(Version::V1_9);
}

#[test]
#[ignore = "needs a JVM, Maven and a registry"]
fn the_same_traffic_counts_as_in_flume_1_11() {
    counts_as(Version::V1_11);
}

/// `seq` into an operator's sink that keeps counters of its own.
const OWN_SINK: &str = "a1.sources = r1\na1.channels = c1\na1.sinks = k1\na1.sources.r1.type = exec\n\
    a1.sources.r1.command = seq 1 300\na1.sources.r1.channels = c1\na1.channels.c1.type = memory\n\
    a1.channels.c1.capacity = 1000\na1.sinks.k1.type = org.acme.Lines\na1.sinks.k1.channel = c1\n";

#[test]
#[ignore = "needs a JVM, Maven and a registry"]
fn an_own_sinks_own_counters_are_those_that_flume_shows() {
    flume::require();
    for version in Version::ALL {
        let (dir, theirs, ours) = (tempfile::tempdir().expect("a folder"), port(), port());
        let file = dir.path().join("a1.properties");
        fs::write(&file, OWN_SINK).expect("a file");
        let jvm =
            ["type=http".to_owned(), format!("port={theirs}")].map(|key| format!("-Dflume.monitoring.{key}"));
        let classes = flume::bridge::plugins().ok();
        let launch = Launch { jvm: jvm.into(), classes, ..Launch::default() };
        let flume =
            Flume::start_as(version, &file, "a1", dir.path(), &launch, &Default::default()).expect("a JVM");
        flume.wait_for_line("Component type: SINK, name: k1 started", LONG).expect("it starts");
        let mut words = flume::bridge::environment(version);
        words.push(options(ours));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let _agent = Solo::start(OWN_SINK, &words);
        let of = |port: u16| {
            let answers = || http::get(port, "/metrics").is_ok();
            until("counters are served", answers);
            wait(port, "SINK.k1", "EventDrainSuccessCount", 300);
            let mut counters = counters(port).remove("SINK.k1").expect("it was just there");
            counters.remove("StartTime").expect("it has started");
            counters
        };
        assert_eq!(of(ours), of(theirs), "Flume {}", version.name());
        let drained = sample(ours, "flume_event_drain_success_total{kind=\"sink\",name=\"k1\"}");
        assert!((drained - 300.0).abs() < 0.1, "{drained}");
    }
}

/// A store or a certificate of the tests.
fn store(name: &str) -> String {
    binaries::workspace().join("common/runtime/testdata/stores").join(name).display().to_string()
}

/// What an agent is told that answers over TLS, to those who know the token, which stands in a file of `dir`.
fn secured(port: u16, dir: &Path) -> String {
    let token = dir.join("token");
    fs::write(&token, "planted9token\n").expect("a file");
    format!(
        "{} -Dflume.monitoring.ssl=true -Dflume.monitoring.keystore={} -Dflume.monitoring.keystore-password=changeit \
         -Dflume.monitoring.keystore-type=PKCS12 -Dflume.monitoring.tokenFile={}",
        options(port),
        store("named.p12"),
        token.display()
    )
}

/// The certificate that has signed the agent's, as other programs read it.
fn authority(dir: &Path) -> String {
    let file = dir.join("root.pem");
    let mut openssl = Command::new("openssl");
    openssl.args(["pkcs12", "-nokeys", "-passin", "pass:changeit", "-in", &store("root-trust.p12"), "-out"]);
    assert!(limit::output(openssl.arg(&file)).status.success());
    file.display().to_string()
}

#[test]
#[ignore = "needs a JVM, Maven and a registry"]
fn curl_reads_the_counters_over_tls_with_the_token_and_not_without() {
    let (dir, port) = (tempfile::tempdir().expect("a folder"), port());
    let agent = Solo::start(&AGENT.replace("PORT", "1"), &["env", &secured(port, dir.path())]);
    agent.wait_for("monitoring: answers at 127.0.0.1");
    let root = authority(dir.path());
    let get = |place: &str, more: &[&str]| {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--max-time", "20", "--write-out", "\n%{http_code}", "--cacert", &root]);
        let output = limit::output(curl.args(more).arg(place));
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let token = ["--header", "Authorization: Bearer planted9token"];
    let at = |path: &str| format!("https://localhost:{port}{path}");
    let (code, said) = get(&at("/metrics"), &token);
    assert!(code == Some(0) && said.contains("\"CHANNEL.c1\"") && said.ends_with("\n200"), "{code:?} {said}");
    assert_eq!(get(&at("/health"), &token), (Some(0), "OK\n\n200".to_owned()));
    for wrong in
        [&[][..], &["--header", "Authorization: Bearer planted9tokem"], &["--user", "me:planted9token"]]
    {
        let (code, said) = get(&at("/metrics"), wrong);
        assert!(code == Some(0) && said.ends_with("\n401") && !said.contains("CHANNEL"), "{code:?} {said}");
    }
    let (code, said) = get(&format!("http://localhost:{port}/metrics"), &token);
    assert!(code != Some(0) && !said.contains("CHANNEL"), "in the clear: {code:?} {said}");
    assert_eq!(agent.said("planted9"), 0);
}

/// It scrapes as an operator has it scrape, and evaluates the rules that are shipped.
#[test]
#[ignore = "needs Prometheus: .ci/run runs it where that is installed"]
fn a_real_prometheus_scrapes_it_and_the_shipped_alerts_see_a_sink_that_is_down() {
    let (dir, agent_port, its_port) = (tempfile::tempdir().expect("a folder"), port(), port());
    let monitoring = binaries::workspace().join("deploy/monitoring");
    let promtool = |words: &[&str]| {
        let output = limit::output(Command::new("promtool").args(words).current_dir(&monitoring));
        assert!(output.status.success(), "{words:?}: {output:?}");
    };
    promtool(&["check", "rules", "alerts.yml"]);
    promtool(&["test", "rules", "alerts.test.yml"]);
    let agent = Solo::start(&AGENT.replace("PORT", "1"), &["env", &secured(agent_port, dir.path())]);
    agent.wait_for("monitoring: answers at 127.0.0.1");
    let settings = format!(
        "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: [{}/alerts.yml]\nscrape_configs:\n\
         - job_name: flume\n  scheme: https\n  metrics_path: /metrics/prometheus\n  tls_config: {{ca_file: {}}}\n  \
         authorization: {{credentials_file: {}/token}}\n  static_configs: [{{targets: ['localhost:{agent_port}']}}]\n",
        monitoring.display(),
        authority(dir.path()),
        dir.path().display()
    );
    let file = dir.path().join("prometheus.yml");
    fs::write(&file, settings).expect("a file");
    promtool(&["check", "config", &file.display().to_string()]);
    let mut command = Command::new("prometheus");
    command.arg(format!("--config.file={}", file.display()));
    command.arg(format!("--storage.tsdb.path={}", dir.path().join("data").display()));
    command.arg(format!("--web.listen-address=127.0.0.1:{its_port}"));
    let console = Console::default();
    let _prometheus = Process::spawn(command, &console, 0).expect("a Prometheus");
    fs::write(agent.path("a.log"), "one\ntwo\n").expect("a file");
    // Its answer has `"value":[TIME,"VALUE"]` for each sample.
    let value = |query: &str| {
        let (_, page) = http::get(its_port, &format!("/api/v1/query?query={query}")).ok()?;
        let answer: serde_json::Value = serde_json::from_str(&page).ok()?;
        answer["data"]["result"][0]["value"][1].as_str().map(str::to_owned)
    };
    for (query, wanted) in [
        ("up%7Bjob=%22flume%22%7D", "1"),
        ("flume_channel_events", "2"),
        ("flume_followed_file_lag_bytes", "0"),
        ("flume_followed_file_lag_seconds", "0"),
        ("flume_sink_up", "0"),
        ("ALERTS%7Balertname=%22FlumeSinkDown%22%7D", "1"),
        ("ALERTS%7Balertname=%22FlumeGroupWithoutSink%22%7D", "1"),
    ] {
        until(&format!("{query} is {wanted}"), || value(query).as_deref() == Some(wanted));
    }
}

/// A daemon as each host of a Ganglia has one; the format before 3.1, which no daemon of today takes, has a test of its own.
#[test]
#[ignore = "needs gmond: .ci/run runs it where that is installed"]
fn a_real_gmond_has_the_counters_that_are_sent_to_ganglia() {
    let (dir, listens, tells) = (tempfile::tempdir().expect("a folder"), port(), port());
    let file = dir.path().join("gmond.conf");
    let settings = format!(
        "globals {{ daemonize = no setuid = no mute = yes deaf = no }}\ncluster {{ name = \"lab\" }}\n\
         udp_recv_channel {{ bind = 127.0.0.1 port = {listens} }}\ntcp_accept_channel {{ bind = 127.0.0.1 port = {tells} }}\n"
    );
    fs::write(&file, settings).expect("a file");
    let (mut command, console) = (Command::new("gmond"), Console::default());
    command.arg("--conf").arg(&file);
    let _gmond = Process::spawn(command, &console, 0).expect("a gmond");
    // It tells all it has to whoever connects.
    let told = || {
        let mut text = String::new();
        let stream = TcpStream::connect(("127.0.0.1", tells));
        let read = stream.and_then(|mut stream| stream.read_to_string(&mut text));
        read.map_or_else(|_| String::new(), |_| text)
    };
    until("gmond listens", || told().contains("</GANGLIA_XML>"));
    let options = format!(
        "JAVA_OPTS=-Dflume.monitoring.type=ganglia -Dflume.monitoring.hosts=127.0.0.1:{listens} \
         -Dflume.monitoring.pollFrequency=1"
    );
    let agent = Solo::start(&AGENT.replace("PORT", "1"), &["env", &options]);
    fs::write(agent.path("a.log"), "one\ntwo\n").expect("a file");
    for metric in [
        "<METRIC NAME=\"flume.SOURCE.r1.EventAcceptedCount\" VAL=\"2\" TYPE=\"float\"",
        "<METRIC NAME=\"flume.CHANNEL.c1.ChannelSize\" VAL=\"2\" TYPE=\"float\"",
        "<METRIC NAME=\"flume.SINK.k1.Type\" VAL=\"SINK\" TYPE=\"string\"",
        "<EXTRA_ELEMENT NAME=\"GROUP\" VAL=\"flume\"/>",
    ] {
        until(&format!("gmond has {metric}"), || told().contains(metric));
    }
}

/// How often a sink looks at an empty channel, which events go together, and when: another time in each run. Flume
/// looks at its open connections once a minute.
const DEPENDS_ON_TIME: &[&str] = &[
    "StartTime",
    "EventTakeAttemptCount",
    "BatchEmptyCount",
    "BatchUnderflowCount",
    "BatchCompleteCount",
    "OpenConnectionCount",
];

const AGENT: &str = "a1.sources = r1\na1.channels = c1\na1.sinks = k1\n\
    a1.channels.c1.type = memory\na1.channels.c1.capacity = 1000\n\
    a1.sources.r1.type = TAILDIR\na1.sources.r1.channels = c1\na1.sources.r1.filegroups = f\n\
    a1.sources.r1.filegroups.f = DIR/.*log\na1.sources.r1.positionFile = DIR/positions.json\n\
    a1.sinks.k1.type = avro\na1.sinks.k1.hostname = 127.0.0.1\na1.sinks.k1.port = PORT\na1.sinks.k1.channel = c1\n";

const COLLECTOR: &str = "a1.sources = r1\na1.channels = c1\na1.sinks = k1\na1.channels.c1.type = memory\n\
    a1.sources.r1.type = avro\na1.sources.r1.bind = 127.0.0.1\na1.sources.r1.port = PORT\na1.sources.r1.channels = c1\n\
    a1.sinks.k1.type = logger\na1.sinks.k1.channel = c1\n";

const ORACLE: &str = "a1.sources = r1 r2 r3\na1.channels = c1\na1.sinks = k1\n\
    a1.channels.c1.type = memory\na1.channels.c1.capacity = 1000\n\
    a1.sources.r1.type = avro\na1.sources.r1.bind = 127.0.0.1\na1.sources.r1.port = PORT\na1.sources.r1.channels = c1\n\
    a1.sources.r2.type = exec\na1.sources.r2.command = cat DIR/ten\na1.sources.r2.channels = c1\n\
    a1.sources.r3.type = TAILDIR\na1.sources.r3.channels = c1\na1.sources.r3.filegroups = f\n\
    a1.sources.r3.filegroups.f = DIR/.*log\na1.sources.r3.positionFile = DIR/positions.json\n\
    a1.sinks.k1.type = avro\na1.sinks.k1.hostname = 127.0.0.1\na1.sinks.k1.port = SINK\n\
    a1.sinks.k1.batch-size = 5\na1.sinks.k1.channel = c1\n";
