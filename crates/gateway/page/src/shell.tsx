// The frame of the page: kinds on the left, or in a drawer on a phone, and the view beside them.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { context } from "./api";
import { Banner } from "./banner";
import { KeysDialog, nextTheme, showsKeys, useKeys } from "./keys";
import { Nav } from "./nav";
import { ObjectPage } from "./object-page";
import { Palette, openPalette } from "./palette";
import { go, href, route } from "./router";
import { kindOf, kinds, namespace, session, start, startFailure, theme } from "./state";
import { Button, Dialog, Empty, FailureNotice, Icon, Key, Skeleton, Toasts } from "./ui";
import type { IconName } from "./ui";
import { Overview } from "./views/overview";
import { TableView } from "./views/table";
import { KindUnknown } from "./views/unknown";

const showsDrawer = signal(false);

const THEMES: Record<typeof theme.value, [IconName, string]> = {
  system: ["screen", "Colours of the system"],
  light: ["sun", "Light"],
  dark: ["moon", "Dark"],
};

export function Shell() {
  useKeys();
  return (
    <div class="shell">
      <a class="skip" href="#main" onClick={skip}>
        Skip to the content
      </a>
      <aside class="sidebar">
        <Sidebar />
      </aside>
      <div class="content">
        <Banner />
        <main id="main" tabIndex={-1}>
          <View />
        </main>
      </div>
      <BottomBar />
      {showsDrawer.value && (
        <Dialog title="Kinds" class="drawer" onClose={() => (showsDrawer.value = false)}>
          <Sidebar onChoose={() => (showsDrawer.value = false)} />
        </Dialog>
      )}
      <Palette />
      <KeysDialog />
      <Toasts />
    </div>
  );
}

function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

function Sidebar({ onChoose }: { onChoose?: () => void }) {
  const [icon, title] = THEMES[theme.value];
  return (
    <>
      <header class="brand">
        <a href={href({ view: "overview", ns: namespace.value })} onClick={onChoose}>
          <Logo />
          <span>klient</span>
        </a>
        <Button look="plain" icon="search" label="Go to" keys="Ctrl K" onClick={() => choose("all", onChoose)} />
      </header>
      <div class="choosers">
        <ContextChooser onChoose={onChoose} />
        <button type="button" class="chooser" onClick={() => choose("namespace", onChoose)}>
          <span class="of">Namespace</span>
          <span class="value">{namespace.value ?? "All namespaces"}</span>
          <Icon name="chevron" />
        </button>
      </div>
      {kinds.value ? <Nav onChoose={onChoose} /> : <Skeleton lines={10} label="Loading kinds" />}
      <footer class="side-foot">
        {session.value && !session.value.writes && (
          <span class="badge" title="Start the gateway with --allow-writes to change the cluster">
            <Icon name="lock" />
            Read only
          </span>
        )}
        <span class="space" />
        <Button look="plain" icon={icon} label={title} keys="t" onClick={nextTheme} />
        <Button look="plain" icon="keyboard" label="Keys" keys="?" onClick={() => (showsKeys.value = true)} />
      </footer>
    </>
  );
}

function choose(mode: Parameters<typeof openPalette>[0], onChoose?: () => void): void {
  onChoose?.();
  openPalette(mode);
}

function ContextChooser({ onChoose }: { onChoose?: () => void }) {
  const now = session.value;
  const isOne = (now?.contexts.length ?? 0) < 2;
  const text = (
    <>
      <span class="of">Context</span>
      <span class="value">{now?.context ?? "…"}</span>
    </>
  );
  if (isOne) return <div class="chooser fixed">{text}</div>;
  return (
    <button type="button" class="chooser" onClick={() => choose("context", onChoose)}>
      {text}
      <Icon name="chevron" />
    </button>
  );
}

function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" />
      <path d="M10 7v18M22 8l-9 8 9 8" />
    </svg>
  );
}

function BottomBar() {
  const isOverview = route.value.view === "overview";
  return (
    <nav class="bottom-bar" aria-label="Main">
      <a href={href({ view: "overview", ns: namespace.value })} aria-current={isOverview ? "page" : undefined}>
        <Icon name="overview" />
        Overview
      </a>
      <button type="button" onClick={() => (showsDrawer.value = true)}>
        <Icon name="table" />
        Kinds
      </button>
      <button type="button" onClick={() => openPalette("namespace")}>
        <Icon name="tag" />
        {namespace.value ?? "Namespace"}
      </button>
      <button type="button" onClick={() => openPalette("all")}>
        <Icon name="search" />
        Go to
      </button>
    </nav>
  );
}

function View() {
  const now = route.value;
  useEffect(() => {
    if (now.view === "overview") document.title = `Overview${now.ns ? ` of ${now.ns}` : ""} · klient`;
  }, [now]);
  if (!kinds.value || !session.value) {
    if (startFailure.value) {
      return (
        <FailureNotice isWhole {...startFailure.value} onRetry={() => void start()}>
          {context !== null && (
            <Button look="primary" onClick={() => location.assign("/#/overview")}>
              The gateway's own context
            </Button>
          )}
        </FailureNotice>
      );
    }
    return <Skeleton lines={12} />;
  }
  switch (now.view) {
    case "overview":
      return <Overview key={now.ns} ns={now.ns} />;
    case "table":
      return <TableView key={now.path} route={now} />;
    case "object": {
      const kind = kindOf(now.path);
      if (!kind) return <KindUnknown path={now.path} />;
      return <ObjectPage key={`${now.path} ${now.namespace} ${now.name}`} kind={kind} namespace={now.namespace} name={now.name} tab={now.tab} />;
    }
    case "unknown":
      return (
        <Empty
          isWhole
          icon="search"
          title="There is nothing at this address"
          actions={
            <Button look="primary" onClick={() => go({ view: "overview", ns: namespace.value })}>
              Overview
            </Button>
          }
        >
          <p>
            Press <Key>Ctrl K</Key> to go to a kind.
          </p>
        </Empty>
      );
  }
}
