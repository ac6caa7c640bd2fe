//! Files as people publish them, pointed at the test's own hosts, ports and folders.

use super::*;

case!(
    taildir_agent,
    Case {
        shows: "the lesson's agent moved to TAILDIR, with the file's name in a header",
        agent: "agent1",
        file: "#agent1 name
agent1.channels = c1
agent1.sources = r1
agent1.sinks = k1 k2
#
agent1.sinkgroups = g1
#
agent1.channels.c1.type = memory
agent1.channels.c1.capacity = 1000
agent1.channels.c1.transactionCapacity = 100
agent1.channels.c1.byteCapacity=800000
agent1.sources.r1.channels = c1
agent1.sources.r1.type = TAILDIR
agent1.sources.r1.positionFile = $DIR/flume_log/taildir_position.json
agent1.sources.r1.filegroups = f1
agent1.sources.r1.filegroups.f1 = $DIR/text/.*
agent1.sources.r1.fileHeader = true
#
agent1.sources.r1.interceptors = i1 i2
agent1.sources.r1.interceptors.i1.type = static
agent1.sources.r1.interceptors.i1.key = Type
agent1.sources.r1.interceptors.i1.value = LOGIN
agent1.sources.r1.interceptors.i2.type = timestamp
#
agent1.sinks.k1.channel = c1
agent1.sinks.k1.type = avro
agent1.sinks.k1.hostname = 127.0.0.1
agent1.sinks.k1.port = $SINK1
#
agent1.sinks.k2.channel = c1
agent1.sinks.k2.type = avro
agent1.sinks.k2.hostname = 127.0.0.1
agent1.sinks.k2.port = $SINK2
#
agent1.sinkgroups.g1.sinks = k1 k2
agent1.sinkgroups.g1.processor.type = failover
agent1.sinkgroups.g1.processor.priority.k1 = 10
agent1.sinkgroups.g1.processor.priority.k2 = 1
agent1.sinkgroups.g1.processor.maxpenalty = 10000
",
        before: &[("text/one.log", "first\nsecond\n")],
        steps: &[Until(Sink(1, 2)), Append { file: "text/one.log", text: "third\n" }],
        done: &[Sink(1, 3)],
        differs: Some(Differs {
            why: "headers go out in the order in which they were set; a receiver puts them into a map",
            steps: &[Until(Sink(1, 2)), Append { file: "text/one.log", text: "third\n" }],
            done: &[Sink(1, 3)],
        }),
        ..EMPTY
    }
);

case!(
    first_flume,
    Case {
        shows: "the user guide's first file: netcat to logger",
        file: "# example.conf: A single-node Flume configuration
a1.sources = r1
a1.sinks = k1
a1.channels = c1
a1.sources.r1.type = netcat
a1.sources.r1.bind = localhost
a1.sources.r1.port = $PORT1
a1.sinks.k1.type = logger
a1.channels.c1.type = memory
a1.channels.c1.capacity = 1000
a1.channels.c1.transactionCapacity = 100
a1.sources.r1.channels = c1
a1.sinks.k1.channel = c1
",
        steps: &[Send { port: 1, bytes: b"Hello world!\r\nsecond\n" }],
        done: &[Console(2)],
        ..EMPTY
    }
);

case!(
    prose_in_the_file,
    Case {
        shows: "sentences and shell lines left in a file are keys of no agent, and do no harm",
        file: " A first example 2.1  follow one growing file and print it on the console
name of the file: exec-flume-logger.conf

#Named
a1.sources = r1
a1.channels = c1
a1.sinks = k1 

#Source
a1.sources.r1.type = exec 
a1.sources.r1.command = tail -f $DIR/tail.txt

#Channel
a1.channels.c1.type = memory
a1.channels.c1.capacity = 10000
a1.channels.c1.transactionCapacity = 100

#Sink
a1.sinks.k1.type = logger

#Bind
a1.sources.r1.channels = c1 
a1.sinks.k1.channel = c1 


start: flume-ng agent -c  $FLUME_HOME/conf  -f  $FLUME_HOME/jobs/exec-flume-logger.conf -n a1
bin/flume-ng agent -c conf -f conf/exec-avro.conf -n agent1 -Dflume.root.logger=INFO,console
",
        before: &[("tail.txt", "one\ntwo\n")],
        done: &[Console(2)],
        ..EMPTY
    }
);

case!(
    carriage_returns_in_the_file,
    Case {
        shows: "a file with CRLF line ends, dashes in every name, netcat to avro",
        agent: "netcat-memory-avro",
        file: "netcat-memory-avro.sources = netcat-source\r
netcat-memory-avro.sinks = avro-sink\r
netcat-memory-avro.channels = memory-channel\r
\r
netcat-memory-avro.sources.netcat-source.type = netcat\r
netcat-memory-avro.sources.netcat-source.bind = localhost\r
netcat-memory-avro.sources.netcat-source.port = $PORT1\r
\r
netcat-memory-avro.sinks.avro-sink.type = avro\r
netcat-memory-avro.sinks.avro-sink.hostname = localhost\r
netcat-memory-avro.sinks.avro-sink.port = $SINK1\r
\r
netcat-memory-avro.channels.memory-channel.type = memory\r
\r
netcat-memory-avro.sources.netcat-source.channels = memory-channel\r
netcat-memory-avro.sinks.avro-sink.channel = memory-channel\r
",
        steps: &[Send { port: 1, bytes: b"over the hop\n\nlast\n" }],
        done: &[Sink(1, 3)],
        ..EMPTY
    }
);

case!(
    a_mistyped_agent_name,
    Case {
        shows: "one key under a mistyped agent name: the source lacks it, is removed, and the rest runs idle",
        agent: "avro-memory-logger",
        file: "avro-memory-logger.sources = avro-source
avro-memory-logger.sinks = logger-sink
avro-memory-logger.channels = memory-channel

avro-memory-logger.sources.avro-source.type = avro
avro-memory-loggero.sources.avro-source.bind = 127.0.0.1
avro-memory-logger.sources.avro-source.port = $PORT1

avro-memory-logger.sinks.logger-sink.type = logger

avro-memory-logger.channels.memory-channel.type = memory

avro-memory-logger.sources.avro-source.channels = memory-channel
avro-memory-logger.sinks.logger-sink.channel = memory-channel
",
        steps: &[Until(Says("Source avro-source has been removed due to an error")), Listens(1)],
        differs: REFUSED,
        ..EMPTY
    }
);

case!(
    three_agents_in_one_file,
    Case {
        shows: "a file with several agents runs only the one that is named",
        agent: "a2",
        file: "Flume1 watches a port and hands what comes to Flume2 or Flume3

flume1.conf 
a1.sources = r1
a1.channels = c1
a1.sinks = k1 k2
a1.sources.r1.type = netcat
a1.sources.r1.bind = localhost
a1.sources.r1.port = $PORT2
a1.sources.r1.selector.type = replicating
a1.channels.c1.type = memory
a1.sinks.k1.type = avro
a1.sinks.k1.hostname = localhost
a1.sinks.k1.port = $PORT1
a1.sinks.k2.type = avro
a1.sinks.k2.hostname = localhost
a1.sinks.k2.port = $PORT3
a1.sinkgroups = g1
a1.sinkgroups.g1.sinks = k1 k2
a1.sinkgroups.g1.processor.type = load_balance
a1.sinkgroups.g1.processor.selector = random 
a1.sources.r1.channels = c1
a1.sinks.k1.channel = c1 
a1.sinks.k2.channel = c1

flume2.conf
a2.sources = r1
a2.channels = c1
a2.sinks = k1 
a2.sources.r1.type = avro
a2.sources.r1.bind = localhost
a2.sources.r1.port = $PORT1
a2.channels.c1.type = memory
a2.channels.c1.capacity = 10000
a2.channels.c1.transactionCapacity = 100
a2.sinks.k1.type = logger
a2.sources.r1.channels = c1 
a2.sinks.k1.channel = c1 

flume3.conf 
a3.sources = r1
a3.channels = c1
a3.sinks = k1 
a3.sources.r1.type = avro
a3.sources.r1.bind = localhost
a3.sources.r1.port = $PORT3
a3.channels.c1.type = memory
a3.sinks.k1.type = logger
a3.sources.r1.channels = c1 
a3.sinks.k1.channel = c1 
",
        steps: &[
            Avro { port: 1, calls: &[&[(&[("a", "1")], "for the second")]] },
            Until(Console(1)),
            Listens(2),
            Listens(3),
        ],
        ..EMPTY
    }
);

case!(
    two_groups_one_is_run,
    Case {
        shows: "of two groups only the listed one is built; both its sinks lead to the same collector",
        agent: "web1",
        file: "web1.channels.ch1.type = memory\r
web1.channels.ch1.capacity=500000\r
web1.channels.ch1.transactionCapacity=5000\r
\r
web1.sources.tail1.channels=ch1\r
web1.sources.tail1.type=exec\r
#web1.sources.tail1.command=tail -n +0 -F /usr/local/serverlog/serverlog\r
web1.sources.tail1.command=tail -F $DIR/serverlog\r
web1.sources.tail1.interceptors = ts\r
web1.sources.tail1.restart=true\r
web1.sources.tail1.interceptors.ts.type = timestamp\r
\r
web1.sinks.avro_main.type = avro\r
web1.sinks.avro_main.hostname = 127.0.0.1\r
web1.sinks.avro_main.port = $SINK1\r
web1.sinks.avro_main.channel= ch1\r
web1.sinks.avro_main.batchsize =5000\r
web1.sinks.avro_backup.type = avro\r
web1.sinks.avro_backup.hostname = 127.0.0.1\r
web1.sinks.avro_backup.port = $SINK1\r
web1.sinks.avro_backup.channel = ch1\r
web1.sinks.avro_backup.batchsize = 5000\r
\r
web1.sinkgroups.app1_group.sinks=avro_main avro_backup\r
web1.sinkgroups.app1_group.processor.type= failover\r
web1.sinkgroups.app1_group.processor.priority.avro_main = 5\r
web1.sinkgroups.app1_group.processor.priority.avro_backup = 10\r
\r
web1.sinkgroups.app2_group.sinks=avro_main avro_backup\r
web1.sinkgroups.app2_group.processor.type = load_balance\r
web1.sinkgroups.app2_group.processor.selector = ROUND_ROBIN\r
\r
web1.channels = ch1\r
web1.sources = tail1\r
web1.sinkgroups = app2_group\r
web1.sinks = avro_main avro_backup\r
                                   ",
        before: &[("serverlog", "one\ntwo\nthree\n")],
        steps: &[Until(Sink(1, 3)), Append { file: "serverlog", text: "four\n" }],
        done: &[Sink(1, 4)],
        ..EMPTY
    }
);

case!(
    comments_behind_a_number,
    Case {
        shows: "a comment behind a boolean makes it false, behind a number it removes the group and stops its sinks",
        agent: "agent1",
        file: "agent1.channels = c1
agent1.sources = r1
agent1.sinks = k1 k2
agent1.sinkgroups = g1
agent1.channels.c1.type = memory
agent1.channels.c1.capacity = 1000
agent1.channels.c1.transactionCapacity = 100
agent1.sources.r1.channels = c1
agent1.sources.r1.type = exec
agent1.sources.r1.command = tail -F $DIR/123.log
agent1.sinks.k1.channel = c1
agent1.sinks.k1.type = avro
agent1.sinks.k1.hostname = 127.0.0.1
agent1.sinks.k1.port = $SINK1
agent1.sinks.k2.channel = c1
agent1.sinks.k2.type = avro
agent1.sinks.k2.hostname = 127.0.0.1
agent1.sinks.k2.port = $SINK1
agent1.sinkgroups.g1.sinks = k1 k2
agent1.sinkgroups.g1.processor.type = load_balance
agent1.sinkgroups.g1.processor.backoff = true  #a failed sink rests
# round_robin, or random
agent1.sinkgroups.g1.processor.selector = round_robin 
agent1.sinkgroups.g1.processor.selector.maxTimeOut=10000 #how long it rests at most
",
        before: &[("123.log", "one\n")],
        done: &[Says("SinkGroup g1 has been removed")],
        settle_ms: 2_000,
        differs: Some(Differs { why: COMMENT, steps: &[], done: &[Sink(1, 1)] }),
        ..EMPTY
    }
);

case!(
    failover_into_two_folders,
    Case {
        shows: "a failover group of file_roll sinks: the one with the larger priority gets all",
        file: "a1.sources = r1
a1.sinks = k1 k2
a1.sinkgroups = g1
a1.channels = c1
a1.sources.r1.type = exec
a1.sources.r1.command = tail -F $DIR/test.txt
a1.sinks.k1.type = file_roll
a1.sinks.k1.sink.directory = $DIR/file_roll-01
a1.sinks.k1.sink.rollInterval = 10
a1.sinks.k2.type = file_roll
a1.sinks.k2.sink.directory = $DIR/file_roll-02
a1.sinks.k2.sink.rollInterval = 10
a1.sinkgroups.g1.processor.type = failover
a1.sinkgroups.g1.sinks = k1 k2
a1.sinkgroups.g1.processor.priority.k1 = 20
a1.sinkgroups.g1.processor.priority.k2 = 10
a1.sinkgroups.g1.processor.maxpenalty = 10000
a1.channels.c1.type = memory
a1.channels.c1.capacity = 1000
a1.channels.c1.transactionCapacity = 1000
a1.sources.r1.channels = c1
a1.sinks.k1.channel = c1
a1.sinks.k2.channel = c1
",
        before: &[("test.txt", "one\ntwo\n"), ("file_roll-01/", ""), ("file_roll-02/", "")],
        done: &[Lines("file_roll-01", 2)],
        folders: &["file_roll-01", "file_roll-02"],
        ..EMPTY
    }
);

case!(
    taildir_to_logger_beside_another_agent,
    Case {
        shows: "the first of two agents of a file, TAILDIR on one file, no position file given",
        agent: "ag1",
        file: "# Define a memory channel called ch1 on agent1
ag1.sources = log-1
ag1.sinks = sink-1
ag1.channels = channel-1

# ag1.sources.log-1.type = exec
# ag1.sources.log-1.command = tail -F /var/log/profiles.log
ag1.sources.log-1.type = TAILDIR
ag1.sources.log-1.filegroups = f1
ag1.sources.log-1.filegroups.f1 = $DIR/profiles.log

# ag1.sinks.sink-1.hdfs.path = hdfs://namenode:8020/flume/webdata
ag1.sinks.sink-1.type = logger
ag1.channels.channel-1.type = memory
ag1.channels.channel-1.capacity = 1000
ag1.channels.channel-1.transactionCapacity = 100
ag1.sinks.sink-1.channel = channel-1
ag1.sources.log-1.channels = channel-1

ag2.sources = r1
ag2.sinks = k1
ag2.channels = c1
ag2.sources.r1.type = netcat
ag2.sources.r1.bind = localhost
ag2.sources.r1.port = $PORT1
ag2.sinks.k1.type = logger
ag2.channels.c1.type = memory
ag2.sources.r1.channels = c1
ag2.sinks.k1.channel = c1",
        before: &[("profiles.log", "one\r\ntwo\n\nfour, and no end")],
        done: &[Console(3)],
        settle_ms: 1_500,
        ..EMPTY
    }
);
