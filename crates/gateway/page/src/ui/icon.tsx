// Icons, drawn in one weight on a grid of 16.

const PATHS = {
  check: "M3.5 8.5 6.5 11.5 12.5 4.5",
  cross: "M4.5 4.5l7 7m0-7-7 7",
  warn: "M8 2.5 14.2 13.2H1.8ZM8 6.6v3.1M8 11.4v.1",
  clock: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2Zm0 3v3.2l2.2 1.4",
  circle: "M8 3.2a4.8 4.8 0 1 0 0 9.6 4.8 4.8 0 0 0 0-9.6Z",
  dash: "M4 8h8",
  plus: "M4 8h8M8 4v8",
  search: "M7 2.8a4.2 4.2 0 1 0 0 8.4 4.2 4.2 0 0 0 0-8.4ZM10.2 10.2l3.3 3.3",
  up: "M8 12.5v-9M4.3 7.2 8 3.5l3.7 3.7",
  down: "M8 3.5v9M4.3 8.8 8 12.5l3.7-3.7",
  chevron: "M6 3.8 10.2 8 6 12.2",
  menu: "M2.5 4h11M2.5 8h11M2.5 12h11",
  overview: "M2.5 2.5h4.6v6H2.5Zm6.4 0h4.6v3.6H8.9Zm0 5.4h4.6v5.6H8.9Zm-6.4 2.4h4.6v3.2H2.5Z",
  table: "M2.2 3.2h11.6v9.6H2.2Zm0 3.2h11.6M2.2 9.6h11.6M6.2 6.4v6.4",
  columns: "M2.2 3.2h11.6v9.6H2.2ZM6.1 3.2v9.6m3.8-9.6v9.6",
  sun: "M8 5.3a2.7 2.7 0 1 0 0 5.4 2.7 2.7 0 0 0 0-5.4ZM8 1.5v1.3m0 10.4v1.3M1.5 8h1.3m10.4 0h1.3M3.4 3.4l.9.9m7.4 7.4.9.9m0-9.2-.9.9m-7.4 7.4-.9.9",
  moon: "M13.2 9.6A5.6 5.6 0 0 1 6.4 2.8a5.6 5.6 0 1 0 6.8 6.8Z",
  screen: "M2 3h12v8H2Zm4 10.5h4M8 11v2.5",
  keyboard: "M1.8 4h12.4v8H1.8ZM4.2 6.5h.1m2.4 0h.1m2.4 0h.1m2.4 0h.1M5 9.5h6",
  plug: "M5.5 2.2v3m5-3v3M4 5.2h8v2.6a4 4 0 0 1-8 0Zm4 6.6v2.4",
  copy: "M5.5 5.5h8v8h-8ZM2.5 10.5v-8h8",
  more: "M3.5 8h.1M8 8h.1m4.4 0h.1",
  refresh: "M13.2 8a5.2 5.2 0 1 1-1.5-3.7L13.2 5.8M13.2 2.6v3.2H10",
  tag: "M2.5 2.5h5.2l5.8 5.8-5.2 5.2-5.8-5.8ZM5.4 5.4h.1",
  lock: "M3.5 7.2h9v6.3h-9Zm2-.2V5a2.5 2.5 0 0 1 5 0v2",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, class: extra }: { name: IconName; class?: string }) {
  return (
    <svg class={extra ? `icon ${extra}` : "icon"} viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
