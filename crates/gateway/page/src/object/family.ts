// The owners of an object and what it owns, as a tree.

import type { ObjectAnswer, Relative } from "../api";

/** An object that is owned. `goes` is false if it stays when the root is deleted, since it has `others` as owners. */
type Owned = Relative & { goes?: boolean; others?: { kind: string; name: string }[] };

export interface Member {
  uid: string;
  kind: string;
  name: string;
  namespace?: string;
  /** The path of the kind; absent if the cluster does not serve it. */
  path?: string;
  /** True for the object that is shown. */
  isSelf: boolean;
  /** The reason for which an owner cannot be read: it is gone, or hidden from the user. */
  problem?: string;
  /** The other owners, for which it stays when the root is deleted. */
  keptBy: string[];
  children: Member[];
}

const memberOf = ({ uid, kind, name, namespace, path, error, goes, others = [] }: Owned): Member => ({
  uid,
  kind,
  name,
  namespace: namespace ?? undefined,
  path,
  isSelf: false,
  keptBy: goes === false ? others.map((owner) => `${owner.kind} ${owner.name}`) : [],
  problem: error && (error.code === "not_found" ? "is gone" : error.message),
  children: [],
});

/** The top of the tree: the last of the owners, or the object itself. */
export function familyOf(answer: ObjectAnswer, path: string): Member {
  const { metadata, kind } = answer.object;
  const self: Member = { uid: metadata.uid, kind, name: metadata.name, namespace: metadata.namespace, path, isSelf: true, keptBy: [], children: [] };
  self.children = childrenOf(metadata.uid, answer.owned);
  let top = self;
  for (const owner of answer.owners) top = { ...memberOf(owner), children: [top] };
  return top;
}

/** What an object owns, directly or through others. */
export function childrenOf(uid: string, owned: Owned[]): Member[] {
  const byOwner = new Map<string, Owned[]>();
  for (const item of owned) {
    const siblings = byOwner.get(item.owner ?? "");
    if (siblings) siblings.push(item);
    else byOwner.set(item.owner ?? "", [item]);
  }
  const seen = new Set([uid]);
  const under = (owner: string): Member[] =>
    (byOwner.get(owner) ?? []).flatMap((item) => {
      if (seen.has(item.uid)) return [];
      seen.add(item.uid);
      return [{ ...memberOf(item), children: under(item.uid) }];
    });
  return under(uid);
}

/** The members that go when their root is deleted: not those that have other owners, and what only those own. */
export function going(members: Member[]): Member[] {
  return members.filter(({ keptBy }) => keptBy.length === 0).map((member) => ({ ...member, children: going(member.children) }));
}

/** The number of objects of each kind, as `3 Pods`. */
export function tally(members: Member[]): string {
  const counts = new Map<string, number>();
  const count = (list: Member[]) => {
    for (const { kind, children } of list) {
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
      count(children);
    }
  };
  count(members);
  return [...counts].map(([kind, number]) => `${number} ${number === 1 ? kind : plural(kind)}`).join(", ");
}

function plural(kind: string): string {
  if (/(?:s|x|ch|sh)$/.test(kind)) return `${kind}es`;
  return /[^aeiou]y$/.test(kind) ? `${kind.slice(0, -1)}ies` : `${kind}s`;
}

export const sizeOf = (members: Member[]): number => members.reduce((sum, { children }) => sum + 1 + sizeOf(children), 0);
