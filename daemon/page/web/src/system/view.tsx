export function SystemView() { return null; }
