//! What the catalogue says: the README's lists of components are made of it, and its defaults are values. `UPDATE=1 cargo test -p node --test readme` writes them anew.

use node::COMPONENTS;
use plan::{Availability, Kind, Value};
use std::{env, fs, path::Path};

const ROWS: [(&str, Kind); 10] = [
    ("sources", Kind::Source),
    ("channels", Kind::Channel),
    ("sinks", Kind::Sink),
    ("sink processors", Kind::Processor),
    ("channel selectors", Kind::Selector),
    ("interceptors", Kind::Interceptor),
    ("serializers", Kind::Serializer),
    ("deserializers", Kind::Deserializer),
    ("path managers", Kind::PathManager),
    ("config filters", Kind::ConfigFilter),
];

#[test]
fn the_readme_lists_what_runs_and_what_does_not() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let page = fs::read_to_string(&path).expect("a page");
    let here = put(&page, "components", &table(Availability::Here));
    let wanted = put(&here, "java", &table(Availability::Missing));
    #[cfg(not(feature = "hdfs"))]
    let wanted = put(&wanted, "features", &table(Availability::Feature("hdfs")));
    #[cfg(not(feature = "hbase"))]
    let wanted = put(&wanted, "hbase", &table(Availability::Feature("hbase")));
    #[cfg(not(feature = "kafka"))]
    let wanted = put(&wanted, "kafka", &table(Availability::Feature("kafka")));
    if env::var_os("UPDATE").is_some() {
        fs::write(&path, &wanted).expect("it is written");
    }
    assert!(page == wanted || env::var_os("UPDATE").is_some(), "write README anew: UPDATE=1");
}

#[test]
fn every_default_is_a_value_of_its_kind() {
    let kinds = ROWS.iter().map(|(_, kind)| *kind).chain([Kind::ExtractorSerializer]);
    let all = kinds.flat_map(|kind| COMPONENTS.names().of(kind));
    let mut seen = 0;
    for (kind, property) in all.flat_map(|known| known.all().map(|property| (known.name(), property))) {
        let Some(default) = property.default else { continue };
        let wrong = match property.value {
            Value::Type(kind) => {
                COMPONENTS.names().find(kind, default).is_none().then(|| "no type".to_owned())
            }
            value => value.accepts(default).err(),
        };
        assert_eq!(wrong, None, "the default of {kind}'s {}: {default}", property.name);
        seen += 1;
    }
    assert!(seen > 100, "only {seen} defaults");
}

/// A row for each kind that has any.
fn table(availability: Availability) -> String {
    let mut table = String::from("| | |\n| --- | --- |\n");
    for (title, kind) in ROWS {
        let known = COMPONENTS.names().of(kind).filter(|known| known.availability == availability);
        // A config filter is asked before there is a plan: no JVM hosts one.
        let known =
            known.filter(|known| availability == Availability::Here || known.kind != Kind::ConfigFilter);
        let names: Vec<String> = known.map(|known| format!("`{}`", known.name())).collect();
        if !names.is_empty() {
            table += &format!("| {title} | {} |\n", names.join(" "));
        }
    }
    table
}

/// The page with `text` between the marks of that name.
fn put(page: &str, name: &str, text: &str) -> String {
    let (begin, end) = (format!("<!-- {name}: written by a test -->\n"), format!("<!-- end of {name} -->\n"));
    let (before, rest) = page.split_once(&begin).expect("a mark where it begins");
    let (_, after) = rest.split_once(&end).expect("a mark where it ends");
    format!("{before}{begin}{text}{end}{after}")
}
