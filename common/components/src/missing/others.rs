//! What the rest of Flume's components are asked for, so that a wrong key is told also where they run in a JVM.

use plan::{Bad, Findings, Problem, Properties, Property, Value};

use crate::source::POLLED;

const fn text(name: &'static str) -> Property {
    Property::optional(name, Value::Text)
}

const fn needed(name: &'static str) -> Property {
    Property::required(name, Value::Text)
}

const fn word(name: &'static str, default: &'static str) -> Property {
    Property::with(name, Value::Text, default)
}

const fn flag(name: &'static str, default: &'static str) -> Property {
    Property::with(name, Value::Flag, default)
}

/// A number that makes the component fail where it is none, and that the default stands in for where it makes no sense.
const fn number(name: &'static str, min: i64, unit: &'static str, default: &'static str) -> Property {
    Property::with(name, Value::long(min, unit), default).outside(Bad::Default)
}

/// A number of a component that is left out where it makes no sense.
const fn strict(name: &'static str, min: i64, unit: &'static str, default: &'static str) -> Property {
    Property::with(name, Value::at_least(min, unit), default)
}

const STORED: &[Property] = &[
    Property::optional("checkpointDir", Value::Path),
    Property::optional("dataDirs", Value::Path),
    flag("useDualCheckpoints", "false"),
    Property::optional("backupCheckpointDir", Value::Path),
    flag("compressBackupCheckpoint", "false"),
    number("transactionCapacity", 1, "events", "10000"),
    number("checkpointInterval", 1, "ms", "30000"),
    Property::with("maxFileSize", Value::any_long("bytes"), "1623195647"),
    Property::with("minimumRequiredSpace", Value::any_long("bytes"), "524288000"),
    flag("use-log-replay-v1", "false"),
    flag("use-fast-replay", "false"),
    flag("checkpointOnClose", "true"),
    flag("fsyncPerTransaction", "true"),
    Property::with("fsyncInterval", Value::at_least(1, "s"), "5"),
    text("encryption.activeKey"),
    text("encryption.cipherProvider"),
    text("encryption.keyProvider"),
    text("encryption.keyProvider."),
];

pub(super) const FILE: &[&[Property]] = &[
    STORED,
    &[number("capacity", 1, "events", "1000000"), Property::with("keep-alive", Value::at_least(0, "s"), "3")],
];

pub(super) const SPILLABLE: &[&[Property]] = &[
    STORED,
    &[
        number("memoryCapacity", 0, "events", "10000").bad(Bad::Default),
        number("overflowCapacity", 0, "events", "100000000").bad(Bad::Default),
        number("overflowTimeout", 0, "s", "3").bad(Bad::Default),
        number("overflowDeactivationThreshold", 0, "%", "5").bad(Bad::Default),
        Property::optional("byteCapacity", Value::long(0, "bytes")).bad(Bad::Default),
        number("byteCapacityBufferPercentage", 0, "%", "20").bad(Bad::Default),
        number("avgEventSize", 1, "bytes", "500").bad(Bad::Default),
        Property::optional(
            "capacity",
            Value::Unused("`overflowCapacity` says how many events the file part holds"),
        ),
        Property::optional("keep-alive", Value::Unused("the file part does not wait")),
    ],
];

pub(super) const JDBC: &[&[Property]] = &[&[
    text("driver.url"),
    text("driver.class"),
    Property::with("db.type", Value::Choice(&["DERBY", "MYSQL"]), "DERBY"),
    word("db.username", "sa"),
    Property::optional("db.password", Value::Secret),
    Property::optional("connection.properties.file", Value::Path),
    flag("create.schema", "true"),
    flag("create.index", "true"),
    flag("create.foreignkey", "true"),
    word("transaction.isolation", "READ_COMMITTED"),
    number("maximum.connections", 1, "connections", "10").bad(Bad::Default),
    number("maximum.capacity", 0, "events", "0").bad(Bad::Default),
    text("sysprop."),
    text("org.apache.flume.channel.jdbc."),
]];

pub(super) const JMS: &[&[Property]] = &[
    &[
        needed("initialContextFactory"),
        word("connectionFactory", "ConnectionFactory"),
        needed("providerURL"),
        needed("destinationName"),
        Property::required("destinationType", Value::Choice(&["queue", "topic"])),
        Property::with("destinationLocator", Value::Choice(&["CDI", "JNDI"]), "CDI"),
        word("messageSelector", ""),
        text("userName"),
        Property::optional("passwordFile", Value::Path),
        strict("batchSize", 1, "messages", "100"),
        strict("errorThreshold", 0, "errors", "10"),
        Property::with("pollTimeout", Value::long(0, "ms"), "1000").outside(Bad::Says("never starts")),
        text("converter."),
        flag("createDurableSubscription", "false"),
        text("clientId"),
        word("durableSubscriptionName", ""),
    ],
    POLLED,
];

pub(super) const IRC: &[&[Property]] = &[&[
    Property::required("hostname", Value::Host),
    Property::with("port", Value::Port, "6667"),
    needed("nick"),
    needed("chan"),
    Property::optional("password", Value::Secret),
    text("user"),
    text("name"),
    flag("splitlines", "false"),
    Property::optional("splitchars", Value::Regex),
]];

const ROUNDED: &[Property] = &[
    flag("round", "false"),
    strict("roundValue", 1, "units", "1"),
    Property::with("roundUnit", Value::Choice(&["second", "minute", "hour"]), "minute")
        .bad(Bad::Says("rounds nothing")),
    text("timeZone"),
    flag("useLocalTimeStamp", "false"),
];

pub(super) const HIVE: &[&[Property]] = &[
    &[
        needed("hive.metastore"),
        needed("hive.database"),
        needed("hive.table"),
        text("hive.partition"),
        number("hive.txnsPerBatchAsk", 0, "transactions", "100"),
        strict("batchSize", 1, "events", "15000"),
        flag("autoCreatePartitions", "true"),
        number("maxOpenConnections", 0, "connections", "500"),
        number("callTimeout", 0, "ms", "10000"),
        number("idleTimeout", 0, "ms", "0"),
        number("heartBeatInterval", 0, "s", "240"),
        needed("serializer"),
        Property::optional("serializer.", Value::Free),
    ],
    ROUNDED,
];

pub(super) const KUDU: &[&[Property]] = &[&[
    needed("masterAddresses"),
    needed("tableName"),
    strict("batchSize", 1, "events", "1000"),
    Property::with("timeoutMillis", Value::long(0, "ms"), "30000"),
    flag("ignoreDuplicateRows", "true"),
    text("producer"),
    Property::optional("producer.", Value::Free),
    text("kerberosPrincipal"),
    Property::optional("kerberosKeytab", Value::Path),
    text("proxyUser"),
]];

pub(super) const MORPHLINE: &[&[Property]] = &[&[
    Property::required("morphlineFile", Value::Path),
    text("morphlineId"),
    text("morphlineVariable."),
    strict("batchSize", 1, "events", "1000"),
    Property::with("batchDurationMillis", Value::long(0, "ms"), "1000"),
    text("handlerClass"),
    flag("isProductionMode", "false"),
    flag("isIgnoringRecoverableExceptions", "false"),
    text("recoverableExceptionClasses"),
]];

pub(super) const KITE: &[&[Property]] = &[&[
    text("kite.dataset.uri"),
    text("kite.repo.uri"),
    text("kite.dataset.namespace"),
    text("kite.dataset.name"),
    strict("kite.batchSize", 1, "events", "100"),
    strict("kite.rollInterval", 0, "s", "30"),
    word("kite.entityParser", "avro"),
    text("kite.entityParser."),
    word("kite.failurePolicy", "retry"),
    text("kite.failurePolicy."),
    text("kite.error.dataset.uri"),
    flag("kite.flushable.commiteOnBatch", "true"),
    flag("kite.syncable.syncOnBatch", "true"),
    text("auth.kerberosPrincipal"),
    Property::optional("auth.kerberosKeytab", Value::Path),
    text("auth.proxyUser"),
]];

pub(super) const SCRIBE: &[&[Property]] = &[&[
    Property::with("port", Value::Port, "1499"),
    number("workerThreads", 1, "threads", "5"),
    number("maxReadBufferBytes", 1, "bytes", "16384000"),
]];

pub(super) const LEGACY: &[&[Property]] =
    &[&[Property::required("host", Value::Host), Property::required("port", Value::Port)]];

pub(super) const TWITTER: &[&[Property]] = &[&[
    Property::required("consumerKey", Value::Secret),
    Property::required("consumerSecret", Value::Secret),
    Property::required("accessToken", Value::Secret),
    Property::required("accessTokenSecret", Value::Secret),
    strict("maxBatchSize", 1, "events", "1000"),
    strict("maxBatchDurationMillis", 1, "ms", "1000"),
]];

pub(super) const MORPHLINE_INTERCEPTOR: &[&[Property]] = &[&[
    Property::required("morphlineFile", Value::Path),
    text("morphlineId"),
    text("morphlineVariable."),
    flag("isProductionMode", "false"),
    flag("isIgnoringRecoverableExceptions", "false"),
    text("recoverableExceptionClasses"),
]];

/// The serializer that appends bodies which are Avro already.
pub(super) const AVRO_DATA: &[&[Property]] = &[&[
    text("schemaURL"),
    Property::with("syncIntervalBytes", Value::at_least(32, "bytes"), "2048000"),
    word("compressionCodec", "null"),
]];

/// What the file channel's properties cannot say one by one.
pub(super) fn file(properties: &Properties, findings: &mut Findings<'_>) {
    let [room, transaction]: [u64; 2] = ["capacity", "transactionCapacity"].map(|key| properties.count(key));
    if transaction > room {
        let what = format!(
            "the {} has `transactionCapacity` {transaction}, more than its `capacity` {room}",
            findings.owner.noun
        );
        let key = if properties.is_written("capacity") { "capacity" } else { "transactionCapacity" };
        let problem = Problem::error("transaction-too-large", &findings.at(key).clone(), what);
        let fix = format!("`{} = {transaction}` or more", findings.key("capacity"));
        findings.add(problem.flume(&findings.owner.dropped).fix(fix));
    }
    if properties.word("useDualCheckpoints").eq_ignore_ascii_case("true") {
        let backup = properties.text("backupCheckpointDir");
        if backup.is_none() || backup == properties.text("checkpointDir") {
            let what = format!(
                "the {} keeps two checkpoints and has no `backupCheckpointDir` beside its `checkpointDir`",
                findings.owner.noun
            );
            let problem =
                Problem::error("missing-property", &findings.at("useDualCheckpoints").clone(), what);
            let fix = format!("`{} = /DIRECTORY`", findings.key("backupCheckpointDir"));
            findings.add(problem.flume(&findings.owner.dropped).fix(fix));
        }
    }
}
