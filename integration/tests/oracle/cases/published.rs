//! More files as people publish them: agents with one thing each, and the nodes of clusters of two and three hops.

use super::*;

case!(
    a_byte_order_mark,
    Case {
        shows: "an editor's byte order mark before the first comment",
        agent: "agent1",
        file: "\u{feff}#agent1 name
agent1.channels = c1
agent1.sources = r1
agent1.sinks = k1
agent1.channels.c1.type = memory
agent1.channels.c1.capacity = 1000
agent1.channels.c1.transactionCapacity = 100
agent1.sources.r1.channels = c1
agent1.sources.r1.type = exec
agent1.sources.r1.command = tail -n +1 -F $DIR/test.log
agent1.sinks.k1.channel = c1
agent1.sinks.k1.type = avro
agent1.sinks.k1.hostname = 127.0.0.1
agent1.sinks.k1.port = $SINK1
",
        before: &[("test.log", "one\ntwo\n")],
        done: &[Sink(1, 2)],
        ..EMPTY
    }
);

case!(
    a_shell_that_finds_the_files,
    Case {
        shows: "exec with a shell that expands *.log, names with dashes, blanks left out around =, a memory channel without numbers",
        agent: "exec-memory-avro",
        file: "exec-memory-avro.sources = exec-source
exec-memory-avro.sinks = avro-sink
exec-memory-avro.channels = memory-channel
exec-memory-avro.sources.exec-source.type = exec
exec-memory-avro.sources.exec-source.command = tail -q -n +1 -F $DIR/logger/*.log
exec-memory-avro.sources.exec-source.shell=/bin/sh -c
exec-memory-avro.sinks.avro-sink.type = avro
exec-memory-avro.sinks.avro-sink.hostname =127.0.0.1
exec-memory-avro.sinks.avro-sink.port = $SINK1
exec-memory-avro.channels.memory-channel.type = memory
exec-memory-avro.sources.exec-source.channels = memory-channel
exec-memory-avro.sinks.avro-sink.channel = memory-channel
",
        before: &[("logger/a.log", "one\n"), ("logger/b.log", "two\n"), ("logger/c.txt", "not this\n")],
        done: &[Sink(1, 2)],
        ..EMPTY
    }
);

case!(
    one_file_for_two_collectors,
    Case {
        shows: "TAILDIR by a pattern, replicated into two channels, each with its own collector; trailing blanks in lists",
        file: "a1.sources = r1
a1.channels = c1 c2
a1.sinks = k1 k2
a1.sources.r1.type = TAILDIR
a1.sources.r1.filegroups = f1
a1.sources.r1.filegroups.f1 = $DIR/taildir/.*\\\\.txt
a1.sources.r1.positionFile = $DIR/position/position.json
a1.sources.r1.selector.type = replicating
a1.channels.c1.type = memory
a1.channels.c1.capacity = 10000
a1.channels.c1.transactionCapacity = 100
a1.channels.c2.type = memory
a1.channels.c2.capacity = 10000
a1.channels.c2.transactionCapacity = 100
a1.sinks.k1.type = avro
a1.sinks.k1.hostname = 127.0.0.1
a1.sinks.k1.port = $SINK1
a1.sinks.k2.type = avro
a1.sinks.k2.hostname = 127.0.0.1
a1.sinks.k2.port = $SINK2
a1.sources.r1.channels = c1 c2  
a1.sinks.k1.channel = c1 
a1.sinks.k2.channel = c2 
",
        before: &[("taildir/a.txt", "one\ntwo\n"), ("taildir/b.log", "not this\n")],
        steps: &[Until(Sink(1, 2)), Until(Sink(2, 2)), Append { file: "taildir/a.txt", text: "three\n" }],
        done: &[Sink(1, 3), Sink(2, 3)],
        ..EMPTY
    }
);

case!(
    a_collector_that_keeps_files,
    Case {
        shows: "the third node of three: Avro into a folder, rolled as it comes",
        agent: "a3",
        file: "a3.sources = r1
a3.channels = c1
a3.sinks = k1 
a3.sources.r1.type = avro
a3.sources.r1.bind = 127.0.0.1
a3.sources.r1.port = $PORT1
a3.channels.c1.type = memory
a3.channels.c1.capacity = 10000
a3.channels.c1.transactionCapacity = 100
a3.sinks.k1.type = file_roll
a3.sinks.k1.sink.directory = $DIR/fileroll
a3.sources.r1.channels = c1 
a3.sinks.k1.channel = c1 
",
        before: &[("fileroll/", "")],
        steps: &[Avro { port: 1, calls: &[&[(&[("a", "b")], "one"), (&[], "two")], &[(&[], "three")]] }],
        done: &[Lines("fileroll", 3)],
        folders: &["fileroll"],
        ..EMPTY
    }
);

case!(
    the_second_sink_is_the_primary,
    Case {
        shows: "failover whose second sink has the larger priority, and no maxpenalty",
        file: "a1.sources = r1
a1.channels = c1
a1.sinks = k1 k2
a1.sources.r1.type = netcat
a1.sources.r1.bind = localhost
a1.sources.r1.port = $PORT1
a1.sources.r1.selector.type = replicating
a1.channels.c1.type = memory
a1.channels.c1.capacity = 10000
a1.channels.c1.transactionCapacity = 100
a1.sinks.k1.type = avro
a1.sinks.k1.hostname = localhost
a1.sinks.k1.port = $SINK1
a1.sinks.k2.type = avro
a1.sinks.k2.hostname = localhost
a1.sinks.k2.port = $SINK2
a1.sinkgroups = g1
a1.sinkgroups.g1.sinks = k1 k2
a1.sinkgroups.g1.processor.type = failover
a1.sinkgroups.g1.processor.priority.k1 = 5
a1.sinkgroups.g1.processor.priority.k2 = 10
a1.sources.r1.channels = c1
a1.sinks.k1.channel = c1 
a1.sinks.k2.channel = c1
",
        steps: &[
            Send { port: 1, bytes: b"one\n" },
            Until(Sink(2, 1)),
            Down(2),
            Send { port: 1, bytes: b"two\n" },
        ],
        done: &[Sink(1, 1)],
        ..EMPTY
    }
);

case!(
    netcat_to_the_next_node,
    Case {
        shows: "the first of two nodes: netcat to Avro, = without a blank before it, a port with a blank behind it",
        agent: "agent1",
        file: "agent1.sources = r1
agent1.sinks = k1
agent1.channels = c1
agent1.sources.r1.type = netcat
agent1.sources.r1.bind = localhost
agent1.sources.r1.port = $PORT1
agent1.sinks.k1.type = avro
agent1.sinks.k1.hostname= localhost
agent1.sinks.k1.port= $SINK1 
agent1.channels.c1.type = memory
agent1.channels.c1.capacity = 1000
agent1.channels.c1.transactionCapacity = 100
agent1.sources.r1.channels = c1
agent1.sinks.k1.channel = c1
",
        steps: &[Send { port: 1, bytes: b"one\ntwo\n" }],
        done: &[Sink(1, 2)],
        ..EMPTY
    }
);

case!(
    the_next_node_prints,
    Case {
        shows: "the second of two nodes: Avro on localhost to the console",
        agent: "agent2",
        file: "agent2.sources = r1
agent2.sinks = k1
agent2.channels = c1
agent2.sources.r1.type = avro
agent2.sources.r1.bind = localhost
agent2.sources.r1.port = $PORT1
agent2.sinks.k1.type = logger
agent2.channels.c1.type = memory
agent2.channels.c1.capacity = 1000
agent2.channels.c1.transactionCapacity = 100
agent2.sources.r1.channels = c1
agent2.sinks.k1.channel = c1
",
        steps: &[Avro { port: 1, calls: &[&[(&[], "one"), (&[("k", "v")], "two")]] }],
        done: &[Console(2)],
        ..EMPTY
    }
);

/// TAILDIR by a pattern to the console; lines of the source follow.
macro_rules! followed {
    ($more:literal) => {
        concat!(
            "a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.channels.c1.type = memory
a1.sources.r1.type = TAILDIR
a1.sources.r1.positionFile = $DIR/position.json
a1.sources.r1.filegroups = f1
a1.sources.r1.filegroups.f1 = $DIR/logs/.*log.*
a1.sources.r1.channels = c1
a1.sinks.k1.type = logger
a1.sinks.k1.channel = c1
",
            $more
        )
    };
}

case!(
    taildir_from_the_end,
    Case {
        shows: "skipToEnd: what a file holds at the start is not sent, what comes after is",
        file: followed!("a1.sources.r1.skipToEnd = true\n"),
        before: &[("logs/app.log", "before\n")],
        steps: &[
            Until(Says("name: r1 started")),
            Pass(1_500), // it is started some time before it looks
            Append { file: "logs/app.log", text: "after\n" },
        ],
        done: &[Console(1)],
        settle_ms: 1_500,
        ..EMPTY
    }
);

case!(
    taildir_renamed_within_the_pattern,
    Case {
        shows: "a file that is renamed and still matches",
        file: followed!(""),
        before: &[("logs/app.log", "one\n")],
        steps: &[Until(Console(1)), Pass(500), Rename { from: "logs/app.log", to: "logs/app.log.1" }],
        done: &[Console(2)],
        settle_ms: 1_500,
        differs: Some(Differs {
            why: "a file is known by its inode: one renamed within the pattern is not sent a second time",
            steps: &[Until(Console(1)), Pass(500), Rename { from: "logs/app.log", to: "logs/app.log.1" }],
            done: &[Console(1)],
        }),
        ..EMPTY
    }
);

case!(
    avro_from_whom_the_rules_let_in,
    Case {
        shows: "ipFilter: the first rule that fits decides",
        file: avro!(
            "a1.sources.r1.ipFilter = true\na1.sources.r1.ipFilterRules = allow:ip:127.*,deny:ip:*\n"
        ),
        steps: &[Avro { port: 1, calls: &[&[(&[], "one")]] }],
        done: &[Console(1)],
        ..EMPTY
    }
);

case!(
    avro_with_a_property_of_ours,
    Case {
        shows: "maxFrameBytes is ours; Flume does not mind it",
        file: avro!("a1.sources.r1.maxFrameBytes = 1000000\n"),
        steps: &[Avro { port: 1, calls: &[&[(&[], "one")]] }],
        done: &[Console(1)],
        ..EMPTY
    }
);
