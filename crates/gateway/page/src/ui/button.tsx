// Buttons. One that has only an icon is named by its label. One with `autofocus` has the focus when it comes.

import type { ComponentChildren, JSX } from "preact";
import { takeFocus } from "./focus";
import { Icon } from "./icon";
import type { IconName } from "./icon";

type Native = Omit<JSX.IntrinsicElements["button"], "icon">;

export interface ButtonProps extends Native {
  /** `plain` is a text, `primary` the one thing to do, `danger` what cannot be undone. */
  look?: "normal" | "primary" | "danger" | "plain";
  icon?: IconName;
  /** The name for screen readers and the tooltip; needed if there is no text. */
  label?: string;
  /** The key that does the same, for the tooltip. */
  keys?: string;
  busy?: boolean;
  children?: ComponentChildren;
}

export function Button({ look = "normal", icon, label, keys, busy, children, class: extra, disabled, autofocus, ...rest }: ButtonProps) {
  const classes = ["button", look, children === undefined && "only-icon", extra].filter(Boolean).join(" ");
  return (
    <button
      type="button"
      {...rest}
      ref={autofocus ? takeFocus : undefined}
      autofocus={autofocus}
      class={classes}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
      aria-label={children === undefined ? label : undefined}
      title={label && keys ? `${label} (${keys})` : label}
    >
      {icon && <Icon name={icon} />}
      {children !== undefined && <span>{children}</span>}
    </button>
  );
}

/** A key, as it is printed. */
export function Key({ children }: { children: ComponentChildren }) {
  return <kbd>{children}</kbd>;
}
