//! A login by DIGEST-MD5: the server gives a challenge, the client answers with what only one who knows the password can make,
//! and the server proves that it knows it, too. The password itself is never sent.
//!
//! Source: RFC 2831, ZooKeeper 3.9 `ZooKeeperSaslClient` and `SecurityUtils`, the JDK's `DigestMD5Client`, with these differences: of
//! several realms the first is taken, and no more than authentication is asked for.

use md5::{Digest, Md5};
use std::fmt::Write;
use thiserror::Error;

/// Why a challenge cannot be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unanswerable {
    /// It is longer than the standard allows, or no list of directives in UTF-8.
    #[error("it is no challenge of DIGEST-MD5")]
    Garbled,
    /// What must stand in it once is missing, or there twice.
    #[error("it has not one `{0}`")]
    NotOne(&'static str),
    /// The server wants another way than the one there is.
    #[error("its `{0}` has no value that is known here")]
    Unknown(&'static str),
    /// The server reads ISO-8859-1 alone, which has not all the signs.
    #[error("it takes no UTF-8, and the user or the password cannot be written without it")]
    Charset,
}

/// What is sent, and what must come back.
#[derive(PartialEq, Eq)]
pub struct Response {
    /// For the server.
    pub token: Vec<u8>,
    proof: String,
}

impl Response {
    /// Answers `challenge` as `user`; `nonce` is a number that nobody has guessed.
    ///
    /// # Errors
    /// [`Unanswerable`]
    pub fn new(challenge: &[u8], user: &str, password: &str, nonce: u128) -> Result<Response, Unanswerable> {
        let challenge = Challenge::read(challenge)?;
        respond(&challenge, user, password, &format!("{nonce:032x}"), SERVICE)
    }

    /// Whether `token`, which the server sent for it, shows that it knows the password.
    pub fn is_proved_by(&self, token: &[u8]) -> bool {
        let directives = directives(token).unwrap_or_default();
        let proofs = directives.iter().filter(|(name, _)| name == "rspauth").map(|(_, proof)| proof);
        // In time that does not tell where they differ.
        let is_same = |proof: &String| {
            let pairs = proof.bytes().zip(self.proof.bytes());
            proof.len() == self.proof.len() && pairs.fold(0, |seen, (left, right)| seen | left ^ right) == 0
        };
        proofs.filter(|proof| is_same(proof)).count() == 1
    }
}

struct Challenge {
    realm: Option<String>,
    nonce: String,
    utf8: bool,
}

impl Challenge {
    fn read(bytes: &[u8]) -> Result<Challenge, Unanswerable> {
        let directives = directives(bytes).ok_or(Unanswerable::Garbled)?;
        let all = |wanted: &'static str| {
            directives
                .iter()
                .filter(move |(name, _)| name.eq_ignore_ascii_case(wanted))
                .map(|(_, value)| value)
        };
        let at_most_one = |wanted: &'static str| {
            let mut found = all(wanted);
            let first = found.next();
            if found.next().is_some() { Err(Unanswerable::NotOne(wanted)) } else { Ok(first) }
        };
        let one = |wanted| at_most_one(wanted)?.ok_or(Unanswerable::NotOne(wanted));
        let nonce = one("nonce")?.clone();
        if !one("algorithm")?.eq_ignore_ascii_case("md5-sess") {
            return Err(Unanswerable::Unknown("algorithm"));
        }
        let charset = at_most_one("charset")?;
        if charset.is_some_and(|charset| !charset.eq_ignore_ascii_case("utf-8")) {
            return Err(Unanswerable::Unknown("charset"));
        }
        let mut ways = all("qop").flat_map(|list| list.split([',', ' ', '\t'])).peekable();
        if ways.peek().is_some() && !ways.any(|way| way.eq_ignore_ascii_case("auth")) {
            return Err(Unanswerable::Unknown("qop"));
        }
        Ok(Challenge { realm: all("realm").next().cloned(), nonce, utf8: charset.is_some() })
    }
}

fn respond(
    challenge: &Challenge,
    user: &str,
    password: &str,
    own_nonce: &str,
    service: &str,
) -> Result<Response, Unanswerable> {
    let realm = challenge.realm.as_deref().unwrap_or_default();
    let hashed = |text: &str| match latin1(text) {
        None if challenge.utf8 => Ok(text.as_bytes().to_vec()),
        known => known.ok_or(Unanswerable::Charset),
    };
    let who = [hashed(user)?, hashed(realm)?, hashed(password)?].join(&b':');
    let nonce = challenge.nonce.as_bytes();
    let session = [&Md5::digest(who)[..], nonce, own_nonce.as_bytes()].join(&b':');
    let secret = hex(&session);
    let proof_of = |method: &str| {
        let what = hex(format!("{method}:{service}").as_bytes());
        let parts = [&secret, &challenge.nonce, COUNT, own_nonce, "auth", &what];
        hex(parts.join(":").as_bytes())
    };
    let mut text = String::new();
    if challenge.utf8 {
        text.push_str("charset=utf-8,");
    }
    quote("username", user, &mut text);
    if challenge.realm.is_some() {
        quote("realm", realm, &mut text);
    }
    quote("nonce", &challenge.nonce, &mut text);
    quote("cnonce", own_nonce, &mut text);
    quote("digest-uri", service, &mut text);
    let _to_a_string = write!(text, "nc={COUNT},maxbuf=65536,response={},qop=auth", proof_of("AUTHENTICATE"));
    let token = match challenge.utf8 {
        true => text.into_bytes(),
        false => latin1(&text).ok_or(Unanswerable::Charset)?,
    };
    Ok(Response { token, proof: proof_of("") })
}

/// Appends `name="text",`.
fn quote(name: &str, text: &str, out: &mut String) {
    out.push_str(name);
    out.push_str("=\"");
    for sign in text.chars() {
        if ['"', '\\'].contains(&sign) {
            out.push('\\');
        }
        out.push(sign);
    }
    out.push_str("\",");
}

/// In ISO-8859-1, in which the standard wants hashed what can be written in it.
fn latin1(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|sign| u8::try_from(u32::from(sign)).ok()).collect()
}

/// The hash in small hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    Md5::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _to_a_string = write!(text, "{byte:02x}");
        text
    })
}

/// `name=value,name="value"`; `None` when it is no such list.
fn directives(bytes: &[u8]) -> Option<Vec<(String, String)>> {
    let mut rest = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= MOST_BYTES)?;
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start_matches(BEHIND);
        if rest.is_empty() {
            return Some(found);
        }
        let (name, behind) = rest.split_once('=')?;
        let behind = behind.trim_start();
        let (value, left) = match behind.strip_prefix('"') {
            Some(quoted) => unquoted(quoted)?,
            None => {
                let (value, left) = behind.split_at(behind.find(BEHIND).unwrap_or(behind.len()));
                (value.to_owned(), left)
            }
        };
        let name = name.trim_end();
        if name.is_empty() || name.contains(['"', ',']) || !left.is_empty() && !left.starts_with(BEHIND) {
            return None;
        }
        found.push((name.to_owned(), value));
        rest = left;
    }
}

/// What stands before the closing quote, and what behind it.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let (mut value, mut signs) = (String::new(), text.char_indices());
    loop {
        match signs.next()? {
            (_, '\\') => value.push(signs.next()?.1),
            (at, '"') => return Some((value, &text[at + 1..])),
            (_, sign) => value.push(sign),
        }
    }
}

/// What Java's clients of ZooKeeper log in to, whatever the server is called.
const SERVICE: &str = "zookeeper/zk-sasl-md5";
/// The nonce is used for the first time.
const COUNT: &str = "00000001";
/// RFC 2831, 2.1.1 and 2.1.3.
const MOST_BYTES: usize = 2048;
/// What may follow a value.
const BEHIND: [char; 5] = [',', ' ', '\t', '\r', '\n'];

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 2831, 4.
    #[test]
    fn the_example_of_the_standard_is_answered_as_there() {
        let challenge = br#"realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",qop="auth",algorithm=md5-sess,charset=utf-8"#;
        let challenge = Challenge::read(challenge).unwrap();
        let made = respond(&challenge, "chris", "secret", "OA6MHXh6VqTrRk", "imap/elwood.innosoft.com")
            .ok()
            .unwrap();
        let token = String::from_utf8(made.token.clone()).unwrap();
        assert_eq!(
            token,
            "charset=utf-8,username=\"chris\",realm=\"elwood.innosoft.com\",nonce=\"OA6MG9tEQGm2hh\",\
             cnonce=\"OA6MHXh6VqTrRk\",digest-uri=\"imap/elwood.innosoft.com\",nc=00000001,maxbuf=65536,\
             response=d388dad90d4bbd760a152321f2143af7,qop=auth"
        );
        assert!(made.is_proved_by(b"rspauth=ea40f60335c427b5527b84dbabcdfffd"));
        for other in [
            &b""[..],
            b"rspauth=",
            b"rspauth=ea40f60335c427b5527b84dbabcdfffe",
            b"rspauth=ea40f60335c427b5527b84dbabcdfff",
            b"rspauth=ea40f60335c427b5527b84dbabcdfffd,rspauth=ea40f60335c427b5527b84dbabcdfffd",
        ] {
            assert!(!made.is_proved_by(other), "{other:?}");
        }
    }

    /// As a server of 3.9.5 has sent it.
    const CHALLENGE: &str = r#"realm="zk-sasl-md5",nonce="1q/VH\"\\x9",charset=utf-8,algorithm=md5-sess"#;

    #[test]
    fn names_are_quoted_and_hashed_in_as_few_bytes_as_they_have() {
        let token = |user: &str| {
            let made = Response::new(CHALLENGE.as_bytes(), user, "p", 7).ok().unwrap();
            String::from_utf8(made.token).unwrap()
        };
        let quoted = token("a\"b\\c");
        assert!(
            quoted.contains(r#"username="a\"b\\c",realm="zk-sasl-md5",nonce="1q/VH\"\\x9","#),
            "{quoted}"
        );
        assert!(
            quoted
                .contains("cnonce=\"00000000000000000000000000000007\",digest-uri=\"zookeeper/zk-sasl-md5\"")
        );
        assert!(token("gr\u{fc}n").contains("username=\"gr\u{fc}n\""));
        assert!(token("\u{4e2d}").contains("username=\"\u{4e2d}\""));
        let old = CHALLENGE.replace("charset=utf-8,", "");
        let made = |user: &str| Response::new(old.as_bytes(), user, "p", 7).map(|made| made.token);
        assert!(made("gr\u{fc}n").unwrap().windows(7).any(|part| part == b"\"gr\xfcn\","));
        assert_eq!(made("\u{4e2d}"), Err(Unanswerable::Charset));
    }

    #[test]
    fn what_is_no_challenge_is_told() {
        let why = |text: &str| Response::new(text.as_bytes(), "u", "p", 7).map(drop).err();
        assert_eq!(why(CHALLENGE), None);
        let base = "nonce=\"n\",algorithm=md5-sess";
        assert_eq!(why(&format!(",, {base} , realm=\"a\",realm=\"b\",qop=\"auth-int , auth\"")), None);
        let long = format!("{base},realm=\"{}\"", "r".repeat(MOST_BYTES));
        for text in [&long, "nonce", "=x", "nonce=\"n", "nonce=\"n\\", "nonce=\"n\"x=y", "a,b=c"] {
            assert_eq!(why(text), Some(Unanswerable::Garbled), "{text}");
        }
        for (text, told) in [
            ("", Unanswerable::NotOne("nonce")),
            ("nonce=a,nonce=b,algorithm=md5-sess", Unanswerable::NotOne("nonce")),
            ("nonce=a", Unanswerable::NotOne("algorithm")),
            ("nonce=a,algorithm=md5", Unanswerable::Unknown("algorithm")),
            (&format!("{base},charset=utf-16"), Unanswerable::Unknown("charset")),
            (&format!("{base},charset=utf-8,charset=utf-8"), Unanswerable::NotOne("charset")),
            (&format!("{base},qop=\"auth-conf,auth-int\""), Unanswerable::Unknown("qop")),
        ] {
            assert_eq!(why(text), Some(told), "{text}");
        }
        assert!(Response::new(b"nonce=\"\xff\"", "u", "p", 7).is_err());
    }

    #[test]
    fn a_challenge_that_is_cut_anywhere_is_answered_or_refused() {
        for end in 0..CHALLENGE.len() {
            let cut = Response::new(&CHALLENGE.as_bytes()[..end], "u", "p", 7);
            assert!(cut.is_err(), "{end}");
        }
    }
}
