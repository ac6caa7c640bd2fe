//! What released Flume binaries said, as `testdata/README.md` tells, against what we say.

mod support;

use bytes::BytesMut;
use event::Batch;
use support::{conversation, frames, recordings};
use wire::avro::{
    Answer, AnswerNotes, ClientEvent, ClientSession, Frame, Hello, Outcome, ProtocolCache, Received,
    ServerSession, TAIL,
};

const RELEASES: [&str; 2] = ["flume-1.9.0", "flume-1.11.0"];

/// A batch of more than this is refused, as by the recorded agents' `transactionCapacity`.
const TRANSACTION_CAPACITY: usize = 10;

/// Our server's reply to each call, and the batches it found.
fn serve(requests: &[u8]) -> (Vec<BytesMut>, Vec<(Batch, bool)>) {
    // To clients that are not ours a server that has things to say must look like one that has not; towards those that
    // are, the handshake differs by intent.
    let mut session = ServerSession::new(Hello { window: 16, window_bytes: 1 << 20 });
    let (mut cache, mut batches) = (ProtocolCache::default(), Vec::new());
    let mut reply = |frame| {
        let mut out = BytesMut::new();
        match session.receive(frame, &mut cache) {
            Received::Batch { token, batch, single, .. } => {
                let answer = if batch.len() > TRANSACTION_CAPACITY { Answer::Failed } else { Answer::Ok };
                session.reply(&mut out, token, answer, AnswerNotes { leaving: false });
                batches.push((batch, single));
            }
            Received::TooMany { .. } => unreachable!("any number is taken"),
            Received::Ping { token } => session.pong(&mut out, token),
            Received::Reply { bytes, .. } => out.extend_from_slice(&bytes),
        }
        out
    };
    let replies = frames(requests).into_iter().map(&mut reply).collect();
    (replies, batches)
}

/// An error's text, where a reply is one.
fn error(frame: &Frame) -> Option<String> {
    let text = frame.message().windows(5).position(|bytes| bytes == b"java." || bytes == b"org.a")?;
    Some(String::from_utf8_lossy(&frame.message()[text..]).into_owned())
}

#[test]
fn our_server_answers_as_the_released_ones_do() {
    for name in RELEASES.iter().flat_map(|release| recordings(release)).filter(|name| !name.ends_with("ours"))
    {
        let (requests, expected) = conversation(&name);
        let (replies, _) = serve(&requests);
        let ours = frames(&replies.concat());
        let theirs = frames(&expected);
        assert_eq!(ours.len(), theirs.len(), "{name}");
        for (ours, theirs) in ours.iter().zip(&theirs) {
            match (error(ours), error(theirs)) {
                // These we say word for word; what others say depends on the release and the JVM.
                (Some(ours), Some(theirs)) if theirs.contains("EOF") || theirs.contains("No such") => {
                    assert_eq!(ours, theirs, "{name}");
                }
                (Some(_), Some(_)) => {
                    let place = |frame: &Frame| (frame.serial(), frame.first_buffer_bytes());
                    assert_eq!(place(ours), place(theirs), "{name}");
                }
                _ => assert_eq!(ours, theirs, "{name}"),
            }
        }
        if !frames(&expected).iter().any(|frame| error(frame).is_some()) {
            assert_eq!(replies.concat(), expected, "{name}: byte for byte");
        }
    }
}

#[test]
fn our_client_asks_as_the_released_sdk_does() {
    for name in
        RELEASES.iter().flat_map(|release| [format!("{release}/batches"), format!("{release}/singles")])
    {
        let (requests, replies) = conversation(&name);
        let (mut client, mut sent) = (ClientSession::flume(), BytesMut::new());
        let (_, batches) = serve(&requests);
        for ((batch, single), reply) in batches.iter().zip(frames(&replies)) {
            if *single {
                client.append(&mut sent, &batch.runs().next().expect("an event"), None);
            } else {
                client.call_head(&mut sent, batch.len(), batch.event_bytes(), None);
                batch.runs().for_each(|run| sent.extend_from_slice(&run));
                sent.extend_from_slice(TAIL);
            }
            let answer = client.receive(reply).expect("an answer");
            assert!(matches!(answer, ClientEvent::Answer { outcome: Outcome::Ok, .. }));
        }
        assert_eq!(sent, requests, "{name}");
    }
}

#[test]
fn the_released_servers_take_what_we_add_and_answer_as_ever() {
    for release in RELEASES {
        let (requests, replies) = conversation(&format!("{release}/ours"));
        let mut replies = frames(&replies).into_iter();
        let (mut client, mut sent) = (ClientSession::new(), BytesMut::new());
        client.ping(&mut sent);
        assert_eq!(sent, requests[..sent.len()], "this is what was sent");
        assert_eq!(client.receive(replies.next().expect("two")), Ok(ClientEvent::Ready { hello: None }));
        client.call_head(&mut BytesMut::new(), 2, 4, None);
        let answer = client.receive(replies.next().expect("two"));
        assert!(matches!(answer, Ok(ClientEvent::Answer { outcome: Outcome::Ok, .. })), "{answer:?}");
    }
}
