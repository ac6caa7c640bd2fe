//! Interceptors and selectors: a batch in, a batch out.

use super::{PATIENCE, bodies, each, headers, numbers, soon};
use bridge::{ComponentKind, Interceptors, Spec};
use event::BatchBuilder;

#[tokio::test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
async fn interceptors_see_and_do_what_they_do_in_flume() {
    each(async |scene| {
        let batch = numbers(0..4);
        let call = async |mode: &str, single: bool| {
            let interceptors = scene.interceptors(mode).await;
            assert_eq!(interceptors.made().class, "org.acme.Tagging");
            soon("a call", interceptors.call(&batch, single)).await
        };
        for single in [false, true] {
            let same = call("nothing", single).await.expect("an answer").batch;
            assert_eq!(same.buffer().as_ptr(), batch.buffer().as_ptr(), "nothing is copied");
            let tagged = call("x", single).await.expect("an answer").batch;
            assert_eq!(bodies(&tagged), bodies(&batch));
            assert_eq!(headers(&tagged, "tag"), vec![Some("x".to_owned()); 4]);
            assert_eq!(headers(&tagged, "host"), vec![Some("h1".to_owned()); 4]);
            let odd = call("drop-even", single).await.expect("an answer").batch;
            assert_eq!(bodies(&odd), ["1", "3"]);
            let changed = call("in-place", single).await.expect("an answer").batch;
            assert_eq!(bodies(&changed), ["X"; 4], "also when the array is changed and not set");
            let raw = call("raw-header", single).await.expect("an answer").batch;
            assert_eq!(headers(&raw, "number"), vec![Some("5".to_owned()); 4]);
            assert_eq!(headers(&raw, "none"), vec![None; 4]);
            let error = call("throw", single).await.expect_err("it throws").to_string();
            assert_eq!(
                error,
                "interceptors of source r1 has failed in a call: IllegalStateException: cannot take 0"
            );
        }
        let more = call("more", false).await.expect("an answer").batch;
        assert_eq!(bodies(&more), ["0", "more", "1", "more", "2", "more", "3", "more"]);
        for (mode, text) in
            [("null-list", "NullPointerException"), ("null-in-list", "put() called with null event!")]
        {
            let error = call(mode, false).await.expect_err("it fails").to_string();
            assert!(error.contains(text), "{error}");
        }
        let error = call("error", false).await.expect_err("an Error").to_string();
        assert!(error.contains("no class org.kite.Missing"), "{error}");
        assert!(call("x", false).await.is_ok(), "the JVM goes on");
        scene.said.wait_for("Tagging says this on its output", PATIENCE).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
async fn bytes_that_are_not_utf8_come_back_as_they_were() {
    each(async |scene| {
        let mut map = bytes::BytesMut::new();
        event::encode_headers(&mut map, [(&b"name"[..], &b"M\xfcller"[..])]);
        let mut builder = BatchBuilder::default();
        builder.push_encoded(&map, event::Span::BORN_HERE, b"\xff\xfe body");
        let batch = builder.finish();
        let answer = scene.interceptors("x").await.call(&batch, false).await.expect("an answer").batch;
        let event = answer.events().next().expect("one event");
        assert_eq!(event.body(), b"\xff\xfe body");
        assert!(event.headers().any(|(_, value)| value == b"M\xfcller"), "the header is untouched");
        assert_eq!(event.header("tag"), Some("x"));
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
async fn a_selector_says_for_each_event_where_it_goes() {
    each(async |scene| {
        let spec =
            Spec::new(ComponentKind::Interceptors, "r1", "").with("selector.type", "org.acme.ByParity");
        let made = Interceptors::create(&scene.jvm, &spec.names(["c1", "c2"])).await.expect("it is created");
        assert_eq!(made.made().class, "org.acme.ByParity");
        made.start().await.expect("it starts");
        let mut builder = BatchBuilder::default();
        builder.push([], b"2");
        builder.push([("all", "")], b"3");
        let answer = soon("a call", made.call(&builder.finish(), false)).await.expect("an answer");
        let routes = answer.routes.expect("routes");
        let of = |index| routes.of(index).map(|route| (route.required.clone(), route.optional.clone()));
        assert_eq!([of(0), of(1)], [Some((vec![0], vec![])), Some((vec![1], vec![0, 1]))]);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
async fn a_call_that_hangs_does_not_hold_others() {
    each(async |scene| {
        let hangs = scene.interceptors("hang").await;
        let works = scene.interceptors("x").await;
        let batch = numbers(0..2);
        tokio::select! {
            answer = hangs.call(&batch, false) => panic!("it hangs, but says {answer:?}"),
            answer = soon("the other call", works.call(&batch, false)) => drop(answer.expect("an answer")),
        }
    })
    .await;
}
