//! Sources and sinks that speak to programs other than Flume.

use super::*;
use integration::flume::oracle::Step;

/// A source `r1` with these lines, and files in `out`, each event with its headers before its body.
macro_rules! source {
    ($lines:literal) => {
        concat!(
            "a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.channels.c1.type = memory
a1.sources.r1.channels = c1
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

const OUT: &[(&str, &str)] = &[("out/", "")];

case!(
    syslog_tcp,
    Case {
        shows: "syslogtcp reads both forms; a line without a priority is marked, one in no form is kept whole",
        file: source!(
            "a1.sources.r1.type = syslogtcp
a1.sources.r1.host = 127.0.0.1
a1.sources.r1.port = $PORT1
"
        ),
        before: OUT,
        steps: &[Send {
            port: 1,
            bytes: b"no priority
<13>no timestamp here
<0>
<34>1 2003-10-11T22:14:15Z ::1 no such host

<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - hello
<165>1 2003-08-24T05:14:15-07:00 192.0.2.1 myproc 8710 - - west
<34>1 - - body without a date
<34>2003-10-11T22:14:15Z host no version
<999>1 2003-10-11T22:14:15Z host no such facility
",
        }],
        done: &[Lines("out", 9)],
        folders: &["out"],
        ..EMPTY
    }
);

const SYSLOG_TCP_ONE_AFTER_ANOTHER: &[Step] = &[Send {
    port: 1,
    bytes: b"<165>1 2003-08-24T05:14:15.5-07:00 192.0.2.1 west
<13>no timestamp here
no priority
<34>1 - host no end",
}];

case!(
    syslog_tcp_one_after_another,
    Case {
        shows: "syslogtcp keeps priority and version for the next line, leaves out a zone behind a fraction, and drops what has no end",
        file: source!(
            "a1.sources.r1.type = syslogtcp
a1.sources.r1.host = 127.0.0.1
a1.sources.r1.port = $PORT1
"
        ),
        before: OUT,
        steps: SYSLOG_TCP_ONE_AFTER_ANOTHER,
        done: &[Lines("out", 3)],
        folders: &["out"],
        differs: Some(Differs {
            why: "headers are those of the line itself, a date is the one that is written, the last message is kept",
            steps: SYSLOG_TCP_ONE_AFTER_ANOTHER,
            done: &[Lines("out", 4)],
        }),
        ..EMPTY
    }
);

case!(
    syslog_tcp_kept_fields,
    Case {
        shows: "keepFields puts what it names before the body",
        file: source!(
            "a1.sources.r1.type = syslogtcp
a1.sources.r1.host = 127.0.0.1
a1.sources.r1.port = $PORT1
a1.sources.r1.keepFields = priority version hostname
"
        ),
        before: OUT,
        steps: &[Send {
            port: 1,
            bytes: b"<34>no form
<34>1 2003-10-11T22:14:15Z host one
<34>2003-10-11T22:14:15Z host two
",
        }],
        done: &[Lines("out", 3)],
        folders: &["out"],
        ..EMPTY
    }
);

case!(
    syslog_tcp_own_form,
    Case {
        shows: "format.regex is tried first, format.search and format.replace change its timestamp, format.dateFormat reads it",
        file: source!(
            "a1.sources.r1.type = syslogtcp
a1.sources.r1.host = 127.0.0.1
a1.sources.r1.port = $PORT1
a1.sources.r1.format.regex = <(\\\\d+)>(\\\\d?) ?\\\\[(\\\\S+)\\\\] (\\\\S+): (.*)
a1.sources.r1.format.search = /
a1.sources.r1.format.replace = -
a1.sources.r1.format.dateFormat = yyyy-MM-dd'T'HH:mm:ssZ
"
        ),
        before: OUT,
        steps: &[Send {
            port: 1,
            bytes: b"<34>1 [2003/10/11T22:14:15+0200] web-1: GET
<34>2003-10-11T22:14:15Z host built in
",
        }],
        done: &[Lines("out", 2)],
        folders: &["out"],
        ..EMPTY
    }
);

case!(
    syslog_multiport,
    Case {
        shows: "multiport_syslogtcp names its headers in capitals, decodes by the port's charset, adds the port's header, and marks messages that it cannot parse",
        file: source!(
            "a1.sources.r1.type = multiport_syslogtcp
a1.sources.r1.host = 127.0.0.1
a1.sources.r1.ports = $PORT1 $PORT2
a1.sources.r1.portHeader = at
a1.sources.r1.clientIPHeader = from
a1.sources.r1.charset.port.$PORT2 = ISO-8859-1
"
        ),
        before: OUT,
        steps: &[
            Send {
                port: 1,
                bytes: b"<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - hello
<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - micro
<13>no timestamp here
no priority
<34>1 2003-10-11T22:14:15 host no zone
<34>1 2003-10-11T22:14:15.1Z - tenth
",
            },
            Until(Lines("out", 6)),
            Send { port: 2, bytes: b"<34>1 2003-10-11T22:14:15Z host caf\xe9\n" },
        ],
        done: &[Lines("out", 7)],
        folders: &["out"],
        ..EMPTY
    }
);

const SYSLOG_MULTIPORT_EMPTY_LINE: &[Step] = &[
    Send {
        port: 1,
        bytes: b"<34>1 2003-10-11T22:14:15Z host before\n\n<34>1 2003-10-11T22:14:15Z host behind\n",
    },
    Send { port: 1, bytes: b"<34>1 2003-10-11T22:14:15Z host next\n" },
];

case!(
    syslog_multiport_empty_line,
    Case {
        shows: "an empty line costs multiport_syslogtcp all that came with it",
        file: source!(
            "a1.sources.r1.type = multiport_syslogtcp
a1.sources.r1.host = 127.0.0.1
a1.sources.r1.ports = $PORT1
"
        ),
        before: OUT,
        steps: SYSLOG_MULTIPORT_EMPTY_LINE,
        done: &[Lines("out", 1)],
        folders: &["out"],
        differs: Some(Differs {
            why: "nothing is lost for an empty line",
            steps: SYSLOG_MULTIPORT_EMPTY_LINE,
            done: &[Lines("out", 3)],
        }),
        ..EMPTY
    }
);

case!(
    syslog_udp,
    Case {
        shows: "the first line of a datagram is a message",
        file: source!(
            "a1.sources.r1.type = syslogudp
a1.sources.r1.host = 127.0.0.1
a1.sources.r1.port = $PORT1
"
        ),
        before: OUT,
        steps: &[
            Until(Says("Component type: SOURCE, name: r1 started")),
            Datagram { port: 1, bytes: b"no priority" },
            Until(Lines("out", 1)),
            Datagram { port: 1, bytes: b"<34>1 2003-10-11T22:14:15.003Z host one\nrest\n" },
            Until(Lines("out", 2)),
            Datagram { port: 1, bytes: b"<34>1 - - two\n" },
        ],
        done: &[Lines("out", 3)],
        folders: &["out"],
        ..EMPTY
    }
);

case!(
    http_json,
    Case {
        shows: "the JSON handler takes arrays of events, leniently, and says by the status what became of them",
        file: source!(
            "a1.sources.r1.type = http
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = $PORT1
"
        ),
        before: OUT,
        steps: &[
            json(b"[{\"headers\":{\"Type\":\"LOGIN\",\"Collector\":\"host1\"},\"body\":\"one\"},{\"body\":\"two\"}]"),
            json(b"[]"),
            json(b"[{headers:{n:5,t:true,x:-1.5e3},body:12}]"),
            json(b"[{'body':'it\\'s';'other':[1,{}]},{}]"),
            json("[{\"body\":\"caf\u{e9}\"}]".as_bytes()),
            json(b"{\"body\":\"no array\"}"),
            json(b"[{\"body\":{}}]"),
            json(b"[{\"body\":\"no end\"}"),
            Request { port: 1, head: "PUT / HTTP/1.1\r\n", body: b"[]" },
            Request { port: 1, head: "OPTIONS / HTTP/1.1\r\n", body: b"" },
            Request { port: 1, head: "POST / HTTP/1.1\r\nContent-Type: x; charset=latin1\r\n", body: b"[]" },
        ],
        done: &[Lines("out", 6)],
        folders: &["out"],
        ..EMPTY
    }
);

/// A request as a client of JSON makes it.
const fn json(body: &'static [u8]) -> Step {
    Request { port: 1, head: "POST /any HTTP/1.1\r\nContent-Type: application/json\r\n", body }
}

const HTTP_JSON_THAT_IS_NONE: &[Step] = &[
    json(b""),
    json(b"[null]"),
    Request {
        port: 1,
        head: "POST / HTTP/1.1\r\nContent-Type: text/plain\r\n",
        body: "[{\"body\":\"caf\u{e9}\"}]".as_bytes(),
    },
];

case!(
    http_json_that_is_none,
    Case {
        shows: "no body and an event that is null are an error of the server; text of other types is read as ISO-8859-1",
        file: source!(
            "a1.sources.r1.type = http
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = $PORT1
"
        ),
        before: OUT,
        steps: HTTP_JSON_THAT_IS_NONE,
        done: &[Lines("out", 1)],
        folders: &["out"],
        differs: Some(Differs {
            why: "they are faults of the request; text is UTF-8 unless the request says otherwise",
            steps: HTTP_JSON_THAT_IS_NONE,
            done: &[Lines("out", 1)],
        }),
        ..EMPTY
    }
);

case!(
    http_blob,
    Case {
        shows: "the BLOB handler makes an event of a body, with the parameters for headers",
        file: source!(
            "a1.sources.r1.type = http
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = $PORT1
a1.sources.r1.handler = org.apache.flume.source.http.BLOBHandler
a1.sources.r1.handler.mandatoryParameters = a,b
"
        ),
        before: OUT,
        steps: &[
            Request { port: 1, head: "POST /?a=1&b=%32&a=3&c HTTP/1.1\r\n", body: b"as it is" },
            Request { port: 1, head: "POST /?a=1 HTTP/1.1\r\n", body: b"refused" },
        ],
        done: &[Lines("out", 1)],
        folders: &["out"],
        ..EMPTY
    }
);

case!(
    http_blob_cut,
    Case {
        shows: "the Blob handler of the morphline jar cuts a body at maxBlobLength, with the parameters for headers",
        file: source!(
            "a1.sources.r1.type = http
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = $PORT1
a1.sources.r1.handler = org.apache.flume.sink.solr.morphline.BlobHandler
a1.sources.r1.handler.maxBlobLength = 5
"
        ),
        before: OUT,
        steps: &[Request { port: 1, head: "POST /?a=1 HTTP/1.1\r\n", body: b"123456789" }],
        done: &[Lines("out", 1)],
        folders: &["out"],
        ..EMPTY
    }
);

case!(
    http_sink,
    Case {
        // What 1.9.0 does with an answer that has no body cannot be shown: it posts the same event again for ever.
        shows: "the http sink posts each body",
        file: concat!(
            source!(
                "a1.sources.r1.type = http
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = $PORT1
"
            ),
            "a1.sources = r1 r2
a1.channels = c1 c2
a1.sinks = k1 k2
a1.sources.r2.type = exec
a1.sources.r2.command = tail -n +1 -F $DIR/log
a1.sources.r2.channels = c2
a1.channels.c2.type = memory
a1.sinks.k2.type = http
a1.sinks.k2.channel = c2
a1.sinks.k2.endpoint = http://127.0.0.1:$PORT1/
a1.sinks.k2.contentTypeHeader = application/json
a1.sinks.k2.acceptHeader = application/json
a1.sinks.k2.defaultRollback = true
a1.sinks.k2.defaultBackoff = true
a1.sinks.k2.backoff.200 = false
a1.sinks.k2.rollback.200 = false
"
        ),
        before: &[("out/", ""), ("log", "")],
        steps: &[
            Listens(1),
            Append {
                file: "log",
                text: "[{\"headers\":{\"a\":\"b\"},\"body\":\"one\"}]\n[{\"body\":\"two\"}]\n"
            },
        ],
        done: &[Lines("out", 2)],
        folders: &["out"],
        ..EMPTY
    }
);

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
        steps: &[Listens(2), Send { port: 1, bytes: b"one\ntwo\n" }],
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
