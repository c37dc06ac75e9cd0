//! All futures can be awaited in spawned tasks, as controllers do: that this compiles is the test.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use klient_api::core::v1::ConfigMap;
use klient_apimachinery::{Resource as _, WatchEvent, WatchOptions};
use klient_cache::{
    Delta, DeltaFifo, DeltaFifoOptions, DeltaQueue, Event, Informer, InformerFactory, Keep, KnownObjects,
    Pager, Reflector, RetryWatch, StoreWriter, in_order, until, until_with_sync, until_without_retry,
};
use klient_client::Client;

use crate::stage::{cluster, create, informer, paints, quick, soon};

/// Runs a future in a task of its own.
async fn spawned<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    soon("the task", tokio::spawn(future)).await.unwrap()
}

#[tokio::test]
async fn informers_and_factories_are_used_in_tasks() {
    let (_server, client) = cluster().await;
    create(&client, "a", "red").await;
    spawned(async move {
        let factory = InformerFactory::new(client.clone());
        let (informer, lister) = (factory.informer::<ConfigMap>(), factory.lister::<ConfigMap>());
        let handler = informer.add_event_handler(|_: Event<ConfigMap>| {});
        let mut events = informer.events();
        factory.start();
        factory.wait_for_sync().await.unwrap();
        factory.wait_for_sync_within(Duration::from_secs(10)).await.unwrap();
        informer.wait_for_sync().await.unwrap();
        lister.wait_for_sync().await.unwrap();
        handler.wait_for_sync().await.unwrap();
        events.wait_for_sync().await.unwrap();
        assert!(events.next().await.is_some());
        lister.wait_for_resource_version("1").await.unwrap();
        let source = client.api::<ConfigMap>();
        assert!(lister.check_against(source, &Default::default()).await.unwrap().is_empty());
        handler.remove().await;
        informer.stop().await;
        factory.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn watches_lists_and_conditions_are_used_in_tasks() {
    let (_server, client) = cluster().await;
    let begin = create(&client, "a", "red").await;
    create(&client, "b", "red").await;
    spawned(async move {
        let source = || paints(&client);
        let mut watch = RetryWatch::new(source(), &begin, Default::default()).unwrap();
        watch.next().await.unwrap().unwrap();
        let is_added = |event: &WatchEvent<ConfigMap>| Ok(matches!(event, WatchEvent::Added(_)));
        until(source(), &begin, Default::default(), is_added).await.unwrap();
        let conditions = in_order(vec![Box::new(is_added)]);
        until_without_retry(source(), &WatchOptions::default(), conditions).await.unwrap();
        let there = until_with_sync(informer(&client), |_| Ok(false), |_: &Event<ConfigMap>| Ok(true));
        assert!(there.await.unwrap().is_some());
        let mut pager = Pager::new(source(), Default::default());
        assert!(pager.next().await.unwrap().is_some());
        assert_eq!(Pager::new(source(), Default::default()).list().await.unwrap().items.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn reflectors_and_queues_are_used_in_tasks() {
    let (_server, client) = cluster().await;
    let last = create(&client, "a", "red").await;
    let writer = StoreWriter::new(ConfigMap::INFO, Keep::Packed);
    let store = writer.store();
    let running = tokio::spawn(Reflector::new(paints(&client), writer, quick()).run());
    spawned(async move { store.wait_for_resource_version(&last).await.unwrap() }).await;
    running.abort();
    spawned(async {
        let queue = DeltaQueue::new(10);
        queue.push([Delta::Added(1)]);
        queue.wait_for_capacity().await;
        assert_eq!(queue.pop_batch().await, [Delta::Added(1)]);
        queue.done();
        let known: Arc<dyn KnownObjects<u8, u8>> = Arc::new(Mutex::new(HashMap::<u8, u8>::new()));
        let options = DeltaFifoOptions { known_objects: Some(known), ..Default::default() };
        let fifo = DeltaFifo::new(|number: &u8| *number, options);
        fifo.replace(vec![1]);
        assert_eq!(fifo.pop(|key, _, _| *key).await, Some(1));
        fifo.wait_for_sync().await;
    })
    .await;
}

/// A reconciler as users write one: generic over its awaits, and spawned.
#[tokio::test]
async fn a_controller_over_any_informer_can_be_spawned() {
    async fn control(client: Client, informer: Informer<ConfigMap>) -> usize {
        let mut events = informer.events();
        informer.start();
        informer.wait_for_sync().await.unwrap();
        let mut found = 0;
        while found < 1 {
            let Some(event) = events.next().await else { break };
            found += usize::from(paints(&client).get(event.key().name()).await.is_ok());
        }
        found
    }
    let (_server, client) = cluster().await;
    create(&client, "a", "red").await;
    let following = informer(&client);
    assert_eq!(spawned(control(client, following)).await, 1);
}
