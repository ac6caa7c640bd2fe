//! `client.type`: the clients that an avro sink may have besides its own.

use crate::sink::speaks_thrift;
use flow::Site;
use flow::component::{MakeSink, told};
use flow::sink::{SinkContext, remote};
use plan::{Findings, Properties};
use rpc::AvroSinkConfig;
use rpc::client::{RoutedClient, Routes};

/// `default_failover`, `default_loadbalance`: hosts of the client's own, one after the other or in turn.
pub(super) fn routed(properties: &Properties, site: &Site, findings: &mut Findings<'_>) -> Option<MakeSink> {
    let of_client = |key: &str| !OF_SINK.contains(&key);
    let pairs = properties.iter().filter(|(key, _)| of_client(key));
    let pairs: Vec<_> = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    let mut notes = Vec::new();
    let routes = match Routes::build(&pairs, site.tls_defaults(), &mut notes) {
        Ok(routes) => routes,
        Err(what) => {
            findings.refuse("client.type", &what);
            return None;
        }
    };
    told(Ok(()), notes, findings)?;
    Some(Box::new(move |context: SinkContext| {
        console::fact::component_started(&context.log, console::fact::ComponentType::Sink, &context.name);
        Ok(remote::start(RoutedClient::new(routes.clone()), context))
    }))
}

/// `thrift`: the first of `hosts`, or `hostname` and `port`.
pub(super) fn thrift(properties: &Properties, site: &Site, findings: &mut Findings<'_>) -> Option<MakeSink> {
    speaks_thrift(properties, site, AvroSinkConfig::place(properties), findings)
}

/// Keys that the sink and its channel read; all others go to the client.
const OF_SINK: &[&str] =
    &["type", "channel", "hostname", "port", "reset-connection-interval", "maxIoWorkers", "protocol"];

#[cfg(test)]
mod tests {
    use crate::testing::{Listening, batch, memory_channel, said_of_sink, take_now};
    use flow::channel::ChannelRef;
    use flow::message::Stop;
    use flow::sink::remote::AsyncSink;
    use rpc::client::{RoutedClient, Routes};
    use runtime::net::TlsDefaults;
    use runtime::within::Within;

    struct Collector {
        source: Listening,
        channel: ChannelRef,
    }

    async fn collector() -> Collector {
        let channel = memory_channel(&[]);
        let keys = [("bind", "127.0.0.1"), ("port", "PORT")];
        let source = Listening::start(&crate::source::avro::COMPONENT, &channel, keys).await;
        Collector { source, channel }
    }

    fn client(kind: &str, collectors: &[&Collector]) -> RoutedClient {
        let mut keys = vec![("client.type".to_owned(), kind.to_owned())];
        let names: Vec<String> = (0..collectors.len()).map(|number| format!("h{number}")).collect();
        keys.push(("hosts".to_owned(), names.join(" ")));
        for (name, collector) in names.iter().zip(collectors) {
            keys.push((format!("hosts.{name}"), format!("127.0.0.1:{}", collector.source.port)));
        }
        let routes = Routes::build(&keys, &TlsDefaults::new(&[], |_| None), &mut Vec::new());
        RoutedClient::new(routes.unwrap())
    }

    #[actix::test]
    async fn failover_stays_with_a_host_until_it_is_gone() {
        let (one, two) = (collector().await, collector().await);
        let mut client = client("default_failover", &[&one, &two]);
        client.open().within("a connection").await.unwrap();
        for number in 0..4 {
            if number == 2 {
                one.source.source.send(Stop).within("the stop").await.unwrap();
            }
            client.deliver(&[batch(number..number + 1)]).within("an answer").await.unwrap();
        }
        assert_eq!(take_now(&one.channel).await, [0, 1]);
        assert_eq!(take_now(&two.channel).await, [2, 3]);
        two.source.source.send(Stop).within("the stop").await.unwrap();
        client.deliver(&[batch(4..5)]).within("a refusal").await.unwrap_err();
        client.open().within("a refusal").await.unwrap_err();
        client.close().await;
    }

    #[actix::test]
    async fn load_balancing_goes_on_to_the_next_host_with_each_batch() {
        let (one, two) = (collector().await, collector().await);
        let mut client = client("default_loadbalance", &[&one, &two]);
        client.open().within("a connection").await.unwrap();
        for number in 0..4 {
            client.deliver(&[batch(number..number + 1)]).within("an answer").await.unwrap();
        }
        let (first, second) = (take_now(&one.channel).await, take_now(&two.channel).await);
        assert_eq!((first.len(), second.len()), (2, 2), "{first:?} {second:?}");
    }

    #[test]
    fn a_type_and_its_hosts_are_judged() {
        let place = [("hostname", "h"), ("port", "1")];
        let said = |keys: &[(&str, &str)]| said_of_sink("avro", &[&place[..], keys].concat());
        let hosts = [("hosts", "a b"), ("hosts.a", "h:1"), ("hosts.b", "h:2")];
        let with = |kind| [&hosts[..], &[("client.type", kind)]].concat();
        for kind in ["default", "DEFAULT_FAILOVER", "default_loadbalance", "thrift"] {
            assert_eq!(said(&with(kind)), "", "{kind}");
        }
        assert!(said(&with("own")).contains("client.type"));
        assert!(said(&[("client.type", "default_failover")]).contains("hosts is empty"));
        assert!(
            said(&[("hosts", "a"), ("hosts.a", "h:1"), ("client.type", "default_loadbalance")])
                .contains("two hosts")
        );
    }
}
