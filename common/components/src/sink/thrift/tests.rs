//! Both ends of ours, and what a peer may do.

use super::*;
use crate::testing::{batch, memory_channel, source_context, start_source, take_now};
use bytes::BytesMut;
use flow::Site;
use flow::error::DeliveryError;
use flow::message::Stop;
use flow::sink::remote::AsyncSink;
use plan::Properties;
use rpc::{ThriftClient, ThriftConfig};
use runtime::net::TcpListener;
use runtime::within::Within;
use std::path::Path;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn store(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/testdata/stores").join(name).display().to_string()
}

fn client(port: u16, keys: &[(&str, &str)]) -> ThriftClient {
    let port_text = port.to_string();
    let place = [("hostname", "127.0.0.1"), ("port", port_text.as_str())];
    let properties = Properties::of(&COMPONENT.descriptor, place.into_iter().chain(keys.iter().copied()));
    let place = ("127.0.0.1".to_owned(), port);
    let config = ThriftConfig::build(&properties, Site::new(&[]).tls_defaults(), place, &mut Vec::new());
    ThriftClient::new(config.unwrap())
}

#[actix::test]
async fn events_arrive_with_each_protocol_and_with_tls() {
    let (keystore, truststore) = (store("server.jks"), store("trust.jks"));
    let server = [("ssl", "true"), ("keystore", &keystore), ("keystore-password", "changeit")];
    let trusting = [("ssl", "true"), ("truststore", &truststore), ("truststore-password", "changeit")];
    for (protocol, tls) in [("compact", false), ("binary", false), ("compact", true)] {
        let channel = memory_channel(&[("capacity", "3000"), ("transactionCapacity", "1000")]);
        let (context, mut ready) = source_context(&channel);
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let text = port.to_string();
        let place = [("bind", "127.0.0.1"), ("port", text.as_str()), ("protocol", protocol)];
        let (server, trusting) = if tls { (&server[..], &trusting[..]) } else { (&[][..], &[][..]) };
        let keys = place.into_iter().chain(server.iter().copied());
        let source = start_source(&crate::source::thrift::COMPONENT, keys, context);
        ready.recv().within("the source to be ready").await.unwrap();
        let mut client = client(port, &[&[("protocol", protocol)], trusting].concat());
        client.open().within("a connection").await.unwrap();
        client.deliver(&[batch(0..700), batch(700..1000)]).within("an answer").await.unwrap();
        client.deliver(&[batch(1000..1001)]).within("an answer").await.unwrap();
        let refused = client.deliver(&[batch(0..1001)]).within("an answer").await;
        assert!(matches!(refused, Err(DeliveryError::Refused { events: 1001, .. })), "{refused:?}");
        assert!(take_now(&channel).await == (0..1001).collect::<Vec<u64>>());
        source.send(Stop).within("the stop").await.unwrap();
        let end = client.ended().within("the end of the connection").await;
        assert!(matches!(end, DeliveryError::Closed { .. }), "{end:?}");
    }
}

#[actix::test]
async fn what_a_peer_may_do_is_told_and_nothing_is_taken_for_delivered() {
    let oversized = [&[0x7f, 0xff, 0xff, 0xff][..]].concat();
    for (answer, said) in [
        (&b""[..], "it closed the connection"),
        (b"HTTP/1.1 400 Bad Request\r\n", "a frame of 1213486160 bytes"),
        (&oversized, "a frame of 2147483647 bytes"),
        (b"\0\0\0\x01\x82", "the message ends too early"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = client(listener.local_addr().unwrap().port(), &[]);
        client.open().within("a connection").await.unwrap();
        let (mut peer, _) = listener.accept().within("a connection").await.unwrap();
        let answer = answer.to_vec();
        actix_rt::spawn(async move {
            peer.read_buf(&mut BytesMut::new()).await.unwrap();
            peer.write_all(&answer).await.unwrap();
        });
        let error = client.deliver(&[batch(0..1)]).within("an answer").await.unwrap_err();
        assert!(matches!(error, DeliveryError::Lost { .. }) && error.to_string().contains(said), "{error}");
    }
}

#[actix::test]
async fn a_silent_peer_is_given_its_time_and_no_more() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = client(listener.local_addr().unwrap().port(), &[("request-timeout", "1000")]);
    client.open().within("a connection").await.unwrap();
    tokio::time::pause();
    let error = client.deliver(&[batch(0..1)]).await.unwrap_err();
    assert!(error.to_string().contains("answered nothing for 1000 ms"), "{error}");
}

#[actix::test]
async fn a_connection_is_made_anew_when_its_time_is_over() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = client(listener.local_addr().unwrap().port(), &[("reset-connection-interval", "60")]);
    client.open().within("a connection").await.unwrap();
    let (_first, _) = listener.accept().within("a connection").await.unwrap();
    tokio::time::pause();
    tokio::time::advance(runtime::clock::Duration::from_secs(61)).await;
    tokio::time::resume();
    let batches = [batch(0..1)];
    tokio::select! {
        delivered = client.deliver(&batches) => panic!("nobody has answered: {delivered:?}"),
        second = listener.accept().within("a second connection") => drop(second.unwrap()),
    }
}
