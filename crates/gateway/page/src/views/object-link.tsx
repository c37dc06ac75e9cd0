// The link to the object of an event.

import { href } from "../router";
import { kinds } from "../state";

/** The object as the server writes it in the table of events: `pod/web-0`. */
export function ObjectLink({ text, namespace, tabIndex }: { text: string; namespace?: string; tabIndex?: number }) {
  const slash = text.indexOf("/");
  const [word, name] = [text.slice(0, slash).toLowerCase(), text.slice(slash + 1)];
  const kind = kinds.value?.kinds.find((kind) => kind.preferred && kind.kind.toLowerCase() === word);
  if (slash < 0 || !kind) return <>{text}</>;
  return (
    <a href={href({ view: "object", path: kind.path, namespace: kind.namespaced ? namespace : undefined, name })} tabIndex={tabIndex}>
      {text}
    </a>
  );
}
