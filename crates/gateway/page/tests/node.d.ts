// The parts of Node.js that the tests use.

declare module "node:test" {
  export default function test(name: string, run: () => void | Promise<void>): void;
  /** Timers that go on by `tick` only. */
  export const mock: {
    timers: { enable(options: { apis: "setTimeout"[] }): void; tick(milliseconds: number): void; reset(): void };
  };
}

declare module "node:assert/strict" {
  const assert: {
    equal(actual: unknown, expected: unknown, message?: string): void;
    deepEqual(actual: unknown, expected: unknown, message?: string): void;
    ok(value: unknown, message?: string): void;
    throws(run: () => unknown, expected: RegExp): void;
  };
  export default assert;
}

declare const process: { env: Record<string, string | undefined> };

declare function setImmediate(run: (value?: unknown) => void): void;
