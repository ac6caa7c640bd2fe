//! Classes of the same kind in place of those that an operator's file names and nobody else has.

use super::{Missing, install};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// Classes by their names.
#[derive(Debug, Default)]
pub struct OwnClasses(BTreeMap<String, &'static Kind>);

/// What a class does, in Java: what stands behind its name, and what is in it.
#[derive(Debug)]
struct Kind {
    heads: &'static str,
    body: &'static str,
}

impl OwnClasses {
    /// One more class, of the kind that the key of a file has it for: `sinks.k1.type = CLASS`. `false` where it is there, or where
    /// its kind cannot be told.
    pub fn add(&mut self, class: &str, file: &str) -> bool {
        match kind(class, file) {
            Some(kind) => self.0.insert(class.to_owned(), kind).is_none(),
            None => false,
        }
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Compiles them into the folder `to`, on Flume 1.9.0 with its components for stores.
    ///
    /// # Errors
    /// They cannot be written or compiled.
    pub fn compile(&self, to: &Path) -> Result<(), Missing> {
        let sources = self.write(&to.join("java")).map_err(install::unwritable)?;
        install::compile_with_stores(&sources, to)
    }

    fn write(&self, to: &Path) -> io::Result<Vec<PathBuf>> {
        let mut sources = Vec::new();
        for (class, kind) in &self.0 {
            let (package, name) = class.rsplit_once('.').unwrap_or(("", class));
            let outer = name.split('$').next().unwrap_or(name);
            let path = to.join(package.replace('.', "/")).join(format!("{outer}.java"));
            fs::create_dir_all(path.parent().unwrap_or(to))?;
            fs::write(&path, text(package, name, kind))?;
            sources.push(path);
        }
        Ok(sources)
    }
}

/// The source of a class, which may stand within another: `Own$Builder`.
fn text(package: &str, name: &str, Kind { heads, body }: &Kind) -> String {
    let package = if package.is_empty() { String::new() } else { format!("package {package};\n") };
    let imports = "import java.util.*;\nimport org.apache.flume.*;\nimport org.apache.flume.conf.*;\n";
    let class = match name.split_once('$') {
        Some((outer, inner)) => {
            format!("public class {outer} {{\npublic static class {inner} {heads} {{\n{body}\n}}\n}}\n")
        }
        None => format!("public class {name} {heads} {{\n{body}\n}}\n"),
    };
    format!("{package}{imports}{class}")
}

fn kind(class: &str, file: &str) -> Option<&'static Kind> {
    let pairs = || {
        file.lines().filter_map(|line| line.split_once('=')).map(|(key, value)| (key.trim(), value.trim()))
    };
    let key: Vec<&str> = pairs().find(|(_, value)| *value == class)?.0.split('.').collect();
    let sink_is = |word: &str| {
        let own = format!("{}.type", key.get(..3).unwrap_or_default().join("."));
        pairs().any(|(key, value)| key == own && value.to_ascii_lowercase().contains(word))
    };
    match key[1..] {
        ["sources", .., "interceptors", _, "type"] => Some(&INTERCEPTOR),
        ["sources", .., "selector", "type"] => Some(&SELECTOR),
        ["sources", .., "deserializer"] => Some(&DESERIALIZER),
        ["sources", .., "handler"] => Some(&HANDLER),
        ["sources", _, "type"] => Some(&SOURCE),
        ["sinks", _, "type"] => Some(&SINK),
        ["sinks", _, "serializer"] if sink_is("async") => Some(&ASYNC_ROWS),
        ["sinks", _, "serializer"] if sink_is("hbase") => Some(&ROWS),
        ["sinks", _, "serializer"] => Some(&SERIALIZER),
        ["channels", _, "type"] => Some(&CHANNEL),
        _ => None,
    }
}

const SOURCE: Kind = Kind {
    heads: "extends org.apache.flume.source.AbstractSource implements EventDrivenSource, Configurable",
    body: "public void configure(Context context) {}",
};

const SINK: Kind = Kind {
    heads: "extends org.apache.flume.sink.AbstractSink implements Configurable",
    body: "public void configure(Context context) {}
public Status process() throws EventDeliveryException {
    Transaction transaction = getChannel().getTransaction();
    transaction.begin();
    try {
        Event event = getChannel().take();
        transaction.commit();
        return event == null ? Status.BACKOFF : Status.READY;
    } finally {
        transaction.close();
    }
}",
};

const CHANNEL: Kind = Kind { heads: "extends org.apache.flume.channel.MemoryChannel", body: "" };

const INTERCEPTOR: Kind = Kind {
    heads: "implements org.apache.flume.interceptor.Interceptor.Builder",
    body: "public void configure(Context context) {}
public org.apache.flume.interceptor.Interceptor build() {
    return new org.apache.flume.interceptor.Interceptor() {
        public void initialize() {}
        public Event intercept(Event event) { return event; }
        public List<Event> intercept(List<Event> events) { return events; }
        public void close() {}
    };
}",
};

const SELECTOR: Kind =
    Kind { heads: "extends org.apache.flume.channel.ReplicatingChannelSelector", body: "" };
const HANDLER: Kind = Kind { heads: "extends org.apache.flume.source.http.JSONHandler", body: "" };

const DESERIALIZER: Kind = Kind {
    heads: "implements org.apache.flume.serialization.EventDeserializer.Builder",
    body: "public org.apache.flume.serialization.EventDeserializer build(
        Context context, org.apache.flume.serialization.ResettableInputStream in) {
    return new org.apache.flume.serialization.LineDeserializer.Builder().build(context, in);
}",
};

const SERIALIZER: Kind = Kind {
    heads: "implements org.apache.flume.serialization.EventSerializer.Builder",
    body: "public org.apache.flume.serialization.EventSerializer build(Context context, java.io.OutputStream out) {
    return new org.apache.flume.serialization.BodyTextEventSerializer.Builder().build(context, out);
}",
};

const ROWS: Kind = Kind { heads: "extends org.apache.flume.sink.hbase.SimpleHbaseEventSerializer", body: "" };
const ASYNC_ROWS: Kind =
    Kind { heads: "extends org.apache.flume.sink.hbase.SimpleAsyncHbaseEventSerializer", body: "" };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_of_the_kind_that_its_key_has_it_for() {
        let file = "a.sinks.k.type = org.apache.flume.sink.hbase.AsyncHBaseSink\na.sinks.k.serializer=com.acme.Rows\n\
                    a.sources.r.interceptors.i.type = com.acme.Own$Builder\na.sources.r.url = com.acme.Url\n";
        let mut own = OwnClasses::default();
        assert!(own.add("com.acme.Rows", file) && own.add("com.acme.Own$Builder", file));
        assert!(!own.add("com.acme.Rows", file), "it is there");
        assert!(!own.add("com.acme.Url", file), "its kind cannot be told");
        let java = text("com.acme", "Own$Builder", own.0["com.acme.Own$Builder"]);
        assert!(java.starts_with("package com.acme;\n"), "{java}");
        assert!(java.contains(
            "public class Own {\npublic static class Builder implements org.apache.flume.interceptor"
        ));
        assert!(text("com.acme", "Rows", own.0["com.acme.Rows"]).contains("public class Rows extends"));
    }
}
