//! Which type is which component: the only place, with `start.rs`, that knows them all.

use crate::build::BuildError;
use crate::channel::ChannelRef;
use crate::clock::Duration;
use crate::message::{Deliver, Describe, Probe, Stop};
use crate::net::Globals;
use crate::processor::{Choice, Rest, SinkAddress};
use crate::random::Random;
use crate::sink::{Member, avro, file_roll, local, logger, null};
use crate::source::{self, Doing, Intake, Ready, Seat};
use crate::start::SourceAddress;
use crate::supervise::Guard;
use actix::dev::ToEnvelope;
use actix::prelude::*;
use plan::{GroupPlan, SinkPlan, SourcePlan};
use std::collections::HashMap;
use std::sync::Arc;

/// What a sink is given by whoever starts it.
pub(crate) struct SinkSeat {
    pub(crate) member: Member,
    pub(crate) guard: Guard,
    pub(crate) log: slog::Logger,
    pub(crate) console: Arc<journal::Console>,
    /// The processor that drives it, by Flume's alias: the console names its thread after it.
    pub(crate) processor: &'static str,
    pub(crate) globals: Arc<Globals>,
}

/// Builds what may fail of a sink, and starts nothing. Answers what an operator should know.
///
/// # Errors
/// [`BuildError`]
pub(crate) fn check_sink(plan: &SinkPlan, globals: &Globals) -> Result<Vec<String>, BuildError> {
    let mut notes = Vec::new();
    if plan.kind == "avro" {
        avro::AvroSinkConfig::build(&plan.context, globals, &mut notes)?;
    }
    if plan.kind == "file_roll" {
        // What it warns of is told when it starts.
        file_roll::FileRollConfig::new(&plan.context, &slog::Logger::root(slog::Discard, slog::o!()))?;
    }
    Ok(notes)
}

/// The same for a source.
///
/// # Errors
/// [`BuildError`]
pub(crate) fn check_source(plan: &SourcePlan, globals: &Globals) -> Result<Vec<String>, BuildError> {
    let mut notes = Vec::new();
    if plan.kind == "avro" {
        source::avro::AvroSourceConfig::build(&plan.context, globals, &mut notes)?;
    }
    Ok(notes)
}

/// Starts the actor of a sink.
///
/// # Errors
/// What is in the way, in an operator's words.
pub(crate) fn start_sink(plan: &SinkPlan, seat: SinkSeat) -> Result<SinkAddress, String> {
    let SinkSeat { member, guard, log, console, processor, globals } = seat;
    let context = &plan.context;
    let local = |address: std::io::Result<local::LocalSink>| {
        address.map(|sink| address_of(&sink.start())).map_err(|error| format!("no thread for it: {error}"))
    };
    match plan.kind {
        "avro" => {
            // Whatever is to be noted was told when the flow was checked.
            let config = avro::AvroSinkConfig::build(context, &globals, &mut Vec::new())
                .map_err(|error| error.to_string())?;
            journal::fact::rpc_sink_starting(&log, &plan.name, &config.host, config.port);
            journal::fact::component_started(&log, journal::fact::Kind::Sink, &plan.name);
            Ok(address_of(&avro::AvroSink::new(config, member, guard).start()))
        }
        "null" => Ok(address_of(
            &null::NullSink::new(&plan.name, null::NullConfig::new(context), member, guard, log).start(),
        )),
        "logger" => {
            let place = match processor {
                "failover" => journal::place::LOGGER_SINK_FAILOVER,
                "load_balance" => journal::place::LOGGER_SINK_LOAD_BALANCING,
                _ => journal::place::LOGGER_SINK,
            };
            let sink = logger::LoggerSink::new(logger::LoggerConfig::new(context), console, place);
            local(local::LocalSink::new(&plan.name, sink, member, guard))
        }
        "file_roll" => {
            let config = file_roll::FileRollConfig::new(context, &log).map_err(|error| error.to_string())?;
            let sink = file_roll::FileRollSink::new(&plan.name, config, log);
            local(local::LocalSink::new(&plan.name, sink, member, guard))
        }
        other => Err(format!("the sink type {other} is not there yet")),
    }
}

fn address_of<A>(sink: &Addr<A>) -> SinkAddress
where
    A: Actor + Handler<Deliver> + Handler<Probe> + Handler<Stop>,
    A::Context: ToEnvelope<A, Deliver> + ToEnvelope<A, Probe> + ToEnvelope<A, Stop>,
{
    SinkAddress {
        deliver: sink.clone().recipient(),
        probe: sink.clone().recipient(),
        stop: sink.clone().recipient(),
    }
}

/// Events a sink wants at a time.
pub(crate) fn batch_size(plan: &SinkPlan) -> usize {
    let size = match plan.kind {
        "avro" => plan.context.number("batch-size", 100),
        "null" => plan.context.number("batchSize", 100),
        "file_roll" => plan.context.number("sink.batchSize", 100),
        // Flume's logger sink prints one event per transaction; ours prints as many as there are with one write.
        _ => 1000,
    };
    if size == 0 { 100 } else { size }
}

/// How a group rests its sinks and chooses among them. `sinks` are its members' names.
pub(crate) fn processor(plan: &GroupPlan, seed: u64) -> (Rest, Choice) {
    let members = plan.sinks.len();
    match plan.kind {
        "failover" => {
            let penalty = plan.context.millis("maxpenalty", Duration::from_millis(30_000));
            (Rest::Penalty(penalty), Choice::by_priority(&priorities(plan)))
        }
        "load_balance" => {
            let rest = if plan.context.flag("backoff", false) {
                let most = plan.context.millis("selector.maxTimeOut", Duration::ZERO);
                Rest::Penalty(if most.is_zero() { Duration::from_millis(30_000) } else { most })
            } else {
                Rest::Retry
            };
            let random = plan.context.text_or("selector", "round_robin").eq_ignore_ascii_case("random");
            (
                rest,
                match random {
                    true => Choice::Random { members, random: Random::seeded(seed) },
                    false => Choice::RoundRobin { members, next: 0 },
                },
            )
        }
        _ => (Rest::Retry, Choice::by_priority(&vec![0; members])),
    }
}

/// Sinks without a (valid) priority come behind all others, in the order written. Flume gives them -1, -2, ... in the
/// order of a hash map.
fn priorities(plan: &GroupPlan) -> Vec<i64> {
    let mut without = 0;
    let mut priority = |sink: &String| {
        let set = plan.context.text(&format!("priority.{sink}")).and_then(|text| text.trim().parse().ok());
        set.unwrap_or_else(|| {
            without -= 1;
            without
        })
    };
    plan.sinks.iter().map(&mut priority).collect()
}

/// What a source is started with; its seat is made where its actor is to live.
pub(crate) struct SourceStart {
    pub(crate) plan: SourcePlan,
    pub(crate) channels: HashMap<String, ChannelRef>,
    pub(crate) log: slog::Logger,
    pub(crate) ready: Ready,
    pub(crate) guard: Guard,
    pub(crate) globals: Arc<Globals>,
}

impl SourceStart {
    fn seat(self) -> Result<(plan::Context, Seat), BuildError> {
        let SourceStart { plan, channels, log, ready, guard, .. } = self;
        let intake = Intake::build(&plan, &channels, &log)?;
        let doing = Doing::new(intake.clone());
        Ok((plan.context, Seat { name: plan.name.into(), log, intake, ready, doing, guard }))
    }
}

/// Starts the actor of a source.
///
/// # Errors
/// What is in the way, in an operator's words.
pub(crate) fn start_source(start: SourceStart) -> Result<SourceAddress, String> {
    let kind = start.plan.kind;
    let globals = start.globals.clone();
    let (context, seat) = start.seat().map_err(|error| error.to_string())?;
    Ok(match kind {
        "avro" => {
            let config = source::avro::AvroSourceConfig::build(&context, &globals, &mut Vec::new())
                .map_err(|error| error.to_string())?;
            asked_of(&source::avro::AvroSource::new(config, seat).start())
        }
        "exec" => asked_of(&source::exec::Exec::new(source::exec::ExecConfig::new(&context), seat).start()),
        "netcat" => {
            asked_of(&source::netcat::Netcat::new(source::netcat::NetcatConfig::new(&context), seat).start())
        }
        "taildir" => {
            let config = source::taildir::TailDirConfig::new(&context);
            let source = source::taildir::TailDir::new(config, seat).start();
            SourceAddress { pause: Some(source.clone().recipient()), ..asked_of(&source) }
        }
        "seq" => asked_of(&source::seq::Seq::new(source::seq::SeqConfig::new(&context), seat).start()),
        other => return Err(format!("the source type {other} is not there yet")),
    })
}

fn asked_of<A>(source: &Addr<A>) -> SourceAddress
where
    A: Actor + Handler<Stop> + Handler<Describe>,
    A::Context: ToEnvelope<A, Stop> + ToEnvelope<A, Describe>,
{
    SourceAddress { stop: source.clone().recipient(), pause: None, describe: source.clone().recipient() }
}
