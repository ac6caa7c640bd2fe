//! Whether a text may stand as a value.

use java::{Charset, Pattern};

use super::nearest::nearest;
use crate::component::Value;

impl Value {
    /// Whether `value` may stand there.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn accepts(self, value: &str) -> Result<(), String> {
        let free = matches!(self, Value::Text | Value::Free | Value::Regex | Value::Path | Value::Secret);
        if !free && value.contains("${") {
            return Err("its variable names nothing".into());
        }
        match self {
            Value::Text
            | Value::Free
            | Value::Secret
            | Value::List
            | Value::Channels
            | Value::Unused(_)
            | Value::Path
            | Value::Type(_)
            | Value::Parts(_) => Ok(()),
            Value::Host => host(value),
            Value::Port => number(value, 0, 65_535),
            Value::Number { min, max, .. } => number(value, min, max),
            Value::Flag => {
                let known = ["true", "false"].iter().any(|word| value.eq_ignore_ascii_case(word));
                if known { Ok(()) } else { Err("neither `true` nor `false`".into()) }
            }
            Value::Choice(words) => one_of(value, words),
            Value::Charset => charset(value),
            Value::Regex => Pattern::compile(value).map(drop).map_err(String::from),
        }
    }
}

fn number(value: &str, min: i64, max: i64) -> Result<(), String> {
    match value.parse::<i64>() {
        Ok(number) if (min..=max).contains(&number) => Ok(()),
        Ok(number) if number < min => Err(format!("less than {min}")),
        Ok(_) => Err(format!("more than {max}")),
        Err(_) if value.chars().all(|c| c.is_ascii_digit()) => Err(format!("more than {max}")),
        Err(_) => Err("not a whole number".into()),
    }
}

fn one_of(value: &str, words: &[&str]) -> Result<(), String> {
    match words.iter().any(|word| word.eq_ignore_ascii_case(value)) {
        true => Ok(()),
        false => Err(match nearest(value, words.iter().copied()) {
            Some(meant) => format!("not one of {}; `{meant}` is near", words.join(", ")),
            None => format!("not one of {}", words.join(", ")),
        }),
    }
}

fn charset(value: &str) -> Result<(), String> {
    if Charset::for_name(value).is_some() {
        return Ok(());
    }
    Err(match nearest(value, Charset::names()) {
        Some(meant) => format!("no charset that is supported; `{meant}` is near"),
        None => "no charset that is supported".into(),
    })
}

fn host(value: &str) -> Result<(), String> {
    if value.contains("://") || value.contains('/') {
        return Err("a host name or address, not a URL".into());
    }
    if value.contains(|c: char| c.is_whitespace() || c == ',' || c == '#') {
        return Err("one host name or address, without blanks or commas".into());
    }
    let address = value.starts_with('[') || value.matches(':').count() > 1;
    if !address && value.contains(':') {
        return Err("the port has a property of its own".into());
    }
    Ok(())
}
