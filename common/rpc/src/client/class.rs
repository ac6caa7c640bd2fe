//! What only a Java class can do, by its name in the properties: a client, or what chooses among hosts.
//!
//! Source: Flume 1.9 and 1.11 `RpcClientFactory.getInstance` (what is no alias is a class) and
//! `LoadBalancingRpcClient.configure` (what is neither ROUND_ROBIN nor RANDOM is one).

use super::config::{self, ClientType};

/// The property that names a class which is not here, as `key = class`: Flume's own program has to be run for it. `None` when
/// this client takes the properties, or says what is wrong with them.
pub fn java_class(properties: &[(String, String)]) -> Option<String> {
    let properties = config::read(properties);
    let key = match config::kind(&properties) {
        Err(_) => "client.type",
        Ok(ClientType::Balance) if config::order(&properties).is_err() => "host-selector",
        Ok(_) => return None,
    };
    let name = properties.word(key);
    is_class(name).then(|| format!("{key} = {}", config::shown(name)))
}

/// A name with its package. One without is a word that is misspelt, far more often than a class.
fn is_class(name: &str) -> bool {
    let is_part = |part: &str| {
        part.starts_with(|first: char| first.is_alphabetic() || first == '_' || first == '$')
            && part.chars().all(|sign| sign.is_alphanumeric() || sign == '_' || sign == '$')
    };
    name.contains('.') && name.split('.').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_that_is_not_here_is_named_and_nothing_else_is() {
        for (kind, selector, expected) in [
            ("org.acme.Client", "", Some("client.type = org.acme.Client")),
            ("org.acme.Own$Client", "org.acme.Other", Some("client.type = org.acme.Own$Client")),
            (
                "org.apache.flume.api.SecureThriftRpcClient",
                "",
                Some("client.type = org.apache.flume.api.SecureThriftRpcClient"),
            ),
            ("default_loadbalance", "org.acme.Selector", Some("host-selector = org.acme.Selector")),
            ("default_loadbalance", "RANDOM", None),
            ("default_failover", "org.acme.Selector", None),
            ("org.apache.flume.api.ThriftRpcClient", "", None),
            ("", "", None),
            ("thrif", "", None),
            ("http://me:hunter2@b.c", "", None),
        ] {
            let all = [("client.type", kind), ("host-selector", selector)];
            let all = all.iter().filter(|(_, value)| !value.is_empty());
            let all: Vec<_> = all.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            assert_eq!(java_class(&all).as_deref(), expected, "{all:?}");
        }
    }
}
