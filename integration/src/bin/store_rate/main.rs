//! How fast stores are written and read: native nodes beside real Flume 1.11 and beside the store's own client. `store_rate --help`
//! says how.

mod hbase;
mod hdfs;
mod kafka;
mod run;
mod search;
mod storm;
mod table;

use clap::{Parser, ValueEnum};
use integration::{
    binaries,
    duel::{
        arena::{Arena, Shape, USUAL},
        board,
    },
    flume, leave,
    node::Error,
};
use kafka::Part;
use run::{Run, Sample, Side, Store};
use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};
use table::{Bar, Row};

/// Carries lines of 256 bytes between a file and a real store on loopback, by each side in turn, and prints who does it how fast.
///
/// A native node, real Flume 1.11 and the store's own client do the same with the same settings in batches of the same size. The
/// figures are from the first event that came to the last; rounds are interleaved, the table shows medians. Needs a JDK and Maven.
/// Build it in release mode: `cargo run --release -p integration --features stores --bin store_rate`.
#[derive(Parser)]
#[command(name = "store_rate")]
struct Arguments {
    /// Which; all of them if none is said.
    stores: Vec<Kind>,

    /// Lines in each run of nodes and clients [1000000; hbase, elasticsearch and storm 200000]. Flume gets a fifth.
    #[arg(long, value_name = "N")]
    lines: Option<u32>,

    /// How often each side runs.
    #[arg(long, default_value_t = 3, value_name = "N")]
    rounds: u32,

    /// Events in a batch.
    #[arg(long, default_value_t = 1000, value_name = "N")]
    batch: u32,

    /// Without real Flume.
    #[arg(long)]
    native: bool,

    /// A bar that is missed is an error.
    #[arg(long)]
    bars: bool,

    /// Write the lines here instead of where temporary files go.
    #[arg(long, value_name = "DIRECTORY")]
    directory: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, ValueEnum)]
enum Kind {
    Hdfs,
    KafkaSink,
    KafkaSource,
    KafkaChannel,
    Hbase,
    Elasticsearch,
    Storm,
}

/// Who runs, and on how many files.
struct Contestant {
    name: &'static str,
    side: Side,
    files: u32,
    bars: &'static [Bar],
}

const fn of(name: &'static str, side: Side, bars: &'static [Bar]) -> Contestant {
    Contestant { name, side, files: 1, bars }
}

impl Kind {
    fn start(self, programs: &Path) -> Result<Box<dyn Store>, Error> {
        match self {
            Kind::Hdfs => hdfs::Hdfs::start(),
            Kind::KafkaSink => kafka::Kafka::start(Part::Sink),
            Kind::KafkaSource => kafka::Kafka::start(Part::Source),
            Kind::KafkaChannel => kafka::Kafka::start(Part::Channel),
            Kind::Hbase => hbase::Hbase::start(),
            Kind::Elasticsearch => search::Search::start(),
            Kind::Storm => storm::Storm::start(programs),
        }
    }

    fn lines(self) -> u32 {
        if self >= Kind::Hbase { 200_000 } else { 1_000_000 }
    }

    fn contestants(self) -> Vec<Contestant> {
        use Bar::{OfClient, OfFlume, PeakMib};
        match self {
            Kind::Hdfs => vec![
                of("HDFS: hdfs-native alone", Side::Client, &[]),
                of("HDFS: native node", Side::Node, &[OfClient(0.8), OfFlume(5.0)]),
                of("HDFS: Flume 1.11.0", Side::Flume, &[]),
                Contestant {
                    files: 100,
                    ..of("HDFS: native node, 100 paths open", Side::Node, &[PeakMib(64.0)])
                },
            ],
            Kind::KafkaSink => vec![
                of("Kafka sink: librdkafka alone", Side::Client, &[]),
                of("Kafka sink: native node", Side::Node, &[OfClient(0.8), OfFlume(5.0)]),
                of("Kafka sink: Flume 1.11.0", Side::Flume, &[]),
            ],
            Kind::KafkaSource => vec![
                of("Kafka source: librdkafka alone", Side::Client, &[]),
                of("Kafka source: native node", Side::Node, &[OfClient(0.8), OfFlume(5.0)]),
                of("Kafka source: Flume 1.11.0", Side::Flume, &[]),
            ],
            Kind::KafkaChannel => vec![
                of("Kafka channel: librdkafka alone, writing and reading", Side::Client, &[]),
                of("Kafka channel: native node", Side::Node, &[OfClient(0.8), OfFlume(5.0)]),
                of("Kafka channel: Flume 1.11.0", Side::Flume, &[]),
            ],
            Kind::Hbase => vec![
                of("HBase: Java's client alone", Side::Client, &[]),
                of("HBase: native node", Side::Node, &[OfFlume(3.0)]),
                of("HBase: Flume 1.11.0", Side::Flume, &[]),
            ],
            Kind::Elasticsearch => vec![
                of("OpenSearch: `_bulk` alone", Side::Client, &[]),
                of("OpenSearch: native node", Side::Node, &[OfClient(0.8)]),
            ],
            Kind::Storm => vec![of("Storm: native node and spout", Side::Node, &[])],
        }
    }
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let result = match words.split_first() {
        Some((word, rest)) if word == hdfs::CLIENT => hdfs::client(rest),
        Some((word, rest)) if word == kafka::CLIENT => kafka::client(rest),
        Some((word, rest)) if word == search::CLIENT => search::client(rest),
        _ => all(&Arguments::parse()).map_err(Into::into),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error}"); // leaving anyway
            ExitCode::FAILURE
        }
    }
}

/// This program itself, as a client.
fn own(words: &[&str]) -> Result<Command, Error> {
    let mut own =
        Command::new(std::env::current_exe().map_err(Error::io("cannot tell which program this is"))?);
    own.args(words);
    Ok(own)
}

fn all(arguments: &Arguments) -> Result<(), Error> {
    let arena = Arena::new(arguments.directory.as_deref())?;
    leave::on_signal(arena.path().to_owned()).map_err(Error::io("cannot listen to signals"))?;
    if let Some(why) = flume::missing().filter(|_| !arguments.native) {
        return Err(Error::Missing(why));
    }
    let programs = binaries::with_features("hbase,hdfs,kafka", arena.path()).map_err(Error::Missing)?;
    let kinds = if arguments.stores.is_empty() { Kind::value_variants() } else { &arguments.stores };
    let (mut missed, mut faulty, mut head) = (Vec::new(), 0, Some(table::HEAD));
    for kind in kinds {
        let rows = rows(*kind, arguments, &arena, &programs)?;
        for trouble in
            rows.iter().flat_map(|row| row.trouble.iter().map(|why| format!("{}: {why}", row.name)))
        {
            tell(&trouble);
            faulty += 1;
        }
        missed.extend(table::missed(&rows));
        let head = head.take().map(|head| format!("{head}\n")).unwrap_or_default();
        let _ = write!(io::stdout(), "{head}{}", table::table(&rows)); // whoever closed it does not want to see it
    }
    if faulty > 0 {
        return Err(Error::Missing("events were lost, doubled or mixed up, or did not all come".to_owned()));
    }
    match (missed.is_empty(), arguments.bars) {
        (true, _) => Ok(()),
        (false, true) => Err(Error::Missing(format!("missed: {}", missed.join("; ")))),
        (false, false) => {
            tell(&format!("missed: {}", missed.join("; ")));
            Ok(())
        }
    }
}

fn rows(kind: Kind, arguments: &Arguments, arena: &Arena, programs: &Path) -> Result<Vec<Row>, Error> {
    let lines = arguments.lines.unwrap_or(kind.lines());
    let wanted = |contestant: &Contestant| !(arguments.native && contestant.side == Side::Flume);
    let contestants: Vec<Contestant> = kind.contestants().into_iter().filter(wanted).collect();
    let row = |contestant: &Contestant| Row {
        name: contestant.name.to_owned(),
        side: contestant.side,
        lines: lines_of(contestant, lines),
        bars: contestant.bars,
        samples: Vec::new(),
        trouble: Vec::new(),
    };
    let mut rows: Vec<Row> = contestants.iter().map(row).collect();
    let mut store = kind.start(programs)?;
    for round in 1..=arguments.rounds {
        for (place, (contestant, row)) in contestants.iter().zip(&mut rows).enumerate() {
            let name = format!("run{round}-{place}");
            let shape = Shape { lines: row.lines, bytes: USUAL };
            match one(&mut *store, contestant, shape, name, arguments.batch, arena, programs) {
                Ok(sample) => {
                    tell(&format!("round {round}: {}: {} events/s", row.name, board::thousands(sample.rate)));
                    if !sample.check.is_clean() {
                        row.trouble.push(sample.check.to_string());
                    }
                    row.samples.push(sample);
                }
                Err(error) => row.trouble.push(error.to_string()),
            }
        }
    }
    Ok(rows)
}

fn lines_of(contestant: &Contestant, lines: u32) -> u32 {
    if contestant.side == Side::Flume { (lines / 5).max(1) } else { lines }
}

fn one(
    store: &mut dyn Store,
    contestant: &Contestant,
    shape: Shape,
    name: String,
    batch: u32,
    arena: &Arena,
    programs: &Path,
) -> Result<Sample, Error> {
    let input = match contestant.files {
        1 => arena.input(shape)?.to_path_buf(),
        files => arena.inputs(shape, files)?,
    };
    arena.warm(shape)?;
    let directory = arena.fresh()?;
    let (side, files) = (contestant.side, contestant.files);
    let directory_path = directory.path().to_owned();
    run::measure(store, &Run { side, name, shape, batch, input, files, directory: directory_path }, programs)
}

/// How it goes on.
fn tell(text: &str) {
    let _ = writeln!(io::stderr(), "{text}"); // progress only
}
