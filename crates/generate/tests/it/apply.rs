//! Apply configurations of generated kinds: what they set, and what a server makes of it.

use klient::client::ApplyOptions;
use klient::{LabelSelector, TestClient as _, TestServer, apply, json};

use crate::generated::Clientset;
use crate::generated::shop_example_com::v1::{
    Bakery, BakeryApplyConfiguration, BakerySpecApplyConfiguration, BakerySpecDoorApplyConfiguration,
    BakerySpecDoorKeyHoleApplyConfiguration, BakerySpecHour, BakerySpecKindsApplyConfiguration,
    BakerySpecOven, BakerySpecRackApplyConfiguration, BakerySpecRackLoaveApplyConfiguration,
    BakerySpecRecipeApplyConfiguration, BakerySpecTemplateApplyConfiguration,
    BakerySpecTemplateOpenApplyConfiguration, BakeryStatusApplyConfiguration,
};
use crate::generated::shop_example_com::v1beta1;
use crate::generated::words_example_com::v1 as words;
use crate::round_trip;
use crate::shapes::{all_definitions, install};

fn bakery() -> BakeryApplyConfiguration {
    BakeryApplyConfiguration::new("corner", "default")
}

fn spec() -> BakerySpecApplyConfiguration {
    BakerySpecApplyConfiguration::new()
}

fn rack(name: &str, level: i32) -> BakerySpecRackApplyConfiguration {
    BakerySpecRackApplyConfiguration::new().name(name).level(level)
}

/// All that the definition requires.
fn complete() -> BakerySpecApplyConfiguration {
    spec().name("corner").nothing("something").oven(BakerySpecOven::Gas).ovens(2).prices([("bread", 3)])
}

#[tokio::test]
async fn configurations_with_every_field_survive_an_apply() {
    let definitions = all_definitions();
    macro_rules! apply {
        ($($kind:ty: $configuration:ty, $scope:ident;)*) => {$({
            let values = round_trip::apply(
                &definitions,
                |client, configuration, options| apply!($scope client, $kind).apply(configuration, options),
                <$configuration>::extract::<$kind>,
            );
            assert!(values.await > 3);
        })*};
        (Namespaced $client:ident, $kind:ty) => { $client.api::<$kind>().namespace("default") };
        (Cluster $client:ident, $kind:ty) => { $client.api::<$kind>() };
    }
    apply! {
        Bakery: BakeryApplyConfiguration, Namespaced;
        v1beta1::Bakery: v1beta1::BakeryApplyConfiguration, Namespaced;
        words::Option: words::OptionApplyConfiguration, Cluster;
        words::Map: words::MapApplyConfiguration, Namespaced;
        words::Serialize: words::SerializeApplyConfiguration, Namespaced;
    }
}

#[test]
fn a_configuration_has_the_names_of_the_definition_and_nothing_that_was_not_said() {
    let open = BakerySpecTemplateOpenApplyConfiguration::new()
        .known("a")
        .other_fields([("other-thing".to_owned(), json!([1]))].into());
    let configuration = bakery().labels([("app", "bakery")]).spec(
        spec()
            .oven("SOLAR".into())
            .hours([BakerySpecHour::Monday])
            .hours([BakerySpecHour::Tuesday])
            .flour("20k")
            .port(8080)
            .gaps(["a"])
            .racks([rack("top", 0)
                .type_("steel")
                .loaves([vec![BakerySpecRackLoaveApplyConfiguration::new().grams(500)]])])
            .recipes([("rye", BakerySpecRecipeApplyConfiguration::new().steps(["knead", "bake"]))])
            .selector(apply::meta::v1::LabelSelector::new().match_labels([("a", "b")]))
            .door(
                BakerySpecDoorApplyConfiguration::new()
                    .key_hole(BakerySpecDoorKeyHoleApplyConfiguration::new().a("small")),
            )
            .template(
                BakerySpecTemplateApplyConfiguration::new()
                    .anything("x")
                    .raw(json!({"kind": "A"}))
                    .open(open),
            )
            .kinds(
                BakerySpecKindsApplyConfiguration::new()
                    .ref_("r")
                    .foo_bar("camel")
                    .foo_bar_("kebab")
                    .foo_bar_2("snake")
                    .cluster_ips(["10.0.0.1"])
                    .x_y_z_w("w"),
            ),
    );
    assert_eq!(
        configuration.into_value(),
        json!({
            "apiVersion": "shop.example.com/v1", "kind": "Bakery",
            "metadata": {"name": "corner", "namespace": "default", "labels": {"app": "bakery"}},
            "spec": {
                "oven": "SOLAR", "hours": ["Monday", "TUESDAY"], "flour": "20k", "port": 8080, "gaps": ["a"],
                "racks": [{"name": "top", "level": 0, "type": "steel", "loaves": [[{"grams": 500}]]}],
                "recipes": {"rye": {"steps": ["knead", "bake"]}},
                "selector": {"matchLabels": {"a": "b"}},
                "door": {"keyHole": {"a": "small"}},
                "template": {"anything": "x", "raw": {"kind": "A"}, "open": {"known": "a", "other-thing": [1]}},
                "kinds": {
                    "$ref": "r", "fooBar": "camel", "foo-bar": "kebab", "foo_bar": "snake",
                    "clusterIPs": ["10.0.0.1"], "x-y.z/w": "w",
                },
            },
        }),
    );
}

#[tokio::test]
async fn managers_share_an_object_by_the_merge_rules_of_the_definition() {
    let server = TestServer::start().await.unwrap();
    let client = server.client();
    install(&client).await;
    let bakeries = Clientset::new(client).shop_example_com_v1().bakeries("default");
    let (mine, theirs) = (ApplyOptions::new("me"), ApplyOptions::new("them"));

    let selector = || apply::meta::v1::LabelSelector::new();
    let first = bakery().spec(
        complete()
            .racks([rack("top", 1)])
            .hours([BakerySpecHour::Monday])
            .selector(selector().match_labels([("a", "b")])),
    );
    bakeries.apply(&first, &mine).await.unwrap();
    let other = bakery().spec(spec().racks([rack("top", 2)]).hours([BakerySpecHour::Tuesday]));
    let object = bakeries.apply(&other, &theirs).await.unwrap();
    // The keys of a list are told apart, and the items of a set.
    let racks: Vec<_> = object.spec.racks.iter().map(|rack| (rack.name.as_str(), rack.level)).collect();
    assert_eq!(racks, [("top", 1), ("top", 2)]);
    assert_eq!(object.spec.hours, [BakerySpecHour::Monday, BakerySpecHour::Tuesday]);

    // What is one value has one owner.
    let error = bakeries.apply(&bakery().spec(spec().prices([("rye", 4)])), &theirs).await.unwrap_err();
    assert!(error.to_string().contains("conflict with \"me\": .spec.prices"), "{error}");
    let labels = bakery().spec(spec().selector(selector().match_labels([("c", "d")])));
    let error = bakeries.apply(&labels, &theirs).await.unwrap_err();
    assert!(error.to_string().contains("conflict with \"me\": .spec.selector"), "{error}");

    let extracted = BakeryApplyConfiguration::extract(&object, "me").unwrap();
    assert_eq!(extracted, first);
    let object = bakeries.apply(&bakery().spec(complete().racks([rack("low", 1)])), &mine).await.unwrap();
    let racks: Vec<_> = object.spec.racks.iter().map(|rack| (rack.name.as_str(), rack.level)).collect();
    assert_eq!(racks, [("top", 2), ("low", 1)]);
    assert_eq!(object.spec.selector, None::<Box<LabelSelector>>);

    let status = BakeryStatusApplyConfiguration::new().ovens(1);
    let object = bakeries.apply_status(&bakery().status(status), &mine).await.unwrap();
    assert_eq!(object.status.unwrap().ovens, Some(1));
}

#[test]
fn a_document_with_a_field_that_the_definition_does_not_have_is_refused_by_name() {
    let yaml = "{apiVersion: shop.example.com/v1, kind: Bakery, metadata: {name: a}, spec: {racs: []}}";
    let error = BakeryApplyConfiguration::from_yaml(yaml).unwrap_err();
    assert_eq!(error.to_string(), "shop.example.com/v1 Bakery: .spec.racs: field not declared in schema");
}
