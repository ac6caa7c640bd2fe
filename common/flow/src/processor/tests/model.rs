//! A group under whatever its sinks may do, in any order: nothing is lost, order is kept, no event waits for a dead sink.

use super::*;
use proptest::prelude::*;

/// What happens next; the number is the sink's.
#[derive(Debug, Clone)]
enum Step {
    Put(u64),
    /// Its peer can be reached again.
    Up(usize),
    /// Its connection breaks, and it cannot be reached.
    Break(usize),
    /// Its peer is about to stop.
    Leave(usize),
    /// It keeps what it is given, as a stopped process does.
    Hold(usize),
    /// It answers all that it has kept, and again from now on.
    Acknowledge(usize),
    /// It answers FAILED from now on, or no more.
    Refuse(usize, bool),
    /// Its actor dies, and its successor says so.
    Restart(usize),
    Wait(u64),
}

const SINKS: usize = 3;

fn step() -> impl Strategy<Value = Step> {
    let sink = 0..SINKS;
    prop_oneof![
        4 => (1..4u64).prop_map(Step::Put),
        2 => sink.clone().prop_map(Step::Up),
        1 => sink.clone().prop_map(Step::Break),
        1 => sink.clone().prop_map(Step::Leave),
        1 => sink.clone().prop_map(Step::Hold),
        2 => sink.clone().prop_map(Step::Acknowledge),
        1 => (sink.clone(), any::<bool>()).prop_map(|(sink, refuses)| Step::Refuse(sink, refuses)),
        1 => sink.prop_map(Step::Restart),
        2 => (1..5_000u64).prop_map(Step::Wait),
    ]
}

impl Fixture {
    async fn play(&self, step: &Step, put: &mut u64) {
        let script = |sink: &usize| self.scripts[*sink].borrow_mut();
        match step {
            Step::Put(events) => {
                self.put(*put..*put + events).await;
                *put += events;
            }
            Step::Up(sink) => script(sink).up = true,
            Step::Break(sink) => self.sinks[*sink].do_send(Break),
            Step::Leave(sink) => self.group.do_send(Health { sink: *sink, state: State::Leaving }),
            Step::Hold(sink) => script(sink).answers = false,
            Step::Acknowledge(sink) => {
                script(sink).answers = true;
                self.acknowledge(*sink).await;
            }
            Step::Refuse(sink, refuses) => script(sink).refuses = *refuses,
            Step::Restart(sink) => {
                drop(std::mem::take(&mut script(sink).held));
                self.group.do_send(Health { sink: *sink, state: State::Started });
            }
            Step::Wait(millis) => sleep(Duration::from_millis(*millis)).await,
        }
        self.settled().await;
    }

    /// Events that arrived anywhere, each sink's in the order in which they did.
    fn all_arrived(&self) -> Vec<Vec<u64>> {
        (0..SINKS).map(|sink| self.arrived(sink)).collect()
    }

    /// Whether a sink could have taken everything by now, and no stopped one sits on a part of it.
    fn has_no_excuse(&self) -> bool {
        let able = |script: &Script| script.up && script.answers && !script.refuses;
        let scripts = || self.scripts.iter().map(|script| script.borrow());
        scripts().any(|script| able(&script)) && scripts().all(|script| script.held.is_empty())
    }
}

/// What is wrong after these steps, if anything is.
async fn played(balanced: bool, window: usize, steps: &[Step]) -> Result<(), String> {
    let group = if balanced { Fixture::balanced(SINKS) } else { Fixture::new(SINKS, PENALTY) };
    let log = group.scripts[0].borrow().log.clone();
    for script in &group.scripts {
        script.borrow_mut().log = log.clone();
        script.borrow_mut().window = Window { deliveries: window, bytes: usize::MAX };
    }
    let mut put = 0;
    for (number, step) in steps.iter().enumerate() {
        group.play(step, &mut put).await;
        if matches!(step, Step::Wait(3_000..)) && group.has_no_excuse() {
            // Longer than any rest while none is live; what refused a moment ago has its next trial within it.
            sleep(Duration::from_secs(6)).await;
            group.settled().await;
            let arrived: usize = group.all_arrived().iter().map(Vec::len).sum();
            if arrived as u64 != put && group.has_no_excuse() {
                return Err(format!("{arrived} of {put} have arrived after step {number}"));
            }
        }
    }
    for sink in 0..SINKS {
        for step in [Step::Up(sink), Step::Refuse(sink, false), Step::Acknowledge(sink)] {
            group.play(&step, &mut put).await;
        }
    }
    sleep(Duration::from_secs(60)).await;
    group.settled().await;
    let each = group.all_arrived();
    let mut all = each.concat();
    all.sort_unstable();
    if all != (0..put).collect::<Vec<_>>() {
        return Err(format!("not each of {put} has arrived once: {each:?}"));
    }
    let in_order = |events: &Vec<u64>| events.is_sorted();
    let log = log.borrow();
    match balanced || (each.iter().all(in_order) && log.is_sorted()) {
        true => Ok(()),
        false => Err(format!("not in order: {log:?}, by sink {each:?}")),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_sinks_do_nothing_is_lost_order_is_kept_and_no_event_waits_for_a_dead_one(
        balanced in any::<bool>(),
        window in 1..5usize,
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let result = actix_rt::System::new().block_on(async {
            tokio::time::pause();
            played(balanced, window, &steps).await
        });
        prop_assert!(result.is_ok(), "{}", result.unwrap_err());
    }
}
