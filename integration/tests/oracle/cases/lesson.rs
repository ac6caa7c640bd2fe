//! The files of the lesson.

use super::*;

/// The agent of the lesson.
pub(crate) const SEED_AGENT: &str = "#agent1 name
agent1.channels = c1
agent1.sources = r1
agent1.sinks = k1 k2
#set gruop
agent1.sinkgroups = g1
#set channel
agent1.channels.c1.type = memory
agent1.channels.c1.capacity = 1000
agent1.channels.c1.transactionCapacity = 100
agent1.sources.r1.channels = c1
agent1.sources.r1.type = exec
agent1.sources.r1.command = tail -F $DIR/test.log
agent1.sources.r1.interceptors = i1 i2
agent1.sources.r1.interceptors.i1.type = static
agent1.sources.r1.interceptors.i1.key = Type
agent1.sources.r1.interceptors.i1.value = LOGIN
agent1.sources.r1.interceptors.i2.type = timestamp
# set sink1
agent1.sinks.k1.channel = c1
agent1.sinks.k1.type = avro
agent1.sinks.k1.hostname = 127.0.0.1
agent1.sinks.k1.port = $SINK1
# set sink2
agent1.sinks.k2.channel = c1
agent1.sinks.k2.type = avro
agent1.sinks.k2.hostname = 127.0.0.1
agent1.sinks.k2.port = $SINK2
#set sink group
agent1.sinkgroups.g1.sinks = k1 k2
#set failover
agent1.sinkgroups.g1.processor.type = failover
agent1.sinkgroups.g1.processor.priority.k1 = 10
agent1.sinkgroups.g1.processor.priority.k2 = 1
agent1.sinkgroups.g1.processor.maxpenalty = 10000
";

case!(
    the_lessons_drill,
    Case {
        shows: "the lesson: one collector, then the other, and back to the first once it rests no more",
        agent: "agent1",
        file: SEED_AGENT,
        before: &[("test.log", "")],
        steps: &[
            Append { file: "test.log", text: "hello failover\n" },
            Until(Sink(1, 1)),
            Down(1),
            Append { file: "test.log", text: "hello failover1\n" },
            Until(Sink(2, 1)),
            Up(1),
            Pass(12_000), // it may have been found dead again just before, and rests ten seconds at most then (`maxpenalty`)
            Append { file: "test.log", text: "hello again\n" },
        ],
        done: &[Sink(1, 2)],
        ..EMPTY
    }
);

case!(
    the_lessons_collector,
    Case {
        shows: "the lesson's console: Collector, Type, timestamp in this order, the body in hexadecimal and as text",
        file: "#set Agent name
a1.sources = r1
a1.channels = c1
a1.sinks = k1
#set channel
a1.channels.c1.type = memory
a1.channels.c1.capacity = 1000
a1.channels.c1.transactionCapacity = 100
# other node,nna to nns
a1.sources.r1.type = avro
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = $PORT1
a1.sources.r1.interceptors = i1
a1.sources.r1.interceptors.i1.type = static
a1.sources.r1.interceptors.i1.key = Collector
a1.sources.r1.interceptors.i1.value = slave3.hanli.com
a1.sources.r1.channels = c1
#set sink to hdfs
a1.sinks.k1.type=logger
a1.sinks.k1.channel=c1
",
        steps: &[Avro {
            port: 1,
            calls: &[
                &[(&[("Type", "LOGIN"), ("timestamp", "1542098088198")], "hello failover")],
                &[(&[("timestamp", "1542098475939"), ("Type", "LOGIN")], "hello failover1"), (&[], "")],
            ],
        }],
        done: &[Console(3)],
        ..EMPTY
    }
);

case!(
    the_lessons_collector_as_printed,
    Case {
        shows: "the lesson's collector file as printed, with its comments behind two values",
        file: "#set Agent name
a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.channels.c1.type = memory
a1.channels.c1.capacity = 1000
a1.channels.c1.transactionCapacity = 100
a1.sources.r1.type = avro
a1.sources.r1.bind = 127.0.0.1   #\u{6b64}\u{5904}\u{4fee}\u{6539}
a1.sources.r1.port = $PORT1
a1.sources.r1.interceptors = i1
a1.sources.r1.interceptors.i1.type = static
a1.sources.r1.interceptors.i1.key = Collector
a1.sources.r1.interceptors.i1.value = slave3.hanli.com  #\u{6b64}\u{5904}\u{4fee}\u{6539}
a1.sources.r1.channels = c1
a1.sinks.k1.type=logger
a1.sinks.k1.channel=c1
",
        steps: &[Until(Says("Unable to start EventDrivenSourceRunner")), Listens(1)],
        differs: Some(Differs { why: COMMENT, steps: &[Opens(1)], done: &[] }),
        ..EMPTY
    }
);
