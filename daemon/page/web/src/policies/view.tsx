export function PolicyView(_: {name: string; query: URLSearchParams}) { return null; }
