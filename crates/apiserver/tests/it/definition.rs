//! Definitions of custom resources: what they are given, what they change, how they go.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::Method;
use klient_apiserver::TestServer;
use serde_json::{Value, json};

use crate::client::{Client, sends};
use crate::objects::{DEFINITIONS, GADGETS, anything, gadget, gadgets, names, text, two_versions};

/// A server that has a definition.
pub(crate) async fn defined(definition: &Value) -> (TestServer, Client) {
    let server = TestServer::start().await.expect("a server starts");
    let client = Client::admin(&server).await;
    client.post(DEFINITIONS, definition).await.expect(201);
    (server, client)
}

fn conditions(definition: &Value) -> Vec<String> {
    let conditions = definition.pointer("/status/conditions").and_then(Value::as_array);
    let shown =
        |condition: &Value| format!("{} {} {}", condition["type"], condition["status"], condition["reason"]);
    conditions.into_iter().flatten().map(|condition| shown(condition).replace('"', "")).collect()
}

/// Deletes a definition and waits until it is removed.
pub(crate) async fn delete(client: &Client, name: &str) {
    let path = format!("{DEFINITIONS}?watch=1&fieldSelector=metadata.name={name}");
    let mut events = client.watch(&path).await;
    assert_eq!(events.next().await.expect("it is there")["type"], "ADDED");
    client.delete(&format!("{DEFINITIONS}/{name}")).await.expect(200);
    while events.next().await.expect("the definition goes")["type"] != "DELETED" {}
}

#[tokio::test]
async fn a_definition_is_established_at_once() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    assert_eq!(client.get(GADGETS).await.text(), "404 page not found\n");
    client.post(DEFINITIONS, &gadgets(anything())).await.expect(201);
    let created = client.get(&format!("{DEFINITIONS}/gadgets.a.example")).await.expect(200);
    assert_eq!(
        conditions(&created),
        ["NamesAccepted True NoConflicts", "Established True InitialNamesAccepted"]
    );
    assert_eq!(created["status"]["storedVersions"], json!(["v1"]));
    assert_eq!(created["status"]["acceptedNames"]["listKind"], "GadgetList");
    client.post(GADGETS, &gadget("g", json!({}))).await.expect(201);
    assert_eq!(client.get(GADGETS).await.expect(200)["kind"], "GadgetList");
}

/// Upstream a controller gives names and says so: what is answered is as it was stored first.
#[tokio::test]
async fn a_new_definition_is_answered_before_it_is_established() {
    let server = TestServer::start().await.expect("a server starts");
    let client = Client::admin(&server).await;
    let from = server.resource_version();
    let created = client.post(DEFINITIONS, &gadgets(anything())).await.expect(201);
    assert_eq!(
        created["status"],
        json!({"conditions": null, "acceptedNames": {"plural": "", "kind": ""}, "storedVersions": ["v1"]})
    );
    assert_eq!(created["metadata"]["generation"], 1);
    let mut events = client.watch(&format!("{DEFINITIONS}?watch=1&resourceVersion={from}")).await;
    assert_eq!(events.next().await.expect("it was added")["object"]["status"], created["status"]);
    let established = events.next().await.expect("it was established");
    assert_eq!(established["type"], "MODIFIED");
    assert_eq!(conditions(&established["object"]).len(), 2);
    let path = format!("{DEFINITIONS}/gadgets.a.example");
    let marked = client.delete(&path).await.expect(200);
    let metadata = &marked["metadata"];
    assert_eq!(metadata["finalizers"], json!(["customresourcecleanup.apiextensions.k8s.io"]));
    assert!(metadata["deletionTimestamp"].is_string(), "{metadata}");
    assert_eq!([&metadata["deletionGracePeriodSeconds"], &metadata["generation"]], [&Value::Null, &json!(1)]);
}

#[tokio::test]
async fn names_are_given_once_and_free_again() {
    let (_server, client) = defined(&gadgets(anything())).await;
    let mut rival = gadgets(anything());
    rival["metadata"]["name"] = "gizmos.a.example".into();
    rival["spec"]["names"] = json!({"plural": "gizmos", "kind": "Gadget"});
    client.post(DEFINITIONS, &rival).await.expect(201);
    let refused = client.get(&format!("{DEFINITIONS}/gizmos.a.example")).await.expect(200);
    assert_eq!(
        conditions(&refused),
        ["NamesAccepted False ListKindConflict", "Established False NotAccepted"]
    );
    let gizmos = "/apis/a.example/v1/namespaces/default/gizmos";
    assert_eq!(client.get(gizmos).await.status, 404);
    delete(&client, "gadgets.a.example").await;
    let mut events =
        client.watch(&format!("{DEFINITIONS}?watch=1&fieldSelector=metadata.name=gizmos.a.example")).await;
    while !conditions(&events.next().await.unwrap()["object"])
        .iter()
        .any(|c| c.starts_with("Established True"))
    {}
    client.get(gizmos).await.expect(200);
}

#[tokio::test]
async fn versions_come_and_go_with_their_definition() {
    let (_server, client) = defined(&two_versions()).await;
    let in_v2 = GADGETS.replace("v1", "v2");
    client.get(&in_v2).await.expect(200);
    let path = format!("{DEFINITIONS}/gadgets.a.example");
    let patch = json!([{"op": "replace", "path": "/spec/versions/1/served", "value": false}]);
    client.patch(&path, "json", &patch).await.expect(200);
    assert_eq!(client.get(&in_v2).await.text(), "404 page not found\n");
    client.get(GADGETS).await.expect(200);
    let patch = json!([
        {"op": "replace", "path": "/spec/versions/1/served", "value": true},
        {"op": "replace", "path": "/spec/versions/1/storage", "value": true},
        {"op": "replace", "path": "/spec/versions/0/storage", "value": false},
    ]);
    let patched = client.patch(&path, "json", &patch).await.expect(200);
    assert_eq!(patched["status"]["storedVersions"], json!(["v1", "v2"]));
    client.get(&in_v2).await.expect(200);
}

#[tokio::test]
async fn watches_end_when_their_definition_says_something_else() {
    let (server, client) = defined(&gadgets(anything())).await;
    let path = format!("{DEFINITIONS}/gadgets.a.example");
    let from = server.resource_version();
    let mut events = client.watch(&format!("{GADGETS}?watch=1&resourceVersion={from}")).await;
    let mut others =
        client.watch(&format!("/api/v1/namespaces/default/pods?watch=1&resourceVersion={from}")).await;
    client.patch(&path, "merge", &json!({"metadata": {"labels": {"a": "b"}}})).await.expect(200);
    client.post(GADGETS, &gadget("g", json!({}))).await.expect(201);
    assert_eq!(events.next().await.unwrap()["type"], "ADDED");
    client.patch(&path, "merge", &json!({"spec": {"names": {"shortNames": ["gd"]}}})).await.expect(200);
    assert_eq!(events.brief().await, "the end");
    assert!(others.is_silent().await);
    let mut events = client.watch(&format!("{GADGETS}?watch=1")).await;
    assert_eq!(events.next().await.unwrap()["type"], "ADDED");
    client.delete(&path).await.expect(200);
    assert_eq!(events.next().await.unwrap()["type"], "DELETED");
    assert_eq!(events.brief().await, "the end");
}

#[tokio::test]
async fn a_definition_goes_with_its_objects() {
    let (server, client) = defined(&gadgets(anything())).await;
    let mut held = gadget("held", json!({}));
    held["metadata"]["finalizers"] = json!(["a.example/hold"]);
    client.post(GADGETS, &held).await.expect(201);
    client.post(GADGETS, &gadget("free", json!({}))).await.expect(201);
    let mut events = client.watch(&format!("{GADGETS}?watch=1")).await;
    assert_eq!(
        [events.next().await.unwrap()["type"].clone(), events.next().await.unwrap()["type"].clone()],
        ["ADDED"; 2]
    );
    let marked = client.delete(&format!("{DEFINITIONS}/gadgets.a.example")).await.expect(200);
    let terminating = conditions(&marked).pop();
    assert_eq!(terminating.as_deref(), Some("Terminating True InstanceDeletionPending"), "{marked}");
    let mut told = [events.next().await.unwrap(), events.next().await.unwrap()].map(|event| {
        format!("{} {}", event["type"].as_str().unwrap_or_default(), text(&event, "/object/metadata/name"))
    });
    told.sort();
    assert_eq!(told, ["DELETED free", "MODIFIED held"]);
    let refusal = client.post(GADGETS, &gadget("new", json!({}))).await.refusal();
    assert_eq!(refusal, "405 create not allowed while custom resource definition is terminating");
    let from = server.resource_version();
    let mut definitions = client.watch(&format!("{DEFINITIONS}?watch=1&resourceVersion={from}")).await;
    let release = json!({"metadata": {"finalizers": null}});
    client.patch(&format!("{GADGETS}/held"), "merge", &release).await.expect(200);
    let mut states = Vec::new();
    loop {
        let event = definitions.next().await.unwrap();
        states.extend(conditions(&event["object"]).pop());
        if event["type"] == "DELETED" {
            break;
        }
    }
    // The last state is not stored: the definition goes with it.
    assert!(states.iter().all(|state| state == "Terminating True InstanceDeletionInProgress"), "{states:?}");
    assert_eq!(client.get(GADGETS).await.text(), "404 page not found\n");
    assert_eq!(client.get("/apis/a.example").await.status, 404);
    client.post(DEFINITIONS, &gadgets(anything())).await.expect(201);
    assert_eq!(names(&client.get(GADGETS).await.expect(200)), [""; 0], "no object comes back");
}

#[tokio::test]
async fn schemas_that_are_none_are_refused() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    for (spec, problem) in [
        (json!({}), "type: Required value: must not be empty for specified object fields"),
        (json!({"type": "string", "pattern": "("}), "error parsing regexp: missing closing ): `(`"),
        (json!({"type": "string", "default": 1}), "default: Invalid value"),
        // As Go's decoder, which takes it for one that is not there.
        (json!({"type": "array", "items": true}), "items: Required value: must be specified"),
    ] {
        let refusal = client.post(DEFINITIONS, &gadgets(spec)).await.refusal();
        assert!(refusal.starts_with("422 ") && refusal.contains(problem), "{refusal}");
    }
    for (word, ty) in [("additionalProperties", "v1.JSONSchemaPropsOrBool"), ("not", "v1.JSONSchemaProps")] {
        let refusal = client.post(DEFINITIONS, &gadgets(json!({"type": "object", word: 5}))).await.refusal();
        assert!(refusal.starts_with("400 ") && refusal.ends_with(&format!("of type {ty}")), "{refusal}");
    }
    let mut misnamed = gadgets(anything());
    misnamed["metadata"]["name"] = "gizmos.a.example".into();
    let refusal = client.post(DEFINITIONS, &misnamed).await.refusal();
    assert!(refusal.contains("must be spec.names.plural+\".\"+spec.group"), "{refusal}");
    assert_eq!(client.get(GADGETS).await.status, 404);
}

#[tokio::test]
async fn the_metadata_of_a_definition_is_validated() {
    let server = TestServer::start().await.expect("a server starts");
    let client = Client::admin(&server).await;
    let metadata = json!({
        "labels": {"a b": "c"}, "finalizers": ["no slash"], "ownerReferences": [{"apiVersion": "v1", "kind": "A"}],
    });
    let mut wrong = gadgets(anything());
    for (name, value) in metadata.as_object().expect("it is one") {
        wrong["metadata"][name] = value.clone();
    }
    let fields = |refused: &Value| -> Vec<String> {
        let causes = refused.pointer("/details/causes").and_then(Value::as_array);
        causes.into_iter().flatten().map(|cause| text(cause, "/field").to_owned()).collect()
    };
    let expected = [
        "metadata.labels",
        "metadata.ownerReferences[0].name",
        "metadata.ownerReferences[0].uid",
        "metadata.finalizers",
    ];
    assert_eq!(fields(&client.post(DEFINITIONS, &wrong).await.expect(422)), expected);
    wrong["metadata"]["name"] = "gizmos.a.example".into();
    let misnamed = fields(&client.post(DEFINITIONS, &wrong).await.expect(422));
    assert_eq!(misnamed[0], "metadata.name");
    assert_eq!(misnamed[1..], expected);

    client.post(DEFINITIONS, &gadgets(anything())).await.expect(201);
    let path = format!("{DEFINITIONS}/gadgets.a.example");
    let patched = client.patch(&path, "merge", &json!({"metadata": metadata})).await;
    assert_eq!(fields(&patched.expect(422)), expected);
}

/// A kube-apiserver writes the status itself, in its own name.
#[tokio::test]
async fn the_status_is_the_servers() {
    let server = TestServer::start().await.expect("a server starts");
    let client = Client::admin(&server).await;
    client.post(DEFINITIONS, &gadgets(anything())).await.expect(201);
    let made = client.get(&format!("{DEFINITIONS}/gadgets.a.example")).await.expect(200);
    let owners = made["metadata"]["managedFields"].as_array().expect("managed fields");
    let status =
        owners.iter().find(|entry| entry["subresource"] == "status").expect("an entry of the status");
    assert_eq!((&status["manager"], &status["operation"]), (&"kube-apiserver".into(), &"Update".into()));
    let owned = &status["fieldsV1"]["f:status"];
    assert!(owned["f:acceptedNames"]["f:plural"].is_object(), "{owned}");
    assert!(owned["f:conditions"][r#"k:{"type":"Established"}"#]["f:status"].is_object(), "{owned}");
    // So a manager that applies the definition does not own its status, and applying it again changes nothing.
    let apply = || async {
        let mut definition = gadgets(anything());
        definition["apiVersion"] = "apiextensions.k8s.io/v1".into();
        definition["kind"] = "CustomResourceDefinition".into();
        let name = made["metadata"]["name"].as_str().expect("a name");
        let path = format!("{DEFINITIONS}/{name}?fieldManager=tests");
        let media = sends("application/apply-patch+yaml");
        client.send(Method::PATCH, &path, &media, definition.to_string()).await.expect(200)
    };
    let first = apply().await;
    assert_eq!(first["status"], made["status"]);
    assert_eq!(apply().await, first);
}

/// A definition of a plural and kind in a group of Kubernetes' own, in version `v9`.
fn in_a_group_of_kubernetes(group: &str, plural: &str, kind: &str, scope: &str) -> Value {
    let mut definition = gadgets(anything());
    definition["metadata"] = json!({
        "name": format!("{plural}.{group}"), "annotations": {"api-approved.kubernetes.io": "unapproved, a test"},
    });
    definition["spec"]["group"] = group.into();
    definition["spec"]["scope"] = scope.into();
    definition["spec"]["names"] = json!({"plural": plural, "kind": kind});
    definition["spec"]["versions"][0]["name"] = "v9".into();
    definition
}

#[tokio::test]
async fn a_definition_shares_nothing_with_a_built_in_resource_of_its_names() {
    let server = TestServer::start().await.expect("a server starts");
    let client = Client::admin(&server).await;
    let ingress = json!({"defaultBackend": {"service": {"name": "s", "port": {"number": 80}}}});
    for (group, plural, kind, namespaced, spec) in [
        ("networking.k8s.io", "ingresses", "Ingress", true, ingress),
        ("rbac.authorization.k8s.io", "clusterroles", "ClusterRole", false, Value::Null),
        (
            "certificates.k8s.io",
            "certificatesigningrequests",
            "CertificateSigningRequest",
            false,
            Value::Null,
        ),
        ("apiextensions.k8s.io", "customresourcedefinitions", "CustomResourceDefinition", false, Value::Null),
    ] {
        let scope = if namespaced { "Namespaced" } else { "Cluster" };
        let collection = |version: &str| {
            let namespace = if namespaced { "/namespaces/default" } else { "" };
            format!("/apis/{group}/{version}{namespace}/{plural}")
        };
        let is_new = spec.is_object() || plural == "clusterroles";
        if is_new {
            client
                .post(&collection("v1"), &json!({"metadata": {"name": "keep"}, "spec": spec}))
                .await
                .expect(201);
        }
        let before = names(&client.get(&collection("v1")).await.expect(200));
        client.post(DEFINITIONS, &in_a_group_of_kubernetes(group, plural, kind, scope)).await.expect(201);
        let custom = json!({
            "apiVersion": format!("{group}/v9"), "kind": kind, "metadata": {"name": "custom"}, "spec": {"rules": "no list"},
            "roleRef": {"kind": "ClusterRole", "name": "admin"},
        });
        let created = client.post(&collection("v9"), &custom).await.expect(201);
        assert_eq!(created["spec"], json!({"rules": "no list"}), "{plural}");
        assert_eq!(names(&client.get(&collection("v9")).await.expect(200)), ["custom"]);
        let own = names(&client.get(&collection("v1")).await.expect(200));
        let others: Vec<&String> = own.iter().filter(|name| **name != format!("{plural}.{group}")).collect();
        assert_eq!(others, before.iter().collect::<Vec<_>>(), "{plural}");
        client.get(&format!("{}/custom", collection("v1"))).await.expect(404);
        client
            .patch(&format!("{}/custom", collection("v9")), "merge", &json!({"spec": {"a": 1}}))
            .await
            .expect(200);
        delete(&client, &format!("{plural}.{group}")).await;
        assert_eq!(names(&client.get(&collection("v1")).await.expect(200)), before, "{plural}");
        assert_eq!(client.get(&collection("v9")).await.status, 404);
        if is_new {
            client.delete(&format!("{}/keep", collection("v1"))).await.expect(200);
        }
    }
}

/// Upstream a namespace does not see objects that nobody serves, and a definition does.
#[tokio::test]
async fn the_objects_of_a_definition_go_with_it_in_whichever_versions_they_are_served() {
    let unserved = json!([{"op": "replace", "path": "/spec/versions/0/served", "value": false}]);
    let unserved_all = json!([
        {"op": "replace", "path": "/spec/versions/0/served", "value": false},
        {"op": "replace", "path": "/spec/versions/1/served", "value": false},
    ]);
    let no_status = json!([{"op": "replace", "path": "/status/conditions", "value": []}]);
    for (subresource, change) in
        [("", Value::Null), ("", unserved), ("", unserved_all), ("/status", no_status)]
    {
        let (_server, client) = defined(&two_versions()).await;
        client.post(GADGETS, &gadget("old", json!({"size": 1}))).await.expect(201);
        let path = format!("{DEFINITIONS}/gadgets.a.example{subresource}");
        if change.is_array() {
            client.patch(&path, "json", &change).await.expect(200);
        }
        delete(&client, "gadgets.a.example").await;
        client.post(DEFINITIONS, &two_versions()).await.expect(201);
        assert_eq!(names(&client.get(GADGETS).await.expect(200)), [""; 0], "no object comes back: {change}");
    }
}

#[tokio::test]
async fn a_definition_waits_for_objects_that_it_does_not_serve() {
    let (_server, client) = defined(&gadgets(anything())).await;
    let mut held = gadget("held", json!({}));
    held["metadata"]["finalizers"] = json!(["a.example/hold"]);
    client.post(GADGETS, &held).await.expect(201);
    let path = format!("{DEFINITIONS}/gadgets.a.example");
    let served =
        |served: bool| json!([{"op": "replace", "path": "/spec/versions/0/served", "value": served}]);
    client.patch(&path, "json", &served(false)).await.expect(200);
    let mut events =
        client.watch(&format!("{DEFINITIONS}?watch=1&fieldSelector=metadata.name=gadgets.a.example")).await;
    client.delete(&path).await.expect(200);
    while conditions(&events.next().await.expect("the definition goes on")["object"])
        .last()
        .map(String::as_str)
        != Some("Terminating True InstanceDeletionInProgress")
    {}
    client.patch(&path, "json", &served(true)).await.expect(200);
    let release = json!({"metadata": {"finalizers": null}});
    client.patch(&format!("{GADGETS}/held"), "merge", &release).await.expect(200);
    while events.next().await.expect("the definition goes")["type"] != "DELETED" {}
}

#[tokio::test]
async fn a_definition_in_a_group_of_kubernetes_says_whether_it_is_approved() {
    let definition = in_a_group_of_kubernetes("b.k8s.io", "foos", "Foo", "Namespaced");
    let (_server, client) = defined(&definition).await;
    let path = format!("{DEFINITIONS}/foos.b.k8s.io");
    let others = ["NamesAccepted True NoConflicts", "Established True InitialNamesAccepted"];
    let approval = async || {
        let read = client.get(&path).await.expect(200);
        let conditions = conditions(&read);
        assert_eq!(conditions[1..], others);
        let message = text(&read, "/status/conditions/0/message").to_owned();
        (conditions[0].clone(), message, text(&read, "/status/conditions/0/lastTransitionTime").to_owned())
    };
    let of = |status: &str| format!("KubernetesAPIApprovalPolicyConformant {status}");
    let first = approval().await;
    assert_eq!(
        (first.0, &*first.1),
        (of("False UnapprovedAnnotation"), r#"not approved: "unapproved, a test""#)
    );
    for (annotation, condition, message) in [
        ("unapproved", "False UnapprovedAnnotation", r#"not approved: "unapproved""#),
        ("https://a.example/1", "True ApprovedAnnotation", "approved in https://a.example/1"),
        ("https://a.example/2", "True ApprovedAnnotation", "approved in https://a.example/2"),
    ] {
        let patch = json!({"metadata": {"annotations": {"api-approved.kubernetes.io": annotation}}});
        client.patch(&path, "merge", &patch).await.expect(200);
        let (found, said, _) = approval().await;
        assert_eq!((found, &*said), (of(condition), message));
    }
    let (_server, client) = defined(&gadgets(anything())).await;
    let read = client.get(&format!("{DEFINITIONS}/gadgets.a.example")).await.expect(200);
    assert_eq!(conditions(&read), others);
}

#[tokio::test]
async fn a_definition_with_an_invalid_certificate_authority_is_not_established() {
    let conversion = |bundle: &str| {
        json!({"strategy": "Webhook", "webhook": {
            "conversionReviewVersions": ["v1"], "clientConfig": {"url": "https://127.0.0.1:1/x", "caBundle": bundle},
        }})
    };
    let valid =
        rcgen::generate_simple_self_signed(["a.example".to_owned()]).expect("it is signed").cert.pem();
    let base64 = |text: &str| BASE64.encode(text);
    let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let problems = [
        ("garbage".to_owned(), "unable to parse bytes as PEM block"),
        ("\n".to_owned(), "unable to parse bytes as PEM block"),
        (key.to_owned(), "no valid certificate authority data seen"),
        (certificate.to_owned(), "failed to parse certificate: x509: malformed certificate"),
    ];
    let path = format!("{DEFINITIONS}/gadgets.a.example");
    for (bundle, problem) in &problems {
        let mut definition = gadgets(anything());
        definition["spec"]["conversion"] = conversion(&base64(bundle));
        let (_server, client) = defined(&definition).await;
        let read = client.get(&path).await.expect(200);
        assert_eq!(
            conditions(&read),
            ["NamesAccepted True NoConflicts", "Established False InvalidCABundle"]
        );
        assert_eq!(text(&read, "/status/conditions/1/message"), "The conversion webhook CABundle is invalid");
        assert_eq!(client.get(GADGETS).await.status, 404);
        // A bundle that is invalid may be changed to another.
        let patch = |bundle: &str| json!({"spec": {"conversion": conversion(&base64(bundle))}});
        client.patch(&path, "merge", &patch("other")).await.expect(200);
        client.patch(&path, "merge", &patch(&format!("{key}{certificate}{valid}"))).await.expect(200);
        let read = client.get(&path).await.expect(200);
        assert_eq!(conditions(&read)[1], "Established True InitialNamesAccepted");
        client.get(GADGETS).await.expect(200);
        // One that is established keeps a valid one.
        let refusal = client.patch(&path, "merge", &patch(bundle)).await.refusal();
        let field = "spec.conversion.webhookClientConfig.caBundle";
        assert!(
            refusal.ends_with(&format!(
                r#" is invalid: {field}: Invalid value: "{}": unable to load root certificates: {problem}"#,
                base64(bundle)
            )),
            "{refusal}"
        );
        client.patch(&path, "merge", &json!({"metadata": {"labels": {"a": "b"}}})).await.expect(200);
    }
}

#[tokio::test]
async fn names_and_warnings_of_a_definition_are_validated_as_upstream_does() {
    let server = TestServer::start().await.expect("a server starts");
    let client = Client::admin(&server).await;
    let mut named = gadgets(anything());
    named["metadata"]["name"] = "Foo_.a.example".into();
    let refusal = client.post(DEFINITIONS, &named).await.refusal();
    let start = r#"422 CustomResourceDefinition.apiextensions.k8s.io "Foo_.a.example" is invalid: [metadata.name: Invalid value: "Foo_.a.example": a lowercase RFC 1123 subdomain must consist"#;
    let end =
        r#", metadata.name: Invalid value: "Foo_.a.example": must be spec.names.plural+"."+spec.group]"#;
    assert!(refusal.starts_with(start) && refusal.ends_with(end), "{refusal}");
    for (warning, index) in [("a\u{200b}b", 1), ("ab\u{a0}", 2), ("\u{e000}", 0), ("a\tb", 1)] {
        let mut warned = gadgets(anything());
        warned["spec"]["versions"][0]["deprecated"] = true.into();
        warned["spec"]["versions"][0]["deprecationWarning"] = warning.into();
        let refusal = client.post(DEFINITIONS, &warned).await.refusal();
        let problem = "must only contain printable UTF-8 characters; non-printable character found at index";
        assert!(refusal.ends_with(&format!("{problem} {index}")), "{refusal}");
    }
}
