//! What tests of several components share: plans and assemblies of a few keys, a source at a port.

pub(crate) use flow::testing::*;

use crate::LIGHT;
use crate::channel::memory::{MemoryConfig, new_channel};
use actix::Addr;
use flow::channel::ChannelRef;
use flow::component::Component;
use flow::source::SourceActor;
use flow::{Assembly, Site, configure};
use plan::{Options, Plan, Sources};
use runtime::net::{TcpListener, TcpStream};
use runtime::within::Within;

/// What comes of an agent `a` with these keys, whose names are without `a.`; the errors as they are told.
pub(crate) fn assembly(keys: &[(&str, &str)]) -> Result<Assembly, String> {
    let mut loaded = load(keys);
    let plan = loaded.plan.expect("there is such an agent");
    let assembly = configure(&plan, &LIGHT, &Site::new(&[]), &mut loaded.report);
    assembly.filter(|_| !loaded.report.has_errors()).ok_or_else(|| loaded.report.to_string())
}

/// The plan of an agent `a` with these keys; the errors as they are told.
pub(crate) fn plan(keys: &[(&str, &str)]) -> Result<Plan, String> {
    let loaded = load(keys);
    let plan = loaded.plan.filter(|_| !loaded.report.has_errors());
    plan.ok_or_else(|| loaded.report.to_string())
}

fn load(keys: &[(&str, &str)]) -> plan::Loaded {
    let escaped = |value: &str| value.replace('\\', "\\\\").replace('\n', "\\n").replace(" #", "\\u0020\\#");
    let line = |(key, value): &(&str, &str)| format!("a.{key} = {}\n", escaped(value));
    let text: String = keys.iter().map(line).collect();
    let text = plan::Text { name: "f".into(), bytes: text.into_bytes() };
    plan::load_texts(&[text], &Sources::default(), "a", &Options::new(LIGHT.names()))
}

/// The plan of one `file_roll` sink `k` with these keys.
pub(crate) fn file_roll_plan(keys: &[(&str, &str)]) -> Result<Plan, String> {
    with_sink("file_roll", keys, plan)
}

/// What is said of one sink `k` of type `kind` with these keys; nothing when it can start.
pub(crate) fn said_of_sink(kind: &str, keys: &[(&str, &str)]) -> String {
    with_sink(kind, keys, assembly).err().unwrap_or_default()
}

/// What is said of one source `r` of type `kind` with these keys; nothing when it can start.
pub(crate) fn said_of_source(kind: &str, keys: &[(&str, &str)]) -> String {
    let own = owned("sources.r.", keys);
    let mut all = vec![("sources", "r"), ("sources.r.type", kind), ("sources.r.channels", "c")];
    all.extend(own.iter().map(|(key, value)| (key.as_str(), *value)));
    with_sink("null", &[], |rest| assembly(&[&all[..], rest].concat())).err().unwrap_or_default()
}

fn with_sink<T>(kind: &str, keys: &[(&str, &str)], then: impl FnOnce(&[(&str, &str)]) -> T) -> T {
    let own = owned("sinks.k.", keys);
    let mut all = vec![
        ("channels", "c"),
        ("channels.c.type", "memory"),
        ("sinks", "k"),
        ("sinks.k.type", kind),
        ("sinks.k.channel", "c"),
    ];
    all.extend(own.iter().map(|(key, value)| (key.as_str(), *value)));
    then(&all)
}

fn owned<'a>(prefix: &str, keys: &[(&str, &'a str)]) -> Vec<(String, &'a str)> {
    keys.iter().map(|(key, value)| (format!("{prefix}{key}"), *value)).collect()
}

/// A source that listens at a free port.
pub(crate) struct Listening {
    pub(crate) port: u16,
    pub(crate) source: Addr<SourceActor>,
    pub(crate) heard: Heard,
}

impl Listening {
    /// It is ready. `PORT` in a key or a value is its port.
    pub(crate) async fn start(
        component: &'static Component,
        channel: &ChannelRef,
        keys: impl IntoIterator<Item = (&str, &str)>,
    ) -> Listening {
        let (mut context, mut ready) = source_context(channel);
        let heard = Heard::default();
        context.log = slog::Logger::root(heard.clone(), slog::o!());
        let port = free_port().await;
        let text = port.to_string();
        let keys =
            keys.into_iter().map(|(key, value)| (key.replace("PORT", &text), value.replace("PORT", &text)));
        let source = start_source(component, keys, context);
        ready.recv().within("the source to be ready").await.expect("the source says that it is ready");
        Listening { port, source, heard }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).within("a connection").await.expect("the source listens")
    }
}

/// A port at which nobody listens just now.
pub(crate) async fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// A memory channel called `c1`, with the keys and values given.
pub(crate) fn memory_channel(settings: &[(&str, &str)]) -> ChannelRef {
    let config = MemoryConfig::new(&plan::Properties::of(
        &crate::channel::memory::COMPONENT.descriptor,
        settings.iter().copied(),
    ));
    started("c1", new_channel(config))
}
