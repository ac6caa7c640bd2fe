//! The processors: how a group rests its sinks and chooses among them.

use flow::component::{Component, Configure};
use flow::processor::{Backoff, Grouping, LONE, Order};
use plan::{
    Bad, Descriptor, Findings, GroupPlan, Kind, Problem, Properties, Property, Value, named, nearest, quoted,
};
use runtime::clock::Duration;
use std::collections::BTreeMap;

/// Their rows in the catalogue.
pub(crate) const COMPONENTS: &[&Component] = &[
    &Component {
        descriptor: Descriptor::new(
            Kind::Processor,
            "default",
            "org.apache.flume.sink.DefaultSinkProcessor",
            &[],
        ),
        configure: Configure::Processor(|plan, findings| {
            if plan.sinks.len() > 1 {
                wrong_processor(plan, "drives exactly one sink", "failover` or `load_balance", findings);
                return None;
            }
            Some(LONE)
        }),
    },
    &Component {
        descriptor: Descriptor::new(
            Kind::Processor,
            "failover",
            "org.apache.flume.sink.FailoverSinkProcessor",
            &[FAILOVER],
        ),
        configure: Configure::Processor(|plan, findings| {
            judge_priorities(plan, findings);
            let properties = &plan.component.properties;
            Some(Grouping {
                backoff: Backoff::Penalty(properties.millis("maxpenalty")),
                order: Order::Priorities(priorities(properties, &plan.sinks)),
            })
        }),
    },
    &Component {
        descriptor: Descriptor::new(
            Kind::Processor,
            "load_balance",
            "org.apache.flume.sink.LoadBalancingSinkProcessor",
            &[LOAD_BALANCE],
        ),
        configure: Configure::Processor(|plan, findings| {
            if plan.sinks.len() < 2 {
                wrong_processor(plan, "needs at least two sinks", "default", findings);
                return None;
            }
            Some(load_balance(&plan.component.properties))
        }),
    },
];

const FAILOVER: &[Property] = &[
    Property::optional("priority.", Value::Number { min: i32::MIN as i64, max: i32::MAX as i64, unit: "" }).bad(Bad::Says(
        "takes it silently, as if the sink had no priority: behind all that have one, so the standby may become the primary",
    )),
    Property::with("maxpenalty", Value::at_least(0, "ms"), "30000").lenient(),
];

const LOAD_BALANCE: &[Property] = &[
    Property::with("selector", Value::Choice(&["round_robin", "random"]), "round_robin"),
    Property::with("backoff", Value::Flag, "false"),
    Property::with("selector.maxTimeOut", Value::long(0, "ms"), "30000")
        .outside(Bad::Says("takes it: a sink that failed is asked again at once")),
];

fn load_balance(properties: &Properties) -> Grouping {
    let backoff = if properties.flag("backoff") {
        let most = properties.millis("selector.maxTimeOut");
        Backoff::Penalty(if most.is_zero() { IN_PLACE_OF_NONE } else { most })
    } else {
        Backoff::Retry
    };
    let random = properties.word("selector").eq_ignore_ascii_case("random");
    Grouping { backoff, order: if random { Order::Random } else { Order::RoundRobin } }
}

/// Flume takes 0 as it is: a sink that failed is asked again at once.
const IN_PLACE_OF_NONE: Duration = Duration::from_secs(30);

/// Sinks without a (valid) priority come behind all others, in the order written. Flume gives them -1, -2, ... in the
/// order of a hash map.
fn priorities(properties: &Properties, sinks: &[String]) -> Vec<i64> {
    let mut without = 0;
    let mut priority = |sink: &String| {
        properties.given(&format!("priority.{sink}")).unwrap_or_else(|| {
            without -= 1;
            without
        })
    };
    sinks.iter().map(&mut priority).collect()
}

fn wrong_processor(plan: &GroupPlan, rule: &str, other: &str, findings: &mut Findings<'_>) {
    let (kind, owner) = (plan.component.kind(), findings.owner);
    let what = format!("the {} has {} sinks and the processor `{kind}` {rule}", owner.noun, plan.sinks.len());
    let problem = Problem::error("wrong-processor", &owner.at, what).flume(&owner.dropped);
    let fix = format!("`{}type = {other}`", owner.prefix);
    findings.add(problem.fix(fix));
}

fn judge_priorities(plan: &GroupPlan, findings: &mut Findings<'_>) {
    let (owner, properties) = (findings.owner, &plan.component.properties);
    let mut seen: BTreeMap<i64, &str> = BTreeMap::new();
    for member in &plan.sinks {
        let key = format!("priority.{member}");
        let Some(priority) = properties.given(&key) else { continue };
        let Some(first) = seen.insert(priority, member) else { continue };
        let what = format!(
            "the sinks `{first}` and `{member}` of the {} have the same priority, {priority}",
            owner.noun
        );
        let problem = Problem::warning("equal-priorities", findings.at(&key), what)
            .flume("leaves the second one out for good: it is never used")
            .here(format!("`{member}` stands behind `{first}`, as they are written in the group"))
            .fix("a different number for each sink, the higher one first");
        findings.add(problem);
    }
    let without: Vec<&str> = plan
        .sinks
        .iter()
        .map(String::as_str)
        .filter(|member| !properties.is_written(&format!("priority.{member}")))
        .collect();
    without_priority(&without, plan.sinks.len(), findings);
    for (name, _) in
        properties.under("priority").filter(|(name, _)| !plan.sinks.iter().any(|sink| sink == name))
    {
        let what = format!("{} has a priority and is no member of the {}", quoted(name), owner.noun);
        let problem = Problem::warning("priority-of-nobody", findings.at(&format!("priority.{name}")), what)
            .flume("ignores it silently")
            .here("it is ignored");
        let fix = match nearest(name, without.iter().copied()) {
            Some(meant) => format!("`{}priority.{meant}`, if that is meant", owner.prefix),
            None => format!("a member: {}", named(&plan.sinks)),
        };
        findings.add(problem.fix(fix));
    }
}

fn without_priority(without: &[&str], members: usize, findings: &mut Findings<'_>) {
    if without.is_empty() || members < 2 {
        return;
    }
    let owner = findings.owner;
    let what = format!("members of the {} have no priority: {}", owner.noun, named(without));
    findings.add(
        Problem::warning("no-priority", &owner.at, what)
            .flume("gives them -1, -2 ... in an order of its own, not the written one")
            .here("they stand behind those that have one, in the order in which they are written")
            .fix(format!("`{}priority.NAME = NUMBER` for each, the higher one first", owner.prefix)),
    );
}
