//! Plan → what can be started: every component judged once, by its own `configure`.

use crate::channel::NewChannel;
use crate::component::{Components, Configure, Hosts, MakeSink, NewSink, Site};
use crate::processor::{Grouping, LONE, MakeGroup};
use crate::selector::{ChannelSelector, MakeSelector, Selected};
use crate::source::{MakeSource, NewSource};
use event::Batch;
use plan::{
    Aside, ComponentPlan, Findings, GroupPlan, Plan, Problem, Properties, Report, Severity, SinkPlan,
    SourcePlan, Ties,
};

/// A plan whose components can all be made.
pub struct Assembly {
    /// What it was made of.
    pub plan: Plan,
    /// What its sources depend on besides their own properties.
    pub ties: Ties,
    /// By name.
    pub channels: Vec<(String, NewChannel)>,
    /// Each with its interceptors and selector.
    pub sources: Vec<NewSource>,
    /// Sinks by the processor that drives them.
    pub groups: Vec<NewGroup>,
}

/// Sinks that one processor drives, all on one channel. A sink that no group names is a group of its own.
pub struct NewGroup {
    pub name: String,
    /// Flume's alias of the processor.
    pub processor: &'static str,
    pub grouping: Grouping,
    pub channel: String,
    pub sinks: Vec<NewSink>,
    /// Makes its actor, when its processor is in another process.
    pub elsewhere: Option<MakeGroup>,
}

/// Judges every component of `plan`; what is wrong or doubtful goes into `report`, all at once. `None` when something
/// cannot be made.
pub fn configure(plan: &Plan, components: &Components, site: &Site, report: &mut Report) -> Option<Assembly> {
    let site = site.sharing((components.together)(plan, report));
    let mut judge = Judge { components, site: &site, plan, report };
    let channels: Vec<_> = plan.channels.iter().map(|channel| judge.channel(channel)).collect();
    let sources: Vec<_> = plan.sources.iter().map(|source| judge.source(source)).collect();
    let groups = judge.groups(plan);
    judge.aside(plan);
    report.sort();
    Some(Assembly {
        plan: plan.clone(),
        ties: components.ties,
        channels: channels.into_iter().collect::<Option<_>>()?,
        sources: sources.into_iter().collect::<Option<_>>()?,
        groups: groups?,
    })
}

struct Judge<'a> {
    components: &'a Components,
    site: &'a Site,
    plan: &'a Plan,
    report: &'a mut Report,
}

impl Judge<'_> {
    /// Calls `judge` with what configures a component, and a place for its findings.
    fn component<T>(
        &mut self,
        plan: &ComponentPlan,
        judge: impl FnOnce(&Configure, &Site, &mut Findings<'_>) -> Option<T>,
    ) -> Option<T> {
        // Whatever is in a plan came from the catalogue.
        let component = self.components.find(plan.descriptor)?;
        self.parts(&plan.properties);
        let mut findings = Findings::new(&plan.owner, &plan.properties, self.report);
        judge(&component.configure, self.site, &mut findings)
    }

    /// Calls `judge` with what runs a component that has no native version.
    fn hosted<T>(
        &mut self,
        plan: &ComponentPlan,
        judge: impl FnOnce(&dyn Hosts, &mut Report) -> Option<T>,
    ) -> Option<T> {
        if let Some(hosts) = self.site.hosts() {
            return judge(hosts, self.report);
        }
        self.report.add(plan::needs_java(plan, ""));
        None
    }

    /// Judges what does not run, for the sake of the findings.
    fn aside(&mut self, plan: &Plan) {
        let Aside { sources, interceptors, sinks, groups } = &plan.aside;
        for source in sources {
            self.source(source);
        }
        let is_native = |component: &ComponentPlan| component.hosted().is_none();
        for interceptor in interceptors.iter().filter(|interceptor| is_native(interceptor)) {
            self.interceptor(interceptor);
        }
        for sink in sinks {
            match is_native(sink) {
                true => drop(self.make_sink(sink)),
                false => self.lacks_java(sink),
            }
        }
        for group in groups.iter().filter(|group| is_native(&group.component)) {
            self.grouping(group);
        }
    }

    /// That a sink which does not run needs a JVM is told where there is none.
    fn lacks_java(&mut self, sink: &ComponentPlan) {
        let mut heard = Report::default();
        match self.site.hosts() {
            Some(hosts) => {
                let alone = SinkPlan { component: sink.clone(), channel: String::new() };
                drop(hosts.sink(&alone, self.plan, &mut heard));
            }
            None => heard.add(plan::needs_java(sink, "")),
        }
        let errors = heard.problems.into_iter().filter(|problem| problem.severity == Severity::Error);
        errors.for_each(|problem| self.report.add(problem));
    }

    fn parts(&mut self, properties: &Properties) {
        for part in properties.all_parts() {
            self.parts(&part.properties);
            if let Some(Configure::Part(judge)) =
                self.components.find(part.descriptor).map(|part| &part.configure)
            {
                judge(&part.properties, &mut Findings::new(&part.owner, &part.properties, self.report));
            }
        }
    }

    fn channel(&mut self, plan: &ComponentPlan) -> Option<(String, NewChannel)> {
        if plan.hosted().is_some() {
            let new = self.hosted(plan, |hosts, report| hosts.channel(plan, report));
            return Some((plan.name.clone(), new?));
        }
        let new = self.component(plan, |configure, site, findings| match configure {
            Configure::Channel(configure) => configure(&plan.properties, site, findings),
            _ => None,
        });
        Some((plan.name.clone(), new?))
    }

    fn source(&mut self, plan: &SourcePlan) -> Option<NewSource> {
        let SourcePlan { component, channels, selector, interceptors, .. } = plan;
        let is_hosted = |part: &ComponentPlan| part.hosted().is_some();
        let chain = interceptors.iter().any(is_hosted);
        let first = interceptors.iter().chain([selector]).find(|part| is_hosted(part));
        let (elsewhere, make) = match first {
            _ if is_hosted(component) => {
                (Some(None), self.hosted(component, |hosts, report| hosts.source(plan, report)))
            }
            None => (Some(None), self.native_source(component)),
            Some(part) => {
                let elsewhere = self.hosted(part, |hosts, report| hosts.chain(plan, report));
                (elsewhere.map(Some), self.native_source(component))
            }
        };
        let selector = self.selector(selector, channels);
        let native: &[ComponentPlan] = if chain { &[] } else { interceptors };
        let judged: Vec<_> =
            interceptors.iter().filter(|part| !is_hosted(part)).map(|part| self.interceptor(part)).collect();
        Some(NewSource {
            name: component.name.clone(),
            blocks: component.descriptor.traits.blocks,
            channels: channels.clone(),
            make: make?,
            selector: selector?,
            interceptors: judged.into_iter().all(|judged| judged.is_some()).then(|| native.to_vec())?,
            chain: self.components.interceptors,
            elsewhere: elsewhere?,
        })
    }

    fn native_source(&mut self, component: &ComponentPlan) -> Option<MakeSource> {
        self.component(component, |configure, site, findings| match configure {
            Configure::Source(configure) => configure(&component.properties, site, findings),
            _ => None,
        })
    }

    /// A native selector; in place of one that is elsewhere stands Flume's usual one, which is not asked.
    fn selector(&mut self, selector: &ComponentPlan, channels: &[String]) -> Option<MakeSelector> {
        if selector.hosted().is_some() {
            return Some(Box::new(|| Box::new(NotAsked)));
        }
        self.component(selector, |configure, _, findings| match configure {
            Configure::Selector(configure) => configure(&selector.properties, channels, findings),
            _ => None,
        })
    }

    fn interceptor(&mut self, plan: &ComponentPlan) -> Option<()> {
        self.component(plan, |configure, site, findings| match configure {
            Configure::Interceptor(configure) => configure(plan, site, findings),
            _ => None,
        })
    }

    fn make_sink(&mut self, plan: &ComponentPlan) -> Option<MakeSink> {
        self.component(plan, |configure, site, findings| match configure {
            Configure::Sink(configure) => configure(&plan.properties, site, findings),
            _ => None,
        })
    }

    fn sink(&mut self, plan: &SinkPlan) -> Option<NewSink> {
        let component = &plan.component;
        if component.hosted().is_some() {
            let agent = self.plan;
            return self.hosted(component, |hosts, report| hosts.sink(plan, agent, report));
        }
        let make = self.make_sink(component);
        let batch = component.descriptor.batch_key(&component.properties);
        // Flume's logger sink prints one event per transaction; ours prints as many as there are with one write.
        let unnamed = if component.descriptor.traits.single { 1 } else { UNBOUNDED_BATCH };
        let batch_size = batch.map_or(unnamed, |key| component.properties.count(key));
        Some(NewSink { name: component.name.clone(), batch_size: batch_size.max(1), make: make? })
    }

    /// Groups first, as written, then each sink that is in none as a group of its own.
    fn groups(&mut self, plan: &Plan) -> Option<Vec<NewGroup>> {
        let grouped =
            |sink: &&SinkPlan| plan.groups.iter().any(|group| group.sinks.contains(&sink.component.name));
        let mut groups: Vec<Option<Vec<NewGroup>>> =
            plan.groups.iter().map(|group| self.group(group, plan)).collect();
        for sink in plan.sinks.iter().filter(|sink| !grouped(sink)) {
            let lone = |new: NewSink| {
                vec![NewGroup {
                    name: new.name.clone(),
                    processor: "default",
                    grouping: LONE,
                    channel: sink.channel.clone(),
                    sinks: vec![new],
                    elsewhere: None,
                }]
            };
            groups.push(self.sink(sink).map(lone));
        }
        Some(groups.into_iter().collect::<Option<Vec<_>>>()?.into_iter().flatten().collect())
    }

    fn grouping(&mut self, group: &GroupPlan) -> Option<Grouping> {
        self.component(&group.component, |configure, _, findings| match configure {
            Configure::Processor(configure) => configure(group, findings),
            _ => None,
        })
    }

    fn group(&mut self, group: &GroupPlan, plan: &Plan) -> Option<Vec<NewGroup>> {
        let component = &group.component;
        let (grouping, mut elsewhere) = if component.hosted().is_some() {
            let make = self.hosted(component, |hosts, report| hosts.group(group, report));
            (make.is_some().then_some(LONE), make)
        } else {
            (self.grouping(group), None)
        };
        let members: Vec<&SinkPlan> = group
            .sinks
            .iter()
            .filter_map(|name| plan.sinks.iter().find(|sink| sink.component.name == *name))
            .collect();
        self.one_destination(group, &members);
        let sinks: Vec<Option<NewSink>> = members.iter().map(|sink| self.sink(sink)).collect();
        let mut channels: Vec<&str> = Vec::new();
        for sink in &members {
            if !channels.contains(&sink.channel.as_str()) {
                channels.push(&sink.channel);
            }
        }
        let one_channel = channels.len() < 2 || self.may_drain(group, &channels);
        let (grouping, sinks) = (grouping?, sinks.into_iter().collect::<Option<Vec<_>>>()?);
        let mut sinks: Vec<(&str, NewSink)> =
            members.iter().map(|sink| sink.channel.as_str()).zip(sinks).collect();
        let mut groups = Vec::new();
        for channel in channels {
            let (own, others): (Vec<_>, Vec<_>) = sinks.into_iter().partition(|(of, _)| *of == channel);
            sinks = others;
            groups.push(NewGroup {
                name: component.name.clone(),
                processor: component.kind(),
                grouping: grouping.clone(),
                channel: channel.to_owned(),
                sinks: own.into_iter().map(|(_, sink)| sink).collect(),
                elsewhere: elsewhere.take(),
            });
        }
        one_channel.then_some(groups)
    }

    /// Members that lead to the same place replace nobody.
    fn one_destination(&mut self, group: &GroupPlan, members: &[&SinkPlan]) {
        let mut seen: Vec<(String, u16, &str)> = Vec::new();
        for sink in members {
            let Some((host, port)) = destination(&sink.component) else { continue };
            let name = sink.component.name.as_str();
            let Some((_, _, first)) = seen.iter().find(|(known, at, _)| *known == host && *at == port) else {
                seen.push((host, port, name));
                continue;
            };
            let (owner, properties) = (&group.component.owner, &sink.component.properties);
            let what = format!(
                "the sinks `{first}` and `{name}` of the {} lead to the same {host}:{port}",
                owner.noun
            );
            let flume = match group.component.kind() {
                "load_balance" => "sends it a double share; when it fails, both fail",
                _ => "has no standby: when it fails, both fail",
            };
            let at = properties.place("hostname").or_else(|| properties.place("endpoint"));
            let at = at.unwrap_or(&sink.component.owner.at);
            let problem = Problem::warning("same-destination", at, what).flume(flume).here("the same");
            self.report.add(problem.fix("a host or a port of its own for each sink of a group"));
        }
    }

    /// Whether a group's members may drain these different channels. Each of Flume's sinks takes from its own channel,
    /// whoever asks it to.
    fn may_drain(&mut self, group: &GroupPlan, channels: &[&str]) -> bool {
        let owner = &group.component.owner;
        let named = plan::named(channels);
        let what = format!("members of the {} drain different channels: {named}", owner.noun);
        match group.component.kind() {
            "load_balance" => {
                let note = Problem::note("channels-of-a-group", &owner.at, what)
                    .flume("has each sink take from its own channel, when it is that sink's turn")
                    .here("each channel is drained by the members that name it; they take turns");
                self.report.add(note);
                true
            }
            _ => {
                let problem = Problem::error("channels-of-a-group", &owner.at, what)
                    .flume("drains the channel of the sink that is in use; the others fill up, and their sources fail");
                let fix = format!("one channel for all members of the group, for example `{}`", channels[0]);
                self.report.add(problem.fix(fix));
                false
            }
        }
    }
}

/// In place of a selector that is in another process.
#[derive(Debug)]
struct NotAsked;

impl ChannelSelector for NotAsked {
    fn is_plain(&self) -> bool {
        false
    }

    fn required(&self) -> &[usize] {
        &[]
    }

    fn select(&mut self, batch: &Batch) -> Selected {
        Selected { dropped: batch.len(), ..Selected::default() }
    }
}

/// Where a sink sends, if its type has that; names of this machine are one.
fn destination(sink: &ComponentPlan) -> Option<(String, u16)> {
    let has = |key| sink.descriptor.property(key).is_some();
    if has("endpoint") {
        return of_url(sink.properties.text("endpoint")?);
    }
    let host = Some(&sink.properties).filter(|_| has("hostname") && has("port"))?.text("hostname")?;
    Some((this_host(host), sink.properties.given("port")?))
}

/// The host and the port of a URL.
fn of_url(url: &str) -> Option<(String, u16)> {
    let (scheme, rest) = url.trim().split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let default = if scheme.eq_ignore_ascii_case("https") { 443 } else { 80 };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
        _ => (authority, default),
    };
    Some((this_host(host), port))
}

/// A host in one spelling.
fn this_host(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    if ["localhost", "::1", "[::1]"].contains(&host.as_str()) { "127.0.0.1".into() } else { host }
}

/// Events at a time for a sink that has no batch size of its own.
const UNBOUNDED_BATCH: usize = 1000;
