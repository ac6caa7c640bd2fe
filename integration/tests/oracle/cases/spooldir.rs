//! What spooldir makes of the files of a directory, and small sources and channels beside it.

use super::*;

/// A spooldir source on `spool`, and a logger sink; `MORE` stands for further lines.
macro_rules! spooldir {
    ($more:literal) => {
        concat!(
            "a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.channels.c1.type = memory
a1.sources.r1.type = spooldir
a1.sources.r1.spoolDir = $DIR/spool
a1.sources.r1.channels = c1
a1.sinks.k1.type = logger
a1.sinks.k1.channel = c1
",
            $more
        )
    };
}

case!(
    spooldir_lines,
    Case {
        shows: "spooldir keeps a CR, splits long lines, needs no last LF, makes an event of an empty file",
        file: spooldir!(
            "a1.sources.r1.deserializer.maxLineLength = 5
a1.sources.r1.fileHeader = true
a1.sources.r1.basenameHeader = true
"
        ),
        before: &[
            ("spool/a.log", "cr\r\n\n12345\n1234567890abc\nno end"),
            ("spool/b.log", ""),
            ("spool/c.log.COMPLETED", "finished\n"),
            ("spool/.d.log", "hidden\n"),
        ],
        steps: &[Until(Console(10)), Append { file: "spool/e.log", text: "end\n" }],
        done: &[Console(11)],
        folders: &["spool"],
        ..EMPTY
    }
);

case!(
    spooldir_blob,
    Case {
        shows: "the BLOB deserializer makes an event of a file, or of each maxBlobLength bytes of it",
        file: spooldir!(
            "a1.sources.r1.deserializer = org.apache.flume.sink.solr.morphline.BlobDeserializer$Builder
a1.sources.r1.deserializer.maxBlobLength = 10
a1.sources.r1.basenameHeader = true
"
        ),
        before: &[("spool/a", "short\n"), ("spool/b", "0123456789abcdefghij123"), ("spool/c", "")],
        done: &[Console(4)],
        folders: &["spool"],
        ..EMPTY
    }
);

case!(
    spooldir_charsets,
    Case {
        shows: "inputCharset decodes, and deserializer.outputCharset encodes: bytes that are other letters in GBK",
        file: spooldir!(
            "a1.sources.r1.inputCharset = GBK
a1.sources.r1.deserializer.outputCharset = UTF-16BE
"
        ),
        before: &[("spool/a", "plain\n好a\n")],
        done: &[Console(2)],
        ..EMPTY
    }
);

case!(
    spooldir_malformed_replaced,
    Case {
        shows: "decodeErrorPolicy = replace puts U+FFFD in the place of each malformed byte",
        file: spooldir!(
            "a1.sources.r1.inputCharset = US-ASCII
a1.sources.r1.decodeErrorPolicy = replace
"
        ),
        before: &[("spool/a", "caf\u{e9}\nnext\n")],
        done: &[Console(2)],
        ..EMPTY
    }
);

case!(
    spooldir_malformed_ignored,
    Case {
        shows: "decodeErrorPolicy = IGNORE leaves malformed bytes out",
        file: spooldir!(
            "a1.sources.r1.inputCharset = US-ASCII
a1.sources.r1.decodeErrorPolicy = IGNORE
"
        ),
        before: &[("spool/a", "caf\u{e9}\nnext\n")],
        done: &[Console(2)],
        ..EMPTY
    }
);

case!(
    spooldir_malformed_fails,
    Case {
        shows: "malformed bytes end the source",
        file: spooldir!("a1.sources.r1.inputCharset = US-ASCII\na1.sources.r1.batchSize = 1\n"),
        before: &[("spool/a", "before\ncaf\u{e9}\nnext\n"), ("spool/b", "another file\n")],
        done: &[Console(1)],
        settle_ms: 1_500,
        differs: Some(Differs {
            why: "the file is set aside with a reason, and the source goes on",
            steps: &[],
            done: &[Console(2), Says("is set aside")],
        }),
        ..EMPTY
    }
);

case!(
    spooldir_name_used_again,
    Case {
        shows: "a name that was used before ends the source when its file is read",
        file: spooldir!(""),
        before: &[
            ("spool/a.COMPLETED", "used before\n"),
            ("spool/a", "the same name\n"),
            ("spool/b", "another file\n"),
        ],
        done: &[Console(1)],
        settle_ms: 1_500,
        differs: Some(Differs {
            why: "the file is set aside with a reason, and the source goes on",
            steps: &[],
            done: &[Console(2), Says("is set aside")],
        }),
        ..EMPTY
    }
);

case!(
    spooldir_deleted,
    Case {
        shows: "deletePolicy = immediate deletes what is read, whatever trackingPolicy says",
        file: spooldir!(
            "a1.sources.r1.deletePolicy = IMMEDIATE\na1.sources.r1.trackingPolicy = tracker_dir\n"
        ),
        before: &[("spool/a", "one\n"), ("spool/b.COMPLETED", "stays\n")],
        done: &[Console(1), Gone("spool/a")],
        folders: &["spool"],
        ..EMPTY
    }
);

case!(
    spooldir_below,
    Case {
        shows: "recursiveDirectorySearch with patterns for names, and markers below trackerDir",
        file: spooldir!(
            "a1.sources.r1.recursiveDirectorySearch = true
a1.sources.r1.includePattern = .*\\\\.log
a1.sources.r1.ignorePattern = old.*
a1.sources.r1.trackingPolicy = TRACKER_DIR
a1.sources.r1.trackerDir = $DIR/track
a1.sources.r1.fileSuffix = .done
"
        ),
        before: &[
            ("spool/one/two/a.log", "deep\n"),
            ("spool/a.txt", "no log\n"),
            ("spool/old.log", "ignored\n"),
            ("spool/older/b.log", "ignored\n"),
            ("spool/.hidden/c.log", "hidden\n"),
            ("track/marked.log.done", ""),
            ("spool/marked.log", "marked\n"),
        ],
        steps: &[Until(Console(1)), Pass(1_000), Append { file: "spool/one/later.log", text: "later\n" }],
        done: &[Console(2)],
        folders: &["spool", "track/one", "track/one/two"],
        ..EMPTY
    }
);

case!(
    stress,
    Case {
        shows: "StressSource sends so many events of so many bytes of 7F, through a PseudoTxnMemoryChannel",
        file: "a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.channels.c1.type = org.apache.flume.channel.PseudoTxnMemoryChannel
a1.sources.r1.type = org.apache.flume.source.StressSource
a1.sources.r1.size = 3
a1.sources.r1.maxTotalEvents = 5
a1.sources.r1.batchSize = 2
a1.sources.r1.channels = c1
a1.sinks.k1.type = logger
a1.sinks.k1.channel = c1
",
        done: &[Console(5)],
        ..EMPTY
    }
);
