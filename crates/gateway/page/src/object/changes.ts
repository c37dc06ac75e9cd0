// `prepare`: what an edit changes, joined with what others changed meanwhile.

import { CORE_SCHEMA, load } from "js-yaml";
import type { YAMLException } from "js-yaml";
import type { Kind, KubernetesObject } from "../api";
import type { Draft } from "./drafts";
import { merge } from "./merge";
import type { Conflict } from "./merge";
import { withoutManagedFields } from "./yaml";

/** A problem of the text itself. */
export class TextError extends Error {
  constructor(
    message: string,
    /** The line, from 0. */
    readonly line: number | null = null,
  ) {
    super(message);
  }
}

/** The object without what an edit cannot change: managed fields, and the status of kinds that have it apart. */
export function editable(object: KubernetesObject, kind: Kind): KubernetesObject {
  const rest = { ...withoutManagedFields(object) };
  if (kind.subresources.includes("status")) delete rest.status;
  return rest;
}

/** The object of a text. */
export function parse(text: string): KubernetesObject {
  let value: unknown;
  try {
    value = load(text, { schema: CORE_SCHEMA });
  } catch (error) {
    const { reason, message, mark } = error as YAMLException;
    throw new TextError(`This is no YAML: ${reason ?? message}`, mark?.line ?? null);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new TextError("This is no object: it has no fields");
  const object = value as KubernetesObject;
  if (typeof object.metadata !== "object" || object.metadata === null) throw new TextError("The field metadata is missing");
  return object;
}

export interface Prepared {
  /** The object to send. */
  object: KubernetesObject;
  /** The object at the server on which it builds. */
  latest: KubernetesObject;
  /** Fields that others changed meanwhile, too. */
  conflicts: Conflict[];
  /** True if others changed something since the edit began, in fields that are edited here or not. */
  isMoved: boolean;
}

/** Fields that the server sets: what the text says of them is not told as a conflict. */
const SERVERS_OWN = ["resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"];

/** The object of a draft on top of the latest one. `choose` decides about fields that others changed, too. */
export function prepare(draft: Draft, latest: KubernetesObject, kind: Kind, choose: (path: string) => "mine" | "theirs"): Prepared {
  const mine = parse(draft.text);
  for (const [field, is, was] of [
    ["kind", mine.kind, latest.kind],
    ["apiVersion", mine.apiVersion, latest.apiVersion],
    ["metadata.name", mine.metadata.name, latest.metadata.name],
    ["metadata.namespace", mine.metadata.namespace, latest.metadata.namespace],
  ] as const) {
    if (is !== was) throw new TextError(`${field} cannot be changed: it is ${was}`);
  }
  if (draft.base.metadata.uid !== latest.metadata.uid) {
    throw new TextError("The object was deleted and created anew since this edit began: copy what you need, and begin again");
  }
  const theirs = editable(latest, kind);
  const base = editable(draft.base, kind);
  const own = { ...mine, metadata: { ...mine.metadata } };
  for (const field of SERVERS_OWN) {
    const value = (theirs.metadata as Record<string, unknown>)[field];
    for (const one of [own.metadata, (base.metadata = { ...base.metadata })] as Record<string, unknown>[]) {
      if (value === undefined) delete one[field];
      else one[field] = value;
    }
  }
  const { value, conflicts } = merge(base, own, theirs, choose);
  const object = value as KubernetesObject;
  if (kind.subresources.includes("status") && latest.status !== undefined) object.status = latest.status;
  return { object, latest, conflicts, isMoved: draft.base.metadata.resourceVersion !== latest.metadata.resourceVersion };
}
