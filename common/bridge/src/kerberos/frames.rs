//! What is said to that JVM and what it says. No I/O.

use super::KerberosWish;
use crate::small;

/// The most bytes of a frame, either way. A ticket of a user in very many groups has some 50,000.
pub(super) const MOST_BYTES: usize = 1 << 20;

/// A system property of Java's: where the JAAS file is.
const FILE: &str = "java.security.auth.login.config";

/// What it is started for.
pub(super) struct Wish<'a> {
    pub(super) wish: &'a KerberosWish,
    pub(super) properties: &'a [(String, String)],
}

impl Wish<'_> {
    pub(super) fn frame(&self) -> Result<Vec<u8>, String> {
        let wish = self.wish;
        let (address, canonicalize) = (wish.address.to_string(), wish.canonicalize.to_string());
        let principal = wish.principal.as_deref().unwrap_or_default();
        let own = [&wish.section, &wish.service, &wish.host, &*address, &canonicalize, principal];
        let properties = self.properties.iter().flat_map(|(name, value)| [name.as_str(), value]);
        let mut out = Vec::new();
        for text in own.into_iter().chain(properties).chain([FILE, &wish.file]) {
            out.extend(framed(text.as_bytes())?);
        }
        framed(&out)
    }
}

/// These bytes behind their length.
pub(super) fn framed(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let framed = small::framed(bytes, MOST_BYTES);
    framed.ok_or_else(|| format!("{} bytes are more than the JVM for it takes", bytes.len()))
}

/// What it says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// A user is logged in, and is to speak to this server.
    In { user: String, server: String },
    /// For the server.
    Token { token: Vec<u8>, is_last: bool },
}

/// Takes a frame apart: what is said, or the text of a failure.
///
/// # Errors
/// What is wrong with it.
pub(super) fn said(frame: &[u8]) -> Result<Result<Said, String>, &'static str> {
    let (kind, rest) = frame.split_first().ok_or("a frame of it is empty")?;
    match kind {
        b'L' => {
            let text = String::from_utf8_lossy(rest);
            let (user, server) = text.split_once('\n').ok_or("it names nobody")?;
            let (user, server) = (super::reason::shown(user), super::reason::shown(server));
            Ok(Ok(Said::In { user, server }))
        }
        b'T' | b'C' => Ok(Ok(Said::Token { token: rest.to_vec(), is_last: *kind == b'C' })),
        b'E' => Ok(Err(String::from_utf8_lossy(rest).into_owned())),
        _ => Err("a frame of it is of no known kind"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_a_row_of_texts_and_too_long_a_one_is_refused() {
        let wish = KerberosWish {
            file: "/a.jaas".to_owned(),
            section: "Client".to_owned(),
            service: "zk".to_owned(),
            host: "h".to_owned(),
            address: [127, 0, 0, 1].into(),
            canonicalize: true,
            principal: None,
            traces: false,
        };
        let properties = [("k".to_owned(), "\u{fc}".to_owned())];
        let frame = Wish { wish: &wish, properties: &properties }.frame();
        let texts: Vec<u8> = ["Client", "zk", "h", "127.0.0.1", "true", "", "k", "\u{fc}", FILE, "/a.jaas"]
            .iter()
            .flat_map(|text| [&(text.len() as u32).to_be_bytes()[..], text.as_bytes()].concat())
            .collect();
        assert_eq!(frame, framed(&texts));
        assert_eq!(frame.map(|frame| frame[..4].to_vec()), Ok((texts.len() as u32).to_be_bytes().to_vec()));
        let long = [("k".to_owned(), "v".repeat(MOST_BYTES))];
        assert!(Wish { wish: &wish, properties: &long }.frame().is_err());
    }

    #[test]
    fn what_it_says_is_taken_apart_and_nonsense_is_told() {
        let user = Said::In { user: "me@R".to_owned(), server: "zk/h".to_owned() };
        assert_eq!(said(b"Lme@R\nzk/h"), Ok(Ok(user)));
        assert_eq!(said(b"T"), Ok(Ok(Said::Token { token: Vec::new(), is_last: false })));
        assert_eq!(said(b"C\x00\xff"), Ok(Ok(Said::Token { token: vec![0, 255], is_last: true })));
        assert_eq!(said(b"Ea\nb"), Ok(Err("a\nb".to_owned())));
        for wrong in [&b""[..], b"L", b"Lme", b"Xy", b"\xff"] {
            assert!(said(wrong).is_err(), "{wrong:?}");
        }
    }
}
