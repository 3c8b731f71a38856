export function FleetView(_: {query: URLSearchParams}) { return null; }
