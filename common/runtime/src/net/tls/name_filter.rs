//! `include-protocols` and its three siblings: JSSE's names against what is there.
//!
//! Enabled is what there is, of that what is included (all when nothing is), of that what is not excluded.
//! Source: Flume 1.11 `SSLContextAwareConfigurableComponent`.

use rustls::crypto::ring::ALL_CIPHER_SUITES;
use rustls::version::{TLS12, TLS13};
use rustls::{SupportedCipherSuite, SupportedProtocolVersion};

/// Takes or leaves names.
#[derive(Debug, Default)]
pub(crate) struct NameFilter {
    pub(crate) include: Vec<String>,
    pub(crate) exclude: Vec<String>,
}

impl NameFilter {
    fn takes(&self, name: &str) -> bool {
        let among = |names: &[String]| names.iter().any(|other| other == name);
        (self.include.is_empty() || among(&self.include)) && !among(&self.exclude)
    }

    /// The included names that are none of `known`.
    fn strange<'a>(&'a self, known: &[String]) -> Vec<&'a str> {
        self.include.iter().filter(|name| !known.contains(name)).map(String::as_str).collect()
    }
}

/// The protocols to offer, best first.
///
/// # Errors
/// When none is left: which there are.
pub(crate) fn protocols(
    name_filter: &NameFilter,
    notes: &mut Vec<String>,
) -> Result<Vec<&'static SupportedProtocolVersion>, String> {
    let all = [("TLSv1.3", &TLS13), ("TLSv1.2", &TLS12)];
    let known = all.map(|(name, _)| name.to_owned());
    let chosen: Vec<_> =
        all.into_iter().filter(|(name, _)| name_filter.takes(name)).map(|(_, version)| version).collect();
    said("protocol", "protocols", name_filter, &known, chosen.is_empty(), notes)?;
    Ok(chosen)
}

/// The cipher suites to offer, best first.
///
/// # Errors
/// When none is left: which there are.
pub(crate) fn cipher_suites(
    name_filter: &NameFilter,
    notes: &mut Vec<String>,
) -> Result<Vec<SupportedCipherSuite>, String> {
    let known: Vec<String> = ALL_CIPHER_SUITES.iter().map(name).collect();
    let chosen: Vec<_> =
        ALL_CIPHER_SUITES.iter().copied().filter(|suite| name_filter.takes(&name(suite))).collect();
    said("cipher suite", "cipher-suites", name_filter, &known, chosen.is_empty(), notes)?;
    Ok(chosen)
}

fn said(
    what: &str,
    key: &str,
    name_filter: &NameFilter,
    known: &[String],
    nothing: bool,
    notes: &mut Vec<String>,
) -> Result<(), String> {
    let strange = name_filter.strange(known);
    if nothing {
        return Err(format!(
            "include-{key} and exclude-{key} leave no {what}; there are: {}",
            known.join(" ")
        ));
    }
    if !strange.is_empty() {
        notes.push(format!(
            "include-{key}: not offered, for they are old and unsafe or unknown here: {}",
            strange.join(" ")
        ));
    }
    Ok(())
}

/// JSSE's name, which is IANA's; rustls marks those of TLS 1.3 in its own way.
fn name(suite: &SupportedCipherSuite) -> String {
    format!("{:?}", suite.suite()).replacen("TLS13_", "TLS_", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_filter(include: &str, exclude: &str) -> NameFilter {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        NameFilter { include: words(include), exclude: words(exclude) }
    }

    #[test]
    fn protocols_by_their_names_in_java() {
        let chosen = |include, exclude| {
            let mut notes = Vec::new();
            protocols(&name_filter(include, exclude), &mut notes).map(|chosen| (chosen.len(), notes))
        };
        assert_eq!(chosen("", "SSLv3"), Ok((2, vec![])));
        assert_eq!(chosen("TLSv1.2", "SSLv3"), Ok((1, vec![])));
        assert_eq!(chosen("", "SSLv3 TLSv1.3"), Ok((1, vec![])));
        let (left, notes) = chosen("TLSv1 TLSv1.1 TLSv1.2", "SSLv3").unwrap();
        assert!(left == 1 && notes.len() == 1 && notes[0].contains("TLSv1 TLSv1.1"), "{notes:?}");
        assert!(chosen("TLSv1.1", "SSLv3").unwrap_err().contains("TLSv1.3 TLSv1.2"));
        assert!(chosen("TLSv1.2", "TLSv1.2").is_err());
    }

    #[test]
    fn cipher_suites_by_their_names_in_java() {
        let names = |include, exclude| {
            let mut notes = Vec::new();
            let chosen = cipher_suites(&name_filter(include, exclude), &mut notes).unwrap();
            (chosen.iter().map(name).collect::<Vec<_>>(), notes.len())
        };
        assert_eq!(names("", "").0.len(), 9);
        let two = "TLS_AES_128_GCM_SHA256 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384";
        assert_eq!(names(two, ""), (two.split(' ').map(str::to_owned).collect(), 0));
        assert_eq!(names("TLS_RSA_WITH_AES_128_CBC_SHA TLS_AES_128_GCM_SHA256", "").1, 1);
        assert!(
            !names("", "TLS_CHACHA20_POLY1305_SHA256").0.contains(&"TLS_CHACHA20_POLY1305_SHA256".to_owned())
        );
    }
}
