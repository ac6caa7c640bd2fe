//! `\p{...}`: Java's names for sets of characters.

use super::reader::{Flags, Reader, Refused, cannot, wrong};

/// The set behind `\p` or `\P`, as a class in the spelling of the `regex` crate.
///
/// # Errors
/// A name that Java does not know, or that has no counterpart here.
pub(super) fn property(reader: &mut Reader, column: usize, negated: bool) -> Result<String, Refused> {
    let name = if reader.take_if('{') {
        reader.take_until('}').ok_or_else(|| wrong(column, "a `\\p{` has no `}`"))?
    } else {
        reader.take().ok_or_else(|| wrong(column, "`\\p` is followed by no name"))?.to_string()
    };
    let set = set(&name, reader.flags);
    let set = set.ok_or_else(|| {
        let known = "name a script (`\\p{IsHan}`), a category (`\\p{L}`) or a range (`[\\u4e00-\\u9fff]`)";
        cannot(column, format!("`\\p{{{name}}}`"), known)
    })?;
    Ok(format!("[{}{set}]", if negated { "^" } else { "" }))
}

/// What a name stands for, ready for use within `[` and `]`.
fn set(name: &str, flags: Flags) -> Option<String> {
    let in_table = |table: &[(&'static str, &'static str)], name: &str| {
        table.iter().find(|(known, _)| *known == name).map(|(_, set)| *set)
    };
    if flags.any_case && ANY_CASE.contains(&name) {
        return Some(r"\p{Lu}\p{Ll}\p{Lt}".into());
    }
    if flags.any_case && ["Lower", "Upper"].contains(&name) {
        return Some(if flags.unicode { ANY_LETTER.into() } else { "A-Za-z".into() });
    }
    if flags.unicode
        && let Some(set) = in_table(&UNICODE, name)
    {
        return Some(set.into());
    }
    if let Some(set) = in_table(&POSIX, name).or_else(|| in_table(&JAVA, name)) {
        return Some(set.into());
    }
    if let Some((key, value)) = name.split_once('=') {
        return match key.to_ascii_lowercase().as_str() {
            "sc" | "script" => Some(format!(r"\p{{sc={value}}}")),
            "gc" | "general_category" => category(value),
            _ => None,
        };
    }
    let Some(rest) = name.strip_prefix("Is") else { return category(name) };
    let binary = rest.to_ascii_uppercase();
    let binary = in_table(&BINARY, &binary).map(str::to_owned);
    let folded = flags.any_case
        && ["LOWERCASE", "UPPERCASE", "TITLECASE"].contains(&rest.to_ascii_uppercase().as_str());
    if folded {
        return Some(ANY_LETTER.into());
    }
    binary.or_else(|| category(rest)).or_else(|| script(rest))
}

/// A general category. Java reads its name in this spelling only.
fn category(name: &str) -> Option<String> {
    CATEGORIES.contains(&name).then(|| format!(r"\p{{{name}}}"))
}

fn script(name: &str) -> Option<String> {
    let plain = name.chars().all(|next| next.is_ascii_alphabetic() || next == '_');
    plain.then(|| format!(r"\p{{sc={name}}}"))
}

/// A letter that has a case.
const ANY_LETTER: &str = r"\p{Lowercase}\p{Uppercase}\p{Lt}";

/// With the flag `i`, each of them stands for all.
const ANY_CASE: [&str; 12] = [
    "Lu",
    "Ll",
    "Lt",
    "IsLu",
    "IsLl",
    "IsLt",
    "gc=Lu",
    "gc=Ll",
    "gc=Lt",
    "javaLowerCase",
    "javaUpperCase",
    "javaTitleCase",
];

#[rustfmt::skip]
const CATEGORIES: [&str; 37] = [
    "C", "Cc", "Cf", "Cn", "Co", "L", "LC", "Ll", "Lm", "Lo", "Lt", "Lu", "M", "Mc", "Me", "Mn", "N", "Nd", "Nl", "No",
    "P", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "S", "Sc", "Sk", "Sm", "So", "Z", "Zl", "Zp", "Zs",
];

/// For ASCII.
const POSIX: [(&str, &str); 16] = [
    ("Lower", "a-z"),
    ("Upper", "A-Z"),
    ("ASCII", r"\x00-\x7F"),
    ("Alpha", "A-Za-z"),
    ("Digit", "0-9"),
    ("Alnum", "A-Za-z0-9"),
    ("Punct", r"!-/:-@\x5B-`\x7B-~"),
    ("Graph", "!-~"),
    ("Print", r"\x20-~"),
    ("Blank", r"\x20\t"),
    ("Cntrl", r"\x00-\x1F\x7F"),
    ("XDigit", "0-9A-Fa-f"),
    ("Space", r"\x20\t-\r"),
    ("L1", r"\x00-\x{FF}"),
    ("LD", r"\p{L}\p{Nd}"),
    ("all", r"\x00-\x{10FFFF}"),
];

/// The same names with the flag `U`.
const UNICODE: [(&str, &str); 12] = [
    ("Lower", r"\p{Lowercase}"),
    ("Upper", r"\p{Uppercase}"),
    ("Alpha", r"\p{Alphabetic}"),
    ("Digit", r"\p{Nd}"),
    ("Alnum", r"\p{Alphabetic}\p{Nd}"),
    ("Punct", r"\p{P}"),
    ("Graph", GRAPH),
    ("Print", PRINT),
    ("Blank", r"\t\p{Zs}"),
    ("Cntrl", r"\p{Cc}"),
    ("XDigit", r"\p{Nd}\p{Hex_Digit}"),
    ("Space", r"\p{White_Space}"),
];

const PRINT: &str = r"[^\p{White_Space}\p{Cc}\p{Cn}]\p{Zs}";
const GRAPH: &str = r"[^\p{White_Space}\p{Cc}\p{Cn}]";

/// What `Character` answers.
const JAVA: [(&str, &str); 15] = [
    ("javaLowerCase", r"\p{Lowercase}"),
    ("javaUpperCase", r"\p{Uppercase}"),
    ("javaTitleCase", r"\p{Lt}"),
    ("javaAlphabetic", r"\p{Alphabetic}"),
    ("javaIdeographic", r"\p{Ideographic}"),
    ("javaDigit", r"\p{Nd}"),
    ("javaDefined", r"\P{Cn}"),
    ("javaLetter", r"\p{L}"),
    ("javaLetterOrDigit", r"\p{L}\p{Nd}"),
    ("javaSpaceChar", r"\p{Z}"),
    ("javaWhitespace", r"\t-\r\x1C-\x1F[\p{Z}--\x{A0}\x{2007}\x{202F}]"),
    ("javaISOControl", r"\p{Cc}"),
    ("InBasicLatin", r"\x00-\x7F"),
    ("InGreek", r"\x{370}-\x{3FF}"),
    ("InCyrillic", r"\x{400}-\x{4FF}"),
];

/// Binary properties behind `Is`, which Java reads in any case.
const BINARY: [(&str, &str); 23] = [
    ("ALPHABETIC", r"\p{Alphabetic}"),
    ("IDEOGRAPHIC", r"\p{Ideographic}"),
    ("LETTER", r"\p{L}"),
    ("LOWERCASE", r"\p{Lowercase}"),
    ("UPPERCASE", r"\p{Uppercase}"),
    ("TITLECASE", r"\p{Lt}"),
    ("WHITE_SPACE", r"\p{White_Space}"),
    ("WHITESPACE", r"\p{White_Space}"),
    ("CONTROL", r"\p{Cc}"),
    ("PUNCTUATION", r"\p{P}"),
    ("HEX_DIGIT", r"\p{Nd}\p{Hex_Digit}"),
    ("HEXDIGIT", r"\p{Nd}\p{Hex_Digit}"),
    ("ASSIGNED", r"\P{Cn}"),
    ("NONCHARACTER_CODE_POINT", r"\p{Noncharacter_Code_Point}"),
    ("NONCHARACTERCODEPOINT", r"\p{Noncharacter_Code_Point}"),
    ("DIGIT", r"\p{Nd}"),
    ("ALNUM", r"\p{Alphabetic}\p{Nd}"),
    ("BLANK", r"\t\p{Zs}"),
    ("GRAPH", GRAPH),
    ("PRINT", PRINT),
    ("WORD", r"\w"),
    ("JOIN_CONTROL", r"\p{Join_Control}"),
    ("JOINCONTROL", r"\p{Join_Control}"),
];
