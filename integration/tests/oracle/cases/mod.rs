//! The table. A row is one [`Case`]; add it beside its like, then record what Flume gives.
//!
//! Rows say the least that shows the point; what they leave out is [`Case::EMPTY`]. Files written for a row are in the
//! manner of files people publish: where a row follows one of those, its comment says so.

mod corpus;
mod groups;
mod interceptors;
mod selectors;
mod sources;
mod traps;

use crate::case;
use integration::flume::{
    Version,
    oracle::{
        Case,
        Done::{Console, Lines, Says, Sink},
        Step::{Answers, Append, Avro, Down, Exit, Flume, Listens, Ours, Pass, Rename, Send, Until, Up},
    },
};

pub(crate) use corpus::SEED_AGENT;

const EMPTY: Case = Case::EMPTY;
