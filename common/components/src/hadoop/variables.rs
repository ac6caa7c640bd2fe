//! Variables in the values of Hadoop's files.
//!
//! Source: Hadoop 3.3 `Configuration.substituteVars` and `findSubVariable`.

use std::ops::Range;

/// A value with what `look_up` gives for its `${NAME}`s, the first one first, also those in what was put there. It ends at the
/// first that nobody knows. A value in which a variable leads to itself is as it was written; `None` after too many rounds.
pub(super) fn replaced(value: &str, look_up: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut text = value.to_owned();
    for _ in 0..MOST_ROUNDS {
        let Some(place) = first(&text) else { return Some(text) };
        let variable = &text[place.clone()];
        let Some(found) = look_up(&variable[BEFORE.len()..variable.len() - 1]) else { return Some(text) };
        if found.contains(variable) {
            return Some(value.to_owned());
        }
        text.replace_range(place, &found);
    }
    None
}

/// Where the first variable is. Its name has neither `}` nor `$` nor a space.
fn first(text: &str) -> Option<Range<usize>> {
    let mut from = 0;
    while let Some(at) = text[from..].find(BEFORE) {
        let name = from + at + BEFORE.len();
        let length = text[name..].find(['}', '$', ' '])?;
        if length > 0 && text[name + length..].starts_with('}') {
            return Some(from + at..name + length + 1);
        }
        from = name + length;
    }
    None
}

/// What a variable `env.TEXT` stands for: `NAME`, `NAME-DEFAULT`, or `NAME:-DEFAULT` where an empty one is none.
pub(super) fn of_environment(text: &str, variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let Some((name, default)) = text.split_once('-') else { return variable(text) };
    let found = match name.strip_suffix(':') {
        Some(name) => variable(name).filter(|value| !value.is_empty()),
        None => variable(name),
    };
    found.or_else(|| Some(default.to_owned()))
}

const BEFORE: &str = "${";
/// Hadoop's own limit.
const MOST_ROUNDS: u32 = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_replaced_as_hadoop_does_it() {
        let look_up = |name: &str| {
            let value = match name {
                "a" => "1",
                "b" => "<${a}>",
                "own" => "x${own}",
                "round" => "${trip}",
                "trip" => "${round}",
                _ => return None,
            };
            Some(value.to_owned())
        };
        for (value, expected) in [
            ("plain", Some("plain")),
            ("${a}:${b}", Some("1:<1>")),
            ("${a}${unknown}${a}", Some("1${unknown}${a}")),
            ("${own}", Some("${own}")),
            ("${a ${a}", Some("${a 1")),
            ("${}${${a}", Some("${}${1")),
            ("$a ${a", Some("$a ${a")),
            ("é${a}é", Some("é1é")),
            ("${round}", None),
        ] {
            assert_eq!(replaced(value, look_up).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn a_variable_of_the_environment_has_a_default() {
        let variable = |name: &str| match name {
            "SET" => Some("s".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        for (text, expected) in [
            ("SET", Some("s")),
            ("SET-d", Some("s")),
            ("EMPTY-d", Some("")),
            ("EMPTY:-d", Some("d")),
            ("NONE-d-e", Some("d-e")),
            ("NONE:-", Some("")),
            ("NONE", None),
        ] {
            assert_eq!(of_environment(text, variable).as_deref(), expected, "{text}");
        }
    }
}
