//! Sources, channels and sink processors.

use super::{PATIENCE, bodies, each, headers, numbers, soon, texts};
use bridge::{Channel, ComponentKind, Group, Outcome, PutError, Source, Spec};
use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

#[tokio::test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
async fn sources_store_by_asking_and_a_late_answer_loses_nothing() {
    each(async |scene| {
        for (class, how) in [("org.acme.Polled", "pollable"), ("org.acme.Driven", "driven")] {
            let spec = Spec::new(ComponentKind::Source, "r1", class).with("end", "50").names(["c1"]);
            let spec =
                spec.with("interceptors", "i1").with("interceptors.i1.type", "org.acme.Tagging$Builder");
            let mut source =
                soon("a source", Source::create(&scene.jvm, &spec)).await.expect("it is created");
            assert_eq!(source.made().how, how);
            let (mut early, mut stored) = (VecDeque::new(), Vec::new());
            source.start(async |put| early.push_back(put)).await.expect("it starts");
            while stored.len() < 50 {
                let put = match early.pop_front() {
                    Some(put) => put,
                    None => soon("a batch", source.next()).await.expect("its JVM lives"),
                };
                assert_eq!(headers(&put.batch, "tag"), vec![Some("seen".to_owned()); put.batch.len()]);
                if stored.len() == 20 {
                    tokio::time::sleep(Duration::from_millis(300)).await; // a channel that has room later
                }
                stored.extend(bodies(&put.batch));
                put.answer(Ok(()));
            }
            assert_eq!(stored, texts(0..50));
            soon("its stop", source.stop(async |put| put.answer(Ok(())))).await.expect("it stops");
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
async fn a_source_that_is_stopped_while_it_waits_counts_what_was_stored() {
    each(async |scene| {
        let spec = Spec::new(ComponentKind::Source, "r1", "org.acme.Polled").names(["c1"]);
        let mut source = Source::create(&scene.jvm, &spec).await.expect("it is created");
        let mut early = VecDeque::new();
        source.start(async |put| early.push_back(put)).await.expect("it starts");
        let full = match early.pop_front() {
            Some(put) => put,
            None => soon("a batch", source.next()).await.expect("its JVM lives"),
        };
        full.answer(Err(PutError::Full("no room".into())));
        scene.said.wait_for("Polled gets org.apache.flume.ChannelFullException: no room", PATIENCE).await;
        let held = soon("the same batch again", source.next()).await.expect("its JVM lives");
        assert_eq!(bodies(&held.batch), texts(0..10));
        let answer = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            held.answer(Ok(()));
        };
        let (stopped, ()) = soon("its stop", async {
            tokio::join!(
                source.stop(async |put| put.answer(Err(PutError::Refused("stopped".into())))),
                answer
            )
        })
        .await;
        stopped.expect("it stops");
        scene.said.wait_for("Polled stops at 10", PATIENCE).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
async fn flumes_file_channel_keeps_its_events_through_a_kill() {
    each(async |scene| {
        let folder = |name: &str| scene.directory.path().join(name).display().to_string();
        let spec = Spec::new(ComponentKind::Channel, "c1", "file")
            .with("checkpointDir", &folder("checkpoint"))
            .with("dataDirs", &folder("data"))
            .with("capacity", "100")
            .with("transactionCapacity", "60")
            .with("keep-alive", "0");
        let channel = soon("a channel", Channel::create(&scene.jvm, &spec)).await.expect("it is created");
        soon("its start", channel.start()).await.expect("it starts");
        for start in [0, 50] {
            soon("a put", channel.put(&numbers(start..start + 50))).await.expect("there is room");
        }
        let full = soon("a put", channel.put(&numbers(100..101))).await.expect_err("it is full");
        assert!(full.is_full(), "{full}");
        let (one, two) = (channel.take(20).await.expect("a take"), channel.take(20).await.expect("a take"));
        assert_eq!((bodies(&one.batch), bodies(&two.batch)), (texts(0..20), texts(20..40)), "both are open");
        one.rollback().await.expect("a roll back");
        two.commit().await.expect("a commit");
        drop(channel.take(5).await.expect("a take"));
        let given_up = tokio::time::timeout(Duration::ZERO, channel.take(5)).await;
        assert!(given_up.is_err(), "its answer has not come");
        soon("all that is left", async {
            loop {
                let (one, two) =
                    (channel.take(60).await.expect("a take"), channel.take(60).await.expect("a take"));
                if one.batch.len() + two.batch.len() == 80 {
                    break;
                }
            }
        })
        .await;
        let pid = scene.jvm.pid().and_then(|pid| rustix::process::Pid::from_raw(pid as i32)).expect("a pid");
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("it lives");
        soon("an error", channel.take(1)).await.err().expect("its JVM is gone");
        let jvm = soon("a new JVM", scene.bridge.jvm()).await.expect("it comes up");
        let again = soon("a channel", Channel::create(&jvm, &spec)).await.expect("it is created");
        soon("its start", again.start()).await.expect("it replays its log");
        let mut left = BTreeSet::new();
        loop {
            let taken = soon("a take", again.take(60)).await.expect("a take");
            if taken.batch.is_empty() {
                break;
            }
            assert_eq!(headers(&taken.batch, "host")[0].as_deref(), Some("h1"));
            left.extend(bodies(&taken.batch));
            taken.commit().await.expect("a commit");
        }
        assert_eq!(left, texts(0..20).into_iter().chain(texts(40..100)).collect());
        soon("its stop", again.stop()).await.expect("it stops");
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
async fn other_channels_and_processors_of_flume_work_too() {
    each(async |scene| {
        let folder = |name: &str| scene.directory.path().join(name).display().to_string();
        let spillable = Spec::new(ComponentKind::Channel, "c2", "SPILLABLEMEMORY")
            .with("checkpointDir", &folder("checkpoint2"))
            .with("dataDirs", &folder("data2"))
            .with("transactionCapacity", "50")
            .with("memoryCapacity", "10")
            .with("overflowCapacity", "100");
        let channel =
            soon("a channel", Channel::create(&scene.jvm, &spillable)).await.expect("it is created");
        soon("its start", channel.start()).await.expect("it starts");
        for start in [0, 10, 20] {
            soon("a put", channel.put(&numbers(start..start + 10))).await.expect("there is room");
        }
        let mut taken = BTreeSet::new();
        while taken.len() < 30 {
            let batch = soon("a take", channel.take(10)).await.expect("a take");
            taken.extend(bodies(&batch.batch));
            batch.commit().await.expect("a commit");
        }
        let spec = Spec::new(ComponentKind::Group, "g1", "failover")
            .with("type", "failover")
            .with("sinks", "k1 k2")
            .with("priority.k1", "5")
            .with("priority.k2", "10")
            .names(["k1", "k2"]);
        let mut group = soon("a group", Group::create(&scene.jvm, &spec)).await.expect("it is created");
        group.start().await.expect("it starts");
        let mut asked = Vec::new();
        let outcome = soon(
            "a round",
            group.process(async |index| {
                asked.push(index);
                if index == 1 {
                    Outcome::Exception(bridge::Thrown { message: "away".into(), ..Default::default() })
                } else {
                    Outcome::Ready
                }
            }),
        )
        .await;
        assert_eq!((outcome.expect("an answer"), asked), (Outcome::Ready, vec![1, 0]));
    })
    .await;
}
