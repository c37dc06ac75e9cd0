// YAML to read: numbered lines, in blocks of which only those in sight have colours, so that a MiB is no matter.

import { useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { literals, tokens } from "./tokens";
import "./code.css";

const BLOCK = 100;

/** The limit of the characters of a line that are shown. */
const LONGEST = 2000;

/** Lines from which on blocks out of sight are not laid out. */
const MANY = 2000;

export interface LinesProps {
  lines: string[];
  /** Classes of lines by their number from 0, such as `changed` or `wrong`. */
  marks?: Map<number, string>;
  /** The element that scrolls. */
  scroller: RefObject<HTMLElement | null>;
}

/** The lines with their numbers. */
export function Lines({ lines, marks, scroller }: LinesProps) {
  const isLiteral = useMemo(() => literals(lines), [lines]);
  const blocks = [];
  for (let begin = 0; begin < lines.length; begin += BLOCK) {
    const end = Math.min(lines.length, begin + BLOCK);
    const text = lines.slice(begin, end).map((line) => (line.length > LONGEST ? cut(line) : line));
    const own = text.map((_, index) => marks?.get(begin + index) ?? "");
    const literal = isLiteral.slice(begin, end);
    blocks.push(
      <Block
        key={begin}
        begin={begin}
        text={text.join("\n")}
        literal={literal.map(Number).join("")}
        marks={own.join(",")}
        isBig={lines.length > MANY}
        scroller={scroller}
      />,
    );
  }
  return <>{blocks}</>;
}

const cut = (line: string) => `${line.slice(0, LONGEST)} … ${(line.length - LONGEST).toLocaleString()} more characters`;

interface BlockProps {
  begin: number;
  text: string;
  /** A digit for each line: 1 inside of a literal block. */
  literal: string;
  /** The classes of the lines, between commas. */
  marks: string;
  isBig: boolean;
  scroller: RefObject<HTMLElement | null>;
}

function Block({ begin, text, literal, marks, isBig, scroller }: BlockProps) {
  const element = useRef<HTMLDivElement>(null);
  const isNear = useSignal(!isBig);
  useEffect(() => {
    if (!isBig) return;
    const observer = new IntersectionObserver((entries) => (isNear.value = entries[entries.length - 1]!.isIntersecting), {
      root: scroller.current,
      rootMargin: "800px",
    });
    observer.observe(element.current!);
    return () => observer.disconnect();
  }, [isBig]);
  const lines = useMemo(() => text.split("\n"), [text]);
  useLayoutEffect(() => element.current!.style.setProperty("--lines", String(lines.length)), [lines.length]);
  const near = isNear.value;
  const body = useMemo(() => {
    const numbers = lines.map((_, index) => begin + index + 1);
    const classes = marks.split(",");
    const hasMarks = /[^,]/.test(marks);
    return (
      <>
        <div class="code-numbers" aria-hidden="true">
          {hasMarks
            ? numbers.map((number, index) => (
                <span key={index} class={classes[index]}>
                  {number}
                </span>
              ))
            : numbers.join("\n")}
        </div>
        <code class="code-text">
          {near || hasMarks
            ? lines.map((line, index) => (
                <span key={index} class={`code-line ${classes[index]}`}>
                  {literal[index] === "1" || !near
                    ? line
                    : tokens(line).map(({ text, kind }, at) =>
                        kind ? (
                          <span key={at} class={`t-${kind}`}>
                            {text}
                          </span>
                        ) : (
                          text
                        ),
                      )}
                  {line === "" && "\n"}
                </span>
              ))
            : text}
        </code>
      </>
    );
  }, [text, literal, marks, near, begin]);
  return (
    <div ref={element} class={isBig ? "code-block big" : "code-block"}>
      {body}
    </div>
  );
}

interface CodeProps {
  lines: string[];
  marks?: Map<number, string>;
  label: string;
  /** The line that is brought into sight, from 0. */
  reveal?: number | null;
}

/** Lines in an area that scrolls, also by keys. */
export function Code({ lines, marks, label, reveal }: CodeProps) {
  const scroller = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (reveal !== null && reveal !== undefined) showLine(scroller.current!, reveal);
  }, [reveal]);
  return (
    <div class="lines code" ref={scroller} role="region" aria-label={label} tabIndex={0}>
      <div class="code-lines">
        <Lines lines={lines} marks={marks} scroller={scroller} />
      </div>
    </div>
  );
}

/** Scrolls so that a line stands in the upper third. */
export function showLine(scroller: HTMLElement, line: number): void {
  const height = parseFloat(getComputedStyle(scroller).lineHeight) || 19;
  scroller.scrollTop = Math.max(0, line * height - scroller.clientHeight / 3);
}
