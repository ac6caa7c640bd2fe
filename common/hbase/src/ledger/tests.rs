use super::*;
use crate::serializer::{Recipe, SimpleRecipe, Suffix};
use crate::testing::bodies;
use flow::sink::known::MOST;

fn ledger(coalesce: bool) -> Ledger {
    let recipe = Recipe::Simple(SimpleRecipe {
        payload: Some("p".into()),
        counter: Some(Counter { row: "inc".into(), column: "i".into() }),
        prefix: "".into(),
        suffix: Suffix::Uuid,
    });
    Ledger::new(Shape { family: "cf".into(), wal: true, coalesce }, Serializer::new(&recipe))
}

fn mutations(ledger: &mut Ledger) -> Vec<Mutation> {
    let open = ledger.open();
    let mutation = |index: &usize| Mutation::decode(ledger.action(*index).mutation.clone()).unwrap();
    open.iter().map(mutation).collect()
}

/// What is open, done at once.
fn done(ledger: &mut Ledger) -> Vec<Mutation> {
    let all = mutations(ledger);
    ledger.open().into_iter().for_each(|index| ledger.done(index));
    all
}

fn kinds(mutations: &[Mutation]) -> Vec<i32> {
    mutations.iter().map(|mutation| mutation.kind.unwrap()).collect()
}

fn amount(increment: &Mutation) -> Option<&[u8]> {
    increment.columns[0].values[0].value.as_deref()
}

const MOVED: &str = "org.apache.hadoop.hbase.NotServingRegionException";
const NEVER: &str = "org.apache.hadoop.hbase.exceptions.FailedSanityCheckException";

#[test]
fn rows_stand_in_front_of_increments_and_each_increment_has_its_nonce() {
    let mut ledger = ledger(false);
    ledger.begin(&[bodies(["a", "b"]), bodies(["c"])], || 0);
    assert_eq!(kinds(&done(&mut ledger)), [PUT, PUT, PUT]);
    let all = done(&mut ledger);
    assert_eq!(kinds(&all), [INCREMENT, INCREMENT, INCREMENT]);
    assert!(ledger.open().is_empty());
    let mut nonces: Vec<u64> = all.iter().filter_map(|mutation| mutation.nonce).collect();
    nonces.sort_unstable();
    nonces.dedup();
    assert_eq!(nonces.len(), 3);
    assert_eq!(amount(&all[2]), Some(&1i64.to_be_bytes()[..]));
}

#[test]
fn increments_of_a_delivery_are_one_where_they_are_coalesced() {
    let mut ledger = ledger(true);
    ledger.begin(&[bodies(["a", "b"]), bodies(["c"])], || 0);
    assert_eq!(kinds(&done(&mut ledger)), [PUT, PUT, PUT]);
    let all = done(&mut ledger);
    assert_eq!((all.len(), amount(&all[0])), (1, Some(&3i64.to_be_bytes()[..])));
}

#[test]
fn what_comes_again_writes_the_same_rows_with_the_same_nonces_however_it_is_cut() {
    for coalesce in [false, true] {
        let mut ledger = ledger(coalesce);
        let batch = bodies(["a", "b", "c", "d"]);
        ledger.begin(std::slice::from_ref(&batch), || 0);
        let rows = done(&mut ledger);
        let increments = mutations(&mut ledger);
        let first = [rows, increments].concat();
        // Nobody knows whether they were counted, nor whether the last row was written.
        ledger.actions[3].state = State::Open;
        ledger.remember(std::slice::from_ref(&batch));
        // It comes in two parts, the second one with another event.
        let mut rest = batch.clone();
        let front = rest.split_to(2);
        ledger.begin(std::slice::from_ref(&front), || 0);
        let again = done(&mut ledger);
        assert!(again.iter().all(|mutation| first.contains(mutation)), "{again:?}");
        assert_eq!(kinds(&again), vec![INCREMENT; if coalesce { 1 } else { 2 }]);
        ledger.forget(std::slice::from_ref(&front));
        let more = bodies(["e"]);
        let both = [rest, more];
        ledger.begin(&both, || 0);
        let rows = done(&mut ledger);
        let known = |all: &[Mutation]| all.iter().filter(|mutation| first.contains(mutation)).count();
        assert_eq!((rows.len(), known(&rows)), (2, 1));
        let counted = done(&mut ledger);
        assert_eq!((counted.len(), known(&counted)), if coalesce { (1, 0) } else { (3, 2) });
        ledger.forget(&both);
        assert!(ledger.known.is_empty() && ledger.actions.is_empty());
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
    assert!(ledger.open().is_empty(), "what is not stored is not counted");
    // Where the row is stored and only its increment is refused, the reason says so.
    let mut half = super::tests::ledger(false);
    half.begin(std::slice::from_ref(&batch), || 0);
    assert_eq!(kinds(&done(&mut half)), [PUT]);
    let increment = half.open()[0];
    for _ in 0..REFUSALS {
        half.failed(increment, NEVER, true, "no counter");
    }
    assert_eq!(half.unstored()[0].why, "its row is stored, it is not counted: no counter");
    // Where it is not put aside, it is asked for again.
    ledger.remember(std::slice::from_ref(&batch));
    ledger.begin(std::slice::from_ref(&batch), || 0);
    assert_eq!(kinds(&done(&mut ledger)), [PUT]);
    assert_eq!(kinds(&done(&mut ledger)), [INCREMENT]);
}

#[test]
fn actions_are_shared_among_servers_by_region_and_calls_stay_small() {
    let mut ledger = ledger(false);
    let large = "x".repeat(MOST_BYTES / 2);
    ledger.begin(&[bodies(["a", &large, &large, "b"])], || 0);
    let open = ledger.open();
    ledger.failed(open[3], NEVER, true, "why");
    let (first, second) = (Bytes::from("first"), Bytes::from("second"));
    let find = |_: &[u8]| Some((&first, "h:1"));
    let (calls, unknown) = share(&ledger, &open, find);
    let calls: Vec<Vec<Vec<usize>>> = calls["h:1"]
        .iter()
        .map(|call| call.regions.iter().map(|(_, actions)| actions.clone()).collect())
        .collect();
    let alone = vec![vec![open[3]]];
    assert_eq!(calls, [vec![vec![open[0], open[1]]], alone, vec![vec![open[2]]]]);
    assert!(unknown.is_empty());
    open.iter().for_each(|index| ledger.done(*index));
    let increments = ledger.open();
    let both = [open, increments.clone()].concat();
    let (calls, unknown) = share(&ledger, &both, |row| (row == b"inc").then_some((&second, "h:2")));
    assert_eq!((calls.len(), unknown.len()), (1, 4));
    assert_eq!(calls["h:2"], [Call { regions: vec![(second.clone(), increments)] }]);
}

#[test]
fn memory_of_what_went_elsewhere_is_bounded() {
    let mut ledger = ledger(false);
    let many: Vec<String> = (0..MOST / 4).map(|number| number.to_string()).collect();
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
        assert!(ledger.known.len() <= MOST);
    }
}
