// What stands in place of rows.

import type { Live, Status } from "../live";
import { openPalette } from "../palette";
import { go } from "../router";
import type { TableRoute } from "../router";
import { Button, Empty, FailureNotice, Skeleton } from "../ui";

interface NothingProps {
  live: Live;
  status: Status;
  route: TableRoute;
  title: string;
  namespaced: boolean;
  search: string;
  onClear: () => void;
}

/** Says that rows are on their way, that there are none, which filter hides them, or what failed. */
export function Nothing({ live, status, route, title, namespaced, search, onClear }: NothingProps) {
  const { ns, labels, fields } = route;
  const withoutSelectors = { ...route, labels: undefined, fields: undefined };
  if (status.state === "loading") return <Skeleton lines={14} label={`Loading ${title}`} />;
  if (status.state === "failed") {
    const { failure, retryAt } = status;
    return (
      <FailureNotice failure={failure} retryAt={retryAt} onRetry={retryAt ? live.retry : undefined}>
        {failure.code === "forbidden" && namespaced && (
          <Button look="primary" onClick={() => openPalette("namespace")}>
            Choose a namespace
          </Button>
        )}
        {failure.code === "bad_selector" && (
          <Button look="primary" onClick={() => go(withoutSelectors)}>
            Clear the selectors
          </Button>
        )}
      </FailureNotice>
    );
  }
  const where = ns ? ` in ${ns}` : "";
  const names = title.toLowerCase();
  if (live.rows.size > 0) {
    return (
      <Empty
        icon="search"
        title={`No ${names} match “${search.trim()}”`}
        actions={
          <Button look="primary" onClick={onClear}>
            Clear the search
          </Button>
        }
      >
        <p>
          The search hides {live.rows.size === 1 ? "the one row" : `all ${live.rows.size.toLocaleString("en")} rows`}
          {where}.
        </p>
      </Empty>
    );
  }
  if (labels || fields) {
    return (
      <Empty
        icon="tag"
        title={`No ${names}${where} match the selectors`}
        actions={
          <Button look="primary" onClick={() => go(withoutSelectors)}>
            Clear the selectors
          </Button>
        }
      >
        <p>
          <code>{[labels, fields].filter(Boolean).join("  ")}</code>
        </p>
      </Empty>
    );
  }
  return (
    <Empty
      title={`No ${names}${where}`}
      actions={
        ns && (
          <Button look="primary" onClick={() => go({ ...route, ns: undefined })}>
            All namespaces
          </Button>
        )
      }
    >
      <p>They appear here as soon as somebody creates one.</p>
    </Empty>
  );
}
