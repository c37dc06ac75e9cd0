import assert from "node:assert/strict";
import test from "node:test";
import { Failure } from "../src/api";
import type { Kind, KubernetesObject } from "../src/api";
import { editable, prepare } from "../src/object/changes";
import { lineOf } from "../src/object/locate";
import { causesOf, warningsOf } from "../src/object/request";
import { toYaml } from "../src/object/yaml";

const KIND = { subresources: ["status", "scale"] } as unknown as Kind;

function deployment(change: (object: any) => void = () => {}): KubernetesObject {
  const object = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "shop", uid: "1", resourceVersion: "7", generation: 1, labels: { app: "web" }, managedFields: [{}] },
    spec: {
      replicas: 3,
      template: {
        spec: {
          containers: [
            { name: "web", image: "web:1" },
            { name: "proxy", image: "proxy:1" },
          ],
        },
      },
    },
    status: { readyReplicas: 0 },
  };
  change(object);
  return object as unknown as KubernetesObject;
}

function edited(change: (text: string) => string, latest: KubernetesObject, side: "mine" | "theirs" = "mine") {
  const base = deployment();
  const original = toYaml(editable(base, KIND));
  return prepare({ base, original, text: change(original) }, latest, KIND, () => side);
}

test("an edit is put on top of what others changed meanwhile", () => {
  const latest = deployment((object) => {
    object.metadata.resourceVersion = "9";
    object.metadata.generation = 2;
    object.metadata.labels.tier = "front";
    object.spec.template.spec.containers[1].image = "proxy:2";
    object.status.readyReplicas = 3;
  });
  const { object, conflicts, isMoved } = edited((text) => text.replace("web:1", "web:2"), latest);
  assert.deepEqual(conflicts, []);
  assert.ok(isMoved);
  const wanted = deployment((wanted) => {
    wanted.metadata = { ...latest.metadata };
    delete wanted.metadata.managedFields;
    wanted.spec.template.spec.containers = [
      { name: "web", image: "web:2" },
      { name: "proxy", image: "proxy:2" },
    ];
    wanted.status.readyReplicas = 3;
  });
  assert.deepEqual(object, wanted);
});

test("a field that both changed is a conflict, and the side that is chosen wins", () => {
  const latest = deployment((object) => {
    object.spec.replicas = 2;
  });
  const change = (text: string) => text.replace("replicas: 3", "replicas: 5");
  const { object, conflicts } = edited(change, latest);
  assert.deepEqual(conflicts, [{ path: "spec.replicas", base: 3, mine: 5, theirs: 2 }]);
  assert.equal((object.spec as { replicas: number }).replicas, 5);
  assert.equal((edited(change, latest, "theirs").object.spec as { replicas: number }).replicas, 2);
});

test("a field that one removed and nobody else touched is gone", () => {
  const { object, conflicts } = edited((text) => text.replace("  replicas: 3\n", ""), deployment());
  assert.deepEqual(conflicts, []);
  assert.ok(!("replicas" in (object.spec as object)));
});

test("names like those of the object model are fields as others are", () => {
  const { object } = edited((text) => text.replace("    app: web", "    app: web\n    __proto__: x\n    constructor: y"), deployment());
  const labels = object.metadata.labels!;
  assert.deepEqual(Object.keys(labels).sort(), ["__proto__", "app", "constructor"]);
  assert.equal(Object.getPrototypeOf(labels), Object.prototype);
});

test("a text that is no object, or another one, is refused with its line", () => {
  const latest = deployment();
  assert.throws(() => edited(() => "a: [1", latest), /no YAML/);
  assert.throws(() => edited(() => "- a", latest), /no object/);
  assert.throws(() => edited((text) => text.replace("name: web", "name: other"), latest), /metadata.name cannot be changed/);
  assert.throws(
    () =>
      edited(
        (text) => text,
        deployment((object) => (object.metadata.uid = "2")),
      ),
    /created anew/,
  );
});

test("fields of the server's errors are found in the text", () => {
  const lines = toYaml(deployment()).split("\n");
  const at = (path: string) => {
    const line = lineOf(lines, path);
    return line === null ? null : lines[line]!.trim();
  };
  assert.equal(at("spec.replicas"), "replicas: 3");
  assert.equal(at("spec.template.spec.containers[1].image"), "image: proxy:1");
  assert.equal(at("spec.template.spec.containers[0].name"), "- name: web");
  assert.equal(at("metadata.labels[app]"), "app: web");
  // One that is not there is at the field that it is missing in.
  assert.equal(at("spec.template.spec.containers[1].ports[0].name"), "- name: proxy");
  assert.equal(at("spec.selector"), "spec:");
  assert.equal(at("nothing"), null);
});

test("problems are told by their fields, whatever their form", () => {
  const failure = (message: string, causes?: unknown) =>
    new Failure({ code: "invalid", status: 422, message }, causes && { kind: "Status", details: { causes } });
  assert.deepEqual(causesOf(failure("no", [{ field: "spec.replicas", message: "must be positive", reason: "FieldValueInvalid" }])), [
    { field: "spec.replicas", message: "must be positive" },
  ]);
  assert.deepEqual(
    causesOf(failure('strict decoding error: unknown field "spec.imag", unknown field "spec.b"')).map(({ field }) => field),
    ["spec.imag", "spec.b"],
  );
  assert.deepEqual(causesOf(failure("it is full")), []);
});

test("warnings are those of the server's headers", () => {
  assert.deepEqual(warningsOf(null), []);
  assert.deepEqual(warningsOf('299 - "v1beta1 is \\"old\\"", 299 - "second, too"'), ['v1beta1 is "old"', "second, too"]);
});
