// xterm.js under the page's content security policy, which forbids styles in the document.

import type { ITheme, Terminal } from "@xterm/xterm";

export interface OpenTerminal {
  terminal: Terminal;
  close: () => void;
}

/** Opens a terminal that fills an element, also when that changes its size. */
export async function openTerminal(element: HTMLElement): Promise<OpenTerminal> {
  const [{ Terminal }, { FitAddon }] = await Promise.all([import("@xterm/xterm"), import("@xterm/addon-fit")]);
  const sheets: CSSStyleSheet[] = [];
  const create = creator(sheets);
  const terminal = new Terminal({
    documentOverride: documentWith(create),
    fontFamily: getComputedStyle(element).fontFamily,
    fontSize: 13,
    lineHeight: 1.2,
    cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    scrollback: 10_000,
    minimumContrastRatio: 4.5,
    screenReaderMode: true,
    theme: colours(element),
  });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  // A part of xterm.js takes the window's document all the same.
  document.createElement = create as typeof document.createElement;
  try {
    terminal.open(element);
  } finally {
    delete (document as { createElement?: unknown }).createElement;
  }
  fit.fit();
  let frame = 0;
  const observer = new ResizeObserver(() => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => fit.fit());
  });
  observer.observe(element);
  const recolour = () => (terminal.options.theme = colours(element));
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", recolour);
  const themes = new MutationObserver(recolour);
  themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  return {
    terminal,
    close: () => {
      observer.disconnect();
      themes.disconnect();
      scheme.removeEventListener("change", recolour);
      cancelAnimationFrame(frame);
      terminal.dispose();
      document.adoptedStyleSheets = document.adoptedStyleSheets.filter((sheet) => !sheets.includes(sheet));
    },
  };
}

type Create = (name: string, options?: ElementCreationOptions) => HTMLElement;

/**
 * Creates elements, of which `style` puts its rules in a sheet of its own, and attributes `style` are set by the object model:
 * the policy allows both, but neither the element, even if it is empty, nor the attribute.
 */
function creator(sheets: CSSStyleSheet[]): Create {
  return (name, options) => {
    const element = Document.prototype.createElement.call(document, name === "style" ? "template" : name, options);
    if (name === "style") {
      const sheet = new CSSStyleSheet();
      sheets.push(sheet);
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
      Object.defineProperty(element, "textContent", { set: (text: string) => sheet.replaceSync(text), get: () => "" });
    } else {
      element.setAttribute = setAttribute;
    }
    return element;
  };
}

function documentWith(create: Create): Document {
  return new Proxy(document, {
    get: (target, property) => {
      if (property === "createElement") return create;
      const value = Reflect.get(target, property) as unknown;
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
    set: (target, property, value) => Reflect.set(target, property, value),
  });
}

function setAttribute(this: HTMLElement, name: string, value: string): void {
  if (name === "style") this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
}

/** The colours of the page, as they are at an element. */
function colours(element: HTMLElement): ITheme {
  const probe = document.createElement("span");
  element.append(probe);
  const colour = (name: string) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const found: ITheme = {
    background: colour("--surface"),
    foreground: colour("--text"),
    cursor: colour("--accent"),
    cursorAccent: colour("--surface"),
    selectionBackground: colour("--accent-soft"),
    black: colour("--a-black"),
    red: colour("--a-red"),
    green: colour("--a-green"),
    yellow: colour("--a-yellow"),
    blue: colour("--a-blue"),
    magenta: colour("--a-magenta"),
    cyan: colour("--a-cyan"),
    white: colour("--a-white"),
    brightBlack: colour("--muted"),
    brightRed: colour("--a-red"),
    brightGreen: colour("--a-green"),
    brightYellow: colour("--a-yellow"),
    brightBlue: colour("--a-blue"),
    brightMagenta: colour("--a-magenta"),
    brightCyan: colour("--a-cyan"),
    brightWhite: colour("--text"),
  };
  probe.remove();
  return found;
}
