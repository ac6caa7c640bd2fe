//! Rules about several components at once: who fills and drains what, how much, and on which port.

use std::collections::BTreeSet;

use super::Checker;
use crate::component::Descriptor;
use crate::place::Place;
use crate::plan::{Plan, SourcePlan};
use crate::problem::Problem;
use crate::settings::ComponentPlan;

impl Checker<'_> {
    /// Checks the whole; channels that nobody uses leave the plan.
    pub(super) fn topology(
        &mut self,
        plan: &mut Plan,
        filled: &BTreeSet<String>,
        drained: &BTreeSet<String>,
    ) {
        // Who names no channel that there is means one of those that are left over, most likely; that has been told.
        let left =
            |used: &BTreeSet<String>| plan.channels.iter().filter(|one| !used.contains(&one.name)).count();
        let all_filled = left(filled) <= self.astray.sources;
        let all_drained = left(drained) <= self.astray.sinks;
        for channel in &plan.channels {
            let is_filled = all_filled || filled.contains(&channel.name);
            self.used(channel, is_filled, all_drained || drained.contains(&channel.name));
        }
        plan.channels.retain(|channel| filled.contains(&channel.name) || drained.contains(&channel.name));
        self.batches(plan);
        self.ports(&plan.sources);
    }

    fn used(&mut self, channel: &ComponentPlan, filled: bool, drained: bool) {
        let name = &channel.name;
        let at = self.place_of("channels", name);
        let problem = match (filled, drained) {
            (true, true) => return,
            (true, false) | (false, true) if channel.descriptor.traits.shared => return,
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
                    .while_running()
                    .fix(format!("`{}.sinks.NAME.channel = {name}`", self.agent))
            }
            (false, true) => {
                Problem::warning("nobody-fills", &at, format!("no source fills the channel `{name}`"))
                    .flume("runs its sinks, which get nothing")
                    .here("its sinks run and get nothing")
                    .while_running()
                    .fix(format!("`{}.sources.NAME.channels = {name}`", self.agent))
            }
        };
        self.report.add(problem);
    }

    /// A batch has to fit into a transaction. Source: `AbstractConfigurationProvider.checkSourceChannelCompatibility`.
    fn batches(&mut self, plan: &Plan) {
        for source in &plan.sources {
            for channel in &source.channels {
                self.batch(plan, "sources", &source.component, channel);
            }
        }
        for sink in &plan.sinks {
            self.batch(plan, "sinks", &sink.component, &sink.channel);
        }
    }

    fn batch(&mut self, plan: &Plan, list: &str, component: &ComponentPlan, channel: &str) {
        let Some(channel) = plan.channels.iter().find(|one| one.name == channel) else { return };
        let [known, of_channel] = [component, channel].map(|one| self.as_in_flume(one));
        let [Some(key), Some(limit)] =
            [known.batch_key(&component.properties), of_channel.traits.transaction]
        else {
            return;
        };
        let (batch, room) = (count(component, known, key), count(channel, of_channel, limit));
        if batch <= room {
            return;
        }
        let at = component.properties.place(key).unwrap_or(&component.owner.at);
        let (noun, name) = (&component.owner.noun, &component.name);
        let what = format!(
            "the {noun} has `{key}` {batch}{}, and the channel `{}` takes {room}{} in a transaction",
            by_default(component, key),
            channel.name,
            by_default(channel, limit),
        );
        let fix = format!(
            "`{0}.channels.{1}.{limit} = {batch}` or more (and `capacity` at least that), or `{0}.{list}.{name}.{key} = {room}`",
            self.agent, channel.name
        );
        let problem = Problem::error("batch-too-large", at, what).flume(&component.owner.dropped);
        self.report.add(problem.fix(fix));
    }

    /// What Flume knows of a component's type, also where only the JVM has what the component asks for.
    fn as_in_flume(&self, component: &ComponentPlan) -> &'static Descriptor {
        let hosted = component.properties.as_hosted("type");
        let known = hosted.and_then(|name| self.catalogue().find(component.descriptor.kind, name));
        known.unwrap_or(component.descriptor)
    }

    /// Two sources cannot listen at the same place.
    fn ports(&mut self, sources: &[SourcePlan]) {
        let listening: Vec<(&ComponentPlan, &str, u16)> = sources.iter().filter_map(listens).collect();
        for (index, (source, bind, port)) in listening.iter().enumerate() {
            let clash =
                |other: &&(&ComponentPlan, &str, u16)| other.2 == *port && same_address(other.1, bind);
            let Some((first, _, _)) = listening[..index].iter().find(clash) else { continue };
            let at = source.properties.place("port").unwrap_or(&self.at);
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

/// A number of `component`, or the default of its type.
fn count(component: &ComponentPlan, known: &Descriptor, key: &str) -> u64 {
    let default = || known.property(key)?.default?.parse().ok();
    component.properties.given(key).or_else(default).unwrap_or_default()
}

fn by_default(component: &ComponentPlan, key: &str) -> &'static str {
    if component.properties.text(key).is_some() { "" } else { " (the default)" }
}

fn listens(source: &SourcePlan) -> Option<(&ComponentPlan, &str, u16)> {
    let component = Some(&source.component).filter(|component| component.descriptor.traits.listens)?;
    let port = component.properties.count("port");
    let address = if component.descriptor.property("bind").is_some() { "bind" } else { "host" };
    (port > 0).then_some((component, component.properties.text(address)?, port))
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
