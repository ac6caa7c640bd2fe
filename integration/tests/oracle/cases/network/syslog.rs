//! Sources that speak syslog.

use super::*;

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
