//! What the interceptors say of themselves.

use super::draft::Fixed;
use super::extract::header;
use super::host::HostInfo;
use super::step::Step;
use super::uuid::UUID;
use flow::component::{Component, Configure, PART, Site, told};
use plan::{ComponentPlan, Descriptor, Findings, Kind, Problem, Property, Value};

/// Their rows in the catalogue.
pub(crate) const COMPONENTS: &[&Component] = &[
    &row("timestamp", "org.apache.flume.interceptor.TimestampInterceptor$Builder", &[TIMESTAMP]),
    &Component {
        descriptor: Descriptor::new(
            Kind::Interceptor,
            "static",
            "org.apache.flume.interceptor.StaticInterceptor$Builder",
            &[STATIC],
        )
        .mistaken(&[("multistatic", "one interceptor for each header")]),
        configure: Configure::Interceptor(judge),
    },
    &row("host", "org.apache.flume.interceptor.HostInterceptor$Builder", &[HOST]),
    &row("regex_filter", "org.apache.flume.interceptor.RegexFilteringInterceptor$Builder", &[REGEX_FILTER]),
    &row(
        "regex_extractor",
        "org.apache.flume.interceptor.RegexExtractorInterceptor$Builder",
        &[REGEX_EXTRACTOR],
    ),
    &row("remove_header", "org.apache.flume.interceptor.RemoveHeaderInterceptor$Builder", &[REMOVE_HEADER]),
    &row(
        "search_replace",
        "org.apache.flume.interceptor.SearchAndReplaceInterceptor$Builder",
        &[SEARCH_REPLACE],
    ),
    &row("", UUID, &[UUID_PROPERTIES]),
];

/// The rows of the serializers of `regex_extractor`.
pub(crate) const SERIALIZERS: &[&Component] = &[
    &part("default", "org.apache.flume.interceptor.RegexExtractorInterceptorPassThroughSerializer", &[NAME]),
    &part("", "org.apache.flume.interceptor.RegexExtractorInterceptorMillisSerializer", &[NAME, MILLIS]),
];

const TIMESTAMP: &[Property] = &[
    Property::with("headerName", Value::Text, "timestamp"),
    Property::with("preserveExisting", Value::Flag, "false"),
];

const STATIC: &[Property] = &[
    Property::with("key", Value::Text, "key"),
    Property::with("value", Value::Text, "value"),
    Property::with("preserveExisting", Value::Flag, "true"),
];

const HOST: &[Property] = &[
    Property::with("preserveExisting", Value::Flag, "false"),
    Property::with("useIP", Value::Flag, "true"),
    Property::with("hostHeader", Value::Text, "host"),
];

const REGEX_FILTER: &[Property] =
    &[Property::with("regex", Value::Regex, ".*"), Property::with("excludeEvents", Value::Flag, "false")];

const REGEX_EXTRACTOR: &[Property] = &[
    Property::required("regex", Value::Regex),
    Property::required("serializers", Value::Parts(Kind::ExtractorSerializer)),
    Property::optional("serializers.", Value::Free),
];

const REMOVE_HEADER: &[Property] = &[
    Property::optional("withName", Value::Text),
    Property::optional("fromList", Value::Text),
    Property::with("fromListSeparator", Value::Regex, "\\s*,\\s*"),
    Property::optional("matching", Value::Regex),
];

const SEARCH_REPLACE: &[Property] = &[
    Property::required("searchPattern", Value::Regex),
    Property::with("replaceString", Value::Free, ""),
    Property::with("charset", Value::Charset, "UTF-8"),
];

const UUID_PROPERTIES: &[Property] = &[
    Property::with("headerName", Value::Text, "id"),
    Property::with("preserveExisting", Value::Flag, "true"),
    Property::with("prefix", Value::Text, ""),
];

const NAME: &[Property] = &[Property::required("name", Value::Text)];

const MILLIS: &[Property] = &[Property::required("pattern", Value::Free)];

const fn row(
    alias: &'static str,
    class: &'static str,
    properties: &'static [&'static [Property]],
) -> Component {
    Component {
        descriptor: Descriptor::new(Kind::Interceptor, alias, class, properties),
        configure: Configure::Interceptor(judge),
    }
}

const fn part(
    alias: &'static str,
    class: &'static str,
    properties: &'static [&'static [Property]],
) -> Component {
    Component {
        descriptor: Descriptor::new(Kind::ExtractorSerializer, alias, class, properties),
        configure: PART,
    }
}

fn judge(plan: &ComponentPlan, site: &Site, findings: &mut Findings<'_>) -> Option<()> {
    let silent = slog::Logger::root(slog::Discard, slog::o!());
    let nobody = |_| Ok(String::new());
    let host_info = HostInfo { host: &nobody, zone: HostInfo::zone() };
    let _ = site;
    let built = Step::build(plan, &host_info, &mut Fixed::new(), &silent);
    for part in plan.properties.all_parts() {
        told(header(part, &host_info.zone), Vec::new(), &mut findings.inner(part))?;
    }
    let step = told(built, Vec::new(), findings)?;
    match step {
        Some(Step::Extract(extract)) => groups(extract.counts(), findings),
        Some(Step::Remove(_)) if plan.properties.iter().next().is_none() => {
            let what = format!("the {} removes nothing", findings.owner.noun);
            let problem = Problem::warning("no-effect", &findings.owner.at, what)
                .flume("the same")
                .here("it does nothing");
            let fix = format!("`{}`, `fromList` or `matching`", findings.key("withName"));
            findings.add(problem.fix(fix));
        }
        _ => {}
    }
    Some(())
}

fn groups((groups, serializers): (usize, usize), findings: &mut Findings<'_>) {
    if groups == serializers {
        return;
    }
    let what = format!("the {} has {serializers} serializers for {groups} groups", findings.owner.noun);
    let problem = Problem::warning("groups-and-serializers", findings.at("serializers"), what)
        .flume("the first serializer takes the first group, and so on; what is left over is not used")
        .here("the same");
    findings
        .add(problem.fix("a serializer for each pair of brackets in the regex; `(?:...)` makes no group"));
}
