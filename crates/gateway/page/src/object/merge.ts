// Three-way merge of objects: what one changed, and what others changed meanwhile.

export interface Conflict {
  /** The field that both changed, as `spec.replicas`. */
  path: string;
  base: unknown;
  mine: unknown;
  theirs: unknown;
}

export type Side = "mine" | "theirs";

export interface Merged {
  value: unknown;
  conflicts: Conflict[];
}

/** The fields by which items of lists are told apart, as strategic merge patches do. */
const KEYS = ["name", "mountPath", "containerPort", "port", "type", "uid", "key", "ip"];

const ABSENT = Symbol("absent");

/** Merges; where both changed a field to different values, `choose` decides, and it is told as a conflict. */
export function merge(base: unknown, mine: unknown, theirs: unknown, choose: (path: string) => Side = () => "mine"): Merged {
  const conflicts: Conflict[] = [];
  const value = merged(base, mine, theirs, "", choose, conflicts);
  return { value: value === ABSENT ? undefined : value, conflicts };
}

function merged(base: unknown, mine: unknown, theirs: unknown, path: string, choose: (path: string) => Side, conflicts: Conflict[]): unknown {
  if (equal(mine, theirs) || equal(base, theirs)) return mine;
  if (equal(base, mine)) return theirs;
  if (isMap(mine) && isMap(theirs) && (isMap(base) || base === ABSENT)) {
    return mergedMap(isMap(base) ? base : {}, mine, theirs, path, choose, conflicts);
  }
  if (Array.isArray(mine) && Array.isArray(theirs) && Array.isArray(base)) {
    const key = KEYS.find((key) => [base, mine, theirs].every((list) => isKeyed(list, key)));
    if (key) return mergedList(base, mine, theirs, key, path, choose, conflicts);
  }
  const shown = (value: unknown) => (value === ABSENT ? undefined : value);
  conflicts.push({ path, base: shown(base), mine: shown(mine), theirs: shown(theirs) });
  return choose(path) === "mine" ? mine : theirs;
}

type Fields = Record<string, unknown>;

function mergedMap(base: Fields, mine: Fields, theirs: Fields, path: string, choose: (path: string) => Side, conflicts: Conflict[]): Fields {
  const out: Fields = {};
  for (const key of new Set([...Object.keys(theirs), ...Object.keys(mine)])) {
    const at = (map: Fields) => (Object.hasOwn(map, key) ? map[key] : ABSENT);
    const inner = /^[A-Za-z_][\w-]*$/.test(key) ? (path ? `${path}.${key}` : key) : `${path}[${key}]`;
    const value = merged(at(base), at(mine), at(theirs), inner, choose, conflicts);
    if (value !== ABSENT) Object.defineProperty(out, key, { value, enumerable: true, writable: true, configurable: true });
  }
  return out;
}

function mergedList(
  base: Fields[],
  mine: Fields[],
  theirs: Fields[],
  key: string,
  path: string,
  choose: (path: string) => Side,
  conflicts: Conflict[],
): Fields[] {
  const byKey = (list: Fields[]) => new Map(list.map((item) => [item[key], item]));
  const [bases, mines, others] = [byKey(base), byKey(mine), byKey(theirs)];
  const out: Fields[] = [];
  const keys = new Set([...mines.keys(), ...others.keys()]);
  for (const name of keys) {
    const value = merged(
      bases.get(name) ?? ABSENT,
      mines.get(name) ?? ABSENT,
      others.get(name) ?? ABSENT,
      `${path}[${String(name)}]`,
      choose,
      conflicts,
    );
    if (value !== ABSENT) out.push(value as Fields);
  }
  return out;
}

function isMap(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isKeyed(list: unknown[], key: string): list is Fields[] {
  const names = list.map((item) => (isMap(item) ? item[key] : undefined));
  return names.every((name) => name !== undefined) && new Set(names).size === names.length;
}

/** True if two values of JSON are the same, whatever the order of their fields. */
export function equal(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (Array.isArray(one)) {
    return Array.isArray(other) && one.length === other.length && one.every((item, index) => equal(item, other[index]));
  }
  if (!isMap(one) || !isMap(other)) return false;
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => Object.hasOwn(other, key) && equal(one[key], other[key]));
}
