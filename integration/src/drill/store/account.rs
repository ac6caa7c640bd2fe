//! What became of every line, from what the store holds.

use super::{ARRIVED, LONG, Scene, parse};
use crate::{
    drill::Report,
    ledger::{Arrival, Incident, Ledger, LineId, Place, Verdict},
    lesson,
    node::Error,
};
use std::{
    thread,
    time::{Duration, Instant, SystemTime},
};

/// Ends the collectors in good order, reads all that the store holds, and judges. `outages` is when the store was killed,
/// `begin` when the load began.
pub(super) fn read_back(
    scene: &mut Scene,
    outages: &[Instant],
    begin: Instant,
    report: &mut Report,
) -> Result<Verdict, Error> {
    for node in 0..2 {
        let collector = scene.cluster.collector(node);
        let ended = collector.terminate(LONG).is_some_and(|ended| ended.status.success());
        report.check(ended, format!("{} did not stop in good order on SIGTERM", collector.name()));
    }
    let unfinished = until_finished(scene)?;
    report
        .check(unfinished.is_empty(), format!("the collectors have not completed {}", unfinished.join(", ")));
    let lines = scene.store.lock().all()?;
    let (mut ledger, clocks) = (Ledger::default(), Clocks::read());
    let births = [0, 1].map(|node| scene.cluster.collector(node).births().to_vec());
    for line in &lines {
        let Some((node, seen)) = parse(line) else {
            report.check(false, format!("{} holds what no collector has written: {line}", scene.kind.title));
            continue;
        };
        let at = seen.header(ARRIVED).and_then(|text| clocks.instant(text.parse().ok()?));
        match (LineId::parse(&seen.body), at) {
            (Some(line), Some(at)) => {
                ledger.arrivals.push(Arrival {
                    line,
                    place: Place { node, life: life(&births[node], at) },
                    at,
                });
            }
            (None, _) => {} // one of the steps
            (Some(line), None) => report.check(false, format!("{line} has no header {ARRIVED}")),
        }
    }
    for (node, births) in births.iter().enumerate() {
        let own = scene.cluster.collector(node).incidents().iter().filter(|incident| incident.at >= begin);
        ledger.incidents.extend(own);
        // What a collector had under way to a store that was killed may come again.
        let of_store = outages.iter().map(|at| Incident {
            place: Place { node, life: life(births, *at) },
            at: *at,
            holds: 0,
        });
        ledger.incidents.extend(of_store);
    }
    Ok(ledger.verdict(&scene.cluster.written().lines))
}

/// Waits until the store has no file that is not complete; which there are after all.
fn until_finished(scene: &Scene) -> Result<Vec<String>, Error> {
    let deadline = Instant::now() + FINISH;
    loop {
        let unfinished = scene.store.lock().unfinished()?;
        if unfinished.is_empty() || Instant::now() > deadline {
            return Ok(unfinished);
        }
        thread::sleep(LOOK);
    }
}

/// Copies beyond the first that so many kills may cost: at each, what both channels of that end may hold is under way.
pub(super) fn bound(kills: usize) -> usize {
    2 * lesson::CAPACITY * kills
}

/// Which life of a node that was.
fn life(births: &[Instant], at: Instant) -> u32 {
    (births.partition_point(|birth| *birth <= at).max(1) - 1) as u32
}

/// Both clocks at one moment, so that the same time of day is always the same instant.
struct Clocks(Instant, SystemTime);

impl Clocks {
    fn read() -> Clocks {
        Clocks(Instant::now(), SystemTime::now())
    }

    /// The moment that a header tells in milliseconds since 1970.
    fn instant(&self, millis: u64) -> Option<Instant> {
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
        self.0.checked_sub(self.1.duration_since(at).ok()?)
    }
}

/// Leases of a killed writer are recovered within some seconds.
const FINISH: Duration = Duration::from_secs(120);

const LOOK: Duration = Duration::from_millis(300);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_of_the_life_in_which_it_came() {
        let begin = Instant::now();
        let births = [5, 10, 20].map(|at| begin + Duration::from_secs(at));
        let lives = [1, 5, 9, 10, 19, 20, 99].map(|at| life(&births, begin + Duration::from_secs(at)));
        assert_eq!(lives, [0, 0, 0, 1, 1, 2, 2]);
    }
}
