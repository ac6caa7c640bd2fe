//! `${...}` in the files of log4j.

use std::cell::Cell;

/// How many values a file may still fill in: values of values of values could keep the start busy, and be nothing in the end.
pub(super) struct Budget(Cell<usize>);

impl Budget {
    pub(super) fn new() -> Budget {
        Budget(Cell::new(MOST_VALUES))
    }

    fn spend(&self, cost: usize) {
        self.0.set(self.0.get().saturating_sub(cost));
    }

    /// What is to be said when it was not enough.
    pub(super) fn notice(&self, origin: &str) -> Option<String> {
        (self.0.get() == 0).then(|| {
            format!(
                "{origin}: variables stand for more than {MOST_VALUES} values, and the last of them were not filled in; write it with fewer"
            )
        })
    }
}

/// Puts values in the place of `${NAME}`. What `value` gives is looked through again. With `escaped`, `$${` is a `${` that
/// stands for itself.
pub(super) fn fill(
    text: &str,
    escaped: bool,
    value: &dyn Fn(&str) -> Option<String>,
    budget: &Budget,
) -> String {
    let mut out = String::new();
    push(text, escaped, &(value, budget), DEEPEST, &mut out);
    out
}

/// What gives values, and how many it may.
type Values<'a> = (&'a dyn Fn(&str) -> Option<String>, &'a Budget);

fn push(text: &str, escaped: bool, values: &Values<'_>, depth: usize, out: &mut String) {
    let (value, budget) = values;
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        if escaped && rest[..at].ends_with('$') {
            out.push_str(&rest[..at - 1]);
            out.push_str("${");
            rest = &rest[at + 2..];
            continue;
        }
        out.push_str(&rest[..at]);
        let Some(end) = closing(&rest[at + 2..]) else { return out.push_str(&rest[at..]) };
        let name = &rest[at + 2..at + 2 + end];
        let may = depth > 0 && out.len() < MOST_BYTES && budget.0.get() > 0;
        match if may { value(name) } else { None } {
            Some(filled) => {
                budget.spend(1 + filled.len() / USUAL_BYTES);
                push(&filled, escaped, values, depth - 1, out);
            }
            None => out.push_str(&rest[at..at + 3 + end]),
        }
        rest = &rest[at + 3 + end..];
    }
    out.push_str(rest);
}

/// Where the brace is closed: a default may have braces of its own.
fn closing(text: &str) -> Option<usize> {
    let mut open = 1;
    let mut before = ' ';
    for (at, sign) in text.char_indices() {
        match sign {
            '{' if before == '$' => open += 1,
            '}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(at);
        }
        before = sign;
    }
    None
}

/// A property that every JVM has.
pub(super) fn of_every_jvm(name: &str) -> Option<String> {
    let variable = |name: &str| std::env::var(name).ok();
    match name {
        "user.home" => variable("HOME"),
        "user.name" => variable("USER").or(variable("LOGNAME")),
        "user.dir" => std::env::current_dir().ok()?.to_str().map(str::to_owned),
        "java.io.tmpdir" => Some("/tmp".to_owned()),
        "file.separator" => Some("/".to_owned()),
        _ => None,
    }
}

/// Values within values within values.
const DEEPEST: usize = 8;

/// Of one file. A long one counts as several.
const MOST_VALUES: usize = 10_000;

/// Bytes of a value that is not long.
const USUAL_BYTES: usize = 100;

/// More than this is not filled in.
const MOST_BYTES: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_filled_in_and_what_has_none_stands() {
        let value = |name: &str| match name {
            "a" => Some("1".to_owned()),
            "b" => Some("<${a}>".to_owned()),
            "loop" => Some("${loop}${loop}".to_owned()),
            "d:-${a}" => Some("${a}".to_owned()),
            _ => None,
        };
        let budget = Budget::new();
        let fill = |text, escaped| fill(text, escaped, &value, &budget);
        assert_eq!(fill("${b}-${c}-${d:-${a}}$", false), "<1>-${c}-1$");
        assert_eq!(fill("$${a} ${a", true), "${a} ${a");
        assert_eq!(fill("$${a}", false), "$1");
        assert!(fill("${loop}", false).len() < 1 << 20);
        assert_eq!(budget.notice("f"), None);
    }

    #[test]
    fn values_that_are_nothing_are_counted_too() {
        let asked = Cell::new(0);
        let value = |name: &str| {
            asked.set(asked.get() + 1);
            Some(if name == "x" { String::new() } else { "${x}".repeat(5000) })
        };
        let budget = Budget::new();
        assert!(fill(&"${b}".repeat(5000), false, &value, &budget).contains("${b}"));
        assert!(asked.get() <= MOST_VALUES && budget.notice("f").is_some());
    }
}
