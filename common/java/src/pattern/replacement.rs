//! The replacement of a match, in Java's syntax.

use super::Pattern;

/// What `Matcher.replaceAll` puts in place of a match.
#[derive(Debug)]
pub struct Replacement(Vec<Part>);

/// A piece of a replacement.
#[derive(Debug, PartialEq, Eq)]
pub enum Part {
    /// Text that stands for itself.
    Literal(String),
    /// What this group of the match found.
    Group(usize),
}

impl Replacement {
    /// Reads `$1`, `${name}`, and `\` in front of a character that stands for itself.
    ///
    /// # Errors
    /// What is wrong, in an operator's words. Java finds out at the first match, and then every batch fails.
    pub fn compile(java: &str, pattern: &Pattern) -> Result<Replacement, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = java;
        while let Some(next) = rest.chars().next() {
            rest = &rest[next.len_utf8()..];
            match next {
                '\\' => {
                    let escaped = rest
                        .chars()
                        .next()
                        .ok_or("it ends in a single `\\`; write `\\\\` for the character")?;
                    rest = &rest[escaped.len_utf8()..];
                    literal.push(escaped);
                }
                '$' => {
                    parts.push(Part::Literal(std::mem::take(&mut literal)));
                    parts.push(Part::Group(group(&mut rest, pattern)?));
                }
                other => literal.push(other),
            }
        }
        parts.push(Part::Literal(literal));
        parts.retain(|part| *part != Part::Literal(String::new()));
        Ok(Replacement(parts))
    }

    /// What it is made of, in order. A group that took no part in the match gives nothing.
    pub fn parts(&self) -> &[Part] {
        &self.0
    }
}

/// The group behind a `$`: a name in braces, or as many digits as still name a group.
fn group(rest: &mut &str, pattern: &Pattern) -> Result<usize, String> {
    if let Some(named) = rest.strip_prefix('{') {
        let (name, after) = named.split_once('}').ok_or("a `${` has no `}`")?;
        *rest = after;
        return pattern.group_named(name).ok_or_else(|| format!("the regex has no group called `{name}`"));
    }
    let mut number = None;
    while let Some(digit) = rest.chars().next().and_then(|next| next.to_digit(10)) {
        let next = number.unwrap_or(0) * 10 + digit as usize;
        if number.is_some() && next > pattern.group_count() {
            break;
        }
        number = Some(next);
        *rest = &rest[1..];
    }
    match number {
        None => Err("`$` is followed by no group; write `\\$` for the character".into()),
        Some(number) if number > pattern.group_count() => {
            Err(format!("the regex has no group {number}; write `\\$` for the character `$`"))
        }
        Some(number) => Ok(number),
    }
}
