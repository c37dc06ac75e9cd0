// Lines of a log, with their colours and what a filter finds in them.

import { useSignal } from "@preact/signals";
import type { ComponentChildren, RefObject } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { plain, spans } from "./ansi";
import type { LogLine } from "./log-stream";

export interface Pattern {
  test: (text: string) => boolean;
  /** The places of what matches, for marks. */
  find: RegExp;
}

/** A filter: words, or an expression between slashes; null if it is empty, or no expression. */
export function patternOf(filter: string): Pattern | null {
  if (!filter) return null;
  const expression = /^\/(.+)\/$/.exec(filter)?.[1];
  try {
    const find = new RegExp(expression ?? filter.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "gi");
    return { find, test: (text) => text.search(find) >= 0 };
  } catch {
    return null;
  }
}

interface LogBlockProps {
  lines: LogLine[];
  /** The number of lines, by which a block that grows is told from one that is full. */
  length: number;
  pattern: Pattern | null;
  timed: boolean;
  scroller: RefObject<HTMLElement | null>;
}

/** Lines, of which those far from sight are a plain text. */
export function LogBlock({ lines, length, pattern, timed, scroller }: LogBlockProps) {
  const element = useRef<HTMLDivElement>(null);
  const isNear = useSignal(true);
  useEffect(() => {
    const observer = new IntersectionObserver((entries) => (isNear.value = entries[entries.length - 1]!.isIntersecting), {
      root: scroller.current,
      rootMargin: "1200px",
    });
    observer.observe(element.current!);
    return () => observer.disconnect();
  }, []);
  const near = isNear.value;
  const body = useMemo(() => {
    const shown = pattern ? lines.filter((line) => pattern.test(plain(line.text))) : lines;
    if (!near) return shown.map((line) => (timed ? `${timeOf(line)} ` : "") + plain(line.text)).join("\n");
    return shown.map((line) => (
      <div key={line.number} class={levelOf(line.text)}>
        {timed && <time dateTime={line.time}>{timeOf(line)} </time>}
        {spans(line.text).map(({ text, style }, index) => (
          <span key={index} class={style || undefined}>
            {pattern ? marked(text, pattern.find) : text}
          </span>
        ))}
        {line.text === "" && "\n"}
      </div>
    ));
  }, [lines, length, pattern, timed, near]);
  return (
    <div class="log-block" ref={element}>
      {body}
    </div>
  );
}

const timeOf = ({ time }: LogLine) => time.replace("T", " ").slice(0, 23).padEnd(23, "0");

function levelOf(text: string): string {
  const head = text.slice(0, 200);
  if (/\b(?:ERROR|FATAL|PANIC|CRITICAL)\b|\blevel"?[=:]\s*"?(?:error|fatal|panic)|^[EF]\d{4} /i.test(head) && !/\bno errors?\b/i.test(head))
    return "log-line bad";
  if (/\bWARN(?:ING)?\b|\blevel"?[=:]\s*"?warn|^W\d{4} /.test(head)) return "log-line warn";
  return "log-line";
}

function marked(text: string, find: RegExp): ComponentChildren {
  const out: ComponentChildren[] = [];
  let at = 0;
  for (const match of text.matchAll(find)) {
    if (match[0] === "") continue;
    out.push(text.slice(at, match.index), <mark key={match.index}>{match[0]}</mark>);
    at = match.index + match[0].length;
    if (out.length > 200) break;
  }
  out.push(text.slice(at));
  return out;
}
