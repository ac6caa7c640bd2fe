use super::*;
use crate::serializer::{Recipe, SimpleRecipe, Suffix};
use crate::testing::bodies;

fn ledger(coalesce: bool) -> Ledger {
    let recipe = Recipe::Simple(SimpleRecipe {
        payload: Some("p".into()),
        counter: Some(Counter { row: "inc".into(), column: "i".into() }),
        prefix: "".into(),
        suffix: Suffix::Uuid,
    });
    Ledger::new(Shape { family: "cf".into(), wal: true, coalesce }, Serializer::new(&recipe))
}

fn mutations(ledger: &Ledger) -> Vec<Mutation> {
    let mutation = |index: &usize| Mutation::decode(ledger.action(*index).mutation.clone()).unwrap();
    ledger.open().iter().map(mutation).collect()
}

const MOVED: &str = "org.apache.hadoop.hbase.NotServingRegionException";
const NEVER: &str = "org.apache.hadoop.hbase.exceptions.FailedSanityCheckException";

#[test]
fn rows_stand_in_front_of_increments_and_each_increment_has_its_nonce() {
    let mut ledger = ledger(false);
    ledger.begin(&[bodies(["a", "b"]), bodies(["c"])], || 0);
    let all = mutations(&ledger);
    let kinds: Vec<i32> = all.iter().map(|mutation| mutation.kind.unwrap()).collect();
    assert_eq!(kinds, [PUT, PUT, PUT, INCREMENT, INCREMENT, INCREMENT]);
    let mut nonces: Vec<u64> = all.iter().filter_map(|mutation| mutation.nonce).collect();
    nonces.sort_unstable();
    nonces.dedup();
    assert_eq!(nonces.len(), 3);
    assert_eq!(all[5].columns[0].values[0].value.as_deref(), Some(&1i64.to_be_bytes()[..]));
}

#[test]
fn increments_of_a_delivery_are_one_where_they_are_coalesced() {
    let mut ledger = ledger(true);
    ledger.begin(&[bodies(["a", "b"]), bodies(["c"])], || 0);
    let all = mutations(&ledger);
    assert_eq!(all.len(), 4);
    assert_eq!(all[3].columns[0].values[0].value.as_deref(), Some(&3i64.to_be_bytes()[..]));
}

#[test]
fn what_comes_again_writes_the_same_rows_with_the_same_nonces_however_it_is_cut() {
    for coalesce in [false, true] {
        let mut ledger = ledger(coalesce);
        let batch = bodies(["a", "b", "c", "d"]);
        ledger.begin(std::slice::from_ref(&batch), || 0);
        let first = mutations(&ledger);
        ledger.done(ledger.open()[0]);
        ledger.remember(std::slice::from_ref(&batch));
        // It comes in two parts, the second one with another event.
        let mut rest = batch.clone();
        let front = rest.split_to(2);
        ledger.begin(std::slice::from_ref(&front), || 0);
        let again = mutations(&ledger);
        assert!(again.iter().all(|mutation| first.contains(mutation)), "{again:?}");
        assert_eq!(again.len(), if coalesce { 2 } else { 3 }, "one row is done");
        ledger.open().into_iter().for_each(|index| ledger.done(index));
        ledger.forget(std::slice::from_ref(&front));
        let more = bodies(["e"]);
        let both = [rest, more];
        ledger.begin(&both, || 0);
        let last = mutations(&ledger);
        let known = last.iter().filter(|mutation| first.contains(mutation)).count();
        assert_eq!((last.len(), known), if coalesce { (4, 2) } else { (6, 4) });
        ledger.open().into_iter().for_each(|index| ledger.done(index));
        ledger.forget(&both);
        assert!(ledger.known.is_empty() && ledger.kept.is_empty() && ledger.actions.is_empty());
    }
}

#[test]
fn a_refusal_counts_when_it_comes_twice_in_a_row() {
    let mut ledger = ledger(false);
    let batch = bodies(["a"]);
    ledger.begin(std::slice::from_ref(&batch), || 0);
    let index = ledger.open()[0];
    assert_eq!(ledger.failed(index, NEVER, true, "why"), Fate::Never);
    assert!(!ledger.action(index).is_sociable());
    assert_eq!(ledger.failed(index, MOVED, false, "moved"), Fate::Moved);
    assert_eq!((ledger.failed(index, NEVER, true, "why"), ledger.unstored()), (Fate::Never, vec![]));
    ledger.failed(index, NEVER, true, "why");
    let why = Unstored { place: 0, why: "why".to_owned(), nothing: false };
    assert_eq!(ledger.unstored(), [why]);
    assert_eq!(ledger.open().len(), 1, "its increment");
    // Where the row is stored and only its increment is refused, the reason says so.
    let mut half = super::tests::ledger(false);
    half.begin(std::slice::from_ref(&batch), || 0);
    let open = half.open();
    half.done(open[0]);
    for _ in 0..REFUSALS {
        half.failed(open[1], NEVER, true, "no counter");
    }
    assert_eq!(half.unstored()[0].why, "its row is stored, it is not counted: no counter");
    // Where it is not put aside, it is asked for again.
    ledger.remember(std::slice::from_ref(&batch));
    ledger.begin(std::slice::from_ref(&batch), || 0);
    assert_eq!(ledger.open().len(), 2);
}

#[test]
fn actions_are_shared_among_servers_by_region_and_calls_stay_small() {
    let mut ledger = ledger(false);
    let large = "x".repeat(MOST_BYTES / 2);
    ledger.begin(&[bodies(["a", &large, &large, "b"])], || 0);
    let open = ledger.open();
    ledger.failed(open[3], NEVER, true, "why");
    let (first, second) = (Bytes::from("first"), Bytes::from("second"));
    let find = |row: &[u8]| (row != b"inc").then_some((&first, "h:1"));
    let (calls, unknown) = share(&ledger, &open, find);
    let calls: Vec<Vec<Vec<usize>>> = calls["h:1"]
        .iter()
        .map(|call| call.regions.iter().map(|(_, actions)| actions.clone()).collect())
        .collect();
    let alone = vec![vec![open[3]]];
    assert_eq!(calls, [vec![vec![open[0], open[1]]], alone, vec![vec![open[2]]]]);
    assert_eq!(unknown, open[4..]);
    let (calls, unknown) =
        share(&ledger, &open, |row| Some(if row == b"inc" { (&second, "h:2") } else { (&first, "h:1") }));
    assert_eq!((calls.len(), unknown.len()), (2, 0));
    assert_eq!(calls["h:2"], [Call { regions: vec![(second.clone(), open[4..].to_vec())] }]);
}

#[test]
fn memory_of_what_went_elsewhere_is_bounded() {
    let mut ledger = ledger(false);
    let many: Vec<String> = (0..MOST_KNOWN / 4).map(|number| number.to_string()).collect();
    let failed = bodies(["failed"]);
    ledger.begin(std::slice::from_ref(&failed), || 0);
    ledger.remember(&[failed]);
    let other = bodies(["other"]);
    ledger.begin(std::slice::from_ref(&other), || 0);
    ledger.forget(&[other]);
    assert!(ledger.known.is_empty() && ledger.actions.is_empty());
    for _ in 0..9 {
        let batch = bodies(many.iter().map(String::as_str));
        ledger.begin(std::slice::from_ref(&batch), || 0);
        ledger.remember(&[batch]);
        assert!(ledger.known.len() <= MOST_KNOWN);
    }
}
