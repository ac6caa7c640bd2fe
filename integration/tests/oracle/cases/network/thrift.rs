//! Thrift, and the clients of an Avro sink.

use super::*;

/// A netcat source `r0` whose lines go through sink `k0`, with these lines, to the source `r1`.
macro_rules! through {
    ($lines:literal) => {
        concat!(
            "a1.sources = r0 r1
a1.channels = c0 c1
a1.sinks = k0 k1
a1.channels.c0.type = memory
a1.channels.c1.type = memory
a1.sources.r0.type = netcat
a1.sources.r0.bind = 127.0.0.1
a1.sources.r0.port = $PORT1
a1.sources.r0.channels = c0
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = $PORT2
a1.sources.r1.channels = c1
a1.sinks.k0.channel = c0
a1.sinks.k1.type = file_roll
a1.sinks.k1.channel = c1
a1.sinks.k1.sink.directory = $DIR/out
a1.sinks.k1.sink.rollInterval = 0
a1.sinks.k1.sink.serializer = header_and_text
",
            $lines
        )
    };
}

case!(
    thrift_compact,
    Case {
        shows: "thrift takes a batch in the compact protocol and answers it",
        file: source!(
            "a1.sources.r1.type = thrift
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = $PORT1
"
        ),
        before: OUT,
        steps: &[
            Send { port: 1, bytes: b"\x00\x00\x00\x5e\x82\x21\x01\x0b\x61\x70\x70\x65\x6e\x64\x42\x61\x74\x63\x68\x19\x2c\x1b\x02\x88\
                \x04\x54\x79\x70\x65\x05\x4c\x4f\x47\x49\x4e\x09\x43\x6f\x6c\x6c\x65\x63\x74\x6f\x72\x05\x68\x6f\
                \x73\x74\x31\x18\x05\x68\x65\x6c\x6c\x6f\x00\x1b\x02\x88\x04\x54\x79\x70\x65\x05\x4c\x4f\x47\x49\
                \x4e\x09\x43\x6f\x6c\x6c\x65\x63\x74\x6f\x72\x05\x68\x6f\x73\x74\x31\x18\x05\x77\x6f\x72\x6c\x64\
                \x00\x00" },
            Send { port: 1, bytes: b"\x00\x00\x00\x11\x82\x21\x02\x06\x75\x70\x6c\x6f\x61\x64\x1c\x1b\x00\x18\x00\x00\x00" },
        ],
        done: &[Lines("out", 2)],
        folders: &["out"],
        ..EMPTY
    }
);

case!(
    thrift_binary,
    Case {
        shows: "the same in the binary protocol",
        file: source!(
            "a1.sources.r1.type = thrift
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = $PORT1
a1.sources.r1.protocol = binary
"
        ),
        before: OUT,
        steps: &[Send { port: 1, bytes: b"\x00\x00\x00\x9a\x80\x01\x00\x01\x00\x00\x00\x0b\x61\x70\x70\x65\x6e\x64\x42\x61\x74\x63\x68\x00\
                \x00\x00\x01\x0f\x00\x01\x0c\x00\x00\x00\x02\x0d\x00\x01\x0b\x0b\x00\x00\x00\x02\x00\x00\x00\x04\
                \x54\x79\x70\x65\x00\x00\x00\x05\x4c\x4f\x47\x49\x4e\x00\x00\x00\x09\x43\x6f\x6c\x6c\x65\x63\x74\
                \x6f\x72\x00\x00\x00\x05\x68\x6f\x73\x74\x31\x0b\x00\x02\x00\x00\x00\x05\x68\x65\x6c\x6c\x6f\x00\
                \x0d\x00\x01\x0b\x0b\x00\x00\x00\x02\x00\x00\x00\x04\x54\x79\x70\x65\x00\x00\x00\x05\x4c\x4f\x47\
                \x49\x4e\x00\x00\x00\x09\x43\x6f\x6c\x6c\x65\x63\x74\x6f\x72\x00\x00\x00\x05\x68\x6f\x73\x74\x31\
                \x0b\x00\x02\x00\x00\x00\x05\x77\x6f\x72\x6c\x64\x00\x00" }],
        done: &[Lines("out", 2)],
        folders: &["out"],
        ..EMPTY
    }
);

case!(
    thrift_from_a_sink_to_a_source,
    Case {
        shows: "a thrift sink hands events to a thrift source",
        file: through!(
            "a1.sources.r1.type = thrift
a1.sinks.k0.type = thrift
a1.sinks.k0.hostname = 127.0.0.1
a1.sinks.k0.port = $PORT2
"
        ),
        before: OUT,
        steps: &[Opens(2), Send { port: 1, bytes: b"one\ntwo\n" }],
        done: &[Lines("out", 2)],
        folders: &["out"],
        ..EMPTY
    }
);

case!(
    a_failover_client_in_an_avro_sink,
    Case {
        shows: "client.type = default_failover: hosts of the client's own, the next one where nobody listens",
        file: "a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.channels.c1.type = memory
a1.sources.r1.type = netcat
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = $PORT1
a1.sources.r1.channels = c1
a1.sinks.k1.type = avro
a1.sinks.k1.channel = c1
a1.sinks.k1.hostname = 127.0.0.1
a1.sinks.k1.port = $PORT2
a1.sinks.k1.client.type = default_failover
a1.sinks.k1.hosts = h1 h2
a1.sinks.k1.hosts.h1 = 127.0.0.1:$PORT2
a1.sinks.k1.hosts.h2 = 127.0.0.1:$SINK1
",
        steps: &[Send { port: 1, bytes: b"one\ntwo\n" }],
        done: &[Sink(1, 2)],
        ..EMPTY
    }
);
