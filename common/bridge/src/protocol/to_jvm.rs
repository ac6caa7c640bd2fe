//! Frames for the JVM.

use super::{Outcome, push_text};
use crate::{Attribute, Bean, Spec, frame::Outgoing};
use bytes::BytesMut;
use event::{Batch, push_zigzag};

pub(crate) const PING: u8 = 0x41;
pub(crate) const METRICS: u8 = 0x40;
pub(crate) const DUMP: u8 = 0x42;
pub(crate) const RELEASE: u8 = 0x43;
pub(crate) const START: u8 = 0x03;
pub(crate) const STOP: u8 = 0x04;
pub(crate) const DISCARD: u8 = 0x05;
pub(crate) const PROCESS: u8 = 0x20;
pub(crate) const RECALL: u8 = 0x22;

/// Which objects a batch has, for a frame to the JVM that has them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known<'a> {
    /// The JVM's number for those of the batch that they came with.
    pub(crate) id: u64,
    /// Of each event, its place there.
    pub(crate) places: &'a [u32],
}

/// A frame without a payload.
pub(crate) fn plain(kind: u8, component: u32) -> Outgoing {
    Outgoing::new(kind, component, &[], [])
}

pub(crate) fn create(component: u32, spec: &Spec) -> Outgoing {
    let mut out = BytesMut::new();
    push_zigzag(&mut out, spec.kind as i64);
    push_text(&mut out, &spec.name);
    push_text(&mut out, &spec.class);
    push_zigzag(&mut out, spec.properties.len() as i64);
    for (key, value) in &spec.properties {
        push_text(&mut out, key);
        push_text(&mut out, value);
    }
    push_zigzag(&mut out, spec.names.len() as i64);
    spec.names.iter().for_each(|name| push_text(&mut out, name));
    push_zigzag(&mut out, i64::try_from(spec.transaction_capacity).unwrap_or(i64::MAX));
    push_zigzag(&mut out, i64::try_from(spec.keep_alive.as_millis()).unwrap_or(i64::MAX));
    Outgoing::new(0x02, component, &out, [])
}

/// Events for interceptors. `single`: each goes through `intercept(Event)`, as some sources do it.
pub(crate) fn call(component: u32, call: u64, single: bool, batch: &Batch) -> Outgoing {
    with_events(0x10, component, &[call as i64, i64::from(single)], batch, None)
}

/// Events for a sink; `first` is the number of the first of them.
pub(crate) fn events(component: u32, first: u64, batch: &Batch, objects: Option<Known<'_>>) -> Outgoing {
    with_events(0x21, component, &[first as i64], batch, objects)
}

pub(crate) fn put_result(component: u32, transaction: i64, answer: Result<(), (i64, &str)>) -> Outgoing {
    let (code, text) = answer.err().unwrap_or((0, ""));
    let mut out = BytesMut::new();
    push_zigzag(&mut out, transaction);
    push_zigzag(&mut out, code);
    push_text(&mut out, text);
    Outgoing::new(0x31, component, &out, [])
}

pub(crate) fn channel_put(
    component: u32,
    transaction: u64,
    batch: &Batch,
    objects: Option<Known<'_>>,
) -> Outgoing {
    with_events(0x50, component, &[transaction as i64], batch, objects)
}

pub(crate) fn channel_take(component: u32, transaction: u64, most: usize) -> Outgoing {
    numbers(0x51, component, &[transaction as i64, most as i64])
}

pub(crate) fn channel_end(component: u32, transaction: u64, commit: bool) -> Outgoing {
    numbers(0x52, component, &[transaction as i64, i64::from(commit)])
}

/// What a config filter is asked for.
pub(crate) fn question(component: u32, key: &str) -> Outgoing {
    let mut out = BytesMut::new();
    push_text(&mut out, key);
    Outgoing::new(0x70, component, &out, [])
}

/// All native components with their counters.
pub(crate) fn counters(component: u32, beans: &[Bean]) -> Outgoing {
    let mut out = BytesMut::new();
    push_zigzag(&mut out, beans.len() as i64);
    for bean in beans {
        push_text(&mut out, &bean.kind);
        push_text(&mut out, &bean.name);
        push_zigzag(&mut out, bean.attributes.len() as i64);
        for (name, value) in &bean.attributes {
            push_text(&mut out, name);
            match value {
                Attribute::Long(number) => [0, *number].iter().for_each(|each| push_zigzag(&mut out, *each)),
                Attribute::Double(number) => {
                    push_zigzag(&mut out, 1);
                    push_text(&mut out, &format!("{number:?}")); // Java reads it as Rust does
                }
                Attribute::Text(text) => {
                    push_zigzag(&mut out, 2);
                    push_text(&mut out, text);
                }
            }
        }
    }
    Outgoing::new(0x71, component, &out, [])
}

/// How the sink `index` of a group has ended its round.
pub(crate) fn answer(component: u32, index: usize, outcome: &Outcome) -> Outgoing {
    let mut out = BytesMut::new();
    push_zigzag(&mut out, index as i64);
    match outcome {
        Outcome::Ready => push_zigzag(&mut out, 0),
        Outcome::Backoff => push_zigzag(&mut out, 1),
        Outcome::Exception(thrown) | Outcome::Dead(thrown) => {
            push_zigzag(&mut out, 2);
            push_text(&mut out, &thrown.message);
        }
    }
    Outgoing::new(0x60, component, &out, [])
}

fn numbers(kind: u8, component: u32, numbers: &[i64]) -> Outgoing {
    let mut out = BytesMut::new();
    numbers.iter().for_each(|number| push_zigzag(&mut out, *number));
    Outgoing::new(kind, component, &out, [])
}

/// Nobody has these objects any more.
pub(crate) fn release(id: u64) -> Outgoing {
    numbers(RELEASE, 0, &[id as i64])
}

/// A count below zero says that there are objects: their number, and of each event its place among them.
fn with_events(
    kind: u8,
    component: u32,
    numbers: &[i64],
    batch: &Batch,
    objects: Option<Known<'_>>,
) -> Outgoing {
    let mut out = BytesMut::new();
    numbers.iter().for_each(|number| push_zigzag(&mut out, *number));
    match objects {
        None => push_zigzag(&mut out, batch.len() as i64),
        Some(Known { id, places }) => {
            push_zigzag(&mut out, -(batch.len() as i64));
            push_zigzag(&mut out, id as i64);
            places.iter().for_each(|place| push_zigzag(&mut out, i64::from(*place)));
        }
    }
    Outgoing::new(kind, component, &out, batch.runs())
}
