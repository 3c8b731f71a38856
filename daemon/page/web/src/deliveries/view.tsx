export function DeliveriesView(_: {query: URLSearchParams}) { return null; }
