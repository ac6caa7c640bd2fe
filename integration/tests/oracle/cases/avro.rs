//! What an Avro source makes of its input.

use super::*;

case!(
    avro_headers_in_javas_order,
    Case {
        shows: "headers print in the order of the map that an Avro source makes, whatever their order on the wire",
        file: "a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.channels.c1.type = memory
a1.sources.r1.type = avro
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = $PORT1
a1.sources.r1.channels = c1
a1.sinks.k1.type = logger
a1.sinks.k1.channel = c1
",
        steps: &[Avro {
            port: 1,
            calls: &[
                &[
                    (&[("Type", "LOGIN"), ("Collector", "x"), ("timestamp", "1542098088198")], "three"),
                    (
                        &[("timestamp", "1542098088198"), ("Type", "LOGIN"), ("Collector", "x")],
                        "three, turned"
                    ),
                    (
                        &[("a", "1"), ("b", "2"), ("c", "3"), ("d", "4"), ("e", "5"), ("f", "6"), ("g", "7")],
                        "seven"
                    ),
                    (
                        &[("\u{e9}", "1"), ("\u{4f60}\u{597d}", "2"), ("", "empty key"), ("empty value", "")],
                        "odd"
                    ),
                    (&[("same", "1"), ("same", "2"), ("other", "3")], "twice"),
                ],
                &[],
                &[(
                    &[
                        ("host", "1"),
                        ("file", "2"),
                        ("basename", "3"),
                        ("topic", "4"),
                        ("key", "5"),
                        ("partition", "6"),
                        ("offset", "7"),
                        ("Severity", "8"),
                        ("Facility", "9"),
                        ("flume.client.log4j.timestamp", "10"),
                        ("flume.client.log4j.logger.name", "11"),
                        ("id", "12"),
                        ("env", "13"),
                        ("region", "14"),
                    ],
                    "fourteen",
                )],
            ],
        }],
        done: &[Console(6)],
        ..EMPTY
    }
);

case!(
    avro_more_than_the_channel_takes,
    Case {
        shows: "a batch larger than transactionCapacity is FAILED as a whole, the next one is taken",
        file: "a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.channels.c1.type = memory
a1.channels.c1.capacity = 10
a1.channels.c1.transactionCapacity = 2
a1.sources.r1.type = avro
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = $PORT1
a1.sources.r1.channels = c1
a1.sinks.k1.type = logger
a1.sinks.k1.channel = c1
",
        steps: &[Avro {
            port: 1,
            calls: &[&[(&[], "one"), (&[], "two"), (&[], "three")], &[(&[], "four"), (&[], "five")]],
        }],
        done: &[Console(2)],
        ..EMPTY
    }
);

case!(
    avro_from_here_to_here,
    Case {
        shows: "netcat, an Avro hop, logger: in one agent, so that both ends are of one kind",
        file: "a1.sources = r1 r2
a1.channels = c1 c2
a1.sinks = k1 k2
a1.channels.c1.type = memory
a1.channels.c2.type = memory
a1.sources.r1.type = netcat
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = $PORT1
a1.sources.r1.channels = c1
a1.sources.r1.interceptors = i1 i2
a1.sources.r1.interceptors.i1.type = static
a1.sources.r1.interceptors.i1.key = Type
a1.sources.r1.interceptors.i1.value = LOGIN
a1.sources.r1.interceptors.i2.type = timestamp
a1.sinks.k1.type = avro
a1.sinks.k1.hostname = 127.0.0.1
a1.sinks.k1.port = $PORT2
a1.sinks.k1.batch-size = 2
a1.sinks.k1.channel = c1
a1.sources.r2.type = avro
a1.sources.r2.bind = 127.0.0.1
a1.sources.r2.port = $PORT2
a1.sources.r2.interceptors = i1
a1.sources.r2.interceptors.i1.type = static
a1.sources.r2.interceptors.i1.key = Collector
a1.sources.r2.interceptors.i1.value = slave3.hanli.com
a1.sources.r2.channels = c2
a1.sinks.k2.type = logger
a1.sinks.k2.channel = c2
",
        steps: &[Send { port: 1, bytes: b"one\ntwo\nthree\n" }],
        done: &[Console(3)],
        ..EMPTY
    }
);

case!(
    avro_from_here_to_here_compressed,
    Case {
        shows: "netcat, an Avro hop that compresses, logger: in one agent, so that both ends are of one kind",
        file: "a1.sources = r1 r2
a1.channels = c1 c2
a1.sinks = k1 k2
a1.channels.c1.type = memory
a1.channels.c2.type = memory
a1.sources.r1.type = netcat
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = $PORT1
a1.sources.r1.channels = c1
a1.sources.r1.interceptors = i1 i2
a1.sources.r1.interceptors.i1.type = static
a1.sources.r1.interceptors.i1.key = Type
a1.sources.r1.interceptors.i1.value = LOGIN
a1.sources.r1.interceptors.i2.type = timestamp
a1.sinks.k1.type = avro
a1.sinks.k1.hostname = 127.0.0.1
a1.sinks.k1.port = $PORT2
a1.sinks.k1.compression-type = deflate
a1.sinks.k1.batch-size = 2
a1.sinks.k1.channel = c1
a1.sources.r2.type = avro
a1.sources.r2.bind = 127.0.0.1
a1.sources.r2.port = $PORT2
a1.sources.r2.compression-type = deflate
a1.sources.r2.interceptors = i1
a1.sources.r2.interceptors.i1.type = static
a1.sources.r2.interceptors.i1.key = Collector
a1.sources.r2.interceptors.i1.value = slave3.hanli.com
a1.sources.r2.channels = c2
a1.sinks.k2.type = logger
a1.sinks.k2.channel = c2
",
        steps: &[Send { port: 1, bytes: b"one\ntwo\nthree\n" }],
        done: &[Console(3)],
        ..EMPTY
    }
);
