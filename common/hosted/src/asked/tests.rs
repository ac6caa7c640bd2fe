use super::*;
use actix::prelude::*;
use flow::counters::SinkCounters;
use flow::processor::SinkAddress;
use flow::supervise::address::{AddressSetter, address_cell};
use flow::testing::{Break, Script, Scripted, plain_channel, put, script, scripted};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// Hands on what sinks say.
struct Ear(mpsc::UnboundedSender<Heard>);

impl Actor for Ear {
    type Context = Context<Self>;
}

impl Handler<Health> for Ear {
    type Result = ();

    fn handle(&mut self, health: Health, _: &mut Self::Context) {
        assert!(self.0.send(Heard::Health(health)).is_ok());
    }
}

impl Handler<Delivered> for Ear {
    type Result = ();

    fn handle(&mut self, delivered: Delivered, _: &mut Self::Context) {
        assert!(self.0.send(Heard::Delivered(delivered)).is_ok());
    }
}

/// A group of two scripted sinks.
struct Fixture {
    sinks: Sinks,
    scripts: Vec<Rc<RefCell<Script>>>,
    addresses: Vec<Addr<Scripted>>,
    counters: Vec<Arc<SinkCounters>>,
    _setters: (Vec<AddressSetter<SinkAddress>>, AddressSetter<Recipient<Health>>),
}

fn group(processor: &str) -> Fixture {
    let (tell, heard) = mpsc::unbounded_channel();
    let ear = Ear(tell).start();
    let (setter, health) = address_cell();
    setter.set(ear.clone().recipient());
    let scripts = vec![script(), script()];
    let (mut members, mut addresses, mut setters) = (Vec::new(), Vec::new(), Vec::new());
    for (index, script) in scripts.iter().enumerate() {
        let (setter, cell, address) = scripted(script, index, health.clone());
        let (name, counters) = (format!("k{index}"), Arc::default());
        members.push(MemberRef { name, batch_size: 2, cell, counters });
        addresses.push(address);
        setters.push(setter);
    }
    let counters = members.iter().map(|member| member.counters.clone()).collect();
    let first = BatchId { agent: 1, stream: 1, sequence: 0 };
    let mut sinks = Sinks::new(members, plain_channel(&[]), heard, ear.recipient(), (first, processor));
    sinks.probe_all();
    Fixture { sinks, scripts, addresses, counters, _setters: (setters, setter) }
}

impl Fixture {
    /// For each sink whether it is up and whether it is active.
    fn standing(&self) -> Vec<(bool, bool)> {
        let of = |counters: &Arc<SinkCounters>| {
            let health = &counters.health;
            (health.up_since.get() > 0, health.active_since.get() > 0)
        };
        self.counters.iter().map(of).collect()
    }
}

#[actix::test]
async fn what_a_processor_in_the_jvm_moves_counts_as_what_a_native_one_moves() {
    tokio::time::pause();
    let mut group = group("failover");
    put(&group.sinks.channel, 0..3).await;
    assert!(matches!(group.sinks.ask(0).await, Outcome::Ready));
    assert!(matches!(group.sinks.ask(0).await, Outcome::Ready));
    let (channel, counters) = (group.sinks.channel.counters.clone(), group.counters[0].clone());
    assert_eq!((channel.take_attempt.get(), channel.take_success.get()), (3, 3));
    assert_eq!((counters.drain_attempt.get(), counters.drain_success.get()), (3, 3));
    assert_eq!((counters.batch_complete.get(), counters.batch_underflow.get()), (1, 1));
    assert_eq!((counters.connection_created.get(), counters.event_write_fail.get()), (1, 0));
    assert_eq!(group.standing(), [(true, true), (true, false)], "the standby is ready");
    assert!(matches!(group.sinks.ask(1).await, Outcome::Backoff), "the channel is empty");
    assert_eq!(group.standing(), [(true, true), (true, false)], "it was a try");
    put(&group.sinks.channel, 3..4).await;
    assert!(matches!(group.sinks.ask(1).await, Outcome::Ready));
    assert_eq!(group.standing(), [(true, false), (true, true)]);
}

#[actix::test]
async fn a_sink_that_fails_is_down_is_counted_once_and_is_up_again_without_being_asked() {
    tokio::time::pause();
    let mut group = group("com.acme.Either");
    put(&group.sinks.channel, 0..2).await;
    assert!(matches!(group.sinks.ask(1).await, Outcome::Ready));
    group.scripts[0].borrow_mut().refuses = true;
    put(&group.sinks.channel, 2..4).await;
    assert!(matches!(group.sinks.ask(0).await, Outcome::Exception(_)));
    assert!(matches!(group.sinks.ask(1).await, Outcome::Ready), "it gets what the other has refused");
    let counters = group.counters[0].clone();
    assert_eq!((counters.drain_attempt.get(), counters.drain_success.get()), (2, 0));
    assert_eq!((counters.event_write_fail.get(), counters.connection_closed.get()), (1, 1));
    assert_eq!(group.sinks.channel.counters.take_success.get(), 4);
    assert_eq!(group.standing(), [(false, false), (true, true)]);
    assert!(counters.health.next_try.get() > 0);
    tokio::time::advance(RETRY).await;
    for _ in 0..2 {
        assert!(matches!(group.sinks.ask(1).await, Outcome::Backoff));
    }
    assert_eq!(group.standing(), [(true, false), (true, true)]);
    assert_eq!((counters.health.next_try.get(), counters.connection_created.get()), (0, 2));
}

#[actix::test]
async fn a_sink_that_breaks_while_nobody_asks_is_seen_with_the_next_ask_and_none_is_active_without_a_jvm() {
    tokio::time::pause();
    let mut group = group("load_balance");
    for sink in [0, 1] {
        assert!(matches!(group.sinks.ask(sink).await, Outcome::Backoff));
    }
    assert_eq!(group.standing(), [(true, true), (true, true)], "both have their turns");
    group.addresses[0].send(Break).await.unwrap();
    assert!(matches!(group.sinks.ask(1).await, Outcome::Backoff));
    assert_eq!(group.standing(), [(false, false), (true, true)]);
    assert!(matches!(group.sinks.ask(0).await, Outcome::Exception(_)));
    assert_eq!(group.counters[0].connection_failed.get(), 1);
    group.sinks.nobody_asks();
    assert_eq!(group.standing(), [(false, false), (true, false)]);
}
