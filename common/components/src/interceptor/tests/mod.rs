mod flume;
mod reference;

use super::host::HostInfo;
use super::*;
use bytes::BytesMut;
use event::{Batch, BatchBuilder, Event, Recycler, Span};
use flow::interceptor::Oversized;
use java::Zone;
use jiff::tz::TimeZone;
use plan::{Kind, Owner, Properties};
use proptest::prelude::*;
use reference::{Naive, Plain};
use std::io;

const NOW: i64 = 1_542_098_088_198;
const HOST: &str = "192.0.2.7";

fn try_chain(plans: &[ComponentPlan]) -> Result<InterceptorChain, BuildError> {
    let host = |use_ip| if use_ip { Ok(HOST.to_owned()) } else { Err(io::Error::other("no such name")) };
    let host_info = HostInfo { host: &host, zone: Zone { zone: TimeZone::UTC, year: 2026 } };
    InterceptorChain::build_in(&host_info, plans, &Logger::root(slog::Discard, slog::o!()))
}

fn plan(kind: &str, pairs: &[(&str, &str)]) -> ComponentPlan {
    let find = |kind, name: &str| crate::LIGHT.names().find(kind, name).expect("there is such a type");
    let descriptor = find(Kind::Interceptor, kind);
    let mut properties = Properties::of(descriptor, pairs.iter().copied());
    let lists = pairs.iter().filter(|(key, _)| *key == "serializers");
    for name in lists.flat_map(|(_, list)| list.split(' ')) {
        let prefix = format!("serializers.{name}.");
        let own: Vec<_> =
            pairs.iter().filter_map(|(key, value)| Some((key.strip_prefix(&prefix)?, *value))).collect();
        let kind = own.iter().find(|(key, _)| *key == "type").map_or("default", |(_, kind)| kind);
        let descriptor = find(Kind::ExtractorSerializer, kind);
        let own = own.into_iter().filter(|(key, _)| *key != "type");
        let properties_of_part = Properties::of(descriptor, own);
        let (name, owner) = (name.to_owned(), Owner::nobody());
        properties.push_part(
            "serializers",
            ComponentPlan { name, descriptor, properties: properties_of_part, owner },
        );
    }
    ComponentPlan { name: "i1".into(), descriptor, properties, owner: Owner::nobody() }
}

/// A file with this interceptor in it.
fn keys<'a>(kind: &'a str, pairs: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut keys = vec![
        ("sources", "r"),
        ("channels", "c"),
        ("channels.c.type", "memory"),
        ("sources.r.type", "seq"),
        ("sources.r.channels", "c"),
        ("sources.r.interceptors", "i1"),
        ("sources.r.interceptors.i1.type", kind),
    ];
    let own = |key: &str| &*format!("sources.r.interceptors.i1.{key}").leak();
    keys.extend(pairs.iter().map(|(key, value)| (own(key), *value)));
    keys
}

fn chain(interceptors: &[(&'static str, &[(&str, &str)])]) -> InterceptorChain {
    let plans: Vec<_> = interceptors.iter().map(|(kind, pairs)| plan(kind, pairs)).collect();
    try_chain(&plans).expect("valid")
}

fn pass(chain: &mut InterceptorChain, batch: &Batch) -> Batch {
    chain.process(batch.clone(), NOW, &mut Recycler::new(2, 1 << 20)).expect("small")
}

type Pairs<'a> = [(&'a str, &'a str)];

fn batch<'a>(events: impl IntoIterator<Item = (&'a Pairs<'a>, &'a [u8])>) -> Batch {
    let mut builder = BatchBuilder::default();
    events.into_iter().for_each(|(headers, body)| builder.push(headers.iter().copied(), body));
    builder.finish()
}

fn read(event: &Event<'_>) -> (Vec<(String, String)>, Vec<u8>) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    (event.headers().map(|(key, value)| (text(key), text(value))).collect(), event.body().to_vec())
}

#[test]
fn each_interceptor_does_what_flumes_does() {
    let real = |value: &str| match value {
        "NOW" => NOW.to_string(),
        "HOST" => HOST.to_owned(),
        other => other.to_owned(),
    };
    for (interceptors, headers, body, expected) in flume::BY_FLUME {
        let mut chain = chain(interceptors);
        let passed = pass(&mut chain, &batch([(*headers, *body), (*headers, *body)]));
        let expected = expected.map(|(headers, body)| {
            (
                headers.iter().map(|(key, value)| ((*key).to_owned(), real(value))).collect::<Vec<_>>(),
                body.to_vec(),
            )
        });
        let expected: Vec<_> = expected.iter().chain(&expected).cloned().collect();
        let read: Vec<_> = passed.events().map(|event| read(&event)).collect();
        assert_eq!(read, expected, "{interceptors:?} on {headers:?}, {body:?}");
    }
}

#[test]
fn what_cannot_be_built_is_said() {
    let millis = "org.apache.flume.interceptor.RegexExtractorInterceptorMillisSerializer";
    let cases: &[(&'static str, &Pairs<'_>, &str)] = &[
        ("regex_filter", &[("regex", "a\\Gb")], "interceptors.i1.regex` is `a\\Gb`: column 2: `\\G`"),
        ("regex_extractor", &[], "has no `regex`, which `regex_extractor` needs"),
        ("regex_extractor", &[("regex", "(a)")], "has no `serializers`, which `regex_extractor` needs"),
        (
            "regex_extractor",
            &[("regex", "(a)"), ("serializers", "s")],
            "has no `name`, which `default` needs",
        ),
        (
            "regex_extractor",
            &[
                ("regex", "(a)"),
                ("serializers", "s"),
                ("serializers.s.name", "n"),
                ("serializers.s.type", "x.Y"),
            ],
            "needs a JVM with Flume's jars (its serializer of `regex_extractor` has no native version), and there is none",
        ),
        (
            "regex_extractor",
            &[
                ("regex", "(a)"),
                ("serializers", "s"),
                ("serializers.s.name", "n"),
                ("serializers.s.type", millis),
            ],
            "has no `pattern`, which",
        ),
        ("search_replace", &[], "has no `searchPattern`, which `search_replace` needs"),
        ("search_replace", &[("searchPattern", "a"), ("replaceString", "$1")], "no group 1"),
        ("search_replace", &[("searchPattern", "a"), ("replaceString", "${n}")], "no group called `n`"),
        ("search_replace", &[("searchPattern", "a"), ("replaceString", "5$")], "followed by no group"),
        ("search_replace", &[("searchPattern", "a"), ("replaceString", "\\")], "ends in a single"),
        (
            "search_replace",
            &[("searchPattern", "a"), ("charset", "EBCDIC")],
            "interceptors.i1.charset` is `EBCDIC`: no charset",
        ),
        ("remove_header", &[("matching", "*")], "interceptors.i1.matching` is `*`: column 1: `*`"),
        (
            "remove_header",
            &[("fromList", "a"), ("fromListSeparator", "(")],
            "interceptors.i1.fromListSeparator` is `(`",
        ),
        ("uuid", &[], "there is no interceptor `uuid`"),
    ];
    for (kind, pairs, expected) in cases {
        let error = crate::testing::assembly(&keys(kind, pairs)).err().expect(kind);
        assert!(error.contains(expected), "{kind}: {error}");
    }
}

/// Its body, or nothing when it was dropped.
fn body_after(chain: &mut InterceptorChain, body: &[u8]) -> Option<Vec<u8>> {
    pass(chain, &batch([(&[][..], body)])).events().next().map(|event| event.body().to_vec())
}

#[test]
fn look_around_runs_in_each_interceptor_that_has_a_regex() {
    let mut filter = chain(&[("regex_filter", &[("regex", "^((?!ebooks).)*$")])]);
    assert_eq!(body_after(&mut filter, b"GET /ebooks/1"), None);
    assert!(body_after(&mut filter, b"GET /papers/1").is_some());
    let mut unfolded = chain(&[("regex_filter", &[("regex", "(?i)\u{e9}")])]);
    assert_eq!(body_after(&mut unfolded, "\u{c9}".as_bytes()), None);
    let pairs = [("searchPattern", "(?<=id=)(\\d)\\1+"), ("replaceString", "<$1>")];
    let mut replace = chain(&[("search_replace", &pairs)]);
    assert_eq!(body_after(&mut replace, b"id=77 x=77").unwrap(), b"id=<7> x=77");
    let pairs = [("regex", "user=(\\w++)(?!=)"), ("serializers", "s"), ("serializers.s.name", "user")];
    let mut extract = chain(&[("regex_extractor", &pairs)]);
    let passed = pass(&mut extract, &batch([(&[][..], &b"user=bob x"[..])]));
    assert_eq!(read(&passed.events().next().unwrap()).0, [("user".to_owned(), "bob".to_owned())]);
}

#[test]
fn a_body_is_rewritten_in_its_own_charset() {
    for (charset, body, expected) in [
        ("GBK", &b"\xc4\xe3b\xba\xc3"[..], &b"\xc4\xe3\xb4\xf3\xba\xc3"[..]),
        ("Big5", b"\xa7Ab", b"\xa7A\xa4j"),
        ("Shift_JIS", b"\x93\xfab", b"\x93\xfa\x91\xe5"),
        ("UTF-16LE", b"a\0b\0", b"a\0\x27\x59"),
        ("windows-1252", b"\x80b", b"\x80?"),
    ] {
        let pairs = [("searchPattern", "b"), ("replaceString", "\u{5927}"), ("charset", charset)];
        let mut replace = chain(&[("search_replace", &pairs)]);
        assert_eq!(body_after(&mut replace, body).as_deref(), Some(expected), "{charset}");
    }
}

#[test]
fn a_regex_that_gives_up_counts_as_no_match_and_is_asked_of_by_the_log() {
    let mut filter = chain(&[("regex_filter", &[("regex", "^(?:(a|aa)(?!b))+\\1c$")])]);
    let body = [&[b'a'; 60][..], b"!c"].concat();
    assert_eq!(body_after(&mut filter, &body), None);
    assert!(filter.news.given_up.is_on());
    assert_eq!(filter.steps[0].pattern().unwrap().take_given_up(), 0, "the log has said how many");
}

#[test]
fn a_host_that_is_not_found_sets_no_header() {
    let mut chain = chain(&[("host", &[("useIP", "false")])]);
    let before = batch([(&[][..], &b"x"[..])]);
    assert_eq!(pass(&mut chain, &before).buffer().as_ptr(), before.buffer().as_ptr());
}

#[test]
fn what_changes_nothing_copies_nothing() {
    let cases: [&[(&'static str, &Pairs<'_>)]; 4] = [
        &[],
        &[("static", &[("key", "k")]), ("remove_header", &[("withName", "other")])],
        &[("regex_filter", &[("regex", "a")])],
        &[("regex_filter", &[]), ("regex_filter", &[("regex", "c"), ("excludeEvents", "true")])],
    ];
    let before = batch([(&[("k", "v")][..], &b"a"[..]), (&[("k", "w")], b"bab")]);
    for interceptors in cases {
        let after = pass(&mut chain(interceptors), &before);
        assert_eq!((after.buffer().as_ptr(), after.len()), (before.buffer().as_ptr(), 2), "{interceptors:?}");
    }
}

#[test]
fn a_filter_shares_the_buffer() {
    let before = batch(["a", "b", "a", "c", "a"].map(|body| (&[][..], body.as_bytes())));
    let after = pass(&mut chain(&[("regex_filter", &[("regex", "a")])]), &before);
    assert_eq!(after.events().map(|event| event.body()).collect::<Vec<_>>(), [b"a"; 3]);
    assert_eq!(after.buffer().as_ptr(), before.buffer().as_ptr());
}

#[test]
fn a_date_that_does_not_parse_sets_no_header_and_lets_the_event_pass() {
    let mut chain = chain(&[(
        "regex_extractor",
        &[
            ("regex", "^(.*)$"),
            ("serializers", "s"),
            ("serializers.s.name", "timestamp"),
            ("serializers.s.type", "org.apache.flume.interceptor.RegexExtractorInterceptorMillisSerializer"),
            ("serializers.s.pattern", "yyyy"),
        ],
    )]);
    let after = pass(&mut chain, &batch([(&[("a", "b")][..], &b"soon"[..]), (&[], b"1970")]));
    let read: Vec<_> = after.events().map(|event| read(&event).0).collect();
    assert_eq!(read, [vec![("a".into(), "b".into())], vec![("timestamp".into(), "0".into())]]);
}

#[test]
fn a_batch_that_would_become_too_large_does_not_pass() {
    let long = "x".repeat(1 << 20);
    let before = batch(std::iter::repeat_n((&[][..], &b""[..]), 1025));
    let mut chain = chain(&[("static", &[("value", &long)]), ("regex_filter", &[])]);
    assert_eq!(chain.process(before, NOW, &mut Recycler::new(1, 1 << 20)).err(), Some(Oversized));
    let replace: &Pairs<'_> = &[("searchPattern", "x+"), ("replaceString", &"$0".repeat(1025))];
    let mut chain = self::chain(&[("search_replace", replace)]);
    let before = batch([(&[][..], long.as_bytes())]);
    assert_eq!(chain.process(before, NOW, &mut Recycler::new(1, 1 << 20)).err(), Some(Oversized));
}

#[test]
fn a_prefix_is_for_headers_that_do_not_depend_on_the_body() {
    let mut out = BytesMut::new();
    let with_filter = chain(&[("timestamp", &[]), ("regex_filter", &[])]);
    assert!(!with_filter.prefix(&[], NOW, &mut out) && out.is_empty());
    assert!(chain(&[]).prefix(&[("k", "v")], NOW, &mut out));
    assert_eq!(out[..], b"\x02\x02k\x02v\0"[..]);
}

/// A batch of `events`, received from a peer, with bytes of its framing between them.
fn received(events: &[Plain]) -> Batch {
    let mut bytes = BytesMut::new();
    let mut spans = Vec::new();
    for (received, (headers, body)) in (0..).zip(events) {
        bytes.extend_from_slice(b"--");
        let alone = batch([(&pairs(headers)[..], body.as_bytes())]);
        let at = bytes.len() as u32;
        let span = alone.spans()[0];
        bytes.extend_from_slice(alone.buffer());
        spans.push(Span { start: at + span.start, body: at + span.body, end: at + span.end, received });
    }
    Batch::from_parts(bytes.freeze(), spans, None)
}

fn pairs(headers: &[(String, String)]) -> Vec<(&str, &str)> {
    headers.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
}

fn build(naive: &[Naive]) -> InterceptorChain {
    try_chain(&naive.iter().map(Naive::plan).collect::<Vec<_>>()).expect("valid")
}

/// What passes of `before`, which holds `events`, is what passes when one interceptor comes after the other; and it is the
/// same when each event is written anew.
fn compare(naive: &[Naive], events: &[Plain], before: &Batch) -> Result<(), TestCaseError> {
    let mut expected = Vec::new();
    for (seen, event) in before.events().zip(events) {
        let passed = naive.iter().try_fold(reference::folded(event), |event, one| one.pass(event, NOW));
        expected.extend(passed.map(|(headers, body)| (headers, body.into_bytes(), seen.received())));
    }
    let after = pass(&mut build(naive), before);
    for after in [after.in_place(), after] {
        let mut appended = BytesMut::new();
        after.append_to(&mut appended);
        prop_assert_eq!(after.event_bytes(), appended.len());
        prop_assert_eq!(after.runs().flatten().collect::<Vec<_>>(), appended);
        // What was written twice is folded where headers are worked on, and left to the reader where they are not.
        let read = after.events().map(|event| {
            let (headers, body) = read(&event);
            let text = String::from_utf8(body).expect("UTF-8");
            let (headers, text) = reference::folded(&(headers, text));
            (headers, text.into_bytes(), event.received())
        });
        prop_assert_eq!(read.collect::<Vec<_>>(), &expected[..]);
    }
    Ok(())
}

proptest! {
    #[test]
    fn one_pass_is_as_good_as_one_after_another(naive in reference::chains(), events in reference::events()) {
        compare(&naive, &events, &received(&events))?;
        // And where all came with the same headers, which are then not copied.
        let first = events.first().map(|(headers, _)| headers.clone()).unwrap_or_default();
        let same: Vec<_> = events.into_iter().map(|(_, body)| (first.clone(), body)).collect();
        let pairs = pairs(&first);
        let before = batch(same.iter().map(|(_, body)| (&pairs[..], body.as_bytes())));
        let before = Batch::parse(before.buffer().clone()).expect("own bytes");
        compare(&naive, &same, &before)?;
    }

    #[test]
    fn what_was_written_finished_is_what_would_have_passed(
        naive in reference::chains(), events in reference::events(), now in 0i64..1 << 45
    ) {
        let mut chain = build(&naive);
        for (headers, body) in &events {
            let mut encoded = BytesMut::new();
            if chain.prefix(&pairs(headers), now, &mut encoded) {
                let mut builder = BatchBuilder::default();
                builder.push_encoded(&encoded, Span::BORN_HERE, body.as_bytes());
                let finished = builder.finish();
                let alone = batch([(&pairs(&reference::folded(&(headers.clone(), String::new())).0)[..], body.as_bytes())]);
                let passed = chain.process(alone, now, &mut Recycler::new(1, 1 << 20)).expect("small");
                prop_assert_eq!(finished.runs().next(), passed.runs().next());
            }
        }
    }

    #[test]
    fn no_replacement_or_list_is_too_odd(java in "[\\\\$a{}(1)*|,é]{0,8}", text in "[aé,1\n]{0,6}") {
        let pairs = [("searchPattern", "(a|é*)"), ("replaceString", &java)];
        if let Ok(mut chain) = try_chain(&[plan("search_replace", &pairs)]) {
            pass(&mut chain, &batch([(&[][..], text.as_bytes())]));
        }
        let pairs = [("fromList", text.as_str()), ("fromListSeparator", &java)];
        let _built_or_refused = try_chain(&[plan("remove_header", &pairs)]);
        if let Ok(mut chain) = try_chain(&[plan("search_replace", &[("searchPattern", &java), ("replaceString", "b")])]) {
            pass(&mut chain, &batch([(&[][..], text.as_bytes())]));
        }
    }
}
