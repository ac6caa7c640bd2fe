use super::*;
use crate::clock::Duration;
use crate::message::Patience;
use crate::supervise::slot::{Post, slot};
use crate::testing::{Break, Script, Scripted, memory_channel, put, script, scripted, silent};
use crate::within::Within;
use std::cell::RefCell;
use std::rc::Rc;
use tokio::time::{sleep, timeout};

/// A failover group over scripted sinks, the first of the highest priority.
struct Fixture {
    channel: ChannelRef,
    scripts: Vec<Rc<RefCell<Script>>>,
    sinks: Vec<Addr<Scripted>>,
    _posts: Vec<Post<SinkAddress>>,
    _group: Addr<Group>,
    _post: Post<Recipient<Health>>,
}

impl Fixture {
    fn new(sinks: usize, rest: Rest) -> Fixture {
        Fixture::with(sinks, rest, |_| {})
    }

    /// `first` changes the script of the primary before the group starts.
    fn with(sinks: usize, rest: Rest, first: impl FnOnce(&mut Script)) -> Fixture {
        let channel = memory_channel(&[("capacity", "1000")]);
        let (post, health) = slot();
        let scripts: Vec<_> = (0..sinks).map(|_| script()).collect();
        first(&mut scripts[0].borrow_mut());
        let (mut members, mut addresses, mut posts) = (Vec::new(), Vec::new(), Vec::new());
        for (index, script) in scripts.iter().enumerate() {
            let (post, slot, address) = scripted(script, index, health.clone());
            members.push(MemberRef { name: format!("k{}", index + 1), batch_size: 1, slot });
            addresses.push(address);
            posts.push(post);
        }
        let priorities: Vec<i64> = (0..sinks as i64).rev().collect();
        let config = GroupConfig {
            name: "g1".to_owned(),
            rest,
            choice: Choice::by_priority(&priorities),
            members,
            agent: 1,
            stream: 1,
        };
        let group = Group::new(config, channel.clone(), silent(), Guard::unwatched()).start();
        post.set(group.clone().recipient());
        Fixture { channel, scripts, sinks: addresses, _posts: posts, _group: group, _post: post }
    }

    fn arrived(&self, sink: usize) -> Vec<u64> {
        self.scripts[sink].borrow().arrived.iter().flat_map(|(_, events)| events.clone()).collect()
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

const PENALTY: Rest = Rest::Penalty(Duration::from_secs(10));

#[actix::test]
async fn the_primary_gets_everything_and_the_standby_is_ready() {
    tokio::time::pause();
    let group = Fixture::new(2, PENALTY);
    group.put(0..3).await;
    assert_eq!((group.arrived(0), group.arrived(1)), (vec![0, 1, 2], vec![]));
    assert_eq!(group.scripts[1].borrow().probes, 1, "connected before it is needed");
}

#[actix::test]
async fn a_broken_connection_moves_what_was_not_acknowledged_at_once_in_order_and_under_its_name() {
    tokio::time::pause();
    let group = Fixture::new(2, PENALTY);
    {
        let mut primary = group.scripts[0].borrow_mut();
        primary.answers = false;
        primary.window = Window { parcels: 4, bytes: usize::MAX };
    }
    group.put(0..6).await;
    assert_eq!(group.scripts[0].borrow().held.len(), 4, "as many as its window allows");
    let before = clock::now();
    group.sinks[0].do_send(Break);
    group.settled().await;
    assert_eq!(clock::now(), before, "no time has passed");
    let arrived = group.scripts[1].borrow().arrived.clone();
    assert_eq!(arrived, (0..6).map(|n| (n, vec![n])).collect::<Vec<_>>(), "name and content");
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
    Errand::done(held);
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
    let group = Fixture::new(1, Rest::Retry);
    group.scripts[0].borrow_mut().answers = false;
    let full = async {
        for number in 0..1000 {
            group
                .channel
                .put(crate::testing::batch(number..number + 1), Patience::KeepAlive)
                .await
                .expect("there is room");
        }
        group
            .channel
            .put(crate::testing::batch(1000..1001), Patience::KeepAlive)
            .within("room in the channel")
            .await
    };
    let refused = timeout(Duration::from_secs(60), full).await.expect("it answers");
    assert!(refused.is_err());
    group.scripts[0].borrow_mut().answers = true;
    let held = std::mem::take(&mut group.scripts[0].borrow_mut().held);
    Errand::done(held);
    group.settled().await;
    assert_eq!(group.arrived(0), (1..1000).collect::<Vec<_>>());
}
