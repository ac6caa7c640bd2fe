//! The table. A row is one [`Case`]; add it beside its like, then record what Flume gives.
//!
//! Rows say the least that shows the point; what they leave out is [`Case::EMPTY`]. Files written for a row are in the
//! manner of files people publish: where a row follows one of those, its comment says so.

/// An Avro source and a logger sink; more lines of the file follow.
macro_rules! avro {
    ($more:literal) => {
        concat!(
            "a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.channels.c1.type = memory
a1.sources.r1.type = avro
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

mod avro;
mod corpus;
mod groups;
mod interceptors;
mod lesson;
mod network;
mod published;
mod selectors;
mod sources;
mod spooldir;
mod traps;

use crate::case;
use integration::flume::{
    Version,
    oracle::{
        Case, Differs,
        Done::{Bytes, Console, Gone, Lines, Says, Sink},
        Step::{
            Answers, Append, Avro, Datagram, Down, Exit, Listens, Opens, Pass, Rename, Request, Send, Until,
            Up,
        },
    },
};

pub(crate) use lesson::SEED_AGENT;

const EMPTY: Case = Case::EMPTY;

/// A comment behind a value is what most files mean by it.
const COMMENT: &str =
    "a blank and # behind a value is taken for the comment it was meant to be, with a warning";

/// What Flume drops, with a warning in some line, ours does not start without.
const REFUSED: Option<Differs> = Some(Differs {
    why: "a mistake that would cost events ends the start: the report has each of them, with its place and what to write instead",
    steps: &[Exit],
    done: &[],
});
