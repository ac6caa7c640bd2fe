//! From the plan of a component to what makes its actor. Its keys are its class's own affair.

use crate::chain::Chain;
use crate::channel::{self, Books};
use crate::group;
use crate::host::Host;
use crate::sink;
use crate::source::HostedSource;
use bridge::{ComponentKind, Spec};
use flow::channel::NewChannel;
use flow::component::{Hosts, NewSink};
use flow::counters::{AskElsewhere, Elsewhere, Figures};
use flow::interceptor::MakeElsewhere;
use flow::processor::MakeGroup;
use flow::source::MakeSource;
use plan::{Bad, ComponentPlan, GroupPlan, Plan, Problem, Report, SinkPlan, SourcePlan};
use runtime::clock::Duration;
use std::fmt::Write;
use std::rc::Rc;
use std::sync::Arc;
use tokio::time::timeout;

/// What a flow asks to run components in a JVM.
pub struct Hosting(pub(crate) Arc<Host>);

impl Hosting {
    /// In the JVM of `host`.
    pub fn new(host: Host) -> Hosting {
        Hosting(Arc::new(host))
    }

    /// Asks for the counters that the components keep in the JVM, when it runs, and how often that was started again.
    pub fn counters(&self) -> Elsewhere {
        let (host, restarted) = (Arc::downgrade(&self.0), Arc::downgrade(&self.0));
        let restarts = Arc::new(move || restarted.upgrade().map_or(0, |host| host.restarts()));
        let figures: AskElsewhere = Arc::new(move || {
            let jvm = host.upgrade().and_then(|host| host.running());
            Box::pin(async move {
                let Some(jvm) = jvm else { return Figures::new() };
                let told = timeout(COUNTED_WITHIN, jvm.metrics()).await;
                told.ok().and_then(Result::ok).unwrap_or_default()
            })
        });
        Elsewhere { figures, restarts }
    }

    /// Says that `component` runs in the JVM, or that there is none for it.
    fn admits(&self, component: &ComponentPlan, report: &mut Report) -> Option<()> {
        let why = component.hosted().unwrap_or_default();
        let owner = &component.owner;
        match self.0.settings() {
            Ok(_) => {
                let mut what = format!("the {} runs in a JVM with Flume's jars: {why}", owner.noun);
                let idle = idle(component);
                if !idle.is_empty() {
                    let _ = write!(
                        what,
                        "; Flume's class does not know {}, which has no effect there",
                        idle.join(", ")
                    );
                }
                report.add(Problem::note("runs-in-java", &owner.at, what));
                Some(())
            }
            Err(searched) => {
                report.add(plan::needs_java(component, &format!(": {searched}")));
                None
            }
        }
    }
}

/// Keys that only the native version of a component has.
fn idle(component: &ComponentPlan) -> Vec<String> {
    let is_ours =
        |key: &str| component.descriptor.property(key).is_some_and(|known| matches!(known.bad, Bad::Ours(_)));
    let written = component.properties.iter().map(|(key, _)| key);
    written.filter(|key| is_ours(key)).map(|key| format!("`{key}`")).collect()
}

impl Hosts for Hosting {
    fn source(&self, plan: &SourcePlan, report: &mut Report) -> Option<MakeSource> {
        self.admits(&plan.component, report)?;
        let (spec, selects) = source_spec(plan);
        let host = self.0.clone();
        Some(Box::new(move || Box::new(HostedSource { host: host.clone(), spec: spec.clone(), selects })))
    }

    fn chain(&self, plan: &SourcePlan, report: &mut Report) -> Option<MakeElsewhere> {
        let parts = plan.interceptors.iter().chain([&plan.selector]).filter(|part| part.hosted().is_some());
        let admitted: Vec<_> = parts.map(|part| self.admits(part, report)).collect();
        admitted.into_iter().collect::<Option<Vec<()>>>()?;
        let (spec, single) = (chain_spec(plan), ONE_BY_ONE.contains(&plan.component.kind()));
        let host = self.0.clone();
        Some(Box::new(move |log| Rc::new(Chain::new(host.clone(), spec.clone(), single, log.clone()))))
    }

    fn channel(&self, plan: &ComponentPlan, report: &mut Report) -> Option<NewChannel> {
        self.admits(plan, report)?;
        let spec = channel_spec(plan);
        let transaction = spec.transaction_capacity;
        let overlap = OVERLAP.contains(&plan.kind());
        let books = Books::new(self.0.clone(), spec, plan.descriptor.traits.durable, overlap);
        let start = books.clone();
        Some(NewChannel::elsewhere(transaction, books, move |context| channel::start(start.clone(), context)))
    }

    fn sink(&self, plan: &SinkPlan, agent: &Plan, report: &mut Report) -> Option<NewSink> {
        self.admits(&plan.component, report)?;
        let (spec, host) = (sink_spec(plan, agent), self.0.clone());
        Some(NewSink {
            name: spec.name.clone(),
            batch_size: batch_size(&plan.component),
            make: Box::new(move |context| Ok(sink::start(host.clone(), spec.clone(), context))),
        })
    }

    fn group(&self, plan: &GroupPlan, report: &mut Report) -> Option<MakeGroup> {
        self.admits(&plan.component, report)?;
        let (spec, host) = (group_spec(plan), self.0.clone());
        Some(Box::new(move |members, channel, context| {
            group::start(host.clone(), spec.clone(), members, channel, context)
        }))
    }
}

/// The source as its class gets it, and whether its own selector chooses among its channels.
pub(crate) fn source_spec(plan: &SourcePlan) -> (Spec, bool) {
    let chain = plan.interceptors.iter().any(|part| part.hosted().is_some());
    let selects = plan.selector.hosted().is_some();
    let wanted = |key: &str| match key.split('.').next() {
        Some("interceptors") => chain,
        Some("selector") => selects,
        _ => true,
    };
    let spec =
        spec(ComponentKind::Source, &plan.component.name, plan.written.iter().filter(|(key, _)| wanted(key)));
    let channels = if selects { plan.channels.len() } else { 1 };
    (spec.names(plan.channels.iter().take(channels).map(String::as_str)), selects)
}

/// All interceptors of a native source, and its selector when that is a class.
pub(crate) fn chain_spec(plan: &SourcePlan) -> Spec {
    let chain = plan.interceptors.iter().any(|part| part.hosted().is_some());
    let selects = plan.selector.hosted().is_some();
    let wanted = |key: &str| match key.split('.').next() {
        Some("interceptors") => chain,
        Some("selector") => selects,
        _ => false,
    };
    let spec = spec(
        ComponentKind::Interceptors,
        &plan.component.name,
        plan.written.iter().filter(|(key, _)| wanted(key)),
    );
    spec.names(plan.channels.iter().map(String::as_str))
}

pub(crate) fn channel_spec(plan: &ComponentPlan) -> Spec {
    let spec = spec(ComponentKind::Channel, &plan.name, plan.properties.iter());
    Spec { transaction_capacity: transaction(plan), ..spec }
}

pub(crate) fn group_spec(plan: &GroupPlan) -> Spec {
    let spec = spec(ComponentKind::Group, &plan.component.name, plan.component.properties.iter());
    spec.with("sinks", &plan.sinks.join(" ")).names(plan.sinks.iter().map(String::as_str))
}

pub(crate) fn sink_spec(plan: &SinkPlan, agent: &Plan) -> Spec {
    let spec = spec(ComponentKind::Sink, &plan.component.name, plan.component.properties.iter());
    let spec = spec.names([plan.channel.as_str()]);
    let Some(channel) = agent.channels.iter().find(|channel| channel.name == plan.channel) else {
        return spec;
    };
    let keep_alive = channel.properties.iter().find(|(key, _)| *key == "keep-alive");
    let keep_alive = keep_alive.and_then(|(_, seconds)| seconds.trim().parse().ok());
    Spec {
        transaction_capacity: transaction(channel),
        keep_alive: keep_alive.map_or(spec.keep_alive, Duration::from_secs),
        ..spec
    }
}

fn spec<'a>(kind: ComponentKind, name: &str, properties: impl Iterator<Item = (&'a str, &'a str)>) -> Spec {
    let mut spec = Spec::new(kind, name, "");
    spec.properties = properties.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    spec.class = spec.properties.get("type").cloned().unwrap_or_default();
    spec
}

/// Events in one transaction of a channel, at most.
fn transaction(channel: &ComponentPlan) -> usize {
    let set = channel.properties.iter().find(|(key, _)| *key == "transactionCapacity");
    let set = set.and_then(|(_, value)| value.trim().parse().ok()).filter(|set| *set > 0);
    // Flume's defaults: of memory channels, and of the file channel.
    set.unwrap_or(if channel.hosted().is_some() { 10_000 } else { 100 })
}

/// Events that a sink is given at a time: what the key says by which its class names that, as most do.
fn batch_size(sink: &ComponentPlan) -> usize {
    let is_batch_size = |key: &str| {
        let last = key.rsplit('.').next().unwrap_or(key).to_ascii_lowercase().replace('-', "");
        ["batchsize", "flumebatchsize"].contains(&last.as_str())
    };
    let set = sink.properties.iter().find(|(key, _)| is_batch_size(key));
    set.and_then(|(_, value)| value.trim().parse().ok()).unwrap_or(100).clamp(1, 10_000)
}

/// A JVM that collects a large heap must not keep whoever reads the other counters waiting.
const COUNTED_WITHIN: Duration = Duration::from_secs(2);

/// Channels that know no difference between a sink's transactions, one after the other, and several at a time. Others may
/// keep something for each: the Kafka channel has a consumer for each thread that takes, and one that does not ask for
/// more keeps its partitions from the others for minutes.
const OVERLAP: [&str; 4] = ["file", "spillablememory", "jdbc", "memory"];

/// Sources whose Flume hands each event over by itself; classes may do something else with one than with a list.
const ONE_BY_ONE: [&str; 4] = ["netcat", "netcatudp", "syslogtcp", "syslogudp"];
