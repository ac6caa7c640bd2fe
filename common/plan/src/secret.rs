//! What no message may show: passwords, keys and tokens.
//!
//! A value is kept back when the name of its key reads like that of a secret, also misspelt; when a variable with such a
//! name or a config filter stands behind it; and wherever the same text turns up again. User names and passwords inside
//! a URL are kept back in any text. A password may be a word that the file has elsewhere: as a type, a name or a part of a
//! key it is shown, since that tells nobody that it is a password.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use crate::component::LISTS;

/// Stands where a secret would.
pub const HIDDEN: &str = "***";

/// Whether the value of `key` is not to be shown. Slips of a letter or two count, but for the first letter.
pub fn is_secret(key: &str) -> bool {
    let key = of_a_component(key).unwrap_or(key);
    if PLACES.iter().any(|place| key.ends_with(place)) || names_a_header(key) {
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

/// What follows the name of the component in a whole key: what a component is called says nothing of its values.
fn of_a_component(key: &str) -> Option<&str> {
    let mut parts = key.splitn(4, '.');
    let (_agent, list, _name) = (parts.next()?, parts.next()?, parts.next()?);
    parts.next().filter(|_| LISTS.contains(&list))
}

/// Whether the value of a key that ends in `key` is the name of an event's header, or of a field that sorts what is stored.
fn names_a_header(key: &str) -> bool {
    let mut parts = key.rsplit('.');
    let last = parts.next().unwrap_or_default();
    let plain: String = last.chars().filter(char::is_ascii_alphanumeric).collect();
    let before = plain.to_ascii_lowercase();
    let before = before.strip_suffix("key");
    before.is_some_and(|word| FIELDS.iter().any(|field| word.ends_with(field)))
}

/// Whether the value of a secret key may be any word: the static interceptor's `interceptors.i1.key` is a header's name, which
/// stands elsewhere, too, and that of another interceptor may be a key.
pub(crate) fn may_be_a_word(key: &str) -> bool {
    let mut parts = key.rsplit('.');
    parts.next() == Some("key") && parts.nth(1) == Some("interceptors")
}

/// What stands in front of `Key` where the value is a name.
const FIELDS: [&str; 5] = ["header", "row", "partition", "routing", "sort"];

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
pub struct Secrets {
    known: Vec<String>,
    /// So many of them are words that a secret is a part of.
    grown: usize,
    /// Words that everybody may read: types, names of components, parts of keys.
    open: BTreeSet<String>,
}

/// Shows none of them.
impl fmt::Debug for Secrets {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} secrets", self.known.len())
    }
}

impl Secrets {
    /// The values of those keys that are secrets by their names.
    pub fn of<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Secrets {
        let mut secrets = Secrets::default();
        let kept = pairs.into_iter().filter(|(key, _)| is_secret(key) && !may_be_a_word(key));
        kept.for_each(|(_, value)| secrets.add(value));
        secrets
    }

    /// Keeps a text back from now on. A very short one is in every sentence.
    pub fn add(&mut self, secret: &str) {
        if self.known.len() - self.grown < MOST {
            self.push(secret.trim());
        }
    }

    fn push(&mut self, secret: &str) {
        if (SHORTEST..=LONGEST).contains(&secret.len()) && !self.known.iter().any(|known| known == secret) {
            self.known.push(secret.to_string());
            self.known.sort_by_key(|known| std::cmp::Reverse(known.len()));
        }
    }

    /// Keeps back what secrets have become parts of in `value`, which variables have made: `geheim` in `a${env:PASSWORD}b`.
    pub(crate) fn add_grown(&mut self, value: &str) {
        let within = |secret: &String| {
            let all = value.match_indices(secret.as_str()).take(MOST);
            all.map(|(at, _)| &value[word_around(value, at..at + secret.len(), JOINED)]).collect::<Vec<_>>()
        };
        let grown: Vec<&str> = self.known.iter().flat_map(within).collect();
        for word in grown.into_iter().take(MOST - self.grown) {
            let before = self.known.len();
            self.push(word);
            self.grown += self.known.len() - before;
        }
    }

    /// Shows the words of these keys and of the types that they name, also where a secret reads the same.
    pub(crate) fn leave_open<'a>(&mut self, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) {
        for (key, value) in pairs {
            self.open.extend(key.split('.').map(str::to_string));
            let is_list = key.split_once('.').is_some_and(|(_, list)| LISTS.contains(&list));
            if key.ends_with(".type") || is_list {
                let words = value.split(|sign: char| sign.is_whitespace() || matches!(sign, '.' | '$'));
                self.open.extend(words.map(str::to_string));
            }
        }
    }

    /// Whether a secret is part of a text.
    pub fn are_in(&self, text: &str) -> bool {
        self.known.iter().any(|secret| self.places(secret, text).next().is_some())
    }

    /// The text without secrets and without log-ins of URLs.
    pub fn hide(&self, text: &str) -> String {
        let mut shown = text.to_string();
        for secret in &self.known {
            let places: Vec<_> = self.places(secret, &shown).collect();
            for place in places.into_iter().rev() {
                shown.replace_range(place, HIDDEN);
            }
        }
        without_log_ins(&shown)
    }

    /// Where a secret stands in a text, and not a word that reads like it or has it inside.
    fn places<'s>(&'s self, secret: &'s str, text: &'s str) -> impl Iterator<Item = Range<usize>> + 's {
        let all = text.match_indices(secret).map(|(at, found)| at..at + found.len());
        all.filter(move |place| {
            let mut narrow = word_around(text, place.clone(), "_");
            if ends_in_escape(&text[..place.start]) {
                narrow.start = place.start;
            }
            let narrow = &text[narrow];
            let wide = &text[word_around(text, place.clone(), JOINED)];
            // Letters alone may be a piece of any word; a secret with other signs in it is one wherever it stands.
            let is_piece = narrow != secret && secret.bytes().all(|byte| byte.is_ascii_alphabetic());
            !is_piece && !self.open.contains(narrow) && !self.open.contains(wide)
        })
    }
}

/// Signs that names have beside letters and digits.
const JOINED: &str = "-_";

/// The letters, digits and signs of `joined` round a part of a text, as many as a name has.
fn word_around(text: &str, part: Range<usize>, joined: &str) -> Range<usize> {
    let belongs = |sign: &char| sign.is_alphanumeric() || joined.contains(*sign);
    let before = text[..part.start].chars().rev().take(LONGEST_NAME).take_while(belongs);
    let behind = text[part.end..].chars().take(LONGEST_NAME).take_while(belongs);
    let [before, behind] = [before.map(char::len_utf8).sum::<usize>(), behind.map(char::len_utf8).sum()];
    part.start - before..part.end + behind
}

/// Whether the last sign of a text is one that is written as `%3A`, `\\u003d` or `\\n`.
fn ends_in_escape(text: &str) -> bool {
    let is_hex = |digits: &[u8]| digits.iter().all(u8::is_ascii_hexdigit);
    match text.as_bytes() {
        [.., b'%', one, two] if is_hex(&[*one, *two]) => true,
        [.., b'\\', b'u', one, two, three, four] if is_hex(&[*one, *two, *three, *four]) => true,
        [.., b'\\', letter] => letter.is_ascii_alphabetic(),
        _ => false,
    }
}

/// Letters of a name on each side of a secret: it bounds the time that a look takes.
const LONGEST_NAME: usize = 100;

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
            "kafka.producer.ssl.keystore.key",
            "a1.sources.r1.consumerKey",
            "a1.sources.r1.accountKey",
            "a1.sources.key.password",
            "a1.sinks.k1.primaryKey",
            "a1.sources.r1.interceptors.i1.key",
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
            "a1.sources.r1.fileHeaderKey",
            "basenameHeaderKey",
            "file-header-key",
            "a1.sources.r1.keyHeader",
            "a1.sinks.k1.serializer.rowKey",
            "a1.sinks.tokens.type",
            "a1.sources.r1.headers.f1.headerKey1",
            "",
        ] {
            assert!(!is_secret(key), "{key}");
        }
    }

    #[test]
    fn a_word_that_the_file_has_for_all_to_read_stays_though_a_password_reads_the_same() {
        let pairs = [
            ("a.sources.rabbitmq-source.type", "org.x.rabbitmq.RabbitMQSource"),
            ("a.sources.rabbitmq-source.password", "rabbitmq"),
            ("a.sources.rabbitmq-source.secret", "wombat"),
            ("a.sources.rabbitmq-source.token", "tok-en"),
            ("a.channels", "memo ch"),
            ("a.channels.ch.password", "memo"),
            ("a.channels.ch.passphrase", "file"),
        ];
        let mut secrets = Secrets::of(pairs);
        secrets.leave_open(pairs);
        for shown in [
            "source `rabbitmq-source`",
            "`org.x.rabbitmq.RabbitMQSource`",
            "channel `memo`",
            "filegroups, profile, wombats",
        ] {
            assert_eq!(secrets.hide(shown), shown);
        }
        assert_eq!(secrets.hide("`wombat` xtok-enx file"), "`***` x***x ***");
        assert_eq!(
            secrets.hide(r"user%3Awombat%40h pw\u003dwombat \nwombat"),
            r"user%3A***%40h pw\u003d*** \n***"
        );
        let topic = Secrets::of([("a.sources.r.interceptors.i.key", "topic")]);
        assert_eq!(topic.hide("kafka.topic"), "kafka.topic");
        assert!(secrets.are_in("user=me;pw=wombat") && !secrets.are_in("wombats"));
    }

    #[test]
    fn a_secret_that_a_variable_puts_inside_a_word_is_kept_back_with_the_word() {
        let mut secrets = Secrets::of([("password", "wombat")]);
        secrets.add_grown("jdbc:x?user=me&pw=mywombat7-x");
        assert_eq!(secrets.hide("`mywombat7-x` and user=me"), "`***` and user=me");
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
