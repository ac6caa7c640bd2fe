//! `deploy/drill`: plays the lesson's drill with four real processes and prints what came of it.

use clap::Parser;
use integration::{
    drill::{
        self, Options, Report, Stage,
        matrix::{self, Row},
        netns,
        store::{self, Kind, Scene},
    },
    flume::Version,
    leave,
    node::{Error, Implementation},
};
use std::{
    io,
    process::ExitCode,
    thread,
    time::{Duration, SystemTime},
};

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

    /// Then drive this many numbered lines through kills and restarts of slave3, and look for each of them [0; with --store
    /// 10000].
    #[arg(long, value_name = "N")]
    lines: Option<u32>,

    /// Lines a second of that load, both agents together [5000; with --store 1000].
    #[arg(long, value_name = "R")]
    rate: Option<u32>,

    /// How often slave3 is killed and restarted under that load; with --store, how often a collector and the store are killed,
    /// in turn [3; with --store 4].
    #[arg(long, value_name = "K")]
    kills: Option<u32>,

    /// slave3 and slave4 write to a real store (hdfs, hbase, kafka, storm), which is fetched from Maven Central and started on
    /// loopback. It is killed as well; at the end everything is read back from it (needs a JDK and Maven).
    #[arg(long, value_name = "STORE", value_parser = store::find)]
    #[arg(conflicts_with_all = ["netns", "kinds", "java", "matrix", "keep", "row"])]
    store: Option<&'static Kind>,

    /// The collectors keep their events in Kafka channels instead of the lesson's memory channels, so that a kill takes none.
    #[arg(long, requires = "store")]
    durable: bool,

    /// What decides about the kills of --store; SEED in the environment does as well [from the clock].
    #[arg(long, value_name = "SEED", requires = "store")]
    seed: Option<u64>,

    /// In four network namespaces named as in the lesson, with its files byte for byte and its command lines (needs root).
    #[arg(long)]
    netns: bool,

    /// Who runs slave1, slave2, slave3 and slave4: `native`, `flume` (1.11.0) or `flume19` (1.9.0), four words with commas.
    #[arg(long, value_name = "KINDS", value_delimiter = ',', value_parser = kind)]
    kinds: Vec<Implementation>,

    /// slave1 gets an own Java interceptor and slave4 an own Java sink, with the jars of Flume 1.11.0; under load their JVMs are
    /// killed as well (needs a JDK and Maven).
    #[arg(long, conflicts_with_all = ["kinds", "matrix"])]
    java: bool,

    /// Leave out the step in which slave3 is held still, which costs real Flume more than twenty seconds.
    #[arg(long)]
    no_freeze: bool,

    /// Play it for each of the 16 ways to put real Flume 1.11.0 or native nodes on the four hosts, four at a time, without the step in
    /// which slave3 is held still, and print one table (needs a JDK and Maven; some three minutes).
    #[arg(long, requires = "netns", conflicts_with_all = ["kinds", "keep", "lines", "bars", "row"])]
    matrix: bool,

    /// Print what came of it as one line for `--matrix`.
    #[arg(long, hide = true)]
    row: bool,

    /// Fail as well when a time misses its bar.
    #[arg(long)]
    bars: bool,

    /// Print the table only.
    #[arg(long)]
    quiet: bool,
}

fn kind(word: &str) -> Result<Implementation, String> {
    match word {
        "native" | "ours" => Ok(Implementation::Ours),
        "flume" => Ok(Implementation::Flume(Version::V1_11)),
        "flume19" => Ok(Implementation::Flume(Version::V1_9)),
        _ => Err("one of native, flume, flume19".to_owned()),
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let stage = Stage::new(io::stdout());
    if arguments.matrix {
        return all(&arguments, &stage);
    }
    if arguments.row {
        return one(&arguments, &stage);
    }
    let played = match arguments.store {
        Some(kind) => with_store(kind, &arguments, &stage),
        None => play(&arguments, &stage),
    };
    match played {
        Ok(report) if report.is_clean() && (!arguments.bars || report.is_fast()) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            stage.say(format!("\nThe drill could not be played to its end.\n{error}"));
            ExitCode::FAILURE
        }
    }
}

/// All 16 combinations.
fn all(arguments: &Arguments, stage: &Stage) -> ExitCode {
    let shown = if arguments.quiet { Stage::silent() } else { stage.clone() };
    let played =
        tempfile::tempdir().map_err(Error::io("cannot make a temporary directory")).and_then(|files| {
            leave::on_signal(files.path().to_owned()).map_err(Error::io("cannot listen to signals"))?;
            matrix::play(&shown, files.path())
        });
    match played {
        Ok(table) => {
            stage.say(format!("\n{table}"));
            if table.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            stage.say(error.to_string());
            ExitCode::FAILURE
        }
    }
}

/// One of them: what came of it is the only line.
fn one(arguments: &Arguments, stage: &Stage) -> ExitCode {
    let row = match play(arguments, stage) {
        Ok(report) => Row::of(&report),
        Err(error) => Row::broken(error.to_string()),
    };
    stage.say(row.line());
    if row.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The drill with a store behind the collectors.
fn with_store(kind: &'static Kind, arguments: &Arguments, stage: &Stage) -> Result<Report, Error> {
    let files = tempfile::tempdir().map_err(Error::io("cannot make a temporary directory"))?;
    leave::on_signal(files.path().to_owned()).map_err(Error::io("cannot listen to signals"))?;
    // All of it below one directory, which goes however this program ends.
    tempfile::env::override_temp_dir(files.path()).map_err(|_| {
        Error::Missing("a temporary directory was made before its place was named".to_owned())
    })?;
    let options = Options {
        kinds: [Implementation::Ours; 4],
        lines: arguments.lines.unwrap_or(10_000),
        rate: arguments.rate.unwrap_or(1000).max(1),
        kills: arguments.kills.unwrap_or(4),
        freeze: !arguments.no_freeze,
        java: None,
        netns: false,
    };
    let given = std::env::var("SEED").ok().and_then(|text| text.parse().ok());
    let clock =
        || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
    let seed = arguments.seed.or(given).unwrap_or_else(clock);
    let shown = if arguments.quiet { Stage::silent() } else { stage.clone() };
    let mut scene = Scene::set(kind, &options, arguments.durable, files.path(), stage)?;
    shown.say(format!("SEED={seed}\n{}", outline(&options)));
    let played = scene.play(&options, seed, &shown);
    let report = played.inspect_err(|_| stage.say(format!("SEED={seed}")))?;
    scene.cluster().nodes().for_each(|node| stage.ignore(node));
    stage.say(format!("\n{report}"));
    Ok(report)
}

/// What will happen, told before the consoles scroll by.
fn outline(options: &Options) -> String {
    let place = if options.netns { "in four network namespaces" } else { "on loopback addresses" };
    let mut steps = vec![
        format!("Two collectors (slave3, slave4) and two agents (slave1, slave2) start {place}."),
        "A line goes to slave3.".to_owned(),
        "slave3 is killed; the next line goes to slave4.".to_owned(),
        "slave3 starts again; the lines go back to it.".to_owned(),
    ];
    if options.freeze {
        steps.push("slave3 is held still (SIGSTOP); the next line goes to slave4.".to_owned());
    }
    if options.lines > 0 {
        let Options { lines, rate, kills, .. } = options;
        steps.push(format!("{lines} lines follow, {rate} a second, while slave3 is killed {kills} times."));
    }
    let steps: String = steps.iter().zip(1..).map(|(step, number)| format!("\n  {number}. {step}")).collect();
    format!(
        "What happens now:{steps}\nThe consoles of all four are shown, each line with its host in front. A table of the times ends it."
    )
}

fn play(arguments: &Arguments, stage: &Stage) -> Result<Report, Error> {
    if arguments.netns {
        if !netns::is_inside() {
            return Err(netns::enter());
        }
        netns::lay()?;
    }
    let Arguments { netns, no_freeze, .. } = *arguments;
    let (lines, kills) = (arguments.lines.unwrap_or(0), arguments.kills.unwrap_or(3));
    let rate = arguments.rate.unwrap_or(5000).max(1);
    let java = arguments.java.then_some(Version::V1_11);
    let kinds = match arguments.kinds[..] {
        [] => [Implementation::Ours; 4],
        [one, two, three, four] => [one, two, three, four],
        _ => {
            return Err(Error::Missing(
                "--kinds takes four words, one for each of slave1 to slave4".to_owned(),
            ));
        }
    };
    let options = Options { kinds, lines, rate, kills, freeze: !no_freeze, java, netns };
    let shown = if arguments.quiet || arguments.row { Stage::silent() } else { stage.clone() };
    let mut cluster = drill::lay_out(&options)?;
    let directory = cluster.directory().to_owned();
    leave::on_signal(directory).map_err(Error::io("cannot listen to signals"))?;
    shown.say(outline(&options));
    let report = drill::play(&mut cluster, &options, &shown)?;
    if arguments.row {
        return Ok(report);
    }
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
