//! What stands around the components: agents, layers, variables, filters, the report.

use super::support::{load_texts, options};
use super::{load_with, text};
use plan::{Answers, CredentialStore, JavaFilter, Options, Secret, Sources, Text};
use std::sync::Arc;

#[test]
fn an_agent_that_is_not_there() {
    let loaded = |name: &str| {
        let text =
            Text { name: "f".into(), bytes: b"agent1.sources = r\nagent2.sinks = k\nAgent.x = 1".to_vec() };
        load_texts(&[text], &Sources::default(), name, &options())
    };
    let report = loaded("agent").report.to_string();
    assert!(
        report.contains(
            "f: error: the agent `agent` is not in the file; it names `agent1`, `agent2` [unknown-agent]"
        ),
        "{report}"
    );
    assert!(report.contains("write:    `-n agent1`"), "{report}");
    assert_eq!(loaded("x").agents, ["agent1", "agent2"]);
}

#[test]
fn layers_and_variables_reach_the_components() {
    let pair = |key: &str, value: &str| (key.to_string(), value.to_string());
    let sources = Sources {
        environment: vec![pair("FLUME__a__sources__r__max-line-length", "9"), pair("H", "h1")],
        properties: vec![pair("a.sources.r.port", "5555"), pair("p", "7")],
        ..Sources::default()
    };
    let loaded = load_with(
        &[
            "sources.r.bind = ${env:H}",
            "channels.c.keep-alive = ${sys:p}",
            "channels.c.capacity = 10${a.channels.c.keep-alive}",
        ],
        &sources,
    );
    assert!(!loaded.report.has_warnings(), "{}", loaded.report);
    let plan = loaded.plan.unwrap();
    let source = &plan.sources[0].component.properties;
    assert_eq!(
        (source.text("bind"), source.text("port"), source.text("max-line-length")),
        (Some("h1"), Some("5555"), Some("9"))
    );
    assert_eq!(source.place("port").unwrap().to_string(), "command line -Da.sources.r.port");
    assert_eq!(plan.channels[0].properties.count::<u32>("capacity"), 107);
}

#[test]
fn config_filters() {
    let environment = vec![("SECRET".to_string(), "s".to_string())];
    let sources = Sources { environment, ..Sources::default() };
    let load = |value: &'static str| {
        let lines = [
            "configfilters = f",
            "configfilters.f.type = env",
            "sources.r.interceptors = i",
            "sources.r.interceptors.i.type = static",
            value,
        ];
        load_with(&lines, &sources)
    };
    let answered = load("sources.r.interceptors.i.value = <${f['SECRET']}${f[SECRET]}>");
    assert_eq!(answered.report.to_string(), "");
    assert_eq!(answered.plan.unwrap().sources[0].interceptors[0].properties.text("value"), Some("<ss>"));
    let unanswered = load("sources.r.interceptors.i.value = ${f[NO]}");
    assert_eq!(unanswered.report.problems[0].code, "filter-without-answer");
}

/// Says what it was asked; has no answer to "no".
#[derive(Debug)]
struct Echo;

impl Answers for Echo {
    fn external(&self, command: &[String], key: &str) -> Result<String, String> {
        if key == "no" { Err("it failed".into()) } else { Ok(format!("{}+{key}", command.join("+"))) }
    }

    fn hadoop(&self, store: &CredentialStore, key: &str) -> Result<String, String> {
        let CredentialStore { providers, password_file, password } = store;
        let password = password.as_ref().map_or("-", Secret::reveal);
        match key {
            "no" => Err(format!("{providers} {password_file:?} {password}: none")),
            _ => Ok("geheim".into()),
        }
    }

    fn java(&self, filter: &JavaFilter, key: &str) -> Result<String, String> {
        Ok(format!("{} {} {:?} {key}", filter.name, filter.class, filter.properties))
    }
}

#[test]
fn a_config_filter_of_ones_own_is_asked_with_its_properties_as_they_are_written() {
    let text = "a.configfilters = f\na.configfilters.f.type = com.example.Vault\na.configfilters.f.at = /v # of mine\n\
                a.sources = r\na.channels = c\na.sources.r.type = seq\na.sources.r.channels = c\na.channels.c.type = memory\n\
                a.sources.r.interceptors = i\na.sources.r.interceptors.i.type = static\na.sources.r.interceptors.i.value = ${f['k']}\n";
    let texts = [Text { name: "file".to_owned(), bytes: text.into() }];
    let options = Options { answers: Arc::new(Echo), ..options() };
    let plan = load_texts(&texts, &Sources::default(), "a", &options).plan.expect("it has a source");
    let expected = r#"f com.example.Vault {"at": "/v # of mine"} k"#;
    assert_eq!(plan.sources[0].interceptors[0].properties.text("value"), Some(expected));
}

#[test]
fn a_question_to_a_filter_is_told_as_it_is_written_and_a_filter_that_is_missing_once() {
    let asked = |kind: &str| {
        let kind = format!("configfilters.f.type = {kind}");
        text(&["configfilters = f", &kind, "sources.r.bind = x${f['no']}"])
    };
    assert!(asked("env").contains("`a.sources.r.bind` has `${f['no']}`, and"), "{}", asked("env"));
    let missing = asked("vault");
    assert!(missing.contains("[unknown-type]"), "{missing}");
    assert!(!missing.contains("filter-without-answer"), "{missing}");
}

#[test]
fn a_question_that_no_filter_gets_is_told_with_what_is_meant() {
    let asked = |value: &str| {
        let bind = format!("sources.r.bind = {value}");
        text(&["configfilters = vault", "configfilters.vault.type = env", &bind])
    };
    let slip = asked("${valt['H']}");
    assert!(slip.contains("there is no config filter `valt`"), "{slip}");
    assert!(slip.contains("write:    `${vault['H']}`, if that is meant"), "{slip}");
    let dotted = asked("${vault['db.host']}");
    assert!(dotted.contains("`${vault['db.host']}`, which names nothing"), "{dotted}");
    assert!(dotted.contains("KEY has letters, digits, `-` and `_` only"), "{dotted}");
}

#[test]
fn a_variable_that_is_not_closed_is_told() {
    for (value, shown) in
        [("x${env:HOME", "${env:HOME"), ("${f['H']", "${f['H']"), ("${a${env:B}", "${a${env:B}")]
    {
        let line = format!("sources.r.interceptors.i.value = {value}");
        let said = text(&["sources.r.interceptors = i", "sources.r.interceptors.i.type = static", &line]);
        assert!(
            said.contains(&format!("has `{shown}`, and no `}}` closes the variable [unknown-variable]")),
            "{said}"
        );
    }
    for literal in ["$${x", "${", "a${+"] {
        let line = format!("sources.r.interceptors.i.value = {literal}");
        assert_eq!(
            text(&["sources.r.interceptors = i", "sources.r.interceptors.i.type = static", &line]),
            ""
        );
    }
    let secret = text(&["sources.r.type = avro", "sources.r.keystore-password = ${pass4711"]);
    assert!(secret.contains("no `}` closes the variable") && !secret.contains("4711"), "{secret}");
}

#[test]
fn an_external_config_filter_is_asked_once_for_each_key() {
    let value = |text: &str| {
        let text = format!(
            "a.configfilters = f\na.configfilters.f.type = external\na.configfilters.f.command = get -q\n\
             a.channels = c\na.channels.c.type = memory\na.sources = r\na.sources.r.type = netcat\n\
             a.sources.r.port = 1\na.sources.r.channels = c\na.sources.r.bind = {text}\n"
        );
        let options = Options { answers: Arc::new(Echo), ..options() };
        load_texts(&[Text { name: "f".into(), bytes: text.into() }], &Sources::default(), "a", &options)
    };
    let answered = value("${f[host]}");
    assert_eq!(answered.plan.unwrap().sources[0].component.properties.text("bind"), Some("get+-q+host"));
    let report = value("${f[no]}").report.to_string();
    assert!(
        report.contains("`a.sources.r.bind` has `${f[no]}`, and it failed [filter-without-answer]"),
        "{report}"
    );
}

#[test]
fn a_hadoop_config_filter_is_handed_its_store_and_its_answers_are_secrets() {
    let environment = vec![("HADOOP_CREDSTORE_PASSWORD".to_owned(), "p".to_owned())];
    let value = |path: &str, text: &str| {
        let text = format!(
            "a.configfilters = f\na.configfilters.f.type = hadoop\n{path}\n\
             a.configfilters.f.credstore.java-keystore-provider.password-file = p.txt\n\
             a.channels = c\na.channels.c.type = memory\na.sources = r\na.sources.r.type = netcat\n\
             a.sources.r.port = {text}\na.sources.r.channels = c\na.sources.r.bind = h\n"
        );
        let options = Options { answers: Arc::new(Echo), ..options() };
        let sources = Sources { environment: environment.clone(), ..Sources::default() };
        load_texts(&[Text { name: "/etc/f/a.conf".into(), bytes: text.into() }], &sources, "a", &options)
    };
    let path = "a.configfilters.f.credential.provider.path = jceks://file/x";
    let secret = value(path, "${f[port]}").report.to_string();
    assert!(secret.contains("***") && !secret.contains("geheim"), "{secret}");
    let none = value(path, "${f[no]}").report.to_string();
    assert!(none.contains("jceks://file/x Some(\"/etc/f/p.txt\") p: none [filter-without-answer]"), "{none}");
    let pathless = value("", "${f[port]}").report.to_string();
    assert!(
        pathless.contains("credential.provider.path") && pathless.contains("[missing-property]"),
        "{pathless}"
    );
}

#[test]
fn the_report_has_a_form_for_programs() {
    let loaded = load_with(&["sources.r.port = x"], &Sources::default());
    let json = serde_json::to_value(&loaded.report).unwrap();
    let problem = &json["problems"][0];
    assert_eq!(problem["severity"], "error");
    assert_eq!(problem["code"], "bad-value");
    assert_eq!(problem["place"], serde_json::json!({"origin": "f", "line": 10, "column": 20}));
    assert!(json.get("left_out").is_none());
}

#[test]
fn a_backslash_that_the_format_drops_is_told_with_the_value_as_read() {
    let regex = |value: &str| {
        let line = format!("sources.r.interceptors.i.regex = {value}");
        text(&["sources.r.interceptors = i", "sources.r.interceptors.i.type = regex_filter", &line])
    };
    let said = regex("^\\d{14}\\\\s");
    for words in [
        "f:13:37: warning: the properties format drops the backslash of `\\d`: `a.s",
        "`a.sources.r.interceptors.i.regex` is read as `^d{14}\\s` [dropped-backslash]",
        "write:    `a.sources.r.interceptors.i.regex = ^\\\\d{14}\\\\s`, if the backslash is meant",
    ] {
        assert!(said.contains(words), "{said}");
    }
    for fine in ["^\\\\d", "a\\tb", "a\\:\\=\\#\\!\\ b", "\\u0041"] {
        assert_eq!(regex(fine), "", "{fine}");
    }
    assert!(text(&["sources.r.\\port = 1"]).contains("the key is read as `a.sources.r.port`"));
    let hidden = text(&["sources.r.type = avro", "sources.r.keystore-password = hunter\\2"]);
    assert!(
        hidden.contains("[dropped-backslash]") && !hidden.contains("hunter") && !hidden.contains("\\2"),
        "{hidden}"
    );
}

#[test]
fn the_name_of_a_header_and_that_of_a_variable_are_no_secrets() {
    let said = text(&[
        "-sources.r.bind",
        "-sources.r.port",
        "sources.r.type = TAILDIR",
        "sources.r.filegroups = f",
        "sources.r.filegroups.f = /var/log/.*log",
        "sources.r.fileHeaderKey = file",
        "sources.r.file = x",
    ]);
    assert!(said.contains("`file` is not a property") && !said.contains("***"), "{said}");
    let password =
        |value: &str| text(&["sources.r.type = avro", &format!("sources.r.keystore-password = {value}")]);
    assert!(password("${NO_SUCH}").contains("has `${NO_SUCH}`, which names nothing"));
    assert!(!password("wom${bat}").contains("bat"), "a piece of a password");
}

#[test]
fn a_password_that_reads_like_a_component_hides_neither_its_name_nor_its_class() {
    let lines = [
        "-sinks.k.type",
        "-sinks.k.channel",
        "sinks = rabbit-sink",
        "sinks.rabbit-sink.type = com.example.rabbit.Sink",
        "sinks.rabbit-sink.password = rabbit",
        "sinks.rabbit-sink.channel = c",
    ];
    let report = load_with(&lines, &Sources::default()).report;
    let said = format!("{}\n{report}", report.head("a"));
    assert!(said.contains("sink `rabbit-sink`") && said.contains("com.example.rabbit.Sink"), "{said}");
}

#[test]
fn a_key_under_the_name_of_another_kind_belongs_to_who_has_such_a_key() {
    let with =
        |line: &'static str| text(&["sinks.k.type = avro", "sinks.k.hostname = h", "sinks.k.port = 1", line]);
    for (line, meant) in [
        ("sinks.r.ack-every-event = true", "`a.sources.r.ack-every-event = true`"),
        ("sinks.r.compression-level = 5", "`a.sinks.k.compression-level = 5`"),
    ] {
        let said = with(line);
        assert!(said.contains(&format!("write:    {meant}, if that is meant")), "{said}");
    }
}

#[test]
fn a_variable_that_is_written_as_those_of_the_environment_is_offered_as_one() {
    let said = text(&["sources.r.bind = ${NO_SUCH_HOST}"]);
    assert!(said.contains("write:    `${env:NO_SUCH_HOST}` for the environment variable"), "{said}");
}
