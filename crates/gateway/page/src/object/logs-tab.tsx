// The tab Logs: the log of a container, followed, searched, and as a file.

import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { useShortcuts } from "../shortcuts";
import { Button, Countdown, Empty, FailureNotice, Icon, Skeleton } from "../ui";
import { plain } from "./ansi";
import type { LiveObject } from "./live-object";
import { LogBlock, patternOf } from "./log-block";
import { LogStream } from "./log-stream";
import { WithPod, isRunning, query, setQuery } from "./pods";
import type { Container, Pod } from "./pods";
import "./logs.css";

const SINCE: [string, string, Pick<LogStream["source"], "tailLines" | "sinceSeconds">][] = [
  ["", "Last 1,000 lines", { tailLines: 1000 }],
  ["5m", "Last 5 minutes", { sinceSeconds: 300 }],
  ["1h", "Last hour", { sinceSeconds: 3600 }],
  ["24h", "Last day", { sinceSeconds: 86_400 }],
  ["all", "Everything", {}],
];

export function LogsTab({ live }: { live: LiveObject }) {
  return (
    <WithPod live={live} what="logs">
      {(pod, container, choosers) => <Log key={`${pod.metadata.uid} ${container.name}`} pod={pod} container={container} choosers={choosers} />}
    </WithPod>
  );
}

function Log({ pod, container, choosers }: { pod: Pod; container: Container; choosers: ComponentChildren }) {
  const previous = query("previous") === "true";
  const since = query("since") ?? "";
  const running = useSignal(isRunning(container));
  running.value = isRunning(container);
  const stream = useMemo(() => {
    const range = SINCE.find(([id]) => id === since) ?? SINCE[0]!;
    const source = { namespace: pod.metadata.namespace ?? "", pod: pod.metadata.name, container: container.name, previous, ...range[2] };
    return new LogStream(source, () => running.peek());
  }, [since, previous]);
  useEffect(() => () => stream.close(), [stream]);
  const restarts = container.status?.restartCount ?? 0;
  useEffect(() => {
    if (running.value) stream.resume();
  }, [running.value, restarts]);

  const filter = useSignal(query("q") ?? "");
  const follows = useSignal(true);
  const wraps = useSignal(true);
  const timed = useSignal(false);
  const pattern = useComputed(() => patternOf(filter.value));
  const seen = useSignal(0);
  const scroller = useRef<HTMLDivElement>(null);
  const search = useRef<HTMLInputElement>(null);
  const revision = stream.revision.value;
  const state = stream.state.value;

  // Set while the view itself scrolls, which is no wish to stay where it is.
  const own = useRef(false);
  const toEnd = () => {
    const element = scroller.current;
    if (!element) return;
    own.current = true;
    element.scrollTop = element.scrollHeight;
  };
  useLayoutEffect(() => {
    if (!follows.value) return;
    toEnd();
    seen.value = stream.total;
  }, [revision, follows.value, wraps.value, timed.value, filter.value]);
  useEffect(() => {
    const element = scroller.current!;
    let last = element.scrollTop;
    const scrolled = () => {
      const isEnd = element.scrollHeight - element.scrollTop - element.clientHeight < 24;
      if (isEnd) follows.value = true;
      else if (element.scrollTop < last && !own.current) follows.value = false;
      last = element.scrollTop;
      own.current = false;
    };
    element.addEventListener("scroll", scrolled, { passive: true });
    const observer = new ResizeObserver(() => follows.peek() && toEnd());
    observer.observe(element);
    return () => {
      element.removeEventListener("scroll", scrolled);
      observer.disconnect();
    };
  }, [stream]);

  useShortcuts(({ key }) => {
    if (key === "f") follows.value = !follows.value;
    else if (key === "w") wraps.value = !wraps.value;
    else if (key === "m") timed.value = !timed.value;
    else if (key === "p" && restarts > 0) setQuery({ previous: previous ? undefined : "true" });
    else if (key === "G" || key === "End") follows.value = true;
    else return false;
    return true;
  });

  const shown = pattern.value;
  const found = useMemo(
    () =>
      shown ? stream.blocks.reduce((sum, block) => sum + block.reduce((count, line) => count + (shown.test(plain(line.text)) ? 1 : 0), 0), 0) : 0,
    [shown, revision],
  );
  const isBad = filter.value !== "" && !shown;
  const kept = stream.total - stream.dropped;
  const unread = stream.total - seen.value;
  return (
    <div class="pane">
      <div class="bar">
        {choosers}
        <label class="choose">
          <span class="hidden">Range</span>
          <select class="input" value={since} onChange={(event) => setQuery({ since: event.currentTarget.value || undefined })}>
            {SINCE.map(([id, title]) => (
              <option key={id} value={id}>
                {title}
              </option>
            ))}
          </select>
        </label>
        <label class={isBad ? "search wrong" : "search"}>
          <Icon name="search" />
          <input
            ref={search}
            type="search"
            data-search
            placeholder="Filter, or /expression/"
            aria-label="Filter lines by a text or an /expression/"
            aria-invalid={isBad || undefined}
            value={filter.value}
            onInput={(event) => {
              filter.value = event.currentTarget.value;
              setQuery({ q: filter.value || undefined });
            }}
            onKeyDown={(event) => {
              if (event.key !== "Escape") return;
              event.preventDefault();
              event.stopPropagation();
              if (filter.value) {
                filter.value = "";
                setQuery({ q: undefined });
              } else {
                scroller.current?.focus();
              }
            }}
          />
        </label>
        <span class="space" />
        {restarts > 0 && (
          <Button
            aria-pressed={previous}
            onClick={() => setQuery({ previous: previous ? undefined : "true" })}
            label="The run before this one"
            keys="p"
          >
            Previous
          </Button>
        )}
        <Button aria-pressed={timed.value} onClick={() => (timed.value = !timed.value)} label="The time of each line" keys="m">
          Times
        </Button>
        <Button aria-pressed={wraps.value} onClick={() => (wraps.value = !wraps.value)} label="Break long lines" keys="w">
          Wrap
        </Button>
        {!previous && (
          <Button aria-pressed={follows.value} onClick={() => (follows.value = !follows.value)} label="Stay at the end" keys="f">
            Follow
          </Button>
        )}
        <a
          class="button only-icon"
          href={stream.file}
          download={`${pod.metadata.name}-${container.name}${previous ? "-previous" : ""}.log`}
          aria-label="Download the whole log"
          title="Download the whole log"
        >
          <Icon name="down" />
        </a>
      </div>
      {container.status?.state?.waiting && (
        <p class="note warn">
          <Icon name="clock" /> The container does not run: {container.status.state.waiting.reason ?? "it waits"}
          {container.status.state.waiting.message ? `, ${container.status.state.waiting.message}` : ""}
        </p>
      )}
      <div class="log-frame">
        <div
          class={wraps.value ? "lines log wraps" : "lines log"}
          ref={scroller}
          role="log"
          aria-live="off"
          aria-label={`Log of ${container.name} in ${pod.metadata.name}`}
          tabIndex={0}
        >
          {stream.dropped > 0 && <p class="log-note">{stream.dropped.toLocaleString()} older lines are not kept here; the download has all.</p>}
          {stream.blocks.map((block) => (
            <LogBlock key={block[0]!.number} lines={block} length={block.length} pattern={shown} timed={timed.value} scroller={scroller} />
          ))}
          <LogEnd stream={stream} kept={kept} found={found} filter={shown ? filter.value : ""} onReset={() => (filter.value = "")} />
        </div>
        {!follows.value && !previous && state.state === "following" && (
          <Button class="log-jump" icon="down" onClick={() => (follows.value = true)} keys="G" label="Go on at the end">
            {unread > 0 ? `${unread.toLocaleString()} new lines` : "To the end"}
          </Button>
        )}
      </div>
      <div class="log-foot quiet">
        <LogStateText stream={stream} />
        <span class="space" />
        <span>
          {shown ? `${found.toLocaleString()} of ` : ""}
          {kept.toLocaleString()} lines
        </span>
        <Button look="plain" onClick={stream.clear} disabled={kept === 0} label="Forget the lines that are here">
          Clear
        </Button>
      </div>
    </div>
  );
}

function LogStateText({ stream }: { stream: LogStream }) {
  const state = stream.state.value;
  switch (state.state) {
    case "loading":
      return <span role="status">Reading</span>;
    case "following":
      return (
        <span class="live" role="status">
          {stream.source.previous ? null : <span class="dot" />} {stream.source.previous ? "Reading" : "Following"}
        </span>
      );
    case "ended":
      return <span role="status">{stream.source.previous ? "The log of the run before" : "The container has ended"}</span>;
    case "failed":
      if (state.failure.code === "not_found" && stream.total > 0) return <span role="status">The pod is gone</span>;
      return (
        <span class="live off">
          {state.failure.message}. <Countdown until={state.retryAt} />
        </span>
      );
  }
}

interface LogEndProps {
  stream: LogStream;
  kept: number;
  found: number;
  filter: string;
  onReset: () => void;
}

/** What stands in place of lines. */
function LogEnd({ stream, kept, found, filter, onReset }: LogEndProps) {
  const state = stream.state.value;
  if (kept > 0 && filter && found === 0) {
    return (
      <Empty icon="search" title="No line has that" actions={<Button onClick={onReset}>Show all lines</Button>}>
        <p>
          {kept.toLocaleString()} lines are here, and none has “{filter}”.
        </p>
      </Empty>
    );
  }
  if (kept > 0) return null;
  if (state.state === "loading") return <Skeleton label="Loading the log" />;
  if (state.state === "failed") return <FailureNotice failure={state.failure} retryAt={state.retryAt} onRetry={stream.retry} />;
  return (
    <Empty title={state.state === "ended" ? "The container wrote nothing" : "Nothing is written yet"}>
      {state.state === "following" && <p>Lines show up here as the container writes them.</p>}
    </Empty>
  );
}
