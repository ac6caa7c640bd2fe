//! Whom a login by Kerberos is for.

use std::io;

/// A principal of this host: in `NAME/_HOST@REALM` the host stands for its canonical name in small letters, which `host` looks
/// up; every other text is as it is.
///
/// Source: Hadoop 3.3 `SecurityUtil.getServerPrincipal`, which Flume's `KerberosAuthenticator` calls with an empty host name.
///
/// # Errors
/// Those of `host`.
pub fn own_principal(text: &str, host: impl FnOnce() -> io::Result<String>) -> io::Result<String> {
    let mut parts = text.trim_end_matches(SEPARATORS).split(SEPARATORS);
    match [parts.next(), parts.next(), parts.next(), parts.next()] {
        [Some(name), Some("_HOST"), Some(realm), None] => {
            Ok(format!("{name}/{}@{realm}", host()?.to_lowercase()))
        }
        _ => Ok(text.to_owned()),
    }
}

const SEPARATORS: [char; 2] = ['/', '@'];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_a_principal_is_this_one_where_the_text_says_so() {
        for (text, principal) in [
            ("flume/_HOST@REALM", "flume/node-1.example.com@REALM"),
            ("flume@REALM", "flume@REALM"),
            ("flume/other@REALM", "flume/other@REALM"),
            ("flume/_HOST", "flume/_HOST"),
            ("flume/_HOST@", "flume/_HOST@"),
            ("flume/my_HOST@REALM", "flume/my_HOST@REALM"),
            ("a/b/_HOST@REALM", "a/b/_HOST@REALM"),
            ("", ""),
        ] {
            let found = own_principal(text, || Ok("Node-1.Example.COM".to_owned()));
            assert_eq!(found.unwrap(), principal, "{text}");
        }
        let nobody = || Err(io::Error::other("no name"));
        assert!(own_principal("flume/_HOST@REALM", nobody).is_err());
        assert!(own_principal("flume@REALM", nobody).is_ok(), "nobody is asked");
    }
}
