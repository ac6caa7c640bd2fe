use super::*;
use crate::origin::uri::place::folders;
use flow::testing::silent;
use plan::Secret;
use runtime::net::{TcpListener, TcpStream, TlsDefaults};
use runtime::within::Within;
use std::path::PathBuf;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn place(uri: &str, login: Option<(&str, &Secret)>) -> Result<Place, String> {
    let tls = TlsDefaults::default();
    Place::parse(uri, &[], &Access { login, tls: &tls })
}

/// A server that answers each connection's one request by the next of `answers`. Its requests come back, in small letters.
async fn serve<const N: usize>(listener: &TcpListener, answers: [&str; N]) -> Vec<String> {
    let mut requests = Vec::new();
    for answer in answers {
        let (mut stream, _) = listener.accept().within("a connection").await.unwrap();
        requests.push(request(&mut stream).await);
        stream.write_all(answer.as_bytes()).within("a write").await.unwrap();
    }
    requests
}

async fn request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        assert!(stream.read_buf(&mut bytes).within("a request").await.unwrap() > 0, "it ends early");
    }
    String::from_utf8(bytes).unwrap()
}

fn ok(marks: &str, text: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{marks}Content-Length: {}\r\n\r\n{text}", text.len())
}

fn patience(limit: Option<Duration>) -> Patience {
    Patience { limit, begins: |_| {} }
}

struct Case {
    listener: TcpListener,
    uris: Uris,
    directory: tempfile::TempDir,
}

async fn case(path: &str, limit: Option<Duration>) -> Case {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://127.0.0.1:{}{path}", listener.local_addr().unwrap().port());
    let directory = tempfile::tempdir().unwrap();
    let backup = Some(Backup::new(directory.path(), "a1"));
    let password = Secret::new("hunter2");
    let place = place(&uri, Some(("me", &password))).unwrap();
    let uris = Uris::new(vec![place], Duration::from_millis(10), patience(limit), backup, silent());
    Case { listener, uris, directory }
}

async fn read(uris: &mut Uris) -> Result<String, String> {
    let mut report = Report::default();
    let texts = uris.read(&mut report).within("a text").await;
    match report.problems.first() {
        Some(problem) => Err(problem.what.clone()),
        None => Ok(texts.iter().map(|text| String::from_utf8_lossy(&text.bytes).into_owned()).collect()),
    }
}

#[tokio::test]
async fn a_text_is_fetched_with_its_login_and_then_only_when_it_has_changed() {
    let Case { listener, mut uris, .. } = case("/a1.properties?token=t", None).await;
    let marks = "ETag: \"v1\"\r\nLast-Modified: Thu, 26 Nov 2026 10:00:00 GMT\r\n";
    let (first, other) = (ok(marks, "a = 1"), ok("ETag: \"v2\"\r\n", "a = 2"));
    let server = serve(&listener, [&first, "HTTP/1.1 304 Not Modified\r\n\r\n", &other]);
    let client = async {
        assert_eq!(read(&mut uris).await, Ok("a = 1".to_owned()));
        uris.changed().within("a change").await;
        assert_eq!(read(&mut uris).await, Ok("a = 2".to_owned()));
        assert!(uris.names()[0].ends_with("/a1.properties"), "{:?}: the token is not shown", uris.names());
    };
    let (requests, ()) = tokio::join!(server, client);
    let has = |request: &str, part: &str| assert!(request.contains(part), "{part}: {request}");
    has(&requests[0], "GET /a1.properties?token=t HTTP/1.1\r\n");
    has(&requests[0], "authorization: Basic bWU6aHVudGVyMg==\r\n");
    assert!(!requests[0].contains("if-"), "{}", requests[0]);
    for request in &requests[1..] {
        has(request, "if-none-match: \"v1\"\r\n");
        has(request, "if-modified-since: Thu, 26 Nov 2026 10:00:00 GMT\r\n");
    }
}

#[tokio::test]
async fn what_waiting_does_not_help_is_an_error_at_once() {
    for (answer, part) in [
        (
            "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
            "401 Unauthorized: look at -user and -pwd",
        ),
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "404 Not Found"),
        (
            "HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1/x\r\nContent-Length: 0\r\n\r\n",
            "from http to https",
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", "breaks off"),
    ] {
        let Case { listener, mut uris, .. } = case("/x", Some(Duration::from_millis(200))).await;
        let (_, found) = tokio::join!(serve(&listener, [answer]), read(&mut uris));
        let found = found.unwrap_err();
        assert!(found.contains(part) && !found.contains("hunter2"), "{found}");
    }
}

#[tokio::test]
async fn a_server_that_is_away_leaves_what_runs_and_its_backup_starts_the_next() {
    let Case { listener, mut uris, directory } = case("/x", None).await;
    let (one, busy, two) =
        (ok("", "a = 1"), "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", ok("", "a = 2"));
    let (_, found) = tokio::join!(serve(&listener, [&one]), read(&mut uris));
    assert_eq!(found, Ok("a = 1".to_owned()));
    uris.kept();
    let server = serve(&listener, [busy, &one, &two]);
    let (_, ()) = tokio::join!(server, uris.changed().within("a change"));
    assert_eq!(read(&mut uris).await, Ok("a = 2".to_owned()), "a text that is not good is no backup");
    drop(listener);
    assert!(
        read(&mut uris).await.unwrap_err().contains("refused"),
        "a look that was asked for reports the error"
    );
    let uri = uris.names()[0].clone();
    let backup = Some(Backup::new(directory.path(), "a1"));
    let places = || vec![place(&uri, None).unwrap()];
    let every = Duration::from_secs(300);
    let mut next = Uris::new(places(), every, patience(None), backup, silent());
    assert_eq!(read(&mut next).await, Ok("a = 1".to_owned()));
    let limited = patience(Some(Duration::from_millis(300)));
    let mut without = Uris::new(places(), every, limited, None, silent());
    assert!(read(&mut without).await.unwrap_err().contains("refused"));
}

#[tokio::test]
async fn a_redirect_is_followed_and_no_other_host_gets_the_password() {
    let Case { listener, mut uris, .. } = case("/old", None).await;
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let location = format!("http://127.0.0.1:{}/there", elsewhere.local_addr().unwrap().port());
    let answers = ["/new", &location]
        .map(|to| format!("HTTP/1.1 307 Moved\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"));
    let text = ok("", "a = 1");
    let (own, other, found) = tokio::join!(
        serve(&listener, [&answers[0], &answers[1]]),
        serve(&elsewhere, [&text]),
        read(&mut uris)
    );
    assert_eq!(found, Ok("a = 1".to_owned()));
    assert!(own[1].starts_with("GET /new ") && own[1].contains("authorization"), "{}", own[1]);
    assert!(other[0].starts_with("GET /there ") && !other[0].contains("authorization"), "{}", other[0]);
}

#[tokio::test]
async fn files_and_the_class_path_are_places_too_and_a_later_one_wins() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("a b.conf"), "a = 1\n").unwrap();
    std::fs::write(directory.path().join("c.json"), "a = 2\n").unwrap();
    let uri = format!("file://{}/a%20b.conf", directory.path().display());
    let tls = TlsDefaults::default();
    let folders = folders(Some(directory.path()), Some("/no/such/folder:*"));
    assert_eq!(folders, [PathBuf::from(directory.path())]);
    let classpath =
        Place::parse("classpath:///c.json", &folders, &Access { login: None, tls: &tls }).unwrap();
    let places = vec![place(&uri, None).unwrap(), classpath];
    let mut uris = Uris::new(places, Duration::from_secs(30), patience(None), None, silent());
    let mut report = Report::default();
    let texts = uris.read(&mut report).await;
    assert_eq!(whole(&texts), b"a = 1\n\n\na = 2\n\n\n");
    assert_eq!(report.problems.len(), 1, "{report}");
    assert!(report.problems[0].what.contains("a file of another kind"), "{report}");
}

#[test]
fn what_is_no_place_is_told() {
    for (uri, part) in [
        ("flume.conf", "give a file with -f flume.conf"),
        ("ftp://h/x", "only http, https, file and classpath"),
        ("file:flume.conf", "file:///PATH"),
        ("file:///a%2", "two hexadecimal digits"),
        ("classpath:x", "there is no class path"),
        ("http://me:hunter2@h/x", "give -user and -pwd"),
        ("http:///x", "no"),
    ] {
        let told = place(uri, None).err().unwrap_or_else(|| panic!("{uri} is a place"));
        assert!(told.contains(part) && !told.contains("hunter2"), "{uri}: {told}");
    }
}
