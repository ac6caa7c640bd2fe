//! The components keep the promises of every source, sink and channel (`flow::compliance`), with a real broker behind a relay
//! that can be cut.

use super::*;
use flow::compliance::source::TOO_LARGE;
use flow::compliance::{ChannelBench, Pairs, SinkBench, SourceBench, channel, pairs, sink, source};
use flow::component::Component;
use futures_util::future::{LocalBoxFuture, join_all};
use plan::Kind;
use rdkafka::producer::{FutureProducer, FutureRecord};
use runtime::net::{TcpListener, TcpStream};
use std::cell::RefCell;
use std::future::ready;
use std::ops::Range;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::copy_bidirectional;
use tokio::task::{JoinSet, spawn_local};

/// A broker, and what carries bytes to it.
struct Lab {
    broker: Broker,
    relay: u16,
    /// The connections that the relay carries; none while it is cut.
    carried: Rc<RefCell<Option<JoinSet<()>>>>,
    admin: AdminClient<DefaultClientContext>,
}

impl Lab {
    async fn start() -> Lab {
        let listener = ports::listen().expect("a port");
        let relay = listener.local_addr().expect("its address").port();
        let (broker, behind) = Broker::behind(relay);
        let carried = Rc::<RefCell<Option<JoinSet<()>>>>::default();
        spawn_local(relay_to(behind, listener, carried.clone()));
        let admin = client(&broker).create().expect("a client");
        let lab = Lab { broker, relay, carried, admin };
        lab.carry(true);
        lab
    }

    /// Opens the relay or cuts it. It listens all the time: a port that is given up may be somebody else's when it is wanted
    /// again, if only for the moment in which a program is started that got it with the other open files.
    fn carry(&self, open: bool) {
        self.carried.replace(open.then(JoinSet::new));
    }

    /// A topic of its own for each test.
    async fn topic(&self) -> Topic<'_> {
        static TOPICS: AtomicUsize = AtomicUsize::new(0);
        self.carry(true);
        let name = format!("t{}", TOPICS.fetch_add(1, Ordering::Relaxed));
        let topic = NewTopic::new(&name, 1, TopicReplication::Fixed(1));
        let made = self.admin.create_topics(&[topic], &AdminOptions::new()).await.expect("an answer");
        assert!(made.iter().all(Result::is_ok), "{made:?}");
        let reader: BaseConsumer = client(&self.broker)
            .set("group.id", "reader")
            .set("enable.auto.commit", "false")
            .create()
            .expect("a client");
        let mut all = TopicPartitionList::new();
        all.add_partition_offset(&name, 0, Offset::Beginning).expect("a partition");
        reader.assign(&all).expect("an assignment");
        let producer = client(&self.broker).set("linger.ms", "0").create().expect("a client");
        Topic { lab: self, name, reader, arrived: RefCell::default(), producer }
    }
}

/// Carries each connection to the port, as long as it is to carry any.
async fn relay_to(behind: u16, listener: std::net::TcpListener, carried: Rc<RefCell<Option<JoinSet<()>>>>) {
    listener.set_nonblocking(true).expect("a listener");
    let listener = TcpListener::from_std(listener).expect("a listener");
    while let Ok((mut near, _)) = listener.accept().await {
        if let Some(connections) = &mut *carried.borrow_mut() {
            connections.spawn_local(async move {
                if let Ok(mut far) = TcpStream::connect(("127.0.0.1", behind)).await {
                    let _cut = copy_bidirectional(&mut near, &mut far).await;
                }
            });
        }
    }
}

/// What a test has of its own.
struct Topic<'l> {
    lab: &'l Lab,
    name: String,
    reader: BaseConsumer,
    arrived: RefCell<Vec<u64>>,
    producer: FutureProducer,
}

impl Topic<'_> {
    fn servers(&self) -> String {
        format!("127.0.0.1:{}", self.lab.relay)
    }

    /// Writes records, in this order.
    fn write(&self, bodies: Vec<Vec<u8>>) -> LocalBoxFuture<'static, ()> {
        let (producer, topic) = (self.producer.clone(), self.name.clone());
        Box::pin(async move {
            let sent = bodies.iter().map(|body| {
                let record = FutureRecord::<(), _>::to(&topic).payload(body);
                producer.send_result(record).map_err(|(error, _)| error).expect("room")
            });
            for sent in join_all(sent).await {
                sent.expect("an answer").expect("it is taken");
            }
        })
    }
}

impl SinkBench for Topic<'_> {
    fn properties(&self) -> Pairs {
        pairs([
            ("kafka.bootstrap.servers", self.servers()),
            ("kafka.topic", self.name.clone()),
            ("kafka.producer.delivery.timeout.ms", "5000".to_owned()),
        ])
    }

    fn arrived(&self) -> Option<Vec<u64>> {
        let mut arrived = self.arrived.borrow_mut();
        while let Some(Ok(record)) = self.reader.poll(Duration::ZERO) {
            arrived.push(text(record.payload().unwrap_or_default()).parse().expect("a number"));
        }
        Some(arrived.clone())
    }

    fn set_whole(&self, whole: bool) -> LocalBoxFuture<'_, Result<(), &'static str>> {
        self.lab.carry(whole);
        Box::pin(ready(Ok(())))
    }

    fn set_refusing(&self, _: bool) -> LocalBoxFuture<'_, Result<(), &'static str>> {
        Box::pin(ready(Err("each event is taken or refused for itself: sink.rs has brokers that refuse")))
    }
}

impl SourceBench for Topic<'_> {
    fn properties(&self, _: u64) -> Pairs {
        pairs([
            ("kafka.bootstrap.servers", self.servers()),
            ("kafka.topics", self.name.clone()),
            ("kafka.consumer.group.id", self.name.clone()),
            ("kafka.consumer.auto.offset.reset", "earliest".to_owned()),
            ("batchSize", BATCH.to_string()),
        ])
    }

    fn feed(&self, numbers: Range<u64>) -> LocalBoxFuture<'static, ()> {
        self.write(numbers.map(|number| number.to_string().into_bytes()).collect())
    }

    fn feed_too_large(&self) -> Option<LocalBoxFuture<'static, ()>> {
        Some(self.write(vec![vec![b'x'; TOO_LARGE]]))
    }

    fn stops_at_too_large(&self) -> Option<&'static str> {
        Some("its offset is not committed: it is tried until the channel takes it")
    }

    fn under_way(&self) -> usize {
        BATCH
    }
}

impl ChannelBench for Topic<'_> {
    fn properties(&self, _: usize, _: usize, _: u64) -> Pairs {
        pairs([
            ("kafka.bootstrap.servers", self.servers()),
            ("kafka.topic", self.name.clone()),
            ("kafka.consumer.group.id", self.name.clone()),
        ])
    }

    fn fills(&self) -> Result<(), &'static str> {
        Err("Kafka holds what is put")
    }

    fn bounds_transactions(&self) -> Result<(), &'static str> {
        Err("Flume bounds none of this channel")
    }
}

fn component(families: &[&[&'static Component]], kind: Kind, alias: &str) -> &'static Component {
    let mut all = families.iter().flat_map(|family| family.iter().copied());
    let is_it = |known: &&Component| known.descriptor.kind == kind && known.descriptor.names.alias == alias;
    all.find(is_it).expect("there is one")
}

fn memory() -> &'static Component {
    component(components::COMPONENTS, Kind::Channel, "memory")
}

#[actix::test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
async fn the_sink_keeps_the_promises_of_every_sink() {
    let lab = Lab::start().await;
    let sink = component(kafka::COMPONENTS, Kind::Sink, "");
    flow::comply! { sink in turn sink::Suite { sink, channel: memory(), bench: lab.topic().await } }
}

#[actix::test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
async fn the_source_keeps_the_promises_of_every_source() {
    let lab = Lab::start().await;
    let source = component(kafka::COMPONENTS, Kind::Source, "");
    flow::comply! { source in turn source::Suite { source, channel: memory(), bench: lab.topic().await } }
}

#[actix::test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
async fn the_channel_keeps_the_promises_of_every_channel() {
    let lab = Lab::start().await;
    let channel = component(kafka::COMPONENTS, Kind::Channel, "");
    flow::comply! { channel in turn channel::Suite { channel, bench: lab.topic().await } }
}

/// `batchSize`
const BATCH: usize = 10;
