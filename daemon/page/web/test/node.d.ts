// As much of Node as the tests use.
declare module 'node:test' {
  export function test(name: string, body: () => void | Promise<void>): void;
  export default test;
}
declare module 'node:assert/strict' {
  function assert(value: unknown, message?: string): asserts value;
  namespace assert {
    function equal<T>(actual: T, expected: T, message?: string): void;
    function deepEqual<T>(actual: T, expected: T, message?: string): void;
    function notEqual(actual: unknown, expected: unknown, message?: string): void;
    function match(actual: string, expected: RegExp, message?: string): void;
    function throws(body: () => unknown, expected?: RegExp | object): void;
    function rejects(body: Promise<unknown> | (() => Promise<unknown>), expected?: RegExp | object): Promise<void>;
    function ok(value: unknown, message?: string): asserts value;
  }
  export default assert;
}
