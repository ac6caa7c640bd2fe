//! Looks whether the classes of a plan are there and take their properties, for `check`.

use crate::judge::{Hosting, chain_spec, channel_spec, group_spec, sink_spec, source_spec};
use crate::say;
use bridge::{
    Bridge, BridgeError, Channel, ComponentKind, Filter, Group, Interceptors, Jvm, Monitor, Sink, Source,
    Spec,
};
use plan::{ComponentPlan, Dropped, Plan, Problem, Report};

impl Hosting {
    /// Creates each component that runs in the JVM, without starting any, and reports what fails. Nothing is started when
    /// there is none.
    pub async fn probe(&self, plan: &Plan, log: &slog::Logger, report: &mut Report) {
        let mut wanted = wanted(plan).into_iter().peekable();
        let (Some(_), Ok(settings)) = (wanted.peek(), self.0.settings()) else { return };
        // An agent that runs has the ports of its JVM.
        let bridge = Bridge::new(settings.clone().without_jmx(), say::to(log.clone()));
        let jvm = bridge.jvm().await;
        for (component, spec) in wanted {
            let dropped = &component.owner.dropped;
            let outcome = match &jvm {
                Ok(jvm) => create(jvm, &spec)
                    .await
                    .map_err(|error| (code(&error), error.to_string(), in_flume(dropped, &spec, &error))),
                Err(error) => Err(("needs-java", error.to_string(), dropped.clone())),
            };
            if let Err((code, what, in_flume)) = outcome {
                let problem = Problem::error(code, &component.owner.at, what).flume(in_flume);
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
        ComponentKind::Source => Source::create(jvm, spec).await.map(drop),
        ComponentKind::Sink => Sink::create(jvm, spec).await.map(drop),
        ComponentKind::Interceptors => Interceptors::create(jvm, spec).await.map(drop),
        ComponentKind::Channel => Channel::create(jvm, spec).await.map(drop),
        ComponentKind::Group => Group::create(jvm, spec).await.map(drop),
        ComponentKind::Filter => Filter::create(jvm, spec).await.map(drop),
        ComponentKind::Monitor => Monitor::create(jvm, spec).await.map(drop),
    }
}

/// The class without its package; of a chain, what it is.
fn lacking(spec: &Spec) -> String {
    match spec.class.rsplit('.').next() {
        Some(class) if !class.is_empty() => class.to_owned(),
        _ => "an interceptor's or a selector's class".to_owned(),
    }
}

/// What Flume does then. It leaves out what throws an exception when it is configured; it ends with what throws one when it
/// is created, and with every `Error` of Java, which it does not catch.
fn in_flume(dropped: &Dropped, spec: &Spec, error: &BridgeError) -> Dropped {
    let (BridgeError::Missing { thrown, .. } | BridgeError::Failed { thrown, .. }) = error else {
        return dropped.clone();
    };
    let noun = match spec.kind {
        ComponentKind::Source => "source",
        ComponentKind::Sink => "sink",
        ComponentKind::Channel => "channel",
        ComponentKind::Interceptors
        | ComponentKind::Group
        | ComponentKind::Filter
        | ComponentKind::Monitor => "",
    };
    let its_class = match error {
        BridgeError::Missing { class, .. } => *class == spec.class,
        _ => false,
    };
    let starts = |words: &str| thrown.message.starts_with(words);
    let fatal = dropped.unloadable();
    match thrown.class.rsplit('.').next().unwrap_or_default() {
        // Flume's own heap may be large enough.
        "OutOfMemoryError" => dropped.clone(),
        short if short.ends_with("Error") => fatal.in_words(format!("ends at once ({short})")),
        _ if noun.is_empty() => dropped.clone(),
        _ if its_class || starts("Unable to load ") => {
            fatal.in_words(format!("cannot load it (`Unable to load {noun} type`)"))
        }
        _ if starts("Unable to create ") => {
            fatal.in_words(format!("cannot create it (`Unable to create {noun}`)"))
        }
        _ => dropped.clone(),
    }
}

fn code(error: &BridgeError) -> &'static str {
    match error {
        BridgeError::Missing { .. } => "no-such-class",
        _ => "class-refuses",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bridge::Thrown;

    fn said(kind: ComponentKind, missing: Option<&str>, class: &str, message: &str) -> String {
        let mut spec = Spec::new(kind, "x", "");
        spec.class = "org.acme.Lines".into();
        let thrown = Thrown {
            class: class.into(),
            message: message.into(),
            missing: missing.map(String::from),
            stack: String::new(),
        };
        let (component, thrown) = (spec.name.clone(), Box::new(thrown));
        let error = match missing {
            Some(class) => {
                BridgeError::Missing { component, class: class.into(), thrown, searched: String::new() }
            }
            None => BridgeError::Failed { component, phase: "create".into(), thrown },
        };
        in_flume(&plan::Owner::nobody().dropped, &spec, &error).to_string()
    }

    #[test]
    fn flume_ends_with_what_it_cannot_create_and_leaves_out_what_it_cannot_configure() {
        use ComponentKind::{Interceptors, Sink, Source};
        let flume = "org.apache.flume.FlumeException";
        let own = Some("org.acme.Lines");
        assert_eq!(
            said(Sink, own, flume, "Unable to load sink type: org.acme.Lines, class: org.acme.Lines"),
            "cannot load it (`Unable to load sink type`)"
        );
        assert_eq!(
            said(
                Source,
                Some("org.x.JMSSource"),
                flume,
                "Unable to load source type: jms, class: org.x.JMSSource"
            ),
            "cannot load it (`Unable to load source type`)"
        );
        for kind in [Sink, Interceptors] {
            let ends = said(kind, Some("org.x.Command"), "java.lang.NoClassDefFoundError", "org/x/Command");
            assert_eq!(ends, "ends at once (NoClassDefFoundError)");
        }
        // An interceptor of a source, whose own class is there.
        let exception = "java.lang.ClassNotFoundException";
        assert_eq!(said(Source, Some("org.x.I$Builder"), exception, "org.x.I$Builder"), "test");
        assert_eq!(said(Interceptors, Some("org.x.I$Builder"), exception, "org.x.I$Builder"), "test");
        assert_eq!(said(Sink, None, "java.lang.IllegalArgumentException", "no host"), "test");
    }
}
