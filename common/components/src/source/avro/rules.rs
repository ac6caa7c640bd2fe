//! `ipFilterRules` of an avro source: what is no rule, and what is one that does nothing.
//!
//! Source: Flume 1.11 `AvroSource`, `PatternRule`. Flume takes much that reads like a rule and has no effect: a pattern is
//! compared with an address as text, so that `10.0.0.0/8` is an address that nobody has. That is done here too, and told.

use java::Pattern;
use plan::{Findings, Owner, Place, Problem, Properties, quoted};
use std::net::IpAddr;

/// Judges the rules, if there is a filter; `None` when it cannot work.
pub(super) fn judge(properties: &Properties, findings: &mut Findings<'_>) -> Option<()> {
    if !properties.flag("ipFilter") {
        return Some(());
    }
    let owner = findings.owner;
    let form = format!("`{}ipFilterRules = allow:ip:10.*,deny:name:*`", owner.prefix);
    let Some(text) = properties.text("ipFilterRules") else {
        let what = format!("the {} has `ipFilter = true` and no `ipFilterRules`", owner.noun);
        let problem = Problem::error("missing-property", findings.at("ipFilter"), what);
        findings.add(problem.flume(&owner.dropped).fix(form));
        return None;
    };
    let at = findings.at("ipFilterRules").clone();
    let (mut keeps_out, mut doubtful, mut wrong) = (false, false, false);
    for text in split(text) {
        let found = match Rule::parse(text) {
            None => Err(not_a_rule(owner, text, &at, &form)),
            Some(rule) => match Pattern::compile(&rule.regex()) {
                Err(reason) => Err(bad_pattern(owner, text, &reason.to_string(), &at, &form)),
                Ok(_) => {
                    let nobody = rule.matches_nobody();
                    keeps_out |= !rule.allow && nobody.is_none();
                    Ok(nobody.map(|why| without_effect(owner, text, &rule, why, &at)))
                }
            },
        };
        match found {
            Ok(None) => {}
            Ok(Some(problem)) => {
                doubtful = true;
                findings.add(problem);
            }
            Err(problem) => {
                wrong = true;
                findings.add(problem);
            }
        }
    }
    if !keeps_out && !doubtful && !wrong {
        let what = format!("the rules of the {} keep nobody out: none of them is `deny`", owner.noun);
        let problem = Problem::warning("lets-all-in", &at, what);
        let problem = problem.flume("lets in whomever no rule matches").here("the same");
        findings.add(problem.fix("a last rule `deny:ip:*`, if the others are to be all"));
    }
    (!wrong).then_some(())
}

/// As Java's `split`: commas at the end count for nothing.
fn split(rules: &str) -> impl Iterator<Item = &str> {
    let rest = rules.trim_end_matches(',');
    let none = rest.is_empty() && !rules.is_empty();
    rest.split(',').map(str::trim).filter(move |_| !none)
}

struct Rule<'a> {
    allow: bool,
    by_name: bool,
    pattern: &'a str,
}

impl Rule<'_> {
    /// `allow:ip:127.*`. Words count in small letters only, as in Flume.
    fn parse(text: &str) -> Option<Rule<'_>> {
        let mut parts = text.splitn(3, ':');
        let allow = match parts.next()? {
            "allow" => true,
            "deny" => false,
            _ => return None,
        };
        let by_name = match parts.next()? {
            "ip" => false,
            "name" => true,
            _ => return None,
        };
        Some(Rule { allow, by_name, pattern: parts.next()? })
    }

    /// What Flume makes of the pattern.
    fn regex(&self) -> String {
        self.pattern.replace('.', r"\.").replace('*', ".*").replace('?', ".")
    }

    /// Why no peer can match it, where that is certain.
    fn matches_nobody(&self) -> Option<Nobody> {
        if self.pattern.is_empty() {
            return Some(Nobody::Empty);
        }
        if self.pattern.contains(char::is_whitespace) {
            return Some(Nobody::Blank);
        }
        if self.pattern.contains('/') {
            return Some(Nobody::Range);
        }
        // The rest of a regular expression's signs may match anything.
        if self.by_name || self.pattern.contains(['(', ')', '[', ']', '{', '}', '|', '\\', '+', '^', '$']) {
            return None;
        }
        let wild = self.pattern.contains(['*', '?']);
        let spelled =
            self.pattern.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f' | '.' | ':' | '*' | '?' | '%'));
        let scoped = self.pattern.contains('%');
        match self.pattern.parse::<IpAddr>() {
            Ok(IpAddr::V6(address)) if !wild => {
                let long = address.segments().map(|part| format!("{part:x}")).join(":");
                (long != self.pattern).then_some(Nobody::Short(long))
            }
            Ok(_) => None,
            Err(_) if scoped => None,
            Err(_) if spelled && wild && !self.pattern.contains("::") => None,
            Err(_) => Some(Nobody::NoAddress),
        }
    }
}

/// Why nobody matches a rule.
enum Nobody {
    Empty,
    Blank,
    Range,
    /// IPv6 with parts left out; this is it with all of them.
    Short(String),
    NoAddress,
}

fn not_a_rule(owner: &Owner, text: &str, at: &Place, form: &str) -> Problem {
    let what = format!("{} is no rule for addresses (the {})", quoted(text), owner.noun);
    Problem::error("bad-value", at, what).flume(&owner.dropped).fix(form)
}

fn bad_pattern(owner: &Owner, text: &str, reason: &str, at: &Place, form: &str) -> Problem {
    let what = format!("the pattern of {} cannot be used: {reason} (the {})", quoted(text), owner.noun);
    Problem::error("bad-value", at, what).flume(&owner.dropped).fix(form)
}

fn without_effect(owner: &Owner, text: &str, rule: &Rule<'_>, why: Nobody, at: &Place) -> Problem {
    let verb = if rule.allow { "allow" } else { "deny" };
    let kind = if rule.by_name { "name" } else { "ip" };
    let (reason, fix) = match why {
        Nobody::Empty => ("it has no pattern", format!("`{verb}:{kind}:*` for everybody")),
        Nobody::Blank => (
            "it has a blank in its pattern; rules are separated by commas",
            "a comma between two rules, and no blank within one".to_owned(),
        ),
        Nobody::Range => (
            "a pattern is compared as text and `/` stands for no range of addresses",
            format!("`{verb}:ip:10.*` for 10.0.0.0/8, `{verb}:ip:192.168.1.*` for 192.168.1.0/24"),
        ),
        Nobody::Short(long) => {
            ("an IPv6 address is compared with all its eight parts", format!("`{verb}:ip:{long}`"))
        }
        Nobody::NoAddress => (
            "no address looks so",
            format!("a whole address, a part with `*` (`{verb}:ip:10.*`), or `{verb}:name:NAME`"),
        ),
    };
    let what = format!("the rule {} of the {} matches nobody: {reason}", quoted(text), owner.noun);
    let flume = match rule.allow {
        true => "takes it, and it lets nobody in",
        false => "takes it, and it keeps nobody out",
    };
    Problem::warning("rule-without-effect", at, what).flume(flume).here("the same").fix(fix)
}
