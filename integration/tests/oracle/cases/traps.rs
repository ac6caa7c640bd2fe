//! What catches people out: the grammar of the file, and what a mistake in it does.

use super::*;

case!(
    the_grammar_of_the_file,
    Case {
        shows: "comments, separators, continued lines, escapes, a key given twice: as java.util.Properties reads them",
        file: "! a comment, and this \\
a1.sources : r1
a1.channels=c1
   a1.sinks   k1
a1.channels.c1.type = memory
a1.sources.r1.type = exec
a1.sources.r1.command = echo \\
      one \\
      # two
a1.sources.r1.channels = c1
a1.sources.r1.interceptors = i1 i2 i3
a1.sources.r1.interceptors.i1.type = static
a1.sources.r1.interceptors.i1.key = path
a1.sources.r1.interceptors.i1.value = C:\\temp\\u0041 = b : c#d ! e
a1.sources.r1.interceptors.i2.type = static
a1.sources.r1.interceptors.i2.key = twice
a1.sources.r1.interceptors.i2.value = first
a1.sources.r1.interceptors.i2.value = second
a1.sources.r1.interceptors.i3.type = static
a1.sources.r1.interceptors.i3.key = k\\=\\:
a1.sources.r1.interceptors.i3.value=   leading and trailing blanks go   
a1.sinks.k1.type = logger
a1.sinks.k1.channel = c1
",
        done: &[Console(1)],
        ..EMPTY
    }
);

case!(
    letters_beyond_ascii,
    Case {
        shows: "Flume 1.10 and later reads the file as ISO-8859-1, so that UTF-8 letters come out as two",
        file: "a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.channels.c1.type = memory
a1.sources.r1.type = exec
a1.sources.r1.command = echo x
a1.sources.r1.channels = c1
a1.sources.r1.interceptors = i1 i2
a1.sources.r1.interceptors.i1.type = static
a1.sources.r1.interceptors.i1.key = place
a1.sources.r1.interceptors.i1.value = caf\u{e9}
a1.sources.r1.interceptors.i2.type = static
a1.sources.r1.interceptors.i2.key = escaped
a1.sources.r1.interceptors.i2.value = caf\\u00e9
a1.sinks.k1.type = logger
a1.sinks.k1.channel = c1
",
        done: &[Console(1)],
        differs: Some(Differs {
            why: "the file is read as UTF-8, as up to 1.9, which is what people write",
            steps: &[],
            done: &[Console(1)],
        }),
        ..EMPTY
    }
);

case!(
    lookups,
    Case {
        shows: "${env:NAME:-default} and ${key} in a value, from 1.10 on; what is unknown stays as it is",
        file: "a1.sources = r1 r2
a1.channels = c1
a1.sinks = k1
a1.channels.c1.type = memory
a1.sources.r1.type = netcat
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = ${env:NO_SUCH_VARIABLE:-$PORT1}
a1.sources.r1.channels = c1
a1.sources.r2.type = netcat
a1.sources.r2.bind = 127.0.0.1
a1.sources.r2.port = $PORT2
a1.sources.r2.channels = c1
a1.sources.r2.interceptors = i1
a1.sources.r2.interceptors.i1.type = static
a1.sources.r2.interceptors.i1.key = unknown
a1.sources.r2.interceptors.i1.value = ${no_such_key} $HOME $${env:HOME}
a1.sinks.k1.type = logger
a1.sinks.k1.channel = c1
",
        steps: &[Send { port: 2, bytes: b"runs\n" }, Until(Console(1)), Listens(1)],
        ..EMPTY
    }
);

case!(
    more_bytes_to_log,
    Case {
        shows: "maxBytesToLog has no effect",
        file: "a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.channels.c1.type = memory
a1.sources.r1.type = exec
a1.sources.r1.command = echo ABCDEFGHIJKLMNOPQRSTUVWXYZ
a1.sources.r1.channels = c1
a1.sinks.k1.type = logger
a1.sinks.k1.maxBytesToLog = 32
a1.sinks.k1.channel = c1
",
        done: &[Console(1)],
        differs: Some(Differs {
            why: "the setting is honoured; what Flume prints without it is unchanged",
            steps: &[],
            done: &[Console(1)],
        }),
        ..EMPTY
    }
);

case!(
    an_unknown_type,
    Case {
        shows: "an unknown sink type ends the agent, with exit code 0",
        file: "a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.channels.c1.type = memory
a1.sources.r1.type = seq
a1.sources.r1.channels = c1
a1.sinks.k1.type = logg3r
a1.sinks.k1.channel = c1
",
        steps: &[Exit],
        differs: Some(Differs { why: "a failure has an exit code that says so", steps: &[Exit], done: &[] }),
        ..EMPTY
    }
);

case!(
    a_bad_port,
    Case {
        shows: "a comment behind a port removes that source; the other one runs",
        file: "a1.sources = r1 r2
a1.channels = c1
a1.sinks = k1
a1.channels.c1.type = memory
a1.sources.r1.type = netcat
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = $PORT1 # the port
a1.sources.r1.channels = c1
a1.sources.r2.type = netcat
a1.sources.r2.bind = 127.0.0.1
a1.sources.r2.port = $PORT2
a1.sources.r2.channels = c1
a1.sinks.k1.type = logger
a1.sinks.k1.channel = c1
",
        steps: &[Send { port: 2, bytes: b"runs\n" }, Until(Console(1)), Listens(1)],
        differs: Some(Differs {
            why: COMMENT,
            steps: &[Send { port: 2, bytes: b"runs\n" }, Until(Console(1)), Opens(1)],
            done: &[],
        }),
        ..EMPTY
    }
);

case!(
    a_port_that_is_no_number,
    Case {
        shows: "a port that is no number removes that source; the other one runs",
        file: "a1.sources = r1 r2 r3
a1.channels = c1 c2
a1.sinks = k1 k2 k3
a1.channels.c1.type = memory
a1.channels.c2.type = memory
a1.channels.c2.capacity = 10
a1.channels.c2.transactionCapacity = 20
a1.sources.r1.type = netcat
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = 0x1F90
a1.sources.r1.channels = c1
a1.sources.r2.type = NETCAT
a1.sources.r2.bind = 127.0.0.1
a1.sources.r2.port = $PORT2
a1.sources.r2.channels = c1 c2 c3
a1.sources.r3.type = netcat
a1.sources.r3.bind = 127.0.0.1
a1.sources.r3.port = $PORT3
a1.sources.r3.channels = c2
a1.sinks.k1.type = Logger
a1.sinks.k1.channel = c1
a1.sinks.k2.type = logger
a1.sinks.k2.channels = c1
a1.sinks.k3.type = null
a1.sinks.k3.channel = c2
a1.sinks.k4.type = logger
a1.sinks.k4.channel = c1
",
        steps: &[Send { port: 2, bytes: b"runs\n" }, Until(Console(1)), Listens(3)],
        differs: REFUSED,
        ..EMPTY
    }
);

case!(
    a_list_with_a_comment,
    Case {
        shows: "a comment behind a list makes its words names of components without settings, which are dropped",
        file: "a1.sources = r1   # the sources
a1.channels = c1  # the channels
a1.sinks = k1 # the sinks
a1.channels.c1.type = memory
a1.sources.r1.type = netcat
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = $PORT1
a1.sources.r1.channels = c1 # where to
a1.sinks.k1.type = logger
a1.sinks.k1.channel = c1
",
        steps: &[Send { port: 1, bytes: b"runs\n" }],
        done: &[Console(1)],
        ..EMPTY
    }
);

case!(
    a_batch_larger_than_a_transaction,
    Case {
        shows: "a sink whose batch-size is larger than transactionCapacity is removed",
        file: "a1.sources = r1
a1.channels = c1 c2
a1.sinks = k1 k2
a1.channels.c1.type = memory
a1.channels.c1.transactionCapacity = 10
a1.channels.c2.type = memory
a1.sources.r1.type = netcat
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = $PORT1
a1.sources.r1.channels = c1 c2
a1.sinks.k1.type = avro
a1.sinks.k1.hostname = 127.0.0.1
a1.sinks.k1.port = $SINK1
a1.sinks.k1.batch-size = 20
a1.sinks.k1.channel = c1
a1.sinks.k2.type = logger
a1.sinks.k2.channel = c2
",
        steps: &[Send { port: 1, bytes: b"runs\n" }, Until(Console(1))],
        settle_ms: 1_500,
        differs: REFUSED,
        ..EMPTY
    }
);
