//! What each source makes of its input.

use super::*;

/// A netcat source and a logger sink; `MORE` stands for further lines.
macro_rules! netcat {
    ($more:literal) => {
        concat!(
            "a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.channels.c1.type = memory
a1.sources.r1.type = netcat
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = $PORT1
a1.sources.r1.channels = c1
a1.sinks.k1.type = logger
a1.sinks.k1.channel = c1
",
            $more
        )
    };
}

/// An exec source that runs `say.sh`, and a logger sink.
macro_rules! exec {
    ($more:literal) => {
        concat!(
            "a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.channels.c1.type = memory
a1.sources.r1.type = exec
a1.sources.r1.command = sh $DIR/say.sh
a1.sources.r1.channels = c1
a1.sinks.k1.type = logger
a1.sinks.k1.channel = c1
",
            $more
        )
    };
}

case!(
    netcat_lines,
    Case {
        shows: "netcat keeps a CR, makes events of empty lines, drops an end without LF, answers OK to each",
        file: netcat!(""),
        steps: &[Send { port: 1, bytes: b"plain\nwith cr\r\n\n  blanks \nno end" }],
        done: &[Console(4)],
        ..EMPTY
    }
);

case!(
    netcat_without_answers,
    Case {
        shows: "ack-every-event = false: not a word",
        file: netcat!("a1.sources.r1.ack-every-event = false\n"),
        steps: &[Send { port: 1, bytes: b"one\ntwo\n" }],
        done: &[Console(2)],
        ..EMPTY
    }
);

case!(
    netcat_too_long,
    Case {
        shows: "a line longer than max-line-length is refused and ends the connection, what came before is kept",
        file: netcat!("a1.sources.r1.max-line-length = 10\n"),
        steps: &[
            Send { port: 1, bytes: b"123456789\n" },
            Send { port: 1, bytes: b"short\n1234567890\nnever read\n" },
            Send { port: 1, bytes: b"a new one\n" },
        ],
        done: &[Console(3)],
        ..EMPTY
    }
);

case!(
    bytes_on_the_console,
    Case {
        shows: "the logger shows sixteen bytes, those outside printable ASCII as dots, never decoded",
        file: netcat!(""),
        steps: &[Send {
            port: 1,
            bytes: "\u{4f60}\u{597d} abc\n0123456789abcdef\n0123456789abcdefg\ntab\there { }\n\u{e9}\u{20ac}\u{1f600}\n"
                .as_bytes(),
        }],
        done: &[Console(5)],
        ..EMPTY
    }
);

case!(
    netcat_bytes_that_are_no_utf8,
    Case {
        shows: "netcat drops a connection at bytes that are no UTF-8, silently; the next one is served",
        file: netcat!(""),
        steps: &[
            Send { port: 1, bytes: b"a\xff\xfeb\nafter\n" },
            Send { port: 1, bytes: b"a new one\n" },
            Send { port: 1, bytes: b"cut\xc3" },
        ],
        done: &[Console(1)],
        settle_ms: 1_500,
        ..EMPTY
    }
);

case!(
    exec_line_ends,
    Case {
        shows: "exec ends lines at LF, CR and CRLF, keeps empty ones, and the last needs no end",
        file: exec!(""),
        before: &[("say.sh", "printf 'lf\\ncr\\rcrlf\\r\\n\\nafter an empty one\\n  blanks  \\nno end'\n")],
        done: &[Console(7)],
        ..EMPTY
    }
);

case!(
    exec_bytes_that_are_no_utf8,
    Case {
        shows: "exec decodes and encodes again: malformed bytes become U+FFFD",
        file: exec!(""),
        before: &[("say.sh", "printf 'a\\377\\376b\\nc\\303\\n\\303\\251\\n'\n")],
        done: &[Console(3)],
        differs: Some(Differs {
            why: "bytes stay as they were written: what is malformed is not lost",
            steps: &[],
            done: &[Console(3)],
        }),
        ..EMPTY
    }
);

case!(
    exec_latin1,
    Case {
        shows: "exec decodes as charset says, and encodes the body in the same",
        file: exec!("a1.sources.r1.charset = ISO-8859-1\n"),
        before: &[("say.sh", "printf 'caf\\351\\n\\303\\251\\n'\n")],
        done: &[Console(2)],
        ..EMPTY
    }
);

case!(
    exec_with_a_shell,
    Case {
        shows: "with a shell the command is handed over whole: pipes and quotes work",
        file: "a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.channels.c1.type = memory
a1.sources.r1.type = exec
a1.sources.r1.shell = /bin/sh -c
a1.sources.r1.command = for n in 1 2 3; do echo \"line  $n\"; done | grep -v 2
a1.sources.r1.channels = c1
a1.sinks.k1.type = logger
a1.sinks.k1.channel = c1
",
        done: &[Console(2)],
        ..EMPTY
    }
);

case!(
    exec_without_a_shell,
    Case {
        shows: "without a shell the command is cut at blanks, and quotes and pipes are ordinary words",
        file: "a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.channels.c1.type = memory
a1.sources.r1.type = exec
a1.sources.r1.command = echo \"two  words\" 'x' | cat   $HOME
a1.sources.r1.channels = c1
a1.sinks.k1.type = logger
a1.sinks.k1.channel = c1
",
        done: &[Console(1)],
        ..EMPTY
    }
);

case!(
    exec_again,
    Case {
        shows: "restart runs an ended command anew after restartThrottle",
        file: exec!("a1.sources.r1.restart = true\na1.sources.r1.restartThrottle = 300\n"),
        before: &[(
            "say.sh",
            "cd $DIR; test -e b && exec sleep 600; test -e a && touch b; touch a; echo again\n"
        )],
        done: &[Console(2)],
        ..EMPTY
    }
);

case!(
    seq_to_its_end,
    Case {
        shows: "seq counts from 0 and stops after totalEvents",
        agent: "agent",
        file: "agent.sources = seqGenSrc
agent.channels = memoryChannel
agent.sinks = loggerSink
agent.sources.seqGenSrc.type = seq
agent.sources.seqGenSrc.totalEvents = 12
agent.sources.seqGenSrc.batchSize = 5
agent.sources.seqGenSrc.channels = memoryChannel
agent.sinks.loggerSink.type = logger
agent.sinks.loggerSink.channel = memoryChannel
agent.channels.memoryChannel.type = memory
agent.channels.memoryChannel.capacity = 100
",
        done: &[Console(12)],
        ..EMPTY
    }
);

case!(
    taildir_headers,
    Case {
        shows: "TAILDIR: a group's headers, the path under a key of one's own, the offset of each line",
        file: "a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.channels.c1.type = memory
a1.sources.r1.type = TAILDIR
a1.sources.r1.positionFile = $DIR/position.json
a1.sources.r1.filegroups = f1 f2
a1.sources.r1.filegroups.f1 = $DIR/logs/web.*\\\\.log
a1.sources.r1.headers.f1.kind = web
a1.sources.r1.headers.f1.team.name = front
a1.sources.r1.filegroups.f2 = $DIR/logs/db.log
a1.sources.r1.headers.f2.kind = db
a1.sources.r1.fileHeader = true
a1.sources.r1.fileHeaderKey = path
a1.sources.r1.byteOffsetHeader = true
a1.sources.r1.channels = c1
a1.sinks.k1.type = logger
a1.sinks.k1.channel = c1
",
        before: &[
            ("logs/web1.log", "one\r\ntwo\n"),
            ("logs/web2.txt", "not ours\n"),
            ("logs/db.log", "d\u{e9}j\u{e0}\nvu\n"),
        ],
        done: &[Console(4)],
        unordered: true,
        ..EMPTY
    }
);

case!(
    taildir_rotation,
    Case {
        shows: "TAILDIR: a file renamed to a name that matches no group is left, the new one is read from its start",
        file: "a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.channels.c1.type = memory
a1.sources.r1.type = TAILDIR
a1.sources.r1.positionFile = $DIR/position.json
a1.sources.r1.filegroups = f1
a1.sources.r1.filegroups.f1 = $DIR/logs/app.log
a1.sources.r1.channels = c1
a1.sinks.k1.type = logger
a1.sinks.k1.channel = c1
",
        before: &[("logs/app.log", "before\n")],
        steps: &[
            Until(Console(1)),
            Rename { from: "logs/app.log", to: "logs/app.log.1" },
            Append { file: "logs/app.log", text: "after\n" },
        ],
        done: &[Console(2)],
        ..EMPTY
    }
);
