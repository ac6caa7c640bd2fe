//! What somebody else has written, as messages show it: safe for a terminal, and never long.

use std::fmt;

/// Text from a file, safe for a terminal: control characters are shown as escapes.
pub(crate) struct Printable<'a>(pub(crate) &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in self.0.split_inclusive(char::is_control) {
            match part.char_indices().next_back() {
                Some((end, last)) if last.is_control() => {
                    write!(out, "{}{}", &part[..end], last.escape_default())?;
                }
                _ => out.write_str(part)?,
            }
        }
        Ok(())
    }
}

/// A text of the file as it is quoted in a message: long ones are cut.
pub fn quoted(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("`{}...`", &text[..end]),
        None => format!("`{text}`"),
    }
}

/// Characters of a text that is quoted.
pub(crate) const SHOWN: usize = 80;

/// At most about `most` bytes of a text, for a message that quotes what somebody else has written.
pub fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_string();
    }
    format!("{}... ({} bytes in all)", &text[..text.floor_char_boundary(most)], text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(quoted(&"ü".repeat(81)), format!("`{}...`", "ü".repeat(80)));
        assert_eq!(quoted("ü"), "`ü`");
    }
}
