//! `${...}` in the files of log4j.

/// Puts values in the place of `${NAME}`. What `value` gives is looked through again. With `escaped`, `$${` is a `${` that
/// stands for itself.
pub(super) fn fill(text: &str, escaped: bool, value: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    push(text, escaped, value, DEEPEST, &mut out);
    out
}

fn push(text: &str, escaped: bool, value: &dyn Fn(&str) -> Option<String>, depth: usize, out: &mut String) {
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
        let filled = if depth > 0 && out.len() < MOST_BYTES { value(name) } else { None };
        match filled {
            Some(filled) => push(&filled, escaped, value, depth - 1, out),
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
        assert_eq!(fill("${b}-${c}-${d:-${a}}$", false, &value), "<1>-${c}-1$");
        assert_eq!(fill("$${a} ${a", true, &value), "${a} ${a");
        assert_eq!(fill("$${a}", false, &value), "$1");
        assert!(fill("${loop}", false, &value).len() < 1 << 20);
    }
}
