use super::*;
use event::BatchBuilder;
use plan::{Owner, Report};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn build(
    kind: &'static str,
    channels: &str,
    pairs: &[(&str, &str)],
) -> Result<Box<dyn ChannelSelector>, String> {
    let component = COMPONENTS.iter().find(|component| component.descriptor.names.alias == kind).expect(kind);
    let properties = Properties::of(&component.descriptor, pairs.iter().copied());
    let Configure::Selector(configure) = component.configure else { panic!("it is no selector") };
    let channels: Vec<String> = channels.split(' ').map(str::to_owned).collect();
    let (owner, mut report) = (Owner::nobody(), Report::default());
    let made = configure(&properties, &channels, &mut Findings::new(&owner, &properties, &mut report));
    made.map(|make| make()).ok_or_else(|| report.to_string())
}

/// Events with a number as body and, if given, a header `h`.
fn batch(values: &[Option<&str>]) -> Batch {
    let mut builder = BatchBuilder::default();
    for (number, value) in values.iter().enumerate() {
        builder.push(value.map(|value| ("h", value)), number.to_string().as_bytes());
    }
    builder.finish()
}

fn numbers(list: &[(usize, Batch)]) -> Vec<(usize, Vec<usize>)> {
    let number = |body: &[u8]| String::from_utf8_lossy(body).parse().expect("a number");
    list.iter()
        .map(|(channel, batch)| (*channel, batch.events().map(|event| number(event.body())).collect()))
        .collect()
}

#[test]
fn replicating_gives_all_to_all() {
    let mut selector = build("replicating", "c1 c2 c3", &[("optional", "c2\t c2")]).expect("valid");
    let selected = selector.select(&batch(&[None, Some("x")]));
    assert_eq!(numbers(&selected.required), [(0, vec![0, 1]), (2, vec![0, 1])]);
    assert_eq!(numbers(&selected.optional), [(1, vec![0, 1])]);
    assert_eq!(selected.dropped, 0);
}

#[test]
fn only_one_required_channel_without_a_choice_is_plain() {
    let plain = |kind, channels, pairs: &[_]| build(kind, channels, pairs).expect("valid").is_plain();
    assert!(plain("replicating", "c1", &[]));
    assert!(plain("load_balancing", "c1", &[]));
    assert!(!plain("replicating", "c1", &[("optional", "c1")]));
    assert!(!plain("replicating", "c1 c2", &[]));
    assert!(!plain("multiplexing", "c1", &[]));
}

#[test]
fn multiplexing_goes_by_the_exact_value() {
    let pairs = [
        ("header", "h"),
        ("mapping.CZ", "c1"),
        ("mapping.a.b", "c2  c3"),
        ("optional.CZ", "c1 c3"),
        ("optional.X", "c2"),
        ("default", "c4"),
    ];
    let mut selector = build("multiplexing", "c1 c2 c3 c4", &pairs).expect("valid");
    let values = [Some("a.b"), Some("CZ"), Some("cz"), None, Some("  "), Some("X"), Some("CZ"), Some("CZ ")];
    let selected = selector.select(&batch(&values));
    let expected = [(1, vec![0]), (2, vec![0]), (0, vec![1, 6]), (3, vec![2, 3, 4, 5, 7])];
    assert_eq!(numbers(&selected.required), expected);
    assert_eq!(numbers(&selected.optional), [(2, vec![1, 6]), (1, vec![5])]);
    assert_eq!(selected.dropped, 0);
}

#[test]
fn without_a_default_the_rest_is_dropped_and_counted() {
    let mut selector = build("multiplexing", "c1", &[("header", "h"), ("mapping.a", "c1")]).expect("valid");
    let all = batch(&[Some("a"), None, Some("b"), Some("a")]);
    let selected = selector.select(&all);
    assert_eq!(numbers(&selected.required), [(0, vec![0, 3])]);
    assert_eq!(selected.required[0].1.buffer().as_ptr(), all.buffer().as_ptr());
    assert_eq!(selected.dropped, 2);
}

#[test]
fn load_balancing_takes_turns_or_chances() {
    let mut selector = build("load_balancing", "c1 c2 c3", &[]).expect("valid");
    let mut turns = (0..4).map(|_| numbers(&selector.select(&batch(&[None])).required));
    assert!([0, 1, 2, 0].iter().all(|channel| turns.next() == Some(vec![(*channel, vec![0])])));
    let mut selector = build("load_balancing", "c1 c2 c3", &[("policy", "RANDOM")]).expect("valid");
    let mut hits = [0; 3];
    for _ in 0..300 {
        hits[selector.select(&batch(&[None])).required[0].0] += 1;
    }
    assert!(hits.iter().all(|hits| *hits > 60), "{hits:?}");
}

#[test]
fn what_cannot_be_built_is_said() {
    type Pairs<'a> = &'a [(&'a str, &'a str)];
    let cases: [(&'static str, Pairs<'_>, &str); 1] =
        [("multiplexing", &[("mapping.a", " ")], "name at least one channel")];
    for (kind, pairs, expected) in cases {
        let error = build(kind, "c1", pairs).expect_err(expected).to_string();
        assert!(error.contains(expected), "{error}");
    }
}

/// Which channels a value leads to, as Flume's `MultiplexingChannelSelector` says it.
fn model(value: Option<&str>, settings: &BTreeMap<String, Vec<usize>>) -> (Vec<usize>, Vec<usize>) {
    let list = |key: &str| settings.get(key).cloned();
    let value = value.filter(|value| !value.trim().is_empty()).unwrap_or("nothing of this name");
    let required = list(&format!("mapping.{value}")).or_else(|| list("default")).unwrap_or_default();
    let mut optional = list(&format!("optional.{value}")).unwrap_or_default();
    optional.retain(|channel| !required.contains(channel));
    (required, optional)
}

proptest! {
    #[test]
    fn multiplexing_is_as_its_model(
        settings in prop::collection::btree_map(
            "mapping\\.[ab]|optional\\.[abc]|default", prop::collection::vec(0usize..3, 1..3), 0..6),
        values in prop::collection::vec(prop::option::of("[abc ]"), 0..9),
    ) {
        let settings: BTreeMap<String, Vec<usize>> = settings.into_iter().map(|(key, mut list)| {
            list.dedup();
            (key, list)
        }).collect();
        let text = |list: &Vec<usize>| list.iter().map(|channel| format!("c{channel}")).collect::<Vec<_>>().join("  ");
        let texts: Vec<(String, String)> = settings.iter().map(|(key, list)| (key.clone(), text(list))).collect();
        let mut pairs: Vec<(&str, &str)> = texts.iter().map(|(key, list)| (key.as_str(), list.as_str())).collect();
        pairs.push(("header", "h"));
        let mut selector = build("multiplexing", "c0 c1 c2", &pairs).expect("valid");
        let values: Vec<Option<&str>> = values.iter().map(Option::as_deref).collect();

        let (mut required, mut optional, mut dropped) = (BTreeMap::new(), BTreeMap::new(), 0);
        for (number, value) in values.iter().enumerate() {
            let (to, maybe_to) = model(*value, &settings);
            dropped += usize::from(to.is_empty() && maybe_to.is_empty());
            to.into_iter().for_each(|channel| required.entry(channel).or_insert_with(Vec::new).push(number));
            maybe_to.into_iter().for_each(|channel| optional.entry(channel).or_insert_with(Vec::new).push(number));
        }
        let selected = selector.select(&batch(&values));
        prop_assert_eq!(numbers(&selected.required).into_iter().collect::<BTreeMap<_, _>>(), required);
        prop_assert_eq!(numbers(&selected.optional).into_iter().collect::<BTreeMap<_, _>>(), optional);
        prop_assert_eq!(selected.dropped, dropped);
    }
}
