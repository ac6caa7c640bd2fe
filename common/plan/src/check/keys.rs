//! What is said of a component's keys.

use super::advice::{consequence, line_value, right};
use super::nearest::{most_like, nearest};
use super::tree::Key;
use crate::component::{Descriptor, Property, Value};
use crate::owner::Owner;
use crate::place::Place;
use crate::problem::Problem;
use crate::quote::quoted;

pub(super) fn unknown(owner: &Owner, known: &Descriptor, key: &Key) -> Problem {
    let what = format!("`{}` is not a property of the type `{}` ({})", key.name, known.name(), owner.noun);
    let problem = Problem::warning("unknown-property", &key.entry.key_at, what)
        .flume("ignores it silently")
        .here("it is ignored")
        .cause(&owner.noun, format!("`{}` is not a property of the type `{}`", key.name, known.name()));
    let names = || known.all().map(|property| property.name);
    match nearest(&key.name, names()).or_else(|| passed_on(known, &key.name)) {
        Some(meant) => {
            problem.fix(format!("`{}{meant} = {}`, if that is meant", owner.prefix, line_value(&key.entry)))
        }
        None => {
            let names = most_like(&key.name, names());
            problem.fix(match names[..] {
                [] => format!("leave it out; `{}` has no properties of its own", known.name()),
                _ => format!(
                    "leave it out; the nearest properties of `{}` are {}",
                    known.name(),
                    names.join(", ")
                ),
            })
        }
    }
}

pub(super) fn missing_line_end(
    owner: &Owner,
    property: &Property,
    key: &Key,
    line: &str,
    fits: bool,
) -> Problem {
    let what = format!("the value of `{}` holds another line: {}", key.entry.key, quoted(line));
    let fix = format!("a line end in front of {}", quoted(line));
    let problem = match fits {
        true => Problem::warning("missing-line-end", &key.entry.value_at, what)
            .flume("takes it as part of the value")
            .here("the same"),
        false => {
            Problem::error("missing-line-end", &key.entry.value_at, what).flume(consequence(owner, property))
        }
    };
    problem.fix(fix)
}

/// Whether a key stands below the name of a part with a type, whose affair it is.
pub(super) fn is_of_a_part(known: &Descriptor, key: &str) -> bool {
    let parts = known.all().filter(|property| matches!(property.value, Value::Type(_) | Value::Parts(_)));
    parts
        .map(|property| key.strip_prefix(property.name))
        .any(|rest| rest.is_some_and(|rest| rest.starts_with('.')))
}

/// The name of what a library is given, where the word in the middle is missing: `kafka.producer.acks` for `kafka.acks`.
fn passed_on(known: &Descriptor, key: &str) -> Option<String> {
    let (head, rest) = key.split_once('.')?;
    let of_head = |name: &&'static str| {
        name.ends_with('.')
            && name.strip_prefix(head).is_some_and(|rest| rest.len() > 1 && rest.starts_with('.'))
    };
    let mut prefixes = known.all().map(|property| property.name).filter(of_head);
    let only = prefixes.next().filter(|_| prefixes.next().is_none())?;
    Some(format!("{only}{rest}"))
}

pub(super) fn missing_property(
    owner: &Owner,
    known: &Descriptor,
    property: &Property,
    slip: Option<&Key>,
    at: &Place,
) -> Problem {
    let name = property.name;
    let what = format!("the {} has no `{name}`, which `{}` needs", owner.noun, known.name());
    let fix = match slip {
        Some(key) => {
            let line = format!("`{}{name} = {}`", owner.prefix, line_value(&key.entry));
            format!("{line} in place of `{}` at {}", key.entry.key, key.entry.key_at)
        }
        None => right(property, &format!("{}{name}", owner.prefix)),
    };
    Problem::error("missing-property", at, what)
        .flume(&owner.dropped)
        .fix(fix)
        .cause(&owner.noun, format!("`{name}` is missing, which `{}` needs", known.name()))
}

pub(super) fn unused(owner: &Owner, known: &Descriptor, key: &Key, why: &str) -> Problem {
    let what = format!("`{}` has no effect on the type `{}` ({})", key.name, known.name(), owner.noun);
    Problem::note("unused-property", &key.entry.key_at, what)
        .here(format!("it is accepted: {why}"))
        .cause(&owner.noun, format!("`{}` has no effect on the type `{}`", key.name, known.name()))
}
