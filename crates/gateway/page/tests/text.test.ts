import assert from "node:assert/strict";
import test from "node:test";
import { plain, spans } from "../src/object/ansi";
import { diffLines, folded } from "../src/object/diff";
import { childrenOf, going, tally } from "../src/object/family";
import { linesOf } from "../src/object/request";
import { literals, tokens } from "../src/object/tokens";

test("a difference has the lines of both, in order", () => {
  const { lines, added, removed } = diffLines("a\nb\nc\n", "a\nB\nc\nd\n");
  assert.deepEqual([added, removed], [2, 1]);
  assert.deepEqual(
    lines.map(({ kind, old, new: now, text }) => [kind, old, now, text]),
    [
      ["same", 1, 1, "a"],
      ["del", 2, undefined, "b"],
      ["add", undefined, 2, "B"],
      ["same", 3, 3, "c"],
      ["add", undefined, 4, "d"],
    ],
  );
});

test("texts that have nothing in common cost no more than their length", () => {
  const text = (word: string) => Array.from({ length: 20_000 }, (_, index) => `${word}${index}`).join("\n");
  const { lines, added, removed } = diffLines(text("a"), text("b"));
  assert.deepEqual([lines.length, added, removed], [40_000, 20_000, 20_000]);
});

test("lines that are far from a change are folded", () => {
  const before = Array.from({ length: 20 }, (_, index) => `line ${index}`);
  const after = before.map((line, index) => (index === 10 ? "changed" : line));
  const rows = folded(diffLines(before.join("\n"), after.join("\n")).lines);
  assert.deepEqual(rows[0], { kind: "fold", from: 0, to: 7 });
  assert.equal(rows.length, 1 + 3 + 2 + 3 + 1);
});

test("colours of terminals are styles, and other sequences are nothing", () => {
  assert.deepEqual(spans("a\u001b[1;31mb\u001b[0mc\u001b[2Kd\u001b]0;title\u0007e"), [
    { text: "a", style: "" },
    { text: "b", style: "a-bold a-red" },
    { text: "c", style: "" },
    { text: "d", style: "" },
    { text: "e", style: "" },
  ]);
  assert.deepEqual(spans("\u001b[38;5;196mx\u001b[48;2;1;2;3my"), [
    { text: "x", style: "" },
    { text: "y", style: "" },
  ]);
  assert.equal(plain("\u001b[32mok\u001b[0m"), "ok");
});

test("lines of a body are whole, however they come", async () => {
  const bytes = new TextEncoder().encode("first\nzwei ✓\n\nlast");
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  const lines: string[] = [];
  for await (const line of linesOf(body)) lines.push(line);
  assert.deepEqual(lines, ["first", "zwei ✓", "", "last"]);
});

test("what looks like YAML in a literal block is text", () => {
  const lines = ["a: |", "  key: value", "", "  more", "b: 1", "- |-", "  x: y", "- name: z"];
  assert.deepEqual(literals(lines), [false, true, true, true, false, false, true, false]);
  assert.deepEqual(
    tokens('  - name: "x"').map(({ text, kind }) => `${kind}=${text}`),
    ["mark=  - ", "key=name", "mark=:", "= ", 'string="x"'],
  );
});

test("what goes along is told by owner, and what others own stays", () => {
  const item = (kind: string, name: string, owner: string, more: object = {}) => ({ apiVersion: "v1", kind, name, uid: name, owner, ...more });
  const members = childrenOf("root", [
    item("ReplicaSet", "rs", "root"),
    item("Pod", "a", "rs"),
    item("Pod", "b", "rs", { goes: false, others: [{ kind: "ReplicaSet", name: "other" }] }),
    // Owners that own each other are there once.
    item("ReplicaSet", "rs", "a"),
  ]);
  assert.equal(tally(members), "1 ReplicaSet, 2 Pods");
  assert.equal(tally(going(members)), "1 ReplicaSet, 1 Pod");
});
