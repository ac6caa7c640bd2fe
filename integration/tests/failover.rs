//! Collectors die, hang, flap and come back; every line is accounted for.

use integration::{
    binaries,
    cluster::{Cluster, Setup},
    flume::avro::{Connection, Event, Outcome},
    ledger::{LineId, Verdict},
    lesson::CAPACITY,
    limit,
    load::Demand,
    solo::{at_best, less},
    storm::{self, Spout},
};
use std::{
    collections::BTreeSet,
    fs,
    net::SocketAddr,
    process::Command,
    thread::{self, sleep},
    time::{Duration, Instant},
};

fn cluster() -> Cluster {
    Cluster::start(&Setup::default()).expect("the cluster starts")
}

/// Nobody answers the agents any more.
fn freeze_both(cluster: &mut Cluster) {
    for node in 0..2 {
        cluster.collector(node).freeze();
    }
}

fn restart(cluster: &mut Cluster, node: usize) {
    cluster.collector(node).start().expect("it starts again");
    cluster.collector(node).ready(LONG).expect("it listens again");
}

/// Waits until the agents have both connected to collector `node`, which they do by themselves.
fn connected(cluster: &mut Cluster, node: usize) {
    let mut count = 0;
    let two = cluster.collector(node).wait_for("CONNECTED of both agents", LONG, |line| {
        count += usize::from(line.text.contains(" CONNECTED: /"));
        count == 2
    });
    two.expect("both agents connect");
}

fn assert_complete(verdict: &Verdict) {
    eprintln!("{verdict:?}");
    assert!(verdict.is_clean(), "{verdict:?}");
    assert_eq!(verdict.received + verdict.went_down, verdict.sent);
}

/// Both collectors are down for that long, and everything arrives. Gives how long the first line took once both were up.
fn without_collectors(outage: Duration) -> Duration {
    let mut cluster = cluster();
    for node in 0..2 {
        cluster.collector(node).kill(0);
    }
    let load = cluster.load(Demand { lines: 6_000, rate: 600, bytes: 200 }).expect("the logs are there");
    sleep(outage);
    (0..2).for_each(|node| restart(&mut cluster, node));
    let up = Instant::now();
    let verdict = cluster.settle(load, LONG).expect("the logs are written");
    assert_complete(&verdict);
    assert_eq!(verdict.received, 6_000, "nothing was in a collector when it was killed");
    let first = cluster.ledger().arrivals.into_iter().map(|arrival| arrival.at).min().expect("lines came");
    let after = first.saturating_duration_since(up);
    eprintln!("the first line came {after:?} after both were up again");
    for agent in 0..2 {
        let said = cluster
            .agent(agent)
            .console()
            .visit(0, |line| line.text.contains("channel c1 is full (").then(|| line.text.clone()));
        assert_eq!(said.len(), 1, "a full channel is reported once, with its name and fill: {said:?}");
    }
    after
}

/// Channels of 1,000 fill up at once; what they cannot hold waits in the log.
#[test]
fn both_collectors_are_down_and_everything_arrives() {
    without_collectors(Duration::from_secs(15));
}

#[test]
#[ignore = "compares with the clock: .ci/run runs it alone"]
fn lines_come_soon_after_a_minute_without_collectors() {
    // The greatest penalty, and a little.
    at_best(|| less("the first line", without_collectors(Duration::from_secs(60)), Duration::from_secs(12)));
}

#[test]
fn a_hundred_thousand_lines_go_through_three_kills() {
    let mut cluster = cluster();
    let load = cluster.load(Demand { lines: 100_000, rate: 8_000, bytes: 128 }).expect("the logs are there");
    for kill in 0..3 {
        load.until(kill * 30_000 + 10_000, LONG);
        cluster.collector(0).kill(CAPACITY);
        sleep(Duration::from_millis(500)); // the lines of half a second go to the standby
        restart(&mut cluster, 0);
    }
    assert_complete(&cluster.settle(load, LONG).expect("the logs are written"));
    let places = cluster
        .ledger()
        .arrivals
        .iter()
        .map(|arrival| arrival.place)
        .collect::<std::collections::BTreeSet<_>>();
    eprintln!("lines were seen at {places:?}");
    assert!(places.len() >= 3, "the first life of slave3, slave4, and a later life of slave3: {places:?}");
}

#[test]
fn a_flapping_primary_costs_nothing_but_its_own_memory() {
    let mut cluster = cluster();
    let load = cluster.load(Demand { lines: 12_000, rate: 1_000, bytes: 128 }).expect("the logs are there");
    for flap in 0..8 {
        sleep(Duration::from_millis(400 + 150 * flap));
        cluster.collector(0).kill(CAPACITY);
        sleep(Duration::from_millis(150));
        restart(&mut cluster, 0);
    }
    assert_complete(&cluster.settle(load, LONG).expect("the logs are written"));
}

/// slave3 takes bytes and answers nothing: what was not answered goes to the standby, in order. Gives how long the next
/// line took.
fn a_hanging_primary() -> Duration {
    let mut cluster = cluster();
    let load = cluster.load(Demand { lines: 10_000, rate: 1_000, bytes: 128 }).expect("the logs are there");
    sleep(Duration::from_secs(1));
    let frozen = cluster.collector(0).freeze();
    sleep(Duration::from_secs(4));
    cluster.collector(0).thaw();
    let verdict = cluster.settle(load, LONG).expect("the logs are written");
    assert_complete(&verdict);
    assert_eq!(verdict.went_down, 0);
    let ledger = cluster.ledger();
    let next = ledger.arrivals.iter().filter(|arrival| arrival.place.node == 1 && arrival.at > frozen);
    let after = next.map(|arrival| arrival.at - frozen).min().expect("slave4 took over");
    eprintln!("the next line came {after:?} after slave3 was held still");
    after
}

#[test]
fn a_hanging_primary_loses_nothing_and_what_came_twice_has_a_cause() {
    a_hanging_primary();
}

#[test]
#[ignore = "compares with the clock: .ci/run runs it alone"]
fn a_hanging_primary_is_left_soon() {
    at_best(|| less("the next line", a_hanging_primary(), Duration::from_secs(3)));
}

/// Nobody drains the agents' channels until both collectors are back: the exec source waits, it does not end.
#[test]
fn a_full_channel_recovers() {
    let mut cluster = cluster();
    freeze_both(&mut cluster);
    let load = cluster.load(Demand { lines: 20_000, rate: 0, bytes: 400 }).expect("the logs are there");
    for agent in 0..2 {
        let full = cluster
            .agent(agent)
            .wait_for("the channel is full", LONG, |line| line.text.contains("c1 is full"));
        full.expect("it says so");
    }
    (0..2).for_each(|node| cluster.collector(node).thaw());
    let verdict = cluster.settle(load, LONG).expect("the logs are written");
    assert_complete(&verdict);
    assert_eq!((verdict.received, verdict.went_down), (20_000, 0));
}

/// "Start all servers first, then all clients, or there are errors", says the lesson. Any order does.
#[test]
fn agents_may_start_before_their_collectors() {
    let mut cluster = Cluster::lay_out(&Setup::default()).expect("the cluster is laid out");
    cluster.start_agents().expect("agents start alone");
    let load = cluster.load(Demand { lines: 500, rate: 500, bytes: 64 }).expect("the logs are there");
    sleep(Duration::from_secs(2));
    cluster.start_collectors().expect("the collectors start");
    (0..2).for_each(|node| connected(&mut cluster, node));
    let verdict = cluster.settle(load, LONG).expect("the logs are written");
    assert_complete(&verdict);
    assert_eq!(verdict.doubled, 0);
    for agent in 0..2 {
        let lines = cluster.agent(agent).console().visit(0, |line| {
            (line.text.contains("[WARN") || line.text.contains("[ERROR")).then(|| line.text.clone())
        });
        assert!(
            lines.len() <= 3,
            "one calm line for each collector that is down, not one per attempt: {lines:#?}"
        );
    }
}

/// slave3 is a spout and slave4 a collector. The test plays Storm, which acknowledges tuples and fails some of them first. The
/// spout is killed twice with tuples on their way.
#[test]
fn a_collector_that_is_a_storm_spout_loses_nothing_when_tuples_fail_and_it_is_killed() {
    const LINES: usize = 8_000;
    let client_extra = "\nagent1.sinkgroups.g1.processor.maxpenalty = 1000\n".to_owned();
    let setup = Setup { client_extra, ..Setup::default() };
    let mut cluster = Cluster::lay_out(&setup).expect("files are written");
    let directory = tempfile::tempdir().expect("a folder");
    let file = storm::file(directory.path(), cluster.whereabouts());
    let mut spout = Spout::start("collector", &file);
    cluster.collector(1).start().expect("it starts");
    cluster.start_agents().expect("they start");
    let demand = Demand { lines: LINES as u32, rate: 1_600, bytes: 120 };
    let load = cluster.load(demand).expect("the logs are there");
    let (mut acked, mut doubled, mut failed, mut kills) = (BTreeSet::new(), 0, BTreeSet::new(), 0);
    let deadline = Instant::now() + LONG;
    loop {
        let tuples = spout.ask();
        if tuples.is_empty() {
            let standby = cluster.ledger().arrivals.into_iter().map(|arrival| arrival.line);
            let mut there: BTreeSet<LineId> = standby.collect();
            there.extend(&acked);
            if there.len() == LINES {
                break;
            }
            assert!(
                Instant::now() < deadline,
                "{} of {LINES} lines are there; {:?}",
                there.len(),
                spout.said
            );
            sleep(Duration::from_millis(2));
        } else if kills < 2 && acked.len() > 1_000 + 1_000 * kills {
            kills += 1;
            spout.process.kill();
            spout = Spout::start("collector", &file);
            continue;
        }
        for tuple in tuples {
            assert_eq!((&*tuple.headers["Collector"], &*tuple.encoding), ("slave3.hanli.com", "utf-8"));
            let line = LineId::parse(tuple.body.as_bytes()).expect("a line of the load");
            if line.number % 10 == 7 && failed.insert(line) {
                spout.command("fail", &tuple.id);
            } else {
                spout.command("ack", &tuple.id);
                doubled += usize::from(!acked.insert(line));
            }
        }
    }
    eprintln!(
        "{} acknowledged, of these {doubled} twice, {} failed first, {kills} kills",
        acked.len(),
        failed.len()
    );
    assert!(kills == 2 && failed.len() > 100 && acked.len() > LINES / 4);
    load.finish().expect("the logs are written");
    for agent in 0..2 {
        let ended = cluster.agent(agent).terminate(LONG).expect("it ends");
        assert_eq!(ended.status.code(), Some(0), "it holds nothing: {:?}", ended.status);
    }
    spout.hang_up();
    let ended = spout.process.wait(LONG).expect("it ends with its standard input");
    assert_eq!(ended.status.code(), Some(0), "{:?}", spout.console.lines_from(0));
}

#[test]
fn a_storm_spout_answers_its_senders_when_storm_has_acknowledged() {
    let cluster = Cluster::lay_out(&Setup::default()).expect("files are written");
    let directory = tempfile::tempdir().expect("a folder");
    let file = storm::file(directory.path(), cluster.whereabouts());
    let mut spout = Spout::start("agent", &file);
    let at: SocketAddr = format!("{}:{}", cluster.whereabouts().hosts[0], cluster.whereabouts().port)
        .parse()
        .expect("an address");
    while !spout.said.iter().any(|(_, text)| text.contains("Avro source r1 started.")) {
        assert!(spout.ask().is_empty());
    }
    let send = |bodies: &[&[u8]]| {
        let events: Vec<Event> =
            bodies.iter().map(|body| Event { headers: vec![], body: body.to_vec() }).collect();
        thread::spawn(move || Connection::open(at)?.append_batch(&events).map(|answer| answer.outcome))
    };
    let sent = send(&[b"plain", "z\u{fc}rich".as_bytes(), &[0xff, 0xfe]]);
    let mut tuples = Vec::new();
    while tuples.len() < 3 {
        tuples.extend(spout.ask());
    }
    let came: Vec<_> = tuples.iter().map(|tuple| (&*tuple.body, &*tuple.encoding)).collect();
    assert_eq!(came, [("plain", "utf-8"), ("z\u{fc}rich", "utf-8"), ("//4=", "base64")]);
    tuples[1..].iter().for_each(|tuple| drop(spout.command("ack", &tuple.id)));
    sleep(Duration::from_millis(300)); // an answer too many would come meanwhile
    assert!(!sent.is_finished(), "one is not acknowledged");
    spout.command("ack", &tuples[0].id);
    assert_eq!(sent.join().expect("no panic").expect("an answer"), Some(Outcome::Status(0)));
    // An inactive topology gets nothing; its senders are refused in time and keep what they have.
    spout.command("deactivate", "");
    let sent = send(&[b"late"]);
    while !sent.is_finished() {
        assert!(spout.ask().is_empty());
    }
    assert_eq!(sent.join().expect("no panic").expect("an answer"), Some(Outcome::Status(1)));
    spout.command("activate", "");
    let why = |spout: &Spout| {
        spout.said.iter().any(|(level, text)| *level == 3 && text.contains("the topology is inactive"))
    };
    while !why(&spout) {
        spout.ask();
    }
    // What waits when Storm hangs up is refused, and the process ends.
    let sent = send(&[b"last"]);
    while spout.ask().is_empty() {}
    spout.hang_up();
    assert_eq!(sent.join().expect("no panic").expect("an answer"), Some(Outcome::Status(1)));
    let ended = spout.process.wait(LONG).expect("it ends with its standard input");
    assert_eq!(ended.status.code(), Some(0), "{:?}", spout.console.lines_from(0));
}

#[test]
fn a_storm_spout_says_why_it_does_not_start() {
    let directory = tempfile::tempdir().expect("a folder");
    let file = directory.path().join("a1.conf");
    let source = "a1.sources = r1\na1.channels = c1\na1.sources.r1.type = seq\na1.sources.r1.channels = c1\n";
    let storm = "a1.channels.c1.type = storm\n";
    fs::write(&file, format!("{source}{storm}")).expect("a file");
    let program = binaries::directory().expect("it is built").join("agent");
    let run = |words: &[&str]| {
        limit::output(Command::new(&program).args(words).args(["-n", "a1", "-f"]).arg(&file))
    };
    let ended = run(&["agent"]);
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(
        ended.status.code() == Some(2) && said.contains("start `agent storm-spout` with the same options"),
        "{said}"
    );
    let ended = run(&["check"]);
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.code() == Some(0) && said.contains("in Flume it ends at once"), "{said}");
    let mut spout = Spout::begin("agent", &file);
    spout.hang_up();
    assert_eq!(spout.process.wait(LONG).expect("it ends").status.code(), Some(1), "there was no handshake");
    for (channel, part) in [
        (
            "a1.channels.c1.type = memory\na1.sinks = k1\na1.sinks.k1.type = null\na1.sinks.k1.channel = c1\n",
            "has no channel of type `storm`",
        ),
        ("a1.channels.c1.type = storm\na1.channels.c1.ackTimeout = soon\n", "ackTimeout"),
    ] {
        fs::write(&file, format!("{source}{channel}")).expect("a file");
        let mut spout = Spout::begin("agent", &file);
        let ended = spout.process.wait(LONG).expect("it ends");
        assert_eq!(ended.status.code(), Some(2));
        assert!(spout.console.drained(LONG));
        let said = spout.console.lines_from(0);
        assert!(said.iter().any(|line| line.text.contains(part)), "{said:?}");
    }
}

/// Far longer than anything takes, for a machine that has other things to do.
const LONG: Duration = Duration::from_secs(90);
