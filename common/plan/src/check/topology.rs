//! Rules about several components at once: who fills and drains what, how much, and on which port.

use std::collections::BTreeSet;

use super::Checker;
use super::values::Owner;
use crate::context::Context;
use crate::place::Place;
use crate::plan::{ChannelPlan, Plan, SourcePlan};
use crate::report::Problem;
use crate::schema::Kind;

impl Checker<'_> {
    /// Checks the whole; channels that nobody uses leave the plan.
    pub(super) fn topology(
        &mut self,
        plan: &mut Plan,
        filled: &BTreeSet<String>,
        drained: &BTreeSet<String>,
    ) {
        for channel in &plan.channels {
            self.used(channel, filled.contains(&channel.name), drained.contains(&channel.name));
        }
        plan.channels.retain(|channel| filled.contains(&channel.name) || drained.contains(&channel.name));
        self.batches(plan);
        self.ports(&plan.sources);
    }

    fn used(&mut self, channel: &ChannelPlan, filled: bool, drained: bool) {
        let name = &channel.name;
        let at = self.place_of("channels", name);
        let problem = match (filled, drained) {
            (true, true) => return,
            (false, false) => Problem::warning(
                "unused-channel",
                &at,
                format!("no source fills the channel `{name}` and no sink drains it"),
            )
            .flume("removes it with a warning")
            .here("it is left out")
            .fix(format!(
                "`{}.sources.NAME.channels = {name}` and `{}.sinks.NAME.channel = {name}`",
                self.agent, self.agent
            )),
            (true, false) => {
                Problem::warning("nobody-drains", &at, format!("no sink drains the channel `{name}`"))
                    .flume("fills it up; then its sources fail")
                    .here("it fills up; then its sources wait")
                    .fix(format!("`{}.sinks.NAME.channel = {name}`", self.agent))
            }
            (false, true) => {
                Problem::warning("nobody-fills", &at, format!("no source fills the channel `{name}`"))
                    .flume("runs its sinks, which get nothing")
                    .here("its sinks run and get nothing")
                    .fix(format!("`{}.sources.NAME.channels = {name}`", self.agent))
            }
        };
        self.report.add(problem);
    }

    /// A transaction has to fit into the channel. Source: `MemoryChannel.configure`.
    pub(super) fn transaction_fits(&mut self, channel: &ChannelPlan, owner: &Owner) {
        if channel.kind != "memory" {
            return;
        }
        let capacity: u64 = channel.context.number("capacity", DEFAULT_CAPACITY);
        let transaction = transaction_capacity(channel);
        if transaction <= capacity {
            return;
        }
        let at = ["transactionCapacity", "capacity"].iter().find_map(|key| channel.context.place(key));
        let what = format!(
            "the {} has `transactionCapacity` {transaction}{} and `capacity` {capacity}{}",
            owner.noun,
            by_default(&channel.context, "transactionCapacity"),
            by_default(&channel.context, "capacity"),
        );
        let fix = format!("`{}capacity = {transaction}` or more", owner.prefix);
        self.report.add(
            Problem::error("transaction-too-large", at.unwrap_or(&owner.at), what)
                .flume(&owner.dropped)
                .fix(fix),
        );
    }

    /// A batch has to fit into a transaction. Source: `AbstractConfigurationProvider.checkSourceChannelCompatibility`.
    fn batches(&mut self, plan: &Plan) {
        for source in &plan.sources {
            for channel in &source.channels {
                self.batch(plan, Kind::Source, (&source.name, source.kind, &source.context), channel);
            }
        }
        for sink in &plan.sinks {
            self.batch(plan, Kind::Sink, (&sink.name, sink.kind, &sink.context), &sink.channel);
        }
    }

    fn batch(
        &mut self,
        plan: &Plan,
        kind: Kind,
        (name, alias, context): (&str, &str, &Context),
        channel: &str,
    ) {
        let Some(channel) = plan.channels.iter().find(|one| one.name == channel && one.kind == "memory")
        else {
            return;
        };
        let known = kind.find(alias).and_then(|known| known.property(known.batch?));
        let Some((key, default)) = known.and_then(|known| Some((known.name, known.default?.parse().ok()?)))
        else {
            return;
        };
        let (batch, room): (u64, u64) = (context.number(key, default), transaction_capacity(channel));
        if batch <= room {
            return;
        }
        let list = if kind == Kind::Source { "sources" } else { "sinks" };
        let at = match context.place(key) {
            Some(at) => at.clone(),
            None => self.place_of(list, name),
        };
        let noun = format!("{} `{name}`", kind.noun());
        let what = format!(
            "the {noun} has `{key}` {batch}{}, and the channel `{}` takes {room}{} in a transaction",
            by_default(context, key),
            channel.name,
            by_default(&channel.context, "transactionCapacity"),
        );
        let fix = format!(
            "`{0}.channels.{1}.transactionCapacity = {batch}` or more (and `capacity` at least that), or `{0}.{list}.{name}.{key} = {room}`",
            self.agent, channel.name
        );
        let flume = format!("removes the {noun} and runs the rest");
        self.report.add(Problem::error("batch-too-large", &at, what).flume(flume).fix(fix));
    }

    /// Two sources cannot listen at the same place.
    fn ports(&mut self, sources: &[SourcePlan]) {
        let listening: Vec<(&SourcePlan, &str, u16)> = sources.iter().filter_map(listens).collect();
        for (index, (source, bind, port)) in listening.iter().enumerate() {
            let clash = |other: &&(&SourcePlan, &str, u16)| other.2 == *port && same_address(other.1, bind);
            let Some((first, _, _)) = listening[..index].iter().find(clash) else { continue };
            let at = source.context.place("port").unwrap_or(&self.at);
            let what =
                format!("the sources `{}` and `{}` both listen on {bind}:{port}", first.name, source.name);
            self.report.add(
                Problem::error("port-twice", at, what)
                    .flume("opens it for one of them; the other tries again every 3 s for ever")
                    .fix("a port of its own for each source"),
            );
        }
    }

    /// Where a component begins, by its first key.
    fn place_of(&self, list: &str, name: &str) -> Place {
        self.places.get(&format!("{list}.{name}")).unwrap_or(&self.at).clone()
    }
}

/// `capacity` and `transactionCapacity` of the memory channel, in events.
const DEFAULT_CAPACITY: u64 = 100;

fn transaction_capacity(channel: &ChannelPlan) -> u64 {
    channel.context.number("transactionCapacity", DEFAULT_CAPACITY)
}

fn by_default(context: &Context, key: &str) -> &'static str {
    if context.text(key).is_some() { "" } else { " (the default)" }
}

fn listens(source: &SourcePlan) -> Option<(&SourcePlan, &str, u16)> {
    let port = source.context.number("port", 0);
    (port > 0).then_some((source, source.context.text("bind")?, port))
}

fn same_address(a: &str, b: &str) -> bool {
    let any = |address: &str| ["0.0.0.0", "::", "[::]", "*"].contains(&address);
    let name = |address: &str| {
        if address.eq_ignore_ascii_case("localhost") {
            "127.0.0.1".to_string()
        } else {
            address.to_ascii_lowercase()
        }
    };
    any(a) || any(b) || name(a) == name(b)
}
