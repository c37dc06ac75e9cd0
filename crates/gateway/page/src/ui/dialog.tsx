// Dialogs: focus stays inside, Esc closes, and comes back to where it was.

import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { Button } from "./button";

export interface DialogProps {
  title: string;
  onClose: () => void;
  /** The buttons at the bottom; the last one is what the dialog is for. */
  actions?: ComponentChildren;
  wide?: boolean;
  /** No heading that is seen, as in the palette. */
  bare?: boolean;
  class?: string;
  children: ComponentChildren;
}

/** A modal dialog, which the browser keeps above all, with the rest inert. It closes by Esc and by a click beside it. */
export function Dialog({ title, onClose, actions, wide, bare, class: extra, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const heading = useId();
  // Before the page is painted: the next key is for the dialog.
  useLayoutEffect(() => {
    const dialog = element.current!;
    const before = document.activeElement;
    dialog.showModal();
    const first = dialog.querySelector<HTMLElement>("[autofocus], [data-autofocus]");
    first?.focus();
    return () => {
      dialog.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={element}
      class={["dialog", wide && "wide", bare && "bare", extra].filter(Boolean).join(" ")}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => {
        if (event.target === element.current) onClose();
      }}
    >
      <div class="dialog-body">
        <header class={bare ? "hidden" : undefined}>
          <h2 id={heading}>{title}</h2>
          {!bare && <Button look="plain" icon="cross" label="Close" keys="Esc" onClick={onClose} />}
        </header>
        {children}
        {actions && <footer>{actions}</footer>}
      </div>
    </dialog>
  );
}
