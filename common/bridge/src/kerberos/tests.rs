//! With a shell script in the place of Java.

use super::*;
use std::{
    fs::{self, File},
    io::Read,
    os::unix::fs::PermissionsExt,
};
use tempfile::TempDir;

struct Scene {
    folder: TempDir,
    jvm: KerberosJvm,
}

/// Whose Java is this script.
fn with(script: &str) -> Scene {
    let folder = tempfile::tempdir().expect("a folder");
    let (text, java) = (folder.path().join("text"), folder.path().join("java"));
    fs::write(&text, format!("#!/bin/sh\n{script}\n")).expect("a file");
    // Written by another process: a child that is forked just now by another test would have it open, and Linux would not run it.
    let copied = std::process::Command::new("cp").args([&text, &java]).status().expect("a program");
    assert!(copied.success());
    fs::set_permissions(&java, fs::Permissions::from_mode(0o755)).expect("ours");
    let properties = vec![("java.security.krb5.conf".to_owned(), "/planted9".to_owned())];
    let scratch = folder.path().to_owned();
    Scene { jvm: KerberosJvm { java, properties, environment: BTreeMap::new(), scratch }, folder }
}

fn wish() -> KerberosWish {
    KerberosWish {
        file: "/a.jaas".to_owned(),
        section: "Client".to_owned(),
        service: "zookeeper".to_owned(),
        host: "h".to_owned(),
        address: [127, 0, 0, 1].into(),
        canonicalize: true,
        principal: None,
        traces: false,
    }
}

async fn begin(scene: &Scene) -> Result<KerberosLogin, String> {
    let wish = wish();
    let begun = KerberosLogin::begin(&scene.jvm, &wish);
    tokio::time::timeout(Duration::from_secs(60), begun).await.expect("it says something or ends")
}

#[tokio::test]
async fn tokens_come_one_by_one_and_nothing_of_it_stands_on_a_command_line() {
    let said = r"printf '\0\0\0\012Lme@R\nzk/h'; printf '\0\0\0\003Tab'; printf '\0\0\0\002Cc'";
    let scene =
        with(&format!("echo \"$@\" > {}; {{ {said}; }} >&4; exec cat <&3 > {}", "${0}.words", "${0}.read"));
    let mut login = begin(&scene).await.expect("it logs in");
    assert_eq!(login.who(), "`me@R` with `zk/h`");
    assert_eq!(login.answer(b"").await, Ok((b"ab".to_vec(), false)));
    assert_eq!(login.answer(b"proof").await, Ok((b"c".to_vec(), true)));
    let words = fs::read_to_string(scene.folder.path().join("java.words")).expect("its words");
    assert!(words.contains("org.logcluster.bridge.KerberosLogin") && !words.contains("planted9"), "{words}");
}

#[tokio::test]
async fn one_that_ends_or_is_no_java_is_told_with_what_it_has_printed() {
    for (script, told) in [
        ("echo no such option >&2; exit 3", "ended without an answer (exit status: 3): no such option"),
        (r"printf '\0\0\0\011Lme' >&4", "ended without an answer (exit status: 0)"),
        ("echo 'warning: of Java' >&1; exit 4", "(exit status: 4): warning: of Java"),
        ("kill -9 $$", "ended without an answer (signal: 9"),
        (r"printf '\0\0\0\001X' >&4; exec cat <&3", "says what cannot be: a frame of it is of no known kind"),
        (r"printf '\0\0\0\0' >&4; exec cat <&3", "says what cannot be: a frame of it is empty"),
        (r"printf '\0\0\0\001T' >&4; exec cat <&3", "a token before anybody is logged in"),
        ("echo openjdk version 17 >&4; exec cat <&3", "a frame of it is longer than any token"),
        (r"printf '\0\0\0\040Ekeytab-missing\t/k\nLogin: failed' >&4; exec cat <&3", "Java says: failed"),
    ] {
        let why = begin(&with(script)).await.map(drop).expect_err("nobody is logged in");
        assert!(why.contains(told), "{script}: {why}");
    }
    let mut none = with("");
    none.jvm.java = "/no/such/java".into();
    let why = begin(&none).await.map(drop).expect_err("there is none");
    assert!(why.contains("(exit status: 127)") && why.contains("/no/such/java"), "{why}");
}

#[tokio::test]
async fn one_that_hangs_is_ended_by_who_waits_no_longer() {
    let scene = with(r"exec 9> ${0}.lives; printf '\0\0\0\012Lme@R\nzk/h' >&4; exec sleep 1000");
    let lives = scene.folder.path().join("java.lives");
    let made = std::process::Command::new("mkfifo").arg(&lives).status().expect("a program");
    assert!(made.success());
    let holds = std::thread::spawn(move || {
        let mut end = File::open(lives).expect("a pipe");
        end.read_to_end(&mut Vec::new()).expect("it is read")
    });
    let mut login = begin(&scene).await.expect("it logs in");
    {
        tokio::time::pause();
        let answer = tokio::time::timeout(Duration::from_secs(100), login.answer(b"")).await;
        assert!(answer.is_err(), "it says nothing");
    }
    drop(login);
    // Ends with the process that has the other end.
    assert_eq!(holds.join().expect("a thread"), 0);
}

/// An end in the middle of each frame.
#[tokio::test]
async fn a_stream_that_is_cut_anywhere_is_told_as_the_end_of_it() {
    let whole = b"\0\0\0\x0aLme@R\nzk/h";
    for end in 0..whole.len() {
        let scene = with("exec cat ${0}.says >&4");
        fs::write(scene.folder.path().join("java.says"), &whole[..end]).expect("a file");
        let why = begin(&scene).await.map(drop).expect_err("it is cut");
        assert!(why.contains("ended without an answer"), "{end}: {why}");
    }
}

#[test]
fn traces_are_wanted_where_java_is_asked_for_them() {
    let with = |pairs: &[(&str, &str)]| {
        let properties = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        KerberosJvm {
            properties,
            java: PathBuf::new(),
            environment: BTreeMap::new(),
            scratch: PathBuf::new(),
        }
    };
    assert!(with(&[("sun.security.krb5.debug", "true")]).traces());
    assert!(!with(&[("sun.security.krb5.debug", "true"), ("sun.security.krb5.debug", "false")]).traces());
    assert!(!with(&[("java.security.krb5.conf", "/x")]).traces());
}
