//! Looks whether the classes of a plan are there and take their properties: for `check`, and before a reload.

use crate::judge::{Hosting, chain_spec, channel_spec, group_spec, sink_spec, source_spec};
use crate::say;
use bridge::{
    Bridge, BridgeError, Channel, ComponentKind, Filter, Group, Interceptors, Jvm, Monitor, Sink, Source,
    Spec,
};
use plan::{ComponentPlan, Dropped, Plan, Problem, Report};
use runtime::clock::{self, Duration, Instant};
use tokio::time::timeout_at;

impl Hosting {
    /// Creates each component that runs in the JVM, without starting any, and reports what fails. Nothing is started when
    /// there is none.
    pub async fn probe(&self, plan: &Plan, log: &slog::Logger, report: &mut Report) {
        self.probe_some(wanted(plan), None, log, report).await;
    }

    /// The same for those that are not in `known` as they are: a plan that was taken before, and may run. Ends within two
    /// minutes; what is not created until then is reported.
    pub async fn probe_new(&self, plan: &Plan, known: &Plan, log: &slog::Logger, report: &mut Report) {
        let until = clock::now() + PROBED_WITHIN;
        self.probe_some(new(plan, known), Some(until), log, report).await;
    }

    /// `until` is given where others of this agent may run already.
    async fn probe_some(
        &self,
        wanted: Vec<(&ComponentPlan, Spec)>,
        until: Option<Instant>,
        log: &slog::Logger,
        report: &mut Report,
    ) {
        let (false, Ok(settings)) = (wanted.is_empty(), self.0.settings()) else { return };
        let bridge = Bridge::new(settings.clone().for_a_probe(), say::to(log.clone()));
        let jvm = in_time(until, "the JVM", bridge.jvm()).await;
        for (component, spec) in wanted {
            let (owner, late) = (&component.owner, until.is_some_and(|until| clock::now() >= until));
            match &jvm {
                Ok(jvm) => {
                    if let Err(error) = in_time(until, owner.noun.as_str(), create(jvm, &spec)).await {
                        let problem = refused(component, &spec, &error);
                        let harmless = until.is_some() && may_be_had_by_another(&error);
                        report.add(if harmless { not_probed(component, &error) } else { problem });
                    }
                }
                // The one that runs shows that Java is there.
                Err(error) if self.0.running().is_some() => report.add(not_probed(component, error)),
                Err(error) => {
                    let problem = Problem::error("needs-java", &owner.at, error.to_string());
                    report.add(problem.flume(owner.dropped.clone()).lacks(lacking(&spec)));
                }
            }
            if jvm.is_err() || late {
                break;
            }
        }
        report.sort();
    }
}

/// Waits for an answer, until then if that is given.
async fn in_time<T>(
    until: Option<Instant>,
    who: &str,
    answer: impl Future<Output = Result<T, BridgeError>>,
) -> Result<T, BridgeError> {
    let Some(until) = until else { return answer.await };
    let late = |_| {
        Err(BridgeError::Silent { component: who.to_owned(), what: "to be created", after: PROBED_WITHIN })
    };
    timeout_at(until, answer).await.unwrap_or_else(late)
}

/// About a component that cannot be created.
fn refused(component: &ComponentPlan, spec: &Spec, error: &BridgeError) -> Problem {
    let (owner, code) = (&component.owner, code(error));
    let in_flume = in_flume(&owner.dropped, spec, error);
    let problem = Problem::error(code, &owner.at, error.to_string()).flume(in_flume);
    if code == "class-refuses" { problem } else { problem.lacks(lacking(spec)) }
}

/// About one of which nothing is known beforehand.
fn not_probed(component: &ComponentPlan, error: &BridgeError) -> Problem {
    let what = format!("whether it can be created is not known before it is: {error}");
    Problem::warning("not-probed", &component.owner.at, what)
        .here("it is created when the one that runs has stopped, and again until that succeeds")
}

/// Whether a class fails only because somebody has what it wants at once: a port, or the lock of a folder. That may be its
/// predecessor in the running agent.
fn may_be_had_by_another(error: &BridgeError) -> bool {
    let BridgeError::Failed { thrown, .. } = error else { return false };
    let says =
        |words: &str| [&thrown.class, &thrown.message, &thrown.stack].iter().any(|text| text.contains(words));
    ["java.net.BindException", "OverlappingFileLockException", "Cannot lock "].into_iter().any(says)
}

/// Those of a plan that run in the JVM and are not in `known` as they are.
fn new<'p>(plan: &'p Plan, known: &Plan) -> Vec<(&'p ComponentPlan, Spec)> {
    let before: Vec<Spec> = wanted(known).into_iter().map(|(_, spec)| spec).collect();
    let all = wanted(plan).into_iter();
    all.filter(|(_, spec)| !before.contains(spec)).collect()
}

/// A reload waits for so long at most. A JVM takes about a second, a class a part of one.
const PROBED_WITHIN: Duration = Duration::from_secs(120);

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

    #[test]
    fn what_somebody_else_may_have_is_told_from_what_is_wrong() {
        let failed = |class: &str, stack: &str| {
            let thrown = Thrown {
                class: class.into(),
                message: "it fails".into(),
                missing: None,
                stack: stack.into(),
            };
            BridgeError::Failed { component: "k1".into(), phase: "create".into(), thrown: Box::new(thrown) }
        };
        assert!(may_be_had_by_another(&failed("java.net.BindException", "")));
        let caused = "at org.acme.Server\nCaused by: java.net.BindException: Address already in use";
        assert!(may_be_had_by_another(&failed("org.apache.flume.FlumeException", caused)));
        assert!(!may_be_had_by_another(&failed("java.lang.IllegalArgumentException", "at org.acme.Server")));
        assert!(!may_be_had_by_another(&BridgeError::Gone("it has crashed".into())));
    }
}
