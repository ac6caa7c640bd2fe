use super::*;
use proptest::prelude::*;

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

fn entry(key: &str, value: &str) -> Entry {
    let place = Place::at("t", 1, 1);
    Entry {
        key: key.into(),
        key_at: place.clone(),
        value: value.into(),
        value_at: place,
        comment: None,
        bare: false,
        first_at: Place::whole("f"),
        parts: Vec::new(),
    }
}

/// Resolves the last of the values; answers it and the codes of what was found.
fn resolve_with(values: &[(&str, &str)], properties: &[(&str, &str)]) -> (String, Vec<&'static str>) {
    let environment = pairs(&[("HOST", "h1"), ("EMPTY", ""), ("INNER", "${env:HOST}"), ("HOME", "/root")]);
    let properties = pairs(properties);
    let now: Zoned = "2026-11-22T09:05:07.089+01:00[+01:00]".parse().unwrap();
    let lookups = Lookups { environment: &environment, properties: &properties, now: &now };
    let mut entries: Vec<Entry> = values.iter().map(|(key, value)| entry(key, value)).collect();
    let mut report = Report::default();
    substitute(&mut entries, &lookups, &mut Secrets::default(), &mut report);
    (entries.pop().unwrap().value, report.problems.into_iter().map(|problem| problem.code).collect())
}

fn resolve(text: &str) -> String {
    resolve_with(&[("a.k", "v"), ("a.ref", "${a.k}"), ("x", text)], &[("p", "P")]).0
}

/// Answers of Flume 1.11's `MapResolver`, except that it finds other keys only by chance.
#[test]
fn looks_up_as_flume_does() {
    let cases = [
        ("${env:HOST}", "h1"),
        ("${ENV:HOST}:${env:EMPTY}.", "h1:."),
        ("${env:INNER}", "h1"),
        ("${sys:p}${sys:user.home}", "P/root"),
        ("${a.k}", "v"),
        ("${a.ref}", "v"),
        ("${other:a.k}", "v"),
        ("${env:NO:-d}", "d"),
        ("${env:NO:-}", ""),
        ("${env:NO:-${a.k}}", "v"),
        ("${env:${no:-HOST}}", "h1"),
        ("$${env:HOST}", "${env:HOST}"),
        ("$$${env:HOST}", "$${env:HOST}"),
        ("$HOST $ {x} ${", "$HOST $ {x} ${"),
        ("${no} ${a.k}", "${no} v"),
        ("${open ${a.k}", "${open ${a.k}"),
        ("${HOST}", "${HOST}"),
        ("$${", "$${"),
        ("$$$${env:HOST}", "$$${env:HOST}"),
        ("$${x ${env:HOST}}", "${x h1}"),
        ("${no:-$${env:HOST}}", "h1"),
        ("${a$${env:HOST}}", "${a$${env:HOST}}"),
        ("${env:NO:-a:-b}", "a:-b"),
        ("${}", "${}"),
        ("${:-x}", "x"),
        ("${a.k:-x}", "v"),
        ("${a.${no:-k}}", "v"),
        ("x}${env:HOST}}", "x}h1}"),
        ("${a.k ", "${a.k "),
    ];
    for (text, expected) in cases {
        assert_eq!(resolve(text), expected, "{text}");
    }
}

#[test]
fn dates_are_javas() {
    let cases = [
        ("${date:yyyy-MM-dd}", "2026-11-22"),
        ("${date:yy MMM MMMM d EEE EEEE}", "26 Nov November 22 Sun Sunday"),
        ("${date:HH:mm:ss.SSS 'o''clock' hh a}", "09:05:07.089 o'clock 09 AM"),
        ("${date:yyyyMMdd'T'HHZ}", "20261122T09+0100"),
        ("${date:X XX XXX}", "+01 +0100 +01:00"),
        ("${date:bogus}", "${date:bogus}"),
    ];
    for (text, expected) in cases {
        assert_eq!(resolve(text), expected, "{text}");
    }
}

#[test]
fn plain_variables_need_the_class() {
    let class = [("propertiesImplementation", "org.apache.flume.node.EnvVarResolverProperties")];
    assert_eq!(resolve_with(&[("x", "${HOST}-${NO}-${a.b}-${env:HOST}")], &class).0, "h1--${a.b}-h1");
}

#[test]
fn what_cannot_be_resolved_is_told() {
    assert_eq!(resolve_with(&[("x", "${no}")], &[]).1, ["unknown-variable"]);
    assert_eq!(resolve_with(&[("x", "${date:bogus}")], &[]).1, ["bad-variable"]);
    assert_eq!(resolve_with(&[("x", "${java:nope}")], &[]).1, ["bad-variable"]);
    assert!(resolve_with(&[("x", "${no:-${no}}")], &[]).1.contains(&"cycle"));
    let cycle = resolve_with(&[("a", "${b}"), ("b", "1${a}")], &[]);
    assert_eq!(cycle.1, ["cycle", "cycle"]);
    let mut doubling: Vec<(String, String)> = vec![("k0".into(), "x".repeat(64))];
    doubling.extend((1..40).map(|n| (format!("k{n}"), format!("${{k{0}}}${{k{0}}}", n - 1))));
    let doubling: Vec<(&str, &str)> = doubling.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert!(resolve_with(&doubling, &[]).1.contains(&"substitution-too-large"));
}

#[test]
fn questions_to_config_filters_are_known() {
    assert_eq!(filter_question("f1['a-b']"), Some(("f1", "a-b")));
    assert_eq!(filter_question("f1[\"k\"]"), Some(("f1", "k")));
    assert_eq!(filter_question("f1[k]"), Some(("f1", "k")));
    assert_eq!(filter_question("f1['k\"]"), None);
    assert_eq!(filter_question("f1[a.b]"), None);
}

proptest! {
    #[test]
    fn any_text_ends(text in "[${}a:\\-k ]{0,60}") {
        resolve_with(&[("a", "${k}x"), ("k", &text), ("aa", "${a}"), ("x", &text)], &[]);
    }
}
