//! Source and sink that speak HTTP.

use super::*;

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
            Opens(1),
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
