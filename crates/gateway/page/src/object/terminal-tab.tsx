// The tab Terminal: a shell, or a command, in a container.

import "@xterm/xterm/css/xterm.css";
import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { apiPath } from "../api";
import { theme } from "../state";
import { Button, Empty, Icon, Key, sentence } from "../ui";
import { ExecSession } from "./exec-session";
import type { ExecState } from "./exec-session";
import type { LiveObject } from "./live-object";
import { WithPod, containerState, isRunning } from "./pods";
import type { Container, Pod } from "./pods";
import { openTerminal } from "./terminal";
import "./terminal.css";

/** A shell that is there in most images. */
const SHELL = ["/bin/sh", "-c", "TERM=xterm-256color; export TERM; [ -x /bin/bash ] && exec /bin/bash || exec /bin/sh"];

/** The keys that have no letter, as they are sent. */
const EARLY_KEYS: Record<string, string> = { Enter: "\r", Backspace: "\x7f" };

export function TerminalTab({ live, isAllowed }: { live: LiveObject; isAllowed: boolean }) {
  if (!isAllowed) {
    return (
      <Empty icon="lock" title="The gateway runs no commands">
        <p>
          Start it with <code>--allow-exec</code> to open a terminal here.
        </p>
      </Empty>
    );
  }
  return (
    <WithPod live={live} what="terminals">
      {(pod, container, choosers) => <Shell key={`${pod.metadata.uid} ${container.name}`} pod={pod} container={container} choosers={choosers} />}
    </WithPod>
  );
}

function Shell({ pod, container, choosers }: { pod: Pod; container: Container; choosers: ComponentChildren }) {
  const command = useSignal("");
  const run = useSignal(0);
  const words = useSignal<string[]>(SHELL);
  const state = useSignal<ExecState>({ state: "connecting" });
  const isUp = isRunning(container);
  const start = () => {
    const text = command.value.trim();
    words.value = text === "" ? SHELL : ["/bin/sh", "-c", text];
    run.value++;
  };
  return (
    <div class="pane">
      <div class="bar">
        {choosers}
        <form
          class="command"
          onSubmit={(event) => {
            event.preventDefault();
            start();
          }}
        >
          <input
            class="input"
            aria-label="Command; a shell if empty"
            placeholder="Command; a shell if empty"
            value={command.value}
            spellcheck={false}
            autocapitalize="off"
            onInput={(event) => (command.value = event.currentTarget.value)}
          />
          <Button type="submit" disabled={!isUp}>
            {state.value.state === "open" ? "Start anew" : "Start"}
          </Button>
        </form>
        <span class="space" />
        <span class="quiet wide-only">
          <Key>F6</Key> leaves the terminal
        </span>
        <ExecStateText state={state.value} />
      </div>
      {isUp || state.value.state === "open" || run.value > 0 ? (
        <Screen key={run.value} pod={pod} container={container} command={words.value} state={state} onAgain={start} />
      ) : (
        <Empty icon="clock" title="The container does not run">
          <p>
            It is {containerState(container)}. A terminal opens as soon as {container.name} runs.
          </p>
        </Empty>
      )}
    </div>
  );
}

function ExecStateText({ state }: { state: ExecState }) {
  const text = {
    connecting: "Connecting",
    open: "Connected",
    ended: state.state === "ended" && state.code !== null ? `Ended with ${state.code}` : "Ended",
    failed: "Not connected",
  }[state.state];
  return (
    <span class={state.state === "open" || state.state === "connecting" ? "live" : "live off"} role="status">
      {state.state === "open" && <span class="dot" />}
      {text}
    </span>
  );
}

interface ScreenProps {
  pod: Pod;
  container: Container;
  command: string[];
  state: { value: ExecState };
  onAgain: () => void;
}

function Screen({ pod, container, command, state, onAgain }: ScreenProps) {
  const element = useRef<HTMLDivElement>(null);
  const path = useMemo(() => apiPath("core/v1/pods", pod.metadata.namespace, pod.metadata.name, "exec"), []);
  const early = useRef("");

  // Keys are for the terminal before its scripts are loaded.
  useLayoutEffect(() => element.current!.focus(), []);
  const typed = (event: KeyboardEvent) => {
    if (event.target !== element.current || event.ctrlKey || event.metaKey || event.altKey) return;
    const text = EARLY_KEYS[event.key] ?? (event.key.length === 1 ? event.key : "");
    if (text === "") return;
    early.current += text;
    event.preventDefault();
  };

  useEffect(() => {
    let isClosed = false;
    let close = () => {};
    void openTerminal(element.current!).then((opened) => {
      if (isClosed) return opened.close();
      const session = new ExecSession({
        path,
        container: container.name,
        command,
        onOutput: (bytes) => opened.terminal.write(bytes),
        onState: (next) => {
          if (isClosed) return;
          state.value = next;
          if (next.state === "open") {
            session.resize(opened.terminal.cols, opened.terminal.rows);
          } else if (next.state === "ended" || next.state === "failed") {
            opened.terminal.options.disableStdin = true;
            opened.terminal.options.cursorBlink = false;
          }
        },
      });
      if (early.current) session.write(early.current);
      opened.terminal.onData((text) => session.write(text));
      if (element.current?.contains(document.activeElement)) opened.terminal.focus();
      opened.terminal.onResize(({ cols, rows }) => session.resize(cols, rows));
      opened.terminal.attachCustomKeyEventHandler((event) => {
        if (event.key !== "F6") return true;
        if (event.type === "keydown") document.querySelector<HTMLElement>("[role=tab][aria-selected=true]")?.focus();
        event.preventDefault();
        return false;
      });
      close = () => {
        session.close();
        opened.close();
      };
    });
    return () => {
      isClosed = true;
      close();
    };
  }, []);
  // The colours of the terminal are read from the page.
  void theme.value;

  const now = state.value;
  const isOver = now.state === "ended" || now.state === "failed";
  return (
    <div class="terminal-frame">
      <div class="screen" ref={element} tabIndex={-1} onKeyDown={typed} />
      {isOver && (
        <div class="terminal-over">
          <Icon name={now.state === "failed" || (now.state === "ended" && now.code !== 0) ? "warn" : "check"} />
          <span>
            {now.state === "failed"
              ? sentence(now.message)
              : now.code === 0
                ? "The command has ended."
                : now.code !== null
                  ? `The command has ended with the exit code ${now.code}.`
                  : sentence(now.message || "the connection was closed")}
          </span>
          <Button icon="refresh" onClick={onAgain} autofocus>
            Again
          </Button>
        </div>
      )}
    </div>
  );
}
