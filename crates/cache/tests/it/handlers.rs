//! Event handlers: which events they receive, in which order, and slow, panicking and leaving handlers.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use klient_api::core::v1::ConfigMap;
use klient_cache::{
    Cached, Deleted, Event, FilteringResourceEventHandler, HandlerOptions, Informer, InformerOptions,
    Overflow, ResourceEventHandler,
};
use klient_client::Client;

use crate::proxy::Proxy;
use crate::stage::{
    Told, cluster, color, create, delete, informer, paints, quick, repaint, soon, telling, words,
};

/// An informer that has synced.
async fn synced(client: &Client) -> Informer<ConfigMap> {
    let informer = informer(client);
    informer.start();
    soon("the first list", informer.wait_for_sync()).await.unwrap();
    informer
}

/// Polls until a condition holds that has no notification.
async fn until(what: &str, is: impl Fn() -> bool) {
    soon(what, async {
        while !is() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn changes_are_told_with_what_was_and_what_is() {
    let (_server, client) = cluster().await;
    create(&client, "a", "red").await;
    let informer = informer(&client);
    let (mut told, handler) = Told::of(&informer);
    informer.start();
    soon("the first list", handler.wait_for_sync()).await.unwrap();
    create(&client, "b", "red").await;
    repaint(&client, "a", "blue").await;
    repaint(&client, "a", "green").await;
    delete(&client, "a").await;
    create(&client, "a", "red").await;
    delete(&client, "b").await;
    assert_eq!(
        told.next().await,
        ["+a red at first", "+b red", "~a red to blue", "~a blue to green", "-a green", "+a red", "-b red"]
    );
}

#[tokio::test]
async fn who_comes_late_is_first_told_what_is_there() {
    let (_server, client) = cluster().await;
    create(&client, "a", "red").await;
    create(&client, "b", "red").await;
    let informer = synced(&client).await;
    let last = repaint(&client, "a", "blue").await;
    soon("the change", informer.store().wait_for_resource_version(&last)).await.unwrap();
    let (mut told, handler) = Told::of(&informer);
    soon("what is there", handler.wait_for_sync()).await.unwrap();
    assert!(handler.has_synced());
    assert_eq!(told.sorted().await, ["+a blue at first", "+b red at first"]);
    delete(&client, "a").await;
    assert_eq!(told.next().await, ["-a blue"]);
    // A handler that joins amid changes misses and repeats nothing.
    for round in 0..20 {
        let color = format!("color-{round}");
        let (changed, (mut told, _handler)) =
            tokio::join!(repaint(&client, "b", &color), async { Told::of(&informer) });
        soon("the change", informer.store().wait_for_resource_version(&changed)).await.unwrap();
        let [first] = told.next().await;
        assert!(first.starts_with("+b ") && first.ends_with(" at first"), "{first}");
        if first != format!("+b {color} at first") {
            assert!(told.next::<1>().await[0].ends_with(&format!("to {color}")));
        }
        tokio::task::yield_now().await;
        assert!(told.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn one_who_is_busy_has_not_synced() {
    let (_server, client) = cluster().await;
    create(&client, "a", "red").await;
    let informer = synced(&client).await;
    let (slow, mut gate) = Gate::new();
    let slow = informer.add_event_handler(slow);
    let quick = informer.add_event_handler(|_: Event<ConfigMap>| {});
    gate.entered().await;
    soon("the quick one", quick.wait_for_sync()).await.unwrap();
    assert!(quick.has_synced() && !slow.has_synced() && informer.has_synced());
    gate.open();
    soon("the slow one", slow.wait_for_sync()).await.unwrap();
}

/// Controls when a handler may return.
struct Gate {
    entered: tokio::sync::mpsc::UnboundedReceiver<String>,
    open: Option<mpsc::Sender<()>>,
}

impl Gate {
    /// A handler that returns from its first event when the gate is opened.
    fn new() -> (impl FnMut(Event<ConfigMap>) + Send, Gate) {
        let (enter, entered) = tokio::sync::mpsc::unbounded_channel();
        let (open, is_open) = mpsc::channel::<()>();
        let handler = move |event: Event<ConfigMap>| {
            let _ = enter.send(words(&event));
            // Fails once the gate is open.
            let _ = is_open.recv();
        };
        (handler, Gate { entered, open: Some(open) })
    }

    /// Waits until the handler is called.
    async fn entered(&mut self) -> String {
        soon("an event", self.entered.recv()).await.unwrap()
    }

    fn open(&mut self) {
        self.open = None;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_slow_handler_holds_the_others_back_and_bounds_what_waits() {
    let (_server, client) = cluster().await;
    create(&client, "a", "red").await;
    let informer = synced(&client).await;
    let (slow, mut gate) = Gate::new();
    let options = HandlerOptions { buffer: 8, overflow: Overflow::Block, ..Default::default() };
    let slow = informer.add_event_handler_with(options, slow);
    let (mut told, _quick) = Told::of(&informer);
    gate.entered().await;
    assert_eq!(told.next().await, ["+a red at first"]);
    let count = 200;
    for round in 0..count {
        repaint(&client, "a", &format!("color-{round}")).await;
    }
    // Both buffers are full, and the store holds no more than they received.
    until("a full buffer", || slow.pending_events() >= 8).await;
    let version = informer.store().resource_version();
    assert!(slow.pending_events() <= 8 + klient_cache::MAX_BATCH_SIZE);
    assert_eq!(slow.dropped_events(), 0);
    assert_eq!(informer.metrics().pending_events.len(), 2);
    gate.open();
    let mut all = vec![];
    while all.last() != Some(&format!("~a color-{} to color-{}", count - 2, count - 1)) {
        all.push(gate.entered().await);
    }
    assert_eq!(all.len(), count, "no event is lost");
    assert_ne!(version, informer.store().resource_version());
    soon("nothing waiting", async {
        while slow.pending_events() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_slow_handler_that_coalesces_is_told_what_all_came_to() {
    let (_server, client) = cluster().await;
    create(&client, "a", "red").await;
    create(&client, "b", "red").await;
    create(&client, "c", "red").await;
    let informer = synced(&client).await;
    let (slow, mut gate) = Gate::new();
    let options = HandlerOptions { buffer: 4, overflow: Overflow::Coalesce, ..Default::default() };
    let slow = informer.add_event_handler_with(options, slow);
    let first = gate.entered().await;
    assert!(first.ends_with(" at first"), "{first}");
    let mut last = String::new();
    for round in 0..100 {
        repaint(&client, "a", &format!("color-{round}")).await;
        create(&client, "passing", "red").await;
        delete(&client, "passing").await;
        last = create(&client, &format!("new-{round}"), "red").await;
        if round == 50 {
            delete(&client, "b").await;
            delete(&client, "c").await;
            create(&client, "c", "blue").await;
        }
    }
    // The informer keeps up with the server.
    soon("the last change", informer.store().wait_for_resource_version(&last)).await.unwrap();
    assert!(slow.pending_events() <= 2 * (4 + 103), "{}", slow.pending_events());
    assert!(slow.dropped_events() > 100, "{}", slow.dropped_events());
    gate.open();
    let mut all = vec![first];
    while all.last().unwrap() != "+new-99 red" {
        all.push(gate.entered().await);
    }
    let of = |name: &str| -> Vec<_> {
        all.iter().filter(|words| words[1..].starts_with(&format!("{name} "))).cloned().collect()
    };
    assert_eq!(of("b"), ["+b red at first", "-b red"]);
    assert_eq!(of("c"), ["+c red at first", "~c red to another blue"]);
    assert!(of("a").last().unwrap().ends_with("to color-99"), "{:?}", of("a"));
    assert!(of("a").len() < 100);
    for round in 0..100 {
        assert_eq!(of(&format!("new-{round}")).len(), 1);
    }
    // Its events are consistent.
    for pair in of("a")[1..].windows(2) {
        let to = pair[0].rsplit(' ').next().unwrap();
        assert!(pair[1].starts_with(&format!("~a {to} to ")), "{pair:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn what_coalesces_goes_on_from_what_was_told() {
    let (_server, client) = cluster().await;
    for name in ["again", "gone", "passing", "twice"] {
        create(&client, name, "red").await;
    }
    let informer = synced(&client).await;
    // `old` is the state that the handler received last, not one that it did not receive.
    let (mut gate_handler, mut gate) = Gate::new();
    let known = Arc::new(Mutex::new(std::collections::HashMap::new()));
    let wrong = Arc::new(Mutex::new(Vec::new()));
    let (knows, notes) = (known.clone(), wrong.clone());
    let options = || HandlerOptions { buffer: 1, overflow: Overflow::Coalesce, ..Default::default() };
    let _handler = informer.add_event_handler_with(options(), move |event: Event<ConfigMap>| {
        if let Event::Updated { old, .. } = &event
            && knows.lock().unwrap().get(&old.key()) != Some(&old.resource_version().to_owned())
        {
            notes.lock().unwrap().push(format!("{event:?}"));
        }
        let object = event.object().unwrap();
        knows.lock().unwrap().insert(object.key(), object.resource_version().to_owned());
        gate_handler(event);
    });
    // A handler that filters red objects receives a deletion, whatever the final color was.
    let (mut filtered_handler, mut filtered_gate) = Gate::new();
    let filtered = move |event: Event<ConfigMap>| filtered_handler(event);
    let filter =
        FilteringResourceEventHandler::new(|object: &Cached<ConfigMap>| color(object) == "red", filtered);
    let _filtered = informer.add_event_handler_with(options(), filter);
    gate.entered().await;
    filtered_gate.entered().await;
    delete(&client, "again").await;
    create(&client, "again", "blue").await;
    repaint(&client, "gone", "blue").await;
    delete(&client, "gone").await;
    for color in ["blue", "red"] {
        repaint(&client, "twice", "green").await;
        delete(&client, "twice").await;
        create(&client, "twice", color).await;
    }
    repaint(&client, "passing", "blue").await;
    repaint(&client, "passing", "red").await;
    let last = create(&client, "last", "red").await;
    soon("the last change", informer.store().wait_for_resource_version(&last)).await.unwrap();
    gate.open();
    filtered_gate.open();
    let mut all = vec![];
    while all.last().is_none_or(|last| last != "+last red") {
        all.push(gate.entered().await);
    }
    all.retain(|words| !words.ends_with(" at first") && !words.contains("passing"));
    all.sort();
    assert_eq!(all, ["+last red", "-gone blue", "~again red to another blue", "~twice red to another red",]);
    assert!(wrong.lock().unwrap().is_empty(), "{:?}", wrong.lock().unwrap());
    let mut all = vec![];
    while all.last().is_none_or(|last| last != "+last red") {
        all.push(filtered_gate.entered().await);
    }
    all.retain(|words| words.starts_with('-') && !words.contains("passing"));
    all.sort();
    assert_eq!(all, ["-again red", "-gone blue"]);
}

/// A change of a list may be on its way to the store already.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_list_tells_nothing_again_that_still_waits() {
    let (server, client) = cluster().await;
    create(&client, "a", "red").await;
    let proxy = Proxy::passing(&server).await;
    let reflector = crate::stage::listing();
    let informer =
        Informer::new(paints(&proxy.client()), InformerOptions { reflector, ..Default::default() });
    let (handler, mut gate) = Gate::new();
    let options = HandlerOptions { buffer: 1, overflow: Overflow::Block, ..Default::default() };
    let handler = informer.add_event_handler_with(options, handler);
    informer.start();
    assert_eq!(gate.entered().await, "+a red at first");
    repaint(&client, "a", "blue").await;
    until("a full buffer", || handler.pending_events() >= 1).await;
    let made = create(&client, "b", "red").await;
    // The watch continues behind the queued events.
    soon("the watch from there", async {
        while !proxy.words().contains(&format!("watch from {made}")) {
            proxy.cut().await;
            proxy.streams(1).await;
        }
    })
    .await;
    proxy.stop_listening().await;
    let elsewhere = client.api::<ConfigMap>().namespace("kube-public");
    elsewhere.create(&crate::stage::paint("elsewhere", "red")).await.unwrap();
    server.compact();
    proxy.listen().await;
    let on = format!("watch from {}", server.resource_version());
    soon("the watch behind the list", async {
        while !proxy.words().contains(&on) {
            proxy.requests(proxy.words().len() + 1).await;
        }
    })
    .await;
    assert!(!informer.store().contains("default/b"));
    gate.open();
    create(&client, "c", "red").await;
    assert_eq!(gate.entered().await, "~a red to blue");
    assert_eq!(gate.entered().await, "+b red");
    assert_eq!(gate.entered().await, "+c red");
}

/// A handler that leaves while it is called must not end the informer.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_handler_that_leaves_while_it_is_busy_holds_nobody_back() {
    let (_server, client) = cluster().await;
    create(&client, "a", "red").await;
    for how in ["drop", "remove"] {
        let informer = synced(&client).await;
        let options = || HandlerOptions { buffer: 1, overflow: Overflow::Block, ..Default::default() };
        let (one, mut one_gate) = Gate::new();
        let (two, mut two_gate) = Gate::new();
        let one = informer.add_event_handler_with(options(), one);
        let two = informer.add_event_handler_with(options(), two);
        one_gate.entered().await;
        two_gate.entered().await;
        // Both are called with the initial event; then both with a change, and another is queued.
        repaint(&client, "a", "blue").await;
        until("one event waiting", || one.pending_events() == 1 && two.pending_events() == 1).await;
        repaint(&client, "a", "green").await;
        for gate in [&mut one_gate, &mut two_gate] {
            let open = gate.open.as_ref().unwrap();
            open.send(()).unwrap();
            gate.entered().await;
        }
        // The informer waits for the first. The second leaves while it is called, and then returns.
        match how {
            "drop" => drop(two),
            _ => {
                let removing = tokio::spawn(two.remove());
                tokio::task::yield_now().await;
                two_gate.open();
                soon("the removal", removing).await.unwrap();
            }
        }
        two_gate.open();
        // Its task ends, and drops the sender.
        soon("the end of its task", async { while two_gate.entered.recv().await.is_some() {} }).await;
        one_gate.open();
        let last = repaint(&client, "a", how).await;
        soon("the change", informer.store().wait_for_resource_version(&last)).await.unwrap();
        assert_eq!(informer.metrics().pending_events.len(), 1);
        let last = create(&client, how, "red").await;
        soon("the change", informer.store().wait_for_resource_version(&last)).await.unwrap();
        drop(one);
    }
}

#[tokio::test]
async fn a_handler_that_was_removed_is_told_nothing_more() {
    let (_server, client) = cluster().await;
    create(&client, "a", "red").await;
    let informer = synced(&client).await;
    let (mut dropped, dropped_handler) = Told::of(&informer);
    let (mut removed, removed_handler) = Told::of(&informer);
    let (mut stays, _stays) = Told::of(&informer);
    for told in [&mut dropped, &mut removed, &mut stays] {
        assert_eq!(told.next().await, ["+a red at first"]);
    }
    drop(dropped_handler);
    removed_handler.remove().await;
    repaint(&client, "a", "blue").await;
    assert_eq!(stays.next().await, ["~a red to blue"]);
    assert_eq!(dropped.next().await, ["end"]);
    assert_eq!(removed.next().await, ["end"]);
    assert_eq!(informer.metrics().pending_events.len(), 1);
}

#[tokio::test]
async fn a_handler_that_panics_is_told_of_the_next_event() {
    let (_server, client) = cluster().await;
    create(&client, "a", "red").await;
    let informer = informer(&client);
    let (mut tell, mut told) = telling();
    let handler = informer.add_event_handler(move |event: Event<ConfigMap>| {
        let bad = words(&event).contains("bad");
        tell(event);
        assert!(!bad, "a panic that the test is about");
    });
    informer.start();
    repaint(&client, "a", "red").await;
    soon("the first list", handler.wait_for_sync()).await.unwrap();
    create(&client, "bad", "red").await;
    create(&client, "b", "red").await;
    delete(&client, "bad").await;
    delete(&client, "b").await;
    assert_eq!(told.next().await, ["+a red at first", "+bad red", "+b red", "-bad red", "-b red"]);
}

/// Counts resyncs.
fn counting() -> (impl FnMut(Event<ConfigMap>) + Send, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let count_it = move |event: Event<ConfigMap>| {
        if words(&event).starts_with('=') {
            counted.fetch_add(1, Ordering::Relaxed);
        }
    };
    (count_it, count)
}

#[tokio::test]
async fn each_handler_is_told_everything_again_as_often_as_it_asked() {
    let (server, client) = cluster().await;
    create(&client, "a", "red").await;
    let proxy = Proxy::passing(&server).await;
    let options =
        InformerOptions { reflector: quick(), resync: Some(Duration::from_secs(3600)), ..Default::default() };
    let informer = Informer::new(paints(&proxy.client()), options);
    informer.start();
    let often = HandlerOptions { resync: Some(Duration::from_millis(1)), ..Default::default() };
    let ((often_told, often_count), (seldom_told, seldom_count)) = (counting(), counting());
    let _often = informer.add_event_handler_with(often.clone(), often_told);
    let _seldom = informer.add_event_handler(seldom_told);
    let mut events = informer.events_with(often);
    assert_eq!(words(&soon("an event", events.next()).await.unwrap()), "+a red at first");
    // The shortest resync period is a second.
    assert_eq!(words(&soon("an event", events.next()).await.unwrap()), "=a");
    until("another round", || often_count.load(Ordering::Relaxed) >= 1).await;
    assert!(often_count.load(Ordering::Relaxed) <= 3);
    assert_eq!(seldom_count.load(Ordering::Relaxed), 0);
    assert_eq!(proxy.words(), ["stream"]);
}

#[tokio::test]
async fn a_filter_tells_of_coming_and_going() {
    let (_server, client) = cluster().await;
    create(&client, "a", "red").await;
    create(&client, "b", "blue").await;
    let informer = informer(&client);
    let (tell, mut told) = telling();
    let is_red = |object: &Cached<ConfigMap>| color(object) == "red";
    let _handler = informer.add_event_handler(FilteringResourceEventHandler::new(is_red, tell));
    informer.start();
    assert_eq!(told.next().await, ["+a red at first"]);
    repaint(&client, "b", "red").await;
    repaint(&client, "a", "green").await;
    repaint(&client, "a", "blue").await;
    delete(&client, "a").await;
    delete(&client, "b").await;
    assert_eq!(told.next().await, ["+b red", "-a red", "-b red"]);
}

/// An object may change with its deletion, such as when the client that removes its finalizer changes it too.
#[tokio::test]
async fn a_filter_tells_of_the_end_of_what_it_told() {
    let (_server, client) = cluster().await;
    let mut held = crate::stage::paint("a", "red");
    held.metadata.finalizers = vec!["shop.example/hold".into()];
    paints(&client).create(&held).await.unwrap();
    let informer = synced(&client).await;
    let filtered = |wanted: &'static str| {
        let (tell, told) = telling();
        let is_wanted = move |object: &Cached<ConfigMap>| color(object) == wanted;
        (told, informer.add_event_handler(FilteringResourceEventHandler::new(is_wanted, tell)))
    };
    let ((mut red, _red), (mut blue, _blue)) = (filtered("red"), filtered("blue"));
    delete(&client, "a").await;
    let let_go = serde_json::json!({"metadata": {"finalizers": null}, "data": {"color": "blue"}});
    paints(&client).patch("a", &klient_client::Patch::Merge(let_go)).await.unwrap();
    create(&client, "b", "blue").await;
    assert_eq!(red.next().await, ["+a red at first", "~a red to red", "-a red"]);
    assert_eq!(blue.next().await, ["+b blue"]);
}

#[tokio::test]
async fn a_handler_may_be_a_type_of_its_own() {
    struct Names(Arc<Mutex<Vec<String>>>);

    impl ResourceEventHandler<ConfigMap> for Names {
        fn on_add(&mut self, object: Cached<ConfigMap>, _: bool) {
            self.0.lock().unwrap().push(format!("add {}", object.key()));
        }

        fn on_update(&mut self, old: Cached<ConfigMap>, new: Cached<ConfigMap>) {
            assert_eq!(old.key(), new.key());
            self.0.lock().unwrap().push(format!("update {}", new.key()));
        }

        fn on_delete(&mut self, object: Deleted<ConfigMap>) {
            self.0.lock().unwrap().push(format!("delete {}", object.key));
        }
    }

    let (_server, client) = cluster().await;
    let informer = synced(&client).await;
    let names = Arc::new(Mutex::new(Vec::new()));
    let _handler = informer.add_event_handler(Names(names.clone()));
    create(&client, "a", "red").await;
    repaint(&client, "a", "blue").await;
    delete(&client, "a").await;
    until("three events", || names.lock().unwrap().len() == 3).await;
    assert_eq!(*names.lock().unwrap(), ["add default/a", "update default/a", "delete default/a"]);
}

#[tokio::test]
async fn events_come_as_a_stream() {
    let (_server, client) = cluster().await;
    create(&client, "a", "red").await;
    let informer = informer(&client);
    let mut events = informer.events();
    informer.start();
    soon("the first list", events.wait_for_sync()).await.unwrap();
    assert!(!events.has_synced(), "it has not been taken yet");
    assert_eq!(words(&soon("an event", events.next()).await.unwrap()), "+a red at first");
    // A cancelled wait loses no event.
    let gave_up = tokio::time::timeout(Duration::from_millis(1), events.next()).await;
    assert!(gave_up.is_err());
    assert!(events.has_synced());
    create(&client, "b", "red").await;
    repaint(&client, "a", "blue").await;
    for wanted in ["+b red", "~a red to blue"] {
        use futures_core::Stream as _;
        let next = poll_fn(|context| Pin::new(&mut events).poll_next(context));
        assert_eq!(words(&soon("an event", next).await.unwrap()), wanted);
    }
    let last = create(&client, "c", "red").await;
    soon("the change", informer.store().wait_for_resource_version(&last)).await.unwrap();
    informer.stop().await;
    assert_eq!(words(&soon("an event", events.next()).await.unwrap()), "+c red");
    assert!(soon("the end", events.next()).await.is_none());
    drop(events);
    assert!(informer.metrics().pending_events.is_empty());
}

/// A stream that is not polled is as slow as a handler can be.
#[tokio::test]
async fn events_that_nobody_takes_wait_within_bounds() {
    let (_server, client) = cluster().await;
    create(&client, "a", "red").await;
    let informer = synced(&client).await;
    let blocking = HandlerOptions { buffer: 4, overflow: Overflow::Block, ..Default::default() };
    let mut blocking = informer.events_with(blocking);
    let coalescing = HandlerOptions { buffer: 4, overflow: Overflow::Coalesce, ..Default::default() };
    let mut coalescing = informer.events_with(coalescing);
    for round in 0..50 {
        repaint(&client, "a", &format!("color-{round}")).await;
    }
    until("a full buffer", || informer.metrics().pending_events[0] >= 4).await;
    let mut last = String::new();
    let mut count = 0;
    while !last.ends_with("to color-49") {
        last = words(&soon("an event", blocking.next()).await.unwrap());
        count += 1;
    }
    assert_eq!(count, 51);
    last.clear();
    while !last.ends_with("color-49") {
        last = words(&soon("an event", coalescing.next()).await.unwrap());
    }
}

/// The changes of a burst exceed a handler's buffer, the informer's queue and the connection's window
/// together.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn slow_and_unread_streams_of_events_hold_nobody_up_in_a_burst() {
    const OBJECTS: usize = 100;
    const CHANGES: usize = 34;
    let (_server, client) = cluster().await;
    let names: Vec<_> = (0..OBJECTS).map(|number| format!("a{number}")).collect();
    for name in &names {
        create(&client, name, "red").await;
    }
    // All reads go through the informers' client.
    let (following, other) = (synced(&client).await, synced(&client).await);
    let small = || HandlerOptions { buffer: 16, ..Default::default() };
    let unread = following.events_with(small());
    let mut slow = following.events_with(small());
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let _quick = following.add_event_handler(move |_: Event<ConfigMap>| {
        counted.fetch_add(1, Ordering::Relaxed);
    });
    let write = |writer: usize| {
        let (client, names) = (client.clone(), names.clone());
        tokio::spawn(async move {
            let padding = "x".repeat(2000);
            for round in 0..CHANGES {
                for name in names.iter().skip(writer).step_by(8) {
                    let data = serde_json::json!({"color": format!("blue{round}"), "padding": padding});
                    let patch = klient_client::Patch::Merge(serde_json::json!({ "data": data }));
                    paints(&client).patch(name, &patch).await.unwrap();
                }
            }
        })
    };
    let writers: Vec<_> = (0..8).map(write).collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let last = create(&client, "last", "red").await;
    for informer in [&following, &other] {
        soon("the last change", informer.store().wait_for_resource_version(&last)).await.unwrap();
    }
    let most = 2 * (OBJECTS + 1) + klient_cache::MAX_BATCH_SIZE;
    assert!(following.metrics().pending_events.iter().all(|waiting| *waiting <= most));
    // A request per event, with the same client.
    let mut known = 0;
    while let Some(event) = soon("an event", slow.next()).await {
        paints(&client).get(event.key().name()).await.unwrap();
        known += 1;
        if event.key().name() == "last" {
            break;
        }
    }
    assert!(known <= OBJECTS + most);
    until("the quick handler", || count.load(Ordering::Relaxed) > OBJECTS).await;
    drop(unread);
}
