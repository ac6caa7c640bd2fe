//! What was most likely meant by what is no regular expression: a shell's pattern, a slip of the pen.

use crate::Pattern;

/// A shell's pattern as a regular expression, with backslashes as the file needs them. Nothing for what is none.
pub fn glob_as_regex(pattern: &str) -> Option<String> {
    if !pattern.contains(['*', '?', '{']) || pattern.contains(['(', ')', '+', '|', '^', '$']) {
        return None;
    }
    let mut regex = String::new();
    let (mut escaped, mut depth) = (false, 0);
    for letter in pattern.chars() {
        match letter {
            _ if std::mem::take(&mut escaped) => regex.extend(["\\\\".to_string(), letter.to_string()]),
            '\\' => escaped = true,
            '.' => regex += "\\\\.",
            '*' => regex += ".*",
            '?' => regex.push('.'),
            '{' => {
                depth += 1;
                regex.push('(');
            }
            '}' if depth > 0 => {
                depth -= 1;
                regex.push(')');
            }
            ',' if depth > 0 => regex.push('|'),
            other => regex.push(other),
        }
    }
    (depth == 0 && !escaped).then_some(regex)
}

/// A regular expression whose counts end with `]`, as `[0-9]{4]`, with `}` there, and with backslashes as the file needs them.
/// Nothing for one that is right, or is none then either.
pub fn with_ended_counts(regex: &str) -> Option<String> {
    let (mut mended, mut rest) = (String::new(), regex);
    while let Some((before, behind)) = rest.split_once('{') {
        let count = behind.find(|sign: char| !sign.is_ascii_digit() && sign != ',').unwrap_or(behind.len());
        let slip = count > 0 && behind[count..].starts_with(']') && !before.ends_with('\\');
        mended.extend([before, "{", &behind[..count], if slip { "}" } else { "" }]);
        rest = &behind[count + usize::from(slip)..];
    }
    mended += rest;
    let is_one = Pattern::compile(regex).is_err() && Pattern::compile(&mended).is_ok();
    is_one.then(|| mended.replace('\\', "\\\\"))
}

/// Whether a `*`, or a `?` that is not the last sign, stands behind a plain letter, where a regular expression seldom has
/// one: `access_*.log`, `app.log*`. What is escaped or in brackets is a regular expression.
pub fn looks_like_glob(pattern: &str) -> bool {
    let signs: Vec<char> = pattern.chars().collect();
    let plain = |at: usize| {
        let letter = signs[at].is_alphanumeric() || matches!(signs[at], '_' | '-' | ' ' | '@' | '~' | '=');
        letter && (at == 0 || signs[at - 1] != '\\')
    };
    let in_brackets = |at: usize| {
        let before = signs[..at].iter();
        before.rfold(None, |found, sign| found.or((*sign == '[' || *sign == ']').then_some(*sign)))
            == Some('[')
    };
    (1..signs.len()).any(|at| {
        let repeats = signs[at] == '*' || signs[at] == '?' && at + 1 < signs.len();
        repeats && plain(at - 1) && !in_brackets(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_that_ends_with_a_square_bracket_is_mended_where_that_makes_a_regular_expression() {
        for (regex, meant) in [
            ("e_[0-9]{4]-[0-9]{2]", Some("e_[0-9]{4}-[0-9]{2}")),
            (r"\d{1,3]\.log", Some(r"\\d{1,3}\\.log")),
            ("a{4}", None),
            ("[{4]", None),
            (r"\{4]", None),
            ("a{4](", None),
            ("a{", None),
        ] {
            assert_eq!(with_ended_counts(regex).as_deref(), meant, "{regex}");
        }
    }
}
