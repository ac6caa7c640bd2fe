//! What no message may show: passwords, keys and tokens.
//!
//! A value is kept back when the name of its key reads like that of a secret, also misspelt; when a variable with such a
//! name or a config filter stands behind it; and wherever the same text turns up again. User names and passwords inside
//! a URL are kept back in any text.

use std::fmt;

/// Stands where a secret would.
pub const HIDDEN: &str = "***";

/// Whether the value of `key` is not to be shown. Slips of a letter or two count, but for the first letter.
pub fn is_secret(key: &str) -> bool {
    if PLACES.iter().any(|place| key.ends_with(place)) {
        return false;
    }
    // Its end tells what a key is; it may be as long as a line.
    let end = &key.as_bytes()[key.len().saturating_sub(LOOKED_AT)..];
    let mut letters = [0; LOOKED_AT];
    let mut length = 0;
    for byte in end.iter().filter(|byte| byte.is_ascii_alphanumeric()) {
        letters[length] = byte.to_ascii_lowercase();
        length += 1;
    }
    let letters = &letters[..length];
    let parted = end.len() > length || end.iter().any(u8::is_ascii_uppercase);
    (0..length).any(|at| starts_with_secret(&letters[at..]))
        || letters.ends_with(b"pass") && !letters.ends_with(b"bypass")
        || parted && last_word(end).eq_ignore_ascii_case(b"key")
}

/// What stands behind the last `-`, `_` or `.`, or begins with the last capital.
fn last_word(key: &[u8]) -> &[u8] {
    let sign = key.iter().rposition(|byte| !byte.is_ascii_alphanumeric()).map_or(0, |at| at + 1);
    let word = &key[sign..];
    let small = word.last().is_some_and(u8::is_ascii_lowercase);
    let capital = word.iter().rposition(u8::is_ascii_uppercase).filter(|_| small).unwrap_or(0);
    &word[capital..]
}

fn starts_with_secret(letters: &[u8]) -> bool {
    PARTS.iter().any(|part| letters.starts_with(part))
        || SLIPS.iter().any(|secret| {
            let most = if secret.len() < 8 { 1 } else { 2 };
            letters[0] == secret[0]
                && missing(letters, secret) <= most as u32
                && (secret.len() - 1..=secret.len() + 1)
                    .any(|length| letters.get(..length).is_some_and(|part| distance(part, secret) <= most))
        })
}

/// How many of the word's letters the text does not have where the word would stand: no fewer slips make it of the text.
fn missing(text: &[u8], word: &[u8]) -> u32 {
    let set = |text: &[u8]| text.iter().fold(0u128, |set, letter| set | 1 << (letter & 0x7f));
    (set(word) & !set(&text[..text.len().min(word.len() + 1)])).count_ones()
}

/// Keys of the config filter `hadoop` that name files.
const PLACES: [&str; 2] = ["credential.provider.path", "java-keystore-provider.password-file"];
/// Words of secrets, long enough to be known with a slip.
const SLIPS: &[&[u8]] = &[b"password", b"passwd", b"passphrase", b"secret", b"credential"];
/// Others, to be written right.
const PARTS: &[&[u8]] =
    &[b"pwd", b"token", b"apikey", b"accesskey", b"privatekey", b"passcode", b"jaasconfig"];
/// Bytes at the end of a key that are looked at.
const LOOKED_AT: usize = 64;

/// How many letters differ, are missing or too many, or have changed places.
fn distance(found: &[u8], word: &[u8]) -> usize {
    const LONGEST: usize = 12;
    let mut rows = [[0; LONGEST + 1]; LONGEST + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = std::array::from_fn(|j| j);
    for (i, letter) in found.iter().enumerate() {
        for (j, other) in word.iter().enumerate() {
            let mut least =
                (rows[i][j] + usize::from(letter != other)).min(rows[i][j + 1] + 1).min(rows[i + 1][j] + 1);
            if i > 0 && j > 0 && found[i - 1] == *other && *letter == word[j - 1] {
                least = least.min(rows[i - 1][j - 1] + 1);
            }
            rows[i + 1][j + 1] = least;
        }
    }
    rows[found.len()][word.len()]
}

/// A password or a key. It prints as `***`, so no log line, error or report can show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides `text`.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text, for whoever opens something with it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(HIDDEN)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(HIDDEN)
    }
}

/// The secrets that are known, to be kept out of texts.
#[derive(Clone, Default)]
pub struct Secrets(Vec<String>);

/// Shows none of them.
impl fmt::Debug for Secrets {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} secrets", self.0.len())
    }
}

impl Secrets {
    /// The values of those keys that are secrets by their names.
    pub fn of<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Secrets {
        let mut secrets = Secrets::default();
        pairs.into_iter().filter(|(key, _)| is_secret(key)).for_each(|(_, value)| secrets.add(value));
        secrets
    }

    /// Keeps a text back from now on. A very short one is in every sentence.
    pub fn add(&mut self, secret: &str) {
        let secret = secret.trim();
        if (SHORTEST..=LONGEST).contains(&secret.len())
            && self.0.len() < MOST
            && !self.0.iter().any(|known| known == secret)
        {
            self.0.push(secret.to_string());
            self.0.sort_by_key(|known| std::cmp::Reverse(known.len()));
        }
    }

    /// Whether a secret is part of a text.
    pub fn are_in(&self, text: &str) -> bool {
        self.0.iter().any(|secret| text.contains(secret))
    }

    /// The text without secrets and without log-ins of URLs.
    pub fn hide(&self, text: &str) -> String {
        let known = self.0.iter().filter(|secret| text.contains(*secret)).collect::<Vec<_>>();
        without_log_ins(
            &known.into_iter().fold(text.to_string(), |text, secret| text.replace(secret, HIDDEN)),
        )
    }
}

/// Bytes of a secret that is looked for.
const SHORTEST: usize = 4;
const LONGEST: usize = 64 << 10;
/// More than a configuration has.
const MOST: usize = 200;

/// `scheme://user:password@host` with what stands before the `@` left out.
pub fn without_log_ins(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let ends = |c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '`' | '"' | '\'');
        let authority = &after[..after.find(ends).unwrap_or(after.len())];
        rest = match authority.rfind('@') {
            Some(end) => {
                out.push_str(HIDDEN);
                &after[end..]
            }
            None => after,
        };
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_known_also_misspelt() {
        for key in [
            "keystore-password",
            "truststore-pasword",
            "truststore-passwrod",
            "trustStorePassword",
            "javax.net.ssl.keyStorePassword",
            "FLUME_SSL_KEYSTORE_PASSWORD",
            "a1.sinks.k1.keystore.pasword",
            "keystorePasswort",
            "KEYSTORE_PASSWD",
            "db.pwd",
            "passphrase",
            "pass-phrase",
            "client-secrt",
            "clientSecret",
            "auth.token",
            "aws_secret_access_key",
            "api-key",
            "apiKey",
            "credentials",
            "smtp-pass",
            "kafka.producer.sasl.jaas.config",
        ] {
            assert!(is_secret(key), "{key}");
        }
        for key in [
            "keystore",
            "truststore",
            "keystore-type",
            "trust-all-certs",
            "a1.sources.r1.interceptors.i1.header",
            "key",
            "positionFile",
            "batch-size",
            "max-attempts",
            "host-selector",
            "sink.pathManager.prefix",
            "bind",
            "channels",
            "cachePatternMatching",
            "bypass",
            "sessions",
            "a1.sources.r1.passThrough",
            "a1.configfilters.f.credential.provider.path",
            "credstore.java-keystore-provider.password-file",
            "",
        ] {
            assert!(!is_secret(key), "{key}");
        }
    }

    #[test]
    fn a_secret_is_out_of_every_text() {
        let secrets =
            Secrets::of([("keystore-password", " hunter2 "), ("bind", "localhost"), ("pwd", "abc")]);
        assert_eq!(secrets.hide("`hunter2` at localhost, abc"), "`***` at localhost, abc");
        assert!(secrets.are_in("xhunter2x") && !secrets.are_in("hunter"));
        assert_eq!(format!("{secrets:?}"), "1 secrets");
        assert_eq!(
            secrets.hide("`http://me:pw@h:1/p@x` ftp://a@b://c:d@e"),
            "`http://***@h:1/p@x` ftp://***@b://***@e"
        );
    }
}
