//! `multiplexing`: channels by the value of one header.

use super::{Selected, named, wrong};
use event::{Batch, Event};
use plan::{Findings, Problem, Properties, Property, Value};
use runtime::build::BuildError;
use std::collections::HashMap;

pub(super) const PROPERTIES: &[Property] = &[
    Property::with("header", Value::Text, "flume.selector.header"),
    Property::optional("mapping.", Value::Channels),
    Property::optional("default", Value::Channels),
    Property::optional("optional.", Value::Channels),
];

/// What is doubtful in a mapping.
pub(super) fn judge(properties: &Properties, findings: &mut Findings<'_>) {
    let owner = findings.owner;
    if properties.under("mapping").next().is_none() {
        let what = format!("the {} maps no value to a channel", owner.noun);
        let problem = Problem::warning("no-mapping", &owner.at, what)
            .flume("the same: every event goes to `default`, or is dropped")
            .here("every event goes to `default`, or is dropped");
        findings.add(problem.fix(format!("`{}mapping.VALUE = CHANNEL`", owner.prefix)));
    } else if properties.text("default").is_none() {
        let what = format!("the {} has no `default`", owner.noun);
        let problem = Problem::note("no-default", &owner.at, what)
            .flume("takes an event that no mapping has, says OK and drops it")
            .here("the same; it is counted");
        findings
            .add(problem.fix(format!("`{}default = CHANNEL`, if such events are to be kept", owner.prefix)));
    }
    let wide = |(key, list): &(&str, &str)| *key != "header" && (list.contains("  ") || list.contains('\t'));
    if let Some((key, _)) = properties.iter().find(wide) {
        let what = format!("`{}{key}` has more than one blank between two names", owner.prefix);
        let problem = Problem::note("wide-list", findings.at(key), what).flume(owner.dropped.in_words(
            format!("splits it at each blank, finds a channel without a name, and {}", owner.dropped),
        ));
        findings.add(problem.here("any blanks separate names").fix("one blank between names"));
    }
}

/// The value is compared as it stands, case and blanks included; a blank one counts as missing.
#[derive(Debug, Clone)]
pub(crate) struct Multiplexing {
    header: String,
    routes: Vec<Route>, // the first is for values without one of their own
    by_value: HashMap<String, usize>,
    last_headers: Vec<u8>, // neighbours mostly came with the same ones
    last_route: usize,
    chosen: Vec<usize>, // a route for each event of a batch
}

#[derive(Debug, Clone, Default)]
struct Route {
    required: Vec<usize>,
    optional: Vec<usize>,
}

impl Multiplexing {
    /// `header` (flume.selector.header), `mapping.VALUE`, `default`, `optional.VALUE`.
    ///
    /// # Errors
    /// [`BuildError`].
    pub(crate) fn build(properties: &Properties, channels: &[String]) -> Result<Multiplexing, BuildError> {
        let mut routes =
            vec![Route { required: named(properties, "default", channels), optional: Vec::new() }];
        let mut by_value = HashMap::new();
        for (value, _) in properties.under("mapping") {
            let key = format!("mapping.{value}");
            let required = named(properties, &key, channels);
            if required.is_empty() {
                return Err(wrong(properties, &key, "name at least one channel for this value"));
            }
            by_value.insert(value.to_owned(), routes.len());
            routes.push(Route { required, optional: Vec::new() });
        }
        for (value, _) in properties.under("optional") {
            let mut optional = named(properties, &format!("optional.{value}"), channels);
            let route = *by_value.entry(value.to_owned()).or_insert(routes.len());
            if route == routes.len() {
                routes.push(routes[0].clone());
            }
            optional.retain(|channel| !routes[route].required.contains(channel));
            routes[route].optional = optional;
        }
        let header = properties.word("header").to_owned();
        Ok(Multiplexing {
            header,
            routes,
            by_value,
            last_headers: Vec::new(),
            last_route: 0,
            chosen: Vec::new(),
        })
    }

    /// Says where the events of `batch` go.
    pub(crate) fn select(&mut self, batch: &Batch) -> Selected {
        let mut chosen = std::mem::take(&mut self.chosen);
        chosen.clear();
        chosen.extend(batch.events().map(|event| self.route(&event)));
        let selected = self.group(batch, &chosen);
        self.chosen = chosen;
        selected
    }

    fn route(&mut self, event: &Event<'_>) -> usize {
        if !event.has_header_bytes(&self.last_headers) {
            let value = event.header(&self.header).filter(|value| !is_blank(value));
            self.last_route = value.and_then(|value| self.by_value.get(value)).copied().unwrap_or(0);
            self.last_headers.clear();
            self.last_headers.extend_from_slice(event.header_bytes());
        }
        self.last_route
    }

    fn group(&self, batch: &Batch, chosen: &[usize]) -> Selected {
        let mut selected = Selected::default();
        let mut seen = vec![false; self.routes.len()];
        for route in chosen {
            if std::mem::replace(&mut seen[*route], true) {
                continue;
            }
            for channel in &self.routes[*route].required {
                self.add(&mut selected.required, *channel, |route| &route.required, batch, chosen);
            }
            for channel in &self.routes[*route].optional {
                self.add(&mut selected.optional, *channel, |route| &route.optional, batch, chosen);
            }
        }
        let nowhere = |route: &Route| route.required.is_empty() && route.optional.is_empty();
        selected.dropped = chosen.iter().filter(|route| nowhere(&self.routes[**route])).count();
        selected
    }

    /// Adds `channel` with all events that are for it, once.
    fn add(
        &self,
        to: &mut Vec<(usize, Batch)>,
        channel: usize,
        list: impl Fn(&Route) -> &Vec<usize>,
        batch: &Batch,
        chosen: &[usize],
    ) {
        if to.iter().any(|(added, _)| *added == channel) {
            return;
        }
        let mut wanted = chosen.iter().map(|route| list(&self.routes[*route]).contains(&channel));
        let all = wanted.clone().all(|wanted| wanted);
        let events = if all { batch.clone() } else { batch.filter(|_| wanted.next().unwrap_or(false)) };
        to.push((channel, events));
    }
}

/// Whether Java's `trim` leaves nothing.
fn is_blank(value: &str) -> bool {
    value.bytes().all(|byte| byte <= b' ')
}
