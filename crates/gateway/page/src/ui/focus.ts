// The focus of what comes into the document.

/** Gives an element the focus when it comes into the document, as its `ref`: before the next key, which it would miss later. */
export const takeFocus = (element: HTMLElement | null): void => element?.focus();
