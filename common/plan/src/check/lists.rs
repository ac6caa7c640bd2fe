//! Lists of names, as they are to be written.

use crate::settings::words;
use std::collections::BTreeSet;

/// A list with one more name.
pub(super) fn with(names: &[String], name: &str) -> String {
    if names.len() > LONGEST_LINE / 10 {
        return format!("... {name}");
    }
    let all = names.iter().map(String::as_str).chain([name]).collect::<Vec<_>>().join(" ");
    without_commas(&all)
}

/// A list with another word in place of one of its own.
pub(super) fn replaced(list: &str, word: &str, other: &str) -> String {
    if list.len() > LONGEST_LINE {
        return format!("... {other} ...");
    }
    once(words(list).map(|one| if one == word { other } else { one }))
}

/// A list as it should be written: blanks between the names, and each once.
pub(super) fn without_commas(list: &str) -> String {
    once(list.split([',', ' ', '\t']).filter(|name| !name.is_empty()))
}

fn once<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut known = BTreeSet::new();
    names.filter(|name| known.insert(*name)).collect::<Vec<_>>().join(" ")
}

/// Bytes of a list that anybody pastes; of a longer one only what changes is shown.
const LONGEST_LINE: usize = 500;
