//! The seven interceptors.

use super::*;

case!(
    static_keeps_timestamp_replaces,
    Case {
        shows: "static leaves a header that is there, timestamp replaces it, each unless told otherwise",
        file: avro!(
            "a1.sources.r1.interceptors = i1 i2 i3 i4
a1.sources.r1.interceptors.i1.type = static
a1.sources.r1.interceptors.i1.key = Type
a1.sources.r1.interceptors.i1.value = NEW
a1.sources.r1.interceptors.i2.type = timestamp
a1.sources.r1.interceptors.i3.type = org.apache.flume.interceptor.StaticInterceptor$Builder
a1.sources.r1.interceptors.i3.key = forced
a1.sources.r1.interceptors.i3.value = a value  with blanks
a1.sources.r1.interceptors.i3.preserveExisting = false
a1.sources.r1.interceptors.i4.type = Timestamp
a1.sources.r1.interceptors.i4.headerName = first
a1.sources.r1.interceptors.i4.preserveExisting = TRUE
"
        ),
        steps: &[Avro {
            port: 1,
            calls: &[&[
                (&[("Type", "OLD"), ("timestamp", "1"), ("forced", "1"), ("first", "1")], "all there"),
                (&[], "none there"),
            ]],
        }],
        done: &[Console(2)],
        ..EMPTY
    }
);

case!(
    uuid,
    Case {
        shows: "UUIDInterceptor puts a new value in place of one that is there when preserveExisting is false",
        file: avro!(
            "a1.sources.r1.interceptors = i1
a1.sources.r1.interceptors.i1.type = org.apache.flume.sink.solr.morphline.UUIDInterceptor$Builder
a1.sources.r1.interceptors.i1.headerName = forced
a1.sources.r1.interceptors.i1.preserveExisting = false
a1.sources.r1.selector.type = multiplexing
a1.sources.r1.selector.header = forced
a1.sources.r1.selector.mapping.fixed = c2
a1.sources.r1.selector.default = c1
a1.sources.r1.channels = c1 c2
a1.channels = c1 c2
a1.channels.c2.type = memory
a1.sinks.k1.type = file_roll
a1.sinks.k1.sink.directory = $DIR/out
a1.sinks.k1.sink.rollInterval = 0
"
        ),
        before: &[("out/", "")],
        steps: &[Avro { port: 1, calls: &[&[(&[("forced", "fixed")], "goes where fixed does not")]] }],
        done: &[Lines("out", 1)],
        folders: &["out"],
        ..EMPTY
    }
);

case!(
    uuid_keeps,
    Case {
        shows: "UUIDInterceptor by itself leaves an id that is there",
        file: avro!(
            "a1.sources.r1.interceptors = i1
a1.sources.r1.interceptors.i1.type = org.apache.flume.sink.solr.morphline.UUIDInterceptor$Builder
"
        ),
        steps: &[Avro { port: 1, calls: &[&[(&[("id", "kept")], "x")]] }],
        done: &[Console(1)],
        ..EMPTY
    }
);

case!(
    static_without_settings,
    Case {
        shows: "static by itself: the key is key, the value is value",
        file: avro!("a1.sources.r1.interceptors = i1\na1.sources.r1.interceptors.i1.type = STATIC\n"),
        steps: &[Avro { port: 1, calls: &[&[(&[], "x")]] }],
        done: &[Console(1)],
        ..EMPTY
    }
);

case!(
    host,
    Case {
        shows: "host: the address, or the name, under a key of one's own",
        file: avro!(
            "a1.sources.r1.interceptors = i1 i2 i3
a1.sources.r1.interceptors.i1.type = host
a1.sources.r1.interceptors.i2.type = host
a1.sources.r1.interceptors.i2.hostHeader = myhost
a1.sources.r1.interceptors.i2.preserveExisting = true
a1.sources.r1.interceptors.i3.type = host
a1.sources.r1.interceptors.i3.useIP = false
a1.sources.r1.interceptors.i3.hostHeader = named-host
"
        ),
        steps: &[Avro { port: 1, calls: &[&[(&[("host", "old"), ("myhost", "kept")], "x"), (&[], "y")]] }],
        done: &[Console(2)],
        ..EMPTY
    }
);

case!(
    regex_filter,
    Case {
        shows: "regex_filter searches: anywhere in the body; excludeEvents turns it round",
        file: avro!(
            "a1.sources.r1.interceptors = i1 i2
a1.sources.r1.interceptors.i1.type = regex_filter
a1.sources.r1.interceptors.i1.regex = (WARN|ERROR)
a1.sources.r1.interceptors.i2.type = regex_filter
a1.sources.r1.interceptors.i2.regex = ^DEBUG|noise$
a1.sources.r1.interceptors.i2.excludeEvents = true
"
        ),
        steps: &[Avro {
            port: 1,
            calls: &[
                &[(&[], "a WARN b"), (&[], "warn"), (&[], "DEBUG ERROR"), (&[], "ERROR noise"), (&[], "")],
                &[(&[], "all of this call"), (&[], "goes")],
                &[(&[], "noise ERROR\nnoise"), (&[], "xERRORx")],
            ],
        }],
        done: &[Console(2)],
        settle_ms: 1_000,
        ..EMPTY
    }
);

case!(
    regex_extractor,
    Case {
        shows: "regex_extractor: the first match, group by group; a time to milliseconds; no match, no header",
        file: avro!(
            "a1.sources.r1.interceptors = i1 i2
a1.sources.r1.interceptors.i1.type = regex_extractor
a1.sources.r1.interceptors.i1.regex = (\\\\d+):(\\\\w+)(;x)?
a1.sources.r1.interceptors.i1.serializers = s1 s2
a1.sources.r1.interceptors.i1.serializers.s1.name = number
a1.sources.r1.interceptors.i1.serializers.s2.type = org.apache.flume.interceptor.RegexExtractorInterceptorPassThroughSerializer
a1.sources.r1.interceptors.i1.serializers.s2.name = word
a1.sources.r1.interceptors.i2.type = regex_extractor
a1.sources.r1.interceptors.i2.regex = ^(\\\\d\\\\d\\\\d\\\\d-\\\\d\\\\d-\\\\d\\\\d\\\\s\\\\d\\\\d:\\\\d\\\\d)
a1.sources.r1.interceptors.i2.serializers = s1
a1.sources.r1.interceptors.i2.serializers.s1.type = org.apache.flume.interceptor.RegexExtractorInterceptorMillisSerializer
a1.sources.r1.interceptors.i2.serializers.s1.name = timestamp
a1.sources.r1.interceptors.i2.serializers.s1.pattern = yyyy-MM-dd HH:mm
"
        ),
        steps: &[Avro {
            port: 1,
            calls: &[&[
                (&[("number", "old")], "x 12:ab;x 34:cd"),
                (&[("number", "old")], "nothing"),
                (&[], "2012-10-18 18:47 and more"),
            ]],
        }],
        done: &[Console(3)],
        ..EMPTY
    }
);

case!(
    search_replace,
    Case {
        shows: "search_replace: all matches, groups as $1, an empty replacement when there is none",
        file: avro!(
            "a1.sources.r1.interceptors = i1 i2
a1.sources.r1.interceptors.i1.type = search_replace
a1.sources.r1.interceptors.i1.searchPattern = (\\\\d+)-(\\\\d+)
a1.sources.r1.interceptors.i1.replaceString = $2/$1
a1.sources.r1.interceptors.i2.type = search_replace
a1.sources.r1.interceptors.i2.searchPattern = secret
"
        ),
        steps: &[Avro {
            port: 1,
            calls: &[&[(&[], "1-2 3-4 secret 5-6"), (&[], "as it was"), (&[], "secret")]],
        }],
        done: &[Console(3)],
        ..EMPTY
    }
);

case!(
    remove_header,
    Case {
        shows: "remove_header by name, from a list, by a pattern that fits the whole name",
        file: avro!(
            "a1.sources.r1.interceptors = i1 i2 i3
a1.sources.r1.interceptors.i1.type = remove_header
a1.sources.r1.interceptors.i1.withName = one
a1.sources.r1.interceptors.i2.type = remove_header
a1.sources.r1.interceptors.i2.fromList = two,  three
a1.sources.r1.interceptors.i3.type = remove_header
a1.sources.r1.interceptors.i3.matching = x.*
"
        ),
        steps: &[Avro {
            port: 1,
            calls: &[&[(
                &[("one", "1"), ("two", "2"), ("three", "3"), ("four", "4"), ("xy", "5"), ("axy", "6")],
                "body",
            )]],
        }],
        done: &[Console(1)],
        ..EMPTY
    }
);

case!(
    in_the_order_written,
    Case {
        shows: "interceptors run in the order of their list: what one adds the next takes away, and the reverse",
        file: avro!(
            "a1.sources.r1.interceptors = add remove add2
a1.sources.r1.interceptors.remove.type = remove_header
a1.sources.r1.interceptors.remove.matching = a.*
a1.sources.r1.interceptors.add.type = static
a1.sources.r1.interceptors.add.key = a
a1.sources.r1.interceptors.add.value = gone
a1.sources.r1.interceptors.add2.type = static
a1.sources.r1.interceptors.add2.key = a2
a1.sources.r1.interceptors.add2.value = stays
"
        ),
        steps: &[Avro { port: 1, calls: &[&[(&[("a3", "gone"), ("b", "stays")], "x")]] }],
        done: &[Console(1)],
        ..EMPTY
    }
);

case!(
    an_unknown_interceptor,
    Case {
        shows: "an unknown interceptor removes its source, the other source runs",
        file: "a1.sources = r1 r2
a1.channels = c1
a1.sinks = k1
a1.channels.c1.type = memory
a1.sources.r1.type = netcat
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = $PORT1
a1.sources.r1.channels = c1
a1.sources.r1.interceptors = i1
a1.sources.r1.interceptors.i1.type = no.such.Interceptor$Builder
a1.sources.r2.type = netcat
a1.sources.r2.bind = 127.0.0.1
a1.sources.r2.port = $PORT2
a1.sources.r2.channels = c1
a1.sinks.k1.type = logger
a1.sinks.k1.channel = c1
",
        steps: &[Send { port: 2, bytes: b"runs\n" }, Until(Console(1)), Listens(1)],
        differs: REFUSED,
        ..EMPTY
    }
);

case!(
    a_group_that_took_no_part,
    Case {
        shows: "regex_extractor: of a group that took no part in the match Flume makes a header without a value",
        file: avro!(
            "a1.sources.r1.interceptors = i1
a1.sources.r1.interceptors.i1.type = regex_extractor
a1.sources.r1.interceptors.i1.regex = (a)|(b)
a1.sources.r1.interceptors.i1.serializers = s1 s2
a1.sources.r1.interceptors.i1.serializers.s1.name = one
a1.sources.r1.interceptors.i1.serializers.s2.name = two
"
        ),
        steps: &[Avro { port: 1, calls: &[&[(&[], "b")]] }],
        done: &[Console(1)],
        differs: Some(Differs {
            why: "a group that took no part sets no header: a null header holds up an Avro sink for good",
            steps: &[Avro { port: 1, calls: &[&[(&[], "b")]] }],
            done: &[Console(1)],
        }),
        ..EMPTY
    }
);

case!(
    a_serializer_in_lower_case,
    Case {
        shows: "regex_extractor: `default` in lower case costs Flume the source",
        file: avro!(
            "a1.sources.r1.interceptors = i1
a1.sources.r1.interceptors.i1.type = regex_extractor
a1.sources.r1.interceptors.i1.regex = (b)
a1.sources.r1.interceptors.i1.serializers = s1
a1.sources.r1.interceptors.i1.serializers.s1.name = one
a1.sources.r1.interceptors.i1.serializers.s1.type = default
"
        ),
        steps: &[Until(Says("Source r1 has been removed due to an error")), Listens(1)],
        differs: Some(Differs {
            why: "type names are read in any case, here as everywhere",
            steps: &[Avro { port: 1, calls: &[&[(&[], "b")]] }],
            done: &[Console(1)],
        }),
        ..EMPTY
    }
);
