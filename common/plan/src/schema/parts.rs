//! What stands inside other components: processors, selectors, interceptors, serializers, path managers, filters.

use super::{Bad, Kind, Property, Type, Value, at_least, long, not_here, optional, required, runs, with};

pub(super) const PROCESSORS: &[Type] = &[
    runs("default", "org.apache.flume.sink.DefaultSinkProcessor", &[], None),
    runs("failover", "org.apache.flume.sink.FailoverSinkProcessor", &[FAILOVER], None),
    runs("load_balance", "org.apache.flume.sink.LoadBalancingSinkProcessor", &[LOAD_BALANCE], None),
];

const FAILOVER: &[Property] = &[
    optional("priority.", Value::Number { min: i32::MIN as i64, max: i32::MAX as i64, unit: "" }).bad(Bad::Says(
        "takes it, without a word, as if the sink had no priority: behind all that have one, so the standby may become the primary",
    )),
    with("maxpenalty", at_least(0, "ms"), "30000").lenient(),
];

const LOAD_BALANCE: &[Property] = &[
    with("selector", Value::Choice(&["round_robin", "random"]), "round_robin"),
    with("backoff", Value::Flag, "false"),
    with("selector.maxTimeOut", long(0, "ms"), "30000")
        .outside(Bad::Says("takes it: a sink that failed is asked again at once")),
];

pub(super) const SELECTORS: &[Type] = &[
    runs("replicating", "org.apache.flume.channel.ReplicatingChannelSelector", &[REPLICATING], None),
    runs("multiplexing", "org.apache.flume.channel.MultiplexingChannelSelector", &[MULTIPLEXING], None),
    runs("load_balancing", "org.apache.flume.channel.LoadBalancingChannelSelector", &[LOAD_BALANCING], None),
];

const REPLICATING: &[Property] = &[optional("optional", Value::List)];

const MULTIPLEXING: &[Property] = &[
    with("header", Value::Text, "flume.selector.header"),
    optional("mapping.", Value::List),
    optional("default", Value::List),
    optional("optional.", Value::List),
];

const LOAD_BALANCING: &[Property] =
    &[with("policy", Value::Choice(&["round_robin", "random"]), "round_robin")];

pub(super) const INTERCEPTORS: &[Type] = &[
    runs("timestamp", "org.apache.flume.interceptor.TimestampInterceptor$Builder", &[TIMESTAMP], None),
    runs("static", "org.apache.flume.interceptor.StaticInterceptor$Builder", &[STATIC], None),
    runs("host", "org.apache.flume.interceptor.HostInterceptor$Builder", &[HOST], None),
    runs(
        "regex_filter",
        "org.apache.flume.interceptor.RegexFilteringInterceptor$Builder",
        &[REGEX_FILTER],
        None,
    ),
    runs(
        "regex_extractor",
        "org.apache.flume.interceptor.RegexExtractorInterceptor$Builder",
        &[REGEX_EXTRACTOR],
        None,
    ),
    runs(
        "remove_header",
        "org.apache.flume.interceptor.RemoveHeaderInterceptor$Builder",
        &[REMOVE_HEADER],
        None,
    ),
    runs(
        "search_replace",
        "org.apache.flume.interceptor.SearchAndReplaceInterceptor$Builder",
        &[SEARCH_REPLACE],
        None,
    ),
    not_here("", "org.apache.flume.sink.solr.morphline.UUIDInterceptor$Builder"),
    not_here("", "org.apache.flume.sink.solr.morphline.MorphlineInterceptor$Builder"),
];

const TIMESTAMP: &[Property] =
    &[with("headerName", Value::Text, "timestamp"), with("preserveExisting", Value::Flag, "false")];

const STATIC: &[Property] = &[
    with("key", Value::Text, "key"),
    with("value", Value::Text, "value"),
    with("preserveExisting", Value::Flag, "true"),
];

const HOST: &[Property] = &[
    with("preserveExisting", Value::Flag, "false"),
    with("useIP", Value::Flag, "true"),
    with("hostHeader", Value::Text, "host"),
];

const REGEX_FILTER: &[Property] =
    &[with("regex", Value::Regex, ".*"), with("excludeEvents", Value::Flag, "false")];

const REGEX_EXTRACTOR: &[Property] = &[
    required("regex", Value::Regex),
    required("serializers", Value::List),
    optional("serializers.", Value::Free),
];

const REMOVE_HEADER: &[Property] = &[
    optional("withName", Value::Text),
    optional("fromList", Value::Text),
    with("fromListSeparator", Value::Regex, "\\s*,\\s*"),
    optional("matching", Value::Regex),
];

const SEARCH_REPLACE: &[Property] = &[
    required("searchPattern", Value::Regex),
    with("replaceString", Value::Free, ""),
    with("charset", Value::Charset, "UTF-8"),
];

pub(super) const SERIALIZERS: &[Type] = &[
    runs("text", "org.apache.flume.serialization.BodyTextEventSerializer$Builder", &[NEWLINE], None),
    runs(
        "header_and_text",
        "org.apache.flume.serialization.HeaderAndBodyTextEventSerializer$Builder",
        &[NEWLINE],
        None,
    ),
    runs(
        "avro_event",
        "org.apache.flume.serialization.FlumeEventAvroEventSerializer$Builder",
        &[CONTAINER],
        None,
    ),
    not_here("", "org.apache.flume.sink.hdfs.AvroEventSerializer$Builder"),
];

const NEWLINE: &[Property] = &[with("appendNewline", Value::Flag, "true")];

const CONTAINER: &[Property] = &[
    with("syncIntervalBytes", at_least(32, "bytes"), "2048000")
        .bad(Bad::Says("fails at the first event, and tries again every 5 s for ever")),
    with("compressionCodec", Value::Choice(&["null", "deflate"]), "null").lenient(),
];

pub(super) const EXTRACTOR_SERIALIZERS: &[Type] = &[
    runs(
        "default",
        "org.apache.flume.interceptor.RegexExtractorInterceptorPassThroughSerializer",
        &[NAME],
        None,
    ),
    runs("", "org.apache.flume.interceptor.RegexExtractorInterceptorMillisSerializer", &[NAME, MILLIS], None),
];

const NAME: &[Property] =
    &[required("name", Value::Text), with("type", Value::Type(Kind::ExtractorSerializer), "DEFAULT")];

const MILLIS: &[Property] = &[required("pattern", Value::Free)];

pub(super) const PATH_MANAGERS: &[Type] = &[
    runs("default", "org.apache.flume.formatter.output.DefaultPathManager$Builder", &[NAMES], None),
    runs("rolltime", "org.apache.flume.formatter.output.RollTimePathManager$Builder", &[NAMES], None),
];

const NAMES: &[Property] = &[with("prefix", Value::Text, ""), with("extension", Value::Text, "")];

pub(super) const CONFIG_FILTERS: &[Type] = &[
    runs("env", "org.apache.flume.configfilter.EnvironmentVariableConfigFilter", &[], None),
    runs("external", "org.apache.flume.configfilter.ExternalProcessConfigFilter", &[EXTERNAL], None),
    not_here("hadoop", "org.apache.flume.configfilter.HadoopCredentialStoreConfigFilter"),
];

const EXTERNAL: &[Property] = &[
    required("command", Value::Free),
    with("charset", Value::Choice(&["UTF-8", "UTF8", "US-ASCII"]), "UTF-8"),
];
