//! What a process that was killed has left, and a list of open files whose disk is full.

use super::*;
use std::fs;
use std::io::Write;

/// The next sink completes what is left, and ends.
async fn started_again<S: Store>(store: S, folder: &Path, pairs: &[(&str, &str)]) -> Heard {
    let (mut next, heard) = sink(store, folder, pairs);
    next.open().await.unwrap();
    next.writer.closer.wait_for(0).within("what was left").await;
    next.close().await;
    heard
}

#[actix::test]
async fn what_a_killed_process_was_writing_is_cut_off_behind_what_it_had_acknowledged() {
    tokio::time::pause();
    let forms: [&[(&str, &str)]; 3] = [
        &[("hdfs.fileType", "DataStream")],
        &[("hdfs.fileType", "SequenceFile"), ("hdfs.writeFormat", "Text")],
        &[("hdfs.fileType", "CompressedStream"), ("hdfs.codeC", "gzip")],
    ];
    let killed_in: [(&[&str], u32); 4] = [
        (&["works", "tears"], 0),
        (&["works", "works", "tears"], 1),
        (&["works", "works", "hangs"], 1),
        (&["works", "works", "works", "tears"], 2),
    ];
    for form in forms {
        for (steps, acknowledged) in killed_in {
            let (folder, store) = (tempfile::tempdir().unwrap(), Scripted::default());
            store.0.borrow_mut().steps = steps.iter().copied().collect();
            let pairs = [&[("hdfs.path", "/x"), ("hdfs.rollCount", "0")], form].concat();
            let (mut killed, _) = sink(store.clone(), folder.path(), &pairs);
            killed.open().await.unwrap();
            for number in 0..acknowledged {
                killed.deliver(&[numbered(100 * number..100 * number + 100)]).await.unwrap();
            }
            let before: Vec<Vec<u8>> = store.0.borrow().files.values().cloned().collect();
            let delivery = [numbered(200..300)];
            let last = timeout(Duration::from_secs(1), killed.deliver(&delivery)).await;
            assert!(last.is_err(), "it is killed in the middle: {last:?}");
            drop(killed);
            let after: usize = store.0.borrow().files.values().map(Vec::len).sum();
            assert!(after > before.iter().map(Vec::len).sum(), "something has arrived");
            let heard = started_again(store.clone(), folder.path(), &pairs).await;
            let there: Vec<Vec<u8>> = store.0.borrow().files.values().cloned().collect();
            assert_eq!(there, before, "{form:?} {steps:?}");
            assert!(store.0.borrow().files.keys().all(|name| !name.contains(".tmp")));
            assert!(!heard.lines().iter().any(|line| line.contains("not known")), "{:?}", heard.lines());
            assert_eq!(files(&folder.path().join("state")), [], "nothing is unfinished");
        }
    }
}

#[actix::test]
async fn a_file_of_this_machine_is_cut_as_well_and_one_of_another_boot_or_version_stays_whole() {
    let (here, elsewhere) = ("@", "another boot");
    for (boot, expected) in [(here, "0\n"), (elsewhere, "0\n1"), ("", "0\n1")] {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        let path = format!("file://{}", out.display());
        let pairs = [("hdfs.path", path.as_str()), ("hdfs.fileType", "DataStream"), ("hdfs.rollCount", "0")];
        let (mut killed, _) = sink(LocalStore, folder.path(), &pairs);
        killed.open().await.unwrap();
        killed.deliver(&[numbered(0..1)]).await.unwrap();
        drop(killed);
        let only = |directory: &Path| fs::read_dir(directory).unwrap().next().unwrap().unwrap().path();
        fs::File::options().append(true).open(only(&out)).unwrap().write_all(b"1").unwrap();
        if boot != here {
            let list = only(&folder.path().join("state"));
            let text = fs::read_to_string(&list).unwrap();
            let line = text.lines().nth(1).filter(|line| line.starts_with('@')).unwrap();
            let other = if boot.is_empty() { String::new() } else { format!("@{boot}\n") };
            fs::write(&list, text.replace(&format!("{line}\n"), &other)).unwrap();
        }
        let heard = started_again(LocalStore, folder.path(), &pairs).await;
        assert_eq!(files(&out), [("FlumeData".to_owned(), expected.to_owned())], "{boot}");
        let told =
            heard.lines().iter().filter(|line| line.contains("it is not known how many bytes")).count();
        assert_eq!(told, usize::from(boot != here), "{:?}", heard.lines());
    }
}

#[actix::test]
async fn a_list_of_open_files_that_cannot_be_written_is_told_once_stops_nothing_and_is_mended() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let state = folder.path().join("state");
    let path = format!("file://{}", out.display());
    let keys = [("hdfs.path", path.as_str()), ("hdfs.fileType", "DataStream"), ("hdfs.rollCount", "2")];
    let (mut sink, heard) = sink(LocalStore, folder.path(), &keys);
    sink.open().await.unwrap();
    let beside = fs::read_dir(&state).unwrap().next().unwrap().unwrap().path().with_extension("new");
    fs::create_dir(&beside).unwrap();
    sink.writer.closer.meet_a_full_disk();
    sink.deliver(&[numbered(0..4)]).await.unwrap();
    let told =
        || heard.lines().iter().filter(|line| line.contains("hdfs.stateDir cannot be written")).count();
    assert_eq!(told(), 1, "{:?}", heard.lines());
    assert!(sink.writer.closer.force_list().await.is_err());
    fs::remove_dir(&beside).unwrap();
    sink.deliver(&[numbered(4..5)]).await.unwrap();
    assert_eq!(told(), 1, "{:?}", heard.lines());
    assert!(sink.writer.closer.force_list().await.is_ok());
    sink.close().await;
    assert_eq!(files(&out).len(), 3);
    assert_eq!(files(&state), [], "nothing is unfinished");
}

/// Its list cannot hold them, so the other one stays, and nobody else takes it meanwhile.
#[actix::test]
async fn a_list_that_is_taken_over_stays_until_the_own_one_has_its_files() {
    tokio::time::pause();
    let (folder, store) = (tempfile::tempdir().unwrap(), Scripted::default());
    let state = folder.path().join("state");
    fs::create_dir_all(&state).unwrap();
    fs::write(state.join("killed.open"), "/x\n+/x/1.tmp\t/x/1\n=/x/1.tmp\t2\n").unwrap();
    store.0.borrow_mut().files = [("/x/1.tmp".to_owned(), b"0\n1\n".to_vec())].into();
    let (next, _) = sink(store.clone(), folder.path(), &[("hdfs.path", "/x")]);
    let (mut own, left) = crate::ledger::Ledger::begin(&state, "/x", 1).unwrap();
    fs::create_dir(state.join(format!("{:032x}.new", 1))).unwrap();
    own.meet_a_full_disk();
    next.writer.closer.set_ledger(own);
    next.writer.closer.sweep(left).await;
    next.writer.closer.wait_for(0).within("what was left").await;
    assert_eq!(bodies(&store), ["0\n"]);
    assert!(state.join("killed.open").exists());
    let nothing = crate::ledger::Ledger::begin(&state, "/x", 2).unwrap().1;
    assert!(nothing.files.is_empty(), "{nothing:?}");
}
