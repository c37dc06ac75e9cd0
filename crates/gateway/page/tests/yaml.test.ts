import assert from "node:assert/strict";
import test from "node:test";
import { CORE_SCHEMA, YAML11_SCHEMA, load } from "js-yaml";
import { toYaml } from "../src/object/yaml";

test("an object has the order of kubectl, and strings are quoted only where they must be", () => {
  const object = {
    kind: "ConfigMap",
    status: { phase: "Active" },
    metadata: { uid: "937d2057-4de2-4baa-aebf-34a6d2b50b85", name: "a", creationTimestamp: "2024-01-01T00:00:00Z" },
    apiVersion: "v1",
    data: { yes: "true", port: "8080", cpu: "100m", text: "two\nlines\n", open: "a: b", empty: "" },
    list: [{ name: "x", args: ["-c", "echo"] }, [], {}, null, 1],
  };
  assert.equal(
    toYaml(object),
    `apiVersion: v1
kind: ConfigMap
metadata:
  name: a
  uid: 937d2057-4de2-4baa-aebf-34a6d2b50b85
  creationTimestamp: "2024-01-01T00:00:00Z"
data:
  "yes": "true"
  port: "8080"
  cpu: 100m
  text: |
    two
    lines
  open: "a: b"
  empty: ""
list:
- name: x
  args:
  - "-c"
  - echo
- []
- {}
- null
- 1
status:
  phase: Active
`,
  );
});

const WORDS = [
  ..."a|true|1e3|0x1f|1_0|10:30|null|~||- a|a: b|a #b|#x|x:|2024-01-01|2024-01-01T00:00:00Z|100m|é|<b>|{{x}}|[a]|*a|&a|!t|%d|@x|`".split("|"),
  ..."'a'|\"q\"|---|--- a|...|? a|a,b|=|<<|+1|.5|-|--flag=x|> a|a:b|:a|1.2.3.4|-5|08|y|N|0b11|0o7|190:20:30.15|-0x1A|1.|.NaN|-.inf|$(x)".split("|"),
  ..."0s 1e5 12e03 1_000.5 2001-12-14t21:59:43.10-05:00 _1 1,000 937d2057-4de2-4baa-aebf-34a6d2b50b85".split(" "),
  ...[
    "|",
    "a\nb",
    "a\nb\n",
    "a\n\n",
    "\n",
    " x\ny",
    "a \nb",
    "\u2028",
    "\u{1f600}",
    "a\tb",
    "tab\t\nx",
    "a\n---\nb",
    "#a\n#b",
    "1\n  2\n\n\n",
    "\u0007",
    "\ufeff",
    "a\r\nb",
  ],
];

test("whatever is written is read as the same, by YAML 1.1 and 1.2", () => {
  const seed = Number(process.env.KLIENT_SEED ?? Date.now() % 1e9);
  let state = seed;
  const random = () => (state = (state * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff;
  const pick = <T>(list: T[]): T => list[Math.floor(random() * list.length)]!;
  const value = (depth: number): unknown => {
    const kind = random();
    if (depth > 4 || kind < 0.4) return pick(WORDS);
    if (kind < 0.5) return pick<unknown>([1, -2.5, true, false, null, 0, 1e21]);
    const length = Math.floor(random() * 4);
    if (kind < 0.75) return Array.from({ length }, () => value(depth + 1));
    return Object.fromEntries(Array.from({ length }, () => [pick(WORDS), value(depth + 1)]));
  };
  for (let round = 0; round < 3000; round++) {
    const object = { metadata: { a: value(0) }, spec: value(0), status: value(0) };
    const text = toYaml(object);
    for (const schema of [CORE_SCHEMA, YAML11_SCHEMA]) {
      assert.deepEqual(load(text, { schema }), object, `KLIENT_SEED=${seed}\n${text}`);
    }
  }
});
