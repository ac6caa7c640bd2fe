//! The lesson's drill, played with real processes: event on slave3, slave3 killed, next event on slave4, slave3 back,
//! events back on it; then what every reader tries next, a slave3 that hangs; then, on demand, load through kills.

mod load;
pub mod matrix;
pub mod netns;
mod report;
mod stage;
mod steps;
pub mod store;

pub use report::{Figure, Report};
pub use stage::Stage;

use crate::{
    cluster::{Cluster, Setup},
    flume::Version,
    lesson,
    node::{Error, Implementation},
    ports,
};

/// What to play.
#[derive(Debug, Clone)]
pub struct Options {
    /// slave1, slave2, slave3, slave4.
    pub kinds: [Implementation; 4],
    /// Lines to drive through kills of slave3 once the steps are done; 0 leaves that out.
    pub lines: u32,
    /// Lines a second of both agents together.
    pub rate: u32,
    /// How often slave3 is killed and restarted under that load.
    pub kills: u32,
    /// Whether slave3 is also held still, which real Flume notices after twenty seconds and more.
    pub freeze: bool,
    /// slave1 has an own Java interceptor and slave4 an own Java sink; their JVMs are killed under load as well.
    pub java: Option<Version>,
    /// Four network namespaces with the lesson's own names and files.
    pub netns: bool,
}

/// Writes the files of the drill's cluster; nothing runs yet.
///
/// # Errors
/// When a binary is missing or a file cannot be written.
pub fn lay_out(options: &Options) -> Result<Cluster, Error> {
    Cluster::lay_out(&setup(options)?)
}

/// Plays the drill and says what came of it. The cluster still runs when this returns.
///
/// # Errors
/// When a node does not start or a line that must come does not come at all.
pub fn play(cluster: &mut Cluster, options: &Options, stage: &Stage) -> Result<Report, Error> {
    for node in cluster.nodes() {
        stage.listen(node);
    }
    let mut report = Report::default();
    steps::play(cluster, stage, &mut report, &steps::Course { freeze: options.freeze, store: None })?;
    if options.lines > 0 {
        load::play(cluster, stage, &mut report, options)?;
    }
    Ok(report)
}

fn setup(options: &Options) -> Result<Setup, Error> {
    let here = || ports::lessons_whereabouts().map_err(Error::io("no free port on 127.0.0.3 and 127.0.0.4"));
    // The lesson starts its agents at DEBUG. Under load that would measure the console.
    let client_level = if options.lines == 0 { "DEBUG,console" } else { "INFO,console" };
    let plain = Setup { kinds: options.kinds, client_level, java: options.java, ..Setup::default() };
    Ok(match options.netns {
        true => {
            Setup { whereabouts: Some(lesson::Whereabouts::as_printed()), wrap: Some(netns::wrap()), ..plain }
        }
        false => Setup { whereabouts: Some(here()?), ..plain },
    })
}
