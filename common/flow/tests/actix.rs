//! What we take for granted about actix, as tests: should a new version behave differently, it is seen here first.
#![expect(clippy::disallowed_methods, reason = "it looks at clocks themselves")]

use actix::prelude::*;
use runtime::within::Within;
use std::time::Duration;
use tokio::time::{Instant, sleep};

struct Echo;

impl Actor for Echo {
    type Context = Context<Self>;
}

#[derive(Message)]
#[rtype(result = "u32")]
struct Say(u32);

#[derive(Message)]
#[rtype(result = "()")]
struct Panic;

#[derive(Message)]
#[rtype(result = "u32")]
struct SayLater(u32);

#[derive(Message)]
#[rtype(result = "u32")]
struct SayLaterIfAlive(u32);

#[derive(Message)]
#[rtype(result = "()")]
struct Stop;

impl Handler<Say> for Echo {
    type Result = u32;

    fn handle(&mut self, Say(number): Say, _: &mut Self::Context) -> u32 {
        number
    }
}

impl Handler<Panic> for Echo {
    type Result = ();

    fn handle(&mut self, _: Panic, _: &mut Self::Context) {
        panic!("as the test wants it");
    }
}

impl Handler<SayLater> for Echo {
    type Result = ResponseFuture<u32>;

    fn handle(&mut self, SayLater(number): SayLater, _: &mut Self::Context) -> Self::Result {
        Box::pin(async move {
            sleep(Duration::from_secs(1)).await;
            number
        })
    }
}

impl Handler<SayLaterIfAlive> for Echo {
    type Result = ResponseActFuture<Self, u32>;

    fn handle(&mut self, SayLaterIfAlive(number): SayLaterIfAlive, _: &mut Self::Context) -> Self::Result {
        let later = async move {
            sleep(Duration::from_secs(1)).await;
            number
        };
        Box::pin(later.into_actor(self))
    }
}

impl Handler<Stop> for Echo {
    type Result = ();

    fn handle(&mut self, _: Stop, ctx: &mut Self::Context) {
        ctx.stop();
    }
}

#[actix::test]
async fn a_panic_ends_that_actor_alone_and_its_callers_hear_of_it() {
    let (one, other) = (Echo.start(), Echo.start());
    assert!(one.send(Panic).within("an answer").await.is_err());
    assert_eq!(one.send(Say(1)).within("an answer").await, Err(MailboxError::Closed));
    assert_eq!(other.send(Say(2)).within("an answer").await, Ok(2));
}

#[actix::test]
async fn do_send_passes_any_number_of_messages_whatever_the_capacity() {
    let echo = Echo.start();
    for number in 0..10_000 {
        echo.do_send(Say(number));
    }
    assert_eq!(
        echo.send(Say(7)).within("an answer").await,
        Ok(7),
        "and they are handled in order, before this one"
    );
}

#[actix::test]
async fn a_response_future_lets_other_messages_in_between() {
    tokio::time::pause();
    let (echo, before) = (Echo.start(), Instant::now());
    let later: Vec<_> = (0..100).map(|number| echo.clone().send(SayLater(number))).collect();
    assert_eq!(echo.send(Say(1)).within("an answer").await, Ok(1));
    assert_eq!(Instant::now(), before);
    for (number, answer) in later.into_iter().enumerate() {
        assert_eq!(answer.await, Ok(number as u32));
    }
    assert_eq!((Instant::now() - before).as_secs(), 1, "all were under way at once");
}

#[actix::test]
async fn a_future_of_the_actor_ends_with_it_and_a_response_future_does_not() {
    tokio::time::pause();
    let echo = Echo.start();
    let (later, with_it) = (echo.send(SayLater(1)), echo.send(SayLaterIfAlive(2)));
    echo.send(Stop).within("an answer").await.expect("it still listens");
    assert_eq!(with_it.await, Err(MailboxError::Closed));
    assert_eq!(later.await, Ok(1), "it is run apart from the actor");
}

#[actix::test]
async fn a_paused_clock_runs_an_hour_of_timers_at_once() {
    tokio::time::pause();
    let real = std::time::Instant::now();
    sleep(Duration::from_secs(3600)).await;
    assert!(real.elapsed() < Duration::from_secs(60));
}
