//! `ipFilter`: which peers may connect.
//!
//! Rules stand in a list, `allow:ip:10.*,deny:name:*.example.com`; the first that matches decides, and whoever matches
//! none may connect. Rules with a range (`10.0.0.0/8`) or with blanks between them are taken as Flume takes them, and match
//! nobody; `check` says so. In a pattern `.` is a dot, `*` any run and `?` one character; the rest is Java's regular expressions;
//! it must match the whole address or name. `name:localhost` is this machine, whatever its name.
//!
//! Source: Flume 1.11 `AvroSource`, `PatternRule`.

use crate::source::names::{addresses, as_java, name_of};
use java::Pattern;
use std::net::{IpAddr, Ipv4Addr};

/// The rules of a source, in their order.
#[derive(Debug, Clone)]
pub(super) struct IpFilter {
    rules: Vec<Rule>,
}

#[derive(Debug, Clone)]
struct Rule {
    allow: bool,
    test: Test,
}

#[derive(Debug, Clone)]
enum Test {
    Address(Pattern),
    Name(Pattern),
    Localhost,
    /// Flume takes a rule without a pattern, and it matches nobody.
    Nobody,
}

/// What is asked about a peer beyond its address. An answer may take long: it comes from a name server.
pub(super) trait Names {
    /// The name of an address; the address as text when it has none.
    fn name(&self, address: IpAddr) -> String;
    /// The addresses of this machine's own name.
    fn own(&self) -> Vec<IpAddr>;
}

/// The system's resolver. Waits for it.
pub(super) struct SystemNames;

impl Names for SystemNames {
    fn name(&self, address: IpAddr) -> String {
        name_of(address)
    }

    fn own(&self) -> Vec<IpAddr> {
        addresses(&gethostname::gethostname().to_string_lossy())
    }
}

impl IpFilter {
    /// Reads `ipFilterRules`.
    ///
    /// # Errors
    /// Which rule is none, and how one looks.
    pub(super) fn parse(rules: &str) -> Result<IpFilter, String> {
        // As Java's `split`: commas at the end count for nothing.
        let rest = rules.trim_end_matches(',');
        let none = rest.is_empty() && !rules.is_empty();
        rest.split(',')
            .map(str::trim)
            .filter(|_| !none)
            .map(Rule::parse)
            .collect::<Result<_, _>>()
            .map(|rules| IpFilter { rules })
    }

    /// Whether a decision may need a name server: then it must not be made where others wait for it.
    pub(super) fn needs_names(&self) -> bool {
        self.rules.iter().any(|rule| matches!(rule.test, Test::Name(_) | Test::Localhost))
    }

    /// Whether a peer with this address may connect.
    pub(super) fn allows(&self, peer: IpAddr, names: &impl Names) -> bool {
        let peer = peer.to_canonical();
        self.rules.iter().find(|rule| rule.test.matches(peer, names)).is_none_or(|rule| rule.allow)
    }
}

impl Rule {
    fn parse(rule: &str) -> Result<Rule, String> {
        let wrong = || {
            format!(
                "`{rule}` is no rule: a rule is `allow` or `deny`, `:`, `ip` or `name`, `:`, and a pattern"
            )
        };
        let (verb, rest) = rule.split_once(':').ok_or_else(wrong)?;
        let (kind, pattern) = rest.split_once(':').ok_or_else(wrong)?;
        let allow = match verb {
            "allow" => true,
            "deny" => false,
            _ => return Err(wrong()),
        };
        let compiled = || {
            let regex = pattern.replace('.', r"\.").replace('*', ".*").replace('?', ".");
            Pattern::compile_whole(&regex)
                .map_err(|error| format!("the pattern of `{rule}` is wrong: {error}"))
        };
        let test = match (kind, pattern) {
            ("ip" | "name", "") => Test::Nobody,
            ("ip", _) => Test::Address(compiled()?),
            ("name", "localhost") => Test::Localhost,
            ("name", _) => Test::Name(compiled()?),
            _ => return Err(wrong()),
        };
        Ok(Rule { allow, test })
    }
}

impl Test {
    fn matches(&self, peer: IpAddr, names: &impl Names) -> bool {
        match self {
            Test::Address(pattern) => pattern.is_found(as_java(peer).as_bytes()),
            Test::Name(pattern) => pattern.is_found(names.name(peer).as_bytes()),
            Test::Localhost => peer == IpAddr::V4(Ipv4Addr::LOCALHOST) || names.own().contains(&peer),
            Test::Nobody => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Known;

    impl Names for Known {
        fn name(&self, address: IpAddr) -> String {
            match address.to_string().as_str() {
                "10.1.2.3" => "slave1.hanli.com".to_owned(),
                other => other.to_owned(),
            }
        }

        fn own(&self) -> Vec<IpAddr> {
            vec!["10.9.9.9".parse().unwrap()]
        }
    }

    fn allows(rules: &str, peer: &str) -> bool {
        IpFilter::parse(rules).unwrap().allows(peer.parse().unwrap(), &Known)
    }

    #[test]
    fn the_first_rule_that_matches_decides() {
        for (rules, peer, allowed) in [
            ("allow:ip:10.*,deny:ip:*", "10.1.2.3", true),
            ("allow:ip:10.*,deny:ip:*", "11.1.2.3", false),
            ("deny:ip:*,allow:ip:10.*", "10.1.2.3", false),
            (" allow:ip:127.* ,  deny:name:* ", "10.1.2.3", false),
            ("deny:ip:10.1.2.?", "10.1.2.3", false),
            ("deny:ip:10.1.2.?", "10.1.2.33", true),
            ("deny:ip:10.1.1.1*", "10.101.1.1", true),
            ("deny:ip:10.[0-4].2.(3|4)", "10.1.2.3", false),
            ("allow:name:slave?.hanli.com,deny:ip:*", "10.1.2.3", true),
            ("allow:name:slave?.hanli.com,deny:ip:*", "10.1.2.4", false),
            ("allow:name:localhost,deny:ip:*", "127.0.0.1", true),
            ("allow:name:localhost,deny:ip:*", "127.0.0.2", false),
            ("allow:name:localhost,deny:ip:*", "10.9.9.9", true),
            ("deny:ip:127.0.0.1", "::ffff:127.0.0.1", false),
            ("deny:ip:0:0:0:0:0:0:0:1", "::1", false),
            ("deny:ip:::1", "::1", true),
            ("deny:ip:", "10.1.2.3", true),
            ("deny:ip:10.*,,", "10.1.2.3", false),
            (",,", "10.1.2.3", true),
            ("allow:ip:10.0.0.0/8,deny:ip:*", "10.1.2.3", false),
            ("deny:ip:10.0.0.0/8", "10.1.2.3", true),
            ("deny:ip:10.1.2.3/32", "10.1.2.3", true),
            ("deny:ip:11.* deny:ip:10.*", "10.1.2.3", true),
            ("deny:ip: 10.*", "10.1.2.3", true),
            ("deny:ip:FE80:0:0:0:0:0:0:1", "fe80::1", true),
            ("deny:ip:10.1.2", "10.1.2.3", true),
        ] {
            assert_eq!(allows(rules, peer), allowed, "{rules} {peer}");
        }
    }

    #[test]
    fn a_bad_rule_is_named() {
        for rule in [
            "",
            "allow",
            "allow:10.*",
            "permit:ip:*",
            "Allow:ip:*",
            "allow:IP:*",
            "allow:host:*",
            "deny:ip:(",
            "allow:ip:1.*,,allow:ip:2.*",
        ] {
            let error = IpFilter::parse(rule).unwrap_err();
            assert!(error.contains('`'), "{rule}: {error}");
        }
    }

    #[test]
    fn only_names_need_a_name_server() {
        assert!(!IpFilter::parse("allow:ip:10.*,deny:ip:*").unwrap().needs_names());
        assert!(IpFilter::parse("deny:ip:10.*,deny:name:x").unwrap().needs_names());
    }
}
