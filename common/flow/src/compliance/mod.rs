//! One suite of tests for every source, sink and channel: what each has to keep, whatever it is connected to.
//!
//! A component takes part with a small adapter, its *bench*: [`SourceBench`], [`SinkBench`] or [`ChannelBench`]. The bench
//! says how to feed the component, how to read what has arrived, and how to break and mend what it is connected to. The
//! suite runs the component in a real flow, with the supervisor that it has in an agent, and holds it to this: nothing is
//! lost, the order is kept, nothing comes twice but what was in doubt, and no stop hangs.

pub mod channel;
mod parts;
pub mod sink;
pub mod source;

pub use channel::ChannelBench;
pub use parts::Collected;
pub use sink::SinkBench;
pub use source::{Running, SourceBench};

use crate::channel::NewChannel;
use crate::component::{Component, Configure, Site};
use plan::{Findings, Owner, Properties, Report};
use runtime::clock::{self, Duration};
use runtime::within::LIMIT;
use std::collections::BTreeSet;
use tokio::time::sleep;

/// Makes a module of all tests of a kind for each bench, and a list of the components that have one. `$suite` makes a suite
/// of the component's name and its bench. With `in turn`, inside a test: runs them all, one after the other, each with a suite
/// that the expression makes; for what stands behind a server that takes long to start.
#[macro_export]
macro_rules! comply {
    (source $($rest:tt)*) => {
        $crate::comply! { @of [$($rest)*] [
            a_short_batch_is_stored_at_once
            a_full_channel_is_waited_for
            a_stop_half_way_loses_nothing
            a_stop_does_not_wait_for_a_channel_that_stays_full
            a_source_that_dies_goes_on
            what_no_channel_takes_is_told
        ] }
    };
    (sink $($rest:tt)*) => {
        $crate::comply! { @of [$($rest)*] [
            a_short_batch_is_delivered_at_once
            a_destination_that_is_down_at_the_start_is_waited_for
            a_destination_that_goes_in_the_middle_misses_nothing
            a_stop_half_way_loses_nothing
            a_stop_does_not_wait_for_a_destination_that_stays_down
            a_sink_that_dies_takes_nothing_with_it
            a_batch_that_is_refused_stays_in_its_place
        ] }
    };
    (channel $($rest:tt)*) => {
        $crate::comply! { @of [$($rest)*] [
            a_short_batch_can_be_taken_at_once
            a_full_channel_keeps_who_can_wait_and_refuses_who_cannot
            what_is_given_back_keeps_its_place
            a_stop_half_way_keeps_the_rest_where_it_is_durable
            a_channel_that_dies_is_built_anew_with_what_it_held
            a_batch_that_never_fits_is_refused_at_once
        ] }
    };
    (@of [in turn $suite:expr] [$($test:ident)*]) => {
        $({
            eprintln!("{}", stringify!($test));
            $suite.$test().await;
        })*
    };
    (@of [$list:ident $suite:ident { $($module:ident $alias:literal $bench:expr;)* }] $tests:tt) => {
        const $list: &[&str] = &[$($alias),*];
        $(mod $module {
            use super::*;
            $crate::comply! { @tests [$suite($alias, $bench)] $tests }
        })*
    };
    (@tests [$suite:expr] [$($test:ident)*]) => {
        $(#[actix::test]
        async fn $test() {
            $suite.$test().await;
        })*
    };
}

/// Keys and values of a component, without its type and its channels.
pub type Pairs = Vec<(String, String)>;

/// Keys and values, from what is at hand.
pub fn pairs<V: ToString>(pairs: impl IntoIterator<Item = (&'static str, V)>) -> Pairs {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_string())).collect()
}

/// Has a component judge its properties; panics with its findings when it cannot be made.
fn configured<T>(
    component: &'static Component,
    pairs: Pairs,
    make: impl FnOnce(&Configure, &Properties, &mut Findings<'_>) -> Option<T>,
) -> (T, Properties) {
    let properties = Properties::of(&component.descriptor, pairs);
    let (owner, mut report) = (Owner::nobody(), Report::default());
    let made = make(&component.configure, &properties, &mut Findings::new(&owner, &properties, &mut report));
    (made.unwrap_or_else(|| panic!("{report}")), properties)
}

fn new_channel(component: &'static Component, pairs: Pairs) -> NewChannel {
    let make = |configure: &Configure, properties: &Properties, findings: &mut Findings<'_>| match configure {
        Configure::Channel(configure) => configure(properties, &Site::new(&[]), findings),
        _ => None,
    };
    configured(component, pairs, make).0
}

/// What may be missing or come twice.
#[derive(Default)]
struct Excuses {
    /// Events may be missing.
    missing: bool,
    /// Every event may come again, from the first one on.
    again: bool,
    /// These may come twice.
    in_doubt: BTreeSet<u64>,
    /// So many may come twice, whichever they are.
    under_way: usize,
}

/// Panics unless all of `sent`, which ascends, has arrived in its order, once each, as far as there is no excuse.
fn check(sent: impl IntoIterator<Item = u64>, arrived: &[u64], excuses: &Excuses) {
    let sent: BTreeSet<u64> = sent.into_iter().collect();
    let (mut seen, mut newest, mut doubled) = (BTreeSet::new(), None, 0);
    for number in arrived {
        assert!(sent.contains(number), "{number} was never sent; arrived: {arrived:?}");
        if seen.insert(*number) {
            assert!(newest < Some(*number), "{number} came behind {newest:?}; arrived: {arrived:?}");
            newest = Some(*number);
        } else {
            doubled += 1;
            let is_known = excuses.again || excuses.in_doubt.contains(number);
            assert!(
                is_known || doubled <= excuses.under_way,
                "{number} came twice and was not in doubt; arrived: {arrived:?}"
            );
        }
    }
    let missing: Vec<&u64> = sent.difference(&seen).collect();
    assert!(missing.is_empty() || excuses.missing, "lost: {missing:?}; arrived: {arrived:?}");
}

/// Waits until `holds`; panics and says for `what` when that takes too long.
async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let begun = clock::now();
    while !holds().await {
        assert!(clock::now() - begun < LIMIT, "waited {LIMIT:?} for {what}");
        sleep(LOOK).await;
    }
}

/// Between two looks at a file, a port or a channel.
const LOOK: Duration = Duration::from_millis(5);

/// How long something that must not happen is given to happen.
const A_WHILE: Duration = Duration::from_millis(250);

/// How long a stop waits for channels that cannot run dry.
const SHORT_DRAIN: Duration = Duration::from_millis(300);

/// How long a stop waits for channels that can.
const LONG_DRAIN: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    fn excuses(missing: bool, again: bool, in_doubt: &[u64]) -> Excuses {
        Excuses { missing, again, in_doubt: in_doubt.iter().copied().collect(), under_way: 0 }
    }

    #[test]
    fn what_is_excused_passes() {
        check(0..4, &[0, 1, 2, 3], &Excuses::default());
        check(0..4, &[0, 1, 2, 1, 2, 3], &excuses(false, false, &[1, 2]));
        check(0..4, &[0, 1, 0, 1, 2, 3], &excuses(false, true, &[]));
        check(0..4, &[0, 3], &excuses(true, false, &[]));
        check(0..4, &[0, 1, 2, 1, 2, 3], &Excuses { under_way: 2, ..Excuses::default() });
    }

    #[test]
    #[should_panic(expected = "2 came twice")]
    fn more_than_was_under_way_is_seen() {
        check(0..4, &[0, 1, 2, 1, 2, 3], &Excuses { under_way: 1, ..Excuses::default() });
    }

    #[test]
    #[should_panic(expected = "lost: [2]")]
    fn a_loss_is_seen() {
        check(0..4, &[0, 1, 3], &Excuses::default());
    }

    #[test]
    #[should_panic(expected = "2 came behind Some(3)")]
    fn another_order_is_seen() {
        check(0..4, &[0, 1, 3, 2], &excuses(true, true, &[]));
    }

    #[test]
    #[should_panic(expected = "1 came twice and was not in doubt")]
    fn a_double_is_seen() {
        check(0..4, &[0, 1, 2, 1, 2, 3], &excuses(true, false, &[2]));
    }
}
