//! What a list holds whenever its writer is killed, and when its disk takes nothing.

use super::left::unfinished;
use super::list::{Head, LONG};
use super::*;
use std::fs;

fn names(number: u32) -> FileNames {
    FileNames { in_use: format!("/a/{number}.tmp"), complete: format!("/a/{number}") }
}

fn left(number: u32, synced: Option<u64>) -> LeftFile {
    LeftFile { names: names(number), synced }
}

#[test]
fn what_was_open_at_a_crash_is_found_and_what_a_living_process_has_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (mut living, left) = Ledger::begin(folder.path(), "hdfs://nn/a", 1).unwrap();
    assert_eq!(left, Left::default());
    living.add(&names(1)).unwrap();
    let (mut killed, _) = Ledger::begin(folder.path(), "hdfs://nn/a", 2).unwrap();
    for number in 2..6 {
        killed.add(&names(number)).unwrap();
    }
    killed.mark("/a/4.tmp", 17).unwrap();
    killed.grown("/a/5.tmp", 0).unwrap();
    killed.grown("/a/5.tmp", 1_234_567).unwrap();
    killed.remove("/a/3.tmp").unwrap();
    killed.mark("/a/3.tmp", 1).unwrap();
    drop(killed);
    let (mut elsewhere, other) = Ledger::begin(folder.path(), "hdfs://nn/b", 3).unwrap();
    assert_eq!(other, Left::default(), "another path is another sink's");
    let (_next, left) = Ledger::begin(folder.path(), "hdfs://nn/a", 4).unwrap();
    let of_it = [self::left(2, None), self::left(4, Some(17)), self::left(5, Some(1_234_567))];
    assert_eq!(left.files, of_it);
    assert_eq!(left.lists.len(), 1);
    assert!(Ledger::none().list().is_err() && elsewhere.list().is_ok());
    let (_other, nothing) = Ledger::begin(folder.path(), "hdfs://nn/a", 5).unwrap();
    assert_eq!(nothing, Left::default(), "they are being taken over");
    let mut both = left;
    both.add(vec![self::left(2, Some(3)), self::left(4, None)]);
    let of_both = [self::left(2, Some(3)), self::left(4, Some(17)), self::left(5, Some(1_234_567))];
    assert_eq!(both.files, of_both, "each is there once");
    drop(both);
    living.remove("/a/1.tmp").unwrap();
    living.end();
    elsewhere.end();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
}

#[test]
fn a_list_cut_at_any_byte_names_no_file_that_was_not_written_down() {
    let now = Head { place: "hdfs://nn/ü".to_owned(), boot: Some("b1".to_owned()) };
    let text = "hdfs://nn/ü\n@b1\n+/a/1.tmp\t/a/1\n+/a/ü.tmp\t/a/ü\n+/a/2.tmp\t/a/2\n\
        -/a/ü.tmp\n~/a/1.tmp\t123\n~/a/1.tmp\t456\n=/a/2.tmp\t17\n-/a/1.tmp\n";
    let found = |cut: usize| unfinished(&text.as_bytes()[..cut], &now, true).unwrap();
    let whole = |cut: usize| text.as_bytes()[..cut].iter().filter(|byte| **byte == b'\n').count();
    let other = LeftFile {
        names: FileNames { in_use: "/a/ü.tmp".to_owned(), complete: "/a/ü".to_owned() },
        synced: None,
    };
    for cut in 0..=text.len() {
        let expected = match whole(cut) {
            0 if cut < now.place.len() => None,
            0..=2 => Some(vec![]),
            3 => Some(vec![left(1, None)]),
            4 => Some(vec![left(1, None), other.clone()]),
            5 => Some(vec![left(1, None), left(2, None), other.clone()]),
            6 => Some(vec![left(1, None), left(2, None)]),
            7 => Some(vec![left(1, Some(123)), left(2, None)]),
            8 => Some(vec![left(1, Some(456)), left(2, None)]),
            9 => Some(vec![left(1, Some(456)), left(2, Some(17))]),
            _ => Some(vec![left(2, Some(17))]),
        };
        assert_eq!(found(cut), expected, "{cut}");
    }
}

#[test]
fn what_was_synced_counts_in_its_boot_alone_and_what_was_given_up_in_each() {
    let lines = "+/a/1.tmp\t/a/1\n~/a/1.tmp\t5\n+/a/2.tmp\t/a/2\n=/a/2.tmp\t7\n+/a/3.tmp\t/a/3\n";
    let boot = |name: &str| Some(name.to_owned());
    let cases = [
        ("/\n@b1\n", boot("b1"), true, Some(5)),
        ("/\n@b2\n", boot("b1"), true, None),
        ("/\n@b1\n", boot("b1"), false, None),
        ("/\n@b1\n", None, true, None),
        ("/\n", boot("b1"), true, None), // of an earlier version
        ("/\n", None, true, None),
    ];
    for (first, boot, is_certain, counts) in cases {
        let text = format!("{first}{lines}");
        let now = Head { place: "/".to_owned(), boot };
        let found = unfinished(text.as_bytes(), &now, is_certain).unwrap();
        assert_eq!(found, Some(vec![left(1, counts), left(2, Some(7)), left(3, None)]), "{text} {now:?}");
    }
}

#[test]
fn a_line_that_is_no_text_is_left_out_and_the_others_count() {
    let list = b"/\n+/a/1.tmp\t/a/1\n+/a/\xff.tmp\t/a/x\n+/a/2.tmp\t/a/2\n";
    let read = |place: &str| unfinished(&list[..], &Head::now(place), true).unwrap();
    assert_eq!(read("/"), Some(vec![left(1, None), left(2, None)]));
    assert_eq!(read("/b"), None, "it is about another place");
}

#[test]
fn a_directory_is_made_with_those_above_it() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("a/b/c");
    make_directory(&deep).unwrap();
    make_directory(&deep).unwrap();
    assert!(deep.is_dir());
    fs::write(folder.path().join("file"), "").unwrap();
    assert!(make_directory(&folder.path().join("file/x")).is_err());
}

#[test]
fn a_long_list_is_written_anew_with_what_is_open_and_stays_locked() {
    for open in [0, 1, 3_000] {
        let folder = tempfile::tempdir().unwrap();
        let (mut ledger, _) = Ledger::begin(folder.path(), "/", 1).unwrap();
        let mut expected: Vec<_> = (0..open).map(|number| left(number, (number > 1).then_some(9))).collect();
        for file in &expected {
            ledger.add(&file.names).unwrap();
            file.synced.iter().for_each(|synced| ledger.mark(&file.names.in_use, *synced).unwrap());
        }
        for number in 10_000..40_000 {
            ledger.add(&names(number)).unwrap();
            ledger.remove(&names(number).in_use).unwrap();
        }
        let path = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
        let bytes = fs::metadata(&path).unwrap().len();
        assert!(bytes < 2 * LONG, "{open}: {bytes}");
        assert_eq!(Ledger::begin(folder.path(), "/", 2).unwrap().1, Left::default(), "it is held");
        drop(ledger);
        expected.sort_by(|one, other| one.names.in_use.cmp(&other.names.in_use));
        assert_eq!(Ledger::begin(folder.path(), "/", 3).unwrap().1.files, expected);
    }
}

#[test]
fn a_list_does_not_grow_with_the_syncs_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, _) = Ledger::begin(folder.path(), "/", 1).unwrap();
    ledger.add(&names(1)).unwrap();
    for synced in 0..100_000 {
        ledger.grown("/a/1.tmp", synced).unwrap();
    }
    let path = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    assert!(fs::metadata(&path).unwrap().len() < LONG + 100);
    drop(ledger);
    assert_eq!(Ledger::begin(folder.path(), "/", 2).unwrap().1.files, [left(1, Some(99_999))]);
}

/// The names in a folder, without the numbers of lists.
fn extensions(folder: &Path) -> Vec<String> {
    let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut all: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| name(entry).split_once('.').unwrap().1.to_owned())
        .collect();
    all.sort();
    all
}

#[test]
fn a_list_whose_disk_is_full_stays_its_owners_and_is_whole_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, _) = Ledger::begin(folder.path(), "/", 1).unwrap();
    ledger.add(&names(1)).unwrap();
    ledger.grown("/a/1.tmp", 5).unwrap();
    // Nothing new can be made either.
    let beside = folder.path().join(format!("{:032x}.new", 1));
    fs::create_dir(&beside).unwrap();
    ledger.meet_a_full_disk();
    for synced in [6, 7] {
        assert!(ledger.grown("/a/1.tmp", synced).is_err());
        assert!(ledger.is_broken() && ledger.list().is_err());
    }
    assert_eq!(extensions(folder.path()), ["loose.open", "new"]);
    let (_other, left) = Ledger::begin(folder.path(), "/", 2).unwrap();
    assert_eq!(left, Left::default(), "it is held all the time");
    fs::remove_dir(&beside).unwrap();
    ledger.add(&names(2)).unwrap();
    assert!(!ledger.is_broken() && ledger.list().is_ok());
    assert_eq!(extensions(folder.path()), ["open", "open"]);
    assert_eq!(Ledger::begin(folder.path(), "/", 3).unwrap().1, Left::default(), "it is still held");
    drop(ledger);
    let (_next, found) = Ledger::begin(folder.path(), "/", 4).unwrap();
    assert_eq!(found.files, [self::left(1, Some(7)), self::left(2, None)], "nothing is missing");
}

#[test]
fn who_is_killed_while_the_disk_is_full_has_its_files_counted_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (mut killed, _) = Ledger::begin(folder.path(), "/", 1).unwrap();
    killed.add(&names(1)).unwrap();
    killed.grown("/a/1.tmp", 5).unwrap();
    killed.add(&names(2)).unwrap();
    killed.mark("/a/2.tmp", 3).unwrap();
    killed.meet_a_full_disk();
    assert!(killed.grown("/a/1.tmp", 9).is_err());
    drop(killed);
    let (mut next, found) = Ledger::begin(folder.path(), "/", 2).unwrap();
    assert_eq!(found.files, [left(1, None), left(2, Some(3))], "5 would cut off what was acknowledged");
    next.end();
    drop(found);
    assert_eq!(extensions(folder.path()), ["loose.open"]);
}
