// The cards of the overview.

import type { ComponentChildren } from "preact";
import type { FailureBody } from "../api";
import { href } from "../router";
import { Icon, sentence } from "../ui";

export const PODS = "core/v1/pods";
export const NODES = "core/v1/nodes";

interface CardProps {
  title: string;
  total?: number;
  path?: string;
  /** The namespace that the link leads to; all of them without it. */
  ns?: string;
  children: ComponentChildren;
}

export function Card({ title, total, path, ns, children }: CardProps) {
  return (
    <section class="card" aria-label={title}>
      <header>
        <h2>{title}</h2>
        {total !== undefined && <span class="total">{total.toLocaleString("en")}</span>}
        {path && <a href={href({ view: "table", path, ns })} aria-label={`All ${title.toLowerCase()}`}>All</a>}
      </header>
      {children}
    </section>
  );
}

/** A part that the user may not see, or that could not be read. */
export function Refused({ error }: { error: FailureBody }) {
  return (
    <p class="refused">
      <Icon name={error.code === "forbidden" ? "lock" : "warn"} />
      <span title={error.message}>{sentence(error.message)}</span>
    </p>
  );
}

/** The state of a node, whose word for one that takes no pods is long. */
export function nodeState(status: string): string {
  return status.replace(",SchedulingDisabled", ", cordoned");
}
