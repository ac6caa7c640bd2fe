//! What goes to one server at a time. A call is one thread's work there, so a large one is shared among a few connections. No I/O.

use crate::ledger::Call;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Shares `calls` among lanes. What is for one row, as `row_of` names it, stays in one lane and in its order: the last word about
/// a row is still the last.
pub(crate) fn lanes<'r>(calls: Vec<Call>, row_of: impl Fn(usize) -> &'r [u8]) -> Vec<Vec<Call>> {
    let actions: usize = calls.iter().flat_map(|call| &call.regions).map(|(_, actions)| actions.len()).sum();
    let count = (actions / LEAST).clamp(1, MOST);
    if count == 1 {
        return vec![calls];
    }
    let lane_of = |action: usize| {
        let mut hasher = DefaultHasher::new();
        row_of(action).hash(&mut hasher);
        (hasher.finish() % count as u64) as usize
    };
    let mut lanes: Vec<Vec<Call>> = Vec::new();
    lanes.resize_with(count, Vec::new);
    for call in calls {
        let mut parts: Vec<Call> = Vec::new();
        parts.resize_with(count, Call::default);
        for (region, actions) in call.regions {
            let mut shares = vec![Vec::new(); count];
            for action in actions {
                shares[lane_of(action)].push(action);
            }
            for (part, share) in parts.iter_mut().zip(shares) {
                if !share.is_empty() {
                    part.regions.push((region.clone(), share));
                }
            }
        }
        for (lane, part) in lanes.iter_mut().zip(parts) {
            if !part.regions.is_empty() {
                lane.push(part);
            }
        }
    }
    lanes.retain(|lane| !lane.is_empty());
    lanes
}

/// Lanes to one server.
const MOST: usize = 4;
/// Fewer actions are not worth another lane.
const LEAST: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use std::collections::HashMap;

    /// Calls for these actions, 700 in each, in two regions by turns.
    fn calls(actions: usize) -> Vec<Call> {
        let all: Vec<usize> = (0..actions).collect();
        let region = |call: &[usize], which: usize| {
            let actions = call.iter().copied().filter(|action| action % 2 == which).collect();
            (Bytes::from(format!("region {which}")), actions)
        };
        all.chunks(700).map(|call| Call { regions: vec![region(call, 0), region(call, 1)] }).collect()
    }

    #[test]
    fn a_small_call_is_not_shared() {
        let rows: Vec<String> = (0..255).map(|number| number.to_string()).collect();
        assert_eq!(lanes(calls(255), |action| rows[action].as_bytes()), [calls(255)]);
        assert_eq!(lanes(Vec::new(), |_| b""), [vec![]]);
    }

    #[test]
    fn each_action_goes_once_and_those_of_a_row_keep_their_order() {
        // Three words about each row, far apart.
        let rows: Vec<String> = (0..1_500).map(|action| (action % 500).to_string()).collect();
        let lanes = lanes(calls(1_500), |action| rows[action].as_bytes());
        assert_eq!(lanes.len(), MOST);
        let (mut lane_of, mut last) = (HashMap::new(), HashMap::new());
        let mut sent = 0;
        for (lane, calls) in lanes.iter().enumerate() {
            for (region, actions) in calls.iter().flat_map(|call| &call.regions) {
                for action in actions {
                    sent += 1;
                    assert_eq!(*region, format!("region {}", action % 2));
                    assert_eq!(*lane_of.entry(&rows[*action]).or_insert(lane), lane, "of {}", rows[*action]);
                    // A row has one region; those of its actions are what keeps its order.
                    assert!(last.insert((&rows[*action], region), *action) < Some(*action));
                }
            }
        }
        assert_eq!(sent, 1_500);
    }
}
