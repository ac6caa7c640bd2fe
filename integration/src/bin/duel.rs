//! How fast: native nodes beside a raw copy, real Flume, rsyslog and Fluent Bit. `duel --help` says how.

use clap::Parser;
use integration::{
    duel::{
        Bar, Contestant, FluentBit, Program, Rsyslog, TwoHops,
        arena::{self, Arena, Shape},
        board::{self, Row},
        latency, raw,
        raw::RawCopy,
        recipe::{Around, Batch, Channel, End, Recipe, Source, USUAL_HEADERS},
        swarm::{self, Swarm},
    },
    flume::Version,
    leave,
    load::Demand,
    node::Error,
};
use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

/// Carries lines from a file through two processes to a file, acknowledged, and prints who does it how fast.
///
/// Build it in release mode: `cargo run --release -p integration --bin duel`.
#[derive(Parser)]
#[command(name = "duel")]
struct Arguments {
    /// Lines of 256 bytes in each run of the fast contestants; real Flume gets a fifth, its file channels a twentieth.
    #[arg(long, default_value_t = 2_000_000, value_name = "N")]
    lines: u32,

    /// How often each contestant runs. Rounds are interleaved; the table shows medians.
    #[arg(long, default_value_t = 5, value_name = "N")]
    rounds: u32,

    /// Only contestants whose name contains this; may be given several times. Raw copies always run.
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,

    /// Leave real Flume, rsyslog and Fluent Bit out.
    #[arg(long = "native", alias = "ours")]
    ours: bool,

    /// Measure latency instead: at 1,000 lines a second, and at this many; half of what goes through if not said.
    #[arg(long, value_name = "RATE")]
    latency: Option<Option<u32>>,

    /// Count the cost of 1, 10, 100 and 1,000 agents instead, which send 200,000 events a second together.
    #[arg(long)]
    agents: bool,

    /// Compare the processor seconds of compression within TLS with those of compression alone instead.
    #[arg(long)]
    tls: bool,

    /// A bar that is missed is an error: a ratio to the raw copy, processor seconds, memory, lines a second, latency,
    /// shares.
    #[arg(long)]
    bars: bool,

    /// Print the table as Markdown.
    #[arg(long)]
    markdown: bool,

    /// Write the lines here instead of where temporary files go.
    #[arg(long, value_name = "DIRECTORY")]
    directory: Option<PathBuf>,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let result = match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [raw::SEND, to, window] => send(to, window),
        [raw::RECEIVE, output, told] => {
            raw::receive(Path::new(output), Path::new(told)).map_err(Error::io(raw::RECEIVE))
        }
        _ => {
            let arguments = Arguments::parse();
            match arguments.latency {
                Some(rate) => delay(&arguments, rate),
                None if arguments.agents => many(&arguments),
                None if arguments.tls => compressed(&arguments),
                None => duel(&arguments),
            }
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("{error}"));
            ExitCode::FAILURE
        }
    }
}

fn send(to: &str, window: &str) -> Result<(), Error> {
    let bad = |what: &str| Error::Missing(format!("{}: {what}", raw::SEND));
    let to = to.parse().map_err(|_| bad("no address"))?;
    raw::send(to, window.parse().map_err(|_| bad("no number"))?).map_err(Error::io(raw::SEND))
}

fn duel(arguments: &Arguments) -> Result<(), Error> {
    let arena = arena(arguments)?;
    let contestants = contestants(arguments);
    let mut rows: Vec<Row> = contestants.iter().map(|contestant| Row::new(&**contestant)).collect();
    let missing: Vec<Option<String>> = contestants.iter().map(|contestant| contestant.missing()).collect();
    for round in 1..=arguments.rounds {
        for ((contestant, row), missing) in contestants.iter().zip(&mut rows).zip(&missing) {
            let run = match missing {
                Some(why) if round == 1 => Err(why.clone()),
                Some(_) => continue,
                None => arena
                    .warm(contestant.shape())
                    .and_then(|()| contestant.run(&arena))
                    .map_err(|error| error.to_string()),
            };
            let told = match &run {
                Ok(sample) => {
                    let rate = f64::from(contestant.shape().lines) / sample.whole.as_secs_f64();
                    format!("{} lines/s, {:.2} CPU s", board::thousands(rate), sample.cpu_seconds)
                }
                Err(trouble) => trouble.clone(),
            };
            let _ = writeln!(io::stderr(), "round {round}: {}: {told}", contestant.name()); // progress only
            row.note(run);
        }
    }
    say(&board::table(&rows, arguments.markdown));
    let ran = rows.iter().zip(&missing).filter(|(_, missing)| missing.is_none());
    match ran.filter(|(row, _)| row.is_faulty()).count() {
        0 => judge(arguments, &board::missed(&rows)),
        faulty => Err(Error::Missing(format!(
            "{faulty} contestants lost, doubled or mixed up lines, or did not finish"
        ))),
    }
}

/// Tells the bars that were missed; an error where they are asked for.
fn judge(arguments: &Arguments, missed: &[String]) -> Result<(), Error> {
    if missed.is_empty() {
        return Ok(());
    }
    let text = format!("missed: {}", missed.join("; "));
    if arguments.bars {
        return Err(Error::Missing(text));
    }
    say(&text);
    Ok(())
}

fn arena(arguments: &Arguments) -> Result<Arena, Error> {
    let arena = Arena::new(arguments.directory.as_deref())?;
    leave::on_signal(arena.path().to_owned()).map_err(Error::io("cannot listen to signals"))?;
    Ok(arena)
}

fn contestants(arguments: &Arguments) -> Vec<Box<dyn Contestant>> {
    let usual = Shape { lines: arguments.lines, bytes: arena::USUAL };
    let long = Shape { lines: (arguments.lines / 16).max(1), bytes: 4096 };
    let raw = |from, window, shape| -> Box<dyn Contestant> { Box::new(RawCopy { from, window, shape }) };
    let mut all = vec![
        raw(raw::From::File, 1, usual),
        raw(raw::From::File, 4, usual),
        raw(raw::From::Pipe, 4, usual),
        raw(raw::From::File, 4, long),
    ];
    let rivals = usize::from(!arguments.ours) * usize::MAX;
    let others = ours(usual, long).into_iter().chain(theirs(usual).into_iter().take(rivals));
    let wanted =
        |name: &str| arguments.only.is_empty() || arguments.only.iter().any(|only| name.contains(only));
    all.extend(others.filter(|contestant| wanted(&contestant.name())));
    all
}

const PLAIN: Recipe = Recipe {
    source: Source::Taildir,
    batch: Batch::Thousand,
    channel: Channel::Memory,
    end: End::FileRoll,
    headers: USUAL_HEADERS,
    live_files: 1,
    idle_files: 0,
    around: Around::Nothing,
};

fn ours(usual: Shape, long: Shape) -> Vec<Box<dyn Contestant>> {
    let two = |recipe, shape, bars| -> Box<dyn Contestant> {
        Box::new(TwoHops { agent: Program::Ours, collector: Program::Ours, recipe, shape, bars })
    };
    let fewer = Shape { lines: (usual.lines / 4).max(1), ..usual };
    let exec = Recipe { source: Source::Exec, ..PLAIN };
    vec![
        two(PLAIN, usual, &[Bar::OfCopy(0.8), Bar::CpuSeconds(0.8), Bar::PeakMib(32.0)]),
        two(Recipe { batch: Batch::Lesson, ..PLAIN }, usual, &[Bar::OfCopy(0.6)]),
        two(Recipe { batch: Batch::Lesson, ..exec }, usual, &[Bar::OfCopy(0.7)]),
        two(exec, usual, &[Bar::OfCopy(0.7)]),
        two(PLAIN, long, &[Bar::OfCopy(0.8)]),
        two(Recipe { end: End::Null, ..PLAIN }, usual, &[]),
        two(Recipe { batch: Batch::Lesson, end: End::Logger, ..exec }, usual, &[Bar::Lines(300_000.0)]),
        two(Recipe { headers: 0, ..PLAIN }, usual, &[]),
        two(Recipe { headers: 4, ..PLAIN }, usual, &[]),
        two(Recipe { headers: 16, ..PLAIN }, usual, &[]),
        two(Recipe { live_files: 10, ..PLAIN }, usual, &[]),
        two(Recipe { live_files: 10, idle_files: 9_990, ..PLAIN }, usual, &[]),
        two(Recipe { batch: Batch::Ten { capacity: 10 }, ..PLAIN }, fewer, &[]),
        two(Recipe { batch: Batch::Ten { capacity: 1_000 }, ..PLAIN }, fewer, &[]),
        two(Recipe { batch: Batch::Ten { capacity: 1_000_000 }, ..PLAIN }, fewer, &[]),
    ]
}

fn theirs(usual: Shape) -> Vec<Box<dyn Contestant>> {
    let flume = Program::Flume(Version::V1_11);
    let fewer = |part: u32| Shape { lines: (usual.lines / part).max(1), ..usual };
    let two = |agent, collector, recipe, shape, bars| -> Box<dyn Contestant> {
        Box::new(TwoHops { agent, collector, recipe, shape, bars })
    };
    vec![
        two(flume, flume, PLAIN, fewer(5), &[]),
        two(flume, flume, Recipe { channel: Channel::File, ..PLAIN }, fewer(20), &[]),
        two(Program::Ours, flume, PLAIN, fewer(5), &[Bar::AsFlume]),
        two(flume, Program::Ours, PLAIN, fewer(5), &[]),
        Box::new(Rsyslog { relp: false, shape: usual }),
        Box::new(Rsyslog { relp: true, shape: fewer(5) }),
        Box::new(FluentBit { shape: usual }),
    ]
}

fn delay(arguments: &Arguments, rate: Option<u32>) -> Result<(), Error> {
    let arena = arena(arguments)?;
    let shape = Shape { lines: 1, bytes: arena::USUAL };
    let mut missed = vec![];
    for batch in [Batch::Lesson, Batch::Thousand] {
        let recipe = Recipe { batch, ..PLAIN };
        let duel = TwoHops { agent: Program::Ours, collector: Program::Ours, recipe, shape, bars: &[] };
        say(&duel.name());
        let measure = |lines: u32, rate| {
            arena.warm(Shape { lines: lines.saturating_mul(2), bytes: arena::USUAL })?;
            latency::run(&duel, &arena, Demand { lines, rate, bytes: arena::USUAL })
        };
        let full = measure(arguments.lines, 0)?.speed();
        say(&format!("{full} lines/s at most, with who writes and who reads them on this machine as well"));
        for (rate, bar) in [(1_000, CALM), (rate.unwrap_or(full / 2), BUSY)] {
            // No more than in a run of the duel: what the disk cannot take as fast as that would wait for it.
            let latency = measure(rate.saturating_mul(SECONDS).min(arguments.lines), rate)?;
            say(&latency.to_string());
            missed.extend(latency.missed(bar).map(|missed| format!("{}: {missed}", duel.name())));
        }
    }
    judge(arguments, &missed)
}

/// Milliseconds at the median and at the 99th percentile that are asked for at 1,000 lines a second, and at half of full speed.
const CALM: latency::Bar = latency::Bar { p50: 1.0, p99: 5.0 };
const BUSY: latency::Bar = latency::Bar { p50: f64::INFINITY, p99: 20.0 };

fn many(arguments: &Arguments) -> Result<(), Error> {
    let arena = arena(arguments)?;
    let mut missed = vec![];
    for agents in [1, 10, 100, 1_000] {
        let directory = arena.fresh()?;
        let swarm = Swarm { agents, rate: 200_000, each: Duration::from_secs(5) };
        let cost = swarm::run(swarm, directory.path())?;
        say(cost.to_string().trim_end());
        missed.extend(cost.missed());
    }
    judge(arguments, &missed)
}

/// Compression alone and within TLS, in turns.
fn compressed(arguments: &Arguments) -> Result<(), Error> {
    let arena = arena(arguments)?;
    let shape = Shape { lines: arguments.lines, bytes: arena::USUAL };
    let mut seconds = [vec![], vec![]];
    for _ in 0..arguments.rounds {
        for (around, seconds) in [Around::Zlib, Around::ZlibAndTls].into_iter().zip(&mut seconds) {
            let recipe = Recipe { around, ..PLAIN };
            let duel = TwoHops { agent: Program::Ours, collector: Program::Ours, recipe, shape, bars: &[] };
            let sample = arena.warm(shape).and_then(|()| duel.run(&arena))?;
            let cpu = sample.cpu_seconds * 1e6 / f64::from(shape.lines);
            say(&format!("{}: {cpu:.2} CPU s per million lines", duel.name()));
            seconds.push(cpu);
        }
    }
    let [alone, within] = seconds.map(median);
    let told = format!(
        "compression within TLS costs {:.2} times compression alone ({within:.2} and {alone:.2} CPU s)",
        within / alone
    );
    say(&told);
    judge(arguments, &if within > alone * MOST_FOR_TLS { vec![told] } else { vec![] })
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

/// What compression within TLS may cost, compared with compression alone.
const MOST_FOR_TLS: f64 = 1.3;

/// How long latency is measured at each rate.
const SECONDS: u32 = 10;

fn say(text: &str) {
    let _ = writeln!(io::stdout(), "{text}"); // whoever closed it does not want to see it
}
