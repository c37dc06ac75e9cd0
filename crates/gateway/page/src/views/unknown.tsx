// A kind that the cluster does not serve, or not any more.

import { openPalette } from "../palette";
import { isLookedAt } from "../presence";
import { go } from "../router";
import { listed, namespace, refresh } from "../state";
import { plural } from "../nav";
import { Button, Empty } from "../ui";
import { useEffect } from "preact/hooks";
import { openKind } from "../keys";

/** Offers what is called alike. It looks again by itself, since definitions come and go. */
export function KindUnknown({ path }: { path: string }) {
  const [group = "", version = "", resource = ""] = path.split("/");
  useEffect(() => {
    const timer = setInterval(() => isLookedAt() && void refresh(), 5000);
    return () => clearInterval(timer);
  }, [path]);
  const alike = listed.value.filter((kind) => kind.resource === resource || (kind.group === group && group !== "core")).slice(0, 6);
  return (
    <Empty
      isWhole
      icon="search"
      title="The cluster does not serve this kind"
      actions={
        <>
          {alike.map((kind) => (
            <Button key={kind.path} onClick={() => openKind(kind.path)}>
              {plural(kind)}
            </Button>
          ))}
          <Button look={alike.length === 0 ? "primary" : "normal"} icon="search" onClick={() => openPalette("kind")}>
            All kinds
          </Button>
          <Button onClick={() => go({ view: "overview", ns: namespace.value })}>Overview</Button>
        </>
      }
    >
      <p>
        There is no <code>{resource}</code> in <code>{group === "core" ? version : `${group}/${version}`}</code>. Its definition may have been removed; the page looks for it every 5 s.
      </p>
    </Empty>
  );
}
