//! What became of every line: which arrived, which went down with a killed process, which were lost.
//!
//! No process, no clock: arrivals and kills go in, a verdict comes out.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::{Duration, Instant},
};

/// A numbered line of one of the logs. Its text begins with 12 bytes that tell it apart, since a logger sink shows 16.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineId {
    /// Which log, 0 to 9.
    pub source: u8,
    /// Its number there, from 0, less than 10^9.
    pub number: u32,
}

impl LineId {
    /// Reads the beginning of a line that [`LineId`]'s `Display` wrote.
    pub fn parse(body: &[u8]) -> Option<LineId> {
        let [b's', source @ b'0'..=b'9', b' ', digits @ ..] = body.get(..LineId::BYTES)? else { return None };
        let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
        Some(LineId { source: source - b'0', number })
    }

    /// Writes its text over that of another at the beginning of `line`.
    ///
    /// # Panics
    /// When `line` is shorter than [`LineId::BYTES`].
    pub fn write(self, line: &mut [u8]) {
        line[1] = b'0' + self.source;
        let mut rest = self.number;
        for digit in line[3..LineId::BYTES].iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
    }

    /// Bytes of its text.
    pub const BYTES: usize = 12;
}

impl fmt::Display for LineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s{} {:09}", self.source, self.number)
    }
}

/// One life of one collector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Which collector.
    pub node: usize,
    /// Which of its lives: 0 before the first restart.
    pub life: u32,
}

/// A line was seen at the end of its way.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// Which line.
    pub line: LineId,
    /// Where.
    pub place: Place,
    /// When.
    pub at: Instant,
}

/// A collector was killed, or held still so that its answers did not come in time.
#[derive(Debug, Clone, Copy)]
pub struct Incident {
    /// Who.
    pub place: Place,
    /// When.
    pub at: Instant,
    /// How many events it may have taken with it: its channel's capacity; 0 when it was only held still.
    pub holds: usize,
}

/// What came in and what happened, to be judged at the end.
#[derive(Debug, Default)]
pub struct Ledger {
    /// In the order of each place; places may be mixed.
    pub arrivals: Vec<Arrival>,
    /// In any order.
    pub incidents: Vec<Incident>,
}

/// What became of the lines.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Lines written.
    pub sent: usize,
    /// Different lines that arrived.
    pub received: usize,
    /// Lines that were in a process when it was killed: of each log one run, which follows the last line that it printed.
    pub went_down: usize,
    /// Lines that are missing and were in no killed process. The first ones of them, at most [`Verdict::SHOWN`].
    pub lost: Vec<LineId>,
    /// How many are lost.
    pub lost_count: usize,
    /// Copies beyond the first.
    pub doubled: usize,
    /// Copies beyond the first for which neither a kill nor a standstill of one of the places accounts.
    pub doubled_without_cause: usize,
    /// Lines that came behind a later one of their log at the same place, copies left out.
    pub out_of_order: usize,
    /// Arrivals of lines that nobody wrote.
    pub foreign: usize,
}

impl Verdict {
    /// How many lost lines are named.
    pub const SHOWN: usize = 10;

    /// Whether all is as the memory channel promises.
    pub fn is_clean(&self) -> bool {
        self.lost_count + self.doubled_without_cause + self.out_of_order + self.foreign == 0
    }
}

/// Missing lines of one source that follow each other.
struct Gap {
    source: u8,
    first: u32,
    lines: usize,
}

/// What a killed process may still have held.
struct Room {
    lines: usize,
    logs: BTreeSet<u8>, // those of which a gap is in it already
}

impl Room {
    /// A channel keeps the order, so what was in it of one log is one run of lines and not two.
    fn takes(&self, gap: &Gap) -> bool {
        self.lines >= gap.lines && !self.logs.contains(&gap.source)
    }
}

impl Ledger {
    /// Judges, given how many lines each source wrote, numbered from 0.
    pub fn verdict(&self, sent: &BTreeMap<u8, u32>) -> Verdict {
        let mut verdict =
            Verdict { sent: sent.values().map(|lines| *lines as usize).sum(), ..Verdict::default() };
        let mut by_line: BTreeMap<LineId, Vec<Place>> = BTreeMap::new();
        for arrival in &self.arrivals {
            match sent.get(&arrival.line.source).is_some_and(|lines| arrival.line.number < *lines) {
                true => by_line.entry(arrival.line).or_default().push(arrival.place),
                false => verdict.foreign += 1,
            }
        }
        verdict.received = by_line.len();
        for places in by_line.values().filter(|places| places.len() > 1) {
            verdict.doubled += places.len() - 1;
            if !places.iter().any(|place| self.incidents.iter().any(|incident| incident.place == *place)) {
                verdict.doubled_without_cause += places.len() - 1;
            }
        }
        verdict.out_of_order = self.out_of_order();
        self.judge_missing(gaps(sent, &by_line), &mut verdict);
        verdict
    }

    fn out_of_order(&self) -> usize {
        // Which of two is the copy is for the time to say: places stand one behind the other here.
        let mut first: BTreeMap<LineId, _> = BTreeMap::new();
        for Arrival { line, at, .. } in &self.arrivals {
            let earliest = first.entry(*line).or_insert(*at);
            *earliest = *at.min(earliest);
        }
        let mut highest: BTreeMap<(Place, u8), u32> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        let mut breaks = 0;
        for Arrival { line, place, at } in &self.arrivals {
            let high = highest.entry((*place, line.source)).or_insert(line.number);
            let copy = first.get(line).is_some_and(|first| first < at) || !seen.insert(*line);
            breaks += usize::from(line.number < *high && !copy);
            *high = line.number.max(*high);
        }
        breaks
    }

    fn judge_missing(&self, gaps: Vec<Gap>, verdict: &mut Verdict) {
        let last = self.last_of_each_place();
        let mut rooms: Vec<_> =
            self.incidents.iter().map(|kill| Room { lines: kill.holds, logs: BTreeSet::new() }).collect();
        for gap in gaps {
            let cause = self
                .incidents
                .iter()
                .zip(&mut rooms)
                .find(|(incident, room)| room.takes(&gap) && self.may_hold(incident, &gap, &last));
            match cause {
                Some((_, room)) => {
                    room.lines -= gap.lines;
                    room.logs.insert(gap.source);
                    verdict.went_down += gap.lines;
                }
                None => {
                    let named =
                        (gap.first..).take(gap.lines.min(Verdict::SHOWN.saturating_sub(verdict.lost.len())));
                    verdict.lost.extend(named.map(|number| LineId { source: gap.source, number }));
                    verdict.lost_count += gap.lines;
                }
            }
        }
    }

    /// Whether `gap` may have been in the channel of the place that `incident` ended. A channel hands lines on in their
    /// order, so what was in it follows what the place printed last.
    fn may_hold(&self, incident: &Incident, gap: &Gap, last: &BTreeMap<(Place, u8), u32>) -> bool {
        match last.get(&(incident.place, gap.source)) {
            Some(last) => last + 1 == gap.first,
            // It was killed before it printed any of this log: then the line before came earlier, elsewhere.
            None => self.arrivals.iter().all(|arrival| {
                let before = LineId { source: gap.source, number: gap.first.wrapping_sub(1) };
                arrival.line != before || arrival.at <= incident.at + Duration::from_secs(1)
            }),
        }
    }

    fn last_of_each_place(&self) -> BTreeMap<(Place, u8), u32> {
        let mut last = BTreeMap::new();
        for Arrival { line, place, .. } in &self.arrivals {
            let high = last.entry((*place, line.source)).or_insert(line.number);
            *high = line.number.max(*high);
        }
        last
    }
}

fn gaps(sent: &BTreeMap<u8, u32>, by_line: &BTreeMap<LineId, Vec<Place>>) -> Vec<Gap> {
    let mut gaps: Vec<Gap> = Vec::new();
    for (source, lines) in sent {
        for number in
            (0..*lines).filter(|number| !by_line.contains_key(&LineId { source: *source, number: *number }))
        {
            match gaps.last_mut() {
                Some(gap) if gap.source == *source && gap.first + gap.lines as u32 == number => {
                    gap.lines += 1
                }
                _ => gaps.push(Gap { source: *source, first: number, lines: 1 }),
            }
        }
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Place = Place { node: 0, life: 0 };
    const A2: Place = Place { node: 0, life: 1 };
    const B: Place = Place { node: 1, life: 0 };

    fn judge(arrivals: &[(Place, &[u32])], holds: usize, sent: u32) -> Verdict {
        let at = Instant::now();
        let line = |number| LineId { source: 1, number };
        let all =
            arrivals.iter().flat_map(|(place, numbers)| numbers.iter().map(move |number| (*place, *number)));
        let arrivals = all.map(|(place, number)| Arrival { line: line(number), place, at }).collect();
        let ledger = Ledger { arrivals, incidents: vec![Incident { place: A, at, holds }] };
        ledger.verdict(&BTreeMap::from([(1, sent)]))
    }

    #[test]
    fn what_followed_the_last_printed_line_went_down_with_the_process() {
        let verdict = judge(&[(A, &[0, 1]), (B, &[4, 5]), (A2, &[6])], 10, 7);
        assert_eq!((verdict.received, verdict.went_down, verdict.lost_count), (5, 2, 0));
        assert!(verdict.is_clean());
    }

    #[test]
    fn a_gap_elsewhere_is_a_loss() {
        let verdict = judge(&[(A, &[0, 1]), (B, &[2, 4, 5]), (A2, &[6])], 10, 7);
        assert_eq!((verdict.went_down, verdict.lost), (0, vec![LineId { source: 1, number: 3 }]));
    }

    #[test]
    fn nobody_takes_more_with_him_than_he_can_hold() {
        let verdict = judge(&[(A, &[0]), (B, &[6])], 4, 7);
        assert_eq!((verdict.went_down, verdict.lost_count), (0, 5));
    }

    /// The middle of a chain prints nothing, so only the number of gaps and their sizes speak.
    #[test]
    fn a_kill_accounts_for_one_gap_of_a_log() {
        let one = judge(&[(B, &[0, 1, 4, 5])], 10, 6);
        assert_eq!((one.went_down, one.lost_count), (2, 0));
        let two = judge(&[(B, &[0, 1, 4, 6])], 10, 7);
        assert_eq!((two.went_down, two.lost), (2, vec![LineId { source: 1, number: 5 }]));
    }

    #[test]
    fn copies_need_a_cause() {
        let verdict = judge(&[(A, &[0, 1]), (B, &[1, 2]), (A2, &[2, 3])], 10, 4);
        assert_eq!((verdict.doubled, verdict.doubled_without_cause, verdict.lost_count), (2, 1, 0));
    }

    #[test]
    fn order_is_kept_within_a_place() {
        let verdict = judge(&[(B, &[0, 2, 1, 3, 9])], 10, 4);
        assert_eq!((verdict.out_of_order, verdict.foreign), (1, 1));
    }

    /// A primary that was held still prints, when it goes on, what the standby has printed long ago.
    #[test]
    fn a_copy_that_comes_late_is_not_out_of_order() {
        let at = Instant::now();
        let arrival = |number, place, after| Arrival {
            line: LineId { source: 1, number },
            place,
            at: at + Duration::from_secs(after),
        };
        let arrivals = vec![arrival(5, A, 3), arrival(3, A, 4), arrival(3, B, 1)];
        let ledger = Ledger { arrivals, incidents: Vec::new() };
        assert_eq!(ledger.out_of_order(), 0);
    }

    #[test]
    fn a_line_says_which_it_is() {
        let line = LineId { source: 2, number: 12_345 };
        let text = format!("{line} 17");
        assert_eq!((text.as_str(), LineId::parse(text.as_bytes())), ("s2 000012345 17", Some(line)));
        let mut written = *b"s1 000000000 17";
        line.write(&mut written);
        assert_eq!(written, text.as_bytes());
        assert_eq!(LineId::parse(b"hello failover"), None);
        assert_eq!(LineId::parse(b"s1 00"), None);
    }
}
