// `ObjectView`: an object.

import type { Kind } from "../api";
import { Empty } from "../ui";

export interface ObjectViewProps {
  kind: Kind;
  namespace?: string;
  name: string;
  tab?: string;
}

export function ObjectView({ kind, name }: ObjectViewProps) {
  return <Empty title={`${kind.kind} ${name}`} />;
}
