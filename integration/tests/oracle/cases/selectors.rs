//! Several channels behind one source, and what is written of them.

use super::*;

/// An Avro source into two channels, each into a folder; `selector` lines follow.
macro_rules! two {
    ($selector:literal) => {
        concat!(
            "a1.sources = r1
a1.channels = c1 c2
a1.sinks = k1 k2
a1.channels.c1.type = memory
a1.channels.c2.type = memory
a1.sources.r1.type = avro
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = $PORT1
a1.sources.r1.channels = c1 c2
a1.sinks.k1.type = file_roll
a1.sinks.k1.sink.directory = $DIR/one
a1.sinks.k1.sink.rollInterval = 0
a1.sinks.k1.sink.serializer = header_and_text
a1.sinks.k1.channel = c1
a1.sinks.k2.type = file_roll
a1.sinks.k2.sink.directory = $DIR/two
a1.sinks.k2.sink.rollInterval = 0
a1.sinks.k2.channel = c2
",
            $selector
        )
    };
}

const FOLDERS: &[(&str, &str)] = &[("one/", ""), ("two/", "")];

case!(
    replicating,
    Case {
        shows: "every channel gets every event; header_and_text writes the headers before the body",
        file: two!(""),
        before: FOLDERS,
        steps: &[Avro {
            port: 1,
            calls: &[&[(&[("Type", "A"), ("Collector", "x")], "one"), (&[], ""), (&[], "three")]]
        }],
        done: &[Lines("one", 3), Lines("two", 3)],
        folders: &["one", "two"],
        ..EMPTY
    }
);

case!(
    replicating_optional,
    Case {
        shows: "an optional channel that is too small refuses the call, which is OK all the same",
        file: two!(
            "a1.sources.r1.selector.type = REPLICATING\na1.sources.r1.selector.optional = c2\na1.channels.c2.capacity = 1\na1.channels.c2.transactionCapacity = 1\na1.sinks.k2.sink.batchSize = 1\n"
        ),
        before: FOLDERS,
        steps: &[Avro { port: 1, calls: &[&[(&[], "one"), (&[], "two")], &[(&[], "three")]] }],
        done: &[Lines("one", 3), Lines("two", 1)],
        folders: &["one", "two"],
        ..EMPTY
    }
);

case!(
    multiplexing,
    Case {
        shows: "multiplexing by a header's exact value: one channel, both, or the default for all else",
        file: two!(
            "a1.sources.r1.selector.type = multiplexing
a1.sources.r1.selector.header = state
a1.sources.r1.selector.mapping.CZ = c1
a1.sources.r1.selector.mapping.US.west = c1 c2
a1.sources.r1.selector.default = c2
"
        ),
        before: FOLDERS,
        steps: &[Avro {
            port: 1,
            calls: &[&[
                (&[("state", "CZ")], "one"),
                (&[("state", "US.west")], "both"),
                (&[("state", "cz")], "another case is another value"),
                (&[("state", " CZ")], "a blank is part of the value"),
                (&[("state", "")], "an empty value"),
                (&[], "no header"),
                (&[("state", "CZ")], "one again"),
            ]],
        }],
        done: &[Lines("one", 3), Lines("two", 5)],
        folders: &["one", "two"],
        ..EMPTY
    }
);

case!(
    multiplexing_without_default,
    Case {
        shows: "what is mapped nowhere is taken, answered OK, and gone",
        file: two!(
            "a1.sources.r1.selector.type = multiplexing
a1.sources.r1.selector.header = to
a1.sources.r1.selector.mapping.1 = c1
a1.sources.r1.selector.mapping.2 = c2
"
        ),
        before: FOLDERS,
        steps: &[Avro {
            port: 1,
            calls: &[
                &[(&[("to", "3")], "gone"), (&[], "gone")],
                &[(&[("to", "1")], "one"), (&[("to", "2")], "two"), (&[("to", "3")], "gone")],
            ],
        }],
        done: &[Lines("one", 1), Lines("two", 1)],
        folders: &["one", "two"],
        ..EMPTY
    }
);

case!(
    text_without_newlines,
    Case {
        shows: "appendNewline = false joins the bodies; the file's name has prefix and extension",
        file: "a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.channels.c1.type = memory
a1.sources.r1.type = netcat
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = $PORT1
a1.sources.r1.channels = c1
a1.sinks.k1.type = FILE_ROLL
a1.sinks.k1.sink.directory = $DIR/out
a1.sinks.k1.sink.rollInterval = 0
a1.sinks.k1.sink.serializer = TEXT
a1.sinks.k1.sink.serializer.appendNewline = false
a1.sinks.k1.sink.pathManager.prefix = app-
a1.sinks.k1.sink.pathManager.extension = log
a1.sinks.k1.channel = c1
",
        before: &[("out/", "")],
        steps: &[Send { port: 1, bytes: b"one\ntwo\rthree\nfour\r\n" }],
        done: &[Bytes("out", 17)],
        folders: &["out"],
        ..EMPTY
    }
);
