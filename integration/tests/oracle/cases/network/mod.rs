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

mod http;
mod syslog;
mod thrift;
