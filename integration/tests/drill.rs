//! The lesson's drill, with real processes.

use integration::{
    drill::{self, Options, Report, Stage},
    node::Implementation,
    solo::{at_best, less},
};
use std::time::Duration;

fn play() -> Report {
    let options = Options {
        kinds: [Implementation::Ours; 4],
        lines: 0,
        rate: 1,
        kills: 0,
        freeze: true,
        java: None,
        netns: false,
    };
    let mut cluster = drill::lay_out(&options).expect("the cluster is laid out");
    let report =
        drill::play(&mut cluster, &options, &Stage::silent()).expect("the drill is played to its end");
    eprintln!("{report}");
    assert!(report.is_clean(), "{:?}", report.faults());
    report
}

#[test]
fn the_drill_is_played_to_its_end_and_nothing_is_lost() {
    play();
}

#[test]
#[ignore = "compares with the clock: .ci/run runs it alone"]
fn no_step_of_the_drill_takes_flumes_time() {
    at_best(|| {
        let report = play();
        // The bars are for release builds on a quiet machine; here a step must only not take Flume's time.
        let slowest = report.figures().iter().map(drill::Figure::worst).max().expect("there are figures");
        less("a step", slowest, Duration::from_secs(12))?;
        // Flume's exec source keeps a lone line for three seconds.
        let line = report.figures().iter().find(|figure| figure.what().starts_with("line to slave3"));
        less("a lone line", line.expect("it is the first step").worst(), Duration::from_secs(2))
    });
}
