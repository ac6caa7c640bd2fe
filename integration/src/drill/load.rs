//! Load through kills and restarts of slave3, every line accounted for.

use super::{Figure, Options, Report, Stage};
use crate::{
    cluster::Cluster,
    duel::latency::new_histogram,
    ledger::{Arrival, Incident, Place},
    lesson,
    load::{Demand, Load},
    node::Error,
};
use std::{
    thread,
    time::{Duration, Instant},
};

/// Drives the load and fills in the report.
pub(super) fn play(
    cluster: &mut Cluster,
    stage: &Stage,
    report: &mut Report,
    options: &Options,
) -> Result<(), Error> {
    let Options { lines, rate, kills, .. } = *options;
    stage.step(&format!(
        "{lines} lines, {rate} a second, through {kills} kills of slave3 (its events are not shown)"
    ));
    let begin = Instant::now();
    let load = cluster.load(Demand { lines, rate, bytes: BYTES })?;
    for kill in 0..kills {
        wait_for(&load, moment(lines, kills, kill, 1));
        stage.say(format!("--- kill -9 of slave3 after {} lines", load.progress()));
        cluster.collector(0).kill(lesson::CAPACITY);
        if options.java.is_some() {
            wait_for(&load, (moment(lines, kills, kill, 1) + moment(lines, kills, kill, 2)) / 2);
            let killed = [cluster.agent(0).kill_jvm(), cluster.collector(1).kill_jvm()];
            stage
                .say(format!("--- kill -9 of the JVMs of slave1 and slave4 after {} lines", load.progress()));
            report.check(killed == [true, true], format!("no JVM to kill on slave1 or slave4: {killed:?}"));
        }
        wait_for(&load, moment(lines, kills, kill, 2));
        stage.say(format!("--- slave3 again after {} lines", load.progress()));
        cluster.collector(0).start()?;
    }
    let verdict = cluster.settle(load, SETTLE)?;
    describe(cluster, stage, begin);
    for (number, silence) in silences(cluster, begin).into_iter().enumerate() {
        let what = format!("under load, kill {}: next line on slave4", number + 1);
        report.push(Figure::new(what, vec![silence], Duration::from_millis(50), ""));
    }
    report.judged(format!("{lines} lines, {rate}/s, {kills} kills of slave3"), &verdict);
    Ok(())
}

/// Kill `kill` comes a third into its share of the lines, the restart at two thirds.
fn moment(lines: u32, kills: u32, kill: u32, third: u32) -> u32 {
    let share = u64::from(lines) * u64::from(3 * kill + third) / u64::from(3 * kills.max(1));
    share as u32 // not more than `lines`
}

fn wait_for(load: &Load, lines: u32) {
    while load.progress() < lines && !load.is_finished() {
        thread::sleep(Duration::from_millis(1));
    }
}

fn describe(cluster: &Cluster, stage: &Stage, begin: Instant) {
    let ledger = cluster.ledger();
    let mut latency = new_histogram();
    let mut last = begin;
    for arrival in &ledger.arrivals {
        if let Some(written) = cluster.written().at(arrival.line) {
            latency.saturating_record(arrival.at.saturating_duration_since(written).as_micros() as u64);
        }
        last = last.max(arrival.at);
    }
    let of = |quantile: f64| Duration::from_micros(latency.value_at_quantile(quantile));
    stage.say(format!(
        "--- {} events in {:.1} s; line to console: half within {:?}, 99 % within {:?}, all within {:?}",
        ledger.arrivals.len(),
        (last - begin).as_secs_f64(),
        of(0.5),
        of(0.99),
        of(1.0),
    ));
}

/// For each kill since `begin`, how long it took until slave4 printed a line of the load.
fn silences(cluster: &Cluster, begin: Instant) -> Vec<Duration> {
    let ledger = cluster.ledger();
    let killed = ledger.incidents.iter().filter(|incident| incident.at >= begin);
    killed.filter_map(|incident| next_elsewhere(&ledger.arrivals, incident)).collect()
}

fn next_elsewhere(arrivals: &[Arrival], incident: &Incident) -> Option<Duration> {
    let elsewhere = |place: Place| place.node != incident.place.node;
    let later = arrivals.iter().filter(|arrival| elsewhere(arrival.place) && arrival.at >= incident.at);
    later.map(|arrival| arrival.at - incident.at).min()
}

/// Bytes of a line with its end: what a log line is like.
const BYTES: usize = 128;

/// How long the last lines may take: some may wait for a JVM that has been killed and starts again.
const SETTLE: Duration = Duration::from_secs(180);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kills_and_restarts_alternate_and_stay_within_the_load() {
        let moments: Vec<u32> =
            (0..3).flat_map(|kill| [1, 2].map(|third| moment(900, 3, kill, third))).collect();
        assert_eq!(moments, [100, 200, 400, 500, 700, 800]);
        assert_eq!(moment(u32::MAX, 1, 0, 2), 2_863_311_530);
    }
}
