// What JSX becomes calls of (build.mjs).
export {Fragment, h} from 'preact';
