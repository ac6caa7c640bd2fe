use super::*;
use crate::sink::stage::Stage;
use crate::testing::{numbers, take_now};
use runtime::within::Within;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use tokio::sync::Notify;

/// What a sink is to do, and what it did.
#[derive(Default)]
struct Script {
    opens: RefCell<VecDeque<bool>>,
    /// For each delivery: it succeeds, fails, or panics.
    delivers: RefCell<VecDeque<Option<bool>>>,
    ends: Notify,
    did: RefCell<Vec<String>>,
    /// What is sent is not waited for.
    sends: bool,
    /// What has landed of what was sent.
    landed: Cell<usize>,
    lands: Notify,
}

impl Script {
    /// One more has landed.
    fn land(&self) {
        self.landed.set(self.landed.get() + 1);
        self.lands.notify_one();
    }

    fn did(&self) -> Vec<String> {
        self.did.borrow().clone()
    }
}

struct Scripted<const TOGETHER: bool>(Rc<Script>);

fn broken() -> DeliveryError {
    DeliveryError::Lost { peer: "it".to_owned(), reason: "scripted".to_owned() }
}

impl<const TOGETHER: bool> AsyncSink for Scripted<TOGETHER> {
    const TOGETHER: bool = TOGETHER;

    async fn open(&mut self) -> Result<Window, DeliveryError> {
        let opens = self.0.opens.borrow_mut().pop_front().unwrap_or(true);
        if opens { Ok(Window::LOCAL) } else { Err(broken()) }
    }

    async fn send(&mut self, batches: &[Batch]) -> bool {
        if self.0.sends {
            self.0.did.borrow_mut().push(format!("sent {:?}", numbers(batches)));
        }
        self.0.sends
    }

    async fn landed(&mut self) {
        while self.0.landed.get() == 0 {
            self.0.lands.notified().await;
        }
        self.0.landed.set(self.0.landed.get() - 1);
    }

    async fn deliver(&mut self, batches: &[Batch]) -> Result<(), DeliveryError> {
        tokio::task::yield_now().await;
        let delivers = self.0.delivers.borrow_mut().pop_front().unwrap_or(Some(true)).expect("as scripted");
        self.0.did.borrow_mut().push(format!("{:?}", numbers(batches)));
        if delivers { Ok(()) } else { Err(broken()) }
    }

    async fn ended(&mut self) -> DeliveryError {
        self.0.ends.notified().await;
        broken()
    }

    async fn close(&mut self) {
        self.0.did.borrow_mut().push("closed".to_owned());
    }
}

async fn start(script: Script) -> (Stage<RemoteSink<Scripted<false>>>, Rc<Script>) {
    start_one(script).await
}

async fn start_one<const TOGETHER: bool>(
    script: Script,
) -> (Stage<RemoteSink<Scripted<TOGETHER>>>, Rc<Script>) {
    let script = Rc::new(script);
    let sink = Scripted::<TOGETHER>(script.clone());
    let mut stage = Stage::new(|member| RemoteSink::new(sink, member, DeathWatch::unwatched()).start());
    assert_eq!(stage.hear().await, "started");
    (stage, script)
}

#[actix::test]
async fn delivers_in_order_what_it_has_and_closes_when_it_is_stopped() {
    let (mut stage, script) = start(Script::default()).await;
    assert_eq!(stage.probe().await, "up");
    for event in 0..3 {
        stage.deliver(event).await;
    }
    stage.sink.send(Stop).within("the stop").await.unwrap();
    for _ in 0..3 {
        assert_eq!(stage.hear().await, "arrived");
    }
    assert_eq!(*script.did.borrow(), ["[0]", "[1]", "[2]", "closed"]);
}

#[actix::test]
async fn what_waits_goes_together_where_a_sink_has_it_so_and_fails_together() {
    let delivers = RefCell::new([true, false, true, false].map(Some).into());
    let (mut stage, script) = start_one::<true>(Script { delivers, ..Script::default() }).await;
    assert_eq!(stage.probe().await, "up");
    let mut deliveries = VecDeque::new();
    for event in 0..7 {
        deliveries.push_back(stage.delivery(event).await);
    }
    deliveries.drain(..3).for_each(|delivery| stage.send(delivery));
    for _ in 0..3 {
        assert_eq!(stage.hear().await, "arrived");
    }
    // What is asked in between is answered in its turn.
    deliveries.drain(..1).for_each(|delivery| stage.send(delivery));
    stage.sink.do_send(Probe);
    deliveries.drain(..1).for_each(|delivery| stage.send(delivery));
    let lost = broken().to_string();
    for expected in [&lost, "down", "up", "arrived"] {
        assert_eq!(stage.hear().await, expected);
    }
    deliveries.drain(..).for_each(|delivery| stage.send(delivery));
    for expected in [&lost, &lost, "down"] {
        assert_eq!(stage.hear().await, expected);
    }
    assert_eq!(*script.did.borrow(), ["[0, 1, 2]", "[3]", "[4]", "[5, 6]"]);
    assert_eq!(take_now(&stage.channel).await, [3, 5, 6]);
}

#[actix::test]
async fn what_has_failed_together_goes_alone_until_as_many_have_arrived() {
    let delivers = RefCell::new([Some(false)].into());
    let (mut stage, script) = start_one::<true>(Script { delivers, ..Script::default() }).await;
    assert_eq!(stage.probe().await, "up");
    for round in [0..2, 2..6] {
        let mut deliveries = Vec::new();
        for event in round {
            deliveries.push(stage.delivery(event).await);
        }
        deliveries.into_iter().for_each(|delivery| stage.send(delivery));
        stage.sink.do_send(Probe);
    }
    let lost = broken().to_string();
    for expected in [&*lost, &lost, "down", "up", "arrived", "arrived", "arrived", "arrived"] {
        assert_eq!(stage.hear().await, expected);
    }
    assert_eq!(*script.did.borrow(), ["[0, 1]", "[0]", "[1]", "[2, 3]"]);
}

#[actix::test]
async fn a_failure_gives_back_what_waits_until_a_probe_succeeds() {
    let delivers = RefCell::new([Some(true), Some(false)].into());
    let (mut stage, _) = start(Script { delivers, ..Script::default() }).await;
    assert_eq!(stage.probe().await, "up");
    for event in 0..3 {
        stage.deliver(event).await;
    }
    let (lost, gone) = (broken().to_string(), DeliveryError::Gone.to_string());
    for expected in ["arrived", &lost, "down", &gone] {
        assert_eq!(stage.hear().await, expected);
    }
    assert_eq!(stage.probe().await, "up");
    assert_eq!(take_now(&stage.channel).await, [1, 2]);
}

#[actix::test]
async fn what_is_sent_is_settled_in_order_when_it_has_landed() {
    let (mut stage, script) = start(Script { sends: true, ..Script::default() }).await;
    assert_eq!(stage.probe().await, "up");
    for event in 0..3 {
        stage.deliver(event).await;
    }
    while script.did().len() < 3 {
        tokio::task::yield_now().await;
    }
    assert_eq!(script.did(), ["sent [0]", "sent [1]", "sent [2]"]);
    script.land();
    assert_eq!(stage.hear().await, "arrived");
    assert_eq!(script.did()[3..], ["[0]"]);
    // A stop waits for what is on its way.
    stage.sink.send(Stop).within("the stop").await.unwrap();
    assert_eq!([stage.hear().await, stage.hear().await], ["arrived", "arrived"]);
    assert_eq!(script.did()[4..], ["[1]", "[2]", "closed"]);
}

#[actix::test]
async fn after_a_failure_all_that_was_sent_is_settled_before_more_is_sent() {
    let delivers = RefCell::new([false, true, false].map(Some).into());
    let (mut stage, script) = start(Script { sends: true, delivers, ..Script::default() }).await;
    assert_eq!(stage.probe().await, "up");
    for event in 0..3 {
        stage.deliver(event).await;
    }
    script.land();
    let lost = broken().to_string();
    for expected in [&*lost, "arrived", &lost, "down"] {
        assert_eq!(stage.hear().await, expected);
    }
    stage.deliver(3).await;
    assert_eq!(stage.hear().await, DeliveryError::Gone.to_string());
    assert_eq!(stage.probe().await, "up");
    assert_eq!(script.did(), ["sent [0]", "sent [1]", "sent [2]", "[0]", "[1]", "[2]"]);
    assert_eq!(take_now(&stage.channel).await, [0, 2, 3]);
}

#[actix::test]
async fn what_cannot_be_opened_is_told_and_tried_again() {
    let (mut stage, _) = start(Script { opens: RefCell::new([false].into()), ..Script::default() }).await;
    assert_eq!([stage.probe().await, stage.probe().await], ["down", "up"]);
}

#[actix::test]
async fn an_end_while_nothing_is_delivered_is_told() {
    let (mut stage, script) = start(Script::default()).await;
    assert_eq!(stage.probe().await, "up");
    script.ends.notify_one();
    assert_eq!(stage.hear().await, "down");
    assert_eq!(stage.probe().await, "up");
}

#[actix::test]
async fn a_panic_loses_no_event_and_ends_the_actor() {
    let (mut stage, _) = start(Script { delivers: RefCell::new([None].into()), ..Script::default() }).await;
    assert_eq!(stage.probe().await, "up");
    stage.deliver(0).await;
    stage.deliver(1).await;
    for _ in 0..2 {
        assert_eq!(stage.hear().await, DeliveryError::Gone.to_string());
    }
    assert_eq!(take_now(&stage.channel).await, [0, 1]);
    while stage.sink.send(Probe).within("an answer of the sink, or its end").await.is_ok() {}
}
