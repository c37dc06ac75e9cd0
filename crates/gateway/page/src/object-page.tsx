// The view of an object, whose scripts are loaded when it is first looked at: most of the page's size is there.

import { signal } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";
import type { ObjectViewProps } from "./object";
import { Button, Empty, Skeleton } from "./ui";

const loaded = signal<typeof import("./object") | null>(null);
const isMissing = signal(false);

export async function load(): Promise<void> {
  if (loaded.value) return;
  try {
    loaded.value = await import("./object");
    isMissing.value = false;
  } catch {
    isMissing.value = true;
  }
}

export function ObjectPage(props: ObjectViewProps) {
  useLayoutEffect(() => void load(), []);
  if (loaded.value) return <loaded.value.ObjectView {...props} />;
  if (!isMissing.value) return <Skeleton lines={12} />;
  return (
    <Empty
      isWhole
      icon="refresh"
      title="This part of the page could not be loaded"
      actions={
        <Button look="primary" onClick={() => location.reload()}>
          Load the page anew
        </Button>
      }
    >
      <p>The gateway does not answer, or is of another version than this page by now.</p>
    </Empty>
  );
}
