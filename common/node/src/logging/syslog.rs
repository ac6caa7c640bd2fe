//! What both log4js have in common of syslog.

/// The number of a facility, by its name in any case.
///
/// Source: RFC 3164, section 4.1.1; the names are those of log4j 1.2.17 `SyslogAppender` and log4j 2.18 `Facility`.
pub(super) fn facility(name: &str) -> Option<u8> {
    let name = name.trim().to_ascii_uppercase();
    let known = FACILITIES.iter().position(|known| *known == name);
    let local = || name.strip_prefix("LOCAL")?.parse::<u8>().ok().filter(|number| *number < 8);
    known.and_then(|number| number.try_into().ok()).or_else(|| Some(16 + local()?))
}

/// Date and host, as a pattern: `Nov  3 16:32:01 slave3 `.
pub(super) fn head() -> String {
    format!("%d{{MMM}} %2d{{d}} %d{{HH:mm:ss}} {} ", host().replace('%', "%%"))
}

/// Bytes that the head prints.
pub(super) fn head_bytes() -> usize {
    "Nov  3 16:32:01 ".len() + host().len() + 1
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

const FACILITIES: [&str; 12] =
    ["KERN", "USER", "MAIL", "DAEMON", "AUTH", "SYSLOG", "LPR", "NEWS", "UUCP", "CRON", "AUTHPRIV", "FTP"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facilities_have_their_numbers() {
        let numbers = ["kern", "USER", "ftp", "LOCAL0", "local7", "LOCAL8", "local", ""].map(facility);
        assert_eq!(numbers, [Some(0), Some(1), Some(11), Some(16), Some(23), None, None, None]);
    }

    #[test]
    fn a_head_has_as_many_bytes_as_is_said() {
        let (pattern, wrong) = console::Pattern::parse(&head(), console::Dialect::One);
        assert!(wrong.len() == 1 && wrong[0].contains("%n"), "{wrong:?} {pattern:?}");
        assert!(head().ends_with(" ") && head_bytes() > "Nov  3 16:32:01 ".len());
    }
}
