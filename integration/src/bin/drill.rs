//! `deploy/drill`: plays the lesson's drill with four real processes and prints what came of it.

use clap::Parser;
use integration::{
    drill::{self, Options, Report, Stage, netns},
    flume::Version,
    leave,
    node::{Error, Kind},
};
use std::{io, process::ExitCode, thread, time::Duration};

/// Plays the lesson's drill: two agents, two collectors, real processes on loopback addresses.
///
/// Event on slave3; slave3 killed, next event on slave4; slave3 back, events back on it; slave3 held still, next event on
/// slave4. Ends with a table. The exit code is 0 when nothing was lost.
#[derive(Parser)]
#[command(name = "drill")]
struct Arguments {
    /// Leave the cluster running at the end, until Ctrl-C.
    #[arg(long)]
    keep: bool,

    /// Then drive this many numbered lines through kills and restarts of slave3, and look for each of them.
    #[arg(long, default_value_t = 0, value_name = "N")]
    lines: u32,

    /// Lines a second of that load, both agents together.
    #[arg(long, default_value_t = 5000, value_name = "R")]
    rate: u32,

    /// How often slave3 is killed and restarted under that load.
    #[arg(long, default_value_t = 3, value_name = "K")]
    kills: u32,

    /// In four network namespaces named as in the lesson, with its files byte for byte and its command lines (needs root).
    #[arg(long)]
    netns: bool,

    /// Who runs slave1, slave2, slave3 and slave4: `ours`, `flume` (1.11.0) or `flume19` (1.9.0), four words with commas.
    #[arg(long, value_name = "KINDS", value_delimiter = ',', value_parser = kind)]
    kinds: Vec<Kind>,

    /// Fail as well when a time misses its bar.
    #[arg(long)]
    bars: bool,

    /// Print the table only.
    #[arg(long)]
    quiet: bool,
}

fn kind(word: &str) -> Result<Kind, String> {
    match word {
        "ours" => Ok(Kind::Ours),
        "flume" => Ok(Kind::Flume(Version::V1_11)),
        "flume19" => Ok(Kind::Flume(Version::V1_9)),
        _ => Err("one of ours, flume, flume19".to_owned()),
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let stage = Stage::new(io::stdout());
    match play(&arguments, &stage) {
        Ok(report) if report.is_clean() && (!arguments.bars || report.is_fast()) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            stage.say(format!("\nThe drill could not be played to its end.\n{error}"));
            ExitCode::FAILURE
        }
    }
}

fn play(arguments: &Arguments, stage: &Stage) -> Result<Report, Error> {
    if arguments.netns {
        if !netns::is_inside() {
            return Err(netns::enter());
        }
        netns::lay()?;
    }
    let Arguments { lines, rate, kills, netns, .. } = *arguments;
    let kinds = match arguments.kinds[..] {
        [] => [Kind::Ours; 4],
        [one, two, three, four] => [one, two, three, four],
        _ => {
            return Err(Error::Missing(
                "--kinds takes four words, one for each of slave1 to slave4".to_owned(),
            ));
        }
    };
    let options = Options { kinds, lines, rate: rate.max(1), kills, netns };
    let shown = if arguments.quiet { Stage::silent() } else { stage.clone() };
    let mut cluster = drill::lay_out(&options)?;
    let directory = cluster.directory().to_owned();
    leave::on_signal(directory).map_err(Error::io("cannot listen to signals"))?;
    let report = drill::play(&mut cluster, &options, &shown)?;
    if !arguments.keep {
        cluster.nodes().for_each(|node| stage.ignore(node));
    }
    stage.say(format!("\n{report}"));
    if arguments.keep {
        stage.say(format!(
            "The cluster runs on, its files are in {}. Ctrl-C ends it.",
            cluster.directory().display()
        ));
        loop {
            thread::sleep(Duration::from_secs(3600));
        }
    }
    Ok(report)
}
