import assert from "node:assert/strict";
import test from "node:test";
import type { Column, Row } from "../src/api";
import { Parser } from "../src/stream";
import { stateTone, toneOf } from "../src/ui/tone";
import { comparator, matcher } from "../src/views/cells";

Object.assign(globalThis, { addEventListener: () => undefined });
Object.assign(globalThis, { document: new EventTarget() });
const { href, parse } = await import("../src/router");
const { Ordered } = await import("../src/views/ordered");

test("events are the same however the bytes of a stream are cut", () => {
  const text = 'retry: 1000\n\nid: e-1\nevent: change\ndata: {"a":1}\n\n: \nid: e-7\n\nevent: gone\r\ndata: one\r\ndata: two\r\n\r\n';
  const expected = [
    { id: "e-1", name: "change", data: '{"a":1}' },
    { id: "e-7", name: "", data: "" },
    { id: "e-7", name: "gone", data: "one\ntwo" },
  ];
  for (let length = 1; length <= text.length; length++) {
    const parser = new Parser();
    const events = [];
    for (let at = 0; at < text.length; at += length) events.push(...parser.push(text.slice(at, at + length)));
    assert.deepEqual(events, expected, `in parts of ${length}`);
  }
});

test("an address stands for a state, and the state for the address", () => {
  for (const address of [
    "#/overview",
    "#/overview?ns=shop",
    "#/k/core/v1/pods",
    "#/k/apps/v1/deployments?ns=shop&q=web%20-old&labels=app%3Dweb,tier%3Dfront&sort=age&desc&wide",
    "#/o/core/v1/nodes/-/worker-1",
    "#/o/core/v1/pods/shop/web-0/logs?container=main",
  ]) {
    assert.equal(href(parse(address)), address);
  }
  assert.deepEqual(parse(""), { view: "overview", ns: undefined });
  assert.deepEqual(parse("#/o/rbac.authorization.k8s.io/v1/clusterroles/-/system%3Anode"), {
    view: "object",
    path: "rbac.authorization.k8s.io/v1/clusterroles",
    namespace: undefined,
    name: "system:node",
    tab: undefined,
    query: {},
  });
  for (const nowhere of ["#/k/core/v1", "#/x/y", "#/k/a/b/c/d", "#/o/core/v1/pods/shop", "#/o/%zz/v1/pods"]) {
    assert.equal(parse(nowhere).view, "unknown", nowhere);
  }
});

const row = (name: string, cell: string | number, created = "", labels = {}): Row => ({
  metadata: { name, namespace: "shop", uid: name, creationTimestamp: created, labels },
  cells: [name, cell],
});
const COLUMNS: Column[] = ["Name", "Value"].map((name) => ({ name, type: "string", format: name === "Name" ? "name" : "", description: "", priority: 0 }));
const sorted = (rows: Row[], sort?: string, desc = false) => rows.toSorted(comparator(sort, desc, COLUMNS)).map((one) => one.metadata.name);

test("cells are ordered by what they stand for", () => {
  const values = (cells: (string | number)[]) => sorted(cells.map((cell) => row(String(cell), cell)), "value");
  assert.deepEqual(values([10, 9, 100]), ["9", "10", "100"]);
  assert.deepEqual(values(["2Gi", "512Mi", "1Ti"]), ["512Mi", "2Gi", "1Ti"]);
  assert.deepEqual(values(["3d4h", "5m20s", "45s", "12d"]), ["45s", "5m20s", "3d4h", "12d"]);
  assert.deepEqual(values(["12 (3m ago)", "2 (9d ago)"]), ["2 (9d ago)", "12 (3m ago)"]);
  assert.deepEqual(values(["web-10", "web-9", ""]), ["web-9", "web-10", ""]);
});

test("the youngest row has the least age, and rows that are equal are in the order of their names", () => {
  const rows = [row("b", 1, "2026-01-01T00:00:00Z"), row("c", 1, "2026-01-02T00:00:00Z"), row("a", 1, "2026-01-01T00:00:00Z")];
  assert.deepEqual(sorted(rows, "age"), ["c", "a", "b"]);
  assert.deepEqual(sorted(rows, "age", true), ["a", "b", "c"]);
  assert.deepEqual(sorted(rows, "value", true), ["a", "b", "c"]);
  assert.deepEqual(sorted(rows, undefined, true), ["c", "b", "a"]);
  assert.deepEqual(sorted(rows, "a column that is gone"), ["a", "b", "c"]);
});

test("changes that are put in one by one leave the order that a sort would", () => {
  for (let seed = 1; seed <= 40; seed++) {
    let state = seed;
    const random = (below: number) => (state = (state * 48_271) % 2_147_483_647) % below;
    const live = { rows: new Map<string, Row>(), revision: { value: 0 }, changes: null as Set<string> | null };
    const compare = comparator(["value", "age", undefined][seed % 3], seed % 2 === 0, COLUMNS);
    const ordered = new Ordered(live as never, compare);
    for (let step = 0; step < 30; step++) {
      live.changes = new Set();
      for (let count = random(step % 5 === 0 ? 200 : 6); count >= 0; count--) {
        const name = `web-${random(150)}`;
        if (random(4) === 0) live.rows.delete(`shop/${name}`);
        else live.rows.set(`shop/${name}`, row(name, random(9), `2026-01-0${1 + random(8)}T00:00:00Z`));
        live.changes.add(`shop/${name}`);
      }
      if (random(7) === 0) live.changes = null;
      live.revision.value += random(9) === 0 ? 2 : 1;
      const rows = ordered.now();
      assert.deepEqual(rows, [...live.rows.values()].sort(compare), `seed ${seed}, step ${step}`);
      const last = rows.at(-1);
      assert.equal(Ordered.indexOf(rows, last, compare), rows.length - 1);
    }
  }
});

test("a search wants all its words, and none behind a minus sign", () => {
  const web = row("web-0", "Running", "", { app: "web" });
  for (const [search, isFound] of [
    ["", true],
    ["WEB run", true],
    ["web failed", false],
    ["app=web", true],
    ["shop -web", false],
    ["shop -cache", true],
    ["-", true],
  ] as const) {
    assert.equal(matcher(search)(web), isFound, search);
  }
});

test("states have the tone of what they mean", () => {
  for (const [state, tone] of [
    ["Running", "good"],
    ["CrashLoopBackOff", "bad"],
    ["Init:Error", "bad"],
    ["Init:0/2", "busy"],
    ["ContainerCreating", "busy"],
    ["Completed", "off"],
    ["NotReady", "bad"],
    ["Ready", "good"],
    ["Ready,SchedulingDisabled", "warn"],
    ["Terminating", "busy"],
    ["Something else", "off"],
  ] as const) {
    assert.equal(stateTone(state), tone, state);
  }
  assert.equal(toneOf("Ready", "2/3"), "warn");
  assert.equal(toneOf("Ready", "3/3"), "good");
  assert.equal(toneOf("Type", "ClusterIP"), undefined);
  assert.equal(toneOf("Name", "failed"), undefined);
});
