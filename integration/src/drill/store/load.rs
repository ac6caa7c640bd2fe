//! Load through kills of the collectors and of the store in turn, at moments and for times that a seed decides.

use super::{LONG, Scene, account, chance::Chance};
use crate::{
    console::Line,
    drill::{Figure, Options, Report, Stage},
    event_line,
    ledger::LineId,
    load::{Demand, Load},
    node::Error,
};
use std::{
    thread,
    time::{Duration, Instant},
};

/// Drives the load, reads everything back, and fills in the report.
pub(super) fn play(
    scene: &mut Scene,
    options: &Options,
    seed: u64,
    stage: &Stage,
    report: &mut Report,
) -> Result<(), Error> {
    let title = scene.kind.title;
    let Options { lines, rate, kills, .. } = *options;
    stage.step(&format!(
        "{lines} lines and more, {rate} a second, through {kills} kills of a collector and of {title} in turn, SEED={seed} \
         (the events are not shown)"
    ));
    let begin = Instant::now();
    let load = scene.cluster.load(Demand { lines: u32::MAX, rate, bytes: BYTES })?;
    let mut kills_done = Kills {
        scene,
        load: &load,
        chance: Chance::new(seed),
        stage,
        away: [vec![], vec![]],
        marks: [0; 2],
        outages: vec![],
    };
    for kill in 0..kills {
        kills_done.one(kill)?;
    }
    let Kills { away, outages, .. } = kills_done;
    while load.progress() < lines {
        thread::sleep(LOOK);
    }
    load.stop();
    let early = scene.cluster.settle_early(load, SETTLE)?;
    if scene.channels.is_some() {
        until_all_came(scene);
    }
    stage.say(format!(
        "--- {} lines written, {} seen to come; now everything is read back",
        early.sent, early.received
    ));
    let verdict = account::read_back(scene, &outages, begin, report)?;
    for (times, who) in away.into_iter().zip(["a collector", title]) {
        if !times.is_empty() {
            let what = format!("{who} killed under load (middle, worst)");
            report.push(Figure::new(what, middle_and_worst(times), Duration::from_secs(20), "not measured"));
        }
    }
    report.judged(format!("load, {rate}/s, {kills} kills, SEED={seed}"), &verdict);
    let bound = account::bound(kills as usize);
    report.check(
        verdict.doubled <= bound,
        format!(
            "{} lines came twice; what was under way at {kills} kills is {bound} at most",
            verdict.doubled
        ),
    );
    Ok(())
}

/// A collector that was killed gets what its channel holds when its group has noticed.
fn until_all_came(scene: &Scene) {
    let deadline = Instant::now() + SETTLE;
    let sent = &scene.cluster.written().lines;
    while Instant::now() < deadline {
        let verdict = scene.cluster.ledger().verdict(sent);
        if verdict.received == verdict.sent {
            return;
        }
        thread::sleep(LOOK * 50);
    }
}

fn line_of(line: &Line) -> Option<LineId> {
    LineId::parse(&event_line::parse(&line.text)?.body)
}

/// The middle one and the last.
fn middle_and_worst(mut times: Vec<Duration>) -> Vec<Duration> {
    times.sort();
    [times.get(times.len() / 2), times.last()].into_iter().flatten().copied().collect()
}

struct Kills<'a> {
    scene: &'a mut Scene,
    load: &'a Load,
    chance: Chance,
    stage: &'a Stage,
    /// How long it took until the next line was in the store, after kills of collectors and of the store.
    away: [Vec<Duration>; 2],
    /// From where on arrivals have to be looked at.
    marks: [usize; 2],
    /// When the store was killed.
    outages: Vec<Instant>,
}

impl Kills<'_> {
    /// The collectors and the store are killed in turn.
    fn one(&mut self, kill: u32) -> Result<(), Error> {
        thread::sleep(self.chance.millis(300..1500));
        let written = self.load.progress();
        self.marks = [0, 1].map(|node| self.scene.cluster.arrivals(node).mark());
        if kill.is_multiple_of(2) {
            let holds = self.scene.holds();
            let node = usize::from(self.chance.of(0..3) == 2); // slave3 has most of the events
            let collector = self.scene.cluster.collector(node);
            self.stage.say(format!(
                "--- kill {}: kill -9 of {} after {written} lines",
                kill + 1,
                collector.name()
            ));
            let at = collector.kill(holds);
            self.wait_for_a_line(at, 0)?;
            thread::sleep(self.chance.millis(0..1500));
            let collector = self.scene.cluster.collector(node);
            collector.start()?;
            collector.ready(LONG)?;
        } else {
            self.stage.say(format!(
                "--- kill {}: kill -9 of {} after {written} lines",
                kill + 1,
                self.scene.kind.title
            ));
            self.outages.push(Instant::now());
            self.scene.kill_store();
            thread::sleep(self.chance.millis(0..1500));
            let up = self.scene.start_store_again()?;
            self.wait_for_a_line(up, 1)?;
        }
        Ok(())
    }

    /// Notes when the first line came after `since`, and waits until one is there that is written from now on: channels hold
    /// nothing older then.
    fn wait_for_a_line(&mut self, since: Instant, whose: usize) -> Result<(), Error> {
        let (written, deadline) = (self.load.progress(), Instant::now() + LONG);
        let mut marks = self.marks;
        let (mut first, mut caught_up) = (None, false);
        while !caught_up {
            if Instant::now() > deadline {
                return Err(Error::Missing(format!(
                    "no line that was written after the kill came to {} within {LONG:?}; the last lines of slave3 and slave4:{}",
                    self.scene.kind.title,
                    self.last_lines()
                )));
            }
            thread::sleep(LOOK);
            for (node, mark) in marks.iter_mut().enumerate() {
                let arrivals = self.scene.cluster.arrivals(node);
                let next = arrivals.mark();
                let came = arrivals.visit(*mark, |line| Some((line.at, line_of(line)?)));
                *mark = next;
                let later = came.iter().map(|(at, _)| *at).find(|at| *at >= since);
                first = first.into_iter().chain(later).min();
                caught_up |= came.iter().any(|(_, line)| line.number * 2 > written);
            }
        }
        self.away[whose].extend(first.map(|at| at.saturating_duration_since(since)));
        Ok(())
    }

    fn last_lines(&mut self) -> String {
        let lines = |node: usize, cluster: &mut crate::cluster::Cluster| {
            let all = cluster.collector(node).console().lines_from(0);
            let last = all[all.len().saturating_sub(12)..].iter().map(|line| format!("\n  | {}", line.text));
            last.collect::<String>()
        };
        [0, 1].map(|node| lines(node, &mut self.scene.cluster)).concat()
    }
}

/// Bytes of a line with its end: what a log line is like.
const BYTES: usize = 128;

/// How long the last lines may take.
const SETTLE: Duration = Duration::from_secs(180);

const LOOK: Duration = Duration::from_millis(10);
