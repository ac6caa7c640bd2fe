//! A shell's pattern where a regular expression belongs.

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
