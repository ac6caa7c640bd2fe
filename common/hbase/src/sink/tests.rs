use super::*;
use crate::serializer::{Counter, Recipe, SimpleRecipe, Suffix};
use crate::stand_in::{Hbase, Step};
use crate::testing::bodies;
use bytes::Bytes;
use runtime::within::Within;

fn config(hbase: &Hbase, dead: Option<String>) -> Config {
    Config {
        table: "t".to_owned(),
        family: Bytes::from("cf"),
        ensemble: hbase.ensemble.clone(),
        parent: "/hbase".to_owned(),
        wal: true,
        coalesce: false,
        timeout: Duration::from_secs(5),
        recipe: Recipe::Simple(SimpleRecipe {
            payload: Some("p".into()),
            counter: Some(Counter { row: "inc".into(), column: "i".into() }),
            prefix: "".into(),
            suffix: Suffix::Uuid,
        }),
        dead,
        user: "u".to_owned(),
    }
}

fn sink(hbase: &Hbase) -> HbaseSink {
    let log = slog::Logger::root(slog::Discard, slog::o!());
    HbaseSink::new(&config(hbase, None), "k", &log)
}

#[tokio::test]
async fn rows_and_increments_are_written_to_the_regions_that_have_them() {
    let hbase = Hbase::start().await;
    hbase.regions(&[("", "a", 0), ("a", "", 1)]);
    let mut sink = sink(&hbase);
    assert!(sink.open().within("the open").await.is_ok());
    let batch = bodies(["one", "two", "three"]);
    sink.deliver(std::slice::from_ref(&batch)).within("the delivery").await.unwrap();
    assert_eq!((hbase.values(), hbase.count()), (vec!["one".into(), "three".into(), "two".into()], 3));
    sink.deliver(&[bodies(["four"])]).within("the delivery").await.unwrap();
    assert_eq!(hbase.count(), 4);
}

#[tokio::test]
async fn what_was_done_without_an_answer_is_done_once() {
    let hbase = Hbase::start().await;
    let mut sink = sink(&hbase);
    for steps in [
        &[Step::DoneThenGone][..],
        &[Step::Done, Step::DoneThenGone],
        &[Step::Done, Step::Gone, Step::DoneThenGone, Step::DoneThenGone],
        &[Step::Gone, Step::DoneThenGone, Step::DoneThenGone],
        &[Step::Region("org.apache.hadoop.hbase.NotServingRegionException"), Step::DoneThenGone],
        &[Step::Call("org.apache.hadoop.hbase.CallQueueTooBigException", false), Step::DoneThenGone],
    ] {
        let before = (hbase.values().len(), hbase.count());
        hbase.script(steps);
        sink.deliver(&[bodies(["one", "two"])]).within("the delivery").await.unwrap();
        assert_eq!((hbase.values().len(), hbase.count()), (before.0 + 2, before.1 + 2), "{steps:?}");
    }
}

#[tokio::test]
async fn a_frozen_server_costs_a_timeout_and_nothing_is_counted_twice() {
    let hbase = Hbase::start().await;
    let mut sink = sink(&hbase);
    sink.config.timeout = Duration::from_millis(300);
    hbase.script(&[Step::Done, Step::DoneThenSilence]);
    let batch = bodies(["one", "two"]);
    let late = sink.deliver(std::slice::from_ref(&batch)).within("the delivery").await.unwrap_err();
    assert!(late.to_string().contains("no answer in time"), "{late}");
    sink.config.timeout = Duration::from_secs(5);
    sink.deliver(std::slice::from_ref(&batch)).within("the delivery").await.unwrap();
    assert_eq!((hbase.values().len(), hbase.count()), (2, 2));
}

#[tokio::test]
async fn a_region_that_has_moved_or_was_split_is_looked_up_again() {
    let hbase = Hbase::start().await;
    let mut sink = sink(&hbase);
    sink.deliver(&[bodies(["one"])]).within("the delivery").await.unwrap();
    // To the other server; and split there. The first server refuses what it no longer has.
    for regions in [&[("", "", 1)][..], &[("", "8", 0), ("8", "", 1)]] {
        hbase.regions(regions);
        sink.deliver(&[bodies(["two", "three", "four", "five"])]).within("the delivery").await.unwrap();
    }
    assert_eq!((hbase.values().len(), hbase.count()), (9, 9));
}

const NEVER: Step = Step::Row("bad", "org.apache.hadoop.hbase.regionserver.NoSuchColumnFamilyException");

#[tokio::test]
async fn what_is_never_taken_is_put_aside_and_the_others_are_written() {
    let hbase = Hbase::start().await;
    let folder = tempfile::tempdir().unwrap();
    let log = slog::Logger::root(slog::Discard, slog::o!());
    let place = folder.path().display().to_string();
    let mut sink = HbaseSink::new(&config(&hbase, Some(place)), "k", &log);
    hbase.script(&[NEVER, NEVER]);
    sink.deliver(&[bodies(["one", "bad", "two"])]).within("the delivery").await.unwrap();
    assert_eq!((hbase.values(), hbase.count()), (vec!["one".into(), "two".into()], 2));
    let dead = std::fs::read_to_string(folder.path().join("k.dead.json")).unwrap();
    assert_eq!(dead.lines().count(), 1);
    assert!(dead.contains("\"body\":\"bad\"") && dead.contains("has no column family `cf`"), "{dead}");
}

#[tokio::test]
async fn what_is_refused_once_is_asked_for_again() {
    let hbase = Hbase::start().await;
    let mut sink = sink(&hbase);
    hbase.script(&[NEVER]);
    sink.deliver(&[bodies(["one", "bad"])]).within("the delivery").await.unwrap();
    assert_eq!((hbase.values().len(), hbase.count()), (2, 2));
    // Without a place for it, the event waits, and is asked for each time.
    hbase.script(&[NEVER, NEVER]);
    let batch = bodies(["two", "bad"]);
    let refused = sink.deliver(std::slice::from_ref(&batch)).within("the delivery").await.unwrap_err();
    let told = "refused 1 events: the table `t` has no column family `cf`";
    assert!(
        refused.to_string().contains(told) && refused.to_string().contains("`deadLetterDir`"),
        "{refused}"
    );
    sink.deliver(std::slice::from_ref(&batch)).within("the delivery").await.unwrap();
    assert_eq!((hbase.values().len(), hbase.count()), (4, 4));
}

#[tokio::test]
async fn a_table_that_is_missing_or_disabled_is_told_and_waited_for() {
    let hbase = Hbase::start().await;
    hbase.regions(&[]);
    let mut sink = sink(&hbase);
    assert!(sink.open().within("the open").await.is_ok());
    let batch = bodies(["one"]);
    let missing = sink.deliver(std::slice::from_ref(&batch)).within("the delivery").await.unwrap_err();
    assert!(missing.to_string().contains("there is no table `t`: create it"), "{missing}");
    hbase.regions(&[("", "", 0)]);
    hbase.disable(true);
    let disabled = sink.deliver(std::slice::from_ref(&batch)).within("the delivery").await.unwrap_err();
    assert!(disabled.to_string().contains("the table `t` is disabled: enable it"), "{disabled}");
    hbase.disable(false);
    sink.deliver(&[batch]).within("the delivery").await.unwrap();
    assert_eq!((hbase.values().len(), hbase.count()), (1, 1));
}

#[tokio::test]
async fn without_zookeeper_or_hbase_it_says_so() {
    let hbase = Hbase::start().await;
    let mut sink = sink(&hbase);
    hbase.without_node();
    let error = sink.open().within("the open").await.unwrap_err().to_string();
    assert!(error.contains("has no node `/hbase/meta-region-server`: HBase is not running"), "{error}");
}
