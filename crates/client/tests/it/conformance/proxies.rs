//! Requests through proxies.

use klient_api::core::v1::ConfigMap;
use klient_client::{Client, Proxy, WatchOptions};

use super::test_cluster::TestCluster;
use crate::cluster::{config_map, soon, told};
use crate::test_proxy::{Rules, TestProxy};

#[tokio::test]
async fn proxies_carry_requests_and_watches() {
    let cluster = TestCluster::start().await;
    for scheme in ["http", "https", "socks5"] {
        let rules = Rules { user: Some("ada:s3cret"), ..Default::default() };
        let proxy = TestProxy::start(scheme, cluster.address(), rules).await;
        let mut config = cluster.config();
        // A name that only the proxy resolves.
        config.url = "https://kubernetes.default.svc:6443".parse().unwrap();
        config.proxy = Proxy::url(&proxy.url("ada:s3cret@")).unwrap();
        config.tls.ca = Some(format!("{}{}", cluster.ca_pem(), proxy.certificate).into());
        let config_maps = Client::new(config).unwrap().api::<ConfigMap>().namespace(&cluster.namespace);
        let mut watch = config_maps.watch(&WatchOptions::default()).await.unwrap();
        config_maps.create(&config_map(scheme, "blue")).await.unwrap();
        assert_eq!(told(&soon("an event", watch.next()).await.unwrap().unwrap()), format!("+{scheme}"));
        config_maps.delete(scheme, &Default::default()).await.unwrap();
        assert_eq!(proxy.requests(), ["CONNECT kubernetes.default.svc:6443 ada:s3cret"]);
    }
}
