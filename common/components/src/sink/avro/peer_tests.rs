//! What a sink does with peers that are steady, silent, or say too much.

use super::*;
use crate::testing::{batch, memory_channel, numbers};
use bytes::BytesMut;
use event::Batch;
use flow::message::{Delivered, Delivery, Health, PutTimeout};
use flow::supervise::address::address_cell;
use rpc::Cargo;
use runtime::clock::{Duration, now};
use runtime::net::{TcpListener, TcpStream, TlsDefaults};
use runtime::within::Within;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::sleep;
use wire::avro::{
    Answer, AnswerNotes, BatchId, FrameDecoder, Hello, MAX_FRAME_BYTES, ProtocolCache, Received,
    ServerSession,
};

fn config(text: &str, port: u16) -> AvroSinkConfig {
    let pairs = text.split(' ').filter_map(|word| word.split_once('='));
    let pairs = pairs.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let at = [("hostname".to_owned(), "127.0.0.1".to_owned()), ("port".to_owned(), port.to_string())];
    let properties = plan::Properties::of(&super::COMPONENT.descriptor, pairs.chain(at));
    AvroSinkConfig::build(&properties, &TlsDefaults::default(), &mut Vec::new()).unwrap()
}

/// What peers have got, and in how many connections.
#[derive(Default)]
struct Got {
    numbers: RefCell<Vec<u64>>,
    connections: Cell<usize>,
}

/// Takes connections; answers each call 5 ms after it has come.
async fn collect(listener: TcpListener, got: Rc<Got>) {
    while let Ok((stream, _)) = listener.accept().await {
        got.connections.set(got.connections.get() + 1);
        actix_rt::spawn(answer_late(stream, got.clone()));
    }
}

async fn answer_late(stream: TcpStream, got: Rc<Got>) {
    let (mut from, mut to) = stream.into_split();
    let (send, mut replies) = mpsc::unbounded_channel::<(runtime::clock::Instant, BytesMut)>();
    actix_rt::spawn(async move {
        while let Some((at, bytes)) = replies.recv().await {
            tokio::time::sleep_until(at).await;
            let _gone = to.write_all(&bytes).within("a write").await;
        }
    });
    let mut session = ServerSession::new(Hello { window: 16, window_bytes: 1 << 20 });
    let (mut cache, mut decoder) = (ProtocolCache::default(), FrameDecoder::new(MAX_FRAME_BYTES));
    let mut input = BytesMut::new();
    while let Ok(1..) = from.read_buf(&mut input).await {
        while let Some(frame) = decoder.decode(&mut input).unwrap() {
            let mut out = BytesMut::new();
            let at = match session.receive(frame, &mut cache) {
                Received::Ping { token } => {
                    session.pong(&mut out, token);
                    now()
                }
                Received::Batch { token, batch, .. } => {
                    got.numbers.borrow_mut().extend(numbers(&[batch]));
                    session.reply(&mut out, token, Answer::Ok, AnswerNotes::default());
                    now() + Duration::from_millis(5)
                }
                other => panic!("{other:?}"),
            };
            let _gone = send.send((at, out));
        }
    }
}

/// Stands in for a group: commits what was delivered, and gives a sink the next number for each.
struct Feeder {
    sink: Addr<AvroSink>,
    taking: bool,
    channel: flow::channel::ChannelRef,
    next: u64,
    flying: u64,
    window: u64,
    failed: Rc<RefCell<Vec<String>>>,
}

impl Feeder {
    /// One after the other, so that their order is that of the numbers.
    fn feed(&mut self, ctx: &mut Context<Self>) {
        if self.taking || self.flying == self.window {
            return;
        }
        let (number, channel) = (self.next, self.channel.clone());
        (self.taking, self.next, self.flying) = (true, number + 1, self.flying + 1);
        let lease = async move {
            channel
                .put(batch(number..number + 1), PutTimeout::KeepAlive)
                .within("room in the channel")
                .await
                .unwrap();
            channel.take(1).within("events from the channel").await.unwrap()
        };
        ctx.spawn(lease.into_actor(self).map(move |lease, feeder, ctx| {
            let id = BatchId { agent: 1, stream: 1, sequence: number };
            let pending =
                PendingDelivery::new(Delivery { id, lease, doubt: false }, 0, ctx.address().recipient());
            feeder.sink.do_send(Deliver(pending));
            feeder.taking = false;
            feeder.feed(ctx);
        }));
    }
}

impl Actor for Feeder {
    type Context = Context<Self>;
}

impl Handler<Delivered> for Feeder {
    type Result = ();

    fn handle(&mut self, delivered: Delivered, ctx: &mut Self::Context) {
        self.flying -= delivered.deliveries.len() as u64;
        delivered.deliveries.into_iter().for_each(|delivery| delivery.lease.commit());
        match delivered.outcome {
            Ok(()) => self.feed(ctx),
            Err(error) => self.failed.borrow_mut().push(error.to_string()),
        }
    }
}

impl Handler<Health> for Feeder {
    type Result = ();

    fn handle(&mut self, health: Health, ctx: &mut Self::Context) {
        match health.state {
            State::Up(_) => self.feed(ctx),
            State::Started => {}
            other => self.failed.borrow_mut().push(format!("{other:?}")),
        }
    }
}

/// Steady traffic until peers have got so many connections and numbers; gives what they got.
async fn steady(
    config: AvroSinkConfig,
    listener: TcpListener,
    window: u64,
    until: (usize, usize),
) -> Rc<Got> {
    let (got, failed) = (Rc::new(Got::default()), Rc::default());
    actix_rt::spawn(collect(listener, got.clone()));
    let (setter, group) = address_cell();
    let channel = memory_channel(&[]);
    let sink = AvroSink::new(config, Member { index: 0, group }, DeathWatch::unwatched()).start();
    let (taking, told) = (false, Rc::clone(&failed));
    let feeder = Feeder { sink: sink.clone(), taking, channel, next: 0, flying: 0, window, failed: told };
    setter.set(feeder.start().recipient());
    sink.do_send(Probe);
    let enough = async {
        while got.connections.get() < until.0 || got.numbers.borrow().len() < until.1 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    enough.within("so many connections and numbers").await;
    let arrived = got.numbers.borrow().clone();
    assert!(arrived.iter().copied().eq(0..arrived.len() as u64), "{arrived:?}");
    assert_eq!(*failed.borrow(), [""; 0], "no reset is a failure");
    got
}

#[actix::test]
async fn a_connection_is_made_anew_under_steady_load_and_nothing_is_lost_doubled_or_out_of_order() {
    for window in [1, 16] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let set = config("reset-connection-interval=1", port);
        assert_eq!(set.reset_interval, Some(Duration::from_secs(1)));
        let often = AvroSinkConfig { reset_interval: Some(Duration::from_millis(20)), ..set };
        steady(often, listener, window, (5, 100)).await;
    }
}

#[actix::test]
async fn a_reset_interval_of_nothing_means_never() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = config("reset-connection-interval=0", listener.local_addr().unwrap().port());
    assert_eq!(config.reset_interval, None);
    assert_eq!(steady(config, listener, 16, (1, 1_000)).await.connections.get(), 1);
}

#[actix::test]
async fn a_peer_that_announces_a_long_answer_is_left_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let announce = async {
        let (mut stream, _) = listener.accept().within("a connection").await.unwrap();
        stream.write_all(&[0, 0, 0, 1, 0, 0, 0, 1, 0x0c, 0x80, 0, 0]).within("a write").await.unwrap();
        stream
    };
    let config = config("", port);
    let both = async { tokio::join!(Connection::<PendingDelivery>::open(&config), announce) };
    let (opened, _stream) = both.within("the answer that is too long").await;
    let error = opened.err().unwrap().to_string();
    for words in ["its answer is too long to be one, the connection is closed", "at most 1048576 are taken"] {
        assert!(error.contains(words) && !error.contains('\n'), "{error}");
    }
}

#[actix::test]
async fn a_peer_that_never_shakes_hands_is_down_after_exactly_the_connect_timeout() {
    tokio::time::pause();
    let config = config("connect-timeout=3000", 1);
    let (dial, _far) = pipe();
    let start = now();
    let opened = Connection::<PendingDelivery>::open_over(&config, dial).await;
    let error = opened.err().unwrap().to_string();
    assert!(error.contains("no answer within connect-timeout (3000 ms)"), "{error}");
    // A timer is a millisecond late at most.
    assert!((3000..=3001).contains(&(now() - start).as_millis()));
}

/// A number on its way, and where it is written how that ended.
struct Note(u64, Batch, Rc<RefCell<Vec<String>>>);

impl Cargo for Note {
    fn batches(&self) -> &[Batch] {
        std::slice::from_ref(&self.1)
    }

    fn id(&self) -> Option<BatchId> {
        None
    }

    fn done(all: Vec<Note>) {
        all.iter().for_each(|note| note.2.borrow_mut().push(format!("{} arrived", note.0)));
    }

    fn failed(self, error: DeliveryError) {
        self.2.borrow_mut().push(format!("{} {error}", self.0));
    }
}

/// A connection in memory, which a paused clock does not overtake: what dials the near end, once, and the far end.
fn pipe() -> (impl AsyncFn() -> std::io::Result<DuplexStream>, DuplexStream) {
    let (near, far) = duplex(1 << 20);
    let near = Cell::new(Some(near));
    (async move || near.take().ok_or_else(|| std::io::Error::other("it is connected already")), far)
}

/// Gives three calls at once to a peer of `session` that answers those in `answers`, by place, when it has all three; and
/// tells how each ended.
async fn three(mut session: ServerSession, answers: &[(usize, Answer<'_>)]) -> Vec<String> {
    let config = config("request-timeout=3000", 1);
    let (dial, mut stream) = pipe();
    let peer = async {
        let (mut cache, mut decoder) = (ProtocolCache::default(), FrameDecoder::new(MAX_FRAME_BYTES));
        let (mut input, mut tokens) = (BytesMut::new(), Vec::new());
        while let Ok(1..) = stream.read_buf(&mut input).await {
            let mut out = BytesMut::new();
            while let Some(frame) = decoder.decode(&mut input).unwrap() {
                match session.receive(frame, &mut cache) {
                    Received::Ping { token } => session.pong(&mut out, token),
                    Received::Batch { token, .. } => tokens.push(Some(token)),
                    other => panic!("{other:?}"),
                }
            }
            let all = tokens.len() == 3;
            for (at, answer) in answers.iter().filter(|_| all) {
                let Some(token) = tokens[*at].take() else { continue };
                session.reply(&mut out, token, *answer, AnswerNotes::default());
            }
            stream.write_all(&out).within("a write").await.unwrap();
        }
    };
    let told = Rc::new(RefCell::new(Vec::new()));
    let sink = async {
        let (sender, mut all_pending) = mpsc::unbounded_channel();
        (0..3).for_each(|n| assert!(sender.send(Note(n, batch(n..n + 1), told.clone())).is_ok()));
        let mut connection = Connection::open_over(&config, dial).within("the handshake").await.unwrap();
        let start = now();
        assert!(matches!(connection.run(&mut all_pending, || {}).await, End::Failed(_)));
        told.borrow_mut().push(format!("after {} s", (now() - start).as_secs()));
        drop(connection);
    };
    let _both = async { tokio::join!(peer, sink) }.within("the end of the connection").await;
    told.take()
}

const OURS: Hello = Hello { window: 16, window_bytes: 1 << 20 };

#[actix::test]
async fn answers_in_another_order_each_reach_their_own_call() {
    tokio::time::pause();
    let answers = [(2, Answer::Ok), (0, Answer::Ok), (1, Answer::Failed)];
    let told = three(ServerSession::new(OURS), &answers).await;
    assert!(told.iter().any(|line| line == "2 arrived") && told.iter().any(|line| line == "0 arrived"));
    let refused = told.iter().filter(|line| line.contains("refused 1 events")).collect::<Vec<_>>();
    assert!(refused.len() == 1 && refused[0].starts_with("1 "), "{told:?}");
}

#[actix::test]
async fn calls_without_an_answer_come_back_after_the_request_timeout_even_from_a_peer_that_answers_pings() {
    tokio::time::pause();
    for session in [ServerSession::flume(), ServerSession::new(OURS)] {
        let told = three(session, &[]).await;
        assert!(
            (0..3).all(|n| told[n].starts_with(&format!("{n} lost the connection to 127.0.0.1:"))),
            "{told:?}"
        );
        assert!(told[0].contains("answered nothing for 3000 ms") && told[3] == "after 3 s", "{told:?}");
    }
    // The first of those that went together is answered, the others are not.
    let told = three(ServerSession::new(OURS), &[(0, Answer::Ok)]).await;
    assert!(told[0] == "0 arrived" && told[1].starts_with("1 lost") && told[3] == "after 3 s", "{told:?}");
}
