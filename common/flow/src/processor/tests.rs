mod model;

use super::*;
use crate::channel::Holds;
use crate::channel::store::Level;
use crate::counters::SinkCounters;
use crate::message::PutTimeout;
use crate::supervise::address::{AddressSetter, address_cell};
use crate::testing::{Break, Heard, Script, Scripted, plain_channel, put, script, scripted, take_now};
use runtime::clock::Duration;
use runtime::within::Within;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use tokio::time::{sleep, timeout};

/// A failover group over scripted sinks, the first of the highest priority.
struct Fixture {
    channel: ChannelRef,
    scripts: Vec<Rc<RefCell<Script>>>,
    counters: Vec<Arc<SinkCounters>>,
    sinks: Vec<Addr<Scripted>>,
    _setters: Vec<AddressSetter<SinkAddress>>,
    group: Addr<Group>,
    heard: Heard,
    _setter: AddressSetter<Recipient<Health>>,
}

impl Fixture {
    fn new(sinks: usize, backoff: Backoff) -> Fixture {
        Fixture::with(sinks, backoff, |_| {})
    }

    fn balanced(sinks: usize) -> Fixture {
        Fixture::choosing(
            SinkSelection::round_robin(sinks),
            sinks,
            Backoff::Penalty(Duration::from_secs(30)),
            |_| {},
        )
    }

    /// `first` changes the script of the primary before the group starts.
    fn with(sinks: usize, backoff: Backoff, first: impl FnOnce(&mut Script)) -> Fixture {
        let priorities: Vec<i64> = (0..sinks as i64).rev().collect();
        Fixture::choosing(SinkSelection::by_priority(&priorities), sinks, backoff, first)
    }

    fn choosing(
        selection: SinkSelection,
        sinks: usize,
        backoff: Backoff,
        first: impl FnOnce(&mut Script),
    ) -> Fixture {
        Fixture::over(plain_channel(&[("capacity", "1000")]), selection, sinks, backoff, first)
    }

    fn over(
        channel: ChannelRef,
        selection: SinkSelection,
        sinks: usize,
        backoff: Backoff,
        first: impl FnOnce(&mut Script),
    ) -> Fixture {
        let (setter, health) = address_cell();
        let scripts: Vec<_> = (0..sinks).map(|_| script()).collect();
        first(&mut scripts[0].borrow_mut());
        let (mut members, mut addresses, mut setters) = (Vec::new(), Vec::new(), Vec::new());
        for (index, script) in scripts.iter().enumerate() {
            let (setter, cell, address) = scripted(script, index, health.clone());
            members.push(MemberRef {
                name: format!("k{}", index + 1),
                batch_size: 1,
                cell,
                counters: Arc::default(),
            });
            addresses.push(address);
            setters.push(setter);
        }
        let counters = members.iter().map(|member| member.counters.clone()).collect();
        let config = GroupConfig { name: "g1".to_owned(), backoff, selection, members, agent: 1, stream: 1 };
        let heard = Heard::default();
        let log = slog::Logger::root(heard.clone(), slog::o!());
        let group = Group::new(config, channel.clone(), log, DeathWatch::unwatched()).start();
        setter.set(group.clone().recipient());
        Fixture {
            channel,
            scripts,
            counters,
            sinks: addresses,
            _setters: setters,
            group,
            heard,
            _setter: setter,
        }
    }

    fn arrived(&self, sink: usize) -> Vec<u64> {
        self.scripts[sink].borrow().arrived.iter().flat_map(|(_, events)| events.clone()).collect()
    }

    /// Lets its sink acknowledge what it holds.
    async fn acknowledge(&self, sink: usize) {
        let held = std::mem::take(&mut self.scripts[sink].borrow_mut().held);
        for pending in held {
            self.scripts[sink].borrow_mut().arrive(pending);
        }
        self.settled().await;
    }

    async fn put(&self, events: std::ops::Range<u64>) {
        put(&self.channel, events).await;
        self.settled().await;
    }

    /// Lets everything happen that needs no time to pass.
    async fn settled(&self) {
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
    }
}

const PENALTY: Backoff = Backoff::Penalty(Duration::from_secs(10));

#[actix::test]
async fn the_primary_gets_everything_and_the_standby_is_ready() {
    tokio::time::pause();
    let group = Fixture::new(2, PENALTY);
    group.put(0..3).await;
    assert_eq!((group.arrived(0), group.arrived(1)), (vec![0, 1, 2], vec![]));
    assert_eq!(group.scripts[1].borrow().probes, 1, "connected before it is needed");
}

/// Of a channel whose takers have one transaction at a time.
struct OneByOne;

impl Holds for OneByOne {
    fn origins(&self) -> Vec<(Option<event::Origin>, usize)> {
        Vec::new()
    }

    fn level(&self) -> Level {
        Level::default()
    }

    fn figures(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    fn give_back(&self, _: &dyn Fn(event::Origin) -> bool) {}

    fn one_by_one(&self) -> bool {
        true
    }
}

#[actix::test]
async fn from_some_channels_nothing_is_taken_before_what_was_taken_is_settled() {
    tokio::time::pause();
    let channel = plain_channel(&[("capacity", "1000")]).of(None, Some(Arc::new(OneByOne)));
    let group = Fixture::over(channel, SinkSelection::by_priority(&[1]), 1, PENALTY, |script| {
        script.answers = false;
        script.window = Window { deliveries: 4, bytes: usize::MAX };
    });
    group.put(0..3).await;
    for events in 1..=3 {
        assert_eq!(group.scripts[0].borrow().held.len(), 1);
        group.acknowledge(0).await;
        assert_eq!(group.arrived(0).len(), events);
    }
}

#[actix::test]
async fn a_broken_connection_moves_what_was_not_acknowledged_at_once_in_order_and_under_its_name() {
    tokio::time::pause();
    let group = Fixture::new(2, PENALTY);
    {
        let mut primary = group.scripts[0].borrow_mut();
        primary.answers = false;
        primary.window = Window { deliveries: 4, bytes: usize::MAX };
    }
    group.put(0..6).await;
    assert_eq!(group.scripts[0].borrow().held.len(), 4, "as many as its window allows");
    let before = clock::now();
    group.sinks[0].do_send(Break);
    group.settled().await;
    assert_eq!(clock::now(), before, "no time has passed");
    let arrived = group.scripts[1].borrow().arrived.clone();
    assert_eq!(arrived, (0..6).map(|n| (n, vec![n])).collect::<Vec<_>>(), "name and content");
    let [primary, standby] = [0, 1].map(|sink| {
        let counters = &group.counters[sink];
        [
            counters.drain_attempt.get(),
            counters.drain_success.get(),
            counters.connection_created.get(),
            counters.connection_closed.get(),
            counters.event_write_fail.get(),
        ]
    });
    assert_eq!(
        (primary, standby),
        ([4, 0, 1, 1, 1], [6, 6, 1, 0, 0]),
        "what was tried, what arrived, connections"
    );
    assert_eq!(group.channel.counters.take_success.get(), 6);
    let standing = |sink: usize| {
        let health = &group.counters[sink].health;
        [&health.up_since, &health.active_since, &health.next_try].map(|counter| counter.get() > 0)
    };
    assert_eq!((standing(0), standing(1)), ([false, false, true], [true, true, false]));
}

#[actix::test]
async fn events_come_back_to_the_primary_when_its_penalty_is_over() {
    tokio::time::pause();
    let group = Fixture::new(2, PENALTY);
    group.put(0..1).await;
    group.sinks[0].do_send(Break);
    group.put(1..2).await;
    group.scripts[0].borrow_mut().up = true;
    sleep(Duration::from_millis(1900)).await;
    group.put(2..3).await;
    sleep(Duration::from_millis(200)).await;
    group.put(3..4).await;
    assert_eq!((group.arrived(0), group.arrived(1)), (vec![0, 3], vec![1, 2]));
}

#[actix::test]
async fn the_primary_gets_nothing_newer_before_the_standby_has_answered() {
    tokio::time::pause();
    let group = Fixture::with(2, PENALTY, |primary| primary.up = false);
    group.scripts[1].borrow_mut().answers = false;
    group.put(0..1).await;
    assert_eq!(group.scripts[1].borrow().held.len(), 1);
    group.scripts[0].borrow_mut().up = true;
    sleep(Duration::from_secs(60)).await;
    group.put(1..3).await;
    assert_eq!(group.arrived(0), [] as [u64; 0], "its peer may be the same host, and the quicker one");
    let held = std::mem::take(&mut group.scripts[1].borrow_mut().held);
    PendingDelivery::done(held);
    group.settled().await;
    assert_eq!(group.arrived(0), [1, 2]);
}

#[actix::test]
async fn while_all_are_down_events_wait_and_go_the_moment_one_is_back() {
    tokio::time::pause();
    let group = Fixture::new(2, PENALTY);
    group.settled().await;
    group.sinks.iter().for_each(|sink| sink.do_send(Break));
    group.put(0..5).await;
    sleep(Duration::from_secs(3600)).await;
    group.scripts[1].borrow_mut().up = true;
    sleep(Duration::from_millis(260)).await;
    group.settled().await;
    assert_eq!(group.arrived(1), [0, 1, 2, 3, 4]);
}

#[actix::test]
async fn the_standby_does_not_go_first_only_because_it_answers_first() {
    tokio::time::pause();
    let group = Fixture::with(2, PENALTY, |primary| primary.silent = true);
    group.put(0..3).await;
    assert_eq!(group.arrived(1), [] as [u64; 0], "its primary may answer in a moment");
    group.scripts[0].borrow_mut().silent = false;
    group.sinks[0].do_send(Probe);
    group.settled().await;
    assert_eq!((group.arrived(0), group.arrived(1)), (vec![0, 1, 2], vec![]));
}

#[actix::test]
async fn a_primary_that_never_answers_is_not_waited_for_long() {
    tokio::time::pause();
    let group = Fixture::with(2, PENALTY, |primary| primary.silent = true);
    group.put(0..3).await;
    sleep(Duration::from_millis(2001)).await;
    group.settled().await;
    assert_eq!(group.arrived(1), [0, 1, 2]);
}

#[actix::test]
async fn a_sink_that_dies_takes_nothing_with_it() {
    tokio::time::pause();
    let group = Fixture::new(2, PENALTY);
    group.scripts[0].borrow_mut().answers = false;
    group.put(0..3).await;
    group.sinks[0].do_send(Stop); // it goes without a word
    group.scripts[0].borrow_mut().held.clear(); // and what it held is dropped with it
    group.settled().await;
    assert_eq!(group.arrived(1), [0, 1, 2]);
}

#[actix::test]
async fn a_refused_put_is_never_half_delivered() {
    tokio::time::pause();
    let group = Fixture::new(1, Backoff::Retry);
    group.scripts[0].borrow_mut().answers = false;
    let full = async {
        for number in 0..1000 {
            group
                .channel
                .put(crate::testing::batch(number..number + 1), PutTimeout::KeepAlive)
                .await
                .expect("there is room");
        }
        group
            .channel
            .put(crate::testing::batch(1000..1001), PutTimeout::KeepAlive)
            .within("room in the channel")
            .await
    };
    let refused = timeout(Duration::from_secs(60), full).await.expect("it answers");
    assert!(refused.is_err());
    group.scripts[0].borrow_mut().answers = true;
    let held = std::mem::take(&mut group.scripts[0].borrow_mut().held);
    PendingDelivery::done(held);
    group.settled().await;
    assert_eq!(group.arrived(0), (1..1000).collect::<Vec<_>>());
}

#[actix::test]
async fn a_batch_that_is_refused_again_and_again_is_told_once_and_tried_less_and_less_often() {
    tokio::time::pause();
    for sinks in [1, 2] {
        let backoff = if sinks == 1 { Backoff::Retry } else { PENALTY };
        let group = Fixture::new(sinks, backoff);
        group.scripts.iter().for_each(|script| script.borrow_mut().refuses = true);
        group.put(0..5).await;
        sleep(Duration::from_secs(20)).await;
        for script in &group.scripts {
            let given = script.borrow().given;
            assert!((6..=9).contains(&given), "{given} batches in 20 s, of {sinks} sinks");
        }
        let lines = group.heard.lines();
        assert_eq!(lines.len(), sinks, "{lines:?}");
        assert!(!lines.iter().any(|line| line.contains(" in 5") || line.contains("first in")), "{lines:?}");
        // Then it takes them: the oldest alone, the others behind it.
        group.scripts[0].borrow_mut().refuses = false;
        sleep(Duration::from_secs(11)).await;
        assert_eq!(group.arrived(0), [0, 1, 2, 3, 4]);
        // The next trouble is a new one.
        group.scripts[0].borrow_mut().refuses = true;
        group.put(5..6).await;
        assert_eq!(group.heard.lines().len(), sinks + 1);
    }
}

#[actix::test]
async fn a_sink_that_went_away_gets_its_events_a_quarter_of_a_second_after_it_is_back_though_it_refused_before()
 {
    tokio::time::pause();
    let group = Fixture::new(1, Backoff::Retry);
    group.scripts[0].borrow_mut().refuses = true;
    group.put(0..3).await;
    sleep(Duration::from_secs(30)).await;
    group.sinks[0].do_send(Break);
    sleep(Duration::from_secs(30)).await;
    {
        let mut script = group.scripts[0].borrow_mut();
        (script.up, script.refuses) = (true, false);
    }
    sleep(Duration::from_millis(260)).await;
    group.settled().await;
    assert_eq!(group.arrived(0), [0, 1, 2]);
}

/// The network to the primary loses what is larger than a packet. The connection comes up each time.
#[actix::test]
async fn a_primary_behind_a_way_that_loses_large_packets_costs_one_batch_each_time_and_seldom() {
    tokio::time::pause();
    let group = Fixture::with(2, PENALTY, |primary| {
        primary.swallows = 4;
        primary.window = Window { deliveries: 16, bytes: usize::MAX };
    });
    let large = |number: u64| number + 10_000;
    let mut given = Vec::new();
    for number in (0..600).step_by(3) {
        group.put(large(number)..large(number + 3)).await;
        if !group.scripts[0].borrow().held.is_empty() {
            sleep(Duration::from_millis(1500)).await; // and then it is dead
            given.push(group.scripts[0].borrow().held.len());
            group.sinks[0].do_send(Break);
            group.settled().await;
            group.scripts[0].borrow_mut().up = true;
        }
        sleep(Duration::from_millis(300)).await;
    }
    assert!(given.len() <= 10 && given[1..].iter().all(|held| *held == 1), "{given:?} in a minute");
    assert_eq!(group.arrived(1), (large(0)..large(600)).collect::<Vec<_>>(), "all, in order");
    assert_eq!(group.heard.lines().len(), 2, "the connection, and then that a batch alone is lost, too");
}

#[actix::test]
async fn what_starts_is_not_dying_and_the_primary_is_still_waited_for() {
    tokio::time::pause();
    let group = Fixture::with(2, PENALTY, |primary| primary.silent = true);
    // The actor is up a moment after it was first asked.
    group.settled().await;
    group.group.do_send(Health { sink: 0, state: State::Started });
    group.put(0..3).await;
    assert_eq!(group.arrived(1), [] as [u64; 0], "the primary may answer in a moment");
    assert_eq!(group.scripts[0].borrow().probes, 2, "what it was asked before may be lost");
    group.scripts[0].borrow_mut().silent = false;
    group.sinks[0].do_send(Probe);
    group.settled().await;
    assert_eq!((group.arrived(0), group.heard.lines()), (vec![0, 1, 2], vec![]));
    // One that is up and starts has died.
    group.group.do_send(Health { sink: 0, state: State::Started });
    group.settled().await;
    assert!(group.heard.lines()[0].contains("failed"), "{:?}", group.heard.lines());
}

#[actix::test]
async fn turns_are_exact_at_the_start_and_after_a_recovery() {
    tokio::time::pause();
    let group = Fixture::balanced(3);
    group.put(0..300).await;
    let got = |before: &[usize]| {
        let now: Vec<usize> = (0..3).map(|sink| group.arrived(sink).len()).collect();
        let got: Vec<usize> = now.iter().zip(before).map(|(now, before)| now - before).collect();
        (now, got)
    };
    let (first, share) = got(&[0; 3]);
    assert_eq!(share, [100; 3]);
    group.sinks[1].do_send(Break);
    group.put(300..600).await;
    let (second, share) = got(&first);
    assert_eq!(share, [150, 0, 150]);
    group.scripts[1].borrow_mut().up = true;
    sleep(Duration::from_secs(3)).await;
    group.put(600..900).await;
    assert_eq!(got(&second).1, [100; 3]);
}

#[actix::test]
async fn a_group_that_finishes_takes_no_more_and_waits_for_what_is_under_way() {
    tokio::time::pause();
    for breaks in [false, true] {
        let fixture = Fixture::new(1, Backoff::Penalty(Duration::from_secs(30)));
        fixture.settled().await;
        fixture.put(0..1).await;
        fixture.scripts[0].borrow_mut().answers = false;
        fixture.put(1..4).await;
        assert_eq!(fixture.scripts[0].borrow().held.len(), 1, "one is under way");
        let mut finishing = std::pin::pin!(fixture.group.send(Finish));
        timeout(Duration::from_millis(1), &mut finishing).await.expect_err("it waits for that one");
        if breaks {
            fixture.sinks[0].do_send(Break);
            fixture.settled().await;
        } else {
            fixture.acknowledge(0).await;
        }
        finishing.within("the group to finish").await.expect("it lives");
        fixture.put(4..5).await;
        let (arrived, left) = if breaks { (vec![0], vec![1, 2, 3, 4]) } else { (vec![0, 1], vec![2, 3, 4]) };
        assert_eq!(fixture.arrived(0), arrived);
        fixture.group.send(Stop).within("the group to stop").await.expect("it stops");
        assert_eq!(take_now(&fixture.channel).await, left, "the rest is the channel's, in order");
    }
}
