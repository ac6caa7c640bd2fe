//! Interceptors as Flume runs them: one after another, each over a list of events.

use plan::ComponentPlan;
use proptest::prelude::*;
use regex::Regex;

/// Headers in the order of insertion, and the body.
pub(super) type Plain = (Vec<(String, String)>, String);

/// An interceptor, as little as it can be.
#[derive(Debug, Clone)]
pub(super) enum Naive {
    Timestamp { key: String, preserve: bool },
    Static { key: String, value: String, preserve: bool },
    RemoveHeader { list: Vec<String>, matching: String },
    Filter { regex: String, exclude: bool },
    Replace { search: String, with: String },
    Extract { regex: String, names: Vec<String> },
}

impl Naive {
    /// Passes one event; none when it is dropped.
    pub(super) fn pass(&self, (mut headers, mut body): Plain, now: i64) -> Option<Plain> {
        let has = |key: &str| headers.iter().any(|(name, _)| name == key);
        match self {
            Naive::Timestamp { key, preserve } if !(*preserve && has(key)) => {
                put(&mut headers, key, &now.to_string())
            }
            Naive::Static { key, value, preserve } if !(*preserve && has(key)) => {
                put(&mut headers, key, value)
            }
            Naive::Timestamp { .. } | Naive::Static { .. } => {}
            Naive::RemoveHeader { list, matching } => {
                let matching = Regex::new(&format!("^(?:{matching})$")).expect("valid");
                headers.retain(|(key, _)| !list.contains(key) && !matching.is_match(key));
            }
            Naive::Filter { regex, exclude } => {
                if Regex::new(regex).expect("valid").is_match(&body) == *exclude {
                    return None;
                }
            }
            Naive::Replace { search, with } => {
                body = Regex::new(search).expect("valid").replace_all(&body, with.as_str()).into_owned();
            }
            Naive::Extract { regex, names } => {
                if let Some(groups) = Regex::new(regex).expect("valid").captures(&body) {
                    for (group, name) in groups.iter().skip(1).zip(names) {
                        if let Some(group) = group {
                            put(&mut headers, name, group.as_str());
                        }
                    }
                }
            }
        }
        Some((headers, body))
    }

    /// The same as a plan.
    pub(super) fn plan(&self) -> ComponentPlan {
        let text = |text: &str| text.to_owned();
        let (kind, pairs) = match self {
            Naive::Timestamp { key, preserve } => (
                "timestamp",
                vec![(text("headerName"), text(key)), (text("preserveExisting"), preserve.to_string())],
            ),
            Naive::Static { key, value, preserve } => {
                let preserve = (text("preserveExisting"), preserve.to_string());
                ("static", vec![(text("key"), text(key)), (text("value"), text(value)), preserve])
            }
            Naive::RemoveHeader { list, matching } => (
                "remove_header",
                vec![(text("fromList"), list.join(", ")), (text("matching"), text(matching))],
            ),
            Naive::Filter { regex, exclude } => (
                "regex_filter",
                vec![(text("regex"), text(regex)), (text("excludeEvents"), exclude.to_string())],
            ),
            Naive::Replace { search, with } => (
                "search_replace",
                vec![(text("searchPattern"), text(search)), (text("replaceString"), text(with))],
            ),
            Naive::Extract { regex, names } => {
                let mut pairs = vec![(text("regex"), text(regex)), (text("serializers"), text("s0 s1"))];
                let name =
                    |(index, name): (usize, &String)| (format!("serializers.s{index}.name"), text(name));
                pairs.extend(names.iter().enumerate().map(name));
                ("regex_extractor", pairs)
            }
        };
        let pairs: Vec<(&str, &str)> =
            pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        super::plan(kind, &pairs)
    }
}

fn put(headers: &mut Vec<(String, String)>, key: &str, value: &str) {
    match headers.iter_mut().find(|(name, _)| name == key) {
        Some(header) => header.1 = value.into(),
        None => headers.push((key.into(), value.into())),
    }
}

/// Up to four interceptors that get in each other's way.
pub(super) fn chains() -> impl Strategy<Value = Vec<Naive>> {
    let one = prop_oneof![
        (key(), any::<bool>()).prop_map(|(key, preserve)| Naive::Timestamp { key, preserve }),
        (key(), "[a-c]{1,2}", any::<bool>()).prop_map(|(key, value, preserve)| Naive::Static {
            key,
            value,
            preserve
        }),
        (prop::collection::vec(key(), 1..3), "[a-e][a-e]?")
            .prop_map(|(list, matching)| { Naive::RemoveHeader { list, matching } }),
        (regex(), any::<bool>()).prop_map(|(regex, exclude)| Naive::Filter { regex, exclude }),
        (regex(), "[a-c]{0,2}(\\$1)?[a-c]").prop_map(|(search, with)| {
            // The crate takes letters behind `$1` for a part of the name.
            Naive::Replace { search, with: with.replace("$1", "$1 ") }
        }),
        (regex(), key(), key()).prop_map(|(regex, a, b)| Naive::Extract { regex, names: vec![a, b] }),
    ];
    prop::collection::vec(one, 0..5)
}

/// Events that come with the same headers, then others.
pub(super) fn events() -> impl Strategy<Value = Vec<Plain>> {
    let headers = prop::collection::vec((key(), "[a-c]{0,2}"), 0..4);
    let bodies = prop::collection::vec("[ab1é ]{0,6}", 1..4);
    prop::collection::vec((headers, bodies), 0..4).prop_map(|groups| {
        let group = |(headers, bodies): (Vec<_>, Vec<String>)| {
            bodies.into_iter().map(move |body| (headers.clone(), body))
        };
        groups.into_iter().flat_map(group).collect()
    })
}

/// As a peer's map is read: a key written twice keeps its first place and its last value.
pub(super) fn folded((headers, body): &Plain) -> Plain {
    let mut folded = Vec::new();
    headers.iter().for_each(|(key, value)| put(&mut folded, key, value));
    (folded, body.clone())
}

fn key() -> impl Strategy<Value = String> {
    "[a-e]"
}

/// None of them matches nothing: there the crate and Java go on differently.
fn regex() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["(a+)", "(a)|(b)", "(b)1", "^(a.)", "([0-9])$", "(é)", "a(b?) "])
        .prop_map(str::to_owned)
}
