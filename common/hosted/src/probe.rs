//! Looks whether the classes of a plan are there and take their properties, for `check`.

use crate::judge::{Hosting, chain_spec, channel_spec, group_spec, sink_spec, source_spec};
use bridge::{BridgeError, Channel, Filter, Group, Interceptors, Jvm, Sink, Source, Spec};
use plan::{ComponentPlan, Plan, Problem, Report};

impl Hosting {
    /// Creates each component that runs in the JVM, without starting any, and reports what fails. Nothing is started when
    /// there is none.
    pub async fn probe(&self, plan: &Plan, log: &slog::Logger, report: &mut Report) {
        let mut wanted = wanted(plan).into_iter().peekable();
        if wanted.peek().is_none() || self.0.settings().is_err() {
            return;
        }
        let jvm = match self.0.bridge(log) {
            Ok(bridge) => bridge.jvm().await,
            Err(error) => Err(error),
        };
        for (component, spec) in wanted {
            let outcome = match &jvm {
                Ok(jvm) => create(jvm, &spec).await.map_err(|error| (code(&error), error.to_string())),
                Err(error) => Err(("needs-java", error.to_string())),
            };
            if let Err((code, what)) = outcome {
                let problem =
                    Problem::error(code, &component.owner.at, what).flume(component.owner.dropped.clone());
                let problem = if code == "class-refuses" { problem } else { problem.lacks(lacking(&spec)) };
                report.add(problem);
            }
            if jvm.is_err() {
                break;
            }
        }
        report.sort();
    }
}

/// Whatever of a plan runs in the JVM. A jdbc channel opens its database as soon as it is created, so it is left alone.
fn wanted(plan: &Plan) -> Vec<(&ComponentPlan, Spec)> {
    let mut wanted = Vec::new();
    let hosted = |component: &ComponentPlan| component.hosted().is_some();
    for channel in plan.channels.iter().filter(|channel| hosted(channel)) {
        let spec = channel_spec(channel);
        if !spec.class.to_ascii_lowercase().contains("jdbc") {
            wanted.push((channel, spec));
        }
    }
    for source in &plan.sources {
        let part = source.interceptors.iter().chain([&source.selector]).find(|part| hosted(part));
        if hosted(&source.component) {
            wanted.push((&source.component, source_spec(source).0));
        } else if let Some(part) = part {
            wanted.push((part, chain_spec(source)));
        }
    }
    wanted.extend(
        plan.sinks
            .iter()
            .filter(|sink| hosted(&sink.component))
            .map(|sink| (&sink.component, sink_spec(sink, plan))),
    );
    let groups = plan.groups.iter().filter(|group| hosted(&group.component));
    wanted.extend(groups.map(|group| (&group.component, group_spec(group))));
    wanted
}

async fn create(jvm: &Jvm, spec: &Spec) -> Result<(), BridgeError> {
    match spec.kind {
        bridge::ComponentKind::Source => Source::create(jvm, spec).await.map(drop),
        bridge::ComponentKind::Sink => Sink::create(jvm, spec).await.map(drop),
        bridge::ComponentKind::Interceptors => Interceptors::create(jvm, spec).await.map(drop),
        bridge::ComponentKind::Channel => Channel::create(jvm, spec).await.map(drop),
        bridge::ComponentKind::Group => Group::create(jvm, spec).await.map(drop),
        bridge::ComponentKind::Filter => Filter::create(jvm, spec).await.map(drop),
    }
}

/// The class without its package; of a chain, what it is.
fn lacking(spec: &Spec) -> String {
    match spec.class.rsplit('.').next() {
        Some(class) if !class.is_empty() => class.to_owned(),
        _ => "an interceptor's or a selector's class".to_owned(),
    }
}

fn code(error: &BridgeError) -> &'static str {
    match error {
        BridgeError::Missing { .. } => "no-such-class",
        _ => "class-refuses",
    }
}
