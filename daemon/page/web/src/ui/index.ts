// What views are made of.
export * from './copy';
export * from './dialog';
export * from './json_link';
export * from './key';
export * from './mark';
export * from './page';
export * from './problem';
export * from './sparkline';
export * from './table';
export * from './time';
