//! What is advised: what Flume does with a value that does not fit, and how to write it.

use crate::component::{Bad, Property, Value};
use crate::fate::Dropped;
use crate::owner::Owner;
use crate::properties::Entry;
use crate::quote::{SHOWN, cut};
use crate::secret::{HIDDEN, is_secret};

/// What Flume does with text that does not fit.
pub(super) fn consequence(owner: &Owner, property: &Property) -> Dropped {
    match (property.value, property.bad) {
        (Value::Flag, _) => "takes all but `true` for `false`".into(),
        (_, Bad::Says(what)) => what.into(),
        (_, Bad::Ours("")) => "has no such property".into(),
        (_, Bad::Ours(what)) => format!("has no such property and {what}").into(),
        (_, Bad::Default) => match property.default {
            Some(default) => format!("takes the default, {default}").into(),
            None => "takes the default".into(),
        },
        (Value::Text | Value::Free | Value::Secret | Value::Path, _) => "uses it as it is".into(),
        (Value::Charset, _) => {
            owner.dropped.in_words(format!("takes the charsets of its Java, else {}", owner.dropped))
        }
        (Value::Regex, _) => {
            owner.dropped.in_words(format!("takes what Java can read, else {}", owner.dropped))
        }
        (Value::List | Value::Channels | Value::Parts(_), _) => {
            "takes each word for a name, and leaves out the names that it does not know".into()
        }
        (Value::Unused(_), _) => "does not use it".into(),
        _ => owner.dropped.clone(),
    }
}

/// How to write a property.
pub(super) fn right(property: &Property, key: &str) -> String {
    let value = match property.value {
        Value::Number { min, max, unit } => {
            let unit = if unit.is_empty() { String::new() } else { format!(" of {unit}") };
            let upper = if max >= i64::from(i32::MAX) { String::new() } else { format!(" to {max}") };
            return format!("`{key} = NUMBER`, a whole number{unit} from {min}{upper}");
        }
        Value::Port => return format!("`{key} = PORT`, from 0 to 65535"),
        Value::Flag => "true` or `false".to_string(),
        Value::Choice(words) => return format!("`{key} = WORD`, one of {}", words.join(", ")),
        Value::Charset => {
            return format!(
                "`{key} = CHARSET`, the one that the text is written in, as UTF-8, GBK or windows-1252"
            );
        }
        Value::Host => "HOST".to_string(),
        Value::Regex => {
            return format!("`{key} = REGEX`, Java's, in which each backslash is written twice");
        }
        _ => property.name.trim_end_matches('.').rsplit('.').next().unwrap_or("VALUE").to_uppercase(),
    };
    format!("`{key} = {value}`")
}

/// The value as it stands behind a suggested key.
pub(super) fn line_value(entry: &Entry) -> String {
    if is_secret(&entry.key) { HIDDEN.to_string() } else { cut(java_trim(&entry.value), SHOWN) }
}

/// `String.trim` of Java: all up to the blank goes.
pub(super) fn java_trim(text: &str) -> &str {
    text.trim_matches(|c| c <= ' ')
}
