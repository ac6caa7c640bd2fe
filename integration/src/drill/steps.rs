//! The lesson, step by step.

use super::{Figure, Report, Stage, netns};
use crate::{
    cluster::Cluster,
    console::Line,
    event_line::{self, Seen},
    flume::avro::{Connection, Hello, Meta},
    lesson,
    node::{Error, Implementation},
};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

/// Which steps there are, and where their lines go.
pub(super) struct Course {
    /// Whether slave3 is also held still.
    pub(super) freeze: bool,
    /// The store that the collectors write to, where it is not their consoles.
    pub(super) store: Option<&'static str>,
}

impl Course {
    /// A step, as the report names it.
    fn step(&self, plain: &str) -> String {
        let Some(store) = self.store else { return plain.to_owned() };
        match plain {
            LINE => format!("line in {store}, by slave3"),
            NEXT => format!("kill -9 of slave3, next line in {store} by slave4"),
            BACK => format!("slave3 up again, lines in {store} by it"),
            HELD => format!("SIGSTOP of slave3, next line in {store} by slave4"),
            other => format!("{other}, in {store}"),
        }
    }

    /// A store opens a file for its first line.
    fn bar(&self, plain: Duration) -> Duration {
        if self.store.is_some() { plain + Duration::from_secs(2) } else { plain }
    }

    /// Flume's own figure is of consoles.
    fn flume(&self, plain: &'static str) -> &'static str {
        if self.store.is_some() { "not measured" } else { plain }
    }
}

/// Plays all steps and fills in the report.
pub(super) fn play(
    cluster: &mut Cluster,
    stage: &Stage,
    report: &mut Report,
    course: &Course,
) -> Result<(), Error> {
    let mut drill = Steps { cluster, stage, course, said: BTreeMap::new(), echoes: 0 };
    drill.start(report)?;
    drill.hello(report)?;
    drill.kill(report)?;
    drill.come_back(report)?;
    if course.freeze {
        drill.freeze(report)?;
    }
    drill.count(report);
    Ok(())
}

struct Steps<'a> {
    cluster: &'a mut Cluster,
    stage: &'a Stage,
    course: &'a Course,
    said: BTreeMap<String, Instant>, // what was written to a log, and when
    echoes: u32,
}

impl Steps<'_> {
    fn start(&mut self, report: &mut Report) -> Result<(), Error> {
        self.stage.step("the collectors, slave3 and slave4; then the agents, slave1 and slave2");
        self.stage.say(self.cluster.command_lines());
        let collectors = self.cluster.start_collectors()?;
        (0..2).try_for_each(|node| self.awake(node))?;
        let agents = self.cluster.start_agents()?;
        report.push(Figure::new("start to \"Avro source r1 started.\"", collectors, START, "not measured"));
        report.push(Figure::new("start to the agent's source started", agents, START, "not measured"));
        for node in 0..2 {
            self.connected(node)?;
        }
        Ok(())
    }

    /// Waits until a Flume has answered a handshake: it loads half of its classes for the first one, and a native agent waits two
    /// seconds for its primary's.
    fn awake(&mut self, node: usize) -> Result<(), Error> {
        if self.cluster.collector(node).kind() == Implementation::Ours {
            return Ok(());
        }
        let whereabouts = self.cluster.whereabouts();
        let host = whereabouts.hosts[node].parse().unwrap_or_else(|_| netns::address(node));
        let (at, deadline) = (SocketAddr::new(host, whereabouts.port), Instant::now() + LONG);
        let greet = || {
            let mut connection = Connection::open(at)?;
            connection.call(Some(&Hello::default()), &Meta::new(), "", &[])
        };
        while let Err(error) = greet() {
            if Instant::now() > deadline {
                return Err(Error::io(format!("{} does not answer", lesson::COLLECTORS[node]))(error));
            }
            thread::sleep(PACE);
        }
        Ok(())
    }

    /// Both agents connect to both collectors: the standby's connection is open before it is needed. Flume of today
    /// does not say so.
    fn connected(&mut self, node: usize) -> Result<(), Error> {
        let collector = self.cluster.collector(node);
        if collector.kind() == Implementation::Ours {
            let mut count = 0;
            collector.wait_for("CONNECTED of both agents", LONG, |line| {
                count += usize::from(line.text.contains(" CONNECTED: /"));
                count == 2
            })?;
        }
        Ok(())
    }

    fn hello(&mut self, report: &mut Report) -> Result<(), Error> {
        self.stage.step("[root@slave1] echo \"hello failover\" >> test.log");
        let times = self.both_say(["hello failover", "hello from two"], 0)?;
        self.figure(report, LINE, times, Duration::from_millis(20), "3.1 to 3.3 s [3.1 to 6.8]");
        let strays = self.cluster.arrivals(1).events_from(0).len();
        report.check(
            strays == 0,
            format!("slave4 printed {strays} events while slave3 was up; it must print none"),
        );
        Ok(())
    }

    fn kill(&mut self, report: &mut Report) -> Result<(), Error> {
        self.stage.step("kill -9 of slave3, then [root@slave1] echo \"hello failover1\" >> test.log");
        self.cluster.collector(0).kill(lesson::CAPACITY);
        let times = self.both_say(["hello failover1", "hello after kill"], 1)?;
        self.figure(report, NEXT, times, Duration::from_millis(50), "4.9 to 8.4 s [7.1 to 7.9]");
        Ok(())
    }

    fn come_back(&mut self, report: &mut Report) -> Result<(), Error> {
        self.stage.step("slave3 again; a line now and then until they come to it");
        self.cluster.collector(0).start()?;
        let up = Instant::now() + self.cluster.collector(0).ready(LONG)?;
        let times = self.until_primary(up)?;
        self.figure(report, BACK, times, Duration::from_secs(3), "3.2 to 10.3 s [3.2 to 7.6]");
        Ok(())
    }

    fn freeze(&mut self, report: &mut Report) -> Result<(), Error> {
        self.stage.step("kill -STOP of slave3: it takes bytes and answers nothing");
        self.cluster.collector(0).freeze();
        let times = self.both_say(["hello frozen", "hello frozen two"], 1);
        self.cluster.collector(0).thaw();
        self.figure(report, HELD, times?, Duration::from_secs(2), "21 to 26 s");
        self.stage.step("kill -CONT of slave3; a line now and then until they come to it");
        let times = self.until_primary(Instant::now())?;
        self.figure(
            report,
            "SIGCONT of slave3, lines back on it",
            times,
            Duration::from_secs(11),
            "not measured",
        );
        Ok(())
    }

    fn figure(
        &self,
        report: &mut Report,
        what: &str,
        times: Vec<Duration>,
        bar: Duration,
        flume: &'static str,
    ) {
        report.push(Figure::new(
            self.course.step(what),
            times,
            self.course.bar(bar),
            self.course.flume(flume),
        ));
    }

    /// Each agent's log gets a line; how long each took to the console of collector `node`.
    fn both_say(&mut self, texts: [&str; 2], node: usize) -> Result<Vec<Duration>, Error> {
        let mark = self.cluster.arrivals(node).mark();
        for (agent, text) in texts.into_iter().enumerate() {
            self.say(agent, text)?;
        }
        texts.iter().map(|text| self.arrival(text, node, mark)).collect()
    }

    fn say(&mut self, agent: usize, text: &str) -> Result<(), Error> {
        let at = self.cluster.echo(agent, text)?;
        self.said.insert(text.to_owned(), at);
        Ok(())
    }

    fn arrival(&mut self, text: &str, node: usize, mark: usize) -> Result<Duration, Error> {
        let what = format!("{}: Event of \"{text}\"", lesson::COLLECTORS[node]);
        let arrivals = self.cluster.arrivals(node);
        let line = arrivals.wait_from(mark, LONG, &what, |line| body(line).as_deref() == Some(text))?;
        Ok(self.said.get(text).map_or(Duration::ZERO, |said| line.at.saturating_duration_since(*said)))
    }

    /// Both agents write until a line of each is printed by slave3; how long that took from `since` on.
    fn until_primary(&mut self, since: Instant) -> Result<Vec<Duration>, Error> {
        let mark = self.cluster.arrivals(0).mark();
        let mut back: [Option<Duration>; 2] = [None; 2];
        while back.contains(&None) {
            self.echoes += 1;
            for agent in 0..2 {
                self.say(agent, &format!("hello back {}{:04}", agent + 1, self.echoes))?;
            }
            thread::sleep(PACE);
            for (agent, back) in back.iter_mut().enumerate() {
                let prefix = format!("hello back {}", agent + 1);
                let found = self.cluster.arrivals(0).visit(mark, |line| {
                    body(line).is_some_and(|body| body.starts_with(&prefix)).then_some(line.at)
                });
                *back = back.or(found.first().map(|at| at.saturating_duration_since(since)));
            }
            if since.elapsed() > LONG {
                let never = "hello back";
                self.arrival(never, 0, mark)?; // says what was printed instead
            }
        }
        Ok(back.into_iter().flatten().collect())
    }

    /// Every line that was written, looked for on both consoles.
    fn count(&mut self, report: &mut Report) {
        let deadline = Instant::now() + LONG;
        while self.seen().len() < self.said.len() && Instant::now() < deadline {
            thread::sleep(PACE);
        }
        let seen = self.seen();
        let lost: Vec<&str> =
            self.said.keys().filter(|said| !seen.contains_key(*said)).map(String::as_str).collect();
        report.check(lost.is_empty(), format!("lost: {}", lost.join(", ")));
        for node in 0..2 {
            let collector = lesson::full_name(lesson::COLLECTORS[node]);
            for (_, seen) in self.cluster.arrivals(node).events_from(0) {
                let wrong = wrong_header(&seen, &collector);
                report.check(wrong.is_none(), wrong.unwrap_or_default());
            }
        }
        report.counted(self.said.len(), seen.len(), seen.values().map(|copies| copies - 1).sum());
    }

    fn seen(&mut self) -> BTreeMap<String, usize> {
        let mut seen = BTreeMap::new();
        for node in 0..2 {
            for (_, Seen { body, .. }) in self.cluster.arrivals(node).events_from(0) {
                *seen.entry(String::from_utf8_lossy(&body).into_owned()).or_default() += 1;
            }
        }
        seen
    }
}

fn body(line: &Line) -> Option<String> {
    event_line::parse(&line.text).map(|seen| seen.text())
}

/// What is wrong with the headers of a line that the collector of this name printed: those that the lesson's files set
/// must all be there.
fn wrong_header(seen: &Seen, collector: &str) -> Option<String> {
    let is_time = |text: &str| text.parse::<u64>().is_ok_and(|time| time > 0);
    let wrong = match (seen.header("Type"), seen.header("Collector"), seen.header("timestamp")) {
        (Some("LOGIN"), Some(name), Some(time)) if name == collector && is_time(time) => return None,
        (Some("LOGIN"), Some(name), _) if name == collector => "a time as timestamp".to_owned(),
        (Some("LOGIN"), _, _) => format!("Collector={collector}"),
        _ => "Type=LOGIN".to_owned(),
    };
    Some(format!("{collector} printed \"{}\" without {wrong}: {{{}}}", seen.text(), seen.headers))
}

/// The lesson's steps, as the report names them.
pub(super) const LINE: &str = "line to slave3's console";

/// The second.
pub(super) const NEXT: &str = "kill -9 of slave3, next line on slave4";

/// The third.
pub(super) const BACK: &str = "slave3 up again, lines back on it";

/// The fourth.
const HELD: &str = "SIGSTOP of slave3, next line on slave4";

/// The bar for a start.
const START: Duration = Duration::from_millis(20);

/// Longer than the slowest step of Flume: a connection that hangs is given up after 20 s and the next look is 5 s later;
/// its penalties and a busy machine come on top.
const LONG: Duration = Duration::from_secs(180);

/// How often a line is written while we wait for slave3.
const PACE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_the_headers_of_the_lesson_is_a_fault() {
        let fault = |headers: &str| {
            let seen = Seen { headers: headers.to_owned(), body: b"hello".to_vec() };
            wrong_header(&seen, "slave3.hanli.com")
        };
        assert_eq!(fault("Collector=slave3.hanli.com, Type=LOGIN, timestamp=1542098088198"), None);
        for (headers, missing) in [
            ("", "Type=LOGIN"),
            ("Collector=slave3.hanli.com, timestamp=1542098088198", "Type=LOGIN"),
            ("Collector=slave3.hanli.com, Type=LOGOUT, timestamp=1542098088198", "Type=LOGIN"),
            ("Type=LOGIN, timestamp=1542098088198", "Collector=slave3.hanli.com"),
            ("Collector=slave4.hanli.com, Type=LOGIN, timestamp=1", "Collector=slave3.hanli.com"),
            ("Collector=slave3.hanli.com, Type=LOGIN", "a time as timestamp"),
            ("Collector=slave3.hanli.com, Type=LOGIN, timestamp=now", "a time as timestamp"),
        ] {
            let said = fault(headers).expect("it is a fault");
            assert!(said.contains(&format!("without {missing}: ")), "{said}");
        }
    }
}
