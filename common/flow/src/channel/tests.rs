use super::shared::Shared;
use super::shell::{ChannelActor, address_of};
use super::store::{Bell, ChannelSettings, Level, Store, StoreRefusal, Stored};
use super::throttle::{AHEAD_BYTES, THROTTLE_PAUSE};
use super::*;
use crate::supervise::address::address_cell;
use crate::supervise::{Supervisor, Watch};
use crate::testing::{PlainStore, batch, numbers, plain_channel, put, silent, started, take_now};
use runtime::clock::{self, Duration};
use runtime::within::Within;
use std::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::oneshot;

#[actix::test]
async fn a_take_waits_for_an_event_and_gets_it_at_once() {
    let channel = plain_channel(&[]);
    let (lease, ()) = tokio::join!(channel.take(10).within("the event"), put(&channel, 7..8));
    assert_eq!(numbers(lease.expect("the channel lives").batches()), [7]);
}

#[actix::test]
async fn a_dropped_lease_goes_back_to_its_place() {
    let channel = plain_channel(&[("capacity", "10"), ("transactionCapacity", "10")]);
    put(&channel, 0..6).await;
    let first = channel.take(2).within("events from the channel").await;
    let second = channel.take(2).within("events from the channel").await;
    drop(first);
    drop(second);
    assert_eq!(take_now(&channel).await, [0, 1, 2, 3, 4, 5]);
}

#[actix::test]
async fn a_full_channel_refuses_after_its_keep_alive_and_says_how_full_it_is() {
    tokio::time::pause();
    let channel = plain_channel(&[("capacity", "2"), ("transactionCapacity", "2"), ("keep-alive", "3")]);
    put(&channel, 0..2).await;
    let before = clock::now();
    let error = channel
        .put(batch(2..3), PutTimeout::KeepAlive)
        .within("room in the channel")
        .await
        .expect_err("it is full");
    assert_eq!((clock::now() - before).as_secs(), 3);
    assert_eq!(
        error.to_string(),
        "channel c1 is full: 2 of 2 events, and no room for 1 more within 3 s; its sinks are slower than its sources"
    );
    assert_eq!(take_now(&channel).await, [0, 1], "nothing of the refused batch is stored");
}

#[actix::test]
async fn a_patient_put_waits_until_there_is_room_and_nobody_overtakes_it() {
    tokio::time::pause();
    let channel = plain_channel(&[("capacity", "4"), ("transactionCapacity", "4")]);
    put(&channel, 0..3).await;
    let large = channel.put(batch(3..6), PutTimeout::Forever);
    let small = channel.put(batch(6..7), PutTimeout::Forever);
    let drained = async {
        tokio::time::sleep(Duration::from_secs(3600)).await;
        [take_now(&channel).await, take_now(&channel).await].concat()
    };
    // An hour of the paused clock is within it.
    let all = async { tokio::join!(large, small, drained) };
    let all = tokio::time::timeout(Duration::from_secs(7200), all).await;
    let (large, small, drained) = all.expect("room was made, and both puts wait");
    assert_eq!((large, small), (Ok(()), Ok(())));
    assert_eq!(drained, [0, 1, 2, 3, 4, 5, 6]);
}

#[actix::test]
async fn who_can_wait_is_kept_from_running_far_ahead_of_sinks_that_move() {
    tokio::time::pause();
    let channel = plain_channel(&[("capacity", "30000"), ("transactionCapacity", "10000")]);
    let events = |bytes: usize| {
        let mut builder = event::BatchBuilder::default();
        (0..bytes / 1000).for_each(|_| builder.push([], &[0; 1000]));
        builder.finish()
    };
    let timed_put = async |bytes, wait| {
        let before = clock::now();
        assert_eq!(channel.put(events(bytes), wait).within("room in the channel").await, Ok(()));
        clock::now() - before
    };
    let timed = async |wait| timed_put(AHEAD_BYTES + 2000, wait).await;
    assert_eq!(timed(PutTimeout::KeepAlive).await, Duration::ZERO, "somebody awaits its answer");
    assert!(timed(PutTimeout::Forever).await >= THROTTLE_PAUSE, "sinks that do not move stop nobody");
    assert_eq!(
        timed_put(2000, PutTimeout::Forever).await,
        Duration::ZERO,
        "it is much that waits, not often"
    );
    channel.take(10_000).within("events from the channel").await.expect("it lives").commit();
    let (waited, ()) = tokio::join!(timed(PutTimeout::Forever), async {
        channel.take(10_000).within("events from the channel").await.expect("it lives").commit();
        channel.take(10_000).within("events from the channel").await.expect("it lives").commit();
    });
    assert_eq!(waited, Duration::ZERO, "those who move wake it");
}

#[actix::test]
async fn what_can_never_fit_is_refused_at_once() {
    let channel = plain_channel(&[("capacity", "4"), ("transactionCapacity", "2")]);
    let refused = channel.put(batch(0..3), PutTimeout::Forever).within("room in the channel").await;
    assert!(matches!(refused, Err(ChannelError::TooLarge { events: 3, limit: 2, .. })));
}

/// Makes the channel's actor panic.
#[derive(Message)]
#[rtype(result = "()")]
struct Panic;

impl<S: Store> Handler<Panic> for ChannelActor<S> {
    type Result = ();

    fn handle(&mut self, _: Panic, _: &mut Self::Context) {
        panic!("as the test wants it");
    }
}

/// A channel that a supervisor builds anew when it dies, and its actors as they are started.
async fn supervised(properties: &plan::Properties) -> Supervised<PlainStore> {
    let store = PlainStore::new(properties);
    let settings = store.settings(properties);
    supervised_with(store, settings).await
}

type Supervised<S> = (Addr<Supervisor>, ChannelRef, UnboundedReceiver<Addr<ChannelActor<S>>>);

async fn supervised_with<S: Store>(store: S, settings: ChannelSettings) -> Supervised<S> {
    let supervisor = Supervisor::new(silent()).start();
    let (setter, cell) = address_cell();
    let (store, bell, transaction) = (Shared::new(store), Bell::default(), settings.transaction);
    let (deaths, born) = unbounded_channel();
    let build = move |death_watch| {
        let context = ChannelContext { name: "c1".into(), log: silent(), death_watch };
        let actor = ChannelActor::new(context, settings.clone(), store.clone(), bell.clone()).start();
        let _test_over = deaths.send(actor.clone());
        setter.set(address_of(actor));
        Ok(())
    };
    supervisor
        .send(Watch { name: "channel c1".into(), build: Box::new(build) })
        .within("the supervisor")
        .await
        .expect("the supervisor lives");
    (supervisor, ChannelRef::new("c1", transaction, cell), born)
}

#[actix::test]
async fn a_channel_that_dies_is_built_anew_with_what_it_held() {
    let (_supervisor, channel, mut born) = supervised(&PlainStore::properties(&[])).await;
    put(&channel, 0..3).await;
    let leased = channel.take(1).within("events from the channel").await.expect("the channel lives");
    born.recv().within("the channel to be started").await.expect("it was started").do_send(Panic);
    let again = born.recv().within("the channel to be started anew").await;
    assert!(again.is_some(), "a new one is started");
    drop(leased); // of the dead one, and it counts all the same
    assert_eq!(take_now(&channel).await, [0, 1, 2]);
}

#[actix::test]
async fn who_waits_when_a_channel_dies_is_served_by_its_successor() {
    let limits = [("capacity", "2"), ("transactionCapacity", "2")];
    let (_supervisor, channel, mut born) = supervised(&PlainStore::properties(&limits)).await;
    let first = born.recv().within("the channel to be started").await.expect("it was started");

    let waiting = channel.clone();
    let taken = actix_rt::spawn(async move {
        waiting.take(2).within("events from the channel").await.map(|lease| numbers(lease.batches()))
    });
    tokio::task::yield_now().await;
    first.do_send(Panic);
    let second = born.recv().within("the channel to be started").await.expect("a new one is started");
    channel.put(batch(0..2), PutTimeout::Forever).within("room in the channel").await.expect("there is room");
    let taken = taken.within("the answer to the take").await.expect("no panic");
    assert_eq!(taken, Some(vec![0, 1]), "and rolled back then");

    let waiting = channel.clone();
    let stored = actix_rt::spawn(async move {
        waiting.put(batch(2..4), PutTimeout::Forever).within("room in the channel").await
    });
    tokio::task::yield_now().await;
    second.do_send(Panic);
    born.recv().within("the channel to be started").await.expect("a new one is started");
    channel.take(2).within("events from the channel").await.expect("the first two are there").commit();
    let stored = stored.within("the answer to the put").await.expect("no panic");
    assert_eq!(stored, Ok(()));
    assert_eq!(take_now(&channel).await, [2, 3]);
}

/// What a [`LateStore`] has been asked for and not answered, and what it has been given from outside.
#[derive(Default)]
struct Outside {
    unanswered: Vec<oneshot::Sender<Result<(), String>>>,
    found: Vec<Batch>,
    bell: Option<Bell>,
}

/// A store that answers when its test says so, and finds events by itself.
struct LateStore {
    inner: PlainStore,
    outside: Arc<Mutex<Outside>>,
}

impl Store for LateStore {
    fn start(&mut self, bell: Bell, _: &str, _: &slog::Logger) {
        self.outside.lock().unwrap().bell = Some(bell);
    }

    fn put(&mut self, batches: &[Batch]) -> Result<Stored, StoreRefusal> {
        let Stored { batches, .. } = self.inner.put(batches)?;
        let (answer, later) = oneshot::channel();
        self.outside.lock().unwrap().unanswered.push(answer);
        Ok(Stored { batches, later: Some(later) })
    }

    fn take(&mut self, max: usize, bytes: usize) -> Option<(u64, Vec<Batch>)> {
        let found = std::mem::take(&mut self.outside.lock().unwrap().found);
        if !found.is_empty() {
            self.inner.put(&found).unwrap();
        }
        self.inner.take(max, bytes)
    }

    fn settle(&mut self, lease: u64, commit: bool) {
        self.inner.settle(lease, commit);
    }

    fn bytes(&self) -> usize {
        self.inner.bytes()
    }

    fn level(&self) -> Level {
        self.inner.level()
    }

    fn origins(&self) -> Vec<(Option<Origin>, usize)> {
        self.inner.origins()
    }

    fn give_back(&mut self, again: &dyn Fn(Origin) -> bool) {
        self.inner.give_back(again);
    }
}

fn late_channel(capacity: &str) -> (ChannelRef, Arc<Mutex<Outside>>) {
    let properties = PlainStore::properties(&[("capacity", capacity)]);
    let (inner, outside) = (PlainStore::new(&properties), Arc::<Mutex<Outside>>::default());
    let settings: ChannelSettings = inner.settings(&properties);
    let store = LateStore { inner, outside: outside.clone() };
    (started("c1", NewChannel::of(store, settings)), outside)
}

/// Waits for a put that waits for its answer.
async fn asked(outside: &Mutex<Outside>) {
    let asked = async {
        while outside.lock().unwrap().unanswered.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    asked.within("a put that reaches the store").await;
}

/// Answers the oldest one.
async fn answer(outside: &Mutex<Outside>, answer: Result<(), String>) {
    asked(outside).await;
    outside.lock().unwrap().unanswered.remove(0).send(answer).unwrap();
}

#[actix::test]
async fn a_put_is_answered_when_its_store_says_that_it_is_safe() {
    let (channel, outside) = late_channel("2");
    let putting = channel.clone();
    let put = actix_rt::spawn(async move { putting.put(batch(0..2), PutTimeout::Forever).await });
    let putting = channel.clone();
    let waits_for_room = actix_rt::spawn(async move { putting.put(batch(2..4), PutTimeout::Forever).await });
    let both_wait = async { while channel.fill().await.is_some_and(|fill| fill.events < 4) {} };
    both_wait.within("both puts").await;
    assert!(!put.is_finished(), "it is stored, and not safe");
    answer(&outside, Ok(())).await;
    assert_eq!(put.within("the answer to the put").await.unwrap(), Ok(()));
    assert!(!waits_for_room.is_finished());
    channel.take(2).within("events from the channel").await.unwrap().commit();
    answer(&outside, Err("No space left on device".to_owned())).await;
    let refused = waits_for_room.within("the answer to the put").await.unwrap().unwrap_err().to_string();
    assert_eq!(refused, "channel c1 cannot store events: No space left on device");
}

#[actix::test]
async fn a_store_that_goes_before_events_are_safe_fails_their_put() {
    let (channel, outside) = late_channel("2");
    let put = actix_rt::spawn(async move { channel.put(batch(0..1), PutTimeout::KeepAlive).await });
    asked(&outside).await;
    outside.lock().unwrap().unanswered.clear();
    let refused = put.within("the answer to the put").await.unwrap();
    assert!(matches!(refused, Err(ChannelError::Failed { .. })), "{refused:?}");
}

#[actix::test]
async fn a_store_that_keeps_its_first_bell_wakes_the_actor_that_there_is_now() {
    let properties = PlainStore::properties(&[]);
    let (inner, outside) = (PlainStore::new(&properties), Arc::<Mutex<Outside>>::default());
    let settings = inner.settings(&properties);
    let store = LateStore { inner, outside: outside.clone() };
    let (_supervisor, channel, mut born) = supervised_with(store, settings).await;
    let first = born.recv().within("the channel to be started").await.expect("it was started");
    channel.fill().within("a word of the channel").await.expect("it lives");
    let bell = outside.lock().unwrap().bell.clone().unwrap();
    first.do_send(Panic);
    born.recv().within("the channel to be started anew").await.expect("a new one is started");
    let waiting = channel.clone();
    let taken = actix_rt::spawn(async move { waiting.take(10).await });
    let waits = async { while !channel.describe().unwrap().await.unwrap().contains("; 1 sinks wait") {} };
    waits.within("the take").await;
    outside.lock().unwrap().found.push(batch(7..9));
    bell.ring();
    let lease = taken.within("the events").await.unwrap().unwrap();
    assert_eq!(numbers(lease.batches()), [7, 8]);
}

#[actix::test]
async fn events_that_a_store_finds_by_itself_reach_who_waits_for_them() {
    let (channel, outside) = late_channel("10");
    let waiting = channel.clone();
    let taken = actix_rt::spawn(async move { waiting.take(10).await });
    let waits = async { while !channel.describe().unwrap().await.unwrap().contains("; 1 sinks wait") {} };
    waits.within("the take").await;
    let bell = {
        let mut outside = outside.lock().unwrap();
        outside.found.push(batch(7..9));
        outside.bell.clone().unwrap()
    };
    std::thread::spawn(move || bell.ring()).join().unwrap();
    let lease = taken.within("the events").await.unwrap().unwrap();
    assert_eq!(numbers(lease.batches()), [7, 8]);
}
