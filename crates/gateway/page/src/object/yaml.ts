// Objects as YAML: a writer that is fast enough for a MiB, in the order that kubectl has.

const FIRST: Record<string, string[]> = {
  "": ["apiVersion", "kind", "metadata"],
  metadata: ["name", "namespace", "labels", "annotations"],
};

/** Words and numbers that YAML 1.1 or 1.2 reads as something other than a string. */
const AMBIGUOUS = new RegExp(
  [
    "|~|null|true|false|yes|no|on|off|y|n|=|<<",
    // Numbers, also with a base, with underscores, and to the base 60.
    "[-+]?0x[0-9a-f_]*|[-+]?0[ob]?[0-7_]*",
    "[-+]?(?:\\.[0-9]|[0-9])[0-9_]*(?:\\.[0-9_]*)?(?:e[-+]?[0-9]*)?",
    "[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\\.[0-9_]*)?",
    "[-+]?\\.(?:inf|nan)",
    "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[t ].*)?",
  ]
    .map((form) => `^(?:${form})$`)
    .join("|"),
  "i",
);
const PLAIN = /^[A-Za-z0-9_/.$^(][\w/.:@+=,;%!?~<>()$^*&|'"\\[\]{}#` -]*$/;
const UNPRINTABLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff\ud800-\udfff]/;

/** The YAML of an object, which ends with a line break. */
export function toYaml(value: unknown): string {
  const out: string[] = [];
  if (isEmpty(value) || typeof value !== "object") return `${scalar(value, "")}\n`;
  block(value as object, "", "", out);
  return out.join("");
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

function block(value: object, indent: string, field: string, out: string[]): void {
  if (Array.isArray(value)) {
    for (const item of value) {
      out.push(indent, "- ");
      if (typeof item === "object" && item !== null && !isEmpty(item)) {
        const inner: string[] = [];
        block(item, `${indent}  `, "-", inner);
        // The first line stands behind the dash.
        inner[0] = "";
        for (const part of inner) out.push(part);
      } else {
        out.push(scalar(item, indent), "\n");
      }
    }
    return;
  }
  for (const [key, item] of ordered(value, field)) {
    out.push(indent, quoted(key), ":");
    if (typeof item === "object" && item !== null && !isEmpty(item)) {
      out.push("\n");
      block(item, Array.isArray(item) ? indent : `${indent}  `, indent === "" ? key : "-", out);
    } else {
      out.push(" ", scalar(item, indent), "\n");
    }
  }
}

function ordered(value: object, field: string): [string, unknown][] {
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  const first = FIRST[field];
  if (!first) return entries;
  const place = (key: string) => {
    if (field === "" && key === "status") return entries.length + first.length;
    const at = first.indexOf(key);
    return at < 0 ? first.length : at;
  };
  return entries.sort(([one], [other]) => place(one) - place(other));
}

function scalar(value: unknown, indent: string): string {
  if (typeof value === "string") {
    return value.includes("\n") ? lines(value, indent) : quoted(value);
  }
  if (Array.isArray(value)) return "[]";
  if (typeof value === "object" && value !== null) return "{}";
  // YAML 1.1 knows no exponent without a point.
  return String(value).replace(/^(-?\d+)e/, "$1.0e");
}

function quoted(text: string): string {
  const isPlain = PLAIN.test(text) && !AMBIGUOUS.test(text) && !/: |:$| #| $/.test(text) && !text.startsWith("---") && text.length < 4096;
  return isPlain ? text : escaped(text);
}

/** JSON's form, which YAML's double quotes include, without characters that end a line in YAML. */
function escaped(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\u009f\u2028\u2029\ufeff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** A string of several lines, as a literal block where that says exactly the same. */
function lines(text: string, indent: string): string {
  if (UNPRINTABLE.test(text.replace(/[\ud800-\udbff][\udc00-\udfff]/g, "")) || /^\s/.test(text)) return escaped(text);
  const body = text.replace(/\n+$/, "");
  const breaks = text.length - body.length;
  const chomping = breaks === 0 ? "-" : breaks === 1 ? "" : "+";
  const inner = `${indent}  `;
  const shown = body.split("\n").map((line) => (line === "" ? "" : inner + line));
  return `|${chomping}\n${shown.join("\n")}${"\n".repeat(Math.max(0, breaks - 1))}`;
}

/** A copy without the fields that only the server's own bookkeeping needs. */
export function withoutManagedFields<T extends { metadata?: object }>(object: T): T {
  if (!object.metadata || !("managedFields" in object.metadata)) return object;
  const metadata: Record<string, unknown> = { ...object.metadata };
  delete metadata.managedFields;
  return { ...object, metadata };
}

/** A copy without the counters that each write moves, and without managed fields. */
export function withoutCounters<T extends { metadata: object }>(object: T): T {
  const metadata: Record<string, unknown> = { ...withoutManagedFields(object).metadata };
  delete metadata.resourceVersion;
  delete metadata.generation;
  return { ...object, metadata };
}
