// The parts that views are made of.

export { Age, duration } from "./age";
export { Button, Key } from "./button";
export { Dialog } from "./dialog";
export { takeFocus } from "./focus";
export { Grid } from "./grid";
export type { GridColumn, GridProps } from "./grid";
export { Icon } from "./icon";
export type { IconName } from "./icon";
export { Countdown, Delayed, Empty, FailureNotice, Progress, Skeleton, sentence } from "./states";
export { Tabs } from "./tabs";
export type { Tab } from "./tabs";
export { Toasts, copy, toast } from "./toast";
export { State, ToneMark, stateTone, toneOf } from "./tone";
export type { Tone } from "./tone";
