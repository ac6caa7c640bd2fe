//! Groups of sinks.

use super::*;

/// A netcat source and two Avro sinks; lines of the group follow.
macro_rules! pair {
    ($group:literal) => {
        concat!(
            "a1.sources = r1
a1.channels = c1
a1.sinks = k1 k2
a1.sinkgroups = g1
a1.sinkgroups.g1.sinks = k1 k2
a1.channels.c1.type = memory
a1.sources.r1.type = netcat
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = $PORT1
a1.sources.r1.channels = c1
a1.sinks.k1.type = avro
a1.sinks.k1.hostname = 127.0.0.1
a1.sinks.k1.port = $SINK1
a1.sinks.k1.channel = c1
a1.sinks.k2.type = avro
a1.sinks.k2.hostname = 127.0.0.1
a1.sinks.k2.port = $SINK2
a1.sinks.k2.channel = c1
",
            $group
        )
    };
}

case!(
    failover_when_refused,
    Case {
        shows: "FAILED moves the batch to the next sink at once, in the same order, and nothing comes twice",
        file: pair!(
            "a1.sinkgroups.g1.processor.type = failover
a1.sinkgroups.g1.processor.priority.k1 = 5
a1.sinkgroups.g1.processor.priority.k2 = 10
a1.sinkgroups.g1.processor.maxpenalty = 10000
"
        ),
        steps: &[
            Send { port: 1, bytes: b"one\n" },
            Until(Sink(2, 1)),
            Answers(2, &[1]),
            Send { port: 1, bytes: b"two\nthree\n" },
        ],
        done: &[Sink(1, 2)],
        settle_ms: 4_500,
        ..EMPTY
    }
);

case!(
    failover_with_one_down_from_the_start,
    Case {
        shows: "the primary is down when the agent starts: the second has it all",
        file: pair!(
            "a1.sinkgroups.g1.processor.type = failover
a1.sinkgroups.g1.processor.priority.k1 = 10
a1.sinkgroups.g1.processor.priority.k2 = 5
"
        ),
        steps: &[Down(1), Send { port: 1, bytes: b"one\ntwo\n" }],
        done: &[Sink(2, 2)],
        ..EMPTY
    }
);

case!(
    a_comment_behind_a_priority,
    Case {
        shows: "a comment behind the primary's priority: the standby becomes the primary",
        file: pair!(
            "a1.sinkgroups.g1.processor.type = failover
a1.sinkgroups.g1.processor.priority.k1 = 10   # the primary
a1.sinkgroups.g1.processor.priority.k2 = 1
"
        ),
        steps: &[Send { port: 1, bytes: b"one\n" }, Until(Sink(2, 1))],
        differs: Some(Differs {
            why: COMMENT,
            steps: &[Send { port: 1, bytes: b"one\n" }],
            done: &[Sink(1, 1)],
        }),
        ..EMPTY
    }
);

case!(
    both_down_and_up_again,
    Case {
        shows: "with the whole group down events wait in the channel; one comes up and has them in order",
        file: pair!(
            "a1.sinkgroups.g1.processor.type = failover
a1.sinkgroups.g1.processor.priority.k1 = 10
a1.sinkgroups.g1.processor.priority.k2 = 5
a1.sinkgroups.g1.processor.maxpenalty = 2000
"
        ),
        steps: &[Down(1), Down(2), Send { port: 1, bytes: b"one\ntwo\nthree\n" }, Pass(1_000), Up(2),],
        done: &[Sink(2, 3)],
        ..EMPTY
    }
);

case!(
    load_balance_with_one_down,
    Case {
        shows: "load_balance with back-off: all goes to the one that is up",
        file: pair!(
            "a1.sinkgroups.g1.processor.type = load_balance
a1.sinkgroups.g1.processor.backoff = true
a1.sinkgroups.g1.processor.selector = round_robin
a1.sinkgroups.g1.processor.selector.maxTimeOut = 10000
"
        ),
        steps: &[
            Down(1),
            Send { port: 1, bytes: b"one\ntwo\n" },
            Until(Sink(2, 2)),
            Send { port: 1, bytes: b"three\n" }
        ],
        done: &[Sink(2, 3)],
        ..EMPTY
    }
);

case!(
    load_balance_at_random,
    Case {
        shows: "load_balance at random, without back-off: the one that is up has it all",
        file: pair!(
            "a1.sinkgroups.g1.processor.type = load_balance
a1.sinkgroups.g1.processor.selector = random
"
        ),
        steps: &[Down(2), Send { port: 1, bytes: b"one\ntwo\n" }],
        done: &[Sink(1, 2)],
        ..EMPTY
    }
);

case!(
    a_group_without_a_type,
    Case {
        shows: "a group without processor.type is removed, and its sinks never run",
        file: "a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.sinkgroups = g1
a1.sinkgroups.g1.sinks = k1
a1.channels.c1.type = memory
a1.sources.r1.type = netcat
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = $PORT1
a1.sources.r1.channels = c1
a1.sinks.k1.type = logger
a1.sinks.k1.channel = c1
",
        steps: &[Send { port: 1, bytes: b"one\n" }],
        settle_ms: 2_000,
        differs: Some(Differs {
            why: "the user guide's default, a group of one, is built, with a warning",
            steps: &[Send { port: 1, bytes: b"one\n" }],
            done: &[Console(1)],
        }),
        ..EMPTY
    }
);

case!(
    a_group_of_one,
    Case {
        shows: "a failover group of a single sink",
        agent: "agent1",
        file: "# flume-client.properties: Agent1 Flume configuration
agent1.sources = r1
agent1.sinks = k1
agent1.channels = c1
agent1.sinkgroups = g1
agent1.channels.c1.type = memory
agent1.channels.c1.capacity = 1000
agent1.channels.c1.transactionCapacity = 100
agent1.sources.r1.channels = c1
agent1.sources.r1.type = netcat
agent1.sources.r1.bind = localhost
agent1.sources.r1.port = $PORT1
agent1.sources.r1.interceptors = i1
agent1.sources.r1.interceptors.i1.type = static
agent1.sources.r1.interceptors.i1.key = Type
agent1.sources.r1.interceptors.i1.value = LOGIN
agent1.sinks.k1.channel = c1
agent1.sinks.k1.type = logger
agent1.sinkgroups.g1.sinks = k1
agent1.sinkgroups.g1.processor.type = failover
agent1.sinkgroups.g1.processor.priority.k1 = 10
agent1.sinkgroups.g1.processor.maxpenalty = 10000
",
        steps: &[Send { port: 1, bytes: b"one\n" }],
        done: &[Console(1)],
        ..EMPTY
    }
);
