// What the tests need in the page: elements by their roles and names, waits, and the faults that the page itself noticed.
// It is in each document before the document's own scripts.

globalThis.driver = (() => {
  /** The elements of the roles that are not said by an attribute. */
  const ROLES = {
    button: "button:not([role]), summary",
    cell: "[role=gridcell], [role=rowheader]",
    checkbox: "input[type=checkbox]",
    combobox: "select, [role=combobox]",
    dialog: "dialog[open]",
    group: "[role=group], fieldset",
    heading: "h1, h2, h3",
    link: "a[href]",
    radio: "input[type=radio]",
    region: "section[aria-label], [role=region]",
    textbox: "textarea, input:not([type]), input[type=text], input[type=search]",
  };

  /** Faults that the page should not have: errors that nobody caught, and what its policy refused. */
  const faults = [];
  addEventListener("error", (event) => faults.push(`error: ${event.message}`));
  addEventListener("unhandledrejection", (event) => faults.push(`rejection: ${event.reason}`));
  addEventListener("securitypolicyviolation", (event) => faults.push(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));

  const clean = (text) => (text ?? "").replace(/\s+/g, " ").trim();

  /** The text of a label without the control that is in it. */
  function labelText(label) {
    const copy = label.cloneNode(true);
    for (const control of copy.querySelectorAll("input, select, textarea")) control.remove();
    return copy.textContent;
  }

  function nameOf(element) {
    const by = element.getAttribute("aria-labelledby");
    if (by) return clean(by.split(" ").map((id) => document.getElementById(id)?.textContent).join(" "));
    const label = element.getAttribute("aria-label");
    if (label) return clean(label);
    if (element.labels?.length) return clean([...element.labels].map(labelText).join(" "));
    return clean(element.textContent) || clean(element.title) || clean(element.placeholder);
  }

  /** The part of the page that takes keys and clicks: the last dialog, if one is open. */
  const scope = () => [...document.querySelectorAll("dialog[open]")].at(-1) ?? document;

  /** The elements of a role that can be seen, of a name: the whole one, or its beginning if it ends with "…". */
  function all(role, name) {
    const selector = ROLES[role] ?? `[role=${role}]`;
    const isNamed = (element) => {
      if (name === undefined) return true;
      return name.endsWith("…") ? nameOf(element).startsWith(name.slice(0, -1)) : nameOf(element) === name;
    };
    const root = scope();
    const found = [...root.querySelectorAll(selector)];
    if (root !== document && root.matches(selector)) found.push(root);
    return found.filter((element) => element.checkVisibility({ visibilityProperty: true }) && isNamed(element));
  }

  const one = (role, name) => all(role, name)[0];

  /** The visible text of the page. */
  const text = () => document.body?.innerText ?? "";

  /** The texts of the cells of the rows that are in the document, in the order in which they are seen. */
  function rows() {
    const top = (row) => row.getBoundingClientRect().top;
    const found = all("row").filter((row) => row.querySelector("[role=gridcell], [role=rowheader]"));
    found.sort((one, other) => top(one) - top(other));
    return found.map((row) => [...row.querySelectorAll("[role=gridcell], [role=rowheader]")].map((cell) => clean(cell.textContent)));
  }

  /** The first cells of the rows: their names. */
  const names = () => rows().map(([name]) => name);

  const CAUSES = [
    "animationend", "change", "focusin", "focusout", "hashchange", "input", "keyup", "load", "popstate", "resize", "scroll",
    "toggle", "transitionend", "visibilitychange",
  ];

  /**
   * Waits until a condition has a value, which is looked at whenever the document, its address or its focus changes. Null if
   * the page is left or the time is over.
   */
  function wait(condition, limit) {
    return new Promise((resolve) => {
      let frame = 0;
      const end = (value) => {
        observer.disconnect();
        for (const cause of CAUSES) removeEventListener(cause, look, true);
        removeEventListener("pagehide", leave);
        navigation.removeEventListener("currententrychange", look);
        cancelAnimationFrame(frame);
        clearTimeout(timer);
        resolve(value);
      };
      const leave = () => end(null);
      const check = () => {
        let value;
        try {
          value = condition();
          wait.problem = undefined;
        } catch (error) {
          wait.problem = String(error);
        }
        if (value) end(value);
        return value;
      };
      const look = () => {
        // The layout follows what was changed.
        if (check()) return;
        frame ||= requestAnimationFrame(() => {
          frame = 0;
          check();
        });
      };
      const observer = new MutationObserver(look);
      const timer = setTimeout(leave, limit);
      observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
      for (const cause of CAUSES) addEventListener(cause, look, true);
      addEventListener("pagehide", leave);
      navigation.addEventListener("currententrychange", look);
      look();
    });
  }

  /** `wait` for what a program outside can have: elements are true. */
  async function until(condition, limit) {
    const value = await wait(condition, limit);
    return value instanceof Node ? true : value;
  }

  const frame = () => new Promise(requestAnimationFrame);

  /** Waits until what is in the document is painted, and what is to be done after that is done. */
  async function painted() {
    await frame();
    await frame();
    await new Promise((resolve) => setTimeout(resolve));
  }

  /** The point at which an element takes a click, once it is there, can be used, and stays in its place. */
  async function spot(role, name, limit) {
    const end = performance.now() + limit;
    while (performance.now() < end) {
      const element = await wait(() => all(role, name).find((element) => !element.disabled), end - performance.now());
      if (!element) break;
      element.scrollIntoView({ block: "nearest", inline: "nearest" });
      await frame();
      const before = element.getBoundingClientRect();
      await frame();
      const { left, top, width, height } = element.getBoundingClientRect();
      const point = { x: left + width / 2, y: top + height / 2 };
      const hit = document.elementFromPoint(point.x, point.y);
      if (left === before.left && top === before.top && hit && (element.contains(hit) || hit.contains(element))) return point;
    }
    return null;
  }

  return { all, faults, frame, names, nameOf, one, painted, rows, scope, spot, text, until, wait };
})();
