use super::{stand_in::*, *};
use runtime::within::Within;

#[tokio::test]
async fn a_node_that_is_not_there_is_watched_and_one_that_is_there_is_read() {
    let (listener, ensemble) = listen().await;
    let server = async {
        let mut stream = greet(&listener, 60_000).await;
        let get = asked(&mut stream).await;
        assert_eq!(get[4..8], 4i32.to_be_bytes());
        say(&mut stream, &head(&get, code::NO_NODE)).await;
        let exists = asked(&mut stream).await;
        assert_eq!((&exists[4..8], exists.last()), (&3i32.to_be_bytes()[..], Some(&1)));
        say(&mut stream, &head(&exists, code::NO_NODE)).await;
        // The watch fires: the node is created.
        let event = [&WATCH.to_be_bytes()[..], &[0; 12], &[0, 0, 0, 1, 0, 0, 0, 3], &[0; 4]].concat();
        say(&mut stream, &event).await;
        let get = asked(&mut stream).await;
        say(&mut stream, &[head(&get, 0), 2u32.to_be_bytes().to_vec(), b"xy".to_vec(), stat(7)].concat())
            .await;
        stream
    };
    let client = async {
        let mut client = Client::connect(&ensemble).await.unwrap();
        assert_eq!(client.get("/flume/a1", true).await, Ok(None));
        client.changed().within("the watch").await.unwrap();
        assert_eq!(client.get("/flume/a1", true).await, Ok(Some((b"xy".to_vec(), 7))));
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn nobody_overwrites_what_he_has_not_seen() {
    let (listener, ensemble) = listen().await;
    let server = async {
        let mut stream = greet(&listener, 60_000).await;
        let mut made = Vec::new();
        for code in [code::NODE_EXISTS, 0, 0] {
            let create = asked(&mut stream).await;
            let length = create[11] as usize;
            made.push(String::from_utf8_lossy(&create[12..12 + length]).into_owned());
            say(&mut stream, &head(&create, code)).await;
        }
        assert_eq!(made, ["/a", "/a/b", "/a/b/c"]);
        let set = asked(&mut stream).await;
        assert_eq!(set[set.len() - 4..], 3i32.to_be_bytes());
        say(&mut stream, &head(&set, code::BAD_VERSION)).await;
        let set = asked(&mut stream).await;
        say(&mut stream, &[head(&set, 0), stat(5)].concat()).await;
    };
    let client = async {
        let mut client = Client::connect(&ensemble).await.unwrap();
        assert_eq!(client.create("/a/b/c", b"text").await, Ok(()));
        assert_eq!(client.set("/a/b/c", b"t", 3).await, Err(Trouble::Refused(code::BAD_VERSION)));
        assert_eq!(client.set("/a/b/c", b"t", 4).await, Ok(5));
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn names_below_a_node_are_read_and_a_node_that_is_not_there_has_none() {
    let (listener, ensemble) = listen().await;
    let server = async {
        let mut stream = greet(&listener, 60_000).await;
        let children = asked(&mut stream).await;
        assert_eq!(children[4..8], 8i32.to_be_bytes());
        say(&mut stream, &[&head(&children, 0)[..], b"\0\0\0\x02\0\0\0\x011\0\0\0\x012"].concat()).await;
        let children = asked(&mut stream).await;
        say(&mut stream, &head(&children, code::NO_NODE)).await;
    };
    let client = async {
        let mut client = Client::connect(&ensemble).await.unwrap();
        assert_eq!(client.children("/brokers/ids").await, Ok(Some(vec!["1".to_owned(), "2".to_owned()])));
        assert_eq!(client.children("/brokers/ids").await, Ok(None));
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn a_silent_server_is_pinged_and_then_given_up() {
    let (listener, ensemble) = listen().await;
    let server = async {
        let mut stream = greet(&listener, 300).await;
        let ping = asked(&mut stream).await;
        assert_eq!(ping, [&protocol::PING.to_be_bytes()[..], &11i32.to_be_bytes()].concat());
        stream
    };
    let client = async {
        let mut client = Client::connect(&ensemble).await.unwrap();
        let trouble = client.changed().within("the end of the silence").await.unwrap_err();
        assert!(trouble.to_string().contains("is silent"), "{trouble}");
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn what_is_no_zookeeper_and_what_is_not_there_is_told() {
    let (listener, ensemble) = listen().await;
    let server = async {
        let (mut stream, _) = listener.accept().within("a connection").await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        stream
    };
    let (_open, connected) = tokio::join!(server, Client::connect(&ensemble));
    let trouble = connected.err().unwrap().to_string();
    assert!(trouble.contains("is no ZooKeeper"), "{trouble}");
    drop(listener);
    let trouble = Client::connect(&ensemble).await.err().unwrap().to_string();
    assert!(trouble.contains("refused"), "{trouble}");
    assert!(Trouble::Refused(code::NO_AUTH).to_string().contains("world:anyone"));
}
