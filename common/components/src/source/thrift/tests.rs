use super::*;
use crate::testing::{Listening, memory_channel, said_of_source};
use bytes::BytesMut;
use event::{Batch, BatchBuilder};
use flow::channel::ChannelRef;
use flow::message::Stop;
use runtime::net::TcpStream;
use runtime::within::Within;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wire::thrift::{Frames, Status, call, read_answer};

async fn start(channel: &ChannelRef, keys: &[(&str, &str)]) -> Listening {
    let place = [("bind", "127.0.0.1"), ("port", "PORT")];
    Listening::start(&COMPONENT, channel, place.into_iter().chain(keys.iter().copied())).await
}

fn batch(events: usize) -> Batch {
    let mut builder = BatchBuilder::default();
    (0..events).for_each(|number| builder.push([("k", "v")], number.to_string().as_bytes()));
    builder.finish()
}

async fn answer(stream: &mut TcpStream, protocol: Protocol, sequence: i32) -> Result<Status, String> {
    let mut input = BytesMut::new();
    loop {
        if let Some(message) = Frames::new(1 << 20).decode(&mut input).unwrap() {
            return read_answer(protocol, sequence, &message).unwrap();
        }
        assert!(stream.read_buf(&mut input).within("an answer").await.unwrap() > 0, "it has closed");
    }
}

async fn bodies(channel: &ChannelRef) -> Vec<String> {
    let lease = channel.take(usize::MAX).within("events").await.unwrap();
    let events = lease.batches().iter().flat_map(Batch::events);
    let bodies = events.map(|event| {
        assert_eq!((event.header("k"), event.received()), (Some("v"), 1));
        String::from_utf8(event.body().to_vec()).unwrap()
    });
    let bodies = bodies.collect();
    lease.commit();
    bodies
}

#[actix::test]
async fn calls_of_both_protocols_are_stored_and_answered_however_they_are_cut() {
    for (word, protocol) in [("compact", Protocol::Compact), ("BINARY", Protocol::Binary)] {
        let channel = memory_channel(&[]);
        let stage = start(&channel, &[("protocol", word)]).await;
        let mut stream = stage.connect().await;
        stream.set_nodelay(true).unwrap();
        for sequence in 1..3 {
            let mut frame = BytesMut::new();
            call(protocol, sequence, &[batch(2)], &mut frame);
            for byte in frame {
                stream.write_all(&[byte]).within("a write").await.unwrap();
            }
            assert_eq!(answer(&mut stream, protocol, sequence).await, Ok(Status::Ok));
            assert_eq!(bodies(&channel).await, ["0", "1"]);
        }
        assert!(stage.heard.lines().is_empty(), "{:?}", stage.heard.lines());
    }
}

#[actix::test]
async fn a_full_channel_is_answered_failed_and_the_client_goes_on() {
    let channel = memory_channel(&[("capacity", "3"), ("transactionCapacity", "3"), ("keep-alive", "0")]);
    let stage = start(&channel, &[]).await;
    let mut stream = stage.connect().await;
    for (sequence, expected) in [(1, Status::Ok), (2, Status::Failed)] {
        let mut frame = BytesMut::new();
        call(Protocol::Compact, sequence, &[batch(2)], &mut frame);
        stream.write_all(&frame).await.unwrap();
        assert_eq!(answer(&mut stream, Protocol::Compact, sequence).await, Ok(expected));
    }
    assert!(stage.heard.lines()[0].contains("answered FAILED"), "{:?}", stage.heard.lines());
    assert_eq!(bodies(&channel).await, ["0", "1"]);
}

#[actix::test]
async fn what_is_not_thrift_is_told_and_closed() {
    let channel = memory_channel(&[]);
    for (sent, said) in [
        (&b"GET / HTTP/1.1\r\n\r\n"[..], "a frame of 1195725856 bytes"),
        (b"\x16\x03\x01\x02\x00\x01\x00", "a frame of 369295618 bytes"),
        (b"\x80\x01\x00\x01", "no frames of Thrift"),
        (b"\0\0\0\x09\x80\x01\0\x01\0\0\0\x01x", "set `protocol` alike"),
    ] {
        let stage = start(&channel, &[("protocol", "compact")]).await;
        let mut stream = stage.connect().await;
        stream.write_all(sent).await.unwrap();
        let mut rest = Vec::new();
        let _reset = stream.read_to_end(&mut rest).within("the end").await;
        stage.heard.wait(1).await;
        assert!(stage.heard.lines()[0].contains(said), "{:?}", stage.heard.lines());
    }
}

#[actix::test]
async fn what_a_client_announces_takes_no_memory_and_a_silent_one_disturbs_nobody() {
    let channel = memory_channel(&[]);
    let stage = start(&channel, &[("maxFrameBytes", "1000000")]).await;
    let mut silent = Vec::new();
    for _ in 0..50 {
        let mut stream = stage.connect().await;
        stream.write_all(&900_000u32.to_be_bytes()).await.unwrap();
        silent.push(stream);
    }
    let mut stream = stage.connect().await;
    let mut frame = BytesMut::new();
    call(Protocol::Compact, 1, &[batch(2)], &mut frame);
    stream.write_all(&frame).await.unwrap();
    assert_eq!(answer(&mut stream, Protocol::Compact, 1).await, Ok(Status::Ok));
}

#[actix::test]
async fn a_stop_closes_silent_clients_and_the_port() {
    let channel = memory_channel(&[]);
    let stage = start(&channel, &[]).await;
    let mut silent = stage.connect().await;
    silent.write_all(&[0, 0]).await.unwrap();
    stage.source.send(Stop).within("the stop").await.unwrap();
    let mut rest = Vec::new();
    let _reset = silent.read_to_end(&mut rest).within("the end").await;
    assert!(TcpStream::connect(("127.0.0.1", stage.port)).within("a refusal").await.is_err());
}

#[test]
fn properties_that_cannot_be_are_refused() {
    let place = [("bind", "127.0.0.1"), ("port", "1")];
    let said = |key, value| said_of_source("thrift", &[&place[..], &[(key, value)]].concat());
    assert_eq!(said("protocol", "Binary"), "");
    for (key, value, why) in [("protocol", "json", "protocol"), ("ssl", "true", "no `keystore`")] {
        assert!(said(key, value).contains(why), "{key}: {}", said(key, value));
    }
}
